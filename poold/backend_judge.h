/* SPDX-License-Identifier: MIT */
/* backend_judge: why a run ended, in words, and whether it counts as a failure.
 */
#ifndef POOLD_BACKEND_JUDGE_H
#define POOLD_BACKEND_JUDGE_H

#include "poold/life.h"
#include "poold/policy.h"

struct backend;

/* Why a run ends is the first thing that made poold end it. */
void backend_judge_cause(struct backend *backend, enum life_event event);

/*
 * How this run ended, into words. What the backend said itself comes first; an
 * end that poold wanted needs no last words.
 */
void backend_judge_words(struct backend *backend);

/* How its failed starts are spaced. */
struct policy_pace backend_judge_pace(const struct backend *backend);

/*
 * Whether the end that was posted is a failure. Nothing is remembered beyond
 * the end of poold, which waits until each backend is gone.
 */
enum life_event backend_judge_end(const struct backend *backend);

#endif
