/* SPDX-License-Identifier: MIT */
#include "backend/rest.h"

#include <errno.h>
#include <malloc.h>

#include "common/base/clock.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"

static struct {
	struct keeper_duty duty;
	int64_t last_ms; /* when something was done */
} rest;

/* For the keeper, on whose stack this runs. */
static int64_t
rest_look(void *arg)
{
	if (clock_now_ms() < rest.last_ms + REST_AFTER_MS)
		return rest.last_ms + REST_AFTER_MS;
	malloc_trim(0);
	flow_rest();
	flow_trim();
	return CLOCK_NEVER;
}

void
rest_start(struct keeper *keeper)
{
	keeper_join(keeper, &rest.duty, rest_look, NULL);
	rest_later();
}

void
rest_stop(void)
{
	keeper_leave(&rest.duty);
}

void
rest_later(void)
{
	rest.last_ms = clock_now_ms();
	keeper_at(&rest.duty, rest.last_ms + REST_AFTER_MS);
}

int
rest_wait_fd(int fd, unsigned events, int64_t deadline_ms)
{
	const int64_t soon_ms = clock_deadline_ms(REST_AFTER_MS);

	if (deadline_ms == CLOCK_NEVER || deadline_ms > soon_ms) {
		const int rc = flow_wait_fd(fd, events, soon_ms);

		if (rc != -ETIMEDOUT)
			return rc;
		flow_trim();
	}
	return flow_wait_fd(fd, events, deadline_ms);
}
