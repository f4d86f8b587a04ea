/* SPDX-License-Identifier: MIT */
/*
 * swapcontext: the same work with what glibc has. A context that parks goes
 * back to the one that resumes it, as every scheduler has to do; there is no
 * queue, no tree and no halt, so this is less than what flow does.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#define PARK_N       400000
#define SPAWN_N      100000
#define MEMORY_TASKS 10000
#define STACK_BYTES  ((size_t)64 * 1024)

static ucontext_t scheduler;
static ucontext_t task;

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void
prepare(ucontext_t *c, char *stack, void (*entry)(void))
{
	getcontext(c);
	c->uc_stack.ss_sp = stack;
	c->uc_stack.ss_size = STACK_BYTES;
	c->uc_link = &scheduler;
	makecontext(c, entry, 0);
}

static void
park_for_ever(void)
{
	for (;;)
		swapcontext(&task, &scheduler);
}

static void
end_at_once(void)
{
}

static double
bench_park(char *stack, size_t n)
{
	prepare(&task, stack, park_for_ever);
	const int64_t began = cpu_ns();
	for (size_t i = 0; i < n; i++)
		swapcontext(&scheduler, &task);
	return (double)(cpu_ns() - began) / n;
}

static double
bench_spawn(char *stack, size_t n)
{
	const int64_t began = cpu_ns();

	for (size_t i = 0; i < n; i++) {
		prepare(&task, stack, end_at_once);
		swapcontext(&scheduler, &task);
	}
	return (double)(cpu_ns() - began) / n;
}

static size_t
resident_bytes(void)
{
	FILE *const f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	size_t kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %zu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* Each parked for good on a stack of its own, of one mapping for all. */
static double
bench_memory(void)
{
	const size_t before = resident_bytes();
	ucontext_t *const tasks = calloc(MEMORY_TASKS, sizeof(*tasks));
	char *const stacks =
	    mmap(NULL, MEMORY_TASKS * STACK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!tasks || stacks == MAP_FAILED)
		exit(1);
	for (size_t i = 0; i < MEMORY_TASKS; i++) {
		prepare(&tasks[i], stacks + i * STACK_BYTES, park_for_ever);
		swapcontext(&scheduler, &tasks[i]);
	}
	return (double)(resident_bytes() - before) / MEMORY_TASKS;
}

int
main(int argc, char **argv)
{
	char *const stack = malloc(STACK_BYTES);
	double r = -1;

	if (argc < 2 || !stack)
		return 2;
	if (!strcmp(argv[1], "park") || !strcmp(argv[1], "switch")) {
		(void)bench_park(stack, PARK_N / 10);
		r = bench_park(stack, PARK_N);
	} else if (!strcmp(argv[1], "spawn")) {
		(void)bench_spawn(stack, SPAWN_N / 10);
		r = bench_spawn(stack, SPAWN_N);
	} else if (!strcmp(argv[1], "memory")) {
		r = bench_memory();
	}
	free(stack);
	if (r < 0)
		return 2;
	printf("%.1f\n", r);
	return 0;
}
