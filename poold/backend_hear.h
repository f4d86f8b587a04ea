/* SPDX-License-Identifier: MIT */
/* backend_hear: what the process of a backend says, as events for its task. */
#ifndef POOLD_BACKEND_HEAR_H
#define POOLD_BACKEND_HEAR_H

struct backend;

/* Post an event for everything that is new of its process. Never waits. */
void backend_hear(struct backend *backend);

/* It answered the watchdog, which asks again later. */
void backend_hear_pong(struct backend *backend);

#endif
