/* SPDX-License-Identifier: MIT */
/*
 * packet: a packet is checked against the table of proto.h before anybody sees
 * it: length, version, type, size of the payload, how many descriptors belong
 * to it.
 */
#include "common/ipc/packet.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/fd.h"
#include "common/base/must.h"

/* What the table says about one type. */
struct packet_row {
	const char *name;
	uint16_t bytes;
	uint8_t n_fds;
};

static const struct packet_row packet_rows[] = {
#define PACKET_ROW(number, NAME, name, direction, payload, fds) \
	[number] = { #name, sizeof(payload), fds },
	PROTO_ROWS(PACKET_ROW)
#undef PACKET_ROW
};

#define PACKET_FITS(number, NAME, name, direction, payload, fds)              \
	_Static_assert(                                                       \
	    sizeof(struct proto_head) + sizeof(payload) + PROTO_TEXT_BYTES <= \
		PROTO_PACKET_BYTES,                                           \
	    #name " does not fit a packet");                                  \
	_Static_assert(_Alignof(payload) <= 8, #name " is aligned too wide"); \
	_Static_assert((fds) < PACKET_FDS_MAX, #name " carries too many");
PROTO_ROWS(PACKET_FITS)
#undef PACKET_FITS

union packet_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
};

static const struct packet_row *
packet_row(unsigned type)
{
	const size_t n = sizeof(packet_rows) / sizeof(packet_rows[0]);

	return type < n && packet_rows[type].name ? &packet_rows[type] : NULL;
}

int
packet_pair(int fds_r[2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	return socketpair(AF_UNIX, type, 0, fds_r) < 0 ? -errno : 0;
}

size_t
proto_bytes(enum proto_type type)
{
	const struct packet_row *const row = packet_row(type);

	return row ? row->bytes : 0;
}

unsigned
proto_fds(enum proto_type type)
{
	const struct packet_row *const row = packet_row(type);

	return row ? row->n_fds : 0;
}

const char *
proto_name(enum proto_type type)
{
	const struct packet_row *const row = packet_row(type);

	return row ? row->name : "unknown";
}

size_t
packet_fill(union packet_frame *frame, enum proto_type type,
    const void *payload, const char *text)
{
	const struct packet_row *const row = packet_row(type);
	const size_t n_text = text ? strnlen(text, PROTO_TEXT_BYTES - 1) : 0;
	size_t n = sizeof(frame->head);

	must(row && payload);
	memcpy(frame->bytes + n, payload, row->bytes);
	n += row->bytes;
	if (n_text)
		memcpy(frame->bytes + n, text, n_text);
	n += n_text;
	frame->head.version = PROTO_VERSION;
	frame->head.type = (uint16_t)type;
	frame->head.bytes = (uint32_t)(n - sizeof(frame->head));
	return n;
}

int
packet_transmit(int sock, const void *bytes, size_t n, const int *fds,
    unsigned n_fds, int flags)
{
	union packet_control control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	must(n_fds <= PACKET_FDS_MAX);
	if (n_fds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *const c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL | flags) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
packet_send(int sock, enum proto_type type, const void *payload,
    const char *text, const int *fds, unsigned n_fds)
{
	union packet_frame frame = { 0 };
	const size_t n = packet_fill(&frame, type, payload, text);

	must(n_fds == proto_fds(type));
	return packet_transmit(sock, frame.bytes, n, fds, n_fds, 0);
}

/* ---------------------------------------------------------------- receiving */

/*
 * Take the descriptors of a received packet: those beyond the room for them
 * are closed. Returns how many came.
 */
static unsigned
packet_take_fds(struct msghdr *msg, struct packet *packet)
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
			if (n < PACKET_FDS_MAX)
				packet->fds[n] = fd;
			else
				fd_close(&fd);
		}
	}
	packet->n_fds = n < PACKET_FDS_MAX ? n : PACKET_FDS_MAX;
	return n;
}

/* What is wrong with a packet of n bytes and n_fds descriptors, or NULL. */
static const char *
packet_fault(const struct proto_head *head, size_t n, int flags, unsigned n_fds)
{
	const struct packet_row *row;

	if (flags & MSG_TRUNC)
		return "oversized message";
	if (flags & MSG_CTRUNC)
		return "too many descriptors";
	if (n < sizeof(*head))
		return "short message";
	if (head->version != PROTO_VERSION)
		return "other protocol version";
	if (!(row = packet_row(head->type)))
		return "unknown message type";
	if (head->bytes != n - sizeof(*head) || head->bytes < row->bytes ||
	    head->bytes - row->bytes >= PROTO_TEXT_BYTES)
		return "message of a wrong size";
	if (n_fds != row->n_fds)
		return n_fds > row->n_fds ? "unasked descriptor"
		                          : "missing descriptor";
	return NULL;
}

int
packet_receive(int sock, int flags, struct packet *packet, const char **fault_r)
{
	union packet_control control;
	struct iovec iov = { packet->frame.bytes, sizeof(packet->frame.bytes) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	packet->n_fds = 0;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	const unsigned n_fds = packet_take_fds(&msg, packet);
	if (n == 0) {
		packet_fini(packet);
		return 0;
	}
	*fault_r =
	    packet_fault(&packet->frame.head, (size_t)n, msg.msg_flags, n_fds);
	if (*fault_r) {
		packet_fini(packet);
		return -EPROTO;
	}
	packet->type = packet->frame.head.type;
	const size_t n_payload = proto_bytes(packet->type);
	const char *const payload =
	    packet->frame.bytes + sizeof(packet->frame.head);
	packet->payload = payload;
	packet->text = (struct slice){ payload + n_payload,
		packet->frame.head.bytes - n_payload };
	return 1;
}

const char *
packet_end(int rc, const char *fault)
{
	if (rc == 0)
		return "closed by the peer";
	return rc == -EPROTO ? fault : strerrordesc_np(-rc);
}

void
packet_fini(struct packet *packet)
{
	while (packet->n_fds > 0)
		fd_close(&packet->fds[--packet->n_fds]);
}
