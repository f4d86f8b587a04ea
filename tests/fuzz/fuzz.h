/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what the fuzz targets share. The first bytes of an input decide how
 * the rest is cut into pieces, so that one input always runs in one way. Each
 * piece is handed over in memory of exactly its size.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"

/* What libFuzzer calls with each input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The input that is left; fuzz_byte takes from its start. */
struct fuzz {
	const uint8_t *p;
	size_t n;
	uint32_t cut; /* state of the sequence of piece sizes */
};

/* Take a byte that decides something; 0 when there is none left. */
static inline unsigned
fuzz_byte(struct fuzz *f)
{
	if (!f->n)
		return 0;
	f->n--;
	return *f->p++;
}

/* The size of the next piece of left > 0 bytes, mostly small. */
static inline size_t
fuzz_piece(struct fuzz *f, size_t left)
{
	f->cut = f->cut * 1103515245u + 12345u;
	const size_t n = 1 + (f->cut >> 16) % (f->cut & 1 ? 3 : 200);

	return n < left ? n : left;
}

/* Copy s into *new* memory of its own size; free() ends it. */
static inline char *
fuzz_copy(struct slice s)
{
	char *const p = malloc(s.n ? s.n : 1);

	if (!p)
		abort();
	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

/* Abort, so that the fuzzer reports the input, unless cond holds. */
static inline void
fuzz_must(int cond)
{
	if (!cond)
		abort();
}

#endif
