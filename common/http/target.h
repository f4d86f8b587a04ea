/* SPDX-License-Identifier: MIT */
/*
 * target: the four forms of a request target (RFC 9112 3.2), also used to
 * take an http URL apart. Allocates nothing.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>

#include "common/base/bytes.h"

/* The methods that mean something to us. */
enum http_verb {
	HTTP_VERB_OTHER,
	HTTP_VERB_GET,
	HTTP_VERB_HEAD,
	HTTP_VERB_POST,
	HTTP_VERB_PUT,
	HTTP_VERB_PATCH,
	HTTP_VERB_TRACE,
	HTTP_VERB_DELETE,
	HTTP_VERB_OPTIONS,
	HTTP_VERB_CONNECT,
};

enum http_form {
	HTTP_FORM_ORIGIN,    /* /path?query */
	HTTP_FORM_ABSOLUTE,  /* http://host/path?query */
	HTTP_FORM_AUTHORITY, /* host:port, for CONNECT alone */
	HTTP_FORM_ASTERISK,  /* *, for OPTIONS alone */
};

/* All slices point into the target that was taken apart. */
struct http_target {
	enum http_form form;
	bool is_https; /* absolute form with https: */
	struct slice
	    authority;     /* host[:port]; empty unless absolute, authority */
	struct slice path; /* "/a?b"; may be "" or "?b" in absolute form */
};

/* The verb of a method; methods are case-sensitive (RFC 9110 9.1). */
enum http_verb http_target_verb(struct slice method);

/*
 * Take a target apart. The authority is checked as http_host_parse does.
 * Returns 0 or -EINVAL; then *why_r (static text) says what was wrong: a byte
 * outside VCHAR, a fragment, a backslash, a form that does not fit the verb, a
 * scheme other than http and https, a bad authority.
 * Source: RFC 9112 3.2.
 */
int http_target_parse(enum http_verb verb, struct slice target,
    struct http_target *target_r, const char **why_r);

#endif
