/* SPDX-License-Identifier: MIT */
/*
 * channel: frames on a SOCK_SEQPACKET pair. A packet is checked against the
 * table of proto.h before anybody sees it: length, version, type, size of the
 * payload, whether a descriptor belongs to it. The first packet that does not
 * fit ends the channel, since two ends built from one tree never send it.
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
#define CHANNEL_FDS_MAX   4           /* room to see, and close, unasked fds */

/* A packet that the kernel did not take yet. */
struct channel_packet {
	STAILQ_ENTRY(channel_packet) link;
	size_t n;
	int fd; /* ours, or -1 */
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

/* What the table says about one type. */
struct channel_row {
	const char *name;
	uint16_t bytes;
	bool has_fd;
};

static const struct channel_row channel_rows[] = {
#define CHANNEL_ROW(number, NAME, name, direction, payload, fd) \
	[number] = { #name, sizeof(payload), fd },
	PROTO_ROWS(CHANNEL_ROW)
#undef CHANNEL_ROW
};

#define CHANNEL_FITS(number, NAME, name, direction, payload, fd)              \
	_Static_assert(                                                       \
	    sizeof(struct proto_head) + sizeof(payload) + PROTO_TEXT_BYTES <= \
		PROTO_PACKET_BYTES,                                           \
	    #name " does not fit a packet");                                  \
	_Static_assert(_Alignof(payload) <= 8, #name " is aligned too wide");
PROTO_ROWS(CHANNEL_FITS)
#undef CHANNEL_FITS

/* Room for one packet, aligned so that payloads can be read in place. */
union channel_frame {
	uint64_t align;
	struct proto_head head;
	char bytes[PROTO_PACKET_BYTES];
};

union channel_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

static const struct channel_row *
channel_row(unsigned type)
{
	const size_t n = sizeof(channel_rows) / sizeof(channel_rows[0]);

	return type < n && channel_rows[type].name ? &channel_rows[type] : NULL;
}

size_t
proto_bytes(enum proto_type type)
{
	const struct channel_row *const row = channel_row(type);

	return row ? row->bytes : 0;
}

const char *
proto_name(enum proto_type type)
{
	const struct channel_row *const row = channel_row(type);

	return row ? row->name : "unknown";
}

int
channel_pair(int fds_r[2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	return socketpair(AF_UNIX, type, 0, fds_r) < 0 ? -errno : 0;
}

static void
channel_packet_free(struct channel_packet *packet)
{
	fd_close(&packet->fd);
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
channel_transmit(int sock, const void *bytes, size_t n, int fd)
{
	union channel_control control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		struct cmsghdr *const c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
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
		const int e = channel_transmit(
		    channel->fd, packet->bytes, packet->n, packet->fd);
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
channel_keep(struct channel *channel, const void *bytes, size_t n, int fd)
{
	struct channel_packet *packet;

	if (channel->n_queued >= CHANNEL_QUEUE_MAX)
		return -ENOBUFS;
	if (!(packet = mem_alloc(sizeof(*packet) + n)))
		return -ENOMEM;
	packet->n = n;
	packet->fd = -1;
	memcpy(packet->bytes, bytes, n);
	if (fd >= 0 && (packet->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		const int e = -errno;
		channel_packet_free(packet);
		return e;
	}
	STAILQ_INSERT_TAIL(&channel->queue, packet, link);
	channel->n_queued++;
	channel_watch(channel);
	return 0;
}

int
channel_send(struct channel *channel, enum proto_type type, const void *payload,
    const char *text, int fd)
{
	union channel_frame frame = { 0 };
	const struct channel_row *const row = channel_row(type);
	const size_t n_text = text ? strnlen(text, PROTO_TEXT_BYTES - 1) : 0;
	size_t n = sizeof(frame.head);

	must_be(channel, CHANNEL_MAGIC);
	must(row && payload && !channel->is_closed && row->has_fd == (fd >= 0));
	if (channel->is_over)
		return -EPIPE;
	memcpy(frame.bytes + n, payload, row->bytes);
	n += row->bytes;
	if (n_text)
		memcpy(frame.bytes + n, text, n_text);
	n += n_text;
	frame.head.version = PROTO_VERSION;
	frame.head.type = (uint16_t)type;
	frame.head.bytes = (uint32_t)(n - sizeof(frame.head));

	if (channel->n_queued)
		return channel_keep(channel, frame.bytes, n, fd);
	const int e = channel_transmit(channel->fd, frame.bytes, n, fd);
	if (channel_is_passing(e))
		return channel_keep(channel, frame.bytes, n, fd);
	return e < 0 ? channel_broken(channel, e) : 0;
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

/*
 * Take the descriptors of a received packet: the first goes to *fd_r, all
 * others are closed. Returns how many came.
 */
static unsigned
channel_take_fds(struct msghdr *msg, int *fd_r)
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++, n++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (n == 0)
				*fd_r = fd;
			else
				fd_close(&fd);
		}
	}
	return n;
}

/* What is wrong with a packet of n bytes and n_fds descriptors, or NULL. */
static const char *
channel_fault(
    const struct proto_head *head, size_t n, int flags, unsigned n_fds)
{
	const struct channel_row *row;

	if (flags & MSG_TRUNC)
		return "oversized message";
	if (flags & MSG_CTRUNC)
		return "too many descriptors";
	if (n < sizeof(*head))
		return "short message";
	if (head->version != PROTO_VERSION)
		return "other protocol version";
	if (!(row = channel_row(head->type)))
		return "unknown message type";
	if (head->bytes != n - sizeof(*head) || head->bytes < row->bytes ||
	    head->bytes - row->bytes >= PROTO_TEXT_BYTES)
		return "message of a wrong size";
	if (n_fds != row->has_fd)
		return n_fds ? "unasked descriptor" : "missing descriptor";
	return NULL;
}

/* Check one packet and hand it over. */
static void
channel_handle(struct channel *channel, const union channel_frame *frame,
    size_t n, int flags, unsigned n_fds, int *fd)
{
	const char *const fault = channel_fault(&frame->head, n, flags, n_fds);

	if (fault) {
		channel_end(channel, fault);
		return;
	}
	const size_t n_payload = proto_bytes(frame->head.type);
	const char *const payload = frame->bytes + sizeof(frame->head);
	const struct channel_msg msg = {
		.type = frame->head.type,
		.payload = payload,
		.text = { payload + n_payload, frame->head.bytes - n_payload },
		.fd = fd,
	};
	channel->on_msg(&msg, channel->arg);
}

/* Read one packet. Returns whether there may be another. */
static bool
channel_read(struct channel *channel)
{
	union channel_frame frame;
	union channel_control control;
	struct iovec iov = { frame.bytes, sizeof(frame.bytes) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	fd_auto int fd = -1;

	const ssize_t n =
	    recvmsg(channel->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0) {
		/*
		 * ECONNRESET comes once, when the peer died without reading
		 * all we sent; its last messages stand behind that.
		 */
		if (errno == EINTR || errno == ECONNRESET)
			return true;
		if (errno != EAGAIN)
			channel_end(channel, strerrordesc_np(errno));
		return false;
	}
	const unsigned n_fds = channel_take_fds(&msg, &fd);
	if (n == 0)
		channel_end(channel, "closed by the peer");
	else
		channel_handle(
		    channel, &frame, (size_t)n, msg.msg_flags, n_fds, &fd);
	return !channel->is_over && !channel->is_closed;
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
