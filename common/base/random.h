/* SPDX-License-Identifier: MIT */
/*
 * random: the only place that makes random bytes. Unguessable (those of the
 * kernel); a test can seed it to get the same bytes again. For one thread.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_ID_SIZE 33 /* 128 bits in hex, and NUL */

/* Fill n bytes at p. Never fails. */
void random_fill(void *p, size_t n);

/*
 * The same from the kernel alone: also a child that somebody forked, who knows
 * nothing of random_forget, or another thread gets its own. Takes a system
 * call.
 */
void random_fresh(void *p, size_t n);

/* Write an identifier of 128 random bits as 32 hex digits. Returns out. */
char *random_id(char out[RANDOM_ID_SIZE]);

/*
 * In a process that was forked and goes on without exec: use nothing that its
 * parent may use too.
 */
void random_forget(void);

/* Tests only: make all later bytes a function of seed; 0 ends that. */
void random_seed(uint64_t seed);

#endif
