/* SPDX-License-Identifier: MIT */
/*
 * address: "127.0.0.1:8080" and "[::1]:8080" as socket addresses and back.
 * Numbers only: a name would have to be resolved, and may name many addresses.
 * Pure.
 */
#ifndef POOLD_ADDRESS_H
#define POOLD_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_BYTES 64 /* "[IPv6]:65535" and NUL */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa;
	socklen_t bytes;
};

/* Parse text; port 0 means any free one. Returns whether it is an address. */
bool address_parse(const char *text, struct address *address_r);

/* Write it as address_parse reads it. Returns out. */
char *address_text(const struct address *address, char out[ADDRESS_TEXT_BYTES]);

/* The port, in host order. */
unsigned address_port(const struct address *address);

#endif
