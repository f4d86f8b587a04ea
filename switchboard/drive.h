/* SPDX-License-Identifier: MIT */
/*
 * drive: what happens to an exchange when one of its sockets or times says
 * something. Called by the client that owns the downstream socket, and by the
 * loop for the upstream.
 */
#ifndef SWITCHBOARD_DRIVE_H
#define SWITCHBOARD_DRIVE_H

#include "switchboard/exchange.h"

/* Connect the files of the exchange with each other: once, at the start. */
void drive_open(void);

/*
 * Start on a request that was read. It may be ended when this returns.
 * Returns it, owned by itself until on_end, or NULL: no memory.
 */
struct exchange *drive_start(const struct http_request *req,
    struct jack *client, struct slice peer,
    void (*on_end)(enum exchange_end end, void *arg), void *arg);

/* The client's input grew, or it takes output again. */
void drive_client(struct exchange *x);

/* The client has sent its last byte: it is gone, or ends its half. */
void drive_client_eof(struct exchange *x);

/* The client is lost. x is ended when this returns. */
void drive_client_lost(struct exchange *x);

/* The client's deadline is over. */
void drive_client_due(struct exchange *x);

#endif
