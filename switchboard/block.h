/* SPDX-License-Identifier: MIT */
/*
 * block: storage for buffers. Blocks of one size are lent to a buffer when it
 * gets content and given back when it is empty, so that idle connections hold
 * none and a busy process allocates nothing per request. A buffer that must
 * hold a long head gets a larger piece for a while.
 */
#ifndef SWITCHBOARD_BLOCK_H
#define SWITCHBOARD_BLOCK_H

#include <stddef.h>

#include "common/base/bytes.h"

/* Make *b an empty buffer without storage. */
void block_init(struct buf *b);

/* Lend a block to b if it has no storage. Returns 0 or -ENOMEM. */
int block_lend(struct buf *b);

/* Give b at least bytes of storage, content kept. Returns 0 or -ENOMEM. */
int block_grow(struct buf *b, size_t bytes);

/* Drop the content and give the storage back; no storage: nothing. */
void block_return(struct buf *b);

/* Give the storage back if b is empty. */
void block_trim(struct buf *b);

/* Bytes that b can still take, also when it has no storage yet. */
size_t block_room(const struct buf *b);

/* Keep only the first n bytes of the content. */
void block_cut(struct buf *b, size_t n);

/* Move content and storage of *from to *to, which must be without storage. */
void block_move(struct buf *to, struct buf *from);

/* Free the blocks that are kept: at the end of the process. */
void block_close(void);

#endif
