/* SPDX-License-Identifier: MIT */
/*
 * refuse: ends an exchange that cannot go well. While nothing of a response
 * has gone to the client it gets an answer of our own; later the only honest
 * thing is to end its connection so that it sees that something is missing.
 */
#ifndef SWITCHBOARD_REFUSE_H
#define SWITCHBOARD_REFUSE_H

#include "switchboard/exchange.h"
#include "switchboard/fault.h"

/*
 * End the exchange with this fault; text (may be NULL or "") says more than
 * the row. x is ended when this returns.
 */
void refuse(struct exchange *x, enum fault fault, const char *text);

/* The same with seconds for Retry-After (0: the row's). */
void refuse_later(struct exchange *x, enum fault fault, const char *text,
    unsigned retry_after_s);

#endif
