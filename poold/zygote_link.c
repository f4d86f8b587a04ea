/* SPDX-License-Identifier: MIT */
/*
 * zygote_link: a job is one process that was asked for. It owns that process
 * until the answer came, also when nobody waits for it any more; then the
 * process is killed, and the zygote's task, which hears it, frees it.
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
#include "common/proc/clone.h"

#include "poold/family.h"
#include "poold/policy.h"

#define ZYGOTE_READY_MS    10000 /* start_timeout is for tenants */
#define ZYGOTE_PATIENCE_MS 1000  /* for one answer, or its readiness */
#define ZYGOTE_STILL_MS    5000  /* without an answer: then it is killed */

struct zygote_job {
	TAILQ_ENTRY(zygote_job) link;
	struct zygote_link *zygote;
	uint64_t serial;
	struct process *process;
	bool is_done;
	bool is_left; /* nobody waits */
	int e;
	struct waitq done;
	int64_t deadline_ms; /* of the answer */
};

void
zygote_link_init(struct zygote_link *link, struct context *context)
{
	*link = (struct zygote_link){ .context = context };
	TAILQ_INIT(&link->jobs);
	TAILQ_INIT(&link->left);
	select_init(&link->select);
	waitq_init(&link->changed);
}

/* Something changed: for its task, and for those who wait for it. */
static void
zygote_link_change(struct zygote_link *link)
{
	select_post(&link->select);
	waitq_wake_all(&link->changed, 0);
}

/* --------------------------------------------------------------------- jobs */

static void
zygote_job_free(struct zygote_job *job)
{
	process_free(&job->process);
	mem_free(job);
}

static struct zygote_job *
zygote_link_find(struct zygote_link *link, uint64_t serial)
{
	struct zygote_job *job;

	TAILQ_FOREACH (job, &link->jobs, link)
		if (job->serial == serial)
			return job;
	return NULL;
}

/* Its process is not wanted: the zygote's task kills it and hears its end. */
static void
zygote_job_discard(struct zygote_link *link, struct zygote_job *job)
{
	process_pass_on(job->process, "unwanted process", &link->select);
	process_signal(job->process, SIGKILL);
	TAILQ_INSERT_TAIL(&link->left, job, link);
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
		zygote_job_discard(link, job);
	}
}

/* Its process, which nobody wants, may have ended. */
static void
zygote_job_hear(struct zygote_link *link, struct process *process)
{
	struct process_said said;
	struct zygote_job *job;
	enum process_news news;

	while ((news = process_next(process, &said)) != PROCESS_QUIET &&
	       news != PROCESS_ENDED)
		;
	TAILQ_FOREACH (job, &link->left, link)
		if (job->process == process)
			break;
	if (!job || news != PROCESS_ENDED)
		return;
	TAILQ_REMOVE(&link->left, job, link);
	zygote_job_free(job);
}

void
zygote_job_leave(struct zygote_job **jobp)
{
	struct zygote_job *const job = *jobp;

	*jobp = NULL;
	if (!job)
		return;
	if (!job->is_done) {
		job->is_left = true;
		process_pass_on(
		    job->process, "unwanted process", &job->zygote->select);
	} else if (job->process && job->e == 0 && !job->zygote->is_ending) {
		zygote_job_discard(job->zygote, job);
	} else {
		zygote_job_free(job);
	}
}

/* ------------------------------------------------------------ what it says */

static void
zygote_link_on_spawned(struct zygote_link *link, struct packet *packet)
{
	const struct proto_spawned *const spawned = packet->payload;
	struct zygote_job *const job = zygote_link_find(link, spawned->serial);

	if (!job) {
		log_error("zygote: told of a process that nobody asked for");
		return;
	}
	zygote_job_answer(link, job,
	    process_adopt_take(
		job->process, spawned->pid, fd_take(&packet->fds[0])));
}

static void
zygote_link_on_packet(struct zygote_link *link, struct packet *packet)
{
	const struct proto_unspawned *unspawned;
	struct zygote_job *job;

	switch (packet->type) {
	case PROTO_READY:
		link->is_ready = true;
		link->is_starting = false;
		waitq_wake_all(&link->changed, 0);
		break;
	case PROTO_SPAWNED:
		zygote_link_on_spawned(link, packet);
		break;
	case PROTO_UNSPAWNED:
		unspawned = packet->payload;
		job = zygote_link_find(link, unspawned->serial);
		if (job && unspawned->e < 0)
			zygote_job_answer(link, job, unspawned->e);
		break;
	default:
		log_error("zygote: sent %s, which is not its to send",
		    proto_name(packet->type));
	}
}

static void
zygote_link_on_end(struct zygote_link *link)
{
	struct zygote_job *job;

	link->is_over = true;
	link->is_ready = false;
	/* All it said was heard: what it forked besides is an orphan. */
	family_leave_alone(0);
	family_reap();
	while ((job = TAILQ_FIRST(&link->jobs)))
		zygote_job_answer(link, job, -EPIPE);
	waitq_wake_all(&link->changed, 0);
}

static void
zygote_link_hear(struct zygote_link *link)
{
	struct process_said said;

	for (;;) {
		switch (process_next(link->process, &said)) {
		case PROCESS_SAYS:
			zygote_link_on_packet(link, said.packet);
			break;
		case PROCESS_LOST:
			if (!process_is_over(link->process))
				process_signal(link->process, SIGKILL);
			break;
		case PROCESS_ENDED:
			zygote_link_on_end(link);
			return;
		case PROCESS_RUNS:
			break;
		case PROCESS_QUIET:
			return;
		}
	}
}

/* Wait for news of the zygote, or of what nobody wants. 0 or -ETIMEDOUT. */
static int
zygote_link_wait(
    struct zygote_link *link, const char *what, int64_t deadline_ms)
{
	struct select_fd *ready;
	const int rc = select_next(&link->select, what, deadline_ms, &ready);

	if (rc < 0)
		return rc;
	struct process *const process = rc > 0 ? process_note(ready, rc) : NULL;
	if (process && process != link->process)
		zygote_job_hear(link, process);
	else if (link->process)
		zygote_link_hear(link);
	return 0;
}

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
	job->zygote = link;
	job->serial = ++link->serial;
	/* Not asked for yet: so there is nothing to come. */
	job->is_done = true;
	job->e = -EPIPE;
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

/*
 * A job was not answered in time. It is kept, with its descriptors, until it
 * is: so not for ever. One that is only slow has answered older ones.
 */
static void
zygote_link_judge(struct zygote_link *link)
{
	const struct zygote_job *const oldest = TAILQ_FIRST(&link->jobs);

	if (!oldest || !link->process ||
	    clock_now_ms() <
		oldest->deadline_ms - ZYGOTE_PATIENCE_MS + ZYGOTE_STILL_MS)
		return;
	log_error("zygote: does not answer, killed");
	process_signal(link->process, SIGKILL);
}

int
zygote_link_await(
    struct zygote_job *job, struct process **process_r, struct err *err_r)
{
	*process_r = NULL;
	while (!job->is_done)
		if (waitq_wait(&job->done, "the zygote's answer",
			job->deadline_ms) == -ETIMEDOUT &&
		    !job->is_done) {
			zygote_link_judge(job->zygote);
			return err_set(err_r, -ETIMEDOUT, NULL,
			    "the zygote does not answer");
		}
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

/* ------------------------------------------------------------ its life: a task
 */

static int
zygote_link_start(struct zygote_link *link, struct err *err_r)
{
	struct context *const context = link->context;
	/* Its filter would forbid it the namespaces of its children. */
	const bool is_confined =
	    settings_confines_zygote(context->settings) &&
	    !(context->has_namespaces && clone_is_readable());
	char *argv[] = { (char *)"backend", (char *)(is_confined ? "-Z" : "-z"),
		NULL };
	struct env env;
	struct process_spec spec = {
		.name = "zygote",
		.heritage = { .path = context->backend_program,
		    .argv = argv,
		    .life_fd = context->life[0],
		    .life_write_fd = context->life[1],
		    .parent_pid = getpid(),
		    .nofile = context->nofile,
		    .is_mortal = true,
		    .cgroup_fd = -1 },
		.env = &env,
		.listen_fd = -1,
		.has_channel = true,
		.shares_group = true,
		.select = &link->select,
	};
	int e;

	link->is_ready = link->is_over = false;
	again_begin(&link->again);
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
		if (zygote_link_wait(link, "the zygote's readiness",
			deadline_ms) == -ETIMEDOUT) {
			log_error("zygote: not ready in time, killed");
			process_signal(link->process, SIGKILL);
			break;
		}
	link->is_starting = false;
	while (!link->is_over)
		(void)zygote_link_wait(link, "the zygote's end", CLOCK_NEVER);
}

static void
zygote_link_bury(struct zygote_link *link)
{
	char ending[64];
	const char *const words = process_words(link->process);

	policy_ending(
	    process_status(link->process), false, ending, sizeof(ending));
	if (!link->is_ending)
		log_error("zygote: ended: %s%s%s", ending, words[0] ? ": " : "",
		    words);
	context_note_end(link->context, process_status(link->process));
	again_fail(&link->again);
	process_free(&link->process);
	waitq_wake_all(&link->changed, 0);
}

static void *
zygote_link_body(void *arg)
{
	struct zygote_link *const link = arg;
	struct err err;

	while (!link->is_ending) {
		link->is_starting = again_is_prompt(&link->again);
		if (zygote_link_start(link, &err) == 0) {
			zygote_link_watch(link);
			zygote_link_bury(link);
		} else {
			log_error("zygote: %s", err.text);
			again_fail(&link->again);
		}
		while (!link->is_ending && again_pause_ms(&link->again) > 0)
			(void)zygote_link_wait(
			    link, "the zygote's next start", link->again.at_ms);
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
	while ((job = TAILQ_FIRST(&link->left))) {
		TAILQ_REMOVE(&link->left, job, link);
		zygote_job_free(job);
	}
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
	struct context *const context = link->context;

	link->is_ending = true;
	zygote_link_change(link);
	if (link->process)
		process_signal(link->process, SIGTERM);
	for (bool is_killed = false; link->process;) {
		if (context->is_hurried && !is_killed)
			deadline_ms = 0;
		const int e =
		    waitq_wait(&link->changed, "the zygote's end", deadline_ms);
		if (e != -ETIMEDOUT || !link->process)
			continue;
		if (is_killed) {
			log_error("zygote: does not end, though it was killed");
			context->has_killed = true;
			return;
		}
		process_signal(link->process, SIGKILL);
		is_killed = true;
		deadline_ms = clock_deadline_ms(
		    policy_kill_ms(context->settings->pool.stop_timeout_ms));
	}
}

void
zygote_link_hurry(struct zygote_link *link)
{
	waitq_wake_all(&link->changed, 0);
}
