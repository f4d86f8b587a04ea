/* SPDX-License-Identifier: MIT */
/* What common/proc/clone.c promises. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/proc/clone.h"

static const struct clone_spec plain = { .cgroup_fd = -1 };

START_TEST(a_child_has_a_pidfd_from_birth)
{
	fd_auto int pidfd = -1;
	int status;
	const pid_t pid = clone_child(&plain, &pidfd);

	if (pid == 0)
		_exit(7);
	ck_assert_int_gt(pid, 0);
	ck_assert(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	ck_assert_int_eq(poll(&end, 1, 20000), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

/* A recursive mutex keeps its owner's thread id, as glibc knows it. */
START_TEST(the_child_knows_its_own_thread_id)
{
	pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	fd_auto int pidfd = -1;
	int status;
	const pid_t pid = clone_child(&plain, &pidfd);

	if (pid == 0) {
		pthread_mutex_lock(&mutex);
		_exit(mutex.__data.__owner != syscall(SYS_gettid));
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_sibling_is_the_child_of_our_parent)
{
	struct clone_spec spec = plain;
	int pipes[2], status;
	pid_t sibling = 0;

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		int pidfd;
		spec.is_sibling = true;
		sibling = clone_child(&spec, &pidfd);
		if (sibling == 0)
			_exit(3);
		_exit(write(pipes[1], &sibling, sizeof(sibling)) < 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(
	    read(pipes[0], &sibling, sizeof(sibling)), sizeof(sibling));
	ck_assert_int_eq(waitpid(sibling, &status, 0), sibling);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

START_TEST(a_namespace_begins_with_its_first_process_or_is_refused)
{
	struct clone_spec spec = plain;
	fd_auto int pidfd = -1;
	int status;

	spec.has_namespace = true;
	const pid_t pid = clone_child(&spec, &pidfd);
	if (pid == 0)
		_exit(getpid() == 1 && getppid() == 0 ? 0 : 1);
	if (geteuid() != 0) {
		ck_assert_int_eq(pid, -EPERM);
		ck_assert_int_eq(clone_try(&spec), -EPERM);
		return;
	}
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(clone_try(&spec), 0);
	ck_assert_int_eq(waitpid(-1, &status, WNOHANG), -1);
}
END_TEST

START_TEST(a_folder_that_is_no_cgroup_is_refused)
{
	fd_auto int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct clone_spec spec = { .cgroup_fd = fd };

	ck_assert_int_eq(clone_try(&spec), -EBADF);
}
END_TEST

/* As the filter of a container does: clone3 is not there, or forbidden. */
static int
forbid_clone3(unsigned e)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | e),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { 4, rows };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno
	                                                                : 0;
}

/* What the tests above look at, of a child made without clone3. */
static int
live_without_clone3(unsigned e, bool is_sibling)
{
	const struct clone_spec spec = { .is_sibling = is_sibling,
		.cgroup_fd = -1 };
	pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	const pid_t me = getpid(), parent = getppid();
	int pidfd, status;

	if (clone_is_readable() || forbid_clone3(e) < 0 || !clone_is_readable())
		return 1;
	const pid_t pid = clone_child(&spec, &pidfd);
	if (pid == 0) {
		pthread_mutex_lock(&mutex);
		_exit(mutex.__data.__owner != syscall(SYS_gettid) ||
		      getppid() != (is_sibling ? parent : me));
	}
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	if (pid < 0 || !(fcntl(pidfd, F_GETFD) & FD_CLOEXEC) ||
	    poll(&end, 1, 20000) != 1)
		return 2;
	if (is_sibling)
		return waitpid(pid, &status, __WALL) < 0 ? 0 : 3;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 4;
}

START_TEST(where_clone3_is_refused_a_child_is_the_same)
{
	const unsigned e = _i % 2 ? EPERM : ENOSYS;
	int status;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(live_without_clone3(e, _i / 2));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* The sibling, which is ours. */
	if (_i / 2) {
		ck_assert_int_gt(waitpid(-1, &status, __WALL), 0);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("proc_clone");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, a_child_has_a_pidfd_from_birth);
	tcase_add_test(all, the_child_knows_its_own_thread_id);
	tcase_add_test(all, a_sibling_is_the_child_of_our_parent);
	tcase_add_test(
	    all, a_namespace_begins_with_its_first_process_or_is_refused);
	tcase_add_test(all, a_folder_that_is_no_cgroup_is_refused);
	tcase_add_loop_test(
	    all, where_clone3_is_refused_a_child_is_the_same, 0, 4);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
