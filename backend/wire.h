/* SPDX-License-Identifier: MIT */
/*
 * wire: one HTTP/1.1 connection, seen from the task that serves it: heads and
 * bodies in, bytes out with back pressure. A reader that is slow parks the
 * task that writes; one that stands still is given up. Knows no MCP.
 * Source: RFC 9112.
 */
#ifndef BACKEND_WIRE_H
#define BACKEND_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/flow/select.h"
#include "common/http/body.h"
#include "common/http/fault.h"
#include "common/http/scan.h"

#include "backend/inbound.h"

#define WIRE_MAGIC    0x77697265u
#define WIRE_IDLE_MS  (3600 * 1000) /* between two requests */
#define WIRE_HEAD_MS  (30 * 1000)   /* from a head's first byte to its end */
#define WIRE_BODY_MS  (30 * 1000)   /* between two pieces of a body */
#define WIRE_STALL_MS (30 * 1000)   /* a reader that takes no byte */
#define WIRE_DRAIN_MS 1000          /* for a refused body */

#define WIRE_DRAIN_BYTES (1024 * 1024)

/* Of a body, free of account; beyond, all connections share this much. */
#define WIRE_SMALL_BYTES  (64u << 10)
#define WIRE_SHARED_BYTES (64u << 20)

/* Owned by the task that serves it; ended by wire_fini. */
struct wire {
	uint32_t magic;
	int fd;
	struct buf in; /* read, not yet taken; without memory when idle */
	struct http_scan scan;
	struct http_body body;
	size_t n_shared;       /* bytes of its body on the account of all */
	struct select news;    /* what its task waits for while it answers */
	struct select_fd peer; /* in it while the client is watched */
	bool is_eof;           /* the client will send no more */
	bool is_gone;          /* nor read any more */
	bool is_broken;        /* nothing can be sent any more */
};

/* Start on a connected socket (*takes* fd, non-blocking). */
void wire_init(struct wire *wire, int fd);

/* Close it. */
void wire_fini(struct wire *wire);

/* A local that ends itself. */
#define wire_auto __attribute__((cleanup(wire_fini)))

/* Whether bytes of a next request have come already. */
bool wire_has_more(const struct wire *wire);

/*
 * Read the next head. in_r is to be ended with inbound_fini if this returns
 * 1. Returns 1; 0: the client closed between two requests, or the idle time
 * is over; -EBADMSG, -EMSGSIZE: answer fault_r and close; -ETIMEDOUT,
 * -ENOMEM, another -errno: close. Waits.
 */
int wire_read_head(
    struct wire *wire, struct inbound *in_r, struct http_fault *fault_r);

/*
 * Read the body that belongs to in into out (its cap is the limit); answers
 * Expect: 100-continue before. Returns 0; -EMSGSIZE over the limit, -EBADMSG
 * bad framing (answer fault_r and close after both); -EBUSY: too many large
 * bodies come at once (answer that and close); -EPIPE, -ETIMEDOUT, -ENOMEM:
 * close. Waits.
 */
int wire_read_body(struct wire *wire, const struct inbound *in, struct buf *out,
    struct http_fault *fault_r);

/* The body that was read is not in memory any more. */
void wire_forget_body(struct wire *wire);

/*
 * Throw away the body of a refused request, so that the client gets to read
 * the answer; bounded. Returns 0 when the connection can be used again,
 * otherwise close it. Waits.
 */
int wire_drain_body(struct wire *wire, const struct inbound *in);

/*
 * Send all parts in order. Returns 0, -EPIPE (the client is gone) or
 * -ETIMEDOUT (it does not read); the wire is broken then. Waits for a slow
 * reader, never longer than WIRE_STALL_MS without progress.
 */
int wire_send(struct wire *wire, const struct slice *parts, size_t n_parts);

/*
 * From now on wire_wait tells when the client leaves, until wire_unwatch; a
 * client that left already is found at once. What it sends meanwhile is kept.
 * One that only closed its sending side has not left (it still reads); then,
 * and when too much was sent, its leaving shows at the next write. Without
 * memory nothing is watched.
 */
void wire_watch(struct wire *wire);

/*
 * Wait until wire->news is posted. what is a word for a person, as in
 * waitq_wait. Returns 0, -ETIMEDOUT, or -EPIPE: the client left, what this
 * means is the face's. Waits.
 */
int wire_wait(struct wire *wire, const char *what, int64_t deadline_ms);

/* Stop watching; not watching: nothing. */
void wire_unwatch(struct wire *wire);

#endif
