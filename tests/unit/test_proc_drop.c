/* SPDX-License-Identifier: MIT */
/* test_proc_drop: a name service that does not answer. */
#include "common/proc/drop.h"

#include <check.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int asked[2];

/* Instead of the C library's, in the child that asks it: say so, and hang. */
int
getpwnam_r(const char *name, struct passwd *entry, char *room, size_t n,
    struct passwd **found)
{
	const pid_t me = getpid();

	(void)name, (void)entry, (void)room, (void)n, (void)found;
	(void)!write(asked[1], &me, sizeof(me));
	for (;;)
		pause();
}

/* Send a signal to a daemon at its start, which waits for a user. */
static void
end_by(int signo)
{
	struct drop_ids ids;
	sigset_t ends;
	pid_t clerk;
	int status;

	ck_assert_int_eq(pipe(asked), 0);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		/* Check's handler would end us, too. */
		signal(SIGTERM, SIG_DFL);
		sigemptyset(&ends);
		sigaddset(&ends, SIGTERM);
		sigprocmask(SIG_BLOCK, &ends, NULL);
		(void)drop_find("somebody", &ids, NULL);
		_exit(0);
	}
	ck_assert_int_eq(read(asked[0], &clerk, sizeof(clerk)), sizeof(clerk));
	ck_assert_int_eq(kill(pid, signo), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signo);
	/* It is ours now. */
	ck_assert_int_eq(waitpid(clerk, &status, 0), clerk);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(sigterm_that_is_blocked_ends_who_waits_for_a_user)
{
	end_by(SIGTERM);
}
END_TEST

START_TEST(who_looks_users_up_dies_with_who_asked)
{
	end_by(SIGKILL);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("proc/drop");
	TCase *const tc = tcase_create("clerk");

	tcase_add_test(tc, sigterm_that_is_blocked_ends_who_waits_for_a_user);
	tcase_add_test(tc, who_looks_users_up_dies_with_who_asked);
	suite_add_tcase(suite, tc);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
