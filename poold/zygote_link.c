/* SPDX-License-Identifier: MIT */
/*
 * zygote_link: a job is one process that was asked for. It owns that process
 * until the answer came, also when nobody waits for it any more; then the
 * process is let go unassigned, and ends by itself.
 */
#include "poold/zygote_link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/task.h"
#include "common/loop/loop.h"

#include "poold/family.h"
#include "poold/policy.h"

#define ZYGOTE_READY_MS       10000 /* start_timeout is for tenants */
#define ZYGOTE_PATIENCE_MS    1000  /* for one answer, or its readiness */
#define ZYGOTE_PAUSE_FIRST_MS 100
#define ZYGOTE_PAUSE_MAX_MS   10000
#define ZYGOTE_GOOD_RUN_MS    10000

struct zygote_job {
	TAILQ_ENTRY(zygote_job) link;
	uint64_t serial;
	struct process *process;
	bool is_done;
	bool is_left; /* nobody waits */
	int e;
	struct waitq done;
	int64_t deadline_ms;    /* of the answer */
	struct loop_defer bury; /* of one that was left */
};

void
zygote_link_init(struct zygote_link *link, struct context *context)
{
	*link = (struct zygote_link){ .context = context };
	TAILQ_INIT(&link->jobs);
	waitq_init(&link->changed);
}

/* --------------------------------------------------------------------- jobs */

static void
zygote_job_free(struct zygote_job *job)
{
	process_free(&job->process);
	mem_free(job);
}

/* A process that nobody wants was reaped, in a callback of its own. */
static void
zygote_job_bury(void *arg)
{
	zygote_job_free(arg);
}

static void
zygote_job_on_runs(void *arg)
{
}

static void
zygote_job_on_msg(const struct channel_msg *msg, void *arg)
{
}

static void
zygote_job_on_lost(const char *reason, void *arg)
{
}

static void
zygote_job_on_exit(void *arg)
{
	struct zygote_job *const job = arg;

	loop_defer(&job->bury, zygote_job_bury, job);
}

static const struct process_calls zygote_job_calls = {
	.on_runs = zygote_job_on_runs,
	.on_msg = zygote_job_on_msg,
	.on_lost = zygote_job_on_lost,
	.on_exit = zygote_job_on_exit,
};

static struct zygote_job *
zygote_link_find(struct zygote_link *link, uint64_t serial)
{
	struct zygote_job *job;

	TAILQ_FOREACH (job, &link->jobs, link)
		if (job->serial == serial)
			return job;
	return NULL;
}

/* The answer came, or never will. */
static void
zygote_job_answer(struct zygote_link *link, struct zygote_job *job, int e)
{
	TAILQ_REMOVE(&link->jobs, job, link);
	job->is_done = true;
	job->e = e;
	if (!job->is_left) {
		waitq_wake_all(&job->done, 0);
	} else if (e < 0) {
		zygote_job_free(job);
	} else {
		process_signal(job->process, SIGKILL);
	}
}

void
zygote_job_leave(struct zygote_job **jobp)
{
	struct zygote_job *const job = *jobp;

	*jobp = NULL;
	if (!job)
		return;
	if (job->is_done) {
		zygote_job_free(job);
		return;
	}
	job->is_left = true;
	process_pass_on(
	    job->process, "unwanted process", &zygote_job_calls, job);
}

/* ------------------------------------------------------ what it says:
 * callbacks
 */

static void
zygote_link_on_runs(void *arg)
{
}

static void
zygote_link_on_spawned(struct zygote_link *link, const struct channel_msg *msg)
{
	const struct proto_spawned *const spawned = msg->payload;
	struct zygote_job *const job = zygote_link_find(link, spawned->serial);

	if (!job) {
		log_error("zygote: told of a process that nobody asked for");
		return;
	}
	zygote_job_answer(link, job,
	    process_adopt_take(job->process, spawned->pid, fd_take(msg->fd)));
}

static void
zygote_link_on_msg(const struct channel_msg *msg, void *arg)
{
	struct zygote_link *const link = arg;
	const struct proto_unspawned *unspawned;
	struct zygote_job *job;

	switch (msg->type) {
	case PROTO_READY:
		link->is_ready = true;
		link->is_starting = false;
		waitq_wake_all(&link->changed, 0);
		break;
	case PROTO_SPAWNED:
		zygote_link_on_spawned(link, msg);
		break;
	case PROTO_UNSPAWNED:
		unspawned = msg->payload;
		job = zygote_link_find(link, unspawned->serial);
		if (job && unspawned->e < 0)
			zygote_job_answer(link, job, unspawned->e);
		break;
	default:
		log_error("zygote: sent %s, which is not its to send",
		    proto_name(msg->type));
	}
}

static void
zygote_link_on_lost(const char *reason, void *arg)
{
	struct zygote_link *const link = arg;

	if (link->process && !process_is_over(link->process))
		process_signal(link->process, SIGKILL);
}

static void
zygote_link_on_exit(void *arg)
{
	struct zygote_link *const link = arg;
	struct zygote_job *job;

	link->is_over = true;
	link->is_ready = false;
	/* All it said was heard: what it forked besides is an orphan. */
	family_leave_alone(0);
	while ((job = TAILQ_FIRST(&link->jobs)))
		zygote_job_answer(link, job, -EPIPE);
	waitq_wake_all(&link->changed, 0);
}

static const struct process_calls zygote_link_calls = {
	.on_runs = zygote_link_on_runs,
	.on_msg = zygote_link_on_msg,
	.on_lost = zygote_link_on_lost,
	.on_exit = zygote_link_on_exit,
};

/* ------------------------------------------------------------ asking: tasks */

/* Whether there is a zygote; waits for one that is about to be there. */
static bool
zygote_link_await_ready(struct zygote_link *link)
{
	const int64_t deadline_ms = clock_deadline_ms(ZYGOTE_PATIENCE_MS);

	while (!link->is_ready && link->is_starting && !link->is_ending)
		if (waitq_wait(&link->changed, "the zygote's readiness",
			deadline_ms) == -ETIMEDOUT)
			break;
	return link->is_ready && !link->is_ending;
}

/* Send the order. */
static int
zygote_link_order(struct zygote_link *link, const struct process_spec *spec,
    uint64_t serial, const int child_fds[2])
{
	const int cgroup_fd = spec->heritage.cgroup_fd;
	const struct proto_spawn spawn = {
		.serial = serial,
		.has_namespace = spec->heritage.has_namespace,
		.has_cgroup = cgroup_fd >= 0,
		.is_spare = spec->is_spare,
	};
	/* Three always: what means nothing is any of them. */
	const int fds[] = { child_fds[0], child_fds[1],
		cgroup_fd >= 0 ? cgroup_fd : child_fds[1] };

	return process_send_fds(link->process, PROTO_SPAWN, &spawn, fds, 3);
}

static struct zygote_job *
zygote_job_new(struct zygote_link *link)
{
	struct zygote_job *const job = mem_zalloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->serial = ++link->serial;
	/* Not asked for yet: so there is nothing to come. */
	job->is_done = true;
	job->deadline_ms = clock_deadline_ms(ZYGOTE_PATIENCE_MS);
	waitq_init(&job->done);
	return job;
}

/* Make channel and stderr of a job's process, and order the fork. */
static int
zygote_link_begin(struct zygote_link *link, struct zygote_job *job,
    const struct process_spec *spec, struct err *err_r)
{
	int fds[2];
	int e = process_prepare(spec, &job->process, fds, err_r);

	if (e < 0)
		return e;
	e = zygote_link_order(link, spec, job->serial, fds);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	if (e < 0)
		return err_set(err_r, e, NULL, "the zygote cannot be asked: %s",
		    strerrordesc_np(-e));
	job->is_done = false;
	TAILQ_INSERT_TAIL(&link->jobs, job, link);
	return 0;
}

int
zygote_link_ask(struct zygote_link *link, const struct process_spec *spec,
    struct zygote_job **job_r, struct err *err_r)
{
	struct zygote_job *job zygote_job_auto = NULL;
	int e;

	*job_r = NULL;
	if (!zygote_link_await_ready(link))
		return err_set(err_r, -EAGAIN, NULL, "there is no zygote");
	if (!(job = zygote_job_new(link)))
		return err_set(err_r, -ENOMEM, NULL, "no memory for a process");
	if ((e = zygote_link_begin(link, job, spec, err_r)) < 0)
		return e;
	*job_r = job;
	job = NULL;
	return 0;
}

int
zygote_link_await(
    struct zygote_job *job, struct process **process_r, struct err *err_r)
{
	*process_r = NULL;
	while (!job->is_done)
		if (waitq_wait(&job->done, "the zygote's answer",
			job->deadline_ms) == -ETIMEDOUT &&
		    !job->is_done)
			return err_set(err_r, -ETIMEDOUT, NULL,
			    "the zygote does not answer");
	if (job->e < 0)
		return err_set(err_r, job->e, NULL,
		    "the zygote made no process: %s", strerrordesc_np(-job->e));
	*process_r = job->process;
	job->process = NULL;
	return 0;
}

int
zygote_link_fork(struct zygote_link *link, const struct process_spec *spec,
    struct process **process_r, struct err *err_r)
{
	struct zygote_job *job zygote_job_auto = NULL;
	const int e = zygote_link_ask(link, spec, &job, err_r);

	*process_r = NULL;
	return e < 0 ? e : zygote_link_await(job, process_r, err_r);
}

/* ------------------------------------------------------------- its life: a
 * task */

static int
zygote_link_start(struct zygote_link *link, struct err *err_r)
{
	struct context *const context = link->context;
	char *argv[] = { (char *)"backend", (char *)"-z", NULL };
	struct env env;
	struct process_spec spec = {
		.name = "zygote",
		.heritage = { .path = context->backend_program,
		    .argv = argv,
		    .life_fd = context->life[0],
		    .life_write_fd = context->life[1],
		    .parent_pid = getpid(),
		    .nofile = context->nofile,
		    .cgroup_fd = -1 },
		.env = &env,
		.listen_fd = -1,
		.has_channel = true,
		.shares_group = true,
		.calls = &zygote_link_calls,
		.arg = link,
	};
	int e;

	link->is_ready = link->is_over = false;
	link->started_ms = clock_now_ms();
	if ((e = env_init(&env, environ)) < 0)
		return err_set(err_r, e, NULL, "no memory");
	/* Room for the mark of a run, which children put in its place. */
	e = env_set(&env, HERITAGE_RUN_ENV, "%020d", 0) ? 0 : -ENOMEM;
	if (e == 0)
		e = process_start(&spec, &link->process, err_r);
	env_fini(&env);
	if (e < 0)
		return e;
	/* Its children are in its session until they are told their tenant. */
	family_leave_alone(process_pid(link->process));
	log_info("zygote: started pid=%d", (int)process_pid(link->process));
	return 0;
}

/* Wait until it is ready or over; kill it when it is neither in time. */
static void
zygote_link_watch(struct zygote_link *link)
{
	const int64_t deadline_ms = clock_deadline_ms(ZYGOTE_READY_MS);

	while (!link->is_ready && !link->is_over)
		if (waitq_wait(&link->changed, "the zygote's readiness",
			deadline_ms) == -ETIMEDOUT) {
			log_error("zygote: not ready in time, killed");
			process_signal(link->process, SIGKILL);
			break;
		}
	link->is_starting = false;
	while (!link->is_over)
		(void)waitq_wait(
		    &link->changed, "the zygote's end", CLOCK_NEVER);
}

static void
zygote_link_bury(struct zygote_link *link)
{
	char ending[64];
	const char *const words = process_words(link->process);

	policy_ending(process_status(link->process), ending, sizeof(ending));
	if (!link->is_ending)
		log_error("zygote: ended: %s%s%s", ending, words[0] ? ": " : "",
		    words);
	if (clock_now_ms() - link->started_ms >= ZYGOTE_GOOD_RUN_MS)
		link->n_failures = 0;
	link->n_failures++;
	process_free(&link->process);
	waitq_wake_all(&link->changed, 0);
}

/* After the first failure at once, then longer each time. */
static void
zygote_link_pause(struct zygote_link *link)
{
	const int64_t deadline_ms = clock_deadline_ms(policy_pause_ms(
	    link->n_failures, ZYGOTE_PAUSE_FIRST_MS, ZYGOTE_PAUSE_MAX_MS));

	while (!link->is_ending && link->n_failures > 1)
		if (waitq_wait(&link->changed, "the zygote's next start",
			deadline_ms) == -ETIMEDOUT)
			return;
}

static void *
zygote_link_body(void *arg)
{
	struct zygote_link *const link = arg;
	struct err err;

	while (!link->is_ending) {
		link->is_starting = link->n_failures < 2;
		if (zygote_link_start(link, &err) == 0) {
			zygote_link_watch(link);
			zygote_link_bury(link);
		} else {
			log_error("zygote: %s", err.text);
			link->n_failures++;
		}
		zygote_link_pause(link);
	}
	return NULL;
}

static void
zygote_link_dispose(void *arg)
{
	struct zygote_link *const link = arg;
	struct zygote_job *job;

	process_free(&link->process);
	while ((job = TAILQ_FIRST(&link->jobs)))
		zygote_job_answer(link, job, -EPIPE);
}

int
zygote_link_run(struct zygote_link *link)
{
	const struct task_spec spec = {
		.name = "zygote",
		.body = zygote_link_body,
		.arg = link,
		.dispose = zygote_link_dispose,
	};

	link->is_starting = true;
	return task_spawn(&spec, NULL);
}

void
zygote_link_end(struct zygote_link *link, int64_t deadline_ms)
{
	link->is_ending = true;
	waitq_wake_all(&link->changed, 0);
	if (link->process)
		process_signal(link->process, SIGTERM);
	while (link->process) {
		const int e =
		    waitq_wait(&link->changed, "the zygote's end", deadline_ms);
		if (e != -ETIMEDOUT || !link->process)
			continue;
		process_signal(link->process, SIGKILL);
		deadline_ms = CLOCK_NEVER;
	}
}
