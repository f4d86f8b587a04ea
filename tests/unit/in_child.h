/* SPDX-License-Identifier: MIT */
/* in_child: for tests of what a process does to itself for good. */
#ifndef UNIT_IN_CHILD_H
#define UNIT_IN_CHILD_H

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run fn in a child and return its exit status, or 1000 + signal. */
static int
in_child(int (*fn)(void))
{
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
	                         : 1000 + WTERMSIG(status);
}

#endif
