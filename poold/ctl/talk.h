/* SPDX-License-Identifier: MIT */
/*
 * talk: a conversation with an MCP server, whatever revision it speaks: the
 * newest first, then the older era. The one file that knows of both.
 */
#ifndef CTL_TALK_H
#define CTL_TALK_H

#include <jansson.h>

#include "poold/ctl/asker.h"
#include "poold/ctl/post.h"

enum talk_era {
	TALK_ERA_ANY,  /* find out */
	TALK_ERA_2025, /* 2025-11-25 and before */
	TALK_ERA_2026, /* 2026-07-28 */
};

/* Embedded in its owner, which outlives the program's tasks. */
struct talk {
	struct post post;
	enum talk_era era; /* never ANY once it is open */
};

/*
 * Find out what the server speaks, and begin. url is *borrowed*. Ends the
 * program when that fails. Waits.
 */
void talk_open(struct talk *t, const struct url *url, enum talk_era era);

/* All tools of the server: a *new* array. Waits. */
json_t *talk_list(struct talk *t);

/*
 * Call a tool (its element of talk_list) and answer its questions. Returns
 * its *new* result. Waits.
 */
json_t *talk_call(struct talk *t, struct asker *a, json_t *tool, json_t *args);

#endif
