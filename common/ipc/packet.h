/* SPDX-License-Identifier: MIT */
/*
 * packet: one message of proto.h on a SOCK_SEQPACKET socket: made, sent,
 * received and checked, without a loop. channel.c and cord.c are built on it; a
 * process that may have no loop yet (the zygote, a child that waits for its
 * word) uses it as it is.
 */
#ifndef IPC_PACKET_H
#define IPC_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/ipc/proto.h"

#define PACKET_FDS_MAX 4 /* room to see, and close, unasked ones */

/* Make a connected pair, both ends O_CLOEXEC and O_NONBLOCK; 0 or -errno. */
int packet_pair(int fds_r[2]);

/* Room for one packet, aligned so that payloads can be read in place. */
union packet_frame {
	uint64_t align;
	struct proto_head head;
	char bytes[PROTO_PACKET_BYTES];
};

/* A received one. Its descriptors are ours; packet_fini closes them. */
struct packet {
	union packet_frame frame;
	enum proto_type type;
	const void *payload; /* in frame, of the size of the row's struct */
	struct slice text;   /* in frame; may be empty */
	int fds[PACKET_FDS_MAX];
	unsigned n_fds;
};

/*
 * Write a message into *frame: the payload of the row and an optional text
 * (NULL: none; cut to PROTO_TEXT_BYTES - 1). Returns its bytes.
 */
size_t packet_fill(union packet_frame *frame, enum proto_type type,
    const void *payload, const char *text);

/*
 * Send n bytes as one packet with n_fds (<= PACKET_FDS_MAX) descriptors,
 * *borrowed*. flags as for sendmsg. Returns 0 or -errno.
 */
int packet_transmit(int sock, const void *bytes, size_t n, const int *fds,
    unsigned n_fds, int flags);

/* packet_fill and packet_transmit; waits if sock does. Returns 0 or -errno. */
int packet_send(int sock, enum proto_type type, const void *payload,
    const char *text, const int *fds, unsigned n_fds);

/*
 * Receive one packet; flags as for recvmsg. Returns 1; 0 when the peer closed;
 * -EPROTO when it is no message of ours (*fault_r is a word for the log); or
 * -errno. Without 1 no descriptor is left open.
 */
int packet_receive(
    int sock, int flags, struct packet *packet_r, const char **fault_r);

/* A word for the log: what packet_receive meant that returned rc, not 1. */
const char *packet_end(int rc, const char *fault);

/* Close the descriptors that were not taken (fd_take). */
void packet_fini(struct packet *packet);

#define packet_auto __attribute__((cleanup(packet_fini)))

/* Payload bytes of a row; 0 for an unknown type. */
size_t proto_bytes(enum proto_type type);

/* Descriptors that a row carries; 0 for an unknown type. */
unsigned proto_fds(enum proto_type type);

/* The row's name for logs; "unknown" for an unknown type. */
const char *proto_name(enum proto_type type);

#endif
