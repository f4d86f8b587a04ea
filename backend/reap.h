/* SPDX-License-Identifier: MIT */
/*
 * reap: the first process of a PID namespace gets the orphans of all others
 * and must take their status, or they stay as zombies. What a tool started
 * itself is the tool's to wait for, and nobody tells the two apart. So while
 * a tool runs a zombie is left alone for REAP_GRACE_MS; without one it is
 * taken at once. Children that a helper thread started are its own.
 */
#ifndef BACKEND_REAP_H
#define BACKEND_REAP_H

#include "backend/keeper.h"
#include "backend/registry.h"

#define REAP_GRACE_MS 2000

/*
 * Begin, if this is the first process of a namespace; otherwise nothing. Both
 * are *borrowed* until reap_stop. Returns 0 or -errno.
 */
int reap_start(struct keeper *keeper, const struct registry *registry);

/* End; not begun: nothing. */
void reap_stop(void);

#endif
