/* SPDX-License-Identifier: MIT */
/*
 * sanitized: whether this is a build for tests with AddressSanitizer. Its
 * search for leaks, at the end, stops the process by ptrace from a clone of
 * itself and reads files of /proc/self: a sandbox must leave it that much. No
 * installed program is built so.
 */
#ifndef PROC_SANITIZED_H
#define PROC_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED_BUILD true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED_BUILD true
#endif
#endif
#ifndef SANITIZED_BUILD
#define SANITIZED_BUILD false
#endif

#endif
