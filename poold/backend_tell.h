/* SPDX-License-Identifier: MIT */
/* backend_tell: a change of state, told to the log and to those who read
 * events. */
#ifndef POOLD_BACKEND_TELL_H
#define POOLD_BACKEND_TELL_H

#include "poold/life.h"

struct backend;

/* Its state was old until event came. Never waits. */
void backend_tell(
    const struct backend *backend, enum life_state old, enum life_event event);

#endif
