/* SPDX-License-Identifier: MIT */
#include "backend/news.h"

#include <stddef.h>

#include "common/base/must.h"

void
news_init(struct news *news)
{
	TAILQ_INIT(&news->readers);
}

void
news_tell(struct news *news)
{
	struct news_reader *reader;

	TAILQ_FOREACH (reader, &news->readers, link)
		select_post(reader->select);
}

void
news_follow(
    struct news *news, struct news_reader *reader, struct select *select)
{
	must(!reader->news);
	reader->news = news;
	reader->select = select;
	TAILQ_INSERT_TAIL(&news->readers, reader, link);
}

void
news_leave(struct news_reader *reader)
{
	if (!reader->news)
		return;
	TAILQ_REMOVE(&reader->news->readers, reader, link);
	reader->news = NULL;
}
