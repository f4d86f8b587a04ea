/* SPDX-License-Identifier: MIT */
/*
 * owner: as whom each tenant runs. A tenant with a user in the configuration
 * runs as that one; any other has an id of its own out of the pool's range,
 * the same for ever: the owner of its state folder is where that is written.
 */
#ifndef POOLD_OWNER_H
#define POOLD_OWNER_H

#include "common/base/err.h"
#include "common/proc/drop.h"

#include "poold/place.h"
#include "poold/settings.h"
#include "poold/uids.h"

/* Embedded in its owner. */
struct owners {
	const struct place *place; /* *borrowed* */
	struct uids uids;
	struct drop_ids shared; /* for all, where there is no range */
};

/*
 * Look who owns what in the state folder of place (*borrowed* for ever). Two
 * folders that a copy gave the same owner are parted. A range that this user
 * namespace does not map is said and done without: then tenants share `shared`.
 * Without root shared is NULL: then there is nothing but poold's own user.
 * Start-up only. Returns 0 or -errno with *err_r; ended with owners_close, also
 * after an error.
 */
int owners_open(struct owners *owners, const struct place *place,
    const struct settings *settings, const struct drop_ids *shared,
    struct err *err_r);

/* Whether this user namespace has ids. Start-up only. */
bool owners_exist(const struct drop_ids *ids);

/* Free it. */
void owners_close(struct owners *owners);

/*
 * As whom host runs, a host of tenant. Its folder becomes that user's if it was
 * another's. *is_alone_r: nobody else runs as this user. Returns 0 or -errno
 * with *err_r (-ENOSPC: all ids of the range are taken).
 */
int owners_find(struct owners *owners, const struct settings_tenant *tenant,
    const char *host, struct drop_ids *ids_r, bool *is_alone_r,
    struct err *err_r);

/* The id of the range that is host's and nobody else's; 0: it has none. */
uid_t owners_uid(const struct owners *owners, const char *host);

/* Remove the state folder of a host if nothing is in it, and free its id. */
void owners_forget(struct owners *owners, const char *host);

#endif
