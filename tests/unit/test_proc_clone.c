/* SPDX-License-Identifier: MIT */
/* What common/proc/clone.c promises. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
