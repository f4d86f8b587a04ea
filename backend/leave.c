/* SPDX-License-Identifier: MIT */
/*
 * leave: reads ahead, since the end of a stream shows only behind what was
 * sent before it. An end alone may be a half-close: on a unix socket POLLHUP
 * tells that both directions are closed.
 */
#include "backend/leave.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/flow/task.h"

#define LEAVE_READ_BYTES 1024

static bool
leave_is_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* The peer sent bytes ahead, closed, or both. */
static void
leave_on_ready(unsigned events, void *arg)
{
	struct leave *leave = arg;
	const size_t room = buf_room(leave->ahead);
	const size_t want = room < LEAVE_READ_BYTES ? room : LEAVE_READ_BYTES;
	char *p = want > 0 ? buf_reserve(leave->ahead, want) : NULL;
	ssize_t n;

	if (!p) {
		loop_io_stop(&leave->io);
		return;
	}
	n = recv(leave->io.fd, p, want, MSG_DONTWAIT);
	if (n > 0) {
		buf_commit(leave->ahead, (size_t)n);
		return;
	}
	buf_trim(leave->ahead);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	leave->is_eof = true;
	leave->is_gone = n < 0 || leave_is_gone(leave->io.fd);
	loop_io_stop(&leave->io);
	if (leave->is_gone)
		task_halt_soon(leave->task);
}

void
leave_watch(struct leave *leave, int fd, struct buf *ahead, struct task *task)
{
	leave_stop(leave);
	if (leave->is_eof)
		return;
	leave->task = task;
	leave->ahead = ahead;
	loop_io_init(&leave->io, fd, leave_on_ready, leave);
	(void)loop_io_watch(&leave->io, LOOP_READ);
}

void
leave_stop(struct leave *leave)
{
	if (!leave->task)
		return;
	loop_io_stop(&leave->io);
	leave->task = NULL;
}
