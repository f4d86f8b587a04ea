/* SPDX-License-Identifier: MIT */
#include "backend/keeper.h"

#include "common/base/clock.h"
#include "common/base/must.h"

#define KEEPER_LOOKS INT64_MIN /* in place of a time: sooner than any */

/* Whether a comes before b. */
static bool
keeper_is_sooner(int64_t a_ms, int64_t b_ms)
{
	return a_ms != CLOCK_NEVER && (b_ms == CLOCK_NEVER || a_ms < b_ms);
}

void
keeper_init(struct keeper *keeper)
{
	*keeper = (struct keeper){ .at_ms = CLOCK_NEVER };
	TAILQ_INIT(&keeper->duties);
	select_init(&keeper->select);
}

void
keeper_join(struct keeper *keeper, struct keeper_duty *duty,
    int64_t (*look)(void *arg), void *arg)
{
	must(!duty->keeper);
	*duty = (struct keeper_duty){
		.keeper = keeper, .look = look, .arg = arg, .at_ms = CLOCK_NEVER
	};
	TAILQ_INSERT_TAIL(&keeper->duties, duty, link);
}

void
keeper_leave(struct keeper_duty *duty)
{
	if (!duty->keeper)
		return;
	must(duty->keeper->at_ms != KEEPER_LOOKS);
	TAILQ_REMOVE(&duty->keeper->duties, duty, link);
	duty->keeper = NULL;
}

void
keeper_at(struct keeper_duty *duty, int64_t at_ms)
{
	struct keeper *const keeper = duty->keeper;

	if (!keeper || !keeper_is_sooner(at_ms, duty->at_ms))
		return;
	duty->at_ms = at_ms;
	if (keeper_is_sooner(at_ms, keeper->at_ms))
		select_post(&keeper->select);
}

/* Do what is due by now. */
static void
keeper_look(struct keeper *keeper, int64_t now_ms)
{
	struct keeper_duty *duty;

	TAILQ_FOREACH (duty, &keeper->duties, link) {
		if (duty->at_ms == CLOCK_NEVER || duty->at_ms > now_ms)
			continue;
		duty->at_ms = CLOCK_NEVER;
		const int64_t next_ms = duty->look(duty->arg);
		must(next_ms == CLOCK_NEVER || next_ms > now_ms);
		keeper_at(duty, next_ms);
	}
}

/* When there is something to do next. */
static int64_t
keeper_next_ms(const struct keeper *keeper)
{
	int64_t next_ms = CLOCK_NEVER;
	const struct keeper_duty *duty;

	TAILQ_FOREACH (duty, &keeper->duties, link)
		if (keeper_is_sooner(duty->at_ms, next_ms))
			next_ms = duty->at_ms;
	return next_ms;
}

static void
keeper_tell(const struct keeper_ear *ear, int events)
{
	ear->hear(events, ear->arg);
}

void
keeper_run(struct keeper *keeper)
{
	struct select_fd *ready;

	while (!keeper->is_over) {
		keeper->at_ms = KEEPER_LOOKS;
		keeper_look(keeper, clock_now_ms());
		keeper->at_ms = keeper_next_ms(keeper);
		const int events = select_next(
		    &keeper->select, "what falls due", keeper->at_ms, &ready);
		if (events > 0)
			keeper_tell(ready->arg, events);
	}
}

void
keeper_stop(struct keeper *keeper)
{
	keeper->is_over = true;
	select_post(&keeper->select);
}
