/* SPDX-License-Identifier: MIT */
/*
 * main: signals halt the root task; the exit status says how it ended. SIGUSR1
 * only asks what the program is doing.
 */
#include "common/flow/main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/dump.h"
#include "common/flow/wait.h"
#include "common/loop/loop.h"

#define MAIN_SIGNALS 4

static struct {
	struct task *root;
	void (*on_hurry)(int signo);
	int signo;
	bool has_status;
	int status;
} main_state;

static void
main_on_signal(int signo, void *arg)
{
	if (main_state.signo) {
		if (main_state.on_hurry)
			main_state.on_hurry(signo);
		return;
	}
	main_state.signo = signo;
	task_halt_soon(main_state.root);
}

/* Somebody asks what all the tasks are doing; who reads it may be stopped. */
static void
main_on_ask(int signo, void *arg)
{
	char *text = NULL;
	size_t n = 0;
	FILE *const file = open_memstream(&text, &n);

	if (!file)
		return;
	flow_dump(file);
	if (fclose(file) == 0)
		for (const char *line = text, *end; (end = strchr(line, '\n'));
		     line = end + 1)
			log_pass(line, (size_t)(end + 1 - line));
	free(text);
}

int
flow_main_signal(void)
{
	return main_state.signo;
}

void
flow_exit(int status, const char *message)
{
	if (!main_state.has_status) {
		main_state.has_status = true;
		main_state.status = status;
		if (message)
			fprintf(status ? stderr : stdout, "%s\n", message);
	}
	task_halt_soon(main_state.root);
	(void)flow_suspend();
	/* In teardown nothing can be halted: leave the finaliser. */
	flow_fail(-ECANCELED, "exit %d during the teardown", status);
}

/* Say every error that the root ended with; how many. */
static unsigned
main_say_errors(const struct task *root)
{
	struct err err;
	unsigned n = 0;

	for (; task_error(root, n, &err); n++)
		fprintf(stderr, "%s%s%s\n", err.place, *err.place ? ": " : "",
		    err.text);
	return n;
}

/* What the program tells its parent. */
static int
main_status(const struct task *root)
{
	if (main_state.has_status)
		return main_state.status;
	if (main_say_errors(root))
		return 1;
	return main_state.signo ? 128 + main_state.signo : 0;
}

/* The body of the program, and its argument. */
struct main_call {
	task_body_fn *body;
	void *arg;
};

static void *
main_body(void *arg)
{
	const struct main_call *const m = arg;

	return m->body(m->arg);
}

/* The root is done: the loop need not wait for anything more. */
static void
main_on_done(void *arg)
{
	loop_stop();
}

/* Without its signals a program could not be ended in order. */
static int
main_refuse(int e)
{
	fprintf(stderr, "%s: signals cannot be watched: %s\n",
	    program_invocation_short_name, strerrordesc_np(-e));
	return EXIT_FAILURE;
}

/* Run the root task to its end. Returns the exit status. */
static int
main_run(const struct task_spec *spec)
{
	must(scope_run(scope_root(), spec, &main_state.root) == 0);
	while (task_outcome(main_state.root) == TASK_RUNNING)
		(void)loop_run();
	return main_status(main_state.root);
}

/* Whether a signal is one that nohup(1) keeps from the program. */
static bool
main_is_nohup(int signo)
{
	struct sigaction now;

	return signo == SIGHUP && sigaction(signo, NULL, &now) == 0 &&
	       now.sa_handler == SIG_IGN;
}

int
flow_main(task_body_fn *body, void *arg, void (*on_hurry)(int signo))
{
	static const struct {
		int signo;
		void (*on_signal)(int signo, void *arg);
	} signals[MAIN_SIGNALS] = {
		{ SIGINT, main_on_signal },
		{ SIGTERM, main_on_signal },
		{ SIGHUP, main_on_signal },
		{ SIGUSR1, main_on_ask },
	};
	struct loop_signal watches[MAIN_SIGNALS];
	sigset_t heard;
	struct main_call m = { .body = body, .arg = arg };
	const struct task_spec spec = {
		.name = "main",
		.body = main_body,
		.arg = &m,
		.dispose = main_on_done,
	};

	loop_open();
	flow_open();
	main_state.on_hurry = on_hurry;
	int n = 0, e = 0;
	sigemptyset(&heard);
	for (int i = 0; i < MAIN_SIGNALS && e == 0; i++) {
		if (main_is_nohup(signals[i].signo))
			continue;
		e = loop_signal_start(
		    &watches[n], signals[i].signo, signals[i].on_signal, NULL);
		n += e == 0;
		sigaddset(&heard, signals[i].signo);
	}
	sigprocmask(SIG_UNBLOCK, &heard, NULL);
	const int status = e < 0 ? main_refuse(e) : main_run(&spec);
	while (n > 0)
		loop_signal_stop(&watches[--n]);
	task_unref(&main_state.root);
	flow_close();
	loop_close();
	return status;
}
