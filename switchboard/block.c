/* SPDX-License-Identifier: MIT */
/* block: a free list of buffers' storage. */
#include "switchboard/block.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"

#include "switchboard/limits.h"

/* A free block; the link stands in the block itself. */
struct block {
	struct block *next;
};

static struct block *block_kept;
static size_t block_n_kept;

void
block_init(struct buf *b)
{
	*b = (struct buf){ .is_static = true };
}

int
block_lend(struct buf *b)
{
	if (b->data)
		return 0;
	struct block *block = block_kept;
	if (block) {
		block_kept = block->next;
		block_n_kept--;
	} else {
		block = mem_alloc(LIMIT_BLOCK_BYTES);
	}
	if (!block)
		return -ENOMEM;
	buf_init_static(b, block, LIMIT_BLOCK_BYTES);
	return 0;
}

/* Give storage back to the list or to the heap. */
static void
block_release(char *data, size_t size)
{
	if (size != LIMIT_BLOCK_BYTES || block_n_kept == LIMIT_BLOCKS_KEPT) {
		mem_free(data);
		return;
	}
	struct block *const block = (struct block *)(void *)data;
	block->next = block_kept;
	block_kept = block;
	block_n_kept++;
}

int
block_grow(struct buf *b, size_t bytes)
{
	must(b->is_static);
	if (b->size >= bytes)
		return 0;
	if (bytes <= LIMIT_BLOCK_BYTES)
		return block_lend(b);
	char *const data = mem_alloc(bytes);
	if (!data)
		return -ENOMEM;
	const struct slice content = buf_content(b);
	if (content.n)
		memcpy(data, content.p, content.n);
	block_return(b);
	buf_init_static(b, data, bytes);
	b->tail = content.n;
	return 0;
}

void
block_return(struct buf *b)
{
	must(b->is_static);
	if (b->data)
		block_release(b->data, b->size);
	block_init(b);
}

void
block_trim(struct buf *b)
{
	if (b->data && !buf_len(b))
		block_return(b);
}

size_t
block_room(const struct buf *b)
{
	return b->data ? buf_room(b) : LIMIT_BLOCK_BYTES;
}

void
block_cut(struct buf *b, size_t n)
{
	must(n <= buf_len(b));
	b->tail = b->head + n;
}

void
block_move(struct buf *to, struct buf *from)
{
	must(!to->data && from->is_static);
	*to = *from;
	block_init(from);
}

void
block_close(void)
{
	while (block_kept) {
		struct block *const block = block_kept;

		block_kept = block->next;
		mem_free(block);
	}
	block_n_kept = 0;
}
