/* SPDX-License-Identifier: MIT */
/*
 * notice: all objects are built with json_pack, whose `o` takes a value also
 * when it fails.
 */
#include "backend/notice.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/json/said.h"

#include "backend/ask.h"

static const char *const notice_levels[] = {
	[HL_DEBUG] = "debug",
	[HL_INFO] = "info",
	[HL_NOTICE] = "notice",
	[HL_WARNING] = "warning",
	[HL_ERROR] = "error",
	[HL_CRITICAL] = "critical",
	[HL_ALERT] = "alert",
	[HL_EMERGENCY] = "emergency",
};

int
notice_level(const char *name)
{
	for (int i = HL_DEBUG; i <= HL_EMERGENCY; i++)
		if (name && strcmp(notice_levels[i], name) == 0)
			return i;
	return -1;
}

static json_t *
notice_tool(const struct tool *tool, bool has_structured)
{
	const struct hl_tool *hl = tool->hl;

	return json_pack("{s:s, s:s*, s:s, s:O, s:O*}", "name", hl->name,
	    "title", has_structured ? hl->title : NULL, "description",
	    hl->description ? hl->description : "", "inputSchema",
	    tool->input_doc, "outputSchema",
	    has_structured ? tool->output_doc : NULL);
}

json_t *
notice_tools(const struct load *load, bool has_structured)
{
	json_t *tools = json_array();

	for (size_t i = 0; i < load_n(load); i++)
		if (json_array_append_new(tools,
			notice_tool(load_at(load, i), has_structured)) != 0) {
			json_decref(tools);
			return NULL;
		}
	return tools;
}

/* Whole numbers look like whole numbers. */
static json_t *
notice_number(double x)
{
	if (x == floor(x) && fabs(x) < 9007199254740992.0)
		return json_integer((json_int_t)x);
	return json_real(x);
}

json_t *
notice_progress(const struct entry *entry, json_t *token)
{
	return json_pack("{s:s, s:s, s:{s:O, s:o, s:o*, s:s*}}", "jsonrpc",
	    "2.0", "method", "notifications/progress", "params",
	    "progressToken", token, "progress", notice_number(entry->done),
	    "total", entry->total > 0 ? notice_number(entry->total) : NULL,
	    "message", entry->text);
}

json_t *
notice_log(const struct entry *entry)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}}", "jsonrpc", "2.0", "method",
	    "notifications/message", "params", "level",
	    notice_levels[entry->level], "data",
	    entry->text ? entry->text : "");
}

json_t *
notice_ask_params(const struct ask *ask, bool has_mode)
{
	hl_auto json_t *all = NULL;
	json_t *params = ask_params(ask);

	if (ask->kind != ASK_ELICIT || !has_mode)
		return params;
	all = params;
	params = json_pack("{s:s}", "mode", "form");
	if (params && json_object_update(params, all) != 0) {
		json_decref(params);
		return NULL;
	}
	return params;
}

json_t *
notice_error_result(const char *text)
{
	return json_pack("{s:[{s:s, s:s}], s:b}", "content", "type", "text",
	    "text", text, "isError", 1);
}

const struct tool *
notice_call(const struct load *load, json_t *params, json_t **args_r,
    json_t **token_r, struct err *err_r)
{
	json_t *name = json_object_get(params, "name");
	const struct tool *tool;
	char said[SAID_BYTES];

	*args_r = json_object_get(params, "arguments");
	*token_r =
	    json_object_get(json_object_get(params, "_meta"), "progressToken");
	if (!json_is_string(name))
		err_set(err_r, -EINVAL, NULL, "params.name must be a string");
	else if (*args_r && !json_is_object(*args_r))
		err_set(
		    err_r, -EINVAL, NULL, "params.arguments must be an object");
	else if (*token_r && !json_is_string(*token_r) &&
		 !json_is_integer(*token_r))
		err_set(err_r, -EINVAL, NULL,
		    "progressToken must be a string or an integer");
	else {
		tool = load_find(load, json_string_value(name));
		if (tool)
			return tool;
		err_set(err_r, -ENOENT, NULL, "Unknown tool: %s",
		    said_text(json_string_value(name), json_string_length(name),
			said));
	}
	return NULL;
}
