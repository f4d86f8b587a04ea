/* SPDX-License-Identifier: MIT */
/*
 * family: orphans are read from /proc/self/task/TID/children (or, on a kernel
 * without it, from the parents of all processes). What is killed is opened as
 * a pidfd and looked at once more before, so that a number that went to a
 * stranger meanwhile is left alone. Killing turns grandchildren into orphans;
 * so it goes round until nothing is found.
 */
#include "poold/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/flow/sleep.h"
#include "common/proc/pidfd.h"

#include "poold/heritage.h"

#define FAMILY_DEPTH_MAX  16
#define FAMILY_ENV_BYTES  (256 * 1024)
#define FAMILY_ROUND_MS   100 /* how long one orphan is waited for at a time */
#define FAMILY_PATH_BYTES 64

/* Pids, growing; *new* memory of its user. */
struct family_pids {
	pid_t *v;
	size_t n;
	size_t size;
};

static bool (*family_is_known)(pid_t pid);
static pid_t family_unborn_sid;  /* whose children are about to be known */
static const char *family_blind; /* why /proc says nothing, or NULL */

/* Whether /proc speaks of us by the number that we know. */
static const char *
family_look_at_proc(void)
{
	char self[FAMILY_PATH_BYTES];
	const ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	if (n <= 0)
		return "/proc is not mounted, or not of this PID namespace";
	self[n] = '\0';
	return strtol(self, NULL, 10) == getpid()
	           ? NULL
	           : "/proc is another PID namespace's";
}

int
family_open(void)
{
	family_blind = family_look_at_proc();
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

const char *
family_blindness(void)
{
	return family_blind;
}

void
family_know(bool (*is_known)(pid_t pid))
{
	family_is_known = is_known;
}

void
family_leave_alone(pid_t sid)
{
	family_unborn_sid = sid;
}

/* -------------------------------------------------------------- who is there
 */

static void
family_add(struct family_pids *pids, pid_t pid)
{
	if (pids->n == pids->size) {
		const size_t size = pids->size ? 2 * pids->size : 64;
		pid_t *const v = mem_realloc(pids->v, size * sizeof(*v));
		/* Out of memory: the rest is found in the next round. */
		if (!v)
			return;
		pids->v = v;
		pids->size = size;
	}
	pids->v[pids->n++] = pid;
}

static void
family_pids_fini(struct family_pids *pids)
{
	mem_free(pids->v);
	*pids = (struct family_pids){ 0 };
}

#define family_pids_auto __attribute__((cleanup(family_pids_fini)))

/* Parent, group and session of a process (proc(5), stat: 4 to 6). */
struct family_stat {
	pid_t ppid;
	pid_t pgrp;
	pid_t sid;
};

static bool
family_stat(pid_t pid, struct family_stat *stat_r)
{
	char path[FAMILY_PATH_BYTES], text[512];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The name may hold anything, also ")"; what follows may not. */
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d %d %d", &stat_r->ppid,
			  &stat_r->pgrp, &stat_r->sid) == 3;
}

/* Add the pids in a "children" file. Returns false when there is none. */
static bool
family_read_children(const char *path, struct family_pids *pids)
{
	FILE *const file = fopen(path, "re");
	int pid;

	if (!file)
		return false;
	while (fscanf(file, "%d", &pid) == 1)
		family_add(pids, pid);
	fclose(file);
	return true;
}

/* Call for each entry of a folder whose name is a number. */
static void
family_each_number(
    const char *folder, void (*fn)(pid_t number, void *arg), void *arg)
{
	DIR *const dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			fn((pid_t)strtol(entry->d_name, NULL, 10), arg);
	closedir(dir);
}

/* What is looked for among threads, or among all processes. */
struct family_search {
	pid_t parent;
	bool has_files; /* the kernel has "children" */
	struct family_pids *pids;
};

static void
family_on_thread(pid_t tid, void *arg)
{
	struct family_search *const search = arg;
	char path[FAMILY_PATH_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)search->parent, (int)tid);
	search->has_files |= family_read_children(path, search->pids);
}

static void
family_on_process(pid_t pid, void *arg)
{
	struct family_search *const search = arg;
	struct family_stat stat;

	if (family_stat(pid, &stat) && stat.ppid == search->parent)
		family_add(search->pids, pid);
}

/* Add the children of parent, zombies included. */
static void
family_children(pid_t parent, struct family_pids *pids)
{
	struct family_search search = { .parent = parent, .pids = pids };
	char path[FAMILY_PATH_BYTES];

	if (family_blind)
		return;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
	family_each_number(path, family_on_thread, &search);
	if (!search.has_files &&
	    family_stat(parent, &(struct family_stat){ 0 }))
		family_each_number("/proc", family_on_process, &search);
}

/* ------------------------------------------------------------ whose it is */

/* Whether the environment of pid says that it belongs to this run. */
static bool
family_has_run(pid_t pid, uint64_t run)
{
	char path[FAMILY_PATH_BYTES], want[64];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	const int n_want = snprintf(want, sizeof(want), "%s=%llu",
	    HERITAGE_RUN_ENV, (unsigned long long)run);
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *const env = fd < 0 ? NULL : mem_alloc(FAMILY_ENV_BYTES);
	if (!env)
		return false;
	const ssize_t n = read(fd, env, FAMILY_ENV_BYTES - 1);
	env[n > 0 ? n : 0] = '\0';
	for (const char *p = env; !found && n > 0 && p < env + n;
	     p += strlen(p) + 1)
		found = strncmp(p, want, (size_t)n_want + 1) == 0;
	mem_free(env);
	return found;
}

/* Whether pid is a process of uid, who cannot become somebody else (status). */
static bool
family_has_uid(pid_t pid, uid_t uid)
{
	char path[FAMILY_PATH_BYTES], text[1024];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "\nUid:\t");
	return at && strtoul(at + 6, NULL, 10) == uid;
}

/* Whether a child is somebody's who knows it, or is about to. */
static bool
family_is_ours(pid_t pid)
{
	struct family_stat stat;

	if (family_is_known && family_is_known(pid))
		return true;
	return family_unborn_sid > 0 && family_stat(pid, &stat) &&
	       stat.sid == family_unborn_sid;
}

static bool
family_matches(pid_t pid, const struct family_filter *filter)
{
	struct family_stat stat;

	if (filter->is_all)
		return true;
	if (family_stat(pid, &stat) && stat.sid == filter->sid)
		return true;
	if (filter->uid > 0 && family_has_uid(pid, filter->uid))
		return true;
	return family_has_run(pid, filter->run);
}

/* Add the orphans that match. */
static void
family_orphans(const struct family_filter *filter, struct family_pids *pids)
{
	struct family_pids all family_pids_auto = { 0 };

	family_children(getpid(), &all);
	for (size_t i = 0; i < all.n; i++)
		if (!family_is_ours(all.v[i]) &&
		    family_matches(all.v[i], filter))
			family_add(pids, all.v[i]);
}

unsigned
family_count(const struct family_filter *filter)
{
	struct family_pids pids family_pids_auto = { 0 };

	family_orphans(filter, &pids);
	return (unsigned)pids.n;
}

/* ------------------------------------------------------------------ their end
 */

/* Send a signal to pid if it still is a child of parent. */
static void
family_signal_one(pid_t pid, pid_t parent, int signo)
{
	struct family_stat stat;
	fd_auto int fd = pidfd_open_pid(pid);

	if (!family_stat(pid, &stat) || stat.ppid != parent)
		return;
	const int e = fd < 0 ? fd : pidfd_signal(fd, signo);
	/* There are none, or a container forbids them: then by its number. */
	if (e == -ENOSYS || e == -EPERM)
		(void)kill(pid, signo);
	/*
	 * Its group in one step: a fork that is under way cannot escape that.
	 * A group stays within a session, and none is in ours.
	 */
	if (signo == SIGKILL && stat.pgrp > 1 && stat.sid != getsid(0) &&
	    stat.sid != family_unborn_sid)
		(void)kill(-stat.pgrp, SIGKILL);
}

/*
 * Signal pid and everything below it, as far as it can be seen now. The child
 * first: one that is stopped has no more children by the time they are read.
 */
static void
family_signal_tree(pid_t pid, pid_t parent, int signo, unsigned depth)
{
	struct family_pids below family_pids_auto = { 0 };

	family_signal_one(pid, parent, signo);
	if (depth < FAMILY_DEPTH_MAX)
		family_children(pid, &below);
	for (size_t i = 0; i < below.n; i++)
		family_signal_tree(below.v[i], pid, signo, depth + 1);
}

/*
 * Kill pid and everything below it. Stopped first: who is stopped forks no
 * more and brings nobody back.
 */
static void
family_kill_tree(pid_t pid, pid_t parent)
{
	family_signal_tree(pid, parent, SIGSTOP, 0);
	family_signal_tree(pid, parent, SIGKILL, 0);
}

void
family_kill_below(pid_t pid)
{
	struct family_pids below family_pids_auto = { 0 };

	family_children(pid, &below);
	for (size_t i = 0; i < below.n; i++)
		family_kill_tree(below.v[i], pid);
}

/* Wait for an orphan's end, but no longer than a round, and reap it. */
static void
family_await(pid_t pid, int64_t deadline_ms)
{
	const int64_t round_ms = clock_now_ms() + FAMILY_ROUND_MS;
	const bool is_near = deadline_ms >= 0 && deadline_ms < round_ms;
	fd_auto int fd = pidfd_open_pid(pid);
	int status;

	if (fd >= 0)
		(void)flow_wait_fd(
		    fd, LOOP_READ, is_near ? deadline_ms : round_ms);
	else if (fd == -ENOSYS || fd == -EPERM)
		flow_sleep(1);
	(void)pidfd_reap(pid, &status);
}

unsigned
family_end(
    const struct family_filter *filter, int64_t deadline_ms, unsigned *left_r)
{
	unsigned n_killed = 0;
	bool is_late = false;

	for (;;) {
		struct family_pids pids family_pids_auto = { 0 };
		family_reap();
		family_orphans(filter, &pids);
		if (left_r)
			*left_r = (unsigned)pids.n;
		if (pids.n == 0 || is_late)
			return n_killed;
		for (size_t i = 0; i < pids.n; i++) {
			/* Who ended by itself was not killed. */
			n_killed += !pidfd_is_over(pids.v[i]);
			family_kill_tree(pids.v[i], getpid());
		}
		for (size_t i = 0; i < pids.n; i++)
			family_await(pids.v[i], deadline_ms);
		is_late = deadline_ms >= 0 && clock_now_ms() >= deadline_ms;
	}
}

void
family_reap(void)
{
	const int what = WEXITED | WNOHANG | WNOWAIT;
	int status;

	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		/*
		 * Only looks: the first that ended may be a known process,
		 * after whose reap we are called again.
		 */
		if (waitid(P_ALL, 0, &info, what) < 0 || info.si_pid == 0)
			return;
		if (family_is_ours(info.si_pid))
			return;
		if (pidfd_reap(info.si_pid, &status) != 1)
			return;
		log_debug("orphan %d: reaped", (int)info.si_pid);
	}
}
