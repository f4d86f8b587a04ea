/* SPDX-License-Identifier: MIT */
/*
 * combine: several tasks, one result. Each call opens a scope, starts a task
 * for each spec in order, and returns only after all of them, the halted ones
 * too, have been torn down. Takes every spec's arg as task_spec says, also
 * when it fails. A halt of the caller halts the members, last first.
 */
#ifndef FLOW_COMBINE_H
#define FLOW_COMBINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/flow/here.h"
#include "common/flow/task.h"

/* How one member of flow_settle ended. */
struct flow_settled {
	int code; /* 0, or its -errno; -ECANCELED when it was halted */
	void *value;
	struct err err;
};

/*
 * The first to end wins; the others are halted, all at once. Returns 0 with
 * *value_r and *winner_r (each may be NULL), or the error of the first to end
 * when it failed, or an error of a loser's teardown. n = 0 is -EINVAL. Waits.
 */
int flow_race(const struct task_spec *specs, size_t n, size_t *winner_r,
    void **value_r, struct err *err_r);

/*
 * All must return: values_r[i] (values_r may be NULL) is what specs[i]
 * returned. The first error halts the rest and is returned. n = 0 returns 0 at
 * once. Waits.
 */
int flow_all(const struct task_spec *specs, size_t n, void **values_r,
    struct err *err_r);

/*
 * Every outcome, nobody halted: settled_r[i] for specs[i]. Returns 0, or
 * -ENOMEM, or an error of a teardown. Waits.
 */
int flow_settle(const struct task_spec *specs, size_t n,
    struct flow_settled *settled_r, struct err *err_r);

/*
 * One task with a deadline. Returns as task_await, or -ETIMEDOUT after it was
 * halted and torn down. Waits.
 */
int flow_timeout(const struct task_spec *spec, int64_t deadline_ms,
    void **value_r, struct err *err_r);

#ifndef FLOW_INSIDE
#define flow_race(...)    (FLOW_HERE(), flow_race(__VA_ARGS__))
#define flow_all(...)     (FLOW_HERE(), flow_all(__VA_ARGS__))
#define flow_settle(...)  (FLOW_HERE(), flow_settle(__VA_ARGS__))
#define flow_timeout(...) (FLOW_HERE(), flow_timeout(__VA_ARGS__))
#endif

#endif
