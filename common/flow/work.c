/* SPDX-License-Identifier: MIT */
/*
 * work: helper threads. A job belongs to the loop's thread, except between
 * being queued and being reported done, when only the helper touches its
 * value. A waiter that leaves marks the job abandoned; the job ends itself
 * when it is reported. The eventfd is watched only while jobs are out, so an
 * idle program has nothing to wait for.
 */
#include "common/flow/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <bsd/sys/queue.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/latch.h"
#include "common/flow/task.h"
#include "common/loop/loop.h"

#define WORK_IDLE_S      10
#define WORK_STACK_BYTES (512 * 1024)

struct job {
	TAILQ_ENTRY(job) link;
	struct flow_work_spec spec;
	sigset_t mask; /* of who asked for it */
	struct latch done;
	void *value;
	bool is_abandoned;
	bool is_done;
};

TAILQ_HEAD(job_list, job);

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct job_list todo; /* under mutex */
	struct job_list done; /* under mutex */
	unsigned n_threads;   /* under mutex */
	unsigned n_idle;      /* under mutex */
	unsigned n_out;       /* loop's thread: queued and not reported */
	int event_fd;
	struct loop_io io;
	bool is_open; /* io belongs to the present loop */
} work = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.cond = PTHREAD_COND_INITIALIZER,
	.todo = TAILQ_HEAD_INITIALIZER(work.todo),
	.done = TAILQ_HEAD_INITIALIZER(work.done),
	.event_fd = -1,
};

/* Take a job, waiting for one; NULL after WORK_IDLE_S. Under the mutex. */
static struct job *
work_take(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WORK_IDLE_S;
	work.n_idle++;
	while (TAILQ_EMPTY(&work.todo))
		if (pthread_cond_timedwait(&work.cond, &work.mutex, &until))
			break;
	work.n_idle--;
	struct job *const job = TAILQ_FIRST(&work.todo);
	if (job)
		TAILQ_REMOVE(&work.todo, job, link);
	return job;
}

/* Run it as its owner would: what it starts inherits the signal mask. */
static void
work_do(struct job *job)
{
	sigset_t before;

	pthread_sigmask(SIG_SETMASK, &job->mask, &before);
	job->value = job->spec.fn(job->spec.arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *
work_thread(void *arg)
{
	const uint64_t one = 1;
	struct job *job;

	pthread_mutex_lock(&work.mutex);
	while ((job = work_take())) {
		pthread_mutex_unlock(&work.mutex);
		work_do(job);
		pthread_mutex_lock(&work.mutex);
		TAILQ_INSERT_TAIL(&work.done, job, link);
		must(write(work.event_fd, &one, sizeof(one)) == sizeof(one));
	}
	work.n_threads--;
	pthread_mutex_unlock(&work.mutex);
	return NULL;
}

/* Free a job that is done and that nobody waits for. */
static void
work_free(struct job *job)
{
	mem_free(job);
}

/* On the loop's thread: tell the waiter, or drop the value. */
static void
work_report(struct job *job)
{
	job->is_done = true;
	if (job->spec.dispose)
		job->spec.dispose(job->spec.arg);
	if (!job->is_abandoned) {
		latch_set(&job->done, 0, NULL);
		return;
	}
	if (job->spec.drop)
		job->spec.drop(job->value);
	work_free(job);
}

static void
work_on_done(unsigned events, void *arg)
{
	uint64_t n;
	struct job_list done = TAILQ_HEAD_INITIALIZER(done);
	struct job *job;

	if (read(work.event_fd, &n, sizeof(n)) != sizeof(n))
		return;
	pthread_mutex_lock(&work.mutex);
	TAILQ_CONCAT(&done, &work.done, link);
	pthread_mutex_unlock(&work.mutex);
	while ((job = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, job, link);
		if (--work.n_out == 0)
			loop_io_stop(&work.io);
		work_report(job);
	}
}

/*
 * Start one more thread; 0 or -EAGAIN. Without a job it takes no signal, which
 * may have become another's to wait for.
 */
static int
work_start_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;

	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	must(pthread_attr_setstacksize(&attr, WORK_STACK_BYTES) == 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int rc = pthread_create(&thread, &attr, work_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc ? -EAGAIN : 0;
}

/* Open the eventfd on first use. */
static int
work_open(void)
{
	if (work.is_open)
		return 0;
	if (work.event_fd < 0)
		work.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (work.event_fd < 0)
		return -errno;
	work.is_open = true;
	loop_io_init(&work.io, work.event_fd, work_on_done, NULL);
	return 0;
}

/* Queue a job and see to it that a thread will take it. */
static int
work_submit(struct job *job)
{
	int rc = work_open();

	if (rc < 0 || (rc = loop_io_watch(&work.io, LOOP_READ)) < 0)
		return rc;
	pthread_mutex_lock(&work.mutex);
	if (!work.n_idle && work.n_threads < FLOW_WORK_THREADS) {
		rc = work_start_thread();
		work.n_threads += rc == 0;
	}
	if (work.n_threads) {
		TAILQ_INSERT_TAIL(&work.todo, job, link);
		pthread_cond_signal(&work.cond);
		work.n_out++;
		rc = 0;
	}
	pthread_mutex_unlock(&work.mutex);
	if (!work.n_out)
		loop_io_stop(&work.io);
	return rc;
}

/*
 * The waiter leaves: with its value (then spec.drop is NULL), halted after the
 * job was done but before it ran, or without waiting any longer.
 */
static void
work_leave(struct job **jobp)
{
	struct job *const job = *jobp;

	if (!job->is_done) {
		job->is_abandoned = true;
		return;
	}
	if (job->spec.drop)
		job->spec.drop(job->value);
	work_free(job);
}

/* End what a spec owns without having run it. */
static int
work_refuse(const struct flow_work_spec *spec, int code)
{
	if (spec->dispose)
		spec->dispose(spec->arg);
	return code;
}

int
flow_work(
    const struct flow_work_spec *spec, int64_t deadline_ms, void **value_r)
{
	struct job *const job = mem_zalloc(1, sizeof(*job));

	must(task_self() != NULL);
	if (!job)
		return work_refuse(spec, -ENOMEM);
	job->spec = *spec;
	pthread_sigmask(SIG_BLOCK, NULL, &job->mask);
	latch_init(&job->done);
	const int rc = work_submit(job);
	if (rc < 0) {
		work_free(job);
		return work_refuse(spec, rc);
	}
	__attribute__((cleanup(work_leave))) struct job *mine = job;
	const int status =
	    latch_wait(&mine->done, spec->name, deadline_ms, NULL);
	if (status == 0) {
		*value_r = mine->value;
		mine->spec.drop = NULL;
	}
	return status;
}

void
flow_work_close(void)
{
	if (!work.is_open)
		return;
	loop_io_stop(&work.io);
	work.is_open = false;
	if (!work.n_out)
		fd_close(&work.event_fd);
}
