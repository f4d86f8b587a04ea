/* SPDX-License-Identifier: MIT */
/*
 * mark: a number that changes when one of some files is another one or has
 * another content: how a tenant held as failed is seen to have changed.
 */
#ifndef POOLD_MARK_H
#define POOLD_MARK_H

#include <stddef.h>
#include <stdint.h>

/*
 * The mark of n files: who they are, their size and times. One that is missing
 * counts as such. Asks no server of a network file system for news, since
 * poold must not wait for one.
 */
uint64_t mark_of(char *const *paths, size_t n);

#endif
