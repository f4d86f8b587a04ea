/* SPDX-License-Identifier: MIT */
/* message: JSON-RPC envelopes. */
#include "poold/ctl/message.h"

#include <stdio.h>
#include <string.h>

#include "poold/ctl/screen.h"

#define MESSAGE_LINE_BYTES 400

json_t *
message_request(json_int_t id, const char *method, json_t *params)
{
	return json_pack("{s:s, s:I, s:s, s:o*}", "jsonrpc", "2.0", "id", id,
	    "method", method, "params", params);
}

json_t *
message_notice(const char *method, json_t *params)
{
	return json_pack("{s:s, s:s, s:o*}", "jsonrpc", "2.0", "method", method,
	    "params", params);
}

json_t *
message_result(json_t *request, json_t *result)
{
	return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id",
	    json_object_get(request, "id"), "result", result);
}

json_t *
message_error(json_t *request, int code, const char *text)
{
	return json_pack("{s:s, s:O, s:{s:i, s:s}}", "jsonrpc", "2.0", "id",
	    json_object_get(request, "id"), "error", "code", code, "message",
	    text);
}

enum message_kind
message_kind(const json_t *message)
{
	const json_t *const id = json_object_get(message, "id");

	if (json_is_string(json_object_get(message, "method"))) {
		if (!id)
			return MESSAGE_NOTICE;
		return json_is_string(id) || json_is_integer(id)
		           ? MESSAGE_REQUEST
		           : MESSAGE_BAD;
	}
	if (json_is_object(json_object_get(message, "error")))
		return MESSAGE_ERROR;
	return json_object_get(message, "result") ? MESSAGE_RESULT
	                                          : MESSAGE_BAD;
}

const char *
message_method(const json_t *message)
{
	const char *const method =
	    json_string_value(json_object_get(message, "method"));

	return method ? method : "";
}

json_t *
message_params(const json_t *message)
{
	return json_object_get(message, "params");
}

bool
message_is_answer(const json_t *message, json_int_t id)
{
	const enum message_kind kind = message_kind(message);
	const json_t *const theirs = json_object_get(message, "id");

	if (kind != MESSAGE_RESULT && kind != MESSAGE_ERROR)
		return false;
	/* An error to a request that could not be read may have no id. */
	if (!theirs || json_is_null(theirs))
		return kind == MESSAGE_ERROR;
	return json_is_integer(theirs) && json_integer_value(theirs) == id;
}

/* "50 % (2 of 4): text", or what of it there is. */
static void
message_show_progress(const json_t *params)
{
	char line[MESSAGE_LINE_BYTES];
	const double done =
	    json_number_value(json_object_get(params, "progress"));
	const double total =
	    json_number_value(json_object_get(params, "total"));
	const char *text =
	    json_string_value(json_object_get(params, "message"));
	const char *const colon = text ? ": " : "";

	if (!text)
		text = "";
	if (total > 0)
		snprintf(line, sizeof(line), "%.0f %% (%.6g of %.6g)%s%s",
		    100 * done / total, done, total, colon, text);
	else
		snprintf(
		    line, sizeof(line), "progress %.6g%s%s", done, colon, text);
	screen_progress(line);
}

/* "info: text"; what is no text is shown as JSON. */
static void
message_show_log(const json_t *params)
{
	const json_t *const data = json_object_get(params, "data");
	const char *level = json_string_value(json_object_get(params, "level"));
	char text[MESSAGE_LINE_BYTES];

	if (json_is_string(data)) {
		snprintf(text, sizeof(text), "%s", json_string_value(data));
	} else {
		const size_t n = json_dumpb(data, text, sizeof(text) - 1,
		    JSON_COMPACT | JSON_ENCODE_ANY);
		if (n < sizeof(text))
			text[n] = '\0';
		else
			snprintf(text, sizeof(text), "(%zu bytes of JSON)", n);
	}
	screen_say("%.20s: %s", level ? level : "log", text);
}

void
message_show(const json_t *message)
{
	const char *const method = message_method(message);

	if (strcmp(method, "notifications/progress") == 0)
		message_show_progress(message_params(message));
	else if (strcmp(method, "notifications/message") == 0)
		message_show_log(message_params(message));
}
