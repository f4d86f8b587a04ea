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
#include <unistd.h>

#define PLUG_LARGEST  (64u << 10)
#define PLUG_SMALL    1024u
#define PLUG_SMALLEST 24u /* the smallest that malloc has */

/* Take all pieces of n bytes that there are below top. */
static void
plug_pieces(size_t n, uintptr_t top)
{
	void *volatile piece;

	do
		piece = malloc(n);
	while (piece && (uintptr_t)piece < top);
	free(piece);
}

void
plug_heap(void)
{
	const uintptr_t top = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	size_t n = PLUG_LARGEST;

	for (; n > PLUG_SMALL; n -= PLUG_SMALL)
		plug_pieces(n, top);
	for (; n >= PLUG_SMALLEST; n -= 8)
		plug_pieces(n, top);
}
