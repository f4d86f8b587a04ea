/* SPDX-License-Identifier: MIT */
/*
 * mem: allocation with one place where a test can make the n-th one fail.
 * mem_* return NULL when memory is short (everything per request, session or
 * child); xmem_* abort (start-up and configuration only). Everything that
 * they return is ended with mem_free.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Allocate n bytes, uninitialised. Returns *new* memory or NULL. */
void *mem_alloc(size_t n) __attribute__((malloc, warn_unused_result));

/* Allocate count × size zeroed bytes, checked for overflow; *new* or NULL. */
void *mem_zalloc(size_t count, size_t size)
    __attribute__((malloc, warn_unused_result));

/* Resize p (NULL allowed). Returns NULL and leaves p alone when short. */
void *mem_realloc(void *p, size_t n) __attribute__((warn_unused_result));

/* Copy n bytes of s and end them with NUL. Returns *new* text or NULL. */
char *mem_strndup(const char *s, size_t n)
    __attribute__((malloc, warn_unused_result));

/* Copy a string. Returns *new* text or NULL. */
char *mem_strdup(const char *s) __attribute__((malloc, warn_unused_result));

/* Free what mem_* or xmem_* returned; NULL is allowed. */
void mem_free(void *p);

/* mem_zalloc that aborts with a sentence when memory is short. */
void *xmem_zalloc(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, warn_unused_result));

/* mem_strdup that aborts with a sentence when memory is short. */
char *xmem_strdup(const char *s)
    __attribute__((malloc, returns_nonnull, warn_unused_result));

/*
 * For a pool whose objects malloc does not see: one is about to be given out,
 * which counts as an allocation. Returns false when a test wants it refused.
 */
bool mem_pool_get(void);

/* The pool has it back. */
void mem_pool_put(void);

/*
 * Tests only: refuse the n-th allocation from now (1 = the next one), once;
 * 0 refuses none. Also counts: mem_count() is the number of allocations
 * since the last call of mem_fail_at.
 */
void mem_fail_at(size_t n);

/* Allocations since the last mem_fail_at. */
size_t mem_count(void);

/*
 * Allocations that were not freed yet, of all threads: a test that compares
 * it before and after sees a leak where no sanitizer looks.
 */
size_t mem_live(void);

#endif
