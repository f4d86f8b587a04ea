/* SPDX-License-Identifier: MIT */
/*
 * uids: which user ids of a range are taken: one a tenant. Who has which is
 * written nowhere but in the owner of each state folder (owner.c). Pure.
 */
#ifndef POOLD_UIDS_H
#define POOLD_UIDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Embedded in its owner. */
struct uids {
	uid_t first;
	uint32_t n;
	uint32_t next;  /* where the search for a free one begins */
	uint8_t *taken; /* a bit each */
};

/*
 * Begin with none of n ids from first on taken; n may be 0. Returns 0 or
 * -ENOMEM; ended with uids_fini.
 */
int uids_init(struct uids *uids, uid_t first, uint32_t n);

/* Free it. */
void uids_fini(struct uids *uids);

/* Whether uid lies in the range. */
bool uids_has(const struct uids *uids, uid_t uid);

/* Take this one. Returns false when it is taken already. */
bool uids_mark(struct uids *uids, uid_t uid);

/*
 * Take a free one. One that was given back comes again as late as can be.
 * Returns 0 or -ENOSPC.
 */
int uids_take(struct uids *uids, uid_t *uid_r);

/* Give it back; one that lies outside is left alone. */
void uids_give(struct uids *uids, uid_t uid);

#endif
