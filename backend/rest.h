/* SPDX-License-Identifier: MIT */
/*
 * rest: a backend that nobody asks anything gives back the memory that it
 * does not need while it waits: free memory of malloc, free stacks. Of a
 * thousand tenants most wait most of the time.
 */
#ifndef BACKEND_REST_H
#define BACKEND_REST_H

#include <stdint.h>

#include "backend/keeper.h"

#define REST_AFTER_MS 1000

/* Begin; keeper is *borrowed* until rest_stop. */
void rest_start(struct keeper *keeper);

/* End; not begun: nothing. */
void rest_stop(void);

/* Something was done just now: rest REST_AFTER_MS after the last time. */
void rest_later(void);

/*
 * flow_wait_fd, for a wait that may be long: after REST_AFTER_MS it goes on
 * with one page of stack. Waits.
 */
int rest_wait_fd(int fd, unsigned events, int64_t deadline_ms);

#endif
