/* SPDX-License-Identifier: MIT */
/*
 * cord: one end of a SOCK_SEQPACKET pair that carries the messages of proto.h,
 * read by a task: it waits in a select, then takes message after message.
 * Sending never waits.
 */
#ifndef IPC_CORD_H
#define IPC_CORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/flow/select.h"
#include "common/ipc/outbox.h"

#define CORD_MSGS 32 /* before others have their turn */

/* Embedded in its owner; made by cord_init. */
struct cord {
	int fd;          /* -1: none */
	bool is_over;    /* the peer is gone or broke the protocol */
	bool is_unread;  /* the peer ended, and had not read all we sent */
	uint16_t n_left; /* messages that may be taken now */
	struct select_fd io;
	struct outbox outbox;
};

/* No channel. */
void cord_init(struct cord *cord);

/*
 * Watch a socket (*takes* fd, also on failure), told with arg. Returns 0 or
 * -errno.
 */
int cord_open_take(struct cord *cord, int fd, struct select *select, void *arg);

/* select_next told of it. */
void cord_note(struct cord *cord, int events);

/*
 * Take the next message into *packet, which holds none (n_fds 0) or an earlier
 * one, whose descriptors that were not taken (fd_take) are closed now. Returns
 * 1; 0 when there is none for now; -EPIPE once, when the channel is over:
 * *reason_r is a word for the log. Never waits.
 */
int cord_next(struct cord *cord, struct packet *packet, const char **reason_r);

/* Its peer has ended: up to n messages may be taken, and then no more come. */
void cord_allow(struct cord *cord, unsigned n);

/*
 * Send a message, or keep it: as outbox_send. -EPIPE when there is no channel.
 * Never waits.
 */
int cord_send(struct cord *cord, enum proto_type type, const void *payload,
    const char *text, const int *fds, unsigned n_fds);

/* Close it: nothing more is heard or sent. */
void cord_close(struct cord *cord);

#endif
