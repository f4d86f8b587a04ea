/* SPDX-License-Identifier: MIT */
/* mem: malloc behind one gate that tests can close. */
#include "common/base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t mem_counted;
static size_t mem_refused_at;
static atomic_size_t mem_living; /* helper threads allocate too */

/* Count an allocation; say whether a test wants this one to fail. */
static bool
mem_is_refused(void)
{
	mem_counted++;
	return mem_refused_at && mem_counted == mem_refused_at;
}

/* Count what malloc gave. */
static void *
mem_given(void *p)
{
	if (p)
		atomic_fetch_add_explicit(&mem_living, 1, memory_order_relaxed);
	return p;
}

bool
mem_pool_get(void)
{
	if (mem_is_refused())
		return false;
	atomic_fetch_add_explicit(&mem_living, 1, memory_order_relaxed);
	return true;
}

void
mem_pool_put(void)
{
	atomic_fetch_sub_explicit(&mem_living, 1, memory_order_relaxed);
}

void *
mem_alloc(size_t n)
{
	return mem_is_refused() ? NULL : mem_given(malloc(n ? n : 1));
}

void *
mem_zalloc(size_t count, size_t size)
{
	size_t n;

	/* calloc would see it too, but under AddressSanitizer it aborts */
	if (mem_is_refused() || __builtin_mul_overflow(count, size, &n))
		return NULL;
	return mem_given(calloc(1, n ? n : 1));
}

void *
mem_realloc(void *p, size_t n)
{
	if (mem_is_refused())
		return NULL;
	if (!p)
		return mem_given(malloc(n ? n : 1));
	return realloc(p, n ? n : 1);
}

char *
mem_strndup(const char *s, size_t n)
{
	char *const copy = n == SIZE_MAX ? NULL : mem_alloc(n + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *
mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

void
mem_free(void *p)
{
	if (p)
		atomic_fetch_sub_explicit(&mem_living, 1, memory_order_relaxed);
	free(p);
}

/* Out of memory at start: nothing to save yet. */
static void __attribute__((noreturn)) mem_die(void)
{
	fputs("out of memory while starting\n", stderr);
	abort();
}

void *
xmem_zalloc(size_t count, size_t size)
{
	void *const p = mem_zalloc(count, size);

	if (!p)
		mem_die();
	return p;
}

char *
xmem_strdup(const char *s)
{
	char *const p = mem_strdup(s);

	if (!p)
		mem_die();
	return p;
}

void
mem_fail_at(size_t n)
{
	mem_counted = 0;
	mem_refused_at = n;
}

size_t
mem_count(void)
{
	return mem_counted;
}

size_t
mem_live(void)
{
	return atomic_load_explicit(&mem_living, memory_order_relaxed);
}
