/* SPDX-License-Identifier: MIT */
/*
 * layout: the result of a tool, laid out for a person: its text, then its
 * structured content as indented `key: value` lines in columns. Pure. JSON
 * from outside is at most JSONTEXT_DEPTH deep, and so is the recursion here.
 */
#ifndef CTL_LAYOUT_H
#define CTL_LAYOUT_H

#include <jansson.h>

#include "poold/ctl/page.h"

/*
 * Lay out a CallToolResult (*borrowed*). A text block that only repeats the
 * structured content as JSON is left out.
 * Source: MCP 2026-07-28 server/tools (tool result)
 */
void layout_result(struct page *p, const json_t *result);

/* Lay out any value, its lines indented by indent spaces. */
void layout_value(struct page *p, const json_t *value, size_t indent);

#endif
