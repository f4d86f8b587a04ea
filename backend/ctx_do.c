/* SPDX-License-Identifier: MIT */
/* ctx_do: steps, waits, time and randomness of a tool. */
#include <errno.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/flow/sleep.h"
#include "common/flow/work.h"

#include "backend/ctx_input.h"
#include "backend/value.h"

#define CTX_RANDOM_BYTES 4096
#define CTX_SLEEP_MS     INT64_C(3155760000000) /* a hundred years */

_Static_assert(HL_READ == LOOP_READ && HL_WRITE == LOOP_WRITE,
    "a tool's events are the loop's");

/* A step on its way to a helper thread; owned by flow_work from then on. */
struct ctx_step {
	hl_step_fn *fn;
	json_t *args;
};

/* On the helper thread: nothing of the session may be touched. */
static void *
ctx_step_work(void *arg)
{
	const struct ctx_step *const step = arg;

	return step->fn(step->args);
}

static void
ctx_step_dispose(void *arg)
{
	struct ctx_step *const step = arg;

	json_decref(step->args);
	mem_free(step);
}

static void
ctx_step_drop(void *value)
{
	json_decref(value);
}

/* A copy of what the tool passed, for a thread of its own. */
static struct ctx_step *
ctx_step_copy(const struct ctx_step *given)
{
	struct ctx_step *const step = mem_alloc(sizeof(*step));

	if (!step)
		return NULL;
	*step = *given;
	if (given->args && !(step->args = value_copy(given->args))) {
		mem_free(step);
		return NULL;
	}
	return step;
}

static json_t *
ctx_fetch_step(struct hl_ctx *ctx, const char *name, void *arg)
{
	const struct ctx_step *const given = arg;
	void *value;

	if (given->args && value_check(given->args) < 0)
		flow_fail(-EMSGSIZE,
		    "the arguments of step %s are nested too deep", name);
	struct ctx_step *const step = ctx_step_copy(given);
	if (!step)
		ctx_no_memory();
	const int rc = flow_work(
	    &(struct flow_work_spec){
		.name = "hl_step",
		.fn = ctx_step_work,
		.arg = step,
		.dispose = ctx_step_dispose,
		.drop = ctx_step_drop,
	    },
	    CLOCK_NEVER, &value);
	if (rc == -ENOMEM)
		ctx_no_memory();
	if (rc < 0)
		flow_fail(rc, "step %s could not be run", name);
	if (!value)
		flow_fail(-EIO, "step %s failed", name);
	return value;
}

json_t *
hl_step(struct hl_ctx *ctx, const char *name, hl_step_fn *fn, json_t *args)
{
	struct ctx_step given = { .fn = fn, .args = args };

	return ctx_input(ctx, CTX_STEP, name, ctx_fetch_step, &given);
}

/* The input is the deadline, so that a sleep goes on where it was. */
static json_t *
ctx_fetch_sleep(struct hl_ctx *ctx, const char *name, void *arg)
{
	return json_integer(clock_wall_ms() + *(const int64_t *)arg);
}

void
hl_sleep(struct hl_ctx *ctx, int64_t ms)
{
	int64_t wish = ms < 0 ? 0 : ms > CTX_SLEEP_MS ? CTX_SLEEP_MS : ms;
	json_t *const until =
	    ctx_input(ctx, CTX_SLEEP, "sleep", ctx_fetch_sleep, &wish);
	const int64_t left = json_integer_value(until) - clock_wall_ms();

	json_decref(until);
	flow_sleep(left > 0 ? left : 0);
}

/* A wait for a descriptor. */
struct ctx_fd {
	int fd;
	unsigned events;
	int64_t timeout_ms;
};

static json_t *
ctx_fetch_fd(struct hl_ctx *ctx, const char *name, void *arg)
{
	const struct ctx_fd *const w = arg;
	const int rc =
	    flow_wait_fd(w->fd, w->events, clock_deadline_ms(w->timeout_ms));

	return json_integer(rc == -ETIMEDOUT ? 0 : rc);
}

int
hl_wait_fd(struct hl_ctx *ctx, int fd, unsigned events, int64_t timeout_ms)
{
	struct ctx_fd w = { fd, events & (HL_READ | HL_WRITE),
		timeout_ms < CTX_SLEEP_MS ? timeout_ms : CTX_SLEEP_MS };

	if (!w.events)
		return -EINVAL;
	hl_auto json_t *got = ctx_input(ctx, CTX_FD, "fd", ctx_fetch_fd, &w);
	return (int)json_integer_value(got);
}

static json_t *
ctx_fetch_now(struct hl_ctx *ctx, const char *name, void *arg)
{
	return json_integer(clock_wall_ms());
}

int64_t
hl_now(struct hl_ctx *ctx)
{
	hl_auto json_t *now =
	    ctx_input(ctx, CTX_NOW, "now", ctx_fetch_now, NULL);

	return json_integer_value(now);
}

/* Random bytes as an array of numbers would be large: two letters a byte. */
static json_t *
ctx_fetch_random(struct hl_ctx *ctx, const char *name, void *arg)
{
	const size_t n = *(const size_t *)arg;
	char *const letters = mem_alloc(2 * n);

	if (!letters)
		return NULL;
	unsigned char *const bytes = (unsigned char *)letters + n;
	/* The tool may have forked: its child must not get the same. */
	random_fresh(bytes, n);
	for (size_t i = 0; i < n; i++) {
		const unsigned char byte = bytes[i];
		letters[2 * i] = (char)('a' + (byte >> 4));
		letters[2 * i + 1] = (char)('a' + (byte & 15));
	}
	json_t *const value = json_stringn(letters, 2 * n);
	mem_free(letters);
	return value;
}

void
hl_random(struct hl_ctx *ctx, void *buf, size_t n)
{
	unsigned char *const p = buf;

	if (n > CTX_RANDOM_BYTES)
		flow_fail(-EINVAL, "hl_random: at most %d bytes at once",
		    CTX_RANDOM_BYTES);
	hl_auto json_t *value =
	    ctx_input(ctx, CTX_RANDOM, "random", ctx_fetch_random, &n);
	const char *const letters = json_string_value(value);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)((letters[2 * i] - 'a') << 4 |
				       (letters[2 * i + 1] - 'a'));
}
