/* SPDX-License-Identifier: MIT */
/* birth: a time a step. */
#include "backend/birth.h"

#include "common/base/clock.h"
#include "common/base/must.h"

static int64_t birth_us[BIRTH_N];

void
birth_mark(enum birth step)
{
	must(step < BIRTH_N);
	birth_us[step] = clock_now_us();
}

int64_t
birth_at_us(enum birth step)
{
	must(step < BIRTH_N);
	return birth_us[step];
}
