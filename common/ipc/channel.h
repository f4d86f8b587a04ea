/* SPDX-License-Identifier: MIT */
/*
 * channel: one end of a SOCK_SEQPACKET pair that carries the messages of
 * proto.h, for a program written in callbacks (cord.h is for tasks). Sending
 * never waits: what the kernel does not take is kept in a bounded queue of this
 * end and sent when it can.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>

#include "common/ipc/outbox.h"
#include "common/loop/loop.h"

/* Embedded in its owner; made by channel_open_take. Zeroed it is none. */
struct channel {
	int fd;
	const char *peer;
	void (*on_msg)(struct packet *msg);
	void (*on_closed)(const char *reason);
	struct loop_io io;
	struct outbox outbox;
	bool is_open;
	bool is_over; /* on_closed was called */
};

/*
 * Open *channel over fd (*takes* it, also when this fails) and call on_msg for
 * each message (*borrowed* until it returns; descriptors that it does not take
 * (fd_take) are closed then), on_closed once when the peer is gone or broke the
 * protocol (reason is a word for the log). Neither may call channel_close, nor
 * are they called after it. peer is a *borrowed* name for logs. Returns 0 or
 * -errno.
 */
int channel_open_take(struct channel *channel, int fd, const char *peer,
    void (*on_msg)(struct packet *msg), void (*on_closed)(const char *reason));

/* Keep so many more packets for a slow peer than OUTBOX_MAX. */
void channel_add_room(struct channel *channel, unsigned n_packets);

/* Close it; queued messages are dropped. Closed, or zeroed: nothing. */
void channel_close(struct channel *channel);

/*
 * Send a message without descriptors: the payload of the row, an optional text
 * (NULL: none; cut to PROTO_TEXT_BYTES - 1). Returns 0, -EPIPE when the peer is
 * gone or the channel is closed, -ENOBUFS when it does not read, -ENOMEM. Never
 * waits.
 */
int channel_send(struct channel *channel, enum proto_type type,
    const void *payload, const char *text);

#endif
