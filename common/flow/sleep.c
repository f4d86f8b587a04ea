/* SPDX-License-Identifier: MIT */
/* sleep: waiting for time and for descriptors. */
#include "common/flow/sleep.h"

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/wait.h"

void
flow_sleep(int64_t ms)
{
	struct waitq nothing;

	must(ms >= 0);
	waitq_init(&nothing);
	(void)waitq_wait(&nothing, "time", clock_deadline_ms(ms));
}

static void
sleep_on_ready(unsigned events, void *arg)
{
	struct waitq *const ready = arg;

	waitq_wake_one(ready, (int)events, NULL);
}

/* A watch that ends with the wait, however that ends. */
static void
sleep_unwatch(struct loop_io *io)
{
	loop_io_stop(io);
}

int
flow_wait_fd(int fd, unsigned events, int64_t deadline_ms)
{
	__attribute__((cleanup(sleep_unwatch))) struct loop_io io;
	struct waitq ready;

	waitq_init(&ready);
	loop_io_init(&io, fd, sleep_on_ready, &ready);
	const int rc = loop_io_watch(&io, events);
	if (rc < 0)
		return rc;
	return waitq_wait(&ready, "a descriptor", deadline_ms);
}
