/* SPDX-License-Identifier: MIT */
/* backend_act: what life.c says is to be done with a backend. */
#ifndef POOLD_BACKEND_ACT_H
#define POOLD_BACKEND_ACT_H

#include "poold/life.h"

struct backend;

/* Do it. Waits for a turn to start, for the zygote, for what a run left. */
void backend_act(struct backend *backend, enum life_action action);

#endif
