/* SPDX-License-Identifier: MIT */
/*
 * drop: giving privileges away. Ids are looked up at start (that reads files);
 * dropping them is done between fork and exec, so it makes bare system calls
 * only. glibc's setuid wrappers would signal other threads and take locks.
 */
#ifndef PROC_DROP_H
#define PROC_DROP_H

#include <sys/types.h>

#include "common/base/err.h"

#define DROP_NAME_BYTES 33 /* a user name and NUL */

/* As whom a child runs. */
struct drop_ids {
	uid_t uid;
	gid_t gid;
	char user[DROP_NAME_BYTES]; /* for the log and USER */
};

/*
 * Look the user up: its ids and primary group. A name of digits is an id, whose
 * group is the same number if no user has it. Returns 0, -ENOENT when there is
 * no such user, or -errno; *err_r (may be NULL) says it. Start-up only: it
 * keeps a child for the next ones until drop_find_end.
 */
int drop_find(const char *user, struct drop_ids *ids_r, struct err *err_r);

/* No more users are looked up for now. */
void drop_find_end(void);

/*
 * Become ids for good: no supplementary groups, all three gids, all three
 * uids, and check that there is no way back. Async-signal-safe. Returns 0 or
 * -errno (-EPERM also when the old ids are still within reach).
 */
int drop_to(const struct drop_ids *ids);

/*
 * Never gain privileges by exec again. A setuid program would also clear the
 * parent-death signal and outlive us. Async-signal-safe. Returns 0 or -errno.
 */
int drop_no_new_privs(void);

#endif
