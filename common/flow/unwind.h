/* SPDX-License-Identifier: MIT */
/*
 * unwind: leaving frames so that the cleanups of their locals run
 * (_Unwind_ForcedUnwind, what thread cancellation in glibc uses), and the
 * boundary at which that ends.
 */
#ifndef FLOW_UNWIND_H
#define FLOW_UNWIND_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <unwind.h>

/* One active boundary; lives in the frame of unwind_guard. */
struct unwind_boundary {
	struct unwind_boundary *outer;
	uintptr_t frame;
	jmp_buf env;
};

/* The unwinding state of one stack; embedded in its task. */
struct unwind {
	struct unwind_boundary *boundary; /* innermost */
	bool is_active;                   /* cleanups of locals are running */
	struct _Unwind_Exception exception;
};

/*
 * Call fn(arg) behind a boundary. Returns true and *value_r when it returned,
 * false when unwind_start left it.
 */
bool
unwind_guard(struct unwind *u, void *(*fn)(void *), void *arg, void **value_r);

/* Leave all frames up to the innermost boundary of this stack. */
void unwind_start(struct unwind *u) __attribute__((noreturn));

#endif
