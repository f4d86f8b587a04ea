/* SPDX-License-Identifier: MIT */
/*
 * host: RFC 3986 3.2.2
 *	host = IP-literal / IPv4address / reg-name
 *	IP-literal = "[" ( IPv6address / IPvFuture ) "]"
 *	reg-name = *( unreserved / pct-encoded / sub-delims )
 * Stricter than that: no IPvFuture (there is none), no empty label.
 */
#include "common/http/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/http/char.h"

#define HOST_PORT_DIGITS 5
#define HOST_PORT_MAX    65535

/* port = *DIGIT, with its colon or empty. Returns a sentence when bad. */
static const char *
host_port(struct slice s, int *port_r)
{
	int port = 0;

	*port_r = -1;
	if (!s.n)
		return NULL;
	if (s.p[0] != ':')
		return "bytes after the IP literal of a host";
	for (size_t i = 1; i < s.n; i++) {
		if (!http_char_is(s.p[i], HTTP_CHAR_DIGIT) ||
		    i > HOST_PORT_DIGITS)
			return "a port that is no number up to 65535";
		port = port * 10 + (s.p[i] - '0');
	}
	if (port > HOST_PORT_MAX)
		return "a port that is no number up to 65535";
	if (s.n > 1)
		*port_r = port;
	return NULL;
}

/* The address between brackets. */
static bool
host_is_ipv6(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (slice_copy(s, text, sizeof(text)) < 0 || strlen(text) != s.n)
		return false;
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* Returns a sentence when s is no reg-name that can name a host. */
static const char *
host_reg_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (c == '.' && (i == 0 || s.p[i - 1] == '.'))
			return "a host name with an empty label";
		if (http_char_is(c, HTTP_CHAR_REGNAME))
			continue;
		if (c != '%')
			return c == '@' ? "user information before the host"
			                : "a byte that no host name has";
		if (i + 2 >= s.n || !http_char_is(s.p[i + 1], HTTP_CHAR_HEX) ||
		    !http_char_is(s.p[i + 2], HTTP_CHAR_HEX))
			return "a broken percent-encoding in the host";
	}
	return NULL;
}

/* Cut the authority into host and the rest, checking the host. */
static const char *
host_split(struct slice s, struct slice *name_r, struct slice *rest_r)
{
	const bool is_literal = s.n && s.p[0] == '[';
	const char *const end =
	    s.n ? memchr(s.p, is_literal ? ']' : ':', s.n) : NULL;

	if (is_literal && !end)
		return "an IP literal without its bracket";
	const size_t n = end ? (size_t)(end - s.p) + is_literal : s.n;

	*name_r = (struct slice){ s.p, n };
	*rest_r = (struct slice){ s.p + n, s.n - n };
	if (!n)
		return "an empty host";
	if (n > HTTP_HOST_MAX)
		return "a host of more than 253 bytes";
	if (!is_literal)
		return host_reg_name(*name_r);
	if (!host_is_ipv6((struct slice){ s.p + 1, n - 2 }))
		return "an IP literal that is no IPv6 address";
	return NULL;
}

int
http_host_parse(
    struct slice authority, struct http_host *host_r, const char **why_r)
{
	struct slice name;
	struct slice rest;

	host_r->n = 0;
	host_r->name[0] = '\0';
	host_r->port = -1;
	*why_r = host_split(authority, &name, &rest);
	if (!*why_r)
		*why_r = host_port(rest, &host_r->port);
	if (*why_r)
		return -EINVAL;
	/* "a." and "a" are one name (RFC 1034 3.1). */
	if (name.p[name.n - 1] == '.')
		name.n--;
	for (size_t i = 0; i < name.n; i++)
		host_r->name[i] = http_char_lower(name.p[i]);
	host_r->name[name.n] = '\0';
	host_r->n = name.n;
	return 0;
}
