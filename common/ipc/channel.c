/* SPDX-License-Identifier: MIT */
/*
 * channel: packets on a SOCK_SEQPACKET pair, under the loop. The first one
 * that packet.c does not let through ends the channel, since two ends built
 * from one tree never send it.
 */
#include "common/ipc/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/must.h"

#define CHANNEL_TURN_MAX 32 /* packets handed over a turn */

/* Watch what there is to do. */
static void
channel_watch(struct channel *channel)
{
	const unsigned write = channel->outbox.n > 0 ? LOOP_WRITE : 0;

	if (loop_io_watch(&channel->io, LOOP_READ | write) < 0)
		log_warn("channel %s: cannot be watched", channel->peer);
}

int
channel_send(struct channel *channel, enum proto_type type, const void *payload,
    const char *text)
{
	if (!channel->is_open || channel->is_over)
		return -EPIPE;
	const int e = outbox_send(
	    &channel->outbox, channel->fd, type, payload, text, NULL, 0);
	channel_watch(channel);
	return e;
}

/* The peer is gone or not to be trusted: say so once. */
static void
channel_end(struct channel *channel, const char *reason)
{
	channel->is_over = true;
	loop_io_stop(&channel->io);
	outbox_drop(&channel->outbox);
	channel->on_closed(reason);
}

/* Read one packet. Returns whether there may be another. */
static bool
channel_read(struct channel *channel)
{
	struct packet packet packet_auto;
	const char *fault;

	const int rc =
	    packet_receive(channel->fd, MSG_DONTWAIT, &packet, &fault);
	/*
	 * ECONNRESET comes once, when the peer died without reading all we
	 * sent; its last messages stand behind that.
	 */
	if (rc == -ECONNRESET)
		return true;
	if (rc == -EAGAIN)
		return false;
	if (rc == 1)
		channel->on_msg(&packet);
	else
		channel_end(channel, packet_end(rc, fault));
	return rc == 1;
}

static void
channel_on_ready(unsigned events, void *arg)
{
	struct channel *const channel = arg;

	if (events & LOOP_WRITE) {
		outbox_flush(&channel->outbox, channel->fd);
		channel_watch(channel);
	}
	if (!(events & LOOP_READ))
		return;
	for (unsigned n = 0; n < CHANNEL_TURN_MAX; n++)
		if (!channel_read(channel))
			return;
}

int
channel_open_take(struct channel *channel, int fd, const char *peer,
    void (*on_msg)(struct packet *msg), void (*on_closed)(const char *reason))
{
	must(on_msg && on_closed);
	*channel = (struct channel){ .fd = fd,
		.peer = peer,
		.on_msg = on_msg,
		.on_closed = on_closed,
		.is_open = true };
	outbox_init(&channel->outbox);
	loop_io_init(&channel->io, fd, channel_on_ready, channel);
	const int e = loop_io_watch(&channel->io, LOOP_READ);
	if (e < 0)
		channel_close(channel);
	return e;
}

void
channel_add_room(struct channel *channel, unsigned n_packets)
{
	outbox_add_room(&channel->outbox, n_packets);
}

void
channel_close(struct channel *channel)
{
	if (!channel->is_open)
		return;
	channel->is_open = false;
	loop_io_stop(&channel->io);
	outbox_drop(&channel->outbox);
	fd_close(&channel->fd);
}
