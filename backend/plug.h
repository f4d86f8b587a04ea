/* SPDX-License-Identifier: MIT */
/*
 * plug: a process that forks many makes its heap one without holes, so that a
 * child puts what it allocates into new pages in one piece, instead of making
 * copies of old pages here and there.
 */
#ifndef BACKEND_PLUG_H
#define BACKEND_PLUG_H

/*
 * Take what is free below the end of the heap, for good. It costs no memory:
 * what malloc_trim gave back before stays given back.
 */
void plug_heap(void);

#endif
