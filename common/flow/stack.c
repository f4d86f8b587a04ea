/* SPDX-License-Identifier: MIT */
/*
 * stack: slabs of stacks. Memory that was never touched costs nothing
 * (MAP_NORESERVE, no huge pages), so a parked task costs the pages it used.
 * A slab is one mapping; with MADV_GUARD_INSTALL its guards split nothing, so
 * 100 000 stacks stay far below vm.max_map_count.
 */
#include "common/flow/stack.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sanitize.h"

#define STACK_PAGE         4096
#define STACK_SLAB_STACKS  64
#define STACK_POOLS        4   /* different sizes in one process */
#define STACK_WARM         256 /* free stacks that keep their pages */
#define STACK_GUARD_ADVICE 102 /* MADV_GUARD_INSTALL, Linux 6.13 */

/* One mapping of STACK_SLAB_STACKS stacks of a pool. */
struct slab {
	struct slab *next;
	char *memory;
	size_t bytes;
	struct stack stacks[STACK_SLAB_STACKS];
};

/* All stacks of one size. */
struct pool {
	size_t bytes;       /* of one stack, guard included; 0: unused row */
	struct stack *warm; /* free, keep the pages that they touched */
	struct stack *cold; /* free, without pages */
	size_t n_warm;
	size_t n_used;
	struct slab *slabs;
};

static struct pool pools[STACK_POOLS];
static size_t n_mprotected;
static size_t max_mprotected = STACK_MPROTECT_MAX;
static bool lacks_guard_advice;

static struct pool *
stack_pool(size_t bytes)
{
	for (size_t i = 0; i < STACK_POOLS; i++) {
		if (!pools[i].bytes)
			pools[i].bytes = bytes;
		if (pools[i].bytes == bytes)
			return &pools[i];
	}
	must_fail(__FILE__, __LINE__, "too many sizes of stacks");
}

/* Make the lowest page of the stack fault; false: it cannot be had. */
static bool
stack_guard(char *base)
{
	if (!lacks_guard_advice) {
		if (madvise(base, STACK_PAGE, STACK_GUARD_ADVICE) == 0)
			return true;
		lacks_guard_advice = true;
	}
	if (n_mprotected >= max_mprotected)
		return false;
	if (mprotect(base, STACK_PAGE, PROT_NONE) < 0)
		return false;
	n_mprotected++;
	return true;
}

static void
stack_push(struct stack **list, struct stack *s)
{
	s->next_free = *list;
	*list = s;
}

static struct stack *
stack_pop(struct stack **list)
{
	struct stack *const s = *list;

	*list = s->next_free;
	return s;
}

/* Map a slab and put its stacks on the free list of the pool. */
static int
stack_grow(struct pool *pool)
{
	struct slab *const slab = mem_zalloc(1, sizeof(*slab));

	if (!slab)
		return -ENOMEM;
	slab->bytes = pool->bytes * STACK_SLAB_STACKS;
	slab->memory = mmap(NULL, slab->bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (slab->memory == MAP_FAILED) {
		mem_free(slab);
		return -ENOMEM;
	}
	(void)madvise(slab->memory, slab->bytes, MADV_NOHUGEPAGE);
	sanitize_slab_add(slab->memory, slab->bytes);
	for (size_t i = STACK_SLAB_STACKS; i-- > 0;) {
		struct stack *const s = &slab->stacks[i];
		s->base = slab->memory + i * pool->bytes;
		s->bytes = pool->bytes;
		s->valgrind_id =
		    sanitize_stack_add(s->base, s->base + s->bytes);
		stack_push(&pool->cold, s);
	}
	slab->next = pool->slabs;
	pool->slabs = slab;
	return 0;
}

struct stack *
stack_get(size_t bytes)
{
	const size_t pages = (bytes + STACK_PAGE - 1) / STACK_PAGE + 1;
	struct pool *const pool = stack_pool(pages * STACK_PAGE);

	if (!pool->warm && !pool->cold && stack_grow(pool) < 0)
		return NULL;
	pool->n_warm -= pool->warm != NULL;
	struct stack *const s =
	    stack_pop(pool->warm ? &pool->warm : &pool->cold);
	/* Not before: a guard costs a call, and a page table if it is alone. */
	if (!s->is_looked_at)
		s->has_guard = stack_guard(s->base);
	s->is_looked_at = true;
	pool->n_used++;
	sanitize_stack_reset(s->base + STACK_PAGE, s->bytes - STACK_PAGE);
	return s;
}

void
stack_put(struct stack **sp)
{
	struct stack *const s = *sp;

	*sp = NULL;
	if (!s)
		return;
	struct pool *const pool = stack_pool(s->bytes);
	sanitize_stack_reset(s->base + STACK_PAGE, s->bytes - STACK_PAGE);
	pool->n_used--;
	if (pool->n_warm < STACK_WARM) {
		pool->n_warm++;
		stack_push(&pool->warm, s);
		return;
	}
	(void)madvise(
	    s->base + STACK_PAGE, s->bytes - STACK_PAGE, MADV_DONTNEED);
	stack_push(&pool->cold, s);
}

char *
stack_top(const struct stack *s)
{
	return s->base + s->bytes;
}

bool
stack_check(const struct stack *s)
{
	return *(const volatile uint64_t *)s->base == 0;
}

void
stack_trim(const struct stack *s, const void *sp)
{
	/* 1 KiB below sp: the red zone and the call that brought us here. */
	const uintptr_t end = ((uintptr_t)sp - 1024) & ~(uintptr_t)4095;
	const uintptr_t low = (uintptr_t)s->base + STACK_PAGE;

	must((uintptr_t)sp > low && (uintptr_t)sp <= (uintptr_t)stack_top(s));
	if (end > low && !SANITIZE_ADDRESS)
		(void)madvise((void *)low, end - low, MADV_DONTNEED);
}

void
stack_guard_by(bool uses_advice, size_t n_mprotect)
{
	for (size_t i = 0; i < STACK_POOLS; i++)
		must(!pools[i].slabs);
	lacks_guard_advice = !uses_advice;
	max_mprotected = n_mprotect;
}

void
stack_close(void)
{
	for (size_t i = 0; i < STACK_POOLS; i++) {
		struct slab *slab;

		must(pools[i].n_used == 0);
		while ((slab = pools[i].slabs)) {
			pools[i].slabs = slab->next;
			for (size_t n = 0; n < STACK_SLAB_STACKS; n++)
				sanitize_stack_remove(
				    slab->stacks[n].valgrind_id);
			sanitize_slab_remove(slab->memory, slab->bytes);
			munmap(slab->memory, slab->bytes);
			mem_free(slab);
		}
		pools[i] = (struct pool){ 0 };
	}
	n_mprotected = 0;
	max_mprotected = STACK_MPROTECT_MAX;
	lacks_guard_advice = false;
}
