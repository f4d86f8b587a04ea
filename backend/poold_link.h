/* SPDX-License-Identifier: MIT */
/*
 * poold_link: this backend's end of the channel to poold: says that it is
 * ready or cannot start, and how many sessions hold it; notices that poold is
 * gone. The keeper's task reads it. Without HOLDLINE_CHANNEL in the environment
 * it does nothing, so that a backend runs alone, for tests.
 */
#ifndef BACKEND_POOLD_LINK_H
#define BACKEND_POOLD_LINK_H

#include "backend/keeper.h"

struct poold_link;

/*
 * Open the channel that the environment names, and take it out of the
 * environment. keeper (*borrowed* until poold_link_close) hears poold, and is
 * stopped when that has gone. *link_r is
 * *new* (poold_link_close), NULL without a channel. Returns 0 or -errno.
 */
int poold_link_open(struct keeper *keeper, struct poold_link **link_r);

/* Close *link and set it to NULL; NULL is allowed. */
void poold_link_close(struct poold_link **link);

/* Say that requests can be answered. link NULL: nothing, as below. */
void poold_link_ready(struct poold_link *link);

/* Say why this backend cannot start. It exits after this. */
void poold_link_failed(struct poold_link *link, const char *text);

/* Say how many sessions could not come back if this backend ended. */
void poold_link_sessions(struct poold_link *link, unsigned n_sessions);

#endif
