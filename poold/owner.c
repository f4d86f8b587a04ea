/* SPDX-License-Identifier: MIT */
/*
 * owner: the state folder is root's, so that a tenant cannot change whose its
 * own folder is; a backup brings the owners along.
 */
#include "poold/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

/* Whether all ids of the range exist here (user_namespaces(7)). */
static bool
owners_is_mapped(const char *path, int64_t first, int64_t n)
{
	FILE *const file = fopen(path, "re");
	int64_t from, to, length;
	bool is_mapped = false;

	/* A kernel without user namespaces has no such file. */
	if (!file)
		return errno == ENOENT;
	while (!is_mapped && fscanf(file, "%" SCNd64 " %" SCNd64 " %" SCNd64,
				 &from, &to, &length) == 3)
		is_mapped = first >= from && first + n <= from + length;
	fclose(file);
	return is_mapped;
}

bool
owners_exist(const struct drop_ids *ids)
{
	return owners_is_mapped("/proc/self/uid_map", ids->uid, 1) &&
	       owners_is_mapped("/proc/self/gid_map", ids->gid, 1);
}

/* The ids that go with a number of the range. */
static void
owners_fill(uid_t uid, struct drop_ids *ids_r)
{
	*ids_r = (struct drop_ids){ .uid = uid, .gid = uid };
	snprintf(ids_r->user, sizeof(ids_r->user), "%u", uid);
}

/* The state folder of host is somebody's already: give it to an id of its own.
 */
static int
owners_part(struct owners *owners, const char *host, struct err *err_r)
{
	struct drop_ids ids;
	uid_t uid;

	if (uids_take(&owners->uids, &uid) < 0)
		return err_set(err_r, -ENOSPC, host,
		    "all uid_count ids for tenants are taken");
	owners_fill(uid, &ids);
	log_warn("%s: its folder had the owner of another tenant's, it is "
		 "user %u's now",
	    host, uid);
	return place_give_state(owners->place, host, &ids, err_r);
}

/*
 * Walk the state folder: first every id is marked, then the second folder of
 * the same owner gets another one.
 */
static int
owners_scan(struct owners *owners, DIR *dir, struct err *err_r)
{
	struct uids seen;
	const struct dirent *entry;
	struct stat st;
	int e = uids_init(&seen, owners->uids.first, owners->uids.n);

	if (e < 0)
		return err_set(err_r, e, NULL, "no memory");
	for (unsigned round = 0; round < 2; round++, rewinddir(dir))
		while (e == 0 && (entry = readdir(dir))) {
			if (fstatat(dirfd(dir), entry->d_name, &st,
				AT_SYMLINK_NOFOLLOW) < 0 ||
			    !S_ISDIR(st.st_mode) ||
			    !uids_has(&owners->uids, st.st_uid))
				continue;
			if (round == 0)
				(void)uids_mark(&owners->uids, st.st_uid);
			else if (!uids_mark(&seen, st.st_uid))
				e = owners_part(owners, entry->d_name, err_r);
		}
	uids_fini(&seen);
	return e;
}

int
owners_open(struct owners *owners, const struct place *place,
    const struct settings *settings, const struct drop_ids *shared,
    struct err *err_r)
{
	const int64_t first = settings->pool.uid_first;
	int64_t n = settings->pool.uid_count;

	*owners = (struct owners){ .place = place };
	if (!shared)
		return 0;
	owners->shared = *shared;
	if (n > 0 && (!owners_is_mapped("/proc/self/uid_map", first, n) ||
			 !owners_is_mapped("/proc/self/gid_map", first, n))) {
		log_warn("isolation: the ids from %" PRId64 " on do not exist "
			 "in this user namespace (uid_first, uid_count)",
		    first);
		n = 0;
	}
	if (uids_init(&owners->uids, (uid_t)first, (uint32_t)n) < 0)
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	if (n == 0) {
		log_warn("isolation: tenants without a user of their own run "
			 "as user %s and are not isolated from each other",
		    shared->user);
		return 0;
	}
	DIR *const dir = opendir(place->state_dir);
	if (!dir)
		return err_set(err_r, -errno, place->state_dir,
		    "cannot be looked through: %s", strerrordesc_np(errno));
	const int e = owners_scan(owners, dir, err_r);
	closedir(dir);
	return e;
}

void
owners_close(struct owners *owners)
{
	uids_fini(&owners->uids);
}

/* The id of the range that owns the folder of host, or else a new one. */
static int
owners_of_range(struct owners *owners, const char *host, uid_t *uid_r)
{
	const int e = place_state_owner(owners->place, host, uid_r);

	if (e == 0 && uids_has(&owners->uids, *uid_r)) {
		(void)uids_mark(&owners->uids, *uid_r);
		return 0;
	}
	return uids_take(&owners->uids, uid_r);
}

int
owners_find(struct owners *owners, const struct settings_tenant *tenant,
    const char *host, struct drop_ids *ids_r, bool *is_alone_r,
    struct err *err_r)
{
	uid_t uid;

	*is_alone_r = true;
	if (tenant->user[0]) {
		*ids_r = tenant->ids;
	} else if (owners->uids.n == 0) {
		*ids_r = owners->shared;
		*is_alone_r = false;
	} else {
		if (owners_of_range(owners, host, &uid) < 0)
			return err_set(err_r, -ENOSPC, host,
			    "all uid_count ids for tenants are taken");
		owners_fill(uid, ids_r);
	}
	return place_give_state(owners->place, host, ids_r, err_r);
}

uid_t
owners_uid(const struct owners *owners, const char *host)
{
	uid_t uid;

	if (owners->uids.n == 0 ||
	    place_state_owner(owners->place, host, &uid) < 0 ||
	    !uids_has(&owners->uids, uid))
		return 0;
	return uid;
}

void
owners_forget(struct owners *owners, const char *host)
{
	uid_t uid = 0;
	const int e = place_state_owner(owners->place, host, &uid);

	if (place_forget_state(owners->place, host) && e == 0)
		uids_give(&owners->uids, uid);
}
