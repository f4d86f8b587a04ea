/* SPDX-License-Identifier: MIT */
/*
 * clock: the only place that reads time, so that a test can replace it.
 * Deadlines are absolute values of clock_now_ms(); CLOCK_NEVER waits for ever.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_NEVER    INT64_C(-1)
#define CLOCK_ISO_SIZE 25 /* "2026-11-24T00:12:09.150Z" and NUL */

/* Monotonic milliseconds (CLOCK_MONOTONIC), or the virtual clock. */
int64_t clock_now_ms(void);

/* Monotonic microseconds, for measuring; never virtual. */
int64_t clock_now_us(void);

/* Wall-clock milliseconds since 1970-01-01 UTC, or the virtual clock. */
int64_t clock_wall_ms(void);

/* now + in_ms as a deadline; a negative in_ms gives CLOCK_NEVER. */
int64_t clock_deadline_ms(int64_t in_ms);

/* Write wall_ms as RFC 3339 UTC with milliseconds. Returns out. */
char *clock_iso(int64_t wall_ms, char out[CLOCK_ISO_SIZE]);

/* Tests only: stop real time and start a virtual clock at start_ms. */
void clock_virtual_start(int64_t start_ms);

/* Tests only: move the virtual clock forward to at_ms (never back). */
void clock_virtual_set(int64_t at_ms);

/* Tests only: return to real time. */
void clock_virtual_stop(void);

/* Whether the virtual clock runs. */
bool clock_is_virtual(void);

#endif
