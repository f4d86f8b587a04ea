/* SPDX-License-Identifier: MIT */
/*
 * flow_harness: one run of a body as a top-level task, and what must hold
 * after every run, whatever happened in it: no task is alive, everything that
 * was begun was ended exactly once, no memory and no descriptor is left, the
 * loop has nothing to wait for. What is run again, and how, see flow_inject.c.
 */
#include "common/flow/sleep.h"
#include "tests/unit/flow_harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>

#include "common/base/mem.h"
#include "common/flow/core.h"
#include "common/flow/sanitize.h"
#include "tests/unit/flow_inner.h"

#define HARNESS_ALARM_S    60
#define HARNESS_RESCUE_MS  3600000 /* of virtual time */
#define HARNESS_REAL_MS    200
#define HARNESS_START_MS   1000
#define HARNESS_TRACE      4096
#define HARNESS_WORD_BYTES 64

/* What a run told. */
struct harness_result {
	enum task_outcome outcome;
	unsigned n_errs;
	struct err errs[HARNESS_ERRORS];
	char at_once[HARNESS_WORD_BYTES];
	char trace[HARNESS_TRACE];
};

struct harness_record {
	struct harness_record *next;
	const char *word; /* of a local */
	task_body_fn *body;
	scope_finaliser_fn *fn;
	void *arg;
	unsigned n_ended;
	const char *file;
	int line;
};

enum task_outcome harness_outcome;
struct err harness_err;
struct err harness_errs[HARNESS_ERRORS];
unsigned harness_n_errs;
char harness_at_once[HARNESS_WORD_BYTES];

static char trace[HARNESS_TRACE];
static struct harness_record *records;
static const struct harness_run *present;
static struct injection *injected; /* of the present run */
static struct task *tops[2];
static struct loop_timer rescue;
static unsigned n_rescued;

/* ---- what bodies say ---- */

void
note(const char *fmt, ...)
{
	const size_t at = strlen(trace);
	va_list ap;

	must(at < sizeof(trace) - HARNESS_WORD_BYTES);
	va_start(ap, fmt);
	vsnprintf(trace + at, sizeof(trace) - at - 1, fmt, ap);
	va_end(ap);
	strcat(trace, " ");
}

static struct harness_record *
record_new(const char *file, int line)
{
	struct harness_record *const r = calloc(1, sizeof(*r));

	must(r != NULL);
	r->next = records;
	r->file = file;
	r->line = line;
	records = r;
	return r;
}

struct harness_record *
harness_record_begin(const char *word, const char *file, int line)
{
	struct harness_record *const r = record_new(file, line);

	r->word = word;
	return r;
}

void
harness_record_end(struct harness_record *const *r)
{
	(*r)->n_ended++;
	note("%s", (*r)->word);
}

void
harness_lacks(const char *file, int line, const char *what)
{
	const struct task *const self = task_self();

	if (!injected || !inject_has_fired(injected))
		must_fail(file, line, what);
	if (self && !self->unwind.is_active)
		flow_fail_at(file, line, -ECANCELED, "injected: %s", what);
}

static void *
record_body(void *arg)
{
	const struct harness_record *const r = arg;

	return r->body(r->arg);
}

static void
record_dispose(void *arg)
{
	((struct harness_record *)arg)->n_ended++;
}

struct task_spec
harness_spec(
    const char *name, task_body_fn *body, void *arg, const char *file, int line)
{
	struct harness_record *const r = record_new(file, line);

	r->body = body;
	r->arg = arg;
	return (struct task_spec){ .name = name,
		.body = record_body,
		.arg = r,
		.dispose = record_dispose };
}

void
harness_spawn(const char *name, task_body_fn *body, void *arg,
    struct task **task_r, const char *file, int line)
{
	const struct task_spec spec = harness_spec(name, body, arg, file, line);

	if (task_spawn(&spec, task_r) < 0)
		harness_lacks(file, line, "a child");
}

static int
record_finalise(void *arg, struct err *err)
{
	struct harness_record *const r = arg;

	r->n_ended++;
	return r->fn(r->arg, err);
}

void
harness_ensure(scope_finaliser_fn *fn, void *arg, const char *file, int line)
{
	struct harness_record *const r = record_new(file, line);

	r->fn = fn;
	r->arg = arg;
	if (scope_ensure(record_finalise, r) == 0)
		return;
	r->n_ended++;
	harness_lacks(file, line, "a finaliser");
}

static int
pipe_end(void *arg, struct err *err)
{
	int *const fds = arg;

	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return 0;
}

void
harness_pipe(int fds[2])
{
	fds[0] = fds[1] = -1;
	ENSURE(pipe_end, fds);
	need(pipe(fds) == 0);
}

static int
queue_end(void *arg, struct err *err)
{
	queue_fini(arg, NULL);
	return 0;
}

void
harness_queue(struct queue *q, size_t cap)
{
	memset(q, 0, sizeof(*q));
	ENSURE(queue_end, q);
	need(queue_init(q, cap) == 0);
}

static int
handle_end(void *arg, struct err *err)
{
	task_unref(arg);
	return 0;
}

void
harness_handle(struct task **t)
{
	*t = NULL;
	ENSURE(handle_end, t);
}

bool
harness_is_injected(void)
{
	return injected && injected->kind != INJECT_NOTHING;
}

/* ---- one run ---- */

const struct harness_run *
harness_present(void)
{
	return present;
}

static unsigned
count_descriptors(void)
{
	DIR *const dir = opendir("/proc/self/fd");
	unsigned n = 0;

	must(dir != NULL);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void
say_how_to_repeat(void)
{
	char said[512];

	if (!present)
		return;
	inject_say(said, sizeof(said));
	if (write(STDERR_FILENO, said, strlen(said)) < 0)
		_exit(1);
}

/* The run dies, or takes too long: say which it was. */
static void
on_death(int signo)
{
	say_how_to_repeat();
	if (signo == SIGALRM)
		abort();
}

/* Say which run it was, whatever ends it. */
static void
watch_death(void)
{
	struct sigaction action = { .sa_handler = on_death,
		.sa_flags = SA_ONSTACK | SA_RESETHAND };

	sigaction(SIGABRT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	if (harness_is_injected() && !SANITIZE_ADDRESS)
		sigaction(SIGSEGV, &action, NULL);
#if SANITIZE_ADDRESS
	__sanitizer_set_death_callback(say_how_to_repeat);
#endif
	alarm(HARNESS_ALARM_S);
}

static bool
is_running(void)
{
	for (int i = 0; i < 2; i++)
		if (tops[i] && task_outcome(tops[i]) == TASK_RUNNING)
			return true;
	return false;
}

/*
 * Nothing else will happen: whoever should have gone on was halted. Not a
 * fault; but what is left must end when it is halted too.
 */
static void
on_rescue(void *arg)
{
	const int64_t ms =
	    present->mode == HARNESS_REAL ? 30000 : HARNESS_RESCUE_MS;

	if (!is_running())
		return;
	must(n_rescued++ == 0);
	for (int i = 0; i < 2; i++)
		if (tops[i])
			task_halt_soon(tops[i]);
	loop_timer_set(&rescue, clock_deadline_ms(ms));
}

static void
start_rescue(void)
{
	n_rescued = 0;
	loop_timer_init(&rescue, on_rescue, NULL);
	if (harness_is_injected())
		loop_timer_set(
		    &rescue, clock_deadline_ms(present->mode == HARNESS_REAL
						   ? HARNESS_REAL_MS
						   : HARNESS_RESCUE_MS));
}

/* A top is over: the last one lets the loop wait for nothing more. */
static void
top_dispose(void *arg)
{
	record_dispose(arg);
	if (!is_running())
		loop_stop();
}

/* Start the top-level tasks; only an injection may keep them from it. */
static void
start_tops(const struct harness_run *r)
{
	struct task_spec spec =
	    harness_spec("test", r->body, r->arg, __FILE__, __LINE__);
	spec.dispose = top_dispose;
	int rc = flow_run(&spec, &tops[0]);

	snprintf(harness_at_once, sizeof(harness_at_once), "%.60s", trace);
	if (rc == 0 && r->halter) {
		spec = harness_spec(
		    "halter", r->halter, tops[0], __FILE__, __LINE__);
		spec.dispose = top_dispose;
		rc = flow_run(&spec, &tops[1]);
	}
	must(rc == 0 || harness_is_injected());
}

/* Keep how the first top ended, and give the tops back. */
static void
keep_outcome(void)
{
	harness_outcome = tops[0] ? task_outcome(tops[0]) : TASK_FAILED;
	harness_n_errs = 0;
	err_clear(&harness_err);
	while (
	    tops[0] && harness_n_errs < HARNESS_ERRORS &&
	    task_error(tops[0], harness_n_errs, &harness_errs[harness_n_errs]))
		harness_n_errs++;
	if (harness_n_errs)
		harness_err = harness_errs[0];
	task_unref(&tops[0]);
	task_unref(&tops[1]);
}

/* What was begun and not ended exactly once; NULL: nothing. */
static const struct harness_record *
find_unended(void)
{
	const struct harness_record *r = records;

	while (r && r->n_ended == 1)
		r = r->next;
	return r;
}

static void
forget_records(void)
{
	struct harness_record *r;

	while ((r = records)) {
		records = r->next;
		free(r);
	}
}

/* Say what is wrong and how to have it again; ends the test. */
__attribute__((format(printf, 1, 2))) static void
complain(const char *fmt, ...)
{
	char what[256], again[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	inject_say(again, sizeof(again));
	present = NULL;
	ck_abort_msg("%s: %s", what, again);
}

void
harness_run_once(const struct harness_run *r, struct injection *in,
    struct inject_points *points_r)
{
	const size_t live = mem_live();
	const unsigned n_fds = count_descriptors();

	present = r;
	injected = in;
	trace[0] = '\0';
	if (r->mode != HARNESS_REAL)
		clock_virtual_start(HARNESS_START_MS);
	loop_open();
	loop_seed(r->seed);
	flow_open();
	watch_death();
	start_rescue();
	inject_begin(in, tops);
	inject_memory(in);
	start_tops(r);
	while (is_running())
		must(loop_turn(true) || !is_running());
	inject_end(in, points_r);
	loop_timer_clear(&rescue);
	keep_outcome();
	const bool is_idle = !loop_turn(false);
	flow_close();
	loop_close();
	clock_virtual_stop();
	alarm(0);
	const struct harness_record *const bad = find_unended();
	if (bad)
		complain("%s:%d: ended %u times", bad->file, bad->line,
		    bad->n_ended);
	if (!is_idle)
		complain("the loop still has something to wait for");
	if (mem_live() != live)
		complain("%zu allocations are left", mem_live() - live);
	if (count_descriptors() != n_fds)
		complain("descriptors are left open");
	if (in->halted_root && harness_outcome == TASK_RETURNED)
		complain("the top was halted, and returned");
	if (in->kind && !in->has_fired && r->mode != HARNESS_REAL)
		complain("the point was not reached: it is not deterministic");
	forget_records();
	present = NULL;
}

/* ---- all runs of a test ---- */

static struct harness_result result;

static void
result_keep(void)
{
	result.outcome = harness_outcome;
	result.n_errs = harness_n_errs;
	memcpy(result.errs, harness_errs, sizeof(result.errs));
	memcpy(result.at_once, harness_at_once, sizeof(result.at_once));
	memcpy(result.trace, trace, sizeof(result.trace));
}

static void
result_restore(void)
{
	harness_outcome = result.outcome;
	harness_n_errs = result.n_errs;
	memcpy(harness_errs, result.errs, sizeof(harness_errs));
	err_clear(&harness_err);
	if (harness_n_errs)
		harness_err = harness_errs[0];
	memcpy(harness_at_once, result.at_once, sizeof(harness_at_once));
	memcpy(trace, result.trace, sizeof(trace));
}

enum task_outcome
harness_run(const char *test, enum harness_mode mode, task_body_fn *body,
    void *arg, task_body_fn *halter)
{
	struct harness_run r = { "", mode, body, arg, halter, 0 };
	struct inject_points points;
	uint64_t seeds[4] = { 0 };
	const unsigned n = mode == HARNESS_PLAIN ? 1 : inject_seeds(seeds);

	/* Check calls the function of a test by its name and _fn */
	snprintf(r.test, sizeof(r.test), "%s", test);
	if (strlen(r.test) > 3 && strstr(r.test, "_fn"))
		r.test[strlen(r.test) - 3] = '\0';
	for (unsigned i = 0; i < n; i++) {
		struct injection in = { .kind = INJECT_NOTHING };
		r.seed = seeds[i];
		harness_run_once(&r, &in, &points);
		present = &r;
		if (i && strcmp(trace, result.trace) != 0)
			complain(
			    "the trace depends on an open order: %.99s", trace);
		result_keep();
	}
	if (mode != HARNESS_PLAIN)
		inject_all(&r);
	present = NULL;
	result_restore();
	return harness_outcome;
}

void
untrace(void)
{
	trace[0] = '\0';
}

const char *
traced(void)
{
	const size_t n = strlen(trace);

	if (n && trace[n - 1] == ' ')
		trace[n - 1] = '\0';
	return trace;
}

bool
harness_wants(const char *test)
{
	const char *const only = getenv("FLOW_TEST");

	return !only || strcmp(only, test) == 0;
}

int
note_end(void *arg, struct err *err)
{
	note("%s", (const char *)arg);
	return 0;
}

int
note_slow_end(void *arg, struct err *err)
{
	note("%s(", (const char *)arg);
	flow_sleep(10);
	note("%s)", (const char *)arg);
	return 0;
}

int
harness_main(Suite *s, TCase *c)
{
	SRunner *const r = srunner_create(s);

	tcase_set_timeout(c, 4 * HARNESS_ALARM_S);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
