/* SPDX-License-Identifier: MIT */
/*
 * answer: the way of a response to its client: heads checked and written
 * anew, the body relayed, the end decided. A backend is not trusted: what it
 * sends must be HTTP and as long as it said.
 */
#ifndef SWITCHBOARD_ANSWER_H
#define SWITCHBOARD_ANSWER_H

#include "switchboard/exchange.h"

/*
 * Take what the upstream has sent, write what the client takes. The exchange
 * may be ended when this returns. Call it while ASKING or ANSWERING.
 */
void answer_pump(struct exchange *x);

/* The upstream has ended or was reset (is_reset) and its input is taken. */
void answer_eof(struct exchange *x, bool is_reset);

/* Move a tunnel's bytes both ways; it may be ended when this returns. */
void answer_pump_tunnel(struct exchange *x);

/*
 * The switchboard quits: end an event stream as if its backend had, refuse or
 * cut everything else. x is ended when this returns.
 */
void answer_quit(struct exchange *x);

#endif
