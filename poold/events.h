/* SPDX-License-Identifier: MIT */
/*
 * events: what happens to backends, as one stream inside poold: one line of
 * the log each, and a fan-out to readers. Each reader has a bounded buffer; one
 * that reads too slowly loses its place and is told. No replay: a reader gets
 * what happens after it joined. Ids grow by one for each event.
 */
#ifndef POOLD_EVENTS_H
#define POOLD_EVENTS_H

#include <stdint.h>

#include "common/flow/signal.h"
#include "common/ipc/proto.h"

#define EVENTS_CAP  1024             /* that a reader may be behind */
#define EVENTS_KEPT (EVENTS_CAP + 2) /* more than it can hold */

/* What happened; *borrowed* for the call. */
struct events_said {
	enum proto_event_kind kind;
	const char *host;
	const char *state; /* of the backend now */
	const char *cause; /* a word; "": none */
	const char *words; /* how it ended, or why, or what it took; or "" */
	uint64_t generation;
	int32_t pid; /* 0: of no process */
	uint32_t n_failures;
	uint32_t retry_ms;
};

struct event;

/* Embedded in its owner. */
struct events {
	struct flow_signal signal;
	uint64_t last_id;
	struct event *kept[EVENTS_KEPT]; /* by id; what readers may hold */
};

/* A reader; embedded in it, also on its stack. */
struct events_reader {
	struct flow_subscription sub;
};

/* No event yet. */
void events_init(struct events *events);

/* Free what was kept; no reader is left. */
void events_fini(struct events *events);

/* Say an event to the log and to all readers. Never waits. */
void events_say(struct events *events, const struct events_said *said);

/* No event will follow; readers get what they have not read, then -EPIPE. */
void events_close(struct events *events);

/* Read what happens from now on. Returns 0 or -ENOMEM. */
int events_join(struct events *events, struct events_reader *reader);

/* Read no more; zeroed or left already: nothing. */
void events_leave(struct events_reader *reader);

/* A local reader that leaves by itself. */
#define events_reader_auto __attribute__((cleanup(events_leave)))

/*
 * The next event, into *event_r and text_r. Returns 0, -EPIPE after the last
 * one, or -ENOBUFS: it read too slowly, and must leave (and may join again).
 * Waits.
 */
int events_next(struct events_reader *reader, struct proto_event *event_r,
    char text_r[PROTO_TEXT_BYTES]);

/* The name of a kind. */
const char *events_kind_name(enum proto_event_kind kind);

#endif
