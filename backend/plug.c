/* SPDX-License-Identifier: MIT */
/*
 * plug: asks for smaller and smaller pieces for as long as they come from
 * below the end, and writes to none.
 */
#include "backend/plug.h"

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/proc/sanitized.h"

#define PLUG_LARGEST  (64u << 10)
#define PLUG_PAGE     ((uintptr_t)4096)
#define PLUG_STEP     1024u
#define PLUG_SMALL    1032u /* what malloc keeps at hand when it is freed */
#define PLUG_SMALLEST 24u   /* the smallest that malloc has */
#define PLUG_GRAIN    16u   /* what its sizes differ by */
#define PLUG_HEADER   16u   /* what it writes in front of a piece */

/*
 * Take all pieces of n bytes that there are below top. A small one from beyond
 * is kept as well: freed, it would be the first that a child gets. Returns it.
 */
static void *
plug_pieces(size_t n, uintptr_t top)
{
	void *volatile piece;

	do
		piece = malloc(n);
	while (piece && (uintptr_t)piece < top);
	if (n <= PLUG_SMALL)
		return piece;
	free(piece);
	return NULL;
}

/* Give back the whole pages behind low and below high. */
static void
plug_strip(uintptr_t low, uintptr_t high)
{
	const uintptr_t first = (low + PLUG_PAGE - 1) & ~(PLUG_PAGE - 1);
	const uintptr_t end = high & ~(PLUG_PAGE - 1);

	if (first < end)
		(void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void
plug_heap(void)
{
	if (SANITIZED_BUILD)
		return; /* its malloc is another, and asks for what is kept */
	uintptr_t top = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	size_t n = PLUG_LARGEST;

	for (; n > PLUG_SMALL; n -= PLUG_STEP)
		plug_pieces(n, top);
	const void *const first = plug_pieces(n = PLUG_SMALL, top);
	const void *last = first;
	while ((n -= PLUG_GRAIN) >= PLUG_SMALLEST)
		last = plug_pieces(n, top);
	top = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	/* Only of what is as it is meant to be: last the least, then the end.
	 */
	if (!first || (uintptr_t)last + PLUG_HEADER != top ||
	    top - (uintptr_t)first > PLUG_LARGEST)
		return;
	/*
	 * Headers of what nobody frees, and what larger pieces left behind; not
	 * that behind the first: it says whether the first is in use, which is
	 * looked at when what stands before that is freed.
	 */
	plug_strip((uintptr_t)first + PLUG_SMALL + PLUG_HEADER,
	    (uintptr_t)last - PLUG_HEADER);
	plug_strip(top + PLUG_HEADER, (uintptr_t)sbrk(0));
}
