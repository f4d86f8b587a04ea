/* SPDX-License-Identifier: MIT */
/*
 * run: which task runs next, and the change to its stack. Ready tasks stand
 * in one list for each depth in the tree, found by a bitmap: shallower tasks
 * first, at equal depth in the order in which they became ready. The queue is
 * emptied in each turn of the loop, before it waits.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/overflow.h"
#include "common/flow/sanitize.h"
#include "common/flow/switch.h"
#include "common/loop/loop.h"

#define RUN_WORD_BITS    64
#define RUN_FIRST_DEPTHS 64
#define RUN_AHEAD        4 /* so many tasks before it runs it is fetched */
#define RUN_FETCH_LINES  8 /* of a stack: frames from the park up */
#define RUN_PAGE         ((uintptr_t)4096)
#define RUN_RED_BYTES    128         /* below a stack pointer, in use */
#define RUN_DEEP_BYTES   (64u << 10) /* that calls on the loop's stack use */

static struct {
	struct task_list *lists; /* one a depth */
	uint64_t *bits;          /* bit d: lists[d] is not empty */
	unsigned n_depths;
	struct task_list urgent; /* before all others */
	struct task *self;
	bool is_draining;  /* a turn of the loop runs the queue */
	bool is_from_loop; /* the present change of stacks began there */
	void *loop_sp;
	void *loop_fake;
	const void *loop_low;
	size_t loop_bytes;
} run;

int
run_reserve(unsigned depth)
{
	unsigned n = run.n_depths ? run.n_depths : RUN_FIRST_DEPTHS;

	if (depth < run.n_depths)
		return 0;
	while (n <= depth)
		n *= 2;
	struct task_list *const lists = mem_alloc(n * sizeof(*lists));
	uint64_t *const bits = mem_zalloc(n / RUN_WORD_BITS, sizeof(*bits));
	if (!lists || !bits) {
		mem_free(lists);
		mem_free(bits);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < n; i++) {
		TAILQ_INIT(&lists[i]);
		if (i < run.n_depths)
			TAILQ_CONCAT(&lists[i], &run.lists[i], run_link);
	}
	if (run.n_depths)
		memcpy(bits, run.bits,
		    run.n_depths / RUN_WORD_BITS * sizeof(*bits));
	mem_free(run.lists);
	mem_free(run.bits);
	run.lists = lists;
	run.bits = bits;
	run.n_depths = n;
	return 0;
}

/*
 * Tell the task that runs RUN_AHEAD before t whom to fetch then: from one
 * record to the next in the list would be a cache miss each.
 */
static inline void
run_remember(struct task *t)
{
	struct task *before = t;

	for (unsigned i = 0; before && i < RUN_AHEAD; i++)
		before = TAILQ_PREV(before, task_list, run_link);
	if (before)
		before->ahead = t;
}

/* Append to the list of its depth. */
static void
run_insert(struct task *t)
{
	if (t->is_urgent) {
		TAILQ_INSERT_TAIL(&run.urgent, t, run_link);
		return;
	}
	struct task_list *const list = &run.lists[t->depth];
	const bool is_first = TAILQ_EMPTY(list);
	t->ahead = NULL;
	TAILQ_INSERT_TAIL(list, t, run_link);
	if (!is_first)
		run_remember(t);
	else
		run.bits[t->depth / RUN_WORD_BITS] |=
		    UINT64_C(1) << (t->depth % RUN_WORD_BITS);
}

void
run_ready(struct task *t)
{
	if (t->phase == TASK_NEW && t->run_link.tqe_prev == NULL) {
		run_insert(t);
		return;
	}
	if (t->phase != TASK_WAITING)
		return;
	t->phase = TASK_READY;
	run_insert(t);
}

void
run_remove(struct task *t)
{
	struct task_list *const list =
	    t->is_urgent ? &run.urgent : &run.lists[t->depth];

	if (t->run_link.tqe_prev == NULL)
		return;
	TAILQ_REMOVE(list, t, run_link);
	t->run_link.tqe_prev = NULL;
	if (!t->is_urgent && TAILQ_EMPTY(list))
		run.bits[t->depth / RUN_WORD_BITS] &=
		    ~(UINT64_C(1) << (t->depth % RUN_WORD_BITS));
}

void
run_urgent(struct task *t)
{
	const bool is_queued = t->run_link.tqe_prev != NULL;

	if (t->is_urgent)
		return;
	run_remove(t);
	t->is_urgent = true;
	if (is_queued)
		run_insert(t);
}

/*
 * When many tasks are ready, what each needs has left the caches by then:
 * while t runs, fetch the stack of the next one and the record of a later one.
 */
static inline void
run_fetch(const struct task *t, const struct task *next)
{
	for (size_t i = 0; i < RUN_FETCH_LINES; i++)
		__builtin_prefetch((const char *)next->sp + i * STACK_LINE, 1);
	if (!t->ahead)
		return;
	__builtin_prefetch(t->ahead, 1);
	__builtin_prefetch((const char *)t->ahead + STACK_LINE, 1);
}

/* Take the next task out of the queue; NULL when it is empty. */
static struct task *
run_next(void)
{
	struct task *const urgent = TAILQ_FIRST(&run.urgent);

	if (urgent) {
		run_remove(urgent);
		return urgent;
	}
	for (unsigned w = 0; w < run.n_depths / RUN_WORD_BITS; w++) {
		if (!run.bits[w])
			continue;
		const unsigned depth =
		    w * RUN_WORD_BITS + (unsigned)__builtin_ctzll(run.bits[w]);
		struct task *const t = TAILQ_FIRST(&run.lists[depth]);
		const struct task *const next = TAILQ_NEXT(t, run_link);
		run_remove(t);
		if (next)
			run_fetch(t, next);
		return t;
	}
	return NULL;
}

/* The hook of the loop: run whoever is ready. */
static bool
run_drain(void)
{
	struct task *t = run_next();

	if (!t) {
		stack_tidy();
		return false;
	}
	run.is_draining = true;
	for (; t; t = run_next())
		run_enter(t);
	run.is_draining = false;
	return true;
}

static void run_first(void);

struct task *
run_new(size_t bytes)
{
	const size_t usual = bytes ? bytes : FLOW_STACK_BYTES;
	/* Sanitized frames are several times larger. */
	const bool is_larger = SANITIZE_ADDRESS && usual <= STACK_BYTES_MAX / 4;
	struct stack *const s = stack_get(is_larger ? usual * 4 : usual);

	if (!s)
		return NULL;
	struct task *const t = stack_record(s);
	*t = (struct task){ .stack = s, .has_guard = s->has_guard };
	t->sp = flow_switch_prepare(stack_top(s), run_first);
	return t;
}

void
run_free(struct task *t)
{
	stack_put(t->stack);
}

/* t is the running task from here on. */
static inline void
run_begin(struct task *t)
{
	if (flow_probe.on_resume && t->phase == TASK_READY)
		flow_probe.on_resume(t);
	if (t->run_link.tqe_prev)
		run_remove(t);
	must(t->phase != TASK_DONE);
	t->is_urgent = false;
	t->phase = TASK_ON_CPU;
	run.self = t;
}

void
run_enter(struct task *t)
{
	must(!run.self);
	run_begin(t);
	run.is_from_loop = true;
	sanitize_switch_start(
	    &run.loop_fake, stack_base(t->stack), stack_bytes(t->stack));
	flow_switch(&run.loop_sp, t->sp);
	sanitize_switch_finish(run.loop_fake, NULL, NULL);
	/* tasks change to each other: the one that came back may be another */
	struct task *const last = run.self;
	run.self = NULL;
	if (last->phase == TASK_DONE)
		task_bury(last);
}

/* On a stack again: whose was it before? The loop's is remembered. */
static inline void
run_arrive(void *fake)
{
	const void *low = NULL;
	size_t bytes = 0;

	sanitize_switch_finish(fake, &low, &bytes);
	if (SANITIZE_ADDRESS && run.is_from_loop) {
		run.loop_low = low;
		run.loop_bytes = bytes;
	}
	run.is_from_loop = false;
}

void
run_park(void)
{
	struct task *const t = run.self;
	/* flow_run returns at the first wait: others run in the next turn */
	struct task *const next = run.is_draining ? run_next() : NULL;

	if (!t->has_guard && !stack_check(t->stack))
		overflow_abort(t);
	if (next) {
		run_begin(next);
		sanitize_switch_start(&t->fake, stack_base(next->stack),
		    stack_bytes(next->stack));
		flow_switch(&t->sp, next->sp);
	} else {
		sanitize_switch_start(&t->fake, run.loop_low, run.loop_bytes);
		flow_switch(&t->sp, run.loop_sp);
	}
	run_arrive(t->fake);
}

void
run_end(void)
{
	struct task *const t = run.self;

	sanitize_switch_start(NULL, run.loop_low, run.loop_bytes);
	flow_switch(&t->sp, run.loop_sp);
	must_fail(__FILE__, __LINE__, "a task ran after its end");
}

void
run_strip(void)
{
	const uintptr_t end =
	    ((uintptr_t)run.loop_sp - RUN_RED_BYTES) & ~(RUN_PAGE - 1);

	/* Nothing else is within a megabyte below the main thread's stack. */
	if (run.self && gettid() == getpid() && !SANITIZE_ADDRESS)
		(void)madvise((void *)(end - RUN_DEEP_BYTES), RUN_DEEP_BYTES,
		    MADV_DONTNEED);
}

/* The first function on a new stack. */
static void
run_first(void)
{
	run_arrive(NULL);
	task_live(run.self);
	run_end();
}

struct task *
task_self(void)
{
	return run.self;
}

void
run_open(void)
{
	must(!run.lists && run_reserve(0) == 0);
	TAILQ_INIT(&run.urgent);
	loop_hook(run_drain);
}

void
run_close(void)
{
	must(!run.self && !run_next());
	loop_hook(NULL);
	mem_free(run.lists);
	mem_free(run.bits);
	memset(&run, 0, sizeof(run));
	stack_close();
}
