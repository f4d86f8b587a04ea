/* SPDX-License-Identifier: MIT */
/*
 * quantity: durations and sizes as people write them: a number and a unit,
 * "500ms", "10s", "24h"; "64K", "2G", "0". Pure.
 */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#define QUANTITY_BYTES 32 /* a buffer for one */

/* Write ms or bytes in the largest unit that is exact. Returns out. */
char *quantity_duration(int64_t ms, char out[QUANTITY_BYTES]);
char *quantity_size(int64_t bytes, char out[QUANTITY_BYTES]);

/* Parse one. Returns whether it is one that fits. */
bool quantity_duration_of(const char *text, int64_t *ms_r);
bool quantity_size_of(const char *text, int64_t *bytes_r);

#endif
