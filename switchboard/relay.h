/* SPDX-License-Identifier: MIT */
/*
 * relay: one direction of a body, from a source buffer through a decoder and
 * an encoder into a sink buffer. It moves what fits and stops; whoever reads
 * into the source stops when the source is full, so that a stalled sink holds
 * two buffers and nothing more. No I/O.
 */
#ifndef SWITCHBOARD_RELAY_H
#define SWITCHBOARD_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/http/body.h"

enum relay_state {
	RELAY_BODY, /* data may still come */
	RELAY_END,  /* all data was moved; the end mark is to be written */
	RELAY_DONE, /* the sink has everything */
};

/* Embedded in an exchange. */
struct relay {
	enum relay_state state;
	enum http_delim to; /* the framing of the sink */
	struct http_body body;
};

/*
 * Start on a body. kind: of the message it belongs to; from: how it comes;
 * to: how it goes on. A body until close may be passed on for requests too
 * (tunnels). Returns 0, or -EMSGSIZE with *fault_r.
 */
int
relay_start(struct relay *r, enum http_kind kind, const struct http_frame *from,
    enum http_delim to, struct http_fault *fault_r);

/*
 * Move as much from src to dst (which is lent a block if it needs one) as
 * fits. Returns 1 when the sink has all, 0 when input or room is missing,
 * -EBADMSG or -EMSGSIZE with *fault_r (never end the sink's body then),
 * -ENOMEM.
 */
int relay_pump(struct relay *r, struct buf *src, struct buf *dst,
    struct http_fault *fault_r);

/*
 * The source has ended and its buffer is empty. Returns 0 when the body is
 * whole (pump once more), or -EPIPE: it was cut short.
 */
int relay_eof(struct relay *r);

/* Whether a pump could do more now if there is room in the sink. */
bool relay_can_go_on(const struct relay *r, const struct buf *src);

/* Whether all data of the body has been taken from the source. */
bool relay_is_whole(const struct relay *r);

/* Whether more input is wanted from the source. */
bool relay_wants(const struct relay *r);

#endif
