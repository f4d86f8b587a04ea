/* SPDX-License-Identifier: MIT */
/* uids: a bit map, searched from where the last search ended. */
#include "poold/uids.h"

#include <errno.h>

#include "common/base/mem.h"
#include "common/base/must.h"

int
uids_init(struct uids *uids, uid_t first, uint32_t n)
{
	*uids = (struct uids){ .first = first, .n = n };
	uids->taken = mem_zalloc(n / 8 + 1, 1);
	return uids->taken ? 0 : -ENOMEM;
}

void
uids_fini(struct uids *uids)
{
	mem_free(uids->taken);
	*uids = (struct uids){ 0 };
}

bool
uids_has(const struct uids *uids, uid_t uid)
{
	return uid >= uids->first && uid - uids->first < uids->n;
}

bool
uids_mark(struct uids *uids, uid_t uid)
{
	must(uids_has(uids, uid));
	const uint32_t i = uid - uids->first;
	const uint8_t bit = (uint8_t)(1u << i % 8);
	if (uids->taken[i / 8] & bit)
		return false;
	uids->taken[i / 8] |= bit;
	return true;
}

int
uids_take(struct uids *uids, uid_t *uid_r)
{
	for (uint32_t tried = 0; tried < uids->n; tried++) {
		const uid_t uid = uids->first + uids->next;
		uids->next = (uids->next + 1) % uids->n;
		if (uids_mark(uids, uid)) {
			*uid_r = uid;
			return 0;
		}
	}
	return -ENOSPC;
}

void
uids_give(struct uids *uids, uid_t uid)
{
	if (!uids_has(uids, uid))
		return;
	const uint32_t i = uid - uids->first;
	uids->taken[i / 8] &= (uint8_t) ~(1u << i % 8);
}
