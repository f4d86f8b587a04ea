/* SPDX-License-Identifier: MIT */
/*
 * holdline: the work of the benchmarks, done with common/flow. One word says
 * which; prints nanoseconds an operation, or bytes a task. The peers' programs
 * do the same work and take the same words; bench.py runs them all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/main.h"
#include "common/flow/signal.h"
#include "common/flow/sleep.h"
#include "common/flow/switch.h"
#include "common/flow/task.h"
#include "common/flow/wait.h"

#define SWITCH_N      4000000
#define PARK_N        2000000
#define SPAWN_N       400000
#define HALT_MOST     1000 /* tasks parked at a time */
#define HALT_N        40000
#define MEMORY_TASKS  10000
#define SIGNAL_VALUES 2000000 /* to all subscribers together */
#define SIGNAL_CAP    4
#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, Linux 6.13 */

/* What the memory is asked to be, instead of what flow asks for. */
static bool wants_huge;
static bool wants_no_guard;

/* In front of libc's: flow's stacks with huge pages, to see what they cost. */
int
madvise(void *addr, size_t bytes, int advice)
{
	if (wants_no_guard && advice == GUARD_INSTALL) {
		errno = EINVAL;
		return -1;
	}
	if (wants_huge && advice == MADV_NOHUGEPAGE)
		advice = MADV_HUGEPAGE;
	return (int)syscall(SYS_madvise, addr, bytes, advice);
}

int
mprotect(void *addr, size_t bytes, int protection)
{
	if (wants_no_guard && protection == PROT_NONE) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_mprotect, addr, bytes, protection);
}

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void
spawn(const char *name, task_body_fn *body, void *arg, size_t stack_bytes,
    struct task **task_r)
{
	must(task_spawn(&(struct task_spec){ .name = name,
			    .body = body,
			    .arg = arg,
			    .stack_bytes = stack_bytes },
		 task_r) == 0);
}

static void
join(struct task *t)
{
	must(task_await(t, NULL, NULL) == 0);
	task_unref(&t);
}

/* ---- switch: the change of stacks alone, there and back ---- */

static void *switch_main_sp;
static void *switch_task_sp;

static void
switch_entry(void)
{
	for (;;)
		flow_switch(&switch_task_sp, switch_main_sp);
}

static double
bench_switch(size_t n)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	const int64_t began = cpu_ns();

	switch_task_sp =
	    flow_switch_prepare(stack + sizeof(stack), switch_entry);
	for (size_t i = 0; i < n; i++)
		flow_switch(&switch_main_sp, switch_task_sp);
	return (double)(cpu_ns() - began) / n;
}

/* ---- park: two tasks wake each other in turn ---- */

struct side {
	struct waitq mine;
	struct side *other;
	size_t n;
};

static void *
park_side(void *arg)
{
	struct side *const s = arg;

	for (size_t i = 0; i < s->n; i++) {
		waitq_wake_one(&s->other->mine, 0, NULL);
		must(waitq_wait(&s->mine, "its turn", CLOCK_NEVER) == 0);
	}
	waitq_wake_one(&s->other->mine, 0, NULL);
	return NULL;
}

static double
bench_park(size_t n)
{
	struct side a = { .n = n / 2 };
	struct side b = { .other = &a, .n = n / 2 };
	struct task *ta, *tb;
	const int64_t began = cpu_ns();

	a.other = &b;
	waitq_init(&a.mine);
	waitq_init(&b.mine);
	spawn("a", park_side, &a, 0, &ta);
	spawn("b", park_side, &b, 0, &tb);
	join(ta);
	join(tb);
	return (double)(cpu_ns() - began) / n;
}

/* ---- spawn: start a task that returns at once, wait for its end ---- */

static void *
spawn_body(void *arg)
{
	return NULL;
}

static double
bench_spawn(size_t n)
{
	const int64_t began = cpu_ns();

	for (size_t i = 0; i < n; i++) {
		struct task *t;
		spawn("child", spawn_body, NULL, 0, &t);
		join(t);
	}
	return (double)(cpu_ns() - began) / n;
}

/* ---- halt: tasks parked five frames deep, each frame cleans up ---- */

static size_t n_cleaned;

static void
halt_clean(char *unused)
{
	n_cleaned++;
}
#define cleaned __attribute__((cleanup(halt_clean), unused)) char

__attribute__((noinline)) static void
halt_frame_5(void)
{
	cleaned here;
	flow_suspend();
}

#define HALT_FRAME(n, next)                           \
	__attribute__((noinline)) static void n(void) \
	{                                             \
		cleaned here;                         \
		next();                               \
	}
HALT_FRAME(halt_frame_4, halt_frame_5)
HALT_FRAME(halt_frame_3, halt_frame_4)
HALT_FRAME(halt_frame_2, halt_frame_3)
HALT_FRAME(halt_frame_1, halt_frame_2)

static void *
halt_body(void *arg)
{
	halt_frame_1();
	return NULL;
}

static double
bench_halt(size_t n_tasks)
{
	static struct task *tasks[HALT_MOST];
	const size_t n_rounds = HALT_N / n_tasks;
	int64_t took = 0;

	n_cleaned = 0;
	for (size_t r = 0; r < n_rounds; r++) {
		for (size_t i = 0; i < n_tasks; i++)
			spawn("deep", halt_body, NULL, 0, &tasks[i]);
		flow_sleep(0);
		const int64_t began = cpu_ns();
		for (size_t i = 0; i < n_tasks; i++)
			must(task_halt(tasks[i], NULL) == 0);
		for (size_t i = 0; i < n_tasks; i++)
			task_unref(&tasks[i]);
		/* What goes back to the kernel goes when nothing runs. */
		flow_sleep(0);
		took += cpu_ns() - began;
	}
	must(n_cleaned == 5 * n_rounds * n_tasks);
	return (double)took / (n_rounds * n_tasks);
}

/* ---- memory: resident bytes of a parked task ---- */

static size_t
resident_bytes(void)
{
	FILE *const f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	size_t kib = 0;

	must(f != NULL);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

static void *
memory_body(void *arg)
{
	flow_suspend();
	return NULL;
}

static double
bench_memory(task_body_fn *parked, size_t stack_bytes)
{
	/* The first ones pay for what is needed once. */
	for (size_t i = 0; i < 100; i++)
		spawn("parked", parked, NULL, stack_bytes, NULL);
	flow_sleep(0);
	const size_t before = resident_bytes();
	for (size_t i = 0; i < MEMORY_TASKS; i++)
		spawn("parked", parked, NULL, stack_bytes, NULL);
	flow_sleep(0);
	return (double)(resident_bytes() - before) / MEMORY_TASKS;
}

/* ---- signal: a value to n subscribers, until each has it ---- */

static struct flow_signal signal_source;
static struct waitq signal_done;
static size_t n_to_receive;

static void *
signal_subscriber(void *arg)
{
	struct flow_subscription sub flow_subscription_auto = { 0 };
	void *value;

	must(flow_signal_join(&signal_source, &sub, SIGNAL_CAP,
		 FLOW_SIGNAL_CLOSE_SLOW) == 0);
	while (flow_signal_next(&sub, CLOCK_NEVER, &value) == 0)
		if (--n_to_receive == 0)
			waitq_wake_one(&signal_done, 0, NULL);
	return NULL;
}

static void
signal_values(size_t n_subscribers, size_t n_values)
{
	for (size_t i = 0; i < n_values; i++) {
		n_to_receive = n_subscribers;
		must(flow_signal_send(&signal_source, &signal_source) == 0);
		must(waitq_wait(&signal_done, "all", CLOCK_NEVER) == 0);
	}
}

static double
bench_signal(size_t n_subscribers)
{
	const size_t n_values = SIGNAL_VALUES / n_subscribers;

	flow_signal_init(&signal_source);
	waitq_init(&signal_done);
	for (size_t i = 0; i < n_subscribers; i++)
		spawn("subscriber", signal_subscriber, NULL, 0, NULL);
	flow_sleep(0);
	signal_values(n_subscribers, n_values / 10 + 1);
	const int64_t began = cpu_ns();
	signal_values(n_subscribers, n_values);
	return (double)(cpu_ns() - began) / (n_values * n_subscribers);
}

/* ---- which one ---- */

static double
twice(double (*bench)(size_t n), size_t n)
{
	(void)bench(n / 10);
	return bench(n);
}

static void *
body(void *arg)
{
	const char *const word = arg;
	double r = -1;

	if (!strcmp(word, "switch"))
		r = twice(bench_switch, SWITCH_N);
	else if (!strcmp(word, "park"))
		r = twice(bench_park, PARK_N);
	else if (!strcmp(word, "spawn"))
		r = twice(bench_spawn, SPAWN_N);
	else if (!strcmp(word, "halt-50"))
		r = bench_halt(50);
	else if (!strcmp(word, "halt-1000"))
		r = bench_halt(1000);
	else if (!strcmp(word, "memory"))
		r = bench_memory(memory_body, FLOW_STACK_BYTES);
	else if (!strcmp(word, "memory-deep"))
		r = bench_memory(halt_body, FLOW_STACK_BYTES);
	else if (!strcmp(word, "memory-256"))
		r = bench_memory(memory_body, FLOW_TOOL_STACK_BYTES);
	else if (!strcmp(word, "signal-1000"))
		r = bench_signal(1000);
	else if (!strcmp(word, "signal-10000"))
		r = bench_signal(10000);
	if (r < 0)
		flow_exit(2, "holdline: no benchmark has this name");
	printf("%.1f\n", r);
	return NULL;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (int i = 2; i < argc; i++) {
		wants_huge |= !strcmp(argv[i], "huge");
		wants_no_guard |= !strcmp(argv[i], "unguarded");
	}
	return flow_main(body, argv[1], NULL);
}
