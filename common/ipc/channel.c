/* SPDX-License-Identifier: MIT */
/*
 * channel: packets on a SOCK_SEQPACKET pair, under the loop. The first one
 * that packet.c does not let through ends the channel, since two ends built
 * from one tree never send it.
 */
#include "common/ipc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/ipc/outbox.h"
#include "common/loop/loop.h"

#define CHANNEL_MAGIC    0x6368616eu /* "chan" */
#define CHANNEL_TURN_MAX 32          /* packets handed over a turn */

struct channel {
	uint32_t magic;
	int fd;
	const char *peer;
	void (*on_msg)(const struct channel_msg *msg, void *arg);
	void (*on_closed)(const char *reason, void *arg);
	void *arg;
	struct loop_io io;
	struct outbox outbox;
	bool is_over;   /* on_closed was called */
	bool is_closed; /* channel_close was called */
	unsigned
	    n_busy; /* callbacks of ours on the stack: free it after them */
};

int
channel_pair(int fds_r[2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	return socketpair(AF_UNIX, type, 0, fds_r) < 0 ? -errno : 0;
}

/* Watch what there is to do. */
static void
channel_watch(struct channel *channel)
{
	const unsigned write = channel->outbox.n > 0 ? LOOP_WRITE : 0;

	if (!channel->is_closed && !channel->is_over &&
	    loop_io_watch(&channel->io, LOOP_READ | write) < 0)
		log_warn("channel %s: cannot be watched", channel->peer);
}

int
channel_send_fds(struct channel *channel, enum proto_type type,
    const void *payload, const char *text, const int *fds, unsigned n_fds)
{
	must_be(channel, CHANNEL_MAGIC);
	must(!channel->is_closed);
	if (channel->is_over)
		return -EPIPE;
	const int e = outbox_send(
	    &channel->outbox, channel->fd, type, payload, text, fds, n_fds);
	channel_watch(channel);
	return e;
}

int
channel_send(struct channel *channel, enum proto_type type, const void *payload,
    const char *text, int fd)
{
	return channel_send_fds(channel, type, payload, text, &fd, fd >= 0);
}

/* The peer is gone or not to be trusted: say so once. */
static void
channel_end(struct channel *channel, const char *reason)
{
	if (channel->is_over)
		return;
	channel->is_over = true;
	loop_io_stop(&channel->io);
	outbox_drop(&channel->outbox);
	channel->on_closed(reason, channel->arg);
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
	if (rc == 1) {
		int none = -1;
		const struct channel_msg msg = {
			.type = packet.type,
			.payload = packet.payload,
			.text = packet.text,
			.fd = packet.n_fds ? packet.fds : &none,
		};
		channel->on_msg(&msg, channel->arg);
		return !channel->is_over && !channel->is_closed;
	}
	channel_end(channel, rc == 0         ? "closed by the peer"
			     : rc == -EPROTO ? fault
					     : strerrordesc_np(-rc));
	return false;
}

static void
channel_free(struct channel *channel)
{
	channel->magic = 0;
	mem_free(channel);
}

void
channel_receive(struct channel *channel, unsigned n_max)
{
	must_be(channel, CHANNEL_MAGIC);
	if (channel->is_over || channel->is_closed)
		return;
	channel->n_busy++;
	while (n_max > 0 && channel_read(channel))
		n_max--;
	if (--channel->n_busy == 0 && channel->is_closed)
		channel_free(channel);
}

static void
channel_on_ready(unsigned events, void *arg)
{
	struct channel *const channel = arg;

	must_be(channel, CHANNEL_MAGIC);
	if (events & LOOP_WRITE) {
		outbox_flush(&channel->outbox, channel->fd);
		channel_watch(channel);
	}
	if (events & LOOP_READ)
		channel_receive(channel, CHANNEL_TURN_MAX);
}

int
channel_open_take(int fd, const char *peer,
    void (*on_msg)(const struct channel_msg *msg, void *arg),
    void (*on_closed)(const char *reason, void *arg), void *arg,
    struct channel **channel_r)
{
	fd_auto int mine = fd;
	struct channel *channel;
	int e;

	must(on_msg && on_closed);
	*channel_r = NULL;
	if ((e = fd_nonblock(mine)) < 0)
		return e;
	if (!(channel = mem_zalloc(1, sizeof(*channel))))
		return -ENOMEM;
	channel->magic = CHANNEL_MAGIC;
	channel->fd = mine;
	channel->peer = peer;
	channel->on_msg = on_msg;
	channel->on_closed = on_closed;
	channel->arg = arg;
	outbox_init(&channel->outbox);
	loop_io_init(&channel->io, mine, channel_on_ready, channel);
	if ((e = loop_io_watch(&channel->io, LOOP_READ)) < 0) {
		channel_free(channel);
		return e;
	}
	fd_take(&mine);
	*channel_r = channel;
	return 0;
}

void
channel_add_room(struct channel *channel, unsigned n_packets)
{
	must_be(channel, CHANNEL_MAGIC);
	outbox_add_room(&channel->outbox, n_packets);
}

void
channel_close(struct channel **channel)
{
	struct channel *const c = *channel;

	*channel = NULL;
	if (!c)
		return;
	must_be(c, CHANNEL_MAGIC);
	must(!c->is_closed);
	c->is_closed = true;
	loop_io_stop(&c->io);
	outbox_drop(&c->outbox);
	fd_close(&c->fd);
	if (c->n_busy == 0)
		channel_free(c);
}
