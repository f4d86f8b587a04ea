/* SPDX-License-Identifier: MIT */
/*
 * stack: memory for tasks: a stack each, with room for the task's record at
 * its top. Stacks of one size come from slabs and are used again; each has a
 * guard at its low end. On kernels without MADV_GUARD_INSTALL (before 6.13) a
 * guard costs two mappings, so only the first STACK_MPROTECT_MAX stacks get
 * one; the lowest word of the others is checked whenever their task parks.
 *
 *   base  | guard page | … grows down … | record | colour |  end of the slot
 *                                       ^ stack_top
 */
#ifndef FLOW_STACK_H
#define FLOW_STACK_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_MPROTECT_MAX 20000
#define STACK_BYTES_MAX    (128u << 20)
#define STACK_LINE         64 /* of the caches */
#define STACK_RECORD_BYTES (6 * STACK_LINE)

struct slab;

/* One stack; *borrowed* from its pool between stack_get and stack_put. */
struct stack {
	TAILQ_ENTRY(stack) link; /* free, or over and still held */
	struct slab *slab;
	unsigned valgrind_id;
	uint8_t number;    /* in its slab */
	bool has_guard;    /* false: stack_check looks at the lowest word */
	bool is_looked_at; /* a guard was tried: it was used before */
	bool is_over;      /* only its record is in use */
};

/*
 * Take a stack of at least bytes, record included (rounded up to a power of
 * two pages; the guard is added). Returns NULL when memory is short, and for
 * more than STACK_BYTES_MAX.
 */
struct stack *stack_get(size_t bytes);

/* Give a stack and its record back. Nothing may run on it. */
void stack_put(struct stack *s);

/*
 * Nothing will run on s any more, but its record is still referred to: the
 * next stack_tidy gives the rest of it back to the kernel.
 */
void stack_over(struct stack *s);

/*
 * Give back to the kernel what stacks that are over, and more free ones than
 * are worth keeping, hold. Called when there is nothing to run.
 */
void stack_tidy(void);

/* Give back what all free stacks hold: no task is expected soon. */
void stack_cool(void);

/* Its record: STACK_RECORD_BYTES, on a line of the caches; not cleared. */
void *stack_record(const struct stack *s);

/* The address behind its highest byte, which is where its record begins. */
char *stack_top(const struct stack *s);

/* Its lowest address, that of the guard. */
char *stack_base(const struct stack *s);

/* Bytes from its base to its top. */
size_t stack_bytes(const struct stack *s);

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

/*
 * Unmap every slab. Where a record is still referred to, the stacks of that
 * size stay, until a later call.
 */
void stack_close(void);

#endif
