/* SPDX-License-Identifier: MIT */
/*
 * The program's root: exit status, messages and signals, each in a child
 * process. Numbers of the behaviours stand in the names.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/main.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"

struct ended {
	int status;     /* of wait */
	char out[1024]; /* what came on stdout and stderr */
};

/* Read until the text contains word, or the end; adds to e->out. */
static void
read_until(int fd, struct ended *e, const char *word)
{
	size_t at = strlen(e->out);
	ssize_t n;

	while (!word || !strstr(e->out, word)) {
		n = read(fd, e->out + at, sizeof(e->out) - 1 - at);
		if (n <= 0)
			return;
		at += (size_t)n;
		e->out[at] = '\0';
	}
}

/* A signal to send once a word was printed. */
struct poke {
	const char *after;
	int signo; /* 0: the end of the list */
};

static void (*in_child)(void); /* before flow_main, what a parent did */

/* Run body under flow_main in a child, and poke it. */
static struct ended
run_main(task_body_fn *body, const struct poke *pokes, void (*on_hurry)(int))
{
	struct ended e = { 0 };
	int fds[2];

	must(pipe(fds) == 0);
	const pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		setvbuf(stdout, NULL, _IONBF, 0);
		/* Whoever runs the tests may do so under nohup. */
		signal(SIGHUP, SIG_DFL);
		if (in_child)
			in_child();
		_exit(flow_main(body, NULL, on_hurry));
	}
	close(fds[1]);
	for (; pokes && pokes->signo; pokes++) {
		read_until(fds[0], &e, pokes->after);
		must(kill(pid, pokes->signo) == 0);
	}
	read_until(fds[0], &e, NULL);
	close(fds[0]);
	must(waitpid(pid, &e.status, 0) == pid);
	return e;
}

static int
say_end(void *arg, struct err *err)
{
	puts("ending");
	flow_sleep(1);
	puts("ended");
	return 0;
}

static int
fail_end(void *arg, struct err *err)
{
	return err_set(err, -EIO, NULL, "the end failed");
}

/* Register a finaliser, or fail. */
static void
ensure(scope_finaliser_fn *fn)
{
	if (scope_ensure(fn, NULL) < 0)
		flow_fail(-ENOMEM, "no memory for a finaliser");
}

static void *
body_done(void *arg)
{
	ensure(say_end);
	return NULL;
}

static void *
body_suspends(void *arg)
{
	ensure(say_end);
	puts("ready");
	flow_suspend();
	puts("not reached");
	return NULL;
}

static void *
body_bad_end(void *arg)
{
	ensure(fail_end);
	puts("ready");
	flow_suspend();
	return NULL;
}

static void *
body_fails(void *arg)
{
	ensure(say_end);
	flow_fail(-EPERM, "no way");
}

static void *
exit_deep(void *arg)
{
	flow_exit(7, "seven");
}

static void *
body_exits(void *arg)
{
	ensure(say_end);
	if (task_spawn(&(struct task_spec){ .name = "deep", .body = exit_deep },
		NULL) < 0)
		flow_fail(-ENOMEM, "no memory for a child");
	flow_suspend();
	return NULL;
}

static int
exit_in_end(void *arg, struct err *err)
{
	flow_exit(9, NULL);
}

static void *
body_exits_in_end(void *arg)
{
	ensure(say_end);
	ensure(exit_in_end);
	return NULL;
}

static void *
body_exits_twice(void *arg)
{
	ensure(exit_in_end);
	flow_exit(7, NULL);
}

static bool is_hurried;

static void
hurry(int signo)
{
	is_hurried = true;
}

static int
end_when_hurried(void *arg, struct err *err)
{
	puts("ending");
	while (!is_hurried)
		flow_sleep(1);
	puts("hurried");
	return 0;
}

static void *
body_hurried(void *arg)
{
	ensure(end_when_hurried);
	puts("ready");
	flow_suspend();
	return NULL;
}

START_TEST(b156_a_normal_end_tears_down_and_exits_0)
{
	const struct ended e = run_main(body_done, NULL, NULL);

	ck_assert_int_eq(WEXITSTATUS(e.status), 0);
	ck_assert_str_eq(e.out, "ending\nended\n");
}
END_TEST

START_TEST(b157_exit_from_any_depth_tears_down_then_says_and_exits)
{
	struct ended e = run_main(body_exits, NULL, NULL);

	ck_assert_int_eq(WEXITSTATUS(e.status), 7);
	ck_assert_str_eq(e.out, "seven\nending\nended\n");
	e = run_main(body_exits_in_end, NULL, NULL);
	ck_assert_int_eq(WEXITSTATUS(e.status), 9);
	ck_assert_str_eq(e.out, "ending\nended\n");
	e = run_main(body_exits_twice, NULL, NULL);
	ck_assert_int_eq(WEXITSTATUS(e.status), 7);
}
END_TEST

START_TEST(b158_an_uncaught_error_is_said_and_exits_1)
{
	const struct ended e = run_main(body_fails, NULL, NULL);

	ck_assert_int_eq(WEXITSTATUS(e.status), 1);
	ck_assert_ptr_nonnull(strstr(e.out, "ending\nended\n"));
	ck_assert_ptr_nonnull(strstr(e.out, ": no way\n"));
}
END_TEST

START_TEST(b159_b160_b161_b164_signals_tear_down_and_exit_128_and_n)
{
	static const int signos[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < 3; i++) {
		const struct poke pokes[] = { { "ready", signos[i] }, { 0 } };
		const struct ended e = run_main(body_suspends, pokes, NULL);

		ck_assert(WIFEXITED(e.status));
		ck_assert_int_eq(WEXITSTATUS(e.status), 128 + signos[i]);
		ck_assert_str_eq(e.out, "ready\nending\nended\n");
	}
}
END_TEST

static void
block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* One that came too early is not lost. */
	raise(SIGTERM);
}

START_TEST(what_a_parent_blocked_is_heard)
{
	in_child = block_all;
	const struct ended e = run_main(body_suspends, NULL, NULL);
	in_child = NULL;

	ck_assert(WIFEXITED(e.status));
	ck_assert_int_eq(WEXITSTATUS(e.status), 128 + SIGTERM);
	ck_assert_str_eq(e.out, "ready\nending\nended\n");
}
END_TEST

static void
be_nohup(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

START_TEST(nohup_keeps_sighup_and_nothing_else)
{
	const struct poke pokes[] = { { "ready", SIGHUP }, { "", SIGTERM },
		{ 0 } };

	in_child = be_nohup;
	const struct ended e = run_main(body_suspends, pokes, NULL);
	in_child = NULL;
	ck_assert(WIFEXITED(e.status));
	ck_assert_int_eq(WEXITSTATUS(e.status), 128 + SIGTERM);
}
END_TEST

START_TEST(b162_a_second_signal_hurries_and_still_tears_down)
{
	const struct poke pokes[] = { { "ready", SIGINT }, { "ending", SIGINT },
		{ 0 } };
	const struct ended e = run_main(body_hurried, pokes, hurry);

	ck_assert(WIFEXITED(e.status));
	ck_assert_int_eq(WEXITSTATUS(e.status), 128 + SIGINT);
	ck_assert_str_eq(e.out, "ready\nending\nhurried\n");
}
END_TEST

START_TEST(b163_an_error_in_teardown_on_a_signal_is_said_and_exits_1)
{
	const struct poke pokes[] = { { "ready", SIGTERM }, { 0 } };
	const struct ended e = run_main(body_bad_end, pokes, NULL);

	ck_assert_int_eq(WEXITSTATUS(e.status), 1);
	ck_assert_ptr_nonnull(strstr(e.out, "the end failed\n"));
}
END_TEST

START_TEST(sigusr1_prints_the_tasks_and_ends_nothing)
{
	const struct poke pokes[] = { { "ready", SIGUSR1 },
		{ "main: waiting for nothing", SIGUSR1 }, { "main: ", SIGTERM },
		{ 0 } };
	const struct ended e = run_main(body_suspends, pokes, NULL);

	ck_assert(WIFEXITED(e.status));
	ck_assert_int_eq(WEXITSTATUS(e.status), 128 + SIGTERM);
	ck_assert_ptr_nonnull(strstr(e.out, "ready\nmain: waiting for"));
	ck_assert_ptr_nonnull(strstr(e.out, "test_flow_main.c:"));
	ck_assert_ptr_nonnull(strstr(e.out, "ending\nended\n"));
}
END_TEST

/* ---- interrupted at every point ---- */

#define POINTS 9 /* more than any of the bodies below has */

static task_body_fn *const injected_bodies[] = { body_done, body_exits,
	body_fails, body_exits_in_end, body_exits_twice };
static task_body_fn *injected_body;
static unsigned injected_at;

/* Halt the top of the program at its n-th wait. */
static void
halt_top(struct task *t)
{
	static unsigned n;

	if (++n != injected_at)
		return;
	while (t->scope.parent->owner)
		t = t->scope.parent->owner;
	task_halt_soon(t);
}

static void *
body_halted(void *arg)
{
	flow_probe.on_suspend = halt_top;
	return injected_body(arg);
}

static void *
body_without_memory(void *arg)
{
	mem_fail_at(injected_at);
	return injected_body(arg);
}

/* How often a word was printed. */
static unsigned
count(const char *out, const char *word)
{
	unsigned n = 0;

	for (; (out = strstr(out, word)); out += strlen(word))
		n++;
	return n;
}

START_TEST(b156_b157_b158_an_interrupted_program_ends_what_it_began)
{
	injected_body = injected_bodies[_i];
	for (injected_at = 1; injected_at <= POINTS; injected_at++) {
		struct ended e = run_main(body_halted, NULL, NULL);
		ck_assert(WIFEXITED(e.status));
		ck_assert_uint_eq(
		    count(e.out, "ending"), count(e.out, "ended"));
		e = run_main(body_without_memory, NULL, NULL);
		ck_assert(WIFEXITED(e.status));
		ck_assert_uint_eq(
		    count(e.out, "ending"), count(e.out, "ended"));
	}
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_main");
	TCase *const c = tcase_create("behaviours");
	SRunner *const r = srunner_create(s);

	tcase_add_test(c, b156_a_normal_end_tears_down_and_exits_0);
	tcase_add_test(
	    c, b157_exit_from_any_depth_tears_down_then_says_and_exits);
	tcase_add_test(c, b158_an_uncaught_error_is_said_and_exits_1);
	tcase_add_test(
	    c, b159_b160_b161_b164_signals_tear_down_and_exit_128_and_n);
	tcase_add_test(c, what_a_parent_blocked_is_heard);
	tcase_add_test(c, nohup_keeps_sighup_and_nothing_else);
	tcase_add_test(c, b162_a_second_signal_hurries_and_still_tears_down);
	tcase_add_test(
	    c, b163_an_error_in_teardown_on_a_signal_is_said_and_exits_1);
	tcase_add_loop_test(c,
	    b156_b157_b158_an_interrupted_program_ends_what_it_began, 0,
	    sizeof(injected_bodies) / sizeof(*injected_bodies));
	tcase_set_timeout(c, 120);
	tcase_add_test(c, sigusr1_prints_the_tasks_and_ends_nothing);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
