/* SPDX-License-Identifier: MIT */
/* outbox: a list of packets, each with copies of its descriptors. */
#include "common/ipc/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"

/* A packet that the kernel did not take yet. */
struct outbox_packet {
	STAILQ_ENTRY(outbox_packet) link;
	size_t n;
	int fds[PACKET_FDS_MAX]; /* ours */
	unsigned n_fds;
	char bytes[];
};

void
outbox_init(struct outbox *outbox)
{
	STAILQ_INIT(&outbox->packets);
	outbox->n = 0;
	outbox->n_max = OUTBOX_MAX;
}

void
outbox_add_room(struct outbox *outbox, unsigned n_packets)
{
	outbox->n_max += n_packets;
}

static void
outbox_free(struct outbox_packet *packet)
{
	while (packet->n_fds > 0)
		fd_close(&packet->fds[--packet->n_fds]);
	mem_free(packet);
}

/* Take the oldest out. */
static void
outbox_shift(struct outbox *outbox)
{
	struct outbox_packet *const packet = STAILQ_FIRST(&outbox->packets);

	STAILQ_REMOVE_HEAD(&outbox->packets, link);
	outbox->n--;
	outbox_free(packet);
}

void
outbox_drop(struct outbox *outbox)
{
	while (outbox->n > 0)
		outbox_shift(outbox);
}

/* Whether the same packet may be taken later: nothing may get lost. */
static bool
outbox_is_passing(int e)
{
	return e == -EAGAIN || e == -ENOBUFS || e == -ENOMEM ||
	       e == -ETOOMANYREFS;
}

/* Nothing can be sent any more; what the peer sent before is still read. */
static int
outbox_broken(struct outbox *outbox, int e)
{
	outbox_drop(outbox);
	return e == -ECONNRESET ? -EPIPE : e;
}

void
outbox_flush(struct outbox *outbox, int sock)
{
	const struct outbox_packet *packet;

	while ((packet = STAILQ_FIRST(&outbox->packets))) {
		const int e = packet_transmit(sock, packet->bytes, packet->n,
		    packet->fds, packet->n_fds, MSG_DONTWAIT);
		if (outbox_is_passing(e))
			return;
		if (e < 0)
			outbox_broken(outbox, e);
		else
			outbox_shift(outbox);
	}
}

/* Keep a packet until the peer reads. */
static int
outbox_keep(struct outbox *outbox, const void *bytes, size_t n, const int *fds,
    unsigned n_fds)
{
	struct outbox_packet *packet;

	if (outbox->n >= outbox->n_max)
		return -ENOBUFS;
	if (!(packet = mem_alloc(sizeof(*packet) + n)))
		return -ENOMEM;
	packet->n = n;
	memcpy(packet->bytes, bytes, n);
	for (packet->n_fds = 0; packet->n_fds < n_fds; packet->n_fds++) {
		const int fd = fcntl(fds[packet->n_fds], F_DUPFD_CLOEXEC, 0);
		if (fd < 0) {
			const int e = -errno;
			outbox_free(packet);
			return e;
		}
		packet->fds[packet->n_fds] = fd;
	}
	STAILQ_INSERT_TAIL(&outbox->packets, packet, link);
	outbox->n++;
	return 0;
}

int
outbox_send(struct outbox *outbox, int sock, enum proto_type type,
    const void *payload, const char *text, const int *fds, unsigned n_fds)
{
	union packet_frame frame = { 0 };

	must(n_fds == proto_fds(type));
	const size_t n = packet_fill(&frame, type, payload, text);
	const int e = outbox->n > 0 ? -EAGAIN
	                            : packet_transmit(sock, frame.bytes, n, fds,
					  n_fds, MSG_DONTWAIT);
	if (outbox_is_passing(e))
		return outbox_keep(outbox, frame.bytes, n, fds, n_fds);
	return e < 0 ? outbox_broken(outbox, e) : 0;
}
