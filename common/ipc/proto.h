/* SPDX-License-Identifier: MIT */
/*
 * proto: the one place where our programs meet. Every message that crosses
 * between poold, the switchboard and a tools backend is a row here. Messages
 * travel on SOCK_SEQPACKET pairs that poold makes; one packet is one message:
 * struct proto_head, then the payload struct of the row, then for rows with a
 * text the text without a NUL. Both ends are built from this tree; the version
 * in each head catches an upgrade that forgot one of them.
 * Numbers are never used again.
 */
#ifndef IPC_PROTO_H
#define IPC_PROTO_H

#include <stdint.h>

#define PROTO_VERSION    1
#define PROTO_HOST_BYTES 256 /* a host name and NUL (RFC 1035: 253) */
#define PROTO_PATH_BYTES 108 /* sun_path */
#define PROTO_TEXT_BYTES 512 /* reasons for a person, NUL included */

/*
 * The descriptor on which a child of poold finds its end of the channel: the
 * switchboard and a tools backend. A backend's listening socket is LISTEN_FDS.
 */
#define PROTO_CHANNEL_ENV "HOLDLINE_CHANNEL" /* its number, in decimal */

/*
 * PROTO_ROWS(X): X(number, NAME, name, direction, payload, carries_fd)
 * direction: who sends it to whom. P poold, S switchboard, B backend.
 */
#define PROTO_ROWS(X)                                                         \
	X(1, LISTEN, listen, "P>S", struct proto_listen, 1)                   \
	X(2, START, start, "P>S", struct proto_start, 0)                      \
	X(3, ROUTE_ASK, route_ask, "S>P", struct proto_route_ask, 0)          \
	X(4, ROUTE_READY, route_ready, "P>S", struct proto_route_ready, 0)    \
	X(5, ROUTE_FAILED, route_failed, "P>S", struct proto_route_failed, 0) \
	X(6, ROUTE_GONE, route_gone, "P>S", struct proto_route_gone, 0)       \
	X(7, RELEASE_ASK, release_ask, "P>S", struct proto_release_ask, 0)    \
	X(8, RELEASED, released, "S>P", struct proto_released, 0)             \
	X(9, HELD, held, "S>P", struct proto_held, 0)                         \
	X(10, DRAIN, drain, "P>S", struct proto_drain, 0)                     \
	X(11, DRAINED, drained, "S>P", struct proto_drained, 0)               \
	X(12, QUIT, quit, "P>S", struct proto_quit, 0)                        \
	X(13, READY, ready, "SB>P", struct proto_ready, 0)                    \
	X(14, FAILED, failed, "SB>P", struct proto_failed, 0)                 \
	X(15, SESSIONS, sessions, "B>P", struct proto_sessions, 0)

enum proto_type {
#define PROTO_ENUM(number, NAME, name, direction, payload, fd) \
	PROTO_##NAME = number,
	PROTO_ROWS(PROTO_ENUM)
#undef PROTO_ENUM
};

struct proto_head {
	uint16_t version; /* PROTO_VERSION */
	uint16_t type;    /* enum proto_type */
	uint32_t bytes;   /* of everything behind the head */
};

/* A listening socket for the switchboard; the descriptor comes along. */
struct proto_listen {
	uint32_t is_admin; /* 0 the tenants' address, 1 the admin address */
	char address[64];  /* as configured, for logs */
};

/* The switchboard has everything it needs: accept. */
struct proto_start {
	uint32_t max_backends;
	uint32_t drain_ms;
};

/*
 * Which backend serves this host? The answer is ROUTE_READY or ROUTE_FAILED
 * with the same ask. dead_generation is the generation that the switchboard
 * found dead (refused or reset before a response byte), 0 when it knows none:
 * poold answers with another one only.
 */
struct proto_route_ask {
	uint64_t ask;
	uint64_t dead_generation;
	char host[PROTO_HOST_BYTES]; /* lower case, without port, NUL-ended */
};

/*
 * The backend of host. generation names this run of it: it grows by one for
 * each start in the life of poold and is never used again.
 */
struct proto_route_ready {
	uint64_t ask;
	uint64_t generation;
	int64_t started_wall_ms;
	int32_t pid;
	uint32_t tenant; /* tenant number */
	char host[PROTO_HOST_BYTES];
	char socket[PROTO_PATH_BYTES]; /* where the backend listens */
};

/* No backend for this ask; a text for the client's error follows. */
struct proto_route_failed {
	uint64_t ask;
	uint32_t status;        /* HTTP: 404, 502, 503, 504 */
	uint32_t retry_after_s; /* 0: no Retry-After */
};

/*
 * This run of a backend is over and reaped; a text says how it ended
 * ("exit status 1", "signal 9 (Killed)", the last line it wrote to stderr).
 */
struct proto_route_gone {
	uint64_t generation;
	uint32_t is_expected; /* poold ended it on purpose (idle, shutdown) */
};

/*
 * May this idle backend end? Answered by RELEASED (the switchboard has no
 * exchange on it, forgot the route and will ask again) or HELD.
 */
struct proto_release_ask {
	uint64_t generation;
	uint32_t idle_ms; /* only if its last exchange ended so long ago */
};

struct proto_released {
	uint64_t generation;
};

struct proto_held {
	uint64_t generation;
	uint32_t ask_again_ms; /* earliest time at which asking makes sense */
};

/* Accept nothing more, finish what runs within drain_ms. */
struct proto_drain {
	uint32_t drain_ms;
};

/* No exchange is left but event streams, or the time is over. */
struct proto_drained {
	uint32_t n_exchanges; /* still open, event streams included */
};

/* End what is left properly and exit. */
struct proto_quit {
	uint32_t reserved;
};

/* The child can do its work. */
struct proto_ready {
	uint32_t reserved;
};

/* The child cannot start; a text says why. It exits after this. */
struct proto_failed {
	uint32_t reserved;
};

/*
 * How many sessions of this backend could not come back if it ended (running
 * or parked). Sent when the number leaves or reaches 0; with 0 the backend
 * may be ended when it is idle.
 */
struct proto_sessions {
	uint32_t n_sessions;
};

/* The largest packet: head, largest payload, text. */
#define PROTO_PACKET_BYTES 1024

#endif
