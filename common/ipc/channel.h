/* SPDX-License-Identifier: MIT */
/*
 * channel: one end of a SOCK_SEQPACKET pair that carries the messages of
 * proto.h. Written in callbacks; a task that wants messages puts them into a
 * queue of its own. Sending never waits: what the kernel does not take is kept
 * in a bounded queue of this end and sent when it can.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/ipc/packet.h"
#include "common/ipc/proto.h"

struct channel;

/*
 * One received message. payload has the size of the row's struct and is
 * aligned for it; text is what follows it (may be empty); fd points to the
 * descriptors of the row (-1: none), which the receiver now owns and must take
 * (fd_take) or they are closed when the call returns. All *borrowed* until the
 * call returns.
 */
struct channel_msg {
	enum proto_type type;
	const void *payload;
	struct slice text;
	int *fd;
};

/* Make a connected pair, both ends O_CLOEXEC and O_NONBLOCK; 0 or -errno. */
int channel_pair(int fds_r[2]);

/*
 * Open a channel over fd (*takes* it, also when this fails) and call on_msg
 * for each message, on_closed once when the peer is gone or broke the
 * protocol (reason is a word for the log). Neither is called after
 * channel_close; both may call channel_close. peer is a *borrowed* name for
 * logs. *channel_r is *new*, ended with channel_close. Returns 0 or -errno.
 */
int channel_open_take(int fd, const char *peer,
    void (*on_msg)(const struct channel_msg *msg, void *arg),
    void (*on_closed)(const char *reason, void *arg), void *arg,
    struct channel **channel_r);

/* Keep so many more packets for a slow peer than OUTBOX_MAX. */
void channel_add_room(struct channel *channel, unsigned n_packets);

/* Close *channel and set it to NULL; queued messages are dropped. */
void channel_close(struct channel **channel);

/*
 * Send a message: the payload of the row (its size is checked against the
 * table), an optional text (NULL: none; cut to PROTO_TEXT_BYTES - 1) and an
 * optional descriptor (-1: none; *borrowed*, duplicated when it is queued).
 * Returns 0, -EPIPE when the peer is gone, -ENOBUFS when it does not read,
 * -ENOMEM. Never waits.
 */
int channel_send(struct channel *channel, enum proto_type type,
    const void *payload, const char *text, int fd);

/* The same with as many descriptors as the row carries. */
int channel_send_fds(struct channel *channel, enum proto_type type,
    const void *payload, const char *text, const int *fds, unsigned n_fds);

/*
 * Hand over, from here, what has arrived already: at most n_max messages. For
 * an owner that learnt of the peer's death elsewhere and wants its last words.
 * Calls on_msg and on_closed as the loop would. Never waits.
 */
void channel_receive(struct channel *channel, unsigned n_max);

#endif
