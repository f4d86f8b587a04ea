/* SPDX-License-Identifier: MIT */
/* drop: ids looked up before the fork, given up after it. */
#include "common/proc/drop.h"

#include <bsd/string.h>
#include <errno.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/must.h"

int
drop_find(const char *user, struct drop_ids *ids_r, struct err *err_r)
{
	char room[4096];
	struct passwd entry, *found = NULL;

	const int e = getpwnam_r(user, &entry, room, sizeof(room), &found);
	if (!found)
		return err_set(err_r, e ? -e : -ENOENT, user,
		    e ? "the user cannot be looked up"
		      : "there is no such user");
	ids_r->uid = entry.pw_uid;
	ids_r->gid = entry.pw_gid;
	strlcpy(ids_r->user, user, sizeof(ids_r->user));
	return 0;
}

int
drop_to(const struct drop_ids *ids)
{
	const unsigned long uid = ids->uid, gid = ids->gid;

	must(uid != 0 && gid != 0);
	if (syscall(SYS_setgroups, 0ul, NULL) < 0 ||
	    syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	    syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -errno;
	/* If either of these succeeds, something kept a way back open. */
	if (syscall(SYS_setresuid, -1ul, 0ul, -1ul) == 0 ||
	    syscall(SYS_setresgid, -1ul, 0ul, -1ul) == 0)
		return -EPERM;
	return 0;
}

int
drop_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
