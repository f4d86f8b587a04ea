/* SPDX-License-Identifier: MIT */
/*
 * ctx: the inputs of a tool (asks, samples, steps, time, randomness), what it
 * tells, and its finalisers. What cannot be done ends the tool by unwinding.
 */
#include "backend/ctx.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sleep.h"
#include "common/flow/work.h"

#include "backend/result.h"
#include "backend/value.h"

#define CTX_MAGIC         0x686c6378u
#define CTX_RANDOM_BYTES  4096
#define CTX_SAMPLE_TOKENS 1000
#define CTX_SLEEP_MS      INT64_C(3155760000000) /* a hundred years */

_Static_assert(HL_READ == LOOP_READ && HL_WRITE == LOOP_WRITE,
    "a tool's events are the loop's");

/* What kind of input a tool gets; names are counted for each prefix. */
enum ctx_input {
	CTX_ARGUMENTS,
	CTX_ELICIT,
	CTX_SAMPLE,
	CTX_STEP,
	CTX_SLEEP,
	CTX_FD,
	CTX_NOW,
	CTX_RANDOM,
};

/* Elicitations and samples stand in one map on the wire: one prefix. */
static const char *const ctx_prefixes[] = {
	[CTX_ARGUMENTS] = "arguments",
	[CTX_ELICIT] = "ask",
	[CTX_SAMPLE] = "ask",
	[CTX_STEP] = "step",
	[CTX_SLEEP] = "sleep",
	[CTX_FD] = "fd",
	[CTX_NOW] = "now",
	[CTX_RANDOM] = "random",
};

/* Memory that is freed however the frame is left. */
static void
ctx_free_text(char **text)
{
	mem_free(*text);
}

#define ctx_auto_text __attribute__((cleanup(ctx_free_text)))

/* How often a name was used with a prefix. */
struct ctx_count {
	RB_ENTRY(ctx_count) link;
	const char *prefix; /* a row of ctx_prefixes */
	long n;
	char key[];
};

static int
ctx_count_compare(const struct ctx_count *a, const struct ctx_count *b)
{
	const int order = strcmp(a->prefix, b->prefix);

	return order ? order : strcmp(a->key, b->key);
}

/* RB_GENERATE_STATIC of libbsd relies on a macro that glibc lacks. */
RB_GENERATE_INTERNAL(ctx_counts, ctx_count, link, ctx_count_compare,
    __attribute__((unused)) static)

struct err *
ctx_err(void)
{
	static struct err err;

	return &err;
}

void
ctx_init(struct hl_ctx *ctx, struct session *session)
{
	*ctx = (struct hl_ctx){ .magic = CTX_MAGIC, .session = session };
	LIST_INIT(&ctx->teardowns);
	RB_INIT(&ctx->counts);
}

void
ctx_fini(struct hl_ctx *ctx)
{
	struct ctx_count *count;

	must_be(ctx, CTX_MAGIC);
	must(LIST_EMPTY(&ctx->teardowns));
	while ((count = RB_ROOT(&ctx->counts))) {
		RB_REMOVE(ctx_counts, &ctx->counts, count);
		mem_free(count);
	}
	json_decref(ctx->args);
	json_decref(ctx->result);
	json_decref(ctx->needs);
	ctx->magic = 0;
}

/* Memory is short: this tool ends, nothing else does. */
static void __attribute__((noreturn)) ctx_no_memory(void)
{
	flow_fail(-ENOMEM, "out of memory");
}

/* value, or the end of the tool when there was no memory for it. */
static json_t *
ctx_got(json_t *value)
{
	if (!value)
		ctx_no_memory();
	return value;
}

/* Whether the calling task runs a finaliser. */
static bool
ctx_is_teardown(const struct hl_ctx *ctx)
{
	const struct ctx_teardown *t;

	LIST_FOREACH (t, &ctx->teardowns, link)
		if (t->task == task_self())
			return true;
	return false;
}

/* ---- the seam -------------------------------------------------------- */

/* The count of that name, made if it is new; ends the tool instead. */
static struct ctx_count *
ctx_count_of(struct hl_ctx *ctx, const char *prefix, const char *key)
{
	const size_t n_key = strlen(key) + 1;
	struct ctx_count *const made = mem_zalloc(1, sizeof(*made) + n_key);

	if (!made)
		ctx_no_memory();
	made->prefix = prefix;
	memcpy(made->key, key, n_key);
	struct ctx_count *const there =
	    RB_INSERT(ctx_counts, &ctx->counts, made);
	if (!there)
		return made;
	mem_free(made);
	return there;
}

/* Give an input its name: key, key#2, key#3, … for each prefix. */
static void
ctx_name(struct hl_ctx *ctx, enum ctx_input kind, const char *key,
    char name_r[ASK_NAME_BYTES])
{
	if (!ask_is_key(key))
		flow_fail(-EINVAL,
		    "a question or step must be named by 1 to %d characters of "
		    "A-Z a-z 0-9 _ . -",
		    ASK_KEY_MAX);
	const long n = ++ctx_count_of(ctx, ctx_prefixes[kind], key)->n;
	if (n == 1)
		snprintf(name_r, ASK_NAME_BYTES, "%s", key);
	else
		snprintf(name_r, ASK_NAME_BYTES, "%s#%ld", key, n);
}

/* Gets an input from outside under its name. *new*; ends the tool instead. */
typedef json_t *ctx_fetch_fn(struct hl_ctx *ctx, const char *name, void *arg);

/*
 * Every input of a tool comes through here, once, in the order in which the
 * tool asks for it. A journal records (kind, name, value) between the two
 * lines below, before the tool sees the value, and answers from its records
 * instead of fetching when it brings a session back. *new*.
 */
static json_t *
ctx_input(struct hl_ctx *ctx, enum ctx_input kind, const char *key,
    ctx_fetch_fn *fetch, void *arg)
{
	char name[ASK_NAME_BYTES];

	must_be(ctx, CTX_MAGIC);
	ctx_name(ctx, kind, key, name);
	return ctx_got(fetch(ctx, name, arg));
}

static json_t *
ctx_fetch_arguments(struct hl_ctx *ctx, const char *name, void *arg)
{
	return json_incref(session_args(ctx->session));
}

json_t *
ctx_arguments(struct hl_ctx *ctx)
{
	must(!ctx->args);
	ctx->args = ctx_input(
	    ctx, CTX_ARGUMENTS, "arguments", ctx_fetch_arguments, NULL);
	return ctx->args;
}

/* ---- asking ---------------------------------------------------------- */

/* What goes into a question. */
struct ctx_question {
	const char *text;
	json_t *schema;
	int max_tokens;
};

/* A capability is missing: the tool ends, and the face learns which. */
static void __attribute__((noreturn)) ctx_needs(struct hl_ctx *ctx)
{
	json_t *const needs = json_pack("{s:{}}", ctx_err()->place);

	if (!needs)
		ctx_no_memory();
	if (ctx->end == CTX_END_NONE) {
		ctx->end = CTX_END_NEEDS;
		ctx->needs = needs;
	} else {
		json_decref(needs);
	}
	flow_fail(-ENOTSUP, "%s", ctx_err()->text);
}

/* Ask what *ask says (*takes*), or end the tool. */
static json_t *
ctx_ask_take(struct hl_ctx *ctx, struct ask *ask, const char *name)
{
	json_t *value;

	const int rc = session_ask_take(ctx->session, &ask, &value, ctx_err());
	if (rc == -ENOTSUP)
		ctx_needs(ctx);
	if (rc == -EREMOTEIO)
		flow_fail(rc, "the client could not answer %s: %s", name,
		    ctx_err()->text);
	if (rc < 0)
		flow_fail(rc, "%s", ctx_err()->text);
	return value;
}

/* Whether anybody can be asked here at all. */
static void
ctx_may_ask(const struct hl_ctx *ctx, const char *name)
{
	if (ctx_is_teardown(ctx))
		flow_fail(-ESTALE,
		    "%s: nothing can be asked while the tool ends", name);
}

static json_t *
ctx_fetch_elicit(struct hl_ctx *ctx, const char *name, void *arg)
{
	const struct ctx_question *const q = arg;
	struct err *const err = ctx_err();
	struct ask *ask;

	ctx_may_ask(ctx, name);
	const int rc = q->schema && value_check(q->schema) == 0
	                   ? ask_new_elicit(name, q->text, q->schema, &ask, err)
	                   : err_set(err, -EINVAL, "",
				 "there is no form, or it is too deep");
	if (rc == -ENOMEM)
		ctx_no_memory();
	if (rc < 0)
		flow_fail(rc, "the form of %s is wrong at \"%s\": %s", name,
		    err->place, err->text);
	return ctx_ask_take(ctx, ask, name);
}

static json_t *
ctx_fetch_sample(struct hl_ctx *ctx, const char *name, void *arg)
{
	const struct ctx_question *const q = arg;
	struct ask *ask;

	ctx_may_ask(ctx, name);
	if (ask_new_sample(name, q->text, q->max_tokens, &ask, NULL) < 0)
		ctx_no_memory();
	return ctx_ask_take(ctx, ask, name);
}

/* Format a text of the tool; ends the tool without memory. *new* (mem_free). */
static char *
ctx_vformat(const char *fmt, va_list ap)
{
	char *const text = result_vformat(fmt, ap);

	if (!text)
		ctx_no_memory();
	return text;
}

static char *__attribute__((format(printf, 1, 2)))
ctx_format(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *const text = result_vformat(fmt, ap);
	va_end(ap);
	if (!text)
		ctx_no_memory();
	return text;
}

json_t *
hl_elicit(
    struct hl_ctx *ctx, const char *key, const char *message, json_t *schema)
{
	ctx_auto_text char *text = ctx_format("%s", message ? message : "");
	struct ctx_question q = { .text = text, .schema = schema };

	return ctx_input(ctx, CTX_ELICIT, key, ctx_fetch_elicit, &q);
}

/* Sample with a prompt that is formatted (*takes*). */
static json_t *
ctx_sample_take(
    struct hl_ctx *ctx, const char *key, int max_tokens, char *prompt)
{
	ctx_auto_text char *text = prompt;
	struct ctx_question q = { .text = text, .max_tokens = max_tokens };

	return ctx_input(ctx, CTX_SAMPLE, key, ctx_fetch_sample, &q);
}

json_t *
hl_sample(struct hl_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *const prompt = ctx_vformat(fmt, ap);
	va_end(ap);
	return ctx_sample_take(ctx, "sample", CTX_SAMPLE_TOKENS, prompt);
}

json_t *
hl_sample_as(
    struct hl_ctx *ctx, const char *key, int max_tokens, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *const prompt = ctx_vformat(fmt, ap);
	va_end(ap);
	return ctx_sample_take(ctx, key, max_tokens, prompt);
}

/* ---- doing ----------------------------------------------------------- */

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
	random_fill(bytes, n);
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

/* ---- telling --------------------------------------------------------- */

void
hl_progress(struct hl_ctx *ctx, double done, double total, const char *message)
{
	must_be(ctx, CTX_MAGIC);
	ctx_auto_text char *text = message ? ctx_format("%s", message) : NULL;

	session_progress(ctx->session, done, total, text);
}

void
hl_log(struct hl_ctx *ctx, enum hl_level level, const char *fmt, ...)
{
	va_list ap;

	must_be(ctx, CTX_MAGIC);
	va_start(ap, fmt);
	ctx_auto_text char *text = ctx_vformat(fmt, ap);
	va_end(ap);
	const int rc = session_log(
	    ctx->session, level > HL_EMERGENCY ? HL_EMERGENCY : level, text);
	if (rc == -ENOSPC)
		flow_fail(rc,
		    "the tool said too much: at most %d entries and %u bytes",
		    ENTRIES_MAX, ENTRIES_BYTES);
	if (rc < 0)
		ctx_no_memory();
}

/* ---- ending ---------------------------------------------------------- */

void
hl_fail(struct hl_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	must_be(ctx, CTX_MAGIC);
	va_start(ap, fmt);
	ctx_auto_text char *text = ctx_vformat(fmt, ap);
	va_end(ap);
	if (ctx->end == CTX_END_NONE && !ctx_is_teardown(ctx)) {
		ctx->result = ctx_got(result_text(text, true));
		ctx->end = CTX_END_RESULT;
	}
	flow_fail(-ECANCELED, "%s", text);
}

/* A finaliser of a tool. */
struct ctx_ensure {
	struct hl_ctx *ctx;
	void (*fn)(void *arg);
	void *arg;
};

static void *
ctx_call_ensure(void *arg)
{
	const struct ctx_ensure *const e = arg;

	e->fn(e->arg);
	return NULL;
}

/* Run one; whatever it does, the other finalisers and the backend go on. */
static int
ctx_run_ensure(void *arg, struct err *err)
{
	struct ctx_ensure *const e = arg;
	struct ctx_teardown mark = { .task = task_self() };

	LIST_INSERT_HEAD(&e->ctx->teardowns, &mark, link);
	if (scope_call(ctx_call_ensure, e, NULL, err) < 0)
		log_warn("session %s: a finaliser failed: %s",
		    session_id(e->ctx->session), err->text);
	LIST_REMOVE(&mark, link);
	mem_free(e);
	err_clear(err);
	return 0;
}

void
hl_ensure(struct hl_ctx *ctx, void (*fn)(void *arg), void *arg)
{
	must_be(ctx, CTX_MAGIC);
	struct ctx_ensure *const e = mem_alloc(sizeof(*e));
	if (e) {
		*e = (struct ctx_ensure){ ctx, fn, arg };
		if (scope_ensure(ctx_run_ensure, e) == 0)
			return;
		mem_free(e);
	}
	fn(arg);
	ctx_no_memory();
}
