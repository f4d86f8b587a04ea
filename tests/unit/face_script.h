/* SPDX-License-Identifier: MIT */
/*
 * face_script: for the tests of faces: one POST on a connection of its own, as
 * the switchboard would pass it on, of which one allocation can be refused.
 */
#ifndef UNIT_FACE_SCRIPT_H
#define UNIT_FACE_SCRIPT_H

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"

#include "backend/reply.h"
#include "backend/rpc.h"

#include "tests/unit/session_script.h"

struct backend;

/* For jansson: what it keeps for good is no leak of ours. */
__attribute__((unused)) static void *
refusable_malloc(size_t n)
{
	if (!mem_pool_get())
		return NULL;
	mem_pool_put();
	return malloc(n);
}

/* A request's head with these fields, as a connection keeps it. */
static void
keep_head(struct inbound *in, const char *fields)
{
	static struct http_request req;
	struct http_scan scan;
	char head[1024];

	snprintf(head, sizeof(head),
	    "POST /mcp?x=1 HTTP/1.1\r\nHost: acme.localhost\r\n%s\r\n", fields);
	http_scan_init(&scan, HTTP_KIND_REQUEST);
	must(http_read_request(&scan, slice_of(head), &req, NULL) == 1);
	must(inbound_keep(in, &req, slice_of(head)) == 0);
	/* It is its own from here on. */
	memset(head, 'x', sizeof(head));
}

/*
 * Have post serve a message (*borrowed*); the refuse-th allocation fails.
 * Returns all that the client reads, *borrowed* until the next call; "" where
 * the connection was closed without an answer.
 */
__attribute__((unused)) static const char *
post_to(int (*post)(struct backend *backend, struct reply *reply,
	    enum rpc_kind kind, json_t *message),
    struct backend *backend, const char *fields, json_t *message, size_t refuse)
{
	static char text[16384];
	inbound_auto struct inbound in = { 0 };
	struct wire wire;
	struct reply reply = { .wire = &wire, .in = &in };
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	wire_init(&wire, pair[0]);
	keep_head(&in, fields);
	mem_fail_at(refuse);
	(void)post(backend, &reply, RPC_KIND_REQUEST, message);
	mem_fail_at(0);
	wire_fini(&wire);
	const ssize_t n = recv(pair[1], text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	close(pair[1]);
	return text;
}

#endif
