/* SPDX-License-Identifier: MIT */
/*
 * stack: memory for the stacks of tasks. Stacks of one size come from slabs
 * and are used again; each has a guard at its low end. On kernels without
 * MADV_GUARD_INSTALL (before 6.13) a guard costs two mappings, so only the
 * first STACK_MPROTECT_MAX stacks get one; the lowest word of the others is
 * checked whenever their task parks.
 */
#ifndef FLOW_STACK_H
#define FLOW_STACK_H

#include <stdbool.h>
#include <stddef.h>

#define STACK_MPROTECT_MAX 20000

/* One stack; *borrowed* from its pool between stack_get and stack_put. */
struct stack {
	char *base;        /* lowest address, guard included */
	size_t bytes;      /* guard included */
	bool has_guard;    /* false: stack_check looks at the lowest word */
	bool is_looked_at; /* a guard was tried: it was used before */
	unsigned valgrind_id;
	struct stack *next_free;
};

/*
 * Take a stack of at least bytes usable bytes (rounded up to pages, the guard
 * is added). Returns NULL when memory is short.
 */
struct stack *stack_get(size_t bytes);

/* Give a stack back and set *s to NULL. Nothing may run on it. */
void stack_put(struct stack **s);

/* The address behind its highest byte. */
char *stack_top(const struct stack *s);

/* For a stack without a guard: whether it did not grow over its end. */
bool stack_check(const struct stack *s);

/* Give the whole pages below sp back to the kernel. */
void stack_trim(const struct stack *s, const void *sp);

/*
 * Tests only: guard stacks by MADV_GUARD_INSTALL or as a kernel without it
 * would, and by mprotect at most n_mprotect of them. Call it while there is no
 * slab. stack_close returns to what is usual.
 */
void stack_guard_by(bool uses_advice, size_t n_mprotect);

/* Unmap every slab; all stacks must have been put back. */
void stack_close(void);

#endif
