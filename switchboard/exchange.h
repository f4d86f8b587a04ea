/* SPDX-License-Identifier: MIT */
/*
 * exchange: one request and its response on their way through: its record,
 * its states, its end. What happens in the states stands in the files below
 * it: refuse (answers of our own), forward (towards the backend), answer (from
 * the backend), drive (events). One exchange at a time a client connection.
 */
#ifndef SWITCHBOARD_EXCHANGE_H
#define SWITCHBOARD_EXCHANGE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/http/proxy.h"
#include "common/http/trace.h"
#include "common/loop/loop.h"

#include "switchboard/relay.h"
#include "switchboard/route.h"
#include "switchboard/upstream.h"
#include "switchboard/jack.h"

#define EXCHANGE_METHOD_BYTES 12
#define EXCHANGE_PATH_BYTES   96
#define EXCHANGE_NOTE_BYTES   128

enum exchange_state {
	EXCHANGE_NEW,        /* read, nothing done yet */
	EXCHANGE_WAITING,    /* poold was asked for a backend */
	EXCHANGE_CONNECTING, /* the backend's backlog is full: tried again */
	EXCHANGE_ASKING,     /* the request goes out, no whole head came back */
	EXCHANGE_ANSWERING,  /* the response's body passes */
	EXCHANGE_TUNNEL,     /* upgraded: bytes both ways */
	EXCHANGE_MOURNING,   /* the backend is lost: poold may say why */
	EXCHANGE_ENDED,      /* over; freed at the next turn of the loop */
	EXCHANGE_STATE_COUNT
};

/* What becomes of the client's connection after the exchange. */
enum exchange_end {
	EXCHANGE_END_KEEP,  /* the next request may come */
	EXCHANGE_END_CLOSE, /* write what is left, then close gently */
	EXCHANGE_END_CUT,   /* write what is left, then close: it is short */
	EXCHANGE_END_RESET, /* only a reset tells that the body is short */
	EXCHANGE_END_LEFT,  /* the client is gone already */
};

/* Owned by itself from exchange_new to exchange_end. */
struct exchange {
	uint32_t magic;
	enum exchange_state state;

	/* Both sides. */
	struct jack *client;       /* borrowed from the client until on_end */
	struct slice peer;         /* its address as text; borrowed likewise */
	struct upstream *upstream; /* owned; NULL while there is none */
	struct route *route;       /* held */
	struct route_wait wait;
	struct loop_timer timer; /* CONNECTING: try again; MOURNING: enough */

	/* The request. */
	struct buf head;     /* as it goes out; kept until a response byte */
	struct slice unsent; /* the part of head still to be written */
	struct buf early;    /* its body's bytes for a second try */
	struct relay request;
	struct http_asked asked;
	bool is_idempotent;
	bool awaits_100;  /* the client sends its body after a 100 */
	bool was_retried; /* a fresh connection is used instead of an old */
	bool is_unreachable; /* nobody listened when it connected */
	unsigned n_asked; /* times a backend was found dead */
	int64_t pause_ms; /* CONNECTING: the next pause */
	int64_t give_up_at_ms; /* CONNECTING: no more tries after this */

	/* The response. */
	struct relay response;
	struct http_frame plan; /* how it goes on to the client */
	bool has_begun;         /* its final head was put into the buffer */
	bool is_bodiless;       /* HEAD, 204, 304 */
	bool is_stream;         /* an event stream, or a tunnel */
	bool keeps_upstream;    /* the backend's connection can be used again */
	uint64_t final_at; /* client->n_written when nothing of it is out */

	/* The record. */
	char id[HTTP_TRACE_ID_SIZE];
	char method[EXCHANGE_METHOD_BYTES];
	char path[EXCHANGE_PATH_BYTES];
	char note[EXCHANGE_NOTE_BYTES]; /* why it went wrong, or "" */
	int status;
	uint64_t n_own; /* bytes of a body of our own */
	int64_t started_ms;

	void (*on_end)(enum exchange_end end, void *arg);
	void *arg;
	TAILQ_ENTRY(exchange) link; /* those under way, dead, or kept */
};

/*
 * Start the record of a request. client and peer are *borrowed* until on_end,
 * which is called once, maybe before the function that started it returns.
 * Returns it *new* (ended by exchange_end), or NULL: no memory.
 */
struct exchange *exchange_new(const struct http_request *req,
    struct jack *client, struct slice peer,
    void (*on_end)(enum exchange_end end, void *arg), void *arg);

/* Change the state; the move is checked and logged. */
void exchange_set_state(
    struct exchange *x, enum exchange_state next, const char *event);

/* Whether a move is one of the table; for the check and its test. */
bool exchange_may_move(enum exchange_state from, enum exchange_state to);

/* The state's name; borrowed for ever. */
const char *exchange_state_name(enum exchange_state state);

/* A line to the log for each exchange under way, oldest first. */
void exchange_dump(void);

/* Say for the log why it went wrong; the first reason stays. */
void exchange_note(struct exchange *x, const char *text);

/*
 * End it: log its line, let go of all it holds, tell the client, free it at
 * the next turn of the loop.
 */
void exchange_end(struct exchange *x, enum exchange_end end);

/* Those that run, and those of them that drain: no streams, no tunnels. */
unsigned exchange_count(void);
unsigned exchange_draining_count(void);

/* Mark it as a stream: shutting down does not wait for it. */
void exchange_set_stream(struct exchange *x);

/* From now on no connection is kept, and new requests are refused. */
void exchange_set_ending(void);
bool exchange_is_ending(void);

/* Free what is kept for reuse: at the end of the process. */
void exchange_close(void);

#endif
