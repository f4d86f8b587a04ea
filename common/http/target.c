/* SPDX-License-Identifier: MIT */
/*
 * target: RFC 9112 3.2
 *	request-target = origin-form / absolute-form / authority-form /
 *	    asterisk-form
 */
#include "common/http/target.h"

#include <errno.h>
#include <stddef.h>

#include "common/http/char.h"
#include "common/http/host.h"

static const struct {
	struct slice text;
	enum http_verb verb;
} verbs[] = {
	{ { "GET", 3 }, HTTP_VERB_GET },
	{ { "POST", 4 }, HTTP_VERB_POST },
	{ { "HEAD", 4 }, HTTP_VERB_HEAD },
	{ { "PUT", 3 }, HTTP_VERB_PUT },
	{ { "PATCH", 5 }, HTTP_VERB_PATCH },
	{ { "TRACE", 5 }, HTTP_VERB_TRACE },
	{ { "DELETE", 6 }, HTTP_VERB_DELETE },
	{ { "OPTIONS", 7 }, HTTP_VERB_OPTIONS },
	{ { "CONNECT", 7 }, HTTP_VERB_CONNECT },
};

enum http_verb
http_target_verb(struct slice method)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (slice_eq(method, verbs[i].text))
			return verbs[i].verb;
	}
	return HTTP_VERB_OTHER;
}

/* Drop a prefix without regard to case; false leaves s alone. */
static bool
target_skip(struct slice *s, struct slice prefix)
{
	if (s->n < prefix.n ||
	    !slice_caseeq((struct slice){ s->p, prefix.n }, prefix))
		return false;
	*s = (struct slice){ s->p + prefix.n, s->n - prefix.n };
	return true;
}

/* Check the authority, with a port where the form wants one. */
static int
target_authority(const struct http_target *t, const char **why_r)
{
	struct http_host host;
	const int rc = http_host_parse(t->authority, &host, why_r);

	if (rc == 0 && t->form == HTTP_FORM_AUTHORITY && host.port < 0) {
		*why_r = "CONNECT without a port";
		return -EINVAL;
	}
	return rc;
}

/* absolute-form = scheme "://" authority path-abempty [ "?" query ] */
static int
target_absolute(struct slice s, struct http_target *t, const char **why_r)
{
	size_t n = 0;

	t->form = HTTP_FORM_ABSOLUTE;
	t->is_https = target_skip(&s, SLICE("https://"));
	if (!t->is_https && !target_skip(&s, SLICE("http://"))) {
		*why_r = "a target that is neither a path nor an http URI";
		return -EINVAL;
	}
	while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
		n++;
	t->authority = (struct slice){ s.p, n };
	t->path = (struct slice){ s.p + n, s.n - n };
	return target_authority(t, why_r);
}

int
http_target_parse(enum http_verb verb, struct slice target,
    struct http_target *target_r, const char **why_r)
{
	*target_r = (struct http_target){ .form = HTTP_FORM_ORIGIN };
	*why_r = "a byte that a target cannot have";
	if (!http_char_all(target, HTTP_CHAR_TARGET))
		return -EINVAL;
	if (verb == HTTP_VERB_CONNECT) {
		target_r->form = HTTP_FORM_AUTHORITY;
		target_r->authority = target;
		return target_authority(target_r, why_r);
	}
	if (target.p[0] == '/') {
		target_r->path = target;
		return 0;
	}
	if (target.n == 1 && target.p[0] == '*') {
		target_r->form = HTTP_FORM_ASTERISK;
		target_r->path = target;
		*why_r = "the target * with a method other than OPTIONS";
		return verb == HTTP_VERB_OPTIONS ? 0 : -EINVAL;
	}
	return target_absolute(target, target_r, why_r);
}
