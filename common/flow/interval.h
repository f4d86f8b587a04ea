/* SPDX-License-Identifier: MIT */
/*
 * interval: ticks at a fixed period. Ticks that come while the consumer is
 * busy are kept (as a count). Embedded, also on the consumer's stack.
 */
#ifndef FLOW_INTERVAL_H
#define FLOW_INTERVAL_H

#include <stdint.h>

#include "common/flow/here.h"
#include "common/flow/wait.h"
#include "common/loop/loop.h"

struct flow_interval {
	struct loop_timer timer;
	struct waitq waiters;
	int64_t period_ms; /* 0: stopped */
	int64_t started_ms;
	uint64_t n_ticked; /* since the start */
	uint64_t n_taken;
};

/* Start ticking every period_ms (> 0), first after one period. */
void flow_interval_start(struct flow_interval *i, int64_t period_ms);

/* Stop; its timer is free at once. Zeroed or stopped already: nothing. */
void flow_interval_stop(struct flow_interval *i);

/* A local interval that stops by itself. */
#define flow_interval_auto __attribute__((cleanup(flow_interval_stop)))

/* Wait for the next tick that was not taken yet; its number from 1. Waits. */
uint64_t flow_interval_next(struct flow_interval *i);

#ifndef FLOW_INSIDE
#define flow_interval_next(...) (FLOW_HERE(), flow_interval_next(__VA_ARGS__))
#endif

#endif
