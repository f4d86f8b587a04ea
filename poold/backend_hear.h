/* SPDX-License-Identifier: MIT */
/* backend_hear: what the process of a backend says, as events for its task. */
#ifndef POOLD_BACKEND_HEAR_H
#define POOLD_BACKEND_HEAR_H

#include "poold/process.h"

struct backend;

/* What its process calls, with the backend. */
extern const struct process_calls backend_hear_calls;

/* It answered the watchdog, which asks again later. */
void backend_hear_pong(struct backend *backend);

#endif
