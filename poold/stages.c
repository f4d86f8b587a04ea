/* SPDX-License-Identifier: MIT */
/*
 * stages: queue (for a turn to start), fork (folder, socket, process: until it
 * was told its tenant), isolate, load, ready (what is left until poold knows).
 * A command says nothing: all behind the queue is its start.
 */
#include "poold/stages.h"

#include <inttypes.h>
#include <stdio.h>

/* The span up to a moment, which begins the next one. */
static int64_t
stages_span(int64_t *at_us, int64_t until_us, int64_t end_us)
{
	const int64_t from_us = *at_us;

	if (until_us > end_us)
		until_us = end_us;
	if (until_us < from_us)
		until_us = from_us;
	*at_us = until_us;
	return until_us - from_us;
}

void
stages_words(const struct stages *stages, char words_r[STAGES_WORDS_BYTES])
{
	const struct proto_ready *const said = &stages->said;
	const int64_t end_us = stages->ready_us;
	int64_t at_us = stages->asked_us;
	const int64_t queue_us = stages_span(&at_us, stages->began_us, end_us);

	if (!said->told_us) {
		snprintf(words_r, STAGES_WORDS_BYTES,
		    "asked_us=%" PRId64 " queue_us=%" PRId64
		    " start_us=%" PRId64,
		    stages->asked_us, queue_us,
		    stages_span(&at_us, end_us, end_us));
		return;
	}
	const int64_t fork_us = stages_span(&at_us, said->told_us, end_us);
	const int64_t isolate_us =
	    stages_span(&at_us, said->confined_us, end_us);
	const int64_t load_us = stages_span(&at_us, said->loaded_us, end_us);
	snprintf(words_r, STAGES_WORDS_BYTES,
	    "asked_us=%" PRId64 " queue_us=%" PRId64 " fork_us=%" PRId64
	    " isolate_us=%" PRId64 " load_us=%" PRId64 " ready_us=%" PRId64,
	    stages->asked_us, queue_us, fork_us, isolate_us, load_us,
	    stages_span(&at_us, end_us, end_us));
}
