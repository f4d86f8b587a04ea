/* SPDX-License-Identifier: MIT */
/* jack: one socket, two buffers, one timer. */
#include "switchboard/jack.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/must.h"

#include "switchboard/block.h"
#include "switchboard/limits.h"

/* The timer is due; the deadline may have moved on meanwhile. */
static void
jack_on_timer(void *arg)
{
	struct jack *const w = arg;

	if (w->deadline_ms == CLOCK_NEVER)
		return;
	if (w->deadline_ms > clock_now_ms()) {
		loop_timer_set(&w->timer, w->deadline_ms);
		return;
	}
	w->deadline_ms = CLOCK_NEVER;
	w->on_due(w->arg);
}

void
jack_open_take(struct jack *w, int fd,
    void (*on_ready)(unsigned events, void *arg), void (*on_due)(void *arg),
    void *arg)
{
	must(fd >= 0);
	*w = (struct jack){
		.on_due = on_due, .arg = arg, .deadline_ms = CLOCK_NEVER
	};
	loop_io_init(&w->io, fd, on_ready, arg);
	loop_timer_init(&w->timer, jack_on_timer, w);
	block_init(&w->in);
	block_init(&w->out);
}

void
jack_close(struct jack *w)
{
	if (w->io.fd < 0)
		return;
	loop_io_stop(&w->io);
	loop_timer_clear(&w->timer);
	fd_close(&w->io.fd);
	block_return(&w->in);
	block_return(&w->out);
}

void
jack_reset(struct jack *w)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };

	if (w->io.fd >= 0)
		setsockopt(
		    w->io.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	jack_close(w);
}

bool
jack_is_open(const struct jack *w)
{
	return w->io.fd >= 0;
}

ssize_t
jack_read(struct jack *w)
{
	must(w->io.fd >= 0);
	block_trim(&w->in);
	if (block_lend(&w->in) < 0)
		return -ENOMEM;
	const size_t room = buf_room(&w->in);
	char *const at = room ? buf_reserve(&w->in, room) : NULL;
	if (!at)
		return -EAGAIN;
	const ssize_t n = read(w->io.fd, at, room);
	if (n > 0) {
		buf_commit(&w->in, (size_t)n);
		w->n_read += (uint64_t)n;
		return n;
	}
	const int rc = n < 0 ? -errno : 0;
	block_trim(&w->in);
	w->is_eof = n == 0;
	return rc == -EINTR ? -EAGAIN : rc;
}

ssize_t
jack_discard(struct jack *w)
{
	block_return(&w->in);
	const ssize_t n = jack_read(w);
	block_return(&w->in);
	return n;
}

/* Count n bytes as written: first's, then those of `out`. */
static void
jack_advance(struct jack *w, struct slice *first, size_t n)
{
	w->n_written += n;
	if (first && first->n) {
		const size_t k = n < first->n ? n : first->n;

		*first = (struct slice){ first->p + k, first->n - k };
		n -= k;
	}
	buf_consume(&w->out, n);
}

/* What is to be written now, as one vector. Returns its bytes. */
static size_t
jack_gather(const struct jack *w, const struct slice *first,
    struct iovec iov[2], int *n_iov_r)
{
	const struct slice out = buf_content(&w->out);
	size_t n = 0;

	*n_iov_r = 0;
	if (first && first->n) {
		iov[(*n_iov_r)++] =
		    (struct iovec){ (char *)(uintptr_t)first->p, first->n };
		n += first->n;
	}
	if (out.n) {
		iov[(*n_iov_r)++] =
		    (struct iovec){ (char *)(uintptr_t)out.p, out.n };
		n += out.n;
	}
	return n;
}

/* The peer took only part, or nothing. */
static int
jack_stall(struct jack *w, ssize_t n)
{
	if (n > 0 || !w->stalled_at_ms)
		w->stalled_at_ms = clock_now_ms();
	return -EAGAIN;
}

int
jack_write(struct jack *w, struct slice *first)
{
	struct iovec iov[2];
	int n_iov;

	const size_t want = jack_gather(w, first, iov, &n_iov);
	if (!want || w->is_broken) {
		w->stalled_at_ms = 0;
		return want ? -EPIPE : 0;
	}
	const ssize_t n = writev(w->io.fd, iov, n_iov);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return jack_stall(w, 0);
	if (n < 0) {
		const int rc = -errno;

		w->is_broken = true;
		w->stalled_at_ms = 0;
		return rc;
	}
	jack_advance(w, first, (size_t)n);
	if ((size_t)n < want)
		return jack_stall(w, n);
	w->stalled_at_ms = 0;
	block_trim(&w->out);
	return 0;
}

void
jack_shut(struct jack *w)
{
	if (!w->is_shut)
		shutdown(w->io.fd, SHUT_WR);
	w->is_shut = true;
}

void
jack_watch(struct jack *w, size_t min_room)
{
	unsigned events = 0;

	if (!w->is_eof && block_room(&w->in) >= min_room)
		events |= LOOP_READ;
	if (w->stalled_at_ms)
		events |= LOOP_WRITE;
	/* Without a watch nothing would ever happen here: end it by time. */
	if (loop_io_watch(&w->io, events) < 0)
		jack_deadline(w, clock_now_ms());
}

void
jack_deadline(struct jack *w, int64_t deadline_ms)
{
	w->deadline_ms = deadline_ms;
	if (deadline_ms == CLOCK_NEVER)
		return;
	if (!loop_timer_is_set(&w->timer) || w->timer.at_ms > deadline_ms)
		loop_timer_set(&w->timer, deadline_ms);
}
