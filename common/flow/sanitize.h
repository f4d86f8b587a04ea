/* SPDX-License-Identifier: MIT */
/*
 * sanitize: what AddressSanitizer, LeakSanitizer and valgrind must be told
 * about stacks that are not the kernel's. Empty in a release build.
 */
#ifndef FLOW_SANITIZE_H
#define FLOW_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZE_ADDRESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZE_ADDRESS 1
#endif
#endif
#ifndef SANITIZE_ADDRESS
#define SANITIZE_ADDRESS 0
#endif

#if SANITIZE_ADDRESS
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

/*
 * valgrind, where its header is installed, is told of each stack, so that it
 * does not take a switch for a change of one stack's pointer. Outside of
 * valgrind the request is some instructions without effect.
 */
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

/* Whether valgrind runs this. */
static inline bool
sanitize_on_valgrind(void)
{
#ifdef RUNNING_ON_VALGRIND
	return RUNNING_ON_VALGRIND != 0;
#else
	return false;
#endif
}

/* A stack [low, high) exists. Returns its number for valgrind. */
static inline unsigned
sanitize_stack_add(void *low, void *high)
{
#ifdef VALGRIND_STACK_REGISTER
	return (unsigned)VALGRIND_STACK_REGISTER(low, high);
#else
	return 0;
#endif
}

/* The stack of that number is about to be unmapped. */
static inline void
sanitize_stack_remove(unsigned number)
{
#ifdef VALGRIND_STACK_DEREGISTER
	VALGRIND_STACK_DEREGISTER(number);
#endif
}

/* A slab of stacks exists: what parked stacks point to is no leak. */
static inline void
sanitize_slab_add(void *memory, size_t bytes)
{
#if SANITIZE_ADDRESS
	__lsan_register_root_region(memory, bytes);
#endif
}

/* The slab is about to be unmapped. */
static inline void
sanitize_slab_remove(void *memory, size_t bytes)
{
#if SANITIZE_ADDRESS
	__lsan_unregister_root_region(memory, bytes);
#endif
}

/* A stack changes its owner: frames that were left are forgotten. */
static inline void
sanitize_stack_reset(void *low, size_t bytes)
{
#if SANITIZE_ADDRESS
	__asan_unpoison_memory_region(low, bytes);
#endif
}

/* The record at the top of a stack is somebody's from here on. */
static inline void
sanitize_record_begin(void *record, size_t bytes)
{
#if SANITIZE_ADDRESS
	__asan_unpoison_memory_region(record, bytes);
#endif
#ifdef VALGRIND_MAKE_MEM_UNDEFINED
	VALGRIND_MAKE_MEM_UNDEFINED(record, bytes);
#endif
}

/* The last reference to it is gone: who touches it now is wrong. */
static inline void
sanitize_record_end(void *record, size_t bytes)
{
#if SANITIZE_ADDRESS
	__asan_poison_memory_region(record, bytes);
#endif
#ifdef VALGRIND_MAKE_MEM_NOACCESS
	VALGRIND_MAKE_MEM_NOACCESS(record, bytes);
#endif
}

/*
 * About to switch to the stack [low, low + bytes). *fake_r keeps this stack's
 * state; NULL: this stack is left for ever.
 */
static inline void
sanitize_switch_start(void **fake_r, const void *low, size_t bytes)
{
#if SANITIZE_ADDRESS
	__sanitizer_start_switch_fiber(fake_r, low, bytes);
#endif
}

/* Arrived on a stack; *low_r and *bytes_r are those of the stack left. */
static inline void
sanitize_switch_finish(void *fake, const void **low_r, size_t *bytes_r)
{
#if SANITIZE_ADDRESS
	__sanitizer_finish_switch_fiber(fake, low_r, bytes_r);
#endif
}

/* About to jump out of frames that will never return. */
static inline void
sanitize_no_return(void)
{
#if SANITIZE_ADDRESS
	__asan_handle_no_return();
#endif
}

#endif
