/* SPDX-License-Identifier: MIT */
/* sleep: waiting for time and for descriptors. */
#ifndef FLOW_SLEEP_H
#define FLOW_SLEEP_H

#include <stdint.h>

#include "common/flow/here.h"
#include "common/loop/loop.h"

/* Wait for ms milliseconds; 0 lets the loop turn once. Waits. */
void flow_sleep(int64_t ms);

/*
 * Wait until fd is ready for one of events (LOOP_READ | LOOP_WRITE). Returns
 * the events that are ready (> 0), -ETIMEDOUT, or -errno when fd cannot be
 * watched (EPERM: a plain file; EBADF; ENOMEM). One waiter a descriptor and
 * direction; fd is *borrowed*. Waits.
 */
int flow_wait_fd(int fd, unsigned events, int64_t deadline_ms);

#ifndef FLOW_INSIDE
#define flow_sleep(...)   (FLOW_HERE(), flow_sleep(__VA_ARGS__))
#define flow_wait_fd(...) (FLOW_HERE(), flow_wait_fd(__VA_ARGS__))
#endif

#endif
