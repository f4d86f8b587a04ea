/* SPDX-License-Identifier: MIT */
/*
 * retry: what to do when a backend is lost before it answered. Pure. A run
 * that never gave a response byte is a failed start: it is not tried again for
 * those who meet it, they are told how it ended. Of others a request is never
 * sent twice unless no byte of it was written, or it is idempotent,
 * its body has not been touched, and the backend closed without having read it
 * (an old connection, or one that was never accepted; RFC 9110 9.2.2, RFC 9112
 * 9.3.1). A unix socket tells: a peer that closes with unread bytes gives
 * ECONNRESET, not an end.
 */
#ifndef SWITCHBOARD_RETRY_H
#define SWITCHBOARD_RETRY_H

#include <stdbool.h>

/* What is known when an upstream was lost before a response byte. */
struct retry_lost {
	bool is_idempotent;   /* the method may be repeated */
	bool is_written;      /* a byte of the request was written */
	bool is_body_written; /* a byte of its body was written */
	bool is_unread;    /* the backend has not read all that was written */
	bool was_retried;  /* it is the second loss already */
	bool has_answered; /* this run of the backend ever answered */
};

enum retry {
	RETRY_FRESH, /* send it again on a new connection */
	RETRY_MOURN, /* wait for poold to say how the backend ended */
	RETRY_FAIL,  /* answer 502 */
};

/* Decide about a loss before the first response byte. */
enum retry retry_after_loss(const struct retry_lost *lost);

/* What a failed connect means. */
enum retry_connect {
	RETRY_CONNECT_PAUSE, /* the backlog is full: the same again, later */
	RETRY_CONNECT_ASK,   /* nobody listens: ask poold for another run */
	RETRY_CONNECT_MOURN, /* it never answered: wait for how it ended */
	RETRY_CONNECT_SHORT, /* we are short of something: 503 */
	RETRY_CONNECT_FAIL,  /* answer 502 */
};

/*
 * Decide about a failed connect. error: -errno; n_asked: how often this
 * exchange has asked for another run already; has_answered: whether this run
 * ever answered.
 */
enum retry_connect retry_after_connect(
    int error, unsigned n_asked, bool has_answered);

#endif
