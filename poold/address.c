/* SPDX-License-Identifier: MIT */
/* address: host, colon, port; an IPv6 host in brackets (RFC 3986 3.2.2). */
#include "poold/address.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

/* Split "host:port" or "[host]:port". Returns whether there are both. */
static bool
address_split(const char *text, char *host, size_t host_bytes,
    const char **port_r, bool *is_v6_r)
{
	const char *const colon = strrchr(text, ':');
	size_t n;

	if (!colon)
		return false;
	n = (size_t)(colon - text);
	*port_r = colon + 1;
	*is_v6_r = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	if (*is_v6_r) {
		text++;
		n -= 2;
	}
	if (n == 0 || n >= host_bytes)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	return true;
}

bool
address_parse(const char *text, struct address *address_r)
{
	char host[INET6_ADDRSTRLEN];
	const char *port_text, *fault;
	bool is_v6;

	*address_r = (struct address){ 0 };
	if (!address_split(text, host, sizeof(host), &port_text, &is_v6) ||
	    port_text[0] < '0' || port_text[0] > '9')
		return false;
	const in_port_t port =
	    htons((in_port_t)strtonum(port_text, 0, 65535, &fault));
	if (fault)
		return false;
	if (is_v6) {
		address_r->sa.v6.sin6_family = AF_INET6;
		address_r->sa.v6.sin6_port = port;
		address_r->bytes = sizeof(address_r->sa.v6);
		return inet_pton(AF_INET6, host, &address_r->sa.v6.sin6_addr) ==
		       1;
	}
	address_r->sa.v4.sin_family = AF_INET;
	address_r->sa.v4.sin_port = port;
	address_r->bytes = sizeof(address_r->sa.v4);
	return inet_pton(AF_INET, host, &address_r->sa.v4.sin_addr) == 1;
}

unsigned
address_port(const struct address *address)
{
	return ntohs(address->sa.any.sa_family == AF_INET6
			 ? address->sa.v6.sin6_port
			 : address->sa.v4.sin_port);
}

char *
address_text(const struct address *address, char out[ADDRESS_TEXT_BYTES])
{
	const bool is_v6 = address->sa.any.sa_family == AF_INET6;
	const void *const bytes = is_v6
	                              ? (const void *)&address->sa.v6.sin6_addr
	                              : (const void *)&address->sa.v4.sin_addr;
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(address->sa.any.sa_family, bytes, host, sizeof(host));
	snprintf(out, ADDRESS_TEXT_BYTES, is_v6 ? "[%s]:%u" : "%s:%u", host,
	    address_port(address));
	return out;
}
