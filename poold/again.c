/* SPDX-License-Identifier: MIT */
/* again: counts, and policy's pauses. */
#include "poold/again.h"

#include "common/base/clock.h"

#include "poold/policy.h"

void
again_begin(struct again *again)
{
	again->began_ms = clock_now_ms();
}

void
again_fail(struct again *again)
{
	const int64_t now_ms = clock_now_ms();

	if (again->began_ms && now_ms - again->began_ms >= AGAIN_GOOD_MS)
		again->n_failures = 0;
	again->n_failures++;
	again->at_ms = now_ms + policy_pause_ms(again->n_failures,
				    AGAIN_FIRST_MS, AGAIN_MOST_MS);
}

void
again_forget(struct again *again)
{
	again->n_failures = 0;
}

int64_t
again_pause_ms(const struct again *again)
{
	const int64_t left_ms = again->at_ms - clock_now_ms();

	return left_ms > 0 ? left_ms : 0;
}

bool
again_is_prompt(const struct again *again)
{
	return again->n_failures < 2;
}
