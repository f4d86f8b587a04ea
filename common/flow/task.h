/* SPDX-License-Identifier: MIT */
/*
 * task: coroutines in a tree of scopes (structured concurrency). One thread.
 *
 * A task has a body, a stack and a scope. It belongs to the scope that it was
 * spawned in and cannot outlive it. When its body has ended (returned, failed,
 * halted) the locals of the body have already been cleaned up
 * (__attribute__((cleanup))); then its scope is torn down: children, nested
 * scopes and finalisers, in reverse order of their start, one at a time, each
 * awaited; then the task is done and its waiters go on.
 *
 * Halt is not an error and cannot be caught: a halted wait does not return,
 * the stack is unwound to the boundary. flow_fail unwinds the same way. So
 * whatever a body owns over a wait is declared with its cleanup on the line
 * where it is made. Cleanups of locals must not wait; what must wait is a
 * finaliser (scope_ensure).
 *
 * Every call here is made on the thread of the loop. "Waits" may only be
 * called by a task, "never waits" also by callbacks of the loop.
 * Source: flow-behaviours (Effection 4), numbers in tests/unit.
 */
#ifndef FLOW_TASK_H
#define FLOW_TASK_H

#ifndef __EXCEPTIONS
#error "flow unwinds stacks: compile with -fexceptions (pkg-config holdline)"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/flow/here.h"

struct task;
struct scope;

/* The body of a task. What it returns is the task's value. */
typedef void *task_body_fn(void *arg);

/* What to run. Copied by the spawning call; name must live for ever. */
struct task_spec {
	const char *name;
	task_body_fn *body;
	void *arg;
	/*
	 * Ends arg: called exactly once, when the task is done, was halted
	 * before it ran, or could not be spawned. NULL: arg is *borrowed*.
	 */
	void (*dispose)(void *arg);
	size_t stack_bytes; /* its record (below 1 KiB) included; 0: usual */
};

#define FLOW_STACK_BYTES      (64 * 1024)
#define FLOW_TOOL_STACK_BYTES (256 * 1024)

enum task_outcome {
	TASK_RUNNING,  /* not done yet */
	TASK_RETURNED, /* the body returned */
	TASK_FAILED,   /* by its own, a child's or a finaliser's error */
	TASK_HALTED,   /* ended from outside */
};

/*
 * Start the flow of this process on the open loop. Aborts without memory.
 */
void flow_open(void);

/* Free the flow; every task must be done. Handles may be held longer. */
void flow_close(void);

/*
 * Start a top-level task. Its body runs at once up to its first wait. Its
 * failure concerns no other task. *task_r (may be NULL) is *new*: end it with
 * task_unref. Takes arg as task_spec says, also when this fails. Returns 0 or
 * -ENOMEM. Never waits. Not to be called by a task: there it is task_spawn.
 */
int flow_run(const struct task_spec *spec, struct task **task_r);

/*
 * Start a child of the current scope of the calling task. It does not run
 * before the caller waits. Otherwise as flow_run.
 */
int task_spawn(const struct task_spec *spec, struct task **task_r);

/*
 * Start a child of scope from anywhere: the bridge from callbacks. It runs at
 * the next turn of the loop. Returns 0, -ENOMEM, or -ECANCELED when the scope
 * is closed or closing. Never waits.
 */
int scope_run(
    struct scope *scope, const struct task_spec *spec, struct task **task_r);

/*
 * Open a scope that needs no body, inside parent (NULL: at the top), also from
 * callbacks: start its tasks with scope_run(task_scope(keeper), …). It ends,
 * like any task, with its parent, by task_halt or task_halt_soon of its
 * keeper (again: nothing; after a failure: 0; an error of the teardown is
 * returned), or when one of its tasks fails, which fails the parent's owner.
 * Its scopes end before it does. *keeper_r is *new*: end it with task_unref;
 * while it is held, scope_run in an ended scope says -ECANCELED. Returns 0,
 * -ENOMEM, or -ECANCELED when parent is ending. Never waits.
 */
int scope_open(struct scope *parent, const char *name, struct task **keeper_r);

/* The scope of t's body; *borrowed* until t is given back. */
struct scope *task_scope(struct task *t);

/* One more reference to t. Returns t. */
struct task *task_ref(struct task *t);

/*
 * Give a reference back; accepts NULL, sets *t to NULL. Halts nothing. A task
 * that is over costs a page until its last one.
 */
void task_unref(struct task **t);

/* A local reference that gives itself back. */
#define task_auto __attribute__((cleanup(task_unref)))

/*
 * Wait until t is done. Returns 0 (*value_r, may be NULL, is what its body
 * returned), -ECANCELED when it was halted, or the -errno it failed with
 * (*err_r, may be NULL, says why). Any number of tasks may wait, any number of
 * times. Waits; a task that is torn down and waits for one that waits for it
 * gets -EDEADLK.
 */
int task_await(struct task *t, void **value_r, struct err *err_r);

/*
 * Halt t and wait until it is done. Returns 0 (also when it was done or had
 * failed before), the error of its teardown (*err_r may be NULL), or -EDEADLK
 * when t is the calling task and already in teardown. Halting oneself does
 * not return. Waits.
 */
int task_halt(struct task *t, struct err *err_r);

/* Begin to halt t; done already: nothing. Never waits. */
void task_halt_soon(struct task *t);

/* How t stands. */
enum task_outcome task_outcome(const struct task *t);

/*
 * Why t failed, and the errors that this one superseded: call with nth = 0, 1,
 * … until it returns false. *err_r is filled when it returns true.
 */
bool task_error(const struct task *t, unsigned nth, struct err *err_r);

/* The name it was spawned with. */
const char *task_name(const struct task *t);

/* The running task; NULL in a callback of the loop. *borrowed*. */
struct task *task_self(void);

/*
 * The current (innermost) scope of the running task, to start tasks in it
 * from callbacks. *borrowed* until the scope ends.
 */
struct scope *scope_current(void);

/*
 * End the calling task (or the nearest scope_call) with an error. code is an
 * -errno. Does not return: the stack is unwound.
 */
#define flow_fail(code, ...) flow_fail_at(__FILE__, __LINE__, code, __VA_ARGS__)
void flow_fail_at(const char *file, int line, int code, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

/*
 * A finaliser of a scope. May wait; is not interrupted. Returns 0 or -errno
 * with *err filled; may also flow_fail.
 */
typedef int scope_finaliser_fn(void *arg, struct err *err);

/*
 * Run fn(arg) when the current scope ends, however it ends; last registered
 * first. By then the locals of the body are gone: arg must not point to one.
 * Returns 0 or -ENOMEM (then fn is not registered). Never waits.
 */
int scope_ensure(scope_finaliser_fn *fn, void *arg);

/*
 * Call fn(arg) in a scope of its own on the same stack: an error boundary.
 * Tasks spawned and finalisers registered inside are torn down before this
 * returns. Returns 0 with *value_r (may be NULL), or the -errno of an error
 * inside (fn's own, a child's, a finaliser's) with *err_r (may be NULL). A
 * halt of the task passes through. Waits.
 */
int scope_call(task_body_fn *fn, void *arg, void **value_r, struct err *err_r);

/*
 * What the caller's last scope_call (also that of a combination) ended with,
 * and the errors that this one superseded: call with nth = 0, 1, … until it
 * returns false. *err_r is filled when it returns true. Never waits.
 */
bool scope_error(unsigned nth, struct err *err_r);

/*
 * Call fn(arg) shielded: a halt that arrives meanwhile takes effect when the
 * outermost shield is left. Returns what fn returned. Waits if fn does.
 */
void *flow_shield(task_body_fn *fn, void *arg);

/*
 * Give the unused part of the caller's stack back to the kernel. For a task
 * that is about to wait for a person. Costs one system call.
 */
void flow_trim(void);

/*
 * Give back to the kernel what the stacks of tasks that are over hold: some
 * stay in memory for the next ones (16 MiB of address space of each size, of
 * which those tasks used a part). For a program that expects nothing to do
 * soon. Never waits.
 */
void flow_rest(void);

/*
 * Unwind once, outside of all tasks: what the unwinder finds out the first time
 * is then known to processes that are forked without exec. Never waits.
 */
void flow_warm(void);

#ifndef FLOW_INSIDE
#define task_await(...) (FLOW_HERE(), task_await(__VA_ARGS__))
#define task_halt(...)  (FLOW_HERE(), task_halt(__VA_ARGS__))
#define scope_call(...) (FLOW_HERE(), scope_call(__VA_ARGS__))
#endif

#endif
