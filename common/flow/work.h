/* SPDX-License-Identifier: MIT */
/*
 * work: what blocks by nature runs on a helper thread and is waited for like
 * anything else. At most FLOW_WORK_THREADS threads, started on demand, ended
 * after they had nothing to do for a while.
 */
#ifndef FLOW_WORK_H
#define FLOW_WORK_H

#include <stdint.h>

#include "common/flow/here.h"

#define FLOW_WORK_THREADS 4

/* What to run. Copied by the call; name must live for ever. */
struct flow_work_spec {
	const char *name;
	/*
	 * Runs on the helper thread, with the caller's signal mask; touches
	 * nothing of the loop's thread.
	 */
	void *(*fn)(void *arg);
	void *arg;
	/* Ends arg on the loop's thread, exactly once; NULL: nothing to end. */
	void (*dispose)(void *arg);
	/* Ends a value that nobody waits for any more; NULL: nothing. */
	void (*drop)(void *value);
};

/*
 * Run spec->fn(arg) on a helper thread and wait for it. *takes* arg, also when
 * this fails. *value_r is what fn returned, now the caller's. A halted or late
 * waiter leaves at once: fn runs to its end alone and its value goes to drop.
 * Returns 0, -ENOMEM, -EAGAIN (no thread can be made), -ETIMEDOUT. Waits.
 */
int flow_work(
    const struct flow_work_spec *spec, int64_t deadline_ms, void **value_r);

/*
 * Let go of the loop, for flow_close. Threads that still run something that
 * was abandoned go on; they end with the process.
 */
void flow_work_close(void);

#ifndef FLOW_INSIDE
#define flow_work(...) (FLOW_HERE(), flow_work(__VA_ARGS__))
#endif

#endif
