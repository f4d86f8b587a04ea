/* SPDX-License-Identifier: MIT */
/* drop: ids looked up before the fork, given up after it. */
#include "common/proc/drop.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/must.h"

/* The id that a name of digits only is. Returns whether it is one. */
static bool
drop_is_number(const char *user, uid_t *uid_r)
{
	const char *fault = NULL;

	if (!user[0] || user[strspn(user, "0123456789")])
		return false;
	*uid_r = (uid_t)strtonum(user, 0, UINT32_MAX - 1, &fault);
	return !fault;
}

static int
drop_look_up(const char *user, struct drop_ids *ids_r, struct err *err_r)
{
	char room[4096];
	struct passwd entry, *found = NULL;
	uid_t uid = 0;
	const bool is_number = drop_is_number(user, &uid);
	const int e =
	    is_number ? getpwuid_r(uid, &entry, room, sizeof(room), &found)
		      : getpwnam_r(user, &entry, room, sizeof(room), &found);

	if (!found && !is_number)
		return err_set(err_r, e ? -e : -ENOENT, user,
		    e ? "the user cannot be looked up"
		      : "there is no such user");
	ids_r->uid = found ? entry.pw_uid : uid;
	ids_r->gid = found ? entry.pw_gid : uid;
	strlcpy(ids_r->user, user, sizeof(ids_r->user));
	return 0;
}

/* What the child found. */
struct drop_answer {
	int rc;
	struct drop_ids ids;
	struct err err;
};

/* Look it up in a child. Returns false when there can be none. */
static bool
drop_ask_child(const char *user, struct drop_answer *answer_r)
{
	int fds[2], status;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	const pid_t pid = fork();
	if (pid == 0) {
		struct drop_answer answer = { .rc = 0 };
		answer.rc = drop_look_up(user, &answer.ids, &answer.err);
		_exit(write(fds[1], &answer, sizeof(answer)) !=
		      (ssize_t)sizeof(answer));
	}
	close(fds[1]);
	const ssize_t n =
	    pid < 0 ? -1 : read(fds[0], answer_r, sizeof(*answer_r));
	close(fds[0]);
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	return n == (ssize_t)sizeof(*answer_r);
}

int
drop_find(const char *user, struct drop_ids *ids_r, struct err *err_r)
{
	struct drop_answer answer;

	/*
	 * The libraries behind the name service (320 KiB, where systemd's is
	 * asked) stay in the child.
	 */
	if (!drop_ask_child(user, &answer))
		return drop_look_up(user, ids_r, err_r);
	if (answer.rc == 0)
		*ids_r = answer.ids;
	else if (err_r)
		*err_r = answer.err;
	return answer.rc;
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
