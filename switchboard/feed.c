/* SPDX-License-Identifier: MIT */
/* feed: one text for all readers, a bounded buffer each. */
#include "switchboard/feed.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/http/chunk.h"
#include "common/http/sse.h"
#include "common/json/jsontext.h"

#include "switchboard/block.h"
#include "switchboard/limits.h"

static struct {
	TAILQ_HEAD(, feed_reader) readers;
	unsigned n;
	uint64_t
	    next_id; /* that is due; 0: nothing came since somebody reads */
	uint32_t n_credit; /* events that poold may still send */
	void (*watch)(const struct proto_watch *watch);
} feed_all = { .readers = TAILQ_HEAD_INITIALIZER(feed_all.readers) };

void
feed_open(void (*watch)(const struct proto_watch *watch))
{
	feed_all.watch = watch;
}

bool
feed_is_full(void)
{
	return feed_all.n >= LIMIT_FEED_READERS;
}

/* Let poold go on when half of what it may send has come. */
static void
feed_give_credit(void)
{
	const struct proto_watch watch = { .is_on = 1,
		.n_credit = LIMIT_FEED_CREDIT - feed_all.n_credit };

	if (feed_all.n_credit > LIMIT_FEED_CREDIT / 2)
		return;
	feed_all.n_credit = LIMIT_FEED_CREDIT;
	feed_all.watch(&watch);
}

void
feed_join(struct feed_reader *reader)
{
	must(!reader->is_in);
	reader->is_in = true;
	TAILQ_INSERT_TAIL(&feed_all.readers, reader, link);
	if (feed_all.n++ > 0)
		return;
	feed_all.next_id = 0;
	feed_all.n_credit = 0;
	feed_give_credit();
}

void
feed_leave(struct feed_reader *reader)
{
	const struct proto_watch watch = { .is_on = 0 };

	if (!reader->is_in)
		return;
	reader->is_in = false;
	TAILQ_REMOVE(&feed_all.readers, reader, link);
	if (--feed_all.n == 0)
		feed_all.watch(&watch);
}

/* Put an event into a reader's buffer, which may grow to its bound. */
static int
feed_put(struct feed_reader *reader, const struct http_sse_event *event)
{
	struct buf *const out = &reader->jack->out;
	int rc = block_lend(out);

	for (size_t bytes = LIMIT_BLOCK_BYTES; rc == 0; bytes *= 2) {
		rc = reader->is_chunked ? http_sse_add_chunked(out, event)
		                        : http_sse_add(out, event);
		if (rc != -ENOBUFS || bytes >= LIMIT_FEED_BYTES)
			return rc;
		rc = block_grow(out, bytes * 2);
	}
	return rc;
}

/* Write; who is lost or full is cut. */
static void
feed_deliver(struct feed_reader *reader, const struct http_sse_event *event)
{
	int rc = feed_put(reader, event);

	if (rc == 0 && !reader->jack->stalled_at_ms)
		rc = jack_write(reader->jack, NULL);
	if (rc == 0 || rc == -EAGAIN) {
		jack_watch(reader->jack, 1);
		return;
	}
	if (rc == -ENOBUFS)
		log_warn("events: a reader is too slow, cut");
	reader->on_cut(reader->arg);
}

static void
feed_deliver_all(const struct http_sse_event *event)
{
	struct feed_reader *reader, *next;

	TAILQ_FOREACH_SAFE (reader, &feed_all.readers, link, next)
		feed_deliver(reader, event);
}

void
feed_flush(struct feed_reader *reader)
{
	const int rc = jack_write(reader->jack, NULL);

	if (rc < 0 && rc != -EAGAIN)
		reader->on_cut(reader->arg);
	else
		jack_watch(reader->jack, 1);
}

void
feed_ping(struct feed_reader *reader)
{
	const struct http_sse_event none = {
		.type = { "ping", 4 }, .data = { "{}", 2 }, .retry_ms = -1
	};

	feed_deliver(reader, &none);
}

static const char *
feed_kind_name(uint32_t kind)
{
	static const char *const names[] = {
#define FEED_NAME(number, NAME, name) [number] = #name,
		PROTO_EVENTS(FEED_NAME)
#undef FEED_NAME
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

/* What its text is called. */
static const char *
feed_text_name(uint32_t kind)
{
	switch (kind) {
	case PROTO_EVENT_ERROR:
		return "message";
	case PROTO_EVENT_READY:
		return "start";
	default:
		return "status";
	}
}

/* The data of an event as *new* text (mem_free), or NULL: no memory. */
static char *
feed_compose(
    const struct proto_event *event, const char *type, const char *text)
{
	char at[CLOCK_ISO_SIZE];
	json_t *const root = json_pack("{s:s, s:s, s:I, s:i, s:s, s:s}", "type",
	    type, "hostname", event->host, "generation",
	    (json_int_t)event->generation, "pid", (int)event->pid, "state",
	    event->state, "time", clock_iso(event->at_wall_ms, at));

	int rc = root ? 0 : -1;

	if (rc == 0 && event->cause[0])
		rc = json_object_set_new(root,
		    event->kind == PROTO_EVENT_ERROR ? "error" : "cause",
		    jsontext_string(event->cause));
	if (rc == 0 && text[0])
		rc = json_object_set_new(
		    root, feed_text_name(event->kind), jsontext_string(text));
	if (rc == 0 && event->n_failures)
		rc = json_object_set_new(
		    root, "failures", json_integer(event->n_failures));
	if (rc == 0 && event->retry_ms)
		rc = json_object_set_new(
		    root, "retryMs", json_integer(event->retry_ms));
	char *const data = rc == 0 ? jsontext_dump(root, SIZE_MAX) : NULL;
	json_decref(root);
	return data;
}

/* Say that ids before this one never came, or were lost here. */
static void
feed_tell_gap(uint64_t id)
{
	char data[64];

	if (!feed_all.next_id || id <= feed_all.next_id)
		return;
	snprintf(data, sizeof(data), "{\"type\":\"lost\",\"n\":%" PRIu64 "}",
	    id - feed_all.next_id);
	const struct http_sse_event lost = {
		.type = { "lost", 4 }, .data = slice_of(data), .retry_ms = -1
	};
	feed_deliver_all(&lost);
}

/* Tell an event; one that there is no memory for is told as lost later. */
static void
feed_tell(const struct proto_event *event, const char *type, const char *text)
{
	char *const data = feed_compose(event, type, text);
	char id[24];

	if (!data) {
		if (!feed_all.next_id)
			feed_all.next_id = event->id;
		log_warn("events: no memory for one");
		return;
	}
	snprintf(id, sizeof(id), "%" PRIu64, event->id);
	const struct http_sse_event out = { .type = slice_of(type),
		.id = slice_of(id),
		.data = slice_of(data),
		.retry_ms = -1 };
	feed_tell_gap(event->id);
	feed_all.next_id = event->id + 1;
	feed_deliver_all(&out);
	mem_free(data);
}

void
feed_on_event(const struct proto_event *said, const char *text)
{
	struct proto_event event = *said;
	const char *const type = feed_kind_name(event.kind);

	if (feed_all.n == 0 || !type)
		return;
	event.host[sizeof(event.host) - 1] = '\0';
	event.state[sizeof(event.state) - 1] = '\0';
	event.cause[sizeof(event.cause) - 1] = '\0';
	if (feed_all.n_credit > 0)
		feed_all.n_credit--;
	feed_tell(&event, type, text);
	if (feed_all.n > 0)
		feed_give_credit();
}

void
feed_quit(void)
{
	struct feed_reader *reader;

	while ((reader = TAILQ_FIRST(&feed_all.readers))) {
		if (reader->is_chunked && block_lend(&reader->jack->out) == 0)
			(void)http_chunk_last(&reader->jack->out);
		(void)jack_write(reader->jack, NULL);
		jack_shut(reader->jack);
		feed_leave(reader);
	}
}
