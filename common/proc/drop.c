/* SPDX-License-Identifier: MIT */
/* drop: ids looked up before the fork, given up after it. */
#include "common/proc/drop.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/must.h"

#define DROP_ASK_BYTES 256 /* a longer name is looked up here */

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

/* What the clerk found. */
struct drop_answer {
	int rc;
	struct drop_ids ids;
	struct err err;
};

/*
 * The clerk: a child that looks users up for us, until drop_find_end. The
 * libraries behind the name service (320 KiB, where systemd's is asked) stay
 * in it.
 */
static struct {
	pid_t pid; /* 0: none */
	int sock;
} drop_clerk;

/*
 * In the child: answer for as long as somebody is there who asks. A name
 * service that does not answer is not waited for any longer than that.
 */
static void __attribute__((noreturn)) drop_serve(int sock, pid_t parent)
{
	char user[DROP_ASK_BYTES];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);
	while ((n = recv(sock, user, sizeof(user), 0)) > 0) {
		struct drop_answer answer = { .rc = 0 };
		user[n - 1] = '\0';
		answer.rc = drop_look_up(user, &answer.ids, &answer.err);
		if (send(sock, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* Have a clerk. Returns whether there is one. */
static bool
drop_hire(void)
{
	int socks[2];

	if (drop_clerk.pid > 0)
		return true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return false;
	const pid_t me = getpid(), pid = fork();
	if (pid == 0) {
		close(socks[0]);
		drop_serve(socks[1], me);
	}
	close(socks[1]);
	if (pid < 0)
		close(socks[0]);
	drop_clerk.pid = pid;
	drop_clerk.sock = socks[0];
	return pid > 0;
}

void
drop_find_end(void)
{
	if (drop_clerk.pid <= 0)
		return;
	close(drop_clerk.sock);
	while (waitpid(drop_clerk.pid, NULL, 0) < 0 && errno == EINTR)
		;
	drop_clerk.pid = 0;
}

/*
 * Wait for the answer, which may never come: nothing has begun yet, so a signal
 * that is blocked until it has (signals_begin) may end us here.
 */
static void
drop_await(void)
{
	struct pollfd answer = { .fd = drop_clerk.sock, .events = POLLIN };
	sigset_t none;

	sigemptyset(&none);
	(void)ppoll(&answer, 1, NULL, &none);
}

/* Returns false when there is nobody to ask, or no answer. */
static bool
drop_ask(const char *user, struct drop_answer *answer_r)
{
	const size_t n_user = strlen(user) + 1;
	ssize_t n;

	if (n_user > DROP_ASK_BYTES || !drop_hire() ||
	    send(drop_clerk.sock, user, n_user, MSG_NOSIGNAL) < 0)
		return false;
	drop_await();
	do
		n = recv(drop_clerk.sock, answer_r, sizeof(*answer_r), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*answer_r);
}

int
drop_find(const char *user, struct drop_ids *ids_r, struct err *err_r)
{
	struct drop_answer answer;

	if (!drop_ask(user, &answer))
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
