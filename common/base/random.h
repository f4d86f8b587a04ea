/* SPDX-License-Identifier: MIT */
/*
 * random: the only place that makes random bytes. Unguessable (arc4random of
 * libbsd); a test can seed it to get the same bytes again.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_ID_SIZE 33 /* 128 bits in hex, and NUL */

/* Fill n bytes at p. Never fails. */
void random_fill(void *p, size_t n);

/* Write an identifier of 128 random bits as 32 hex digits. Returns out. */
char *random_id(char out[RANDOM_ID_SIZE]);

/* Tests only: make all later bytes a function of seed; 0 ends that. */
void random_seed(uint64_t seed);

#endif
