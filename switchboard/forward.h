/* SPDX-License-Identifier: MIT */
/*
 * forward: the way of a request to its backend: written anew, the route
 * awaited, connected, sent, and sent again when that is harmless. Whatever
 * goes wrong ends the exchange with an answer of our own.
 */
#ifndef SWITCHBOARD_FORWARD_H
#define SWITCHBOARD_FORWARD_H

#include "switchboard/exchange.h"

/* How an exchange hears of its upstream and of its route's READY. */
struct forward_events {
	void (*on_ready)(unsigned events, void *arg);
	void (*on_due)(void *arg);
	void (*on_connected)(struct exchange *x);
};

/* Name the functions that drive exchanges (*borrowed* for ever). */
void forward_open(const struct forward_events *events);

/*
 * Write the request anew and start its way. req is *borrowed* for the call;
 * its head may be dropped from the client's buffer afterwards. on_connected
 * or the end of the exchange follows, maybe before this returns.
 */
void forward_start(struct exchange *x, const struct http_request *req);

/* Whether poold has not said yet what became of the start of its backend. */
bool forward_awaits_start(const struct exchange *x);

/*
 * Send on the client's body and what is unsent. A backend that takes no more
 * is no error here: it may have answered already. Returns 0, or -errno with
 * *fault_r: the client's body is broken.
 */
int forward_pump(struct exchange *x, struct http_fault *fault_r);

/*
 * The upstream was lost before a whole response head came, by a reset or by
 * its end.
 */
void forward_lost(struct exchange *x, bool is_reset);

#endif
