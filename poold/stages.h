/* SPDX-License-Identifier: MIT */
/*
 * stages: where the time of a cold start went, from the ask for a backend to
 * its readiness. For showing: nothing is decided by it.
 */
#ifndef POOLD_STAGES_H
#define POOLD_STAGES_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc/proto.h"

/* Microseconds of CLOCK_MONOTONIC, in the order in which they happen. */
struct stages {
	int64_t asked_us;        /* the first who asks for this run */
	int64_t began_us;        /* its turn to start came */
	int64_t ready_us;        /* poold hears that it serves */
	struct proto_ready said; /* in between, by itself; all 0: it cannot */
};

/* How many bytes the longest words need. */
#define STAGES_WORDS_BYTES 192

/*
 * Write them as key=value: asked_us is the moment, the others are spans that
 * follow each other. What the process said is bounded by what poold saw.
 */
void
stages_words(const struct stages *stages, char words_r[STAGES_WORDS_BYTES]);

#endif
