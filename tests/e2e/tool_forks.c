/* SPDX-License-Identifier: MIT */
/*
 * tool_forks: tools that leave processes behind or wait for them late, one
 * that says which signals what it starts would not hear, and one that aborts.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <holdline.h>

/* Leave n orphans that are over, and answer, or ask first. */
static json_t *
forks_leave(struct hl_ctx *ctx, json_t *args)
{
	const long n = json_integer_value(json_object_get(args, "n"));
	const pid_t child = fork();

	if (child == 0) {
		for (long i = 0; i < n; i++)
			if (fork() == 0)
				_exit(0);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (json_is_true(json_object_get(args, "asks"))) {
		hl_auto json_t *form = json_loads(
		    "{\"type\":\"object\",\"properties\":{}}", 0, NULL);
		hl_auto json_t *answer = hl_elicit(ctx, "done", "Done?", form);
	}
	return hl_text("left");
}

/* A child of its own, long over when it is waited for. */
static json_t *
forks_wait(struct hl_ctx *ctx, json_t *args)
{
	const pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(7);
	hl_sleep(ctx, 300);
	if (waitpid(child, &status, 0) != child)
		return hl_error("somebody else took it");
	return hl_text("status %d", WEXITSTATUS(status));
}

/* How many signals are blocked here, and so in what is started here. */
static json_t *
forks_n_blocked(json_t *args)
{
	json_int_t n = 0;
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int signo = 1; signo < NSIG; signo++)
		n += sigismember(&mask, signo) == 1;
	return json_integer(n);
}

static json_t *
forks_masks(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *task = forks_n_blocked(NULL);
	hl_auto json_t *step = hl_step(ctx, "blocked", forks_n_blocked, NULL);

	return hl_text("task %lld step %lld",
	    (long long)json_integer_value(task),
	    (long long)json_integer_value(step));
}

static json_t *
forks_abort(struct hl_ctx *ctx, json_t *args)
{
	abort();
}

static const struct hl_tool leave = {
	.name = "leave",
	.description = "Leaves orphans that are over.",
	.input_schema = "{\"type\":\"object\",\"required\":[\"n\"]}",
	.fn = forks_leave,
};

static const struct hl_tool late = {
	.name = "late",
	.description = "Waits for its child when that is long over.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = forks_wait,
};

static const struct hl_tool masks = {
	.name = "masks",
	.description = "Says how many signals are blocked.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = forks_masks,
};

static const struct hl_tool aborts = {
	.name = "aborts",
	.description = "Calls abort(3).",
	.input_schema = "{\"type\":\"object\"}",
	.fn = forks_abort,
};

HL_TOOLS(&leave, &late, &masks, &aborts);
