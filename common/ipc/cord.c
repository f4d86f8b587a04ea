/* SPDX-License-Identifier: MIT */
/* cord: packets, an outbox, a select. */
#include "common/ipc/cord.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/base/fd.h"
#include "common/base/log.h"

void
cord_init(struct cord *cord)
{
	*cord = (struct cord){ .fd = -1 };
	outbox_init(&cord->outbox);
}

int
cord_open_take(struct cord *cord, int fd, struct select *select, void *arg)
{
	cord->fd = fd;
	return select_watch(select, &cord->io, fd, LOOP_READ, arg);
}

/* Hear of room for what is kept, too. */
static void
cord_watch(struct cord *cord)
{
	const unsigned write = cord->outbox.n > 0 ? LOOP_WRITE : 0;
	const int e = select_change(&cord->io, LOOP_READ | write);

	if (e < 0)
		log_warn_err(e, "a channel cannot be watched");
}

void
cord_note(struct cord *cord, int events)
{
	if (events & LOOP_WRITE) {
		outbox_flush(&cord->outbox, cord->fd);
		cord_watch(cord);
	}
	if (cord->n_left < CORD_MSGS)
		cord->n_left = CORD_MSGS;
}

void
cord_allow(struct cord *cord, unsigned n)
{
	cord->n_left = (uint16_t)n;
}

static int
cord_end(struct cord *cord)
{
	cord->is_over = true;
	cord->is_unread |= cord->outbox.n > 0;
	select_unwatch(&cord->io);
	outbox_drop(&cord->outbox);
	return -EPIPE;
}

int
cord_next(struct cord *cord, struct packet *packet, const char **reason_r)
{
	const char *fault;

	packet_fini(packet);
	while (cord->fd >= 0 && !cord->is_over && cord->n_left > 0) {
		const int rc =
		    packet_receive(cord->fd, MSG_DONTWAIT, packet, &fault);
		if (rc == -EAGAIN)
			return 0;
		cord->n_left--;
		/*
		 * It comes once, when the peer died without reading all we
		 * sent; its last messages stand behind that.
		 */
		if (rc == -ECONNRESET) {
			cord->is_unread = true;
			continue;
		}
		if (rc == 1)
			return 1;
		*reason_r = packet_end(rc, fault);
		return cord_end(cord);
	}
	return 0;
}

int
cord_send(struct cord *cord, enum proto_type type, const void *payload,
    const char *text, const int *fds, unsigned n_fds)
{
	if (cord->fd < 0 || cord->is_over)
		return -EPIPE;
	const int e = outbox_send(
	    &cord->outbox, cord->fd, type, payload, text, fds, n_fds);
	cord_watch(cord);
	return e;
}

void
cord_close(struct cord *cord)
{
	select_unwatch(&cord->io);
	outbox_drop(&cord->outbox);
	fd_close(&cord->fd);
}
