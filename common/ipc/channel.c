/* SPDX-License-Identifier: MIT */
/*
 * channel: packets on a SOCK_SEQPACKET pair, under the loop. The first one
 * that packet.c does not let through ends the channel, since two ends built
 * from one tree never send it.
 */
#include "common/ipc/channel.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/loop/loop.h"

#define CHANNEL_MAGIC     0x6368616eu /* "chan" */
#define CHANNEL_QUEUE_MAX 1024        /* packets kept for a slow peer */
#define CHANNEL_TURN_MAX  32          /* packets handed over a turn */

/* A packet that the kernel did not take yet. */
struct channel_packet {
	STAILQ_ENTRY(channel_packet) link;
	size_t n;
	int fds[PACKET_FDS_MAX]; /* ours */
	unsigned n_fds;
	char bytes[];
};

struct channel {
	uint32_t magic;
	int fd;
	const char *peer;
	void (*on_msg)(const struct channel_msg *msg, void *arg);
	void (*on_closed)(const char *reason, void *arg);
	void *arg;
	struct loop_io io;
	STAILQ_HEAD(, channel_packet) queue;
	size_t n_queued;
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

static void
channel_packet_free(struct channel_packet *packet)
{
	while (packet->n_fds > 0)
		fd_close(&packet->fds[--packet->n_fds]);
	mem_free(packet);
}

static void
channel_drop_queue(struct channel *channel)
{
	struct channel_packet *packet;

	while ((packet = STAILQ_FIRST(&channel->queue))) {
		STAILQ_REMOVE_HEAD(&channel->queue, link);
		channel_packet_free(packet);
	}
	channel->n_queued = 0;
}

/* Hand one packet to the kernel. Returns 0 or -errno (EAGAIN: not now). */
static int
channel_transmit(const struct channel *channel, const void *bytes, size_t n,
    const int *fds, unsigned n_fds)
{
	return packet_transmit(channel->fd, bytes, n, fds, n_fds, MSG_DONTWAIT);
}

/* Whether the same packet may be taken later: nothing may get lost. */
static bool
channel_is_passing(int e)
{
	return e == -EAGAIN || e == -ENOBUFS || e == -ENOMEM ||
	       e == -ETOOMANYREFS;
}

/* Nothing can be sent any more; what the peer sent before is still read. */
static int
channel_broken(struct channel *channel, int e)
{
	channel_drop_queue(channel);
	if (e != -EPIPE && e != -ECONNRESET)
		return e;
	return -EPIPE;
}

/* Watch what there is to do. */
static void
channel_watch(struct channel *channel)
{
	const unsigned write = channel->n_queued ? LOOP_WRITE : 0;

	if (!channel->is_closed && !channel->is_over &&
	    loop_io_watch(&channel->io, LOOP_READ | write) < 0)
		log_warn("channel %s: cannot be watched", channel->peer);
}

static void
channel_flush(struct channel *channel)
{
	struct channel_packet *packet;

	while ((packet = STAILQ_FIRST(&channel->queue))) {
		const int e = channel_transmit(channel, packet->bytes,
		    packet->n, packet->fds, packet->n_fds);
		if (channel_is_passing(e))
			break;
		if (e < 0) {
			channel_broken(channel, e);
			break;
		}
		STAILQ_REMOVE_HEAD(&channel->queue, link);
		channel->n_queued--;
		channel_packet_free(packet);
	}
	channel_watch(channel);
}

/* Keep a packet until the peer reads. */
static int
channel_keep(struct channel *channel, const void *bytes, size_t n,
    const int *fds, unsigned n_fds)
{
	struct channel_packet *packet;

	if (channel->n_queued >= CHANNEL_QUEUE_MAX)
		return -ENOBUFS;
	if (!(packet = mem_alloc(sizeof(*packet) + n)))
		return -ENOMEM;
	packet->n = n;
	memcpy(packet->bytes, bytes, n);
	for (packet->n_fds = 0; packet->n_fds < n_fds; packet->n_fds++) {
		const int fd = fcntl(fds[packet->n_fds], F_DUPFD_CLOEXEC, 0);
		if (fd < 0) {
			const int e = -errno;
			channel_packet_free(packet);
			return e;
		}
		packet->fds[packet->n_fds] = fd;
	}
	STAILQ_INSERT_TAIL(&channel->queue, packet, link);
	channel->n_queued++;
	channel_watch(channel);
	return 0;
}

int
channel_send_fds(struct channel *channel, enum proto_type type,
    const void *payload, const char *text, const int *fds, unsigned n_fds)
{
	union packet_frame frame = { 0 };

	must_be(channel, CHANNEL_MAGIC);
	must(!channel->is_closed && n_fds == proto_fds(type));
	if (channel->is_over)
		return -EPIPE;
	const size_t n = packet_fill(&frame, type, payload, text);
	if (channel->n_queued)
		return channel_keep(channel, frame.bytes, n, fds, n_fds);
	const int e = channel_transmit(channel, frame.bytes, n, fds, n_fds);
	if (channel_is_passing(e))
		return channel_keep(channel, frame.bytes, n, fds, n_fds);
	return e < 0 ? channel_broken(channel, e) : 0;
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
	channel_drop_queue(channel);
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
	if (events & LOOP_WRITE)
		channel_flush(channel);
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
	STAILQ_INIT(&channel->queue);
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
	channel_drop_queue(c);
	fd_close(&c->fd);
	if (c->n_busy == 0)
		channel_free(c);
}
