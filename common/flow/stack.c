/* SPDX-License-Identifier: MIT */
/*
 * stack: slabs of stacks. Memory that was never touched costs nothing
 * (MAP_NORESERVE, no huge pages), so a parked task costs the pages it used.
 * A slab is one mapping; with MADV_GUARD_INSTALL its guards split nothing, so
 * 100 000 stacks stay far below vm.max_map_count.
 *
 * A stack that is put back keeps its pages until nothing is left to run; then
 * those beyond STACK_WARM_BYTES of address space are given back to the kernel,
 * neighbours by one call.
 */
#include "common/flow/stack.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sanitize.h"

#define STACK_PAGE         ((size_t)4096)
#define STACK_SLAB_STACKS  64
#define STACK_SIZES        16         /* a page, two, four, … */
#define STACK_WARM_BYTES   (16 << 20) /* of free stacks that keep their pages */
#define STACK_COLOURS      8          /* see stack_top */
#define STACK_GUARD_ADVICE 102        /* MADV_GUARD_INSTALL, Linux 6.13 */

TAILQ_HEAD(stack_list, stack);

_Static_assert(STACK_BYTES_MAX == STACK_PAGE << (STACK_SIZES - 1), "said so");

struct pool;

/* One mapping of STACK_SLAB_STACKS stacks of a pool. */
struct slab {
	SLIST_ENTRY(slab) link;
	SLIST_ENTRY(slab) trim_link;
	struct pool *pool;
	char *memory;
	uint64_t to_trim; /* bit n: stack n is free, its pages are to go */
	struct stack stacks[STACK_SLAB_STACKS];
};

SLIST_HEAD(slab_list, slab);

/* All stacks of one size. */
struct pool {
	size_t bytes;           /* of one stack, guard included; 0: unused */
	struct stack_list warm; /* free, may hold pages; latest first */
	struct stack_list cold; /* free, without pages */
	struct stack_list over; /* only their records are in use */
	size_t n_warm;
	size_t n_used;
	struct slab_list slabs;
};

static struct pool pools[STACK_SIZES];
static size_t n_mprotected;
static size_t max_mprotected = STACK_MPROTECT_MAX;
static bool lacks_guard_advice;

static void
pool_init(struct pool *pool, size_t bytes)
{
	*pool = (struct pool){ .bytes = bytes };
	TAILQ_INIT(&pool->warm);
	TAILQ_INIT(&pool->cold);
	TAILQ_INIT(&pool->over);
	SLIST_INIT(&pool->slabs);
}

/*
 * The pool of the smallest stacks that are large enough; NULL: none are. Sizes
 * are powers of two pages, so that whatever tools wish for, there are few.
 */
static struct pool *
stack_pool(size_t bytes)
{
	const size_t pages = bytes ? (bytes - 1) / STACK_PAGE + 1 : 1;
	const unsigned i =
	    pages > 1 ? 64 - (unsigned)__builtin_clzll(pages - 1) : 0;

	if (i >= STACK_SIZES)
		return NULL;
	if (!pools[i].bytes)
		pool_init(&pools[i], (STACK_PAGE << i) + STACK_PAGE);
	return &pools[i];
}

char *
stack_base(const struct stack *s)
{
	return s->slab->memory + s->number * s->slab->pool->bytes;
}

/*
 * Neighbours have their records, and with them what they touch at each park,
 * on different lines of their pages: else all tasks would share the few sets
 * of the caches that these lines belong to.
 */
char *
stack_top(const struct stack *s)
{
	return stack_base(s) + s->slab->pool->bytes - STACK_RECORD_BYTES -
	       s->number % STACK_COLOURS * STACK_LINE;
}

size_t
stack_bytes(const struct stack *s)
{
	return (size_t)(stack_top(s) - stack_base(s));
}

void *
stack_record(const struct stack *s)
{
	return stack_top(s);
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

/* Put the stacks of a new slab on the free list of the pool. */
static void
slab_fill(struct slab *slab)
{
	struct pool *const pool = slab->pool;

	for (unsigned i = 0; i < STACK_SLAB_STACKS; i++) {
		struct stack *const s = &slab->stacks[i];
		s->slab = slab;
		s->number = (uint8_t)i;
		s->valgrind_id =
		    sanitize_stack_add(stack_base(s), stack_top(s));
		sanitize_record_end(stack_record(s), STACK_RECORD_BYTES);
		TAILQ_INSERT_TAIL(&pool->cold, s, link);
	}
}

/* Map one more slab. */
static int
pool_grow(struct pool *pool)
{
	const size_t bytes = pool->bytes * STACK_SLAB_STACKS;
	struct slab *const slab = mem_zalloc(1, sizeof(*slab));

	if (!slab)
		return -ENOMEM;
	slab->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (slab->memory == MAP_FAILED) {
		mem_free(slab);
		return -ENOMEM;
	}
	(void)madvise(slab->memory, bytes, MADV_NOHUGEPAGE);
	sanitize_slab_add(slab->memory, bytes);
	slab->pool = pool;
	slab_fill(slab);
	SLIST_INSERT_HEAD(&pool->slabs, slab, link);
	return 0;
}

/* Take a free stack of the pool; there is one. */
static struct stack *
pool_take(struct pool *pool)
{
	struct stack *s = TAILQ_FIRST(&pool->warm);

	if (s) {
		TAILQ_REMOVE(&pool->warm, s, link);
		pool->n_warm--;
	} else {
		s = TAILQ_FIRST(&pool->cold);
		TAILQ_REMOVE(&pool->cold, s, link);
	}
	pool->n_used++;
	return s;
}

/* Nobody's frames are on it any more. */
static void
stack_reset(const struct stack *s)
{
	char *const low = stack_base(s) + STACK_PAGE;

	sanitize_stack_reset(low, (size_t)(stack_top(s) - low));
}

struct stack *
stack_get(size_t bytes)
{
	struct pool *const pool = stack_pool(bytes);

	if (!pool || !mem_pool_get())
		return NULL;
	if (TAILQ_EMPTY(&pool->warm) && TAILQ_EMPTY(&pool->cold) &&
	    pool_grow(pool) < 0) {
		mem_pool_put();
		return NULL;
	}
	struct stack *const s = pool_take(pool);
	/* Not before: a guard costs a call, and a page table if it is alone. */
	if (!s->is_looked_at)
		s->has_guard = stack_guard(stack_base(s));
	s->is_looked_at = true;
	stack_reset(s);
	sanitize_record_begin(stack_record(s), STACK_RECORD_BYTES);
	return s;
}

void
stack_put(struct stack *s)
{
	struct pool *const pool = s->slab->pool;

	if (s->is_over)
		TAILQ_REMOVE(&pool->over, s, link);
	s->is_over = false;
	stack_reset(s);
	sanitize_record_end(stack_record(s), STACK_RECORD_BYTES);
	pool->n_used--;
	pool->n_warm++;
	TAILQ_INSERT_HEAD(&pool->warm, s, link);
	mem_pool_put();
}

void
stack_over(struct stack *s)
{
	must(!s->is_over);
	s->is_over = true;
	TAILQ_INSERT_TAIL(&s->slab->pool->over, s, link);
}

/* Give back all pages of stacks first to last of a slab; guards stay. */
static void
slab_trim_run(const struct slab *slab, unsigned first, unsigned last)
{
	char *const low = stack_base(&slab->stacks[first]) + STACK_PAGE;
	char *const end = stack_base(&slab->stacks[last]) + slab->pool->bytes;

	(void)madvise(low, (size_t)(end - low), MADV_DONTNEED);
}

/* Give back the pages of the stacks that are marked, runs of them at once. */
static void
slab_trim(struct slab *slab)
{
	uint64_t left = slab->to_trim;

	while (left) {
		const unsigned first = (unsigned)__builtin_ctzll(left);
		const uint64_t after = ~(left >> first);
		const unsigned n =
		    after ? (unsigned)__builtin_ctzll(after) : 64;
		slab_trim_run(slab, first, first + n - 1);
		left &= n + first < 64 ? UINT64_MAX << (first + n) : 0;
	}
	slab->to_trim = 0;
}

/* Free stacks beyond warm_bytes, those longest unused, get cold. */
static void
pool_cool(struct pool *pool, size_t warm_bytes)
{
	struct slab_list marked = SLIST_HEAD_INITIALIZER(marked);
	struct slab *slab;

	while (pool->n_warm * pool->bytes > warm_bytes) {
		struct stack *const s = TAILQ_LAST(&pool->warm, stack_list);
		slab = s->slab;
		TAILQ_REMOVE(&pool->warm, s, link);
		pool->n_warm--;
		TAILQ_INSERT_HEAD(&pool->cold, s, link);
		if (!slab->to_trim)
			SLIST_INSERT_HEAD(&marked, slab, trim_link);
		slab->to_trim |= UINT64_C(1) << s->number;
	}
	SLIST_FOREACH (slab, &marked, trim_link)
		slab_trim(slab);
}

/* Of stacks that are over only the record is left. */
static void
pool_strip(struct pool *pool)
{
	struct stack *s;

	while ((s = TAILQ_FIRST(&pool->over))) {
		TAILQ_REMOVE(&pool->over, s, link);
		s->is_over = false;
		stack_trim(s, stack_top(s));
	}
}

void
stack_tidy(void)
{
	for (size_t i = 0; i < STACK_SIZES; i++) {
		if (!pools[i].bytes)
			continue;
		pool_strip(&pools[i]);
		pool_cool(&pools[i], STACK_WARM_BYTES);
	}
}

void
stack_cool(void)
{
	for (size_t i = 0; i < STACK_SIZES; i++)
		if (pools[i].bytes)
			pool_cool(&pools[i], 0);
}

bool
stack_check(const struct stack *s)
{
	return *(const volatile uint64_t *)stack_base(s) == 0;
}

void
stack_trim(const struct stack *s, const void *sp)
{
	/* 1 KiB below sp: the red zone and the call that brought us here. */
	const uintptr_t end = ((uintptr_t)sp - 1024) & ~(uintptr_t)4095;
	const uintptr_t low = (uintptr_t)stack_base(s) + STACK_PAGE;

	must((uintptr_t)sp > low && (uintptr_t)sp <= (uintptr_t)stack_top(s));
	if (end > low && !SANITIZE_ADDRESS)
		(void)madvise((void *)low, end - low, MADV_DONTNEED);
}

void
stack_guard_by(bool uses_advice, size_t n_mprotect)
{
	for (size_t i = 0; i < STACK_SIZES; i++)
		must(SLIST_EMPTY(&pools[i].slabs));
	lacks_guard_advice = !uses_advice;
	max_mprotected = n_mprotect;
}

/* Unmap a slab; its stacks are free. */
static void
slab_free(struct slab *slab)
{
	const size_t bytes = slab->pool->bytes * STACK_SLAB_STACKS;

	for (size_t n = 0; n < STACK_SLAB_STACKS; n++)
		sanitize_stack_remove(slab->stacks[n].valgrind_id);
	sanitize_stack_reset(slab->memory, bytes);
	sanitize_slab_remove(slab->memory, bytes);
	munmap(slab->memory, bytes);
	mem_free(slab);
}

static void
pool_free(struct pool *pool)
{
	struct slab *slab;

	while ((slab = SLIST_FIRST(&pool->slabs))) {
		SLIST_REMOVE_HEAD(&pool->slabs, link);
		slab_free(slab);
	}
	*pool = (struct pool){ .bytes = 0 };
}

void
stack_close(void)
{
	size_t n_used = 0;

	for (size_t i = 0; i < STACK_SIZES; i++) {
		n_used += pools[i].n_used;
		if (pools[i].bytes && !pools[i].n_used)
			pool_free(&pools[i]);
	}
	if (n_used)
		return;
	n_mprotected = 0;
	max_mprotected = STACK_MPROTECT_MAX;
	lacks_guard_advice = false;
}
