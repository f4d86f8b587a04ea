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

#define PROTO_VERSION    2
#define PROTO_HOST_BYTES 256 /* a host name and NUL (RFC 1035: 253) */
#define PROTO_PATH_BYTES 108 /* sun_path */
#define PROTO_TEXT_BYTES 512 /* reasons for a person, NUL included */

/*
 * The descriptor on which a child of poold finds its end of the channel: the
 * switchboard and a tools backend. A backend's listening socket is LISTEN_FDS.
 */
#define PROTO_CHANNEL_ENV "HOLDLINE_CHANNEL" /* its number, in decimal */

/*
 * PROTO_ROWS(X): X(number, NAME, name, direction, payload, descriptors)
 * direction: who sends it to whom. P poold, S switchboard, B backend, Z zygote.
 */
#define PROTO_ROWS(X)                                                          \
	X(1, LISTEN, listen, "P>S", struct proto_listen, 1)                    \
	X(2, START, start, "P>S", struct proto_start, 0)                       \
	X(3, ROUTE_ASK, route_ask, "S>P", struct proto_route_ask, 0)           \
	X(4, ROUTE_READY, route_ready, "P>S", struct proto_route_ready, 0)     \
	X(5, ROUTE_FAILED, route_failed, "P>S", struct proto_route_failed, 0)  \
	X(6, ROUTE_GONE, route_gone, "P>S", struct proto_route_gone, 0)        \
	X(7, RELEASE_ASK, release_ask, "P>S", struct proto_release_ask, 0)     \
	X(8, RELEASED, released, "S>P", struct proto_released, 0)              \
	X(9, HELD, held, "S>P", struct proto_held, 0)                          \
	X(10, DRAIN, drain, "P>S", struct proto_drain, 0)                      \
	X(11, DRAINED, drained, "S>P", struct proto_drained, 0)                \
	X(12, QUIT, quit, "P>S", struct proto_quit, 0)                         \
	X(13, READY, ready, "SB>P", struct proto_ready, 0)                     \
	X(14, FAILED, failed, "SB>P", struct proto_failed, 0)                  \
	X(15, SESSIONS, sessions, "B>P", struct proto_sessions, 0)             \
	X(16, SPAWN, spawn, "P>Z", struct proto_spawn, 3)                      \
	X(17, SPAWNED, spawned, "Z>P", struct proto_spawned, 1)                \
	X(18, UNSPAWNED, unspawned, "Z>P", struct proto_unspawned, 0)          \
	X(19, ASSIGN, assign, "P>B", struct proto_assign, 2)                   \
	X(24, PING, ping, "P>SB", struct proto_ping, 0)                        \
	X(25, PONG, pong, "SB>P", struct proto_pong, 0)                        \
	X(26, WATCH, watch, "S>P", struct proto_watch, 0)                      \
	X(27, EVENT, event, "P>S", struct proto_event, 0)                      \
	X(28, ROUTE_STARTING, route_starting, "P>S", struct proto_route_ready, \
	    0)

/*
 * Messages about one backend that may be on their way to a peer that does not
 * read just now: asked to be released, gone, starting anew, ready.
 */
#define PROTO_PER_BACKEND 4

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
 * The backend of host; the same as ROUTE_STARTING: it listens already and will
 * be ready soon, or has failed then; ROUTE_READY or ROUTE_FAILED follows. What
 * is sent to it meanwhile waits in its socket. generation names this run of it:
 * it grows by one for each start in the life of poold and is never used again.
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
 * exchange on it, forgot the route and will ask again) or HELD. When a HELD
 * said is_busy, another one without it follows as soon as no exchange is left.
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
	uint32_t is_busy;      /* an exchange runs; HELD follows at its end */
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

/*
 * The child can do its work. A tools backend says when it was told its tenant,
 * confined, and its tools were loaded, in microseconds of CLOCK_MONOTONIC;
 * others 0. For showing: nothing is decided by it.
 */
struct proto_ready {
	int64_t told_us;
	int64_t confined_us;
	int64_t loaded_us;
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

/* Does the event loop still turn? Answered by PONG, by nothing else. */
struct proto_ping {
	uint32_t reserved;
};

struct proto_pong {
	uint32_t reserved;
};

/*
 * The switchboard wants to hear of events: n_credit more of them, so that what
 * is on its way is bounded by the one who reads. is_on 0: no more.
 */
struct proto_watch {
	uint32_t is_on;
	uint32_t n_credit;
};

/*
 * PROTO_EVENTS(X): X(number, NAME, name): what happens to a backend.
 */
#define PROTO_EVENTS(X)                                                   \
	X(1, STARTED, started) /* it has a process */                     \
	X(2, READY, ready)     /* it answers */                           \
	X(3, STOPPED, stopped) /* reaped */                               \
	X(4, ERROR, error)     /* it ended, or did not start, unwanted */ \
	X(5, EVICTED, evicted) /* its place was wanted */                 \
	X(6, FAILED, failed)   /* held as failed until a probe */         \
	X(7, BACKOFF, backoff) /* not started for a while */

enum proto_event_kind {
#define PROTO_EVENT_ENUM(number, NAME, name) PROTO_EVENT_##NAME = number,
	PROTO_EVENTS(PROTO_EVENT_ENUM)
#undef PROTO_EVENT_ENUM
};

/*
 * One event; a text says how it ended or why. id grows by one for each event
 * of poold's life: a gap is what a slow reader lost.
 */
struct proto_event {
	uint64_t id;
	uint64_t generation; /* 0: of no run */
	int64_t at_wall_ms;
	int32_t pid; /* 0: of no process */
	uint32_t kind;
	uint32_t n_failures; /* in a row */
	uint32_t retry_ms;   /* not started before that */
	char state[16];      /* of the backend, when it happened */
	char cause[16];      /* a word for why a run ended, or "" */
	char host[PROTO_HOST_BYTES];
};

/*
 * Fork a child that waits for ASSIGN. The descriptors: the child's end of its
 * channel, what becomes its stdout and stderr, its cgroup.
 */
struct proto_spawn {
	uint64_t serial; /* of the answer */
	uint32_t
	    has_namespace;   /* first process of a PID namespace of its own */
	uint32_t has_cgroup; /* 0: the third descriptor means nothing */
	uint32_t is_spare;   /* its tenant may come much later */
	uint32_t reserved;
};

/*
 * It was forked, as a child of poold; its pidfd comes along. It waits for
 * ASSIGN on its channel and ends by itself when that is closed.
 */
struct proto_spawned {
	uint64_t serial;
	int32_t pid; /* as poold sees it */
	uint32_t reserved;
};

/* It could not be forked. */
struct proto_unspawned {
	uint64_t serial;
	int32_t e; /* -errno */
	uint32_t reserved;
};

/*
 * The word that a zygote's child waits for: be the backend of a tenant. The
 * descriptors: its listening socket, and a file of strings, each with its NUL:
 * the command line of the backend program, what its environment says beside
 * the zygote's, paths that it may read, paths that it may change.
 */
struct proto_assign {
	uint64_t nofile_soft; /* RLIMIT_NOFILE */
	uint64_t nofile_hard;
	int64_t max_pids; /* as in common/proc/limits.h; 0: none */
	int64_t max_files;
	int64_t max_address_bytes;
	uint32_t n_argv;
	uint32_t n_envp;
	uint32_t n_read;
	uint32_t n_write;
	uint32_t has_ids; /* become uid and gid */
	uint32_t uid;
	uint32_t gid;
	uint32_t has_sandbox; /* Landlock and seccomp */
	uint32_t has_network; /* sockets of the internet */
	int32_t pid;          /* its own, as poold sees it */
};

/* How large that file may be. */
#define PROTO_ASSIGN_BYTES (1024 * 1024)

/* What stands where in a backend, however it was started. */
#define PROTO_LISTEN_FD  3
#define PROTO_CHANNEL_FD 4

/* The largest packet: head, largest payload, text. */
#define PROTO_PACKET_BYTES 1024

#endif
