/* SPDX-License-Identifier: MIT */
/*
 * events: the signal of flow carries pointers and owns nothing, so the last
 * EVENTS_KEPT events are kept here, one more than a reader that is not too
 * slow can hold. One that is too slow never looks at what it holds.
 */
#include "poold/events.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"

struct event {
	struct proto_event head; /* but for host, which is host[] */
	const char *words;       /* behind the host */
	char host[];
};

const char *
events_kind_name(enum proto_event_kind kind)
{
	static const char *const names[] = {
#define EVENTS_NAME(number, NAME, name) [number] = #name,
		PROTO_EVENTS(EVENTS_NAME)
#undef EVENTS_NAME
	};

	must(kind > 0 && kind < sizeof(names) / sizeof(names[0]));
	return names[kind];
}

void
events_init(struct events *events)
{
	memset(events, 0, sizeof(*events));
	flow_signal_init(&events->signal);
}

void
events_fini(struct events *events)
{
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		mem_free(events->kept[i]);
	memset(events->kept, 0, sizeof(events->kept));
}

static void
events_log(uint64_t id, const struct events_said *said)
{
	const bool is_bad =
	    said->kind == PROTO_EVENT_ERROR || said->kind == PROTO_EVENT_FAILED;

	(is_bad ? log_warn : log_info)(
	    "event %llu: %s %s: %s%sgeneration=%llu pid=%d cause=%s "
	    "failures=%u retry_ms=%u",
	    (unsigned long long)id, events_kind_name(said->kind), said->host,
	    said->words, said->words[0] ? " " : "",
	    (unsigned long long)said->generation, said->pid,
	    said->cause[0] ? said->cause : "none", said->n_failures,
	    said->retry_ms);
}

/* A record of it, *new* or NULL. */
static struct event *
events_make(uint64_t id, const struct events_said *said)
{
	const size_t n_host = strlen(said->host) + 1;
	const size_t n_words = strlen(said->words) + 1;
	struct event *const event =
	    mem_alloc(sizeof(*event) + n_host + n_words);

	if (!event)
		return NULL;
	event->head = (struct proto_event){
		.id = id,
		.generation = said->generation,
		.at_wall_ms = clock_wall_ms(),
		.pid = said->pid,
		.kind = said->kind,
		.n_failures = said->n_failures,
		.retry_ms = said->retry_ms,
	};
	strlcpy(event->head.state, said->state, sizeof(event->head.state));
	strlcpy(event->head.cause, said->cause, sizeof(event->head.cause));
	memcpy(event->host, said->host, n_host);
	event->words = memcpy(event->host + n_host, said->words, n_words);
	return event;
}

void
events_say(struct events *events, const struct events_said *said)
{
	const uint64_t id = ++events->last_id;
	struct event *event, **const kept = &events->kept[id % EVENTS_KEPT];

	events_log(id, said);
	if (TAILQ_EMPTY(&events->signal.subscriptions))
		return;
	/* Without memory there is a gap in the ids: it is seen as lost. */
	if (!(event = events_make(id, said)))
		return;
	mem_free(*kept);
	*kept = event;
	(void)flow_signal_send(&events->signal, event);
}

void
events_close(struct events *events)
{
	flow_signal_close(&events->signal, NULL);
}

int
events_join(struct events *events, struct events_reader *reader)
{
	return flow_signal_join(
	    &events->signal, &reader->sub, EVENTS_CAP, FLOW_SIGNAL_CLOSE_SLOW);
}

void
events_leave(struct events_reader *reader)
{
	flow_signal_leave(&reader->sub);
}

int
events_next(struct events_reader *reader, struct proto_event *event_r,
    char text_r[PROTO_TEXT_BYTES])
{
	void *value = NULL;
	int e = reader->sub.status;

	if (e != -ENOBUFS)
		e = flow_signal_next(&reader->sub, CLOCK_NEVER, &value);
	/* What it was handed may have been replaced since. */
	if (e == 0 && reader->sub.status == -ENOBUFS)
		e = -ENOBUFS;
	if (e < 0)
		return e;
	const struct event *const event = value;
	*event_r = event->head;
	strlcpy(event_r->host, event->host, sizeof(event_r->host));
	strlcpy(text_r, event->words, PROTO_TEXT_BYTES);
	return 0;
}
