/* SPDX-License-Identifier: MIT */
/* clock: real time, or a virtual one under test. */
#include "common/base/clock.h"

#include <stdio.h>
#include <time.h>

#include "common/base/must.h"

static bool virtual_on;
static int64_t virtual_ms;

static int64_t
clock_read(clockid_t id, int64_t per_second)
{
	struct timespec ts;

	must(clock_gettime(id, &ts) == 0);
	return ts.tv_sec * per_second + ts.tv_nsec / (1000000000 / per_second);
}

int64_t
clock_now_ms(void)
{
	return virtual_on ? virtual_ms : clock_read(CLOCK_MONOTONIC, 1000);
}

int64_t
clock_now_us(void)
{
	return clock_read(CLOCK_MONOTONIC, 1000000);
}

int64_t
clock_wall_ms(void)
{
	return virtual_on ? virtual_ms : clock_read(CLOCK_REALTIME, 1000);
}

int64_t
clock_deadline_ms(int64_t in_ms)
{
	return in_ms < 0 ? CLOCK_NEVER : clock_now_ms() + in_ms;
}

char *
clock_iso(int64_t wall_ms, char out[CLOCK_ISO_SIZE])
{
	const time_t s = wall_ms / 1000;
	struct tm tm;
	char day[CLOCK_ISO_SIZE];

	must(gmtime_r(&s, &tm) != NULL);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, CLOCK_ISO_SIZE, "%.19s.%03uZ", day,
	    (unsigned)(wall_ms % 1000));
	return out;
}

void
clock_virtual_start(int64_t start_ms)
{
	virtual_on = true;
	virtual_ms = start_ms;
}

void
clock_virtual_set(int64_t at_ms)
{
	must(virtual_on);
	if (at_ms > virtual_ms)
		virtual_ms = at_ms;
}

void
clock_virtual_stop(void)
{
	virtual_on = false;
}

bool
clock_is_virtual(void)
{
	return virtual_on;
}
