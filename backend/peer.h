/* SPDX-License-Identifier: MIT */
/*
 * peer: a client of the legacy face, from its initialize to its DELETE: what
 * it can do, and which streams (tool calls) are its own, so that no other
 * peer can read or answer them. Bounded in number; one that was idle for long
 * is forgotten. Never waits.
 * Source: MCP 2025-11-25 basic/transports, session management
 */
#ifndef BACKEND_PEER_H
#define BACKEND_PEER_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/random.h"

#include "backend/face.h"
#include "backend/keeper.h"
#include "backend/news.h"
#include "backend/registry.h"

#define PEER_STREAMS_MAX 4096 /* tool calls of one peer that can be resumed */
#define PEER_GETS_MAX    4    /* GET streams of one peer */

struct peers;

/*
 * One tool call of a peer; its session's log is what the stream says. Counted:
 * the peer's, and held by whoever follows it.
 */
struct peer_stream {
	TAILQ_ENTRY(peer_stream) link;
	unsigned n_refs;
	char session_id[RANDOM_ID_SIZE];
	json_t *request_id;
	json_t *token; /* progress token, or NULL */
};

TAILQ_HEAD(peer_streams, peer_stream);

/*
 * A client. Counted: in the table until it ends, and held by whoever serves
 * it. Fields are read by the face; level and n_gets are the face's to change.
 */
struct peer {
	uint32_t magic;
	char id[RANDOM_ID_SIZE];
	const struct face_revision *revision;
	unsigned can;        /* what it can be asked: ask_can */
	enum hl_level level; /* logging/setLevel */
	unsigned n_gets;
	bool is_ended;
	struct news ended; /* told when it ends */
	/* Private to peer.c. */
	struct peers *peers;
	RB_ENTRY(peer) by_id;
	TAILQ_ENTRY(peer) by_use;
	struct peer_streams streams;
	size_t n_streams;
	size_t prune_at;
	unsigned n_refs;
	int64_t used_at_ms;
};

/*
 * The empty table; registry and keeper are *borrowed* until peers_free. max:
 * how many at most; idle_ms: how long one without traffic and sessions is kept
 * (> 0, or CLOCK_NEVER: for ever). Returns *new* or NULL without memory.
 */
struct peers *peers_new(struct registry *registry, struct keeper *keeper,
    unsigned max, int64_t idle_ms);

/* Free *peers; no peer may be held any more. */
void peers_free(struct peers **peers);

/* End all peers and admit none any more. Their sessions are not touched. */
void peers_shut(struct peers *peers);

/* How many there are. */
unsigned peers_n(const struct peers *peers);

/*
 * A new peer that can be asked can. *peer_r is held for the caller
 * (peer_unref). When the table is full the one that was idle longest goes.
 * Returns 0, -EBUSY (all are in use), -ESHUTDOWN, -ENOMEM.
 */
int peer_new(struct peers *peers, const struct face_revision *revision,
    unsigned can, struct peer **peer_r);

/* The peer of that id, held for the caller, or NULL. Counts as a use. */
struct peer *peer_find(struct peers *peers, struct slice id);

/* Let go of it; accepts NULL, sets *peer to NULL. */
void peer_unref(struct peer **peer);

/* A local that lets go by itself. */
#define peer_auto __attribute__((cleanup(peer_unref)))

/*
 * End it: it is found no more, its sessions are cancelled, whoever follows
 * `ended` is told. Ended already: nothing.
 */
void peer_end(struct peer *peer);

/*
 * Remember a tool call. request_id and token (may be NULL) are *refs*.
 * *stream_r is held for the caller (peer_stream_unref). Returns 0, -EBUSY
 * (PEER_STREAMS_MAX calls run) or -ENOMEM.
 */
int peer_add_stream(struct peer *peer, const char *session_id,
    json_t *request_id, json_t *token, struct peer_stream **stream_r);

/* The stream of that session if it is this peer's, held, or NULL. */
struct peer_stream *peer_find_stream(struct peer *peer, const char *session_id);

/* Let go of it; accepts NULL, sets *stream to NULL. */
void peer_stream_unref(struct peer_stream **stream);

/* A local that lets go by itself. */
#define peer_stream_auto __attribute__((cleanup(peer_stream_unref)))

/*
 * Cancel the sessions of the requests with that id (*borrowed*). Returns how
 * many ran.
 */
unsigned
peer_cancel(struct peer *peer, const json_t *request_id, const char *text);

#endif
