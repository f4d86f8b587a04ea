/* SPDX-License-Identifier: MIT */
/*
 * host: host[:port] as it stands in Host and in a target, checked and
 * normalised, so that one tenant has one spelling. Allocates nothing.
 */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include "common/base/bytes.h"

#define HTTP_HOST_MAX 253

struct http_host {
	char name[HTTP_HOST_MAX + 1]; /* lower case, NUL-ended, no last dot */
	size_t n;                     /* bytes of name; 0 when there is none */
	int port;                     /* as given, -1 when not */
};

/*
 * Check and normalise host [ ":" port ]. Letters become lower case, one dot at
 * the end is dropped, an IPv6 literal keeps its brackets.
 * Returns 0 or -EINVAL; then *why_r (static text) says what was wrong: empty,
 * over 253 bytes, no reg-name or IPv6 literal, an empty label, a bad port,
 * user information.
 * Source: RFC 3986 3.2.2, RFC 9110 7.2.
 */
int http_host_parse(
    struct slice authority, struct http_host *host_r, const char **why_r);

#endif
