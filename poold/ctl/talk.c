/* SPDX-License-Identifier: MIT */
/* talk: one of two eras. */
#include "poold/ctl/talk.h"

#include "poold/ctl/era2025.h"
#include "poold/ctl/era2026.h"
#include "poold/ctl/quit.h"

#define TALK_TOOLS 10000 /* of one server */
#define TALK_PAGES 1000

/* What differs between the eras. */
static const struct {
	json_t *(*list)(struct post *p, json_t *params);
	json_t *(*call)(
	    struct post *p, struct asker *a, json_t *tool, json_t *args);
} talk_eras[] = {
	[TALK_ERA_2025] = { era2025_list, era2025_call },
	[TALK_ERA_2026] = { era2026_list, era2026_call },
};

void
talk_open(struct talk *t, const struct url *url, enum talk_era era)
{
	struct err why = { 0 };

	*t = (struct talk){ .post.url = url, .era = era };
	if (era != TALK_ERA_2025) {
		if (era2026_open(&t->post, &why)) {
			t->era = TALK_ERA_2026;
			return;
		}
		if (era == TALK_ERA_2026)
			quit_with(QUIT_PEER,
			    "the server does not speak MCP 2026-07-28: %s",
			    why.text);
	}
	t->era = TALK_ERA_2025;
	era2025_open(&t->post, era == TALK_ERA_ANY ? &why : NULL);
}

/* Add a page's tools; those without a name cannot be called. */
static void
talk_add(json_t *tools, const json_t *page)
{
	const json_t *const list = json_object_get(page, "tools");

	if (!json_is_array(list))
		quit_with(QUIT_PEER,
		    "listing the tools: the answer has no list of tools");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *const tool = json_array_get(list, i);
		if (json_is_string(json_object_get(tool, "name")))
			json_array_append(tools, tool);
	}
	if (json_array_size(tools) > TALK_TOOLS)
		quit_with(
		    QUIT_PEER, "the server has over %d tools", TALK_TOOLS);
}

json_t *
talk_list(struct talk *t)
{
	json_auto_t *tools = json_array();
	json_auto_t *cursor = NULL;

	for (int n = 0; n < TALK_PAGES; n++) {
		json_t *const params = json_object();
		if (cursor)
			json_object_set(params, "cursor", cursor);
		json_auto_t *page = talk_eras[t->era].list(&t->post, params);
		talk_add(tools, page);
		json_decref(cursor);
		cursor = json_incref(json_object_get(page, "nextCursor"));
		if (!json_is_string(cursor))
			break;
	}
	return json_incref(tools);
}

json_t *
talk_call(struct talk *t, struct asker *a, json_t *tool, json_t *args)
{
	return talk_eras[t->era].call(&t->post, a, tool, args);
}
