/* SPDX-License-Identifier: MIT */
/*
 * serve: the listening socket and the connections that come from it, one task
 * each. Bounded in number. When the process ends, connections between two
 * requests close at once, the others behind the reply that they are at.
 */
#ifndef BACKEND_SERVE_H
#define BACKEND_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"

#define SERVE_CONNECTIONS_MAX 20000

struct serve;

/*
 * Accept on fd (*takes* it) from now on, in the current scope of the calling
 * task. backend is *borrowed* while the scope lives. *serve_r is *new*
 * (serve_free). Returns 0 or -errno; fd is closed then.
 */
int serve_start_take(struct backend *backend, int fd, struct serve **serve_r);

/* Whether every connection is between two requests, if there is any. */
bool serve_is_idle(const struct serve *serve);

/*
 * Accept no more, let connections come to their end, and wait until all have
 * or deadline_ms. Waits.
 */
void serve_drain(struct serve *serve, int64_t deadline_ms);

/* Make serve_drain wait no longer. Never waits. */
void serve_hurry(struct serve *serve);

/* Free *serve; no connection may be left; NULL is allowed. */
void serve_free(struct serve **serve);

#endif
