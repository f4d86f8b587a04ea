/* SPDX-License-Identifier: MIT */
/*
 * outbox: packets for a peer that does not read fast enough. Sending never
 * waits: what the kernel does not take is kept, in order and bounded, and
 * sent by outbox_flush when the socket is writable; to learn of that is the
 * owner's.
 */
#ifndef IPC_OUTBOX_H
#define IPC_OUTBOX_H

#include <bsd/sys/queue.h>

#include "common/ipc/packet.h"

#define OUTBOX_MAX 1024 /* packets, at first */

struct outbox_packet;

/* Embedded in its owner; ended with outbox_drop. */
struct outbox {
	STAILQ_HEAD(, outbox_packet) packets;
	unsigned n;
	unsigned n_max;
};

/* Nothing is kept. */
void outbox_init(struct outbox *outbox);

/* Keep so many more packets than OUTBOX_MAX. */
void outbox_add_room(struct outbox *outbox, unsigned n_packets);

/*
 * Send a message, or keep it behind those that are kept: the payload of the
 * row, an optional text, the row's number of descriptors (*borrowed*,
 * duplicated when it is kept). Returns 0, -EPIPE when the peer is gone,
 * -ENOBUFS when too much is kept, or another -errno. Never waits.
 */
int outbox_send(struct outbox *outbox, int sock, enum proto_type type,
    const void *payload, const char *text, const int *fds, unsigned n_fds);

/* Send what is kept, as far as the kernel takes it. Never waits. */
void outbox_flush(struct outbox *outbox, int sock);

/* Forget what is kept. */
void outbox_drop(struct outbox *outbox);

#endif
