/* SPDX-License-Identifier: MIT */
/* backend_spawn: the making of a backend's process. */
#ifndef POOLD_BACKEND_SPAWN_H
#define POOLD_BACKEND_SPAWN_H

#include "common/base/err.h"

struct backend;

/*
 * Make folder, socket and process for a new run of a backend, whose generation
 * is set, into backend->process, heard by its task. Returns 0 or -errno with
 * *err_r; what its program does comes as events. Waits for the zygote, a second
 * at most.
 */
int backend_spawn(struct backend *backend, struct err *err_r);

/*
 * Replace the process of this run, which ended before it read whose it was to
 * be (so backend->listen_fd is open), by one that is run by exec, on the same
 * socket. Returns 0 or -errno with *err_r.
 */
int backend_respawn(struct backend *backend, struct err *err_r);

#endif
