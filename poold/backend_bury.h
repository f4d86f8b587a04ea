/* SPDX-License-Identifier: MIT */
/* backend_bury: the end of a run: nothing of it is left behind. */
#ifndef POOLD_BACKEND_BURY_H
#define POOLD_BACKEND_BURY_H

struct backend;

/*
 * It was reaped, or there was none: tell the switchboard, end what it left
 * behind before the next run may start. Waits, stop_timeout at most.
 */
void backend_bury(struct backend *backend);

#endif
