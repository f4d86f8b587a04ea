/* SPDX-License-Identifier: MIT */
/* mark: FNV-1a over what statx says. */
#include "poold/mark.h"

#include <fcntl.h>
#include <sys/stat.h>

#define MARK_FIRST UINT64_C(0xcbf29ce484222325)
#define MARK_PRIME UINT64_C(0x100000001b3)

static uint64_t
mark_add(uint64_t mark, uint64_t value)
{
	for (unsigned i = 0; i < 64; i += 8)
		mark = (mark ^ ((value >> i) & 0xff)) * MARK_PRIME;
	return mark;
}

uint64_t
mark_of(char *const *paths, size_t n)
{
	const unsigned want =
	    STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME;
	uint64_t mark = MARK_FIRST;

	for (size_t i = 0; i < n; i++) {
		struct statx st = { 0 };
		(void)statx(AT_FDCWD, paths[i], AT_STATX_DONT_SYNC, want, &st);
		mark = mark_add(mark, st.stx_mask & want);
		mark = mark_add(mark, st.stx_dev_major);
		mark = mark_add(mark, st.stx_dev_minor);
		mark = mark_add(mark, st.stx_ino);
		mark = mark_add(mark, st.stx_size);
		mark = mark_add(mark, (uint64_t)st.stx_mtime.tv_sec);
		mark = mark_add(mark, st.stx_mtime.tv_nsec);
		mark = mark_add(mark, (uint64_t)st.stx_ctime.tv_sec);
		mark = mark_add(mark, st.stx_ctime.tv_nsec);
	}
	return mark;
}
