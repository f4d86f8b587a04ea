/* SPDX-License-Identifier: MIT */
/*
 * news: something that tasks follow while they wait for their client too:
 * whoever follows it has a select (flow/select.h) and is posted when there is
 * something new. What that is he looks up himself.
 */
#ifndef BACKEND_NEWS_H
#define BACKEND_NEWS_H

#include <bsd/sys/queue.h>

#include "common/flow/select.h"

/* One who follows; embedded in it, also on its stack. Zeroed: follows none. */
struct news_reader {
	TAILQ_ENTRY(news_reader) link;
	struct news *news;
	struct select *select;
};

TAILQ_HEAD(news_readers, news_reader);

/* Embedded in what is followed, which outlives its readers. */
struct news {
	struct news_readers readers;
};

/* Nobody follows it. */
void news_init(struct news *news);

/* Tell all who follow. Never waits. */
void news_tell(struct news *news);

/* Follow: select (*borrowed*) is posted from now on. */
void news_follow(
    struct news *news, struct news_reader *reader, struct select *select);

/* Follow no more; follows none: nothing. */
void news_leave(struct news_reader *reader);

/* A local that leaves by itself. */
#define news_reader_auto __attribute__((cleanup(news_leave)))

#endif
