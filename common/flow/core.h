/* SPDX-License-Identifier: MIT */
/*
 * core: the structs that task.c, scope.c, wait.c and run.c share. Private to
 * this room. Invariants:
 * - a task is in exactly one phase; READY tasks stand in the run queue;
 * - the entries of a scope are its finalisers and living children, in order
 *   of start; a child leaves the list when it is done;
 * - scopes on one stack form a chain from task->inner to &task->scope.
 */
#ifndef FLOW_CORE_H
#define FLOW_CORE_H

#include <bsd/sys/queue.h>

#include "common/flow/fault.h"
#include "common/flow/stack.h"
#include "common/flow/task.h"
#include "common/flow/unwind.h"
#include "common/flow/wait.h"

#define TASK_MAGIC  0x7461736bu
#define SCOPE_MAGIC 0x73636f70u

enum task_phase {
	TASK_NEW,     /* spawned, never ran; in the run queue */
	TASK_READY,   /* in the run queue */
	TASK_ON_CPU,  /* the running task */
	TASK_WAITING, /* parked on task->waiter */
	TASK_DONE,    /* over; the struct lives while it is referred to */
};

/* A finaliser or a child in the list of a scope. */
struct scope_entry {
	TAILQ_ENTRY(scope_entry) link;
	struct task *child; /* NULL: a finaliser, allocated, owned here */
	scope_finaliser_fn *fn;
	void *arg;
};

TAILQ_HEAD(scope_entries, scope_entry);

/* The value of a context in one scope; owned by the scope. */
struct scope_value {
	struct scope_value *next;
	const struct flow_context *context;
	void *value;
};

enum scope_state {
	SCOPE_OPEN,
	SCOPE_CLOSING, /* teardown runs; only its own task may add */
	SCOPE_CLOSED,
};

struct scope {
	uint32_t magic;
	enum scope_state state;
	struct scope *parent; /* NULL for the root */
	struct task *owner;   /* whose stack runs the teardown; NULL: root */
	unsigned depth;
	unsigned shield; /* of the owner when the scope was opened */
	bool is_crashed; /* a child failed while it was open */
	bool has_torn;   /* an error came from the teardown */
	struct fault *fault;
	struct scope_entries entries;
	struct scope_value *values; /* context values set here, newest first */
};

/*
 * It lies at the top of its own stack (stack.h) from its start until the last
 * handle is given back, also when it is over. What a park and a resume touch
 * comes first: two lines of the caches, beside the innermost frames.
 */
struct task {
	uint32_t magic;
	unsigned refs; /* handles, and one while it is not done */
	unsigned depth;
	unsigned shield;    /* > 0: halts wait */
	unsigned n_crashed; /* open scopes of its stack that crashed */
	int here_line;      /* see here_file */
	enum task_phase phase : 8;
	enum task_outcome outcome : 8;
	bool is_halting;
	bool is_urgent;    /* it runs before all others when it is ready */
	bool is_muted;     /* its failure is its awaiter's, not its owner's */
	bool has_provided; /* a resource in use: only its scope may halt it */
	bool has_torn;     /* it failed in its teardown */
	bool has_guard;    /* its stack does */
	TAILQ_ENTRY(task) run_link;
	void *sp;
	struct waiter *waiter;

	const char *waits_for;
	const char *here_file; /* where it waits; NULL: not known */
	int64_t parked_ms;
	/* One that was queued later; only to be fetched, it may be gone. */
	const struct task *ahead;
	struct task *awaits; /* the task whose end it waits for */
	struct scope *inner; /* innermost open scope on its stack */
	struct unwind unwind;

	struct stack *stack;
	void *fake; /* AddressSanitizer's */
	void *value;
	struct fault *raised; /* by flow_fail, on its way to the boundary */
	struct fault *fault;  /* why it failed; owned */
	struct fault *caught; /* by its last scope_call; owned */
	struct waitq done;
	struct task_spec spec;
	struct scope_entry entry; /* in the list of its parent scope */
	struct scope scope;
};

_Static_assert(sizeof(struct task) <= STACK_RECORD_BYTES, "the record fits");
_Static_assert(offsetof(struct task, unwind.is_active) < 2 * STACK_LINE,
    "what a park touches comes first");

TAILQ_HEAD(task_list, task);

/* run.c: the run queue and the change of stacks. */

/* Make sure that tasks of this depth can be queued; 0 or -ENOMEM. */
int run_reserve(unsigned depth);

/*
 * A task on a stack of at least bytes (0: FLOW_STACK_BYTES), else all zero.
 * Returns *new* (run_free) or NULL.
 */
struct task *run_new(size_t bytes);

/* Give a task that does not run any more back, its stack with it. */
void run_free(struct task *t);

/* Queue a task that may go on; queued already or running: nothing. */
void run_ready(struct task *t);

/*
 * Let a ready task run before all others, whatever their depth: for a
 * resource's init, in which nothing else may run.
 */
void run_urgent(struct task *t);

/* Take a task that never ran out of the run queue. */
void run_remove(struct task *t);

/* Run t now from the loop's stack until it parks or ends. */
void run_enter(struct task *t);

/* Leave the running task's stack; returns when it is run again. */
void run_park(void);

/* Leave the running task's stack for ever. */
void run_end(void) __attribute__((noreturn));

/*
 * Give back what the loop's stack holds below the loop: frames of calls that
 * are over. Elsewhere than on the main thread's stack, or not in a task:
 * nothing.
 */
void run_strip(void);

/* Set up and free the run queue; hooks it into the loop. */
void run_open(void);
void run_close(void);

/* task.c, scope.c: life. */

/* For a task that is halted or has a crashed scope: is it shielded? */
bool task_must_unwind(const struct task *t);

/* Must the task unwind at its next suspension point? */
static inline bool
task_is_interrupted(const struct task *t)
{
	return (t->is_halting || t->n_crashed) && task_must_unwind(t);
}

/* t is over and will not run any more: it may go, or what it needs no more. */
void task_bury(struct task *t);

/* Wake t out of its wait so that it sees its interruption. */
void task_interrupt(struct task *t);

/* The whole life of a task, on its stack: body, teardown, end. */
void task_live(struct task *t);

/*
 * Wait until t is done. A shielded caller that t waits for itself gets
 * -EDEADLK at once; with must_end it is the other's wait that is broken with
 * -EDEADLK instead (the teardown of a scope must go on).
 */
int task_join(struct task *t, bool must_end);

/*
 * Tests only: told of each point at which a halt may arrive. NULL, as in
 * production: nobody is. on_suspend(t): the running task t is about to wait,
 * nothing may be lost yet. on_resume(t): t is about to go on after a wait; no
 * task runs. Either may halt any task.
 */
struct flow_probe {
	void (*on_suspend)(struct task *t);
	void (*on_resume)(struct task *t);
};
extern struct flow_probe flow_probe;

/* wait.c: wake w, which stands in a list of waiters. */
void waiter_wake(struct waiter *w, int status, void *value);

/*
 * As scope_run in the caller's current scope, but an error of the body does
 * not fail the owner (one of its teardown does): whoever holds *task_r must
 * look. Only a task may call it.
 */
int task_spawn_muted(const struct task_spec *spec, struct task **task_r);

/* The scope of top-level tasks. */
struct scope *scope_root(void);

/* An open scope inside parent (NULL: the root scope itself). */
void scope_init(struct scope *s, struct scope *parent, struct task *owner);

/*
 * Tear s down on its owner's stack: nothing of it is left afterwards. raised
 * (*takes*, may be NULL) is the error that its body ended with.
 */
void scope_close_take(struct scope *s, struct fault *raised);

/* A child of s ended with f (*borrowed*); was_torn: in its teardown. */
void scope_child_failed(struct scope *s, const struct fault *f, bool was_torn);

#endif
