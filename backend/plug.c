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

/*
 * Take all pieces of n bytes that there are below top. A small one from beyond
 * is kept as well: freed, it would be the first that a child gets.
 */
static void
plug_pieces(size_t n, uintptr_t top)
{
	void *volatile piece;

	do
		piece = malloc(n);
	while (piece && (uintptr_t)piece < top);
	if (n > PLUG_SMALL)
		free(piece);
}

/* Those that were given out and taken back left headers beyond the end. */
static void
plug_strip(void)
{
	char *const end = sbrk(0);
	const uintptr_t top = (uintptr_t)end - mallinfo2().keepcost;
	char *const first =
	    (char *)((top + 2 * sizeof(size_t) + PLUG_PAGE - 1) &
		     ~(PLUG_PAGE - 1));

	if (first < end)
		(void)madvise(first, (size_t)(end - first), MADV_DONTNEED);
}

void
plug_heap(void)
{
	if (SANITIZED_BUILD)
		return; /* its malloc is another, and asks for what is kept */
	const uintptr_t top = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	size_t n = PLUG_LARGEST;

	for (; n > PLUG_SMALL; n -= PLUG_STEP)
		plug_pieces(n, top);
	for (n = PLUG_SMALL; n >= PLUG_SMALLEST; n -= PLUG_GRAIN)
		plug_pieces(n, top);
	plug_strip();
}
