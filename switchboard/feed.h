/* SPDX-License-Identifier: MIT */
/*
 * feed: what happens to backends, from poold to everybody who reads
 * /__switchboard/events on the admin address: server-sent events (WHATWG HTML
 * 9.2). poold is asked for events only while somebody reads; credit bounds
 * what is on its way. A reader's buffer is bounded: who reads too slowly is
 * cut.
 */
#ifndef SWITCHBOARD_FEED_H
#define SWITCHBOARD_FEED_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include "common/ipc/proto.h"

#include "switchboard/jack.h"

/* One who reads; embedded in its owner, which owns the jack. */
struct feed_reader {
	TAILQ_ENTRY(feed_reader) link;
	bool is_in;
	bool is_chunked;
	struct jack *jack;
	void (*on_cut)(void *arg); /* it reads too slowly, or is gone */
	void *arg;
};

/* Set how poold is told what is wanted (*borrowed* for ever). */
void feed_open(void (*watch)(const struct proto_watch *watch));

/* Whether there is no room for another reader. */
bool feed_is_full(void);

/* Read from now on. The head of the answer is in the jack's buffer or out. */
void feed_join(struct feed_reader *reader);

/* Read no more; not reading: nothing. */
void feed_leave(struct feed_reader *reader);

/* Keep a silent stream alive: a comment. */
void feed_ping(struct feed_reader *reader);

/* Write what is left, after the jack became writable. */
void feed_flush(struct feed_reader *reader);

/*
 * poold says an event, with a text; hosts and words in it are ended here. The
 * readers get it as one event each; a gap in the ids as one of type "lost".
 */
void feed_on_event(const struct proto_event *event, const char *text);

/* End all streams properly, as far as their readers take it. */
void feed_quit(void);

#endif
