/* SPDX-License-Identifier: MIT */
/*
 * child_exec: runs in the child, between fork and exec: system calls only. The
 * order matters: signals get their default actions before they are unblocked
 * (poold's handler would write into poold's own pipe); ids are given up before
 * the parent-death signal is set, which a change of ids clears; the folder is
 * entered as the user who will work in it; the sandbox is put on last, since
 * it refuses what the steps before it need.
 */
#include "poold/child_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/proc/child.h"

#include "poold/child_init.h"

#define CHILD_EXEC_HIGH 64 /* out of the way of descriptors 0 to 4 */

void
child_exec_fail(int report_fd, enum heritage_step step, int e)
{
	const struct heritage_report report = { (int)step, e };

	(void)!write(report_fd, &report, sizeof(report));
	_exit(CHILD_EXEC_STATUS);
}

/*
 * Write pid into its place and end it there: some readers take a leading zero
 * for octal.
 */
static void
child_write_pid(char *digits, pid_t pid)
{
	int n = 1;

	for (pid_t rest = pid; rest >= 10; rest /= 10)
		n++;
	digits[n] = '\0';
	for (; n > 0; pid /= 10)
		digits[--n] = (char)('0' + pid % 10);
}

static int
child_descriptors(const struct heritage *h)
{
	const int e = child_place_fds(0, h->fds, HERITAGE_N_FDS);

	if (e < 0)
		return e;
	/* Old kernels: everything of ours is O_CLOEXEC from birth anyway. */
	(void)child_cloexec_from(HERITAGE_N_FDS);
	return 0;
}

static int
child_ids(const struct heritage *h)
{
	const int e = h->ids ? drop_to(h->ids) : 0;

	return e < 0 ? e : drop_no_new_privs();
}

void
child_exec_run(const struct heritage *h, int report_fd)
{
	int e;

	if (h->folder && chdir(h->folder) < 0)
		child_exec_fail(report_fd, HERITAGE_FOLDER, -errno);
	if ((e = sandbox_enter(&h->sandbox)) < 0)
		child_exec_fail(report_fd, HERITAGE_SANDBOX, e);
	if (h->listen_pid)
		child_write_pid(h->listen_pid, getpid());
	execve(h->path, h->argv, h->envp);
	child_exec_fail(report_fd, HERITAGE_EXEC, -errno);
	_exit(CHILD_EXEC_STATUS);
}

void
child_exec(const struct heritage *h)
{
	int e, report_fd, life_fd;

	close(h->life_write_fd);
	child_reset_signals();
	setsid();
	report_fd = fcntl(h->report_fd, F_DUPFD_CLOEXEC, CHILD_EXEC_HIGH);
	life_fd = fcntl(h->life_fd, F_DUPFD_CLOEXEC, CHILD_EXEC_HIGH);
	if (report_fd < 0 || life_fd < 0)
		child_exec_fail(h->report_fd, HERITAGE_FDS, -errno);
	if ((e = child_descriptors(h)) < 0)
		child_exec_fail(report_fd, HERITAGE_FDS, e);
	umask(S_IRWXG | S_IRWXO);
	if (h->is_mortal)
		child_be_mortal();
	if (setrlimit(RLIMIT_NOFILE, &h->nofile) < 0)
		child_exec_fail(report_fd, HERITAGE_LIMITS, -errno);
	if ((e = limits_apply(&h->limits)) < 0)
		child_exec_fail(report_fd, HERITAGE_LIMITS, e);
	if ((e = child_ids(h)) < 0)
		child_exec_fail(report_fd, HERITAGE_IDS, e);
	if (h->has_init)
		child_init(h, report_fd, life_fd);
	if ((e = child_die_with(h->parent_pid, life_fd)) < 0)
		child_exec_fail(report_fd, HERITAGE_PARENT, e);
	child_exec_run(h, report_fd);
}
