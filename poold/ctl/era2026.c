/* SPDX-License-Identifier: MIT */
/* era2026: requests that stand alone, questions that come as results. */
#include "poold/ctl/era2026.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/flow/sleep.h"

#include "poold/ctl/message.h"
#include "poold/ctl/quit.h"
#include "poold/ctl/screen.h"

#define ERA2026_META     "io.modelcontextprotocol/"
#define ERA2026_FIELD    8192 /* bytes of one Mcp-* field */
#define ERA2026_DEPTH    16   /* of properties that name a header */
#define ERA2026_PAUSE_MS 500  /* between looks at a call that still waits */
#define ERA2026_TRIES    3    /* to reach a server with an answer */

/* Put what every request says of itself into params. Returns params. */
static json_t *
era2026_meta(json_t *params, const char *token)
{
	json_t *const meta = json_pack("{s:s, s:{s:s, s:s}, s:{s:{s:{}}, "
				       "s:{}}, s:s*}",
	    ERA2026_META "protocolVersion", ERA2026_VERSION,
	    ERA2026_META "clientInfo", "name", "holdline", "version",
	    HOLDLINE_VERSION, ERA2026_META "clientCapabilities", "elicitation",
	    "form", "sampling", "progressToken", token);

	if (json_object_set_new(params, "_meta", meta) < 0)
		quit_with(QUIT_PEER, "out of memory");
	return params;
}

/* Whether a value can stand in a field as it is. */
static bool
era2026_is_plain(const char *text)
{
	const size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return n == 0 || (text[0] != ' ' && text[n - 1] != ' ' &&
			     strncmp(text, "=?base64?", 9) != 0);
}

/*
 * Write a value as it stands in Mcp-Name and Mcp-Param-*: plain, or
 * =?base64?...?=. Returns out, or NULL when it is too long.
 * Source: MCP 2026-07-28 basic/transports/streamable-http (value encoding)
 */
static const char *
era2026_encode(const char *text, char *out, size_t out_n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
				     "nopqrstuvwxyz0123456789+/";
	const size_t n = strlen(text);
	const unsigned char *const s = (const unsigned char *)text;

	if (era2026_is_plain(text))
		return n < ERA2026_FIELD ? text : NULL;
	if (n > (out_n - 16) / 4 * 3 - 3)
		return NULL;
	char *at = stpcpy(out, "=?base64?");
	for (size_t i = 0; i < n; i += 3) {
		const size_t left = n - i;
		const unsigned v = (unsigned)s[i] << 16 |
		                   (left > 1 ? (unsigned)s[i + 1] << 8 : 0) |
		                   (left > 2 ? (unsigned)s[i + 2] : 0);
		*at++ = digits[v >> 18];
		*at++ = digits[v >> 12 & 63];
		*at++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[v & 63] : '=';
	}
	stpcpy(at, "?=");
	return out;
}

/* Add a field to fields, encoded; what is too long ends the program. */
static void
era2026_field(json_t *fields, const char *name, const char *value)
{
	char out[1024];

	const char *const text = era2026_encode(value, out, sizeof(out));
	if (!text || json_object_set_new(fields, name, json_string(text)) < 0)
		quit_with(QUIT_USAGE,
		    "a value is too long to be sent in the field %.60s", name);
}

/* The fields for arguments whose schema has x-mcp-header. */
static void
era2026_params(
    json_t *fields, const json_t *schema, const json_t *args, int depth)
{
	const char *key;
	json_t *property;
	char name[80], number[32];

	json_object_foreach (
	    json_object_get(schema, "properties"), key, property) {
		const json_t *const value = json_object_get(args, key);
		const char *const header = json_string_value(
		    json_object_get(property, "x-mcp-header"));
		if (json_is_object(value) && depth < ERA2026_DEPTH)
			era2026_params(fields, property, value, depth + 1);
		if (!header || !value)
			continue;
		snprintf(name, sizeof(name), "Mcp-Param-%.64s", header);
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		if (json_is_string(value))
			era2026_field(fields, name, json_string_value(value));
		else if (json_is_integer(value))
			era2026_field(fields, name, number);
		else if (json_is_boolean(value))
			era2026_field(fields, name,
			    json_is_true(value) ? "true" : "false");
	}
}

/* The fields of a request; tool is NULL for all but tools/call. */
static json_t *
era2026_fields(const char *method, const json_t *tool, const json_t *args)
{
	json_t *const fields = json_pack("{s:s}", "Mcp-Method", method);

	if (!fields)
		quit_with(QUIT_PEER, "out of memory");
	if (!tool)
		return fields;
	era2026_field(fields, "Mcp-Name",
	    json_string_value(json_object_get(tool, "name")));
	era2026_params(fields, json_object_get(tool, "inputSchema"), args, 0);
	return fields;
}

/* Whether a list of versions has one. */
static bool
era2026_lists(const json_t *list, const char *version)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *const v =
		    json_string_value(json_array_get(list, i));
		if (v && strcmp(v, version) == 0)
			return true;
	}
	return false;
}

/*
 * Whether an answer to server/discover can come from a server of an older
 * era: any 4xx but those that speak of access or load, or a JSON-RPC error.
 */
static bool
era2026_is_older(const struct post_reply *reply)
{
	if (reply->status == 401 || reply->status == 403 ||
	    reply->status == 429)
		return false;
	if (reply->error)
		return reply->status < 500;
	return reply->status >= 400 && reply->status < 500;
}

bool
era2026_open(struct post *p, struct err *why)
{
	json_auto_t *fields = era2026_fields("server/discover", NULL, NULL);
	post_reply_auto struct post_reply reply = { 0 };

	snprintf(p->version, sizeof(p->version), "%s", ERA2026_VERSION);
	json_auto_t *message = message_request(post_next_id(p),
	    "server/discover", era2026_meta(json_object(), NULL));
	const int rc =
	    post_ask(p, message, fields, clock_deadline_ms(POST_MS), &reply);
	if (rc == 0 && !reply.result && era2026_is_older(&reply)) {
		const char *const said =
		    json_string_value(json_object_get(reply.error, "message"));
		err_set(why, -EPROTO, NULL, "%s", said ? said : reply.why.text);
		return false;
	}
	const json_t *const result =
	    post_must(p, rc, "asking what the server speaks", &reply);
	const json_t *const versions =
	    json_object_get(result, "supportedVersions");
	if (era2026_lists(versions, ERA2026_VERSION))
		return true;
	err_set(why, -EPROTO, NULL, "it speaks other revisions only");
	return false;
}

json_t *
era2026_list(struct post *p, json_t *params)
{
	json_auto_t *fields = era2026_fields("tools/list", NULL, NULL);
	post_reply_auto struct post_reply reply = { 0 };
	json_auto_t *message = message_request(
	    post_next_id(p), "tools/list", era2026_meta(params, NULL));

	const int rc =
	    post_ask(p, message, fields, clock_deadline_ms(POST_MS), &reply);
	return json_incref(post_must(p, rc, "listing the tools", &reply));
}

/* Answer one question of a round. Returns the *new* answer. */
static json_t *
era2026_answer(struct asker *a, const char *name, const json_t *question)
{
	const char *const method = message_method(question);
	json_t *const params = message_params(question);

	if (strcmp(method, "elicitation/create") == 0)
		return asker_elicit(a, name, params);
	if (strcmp(method, "sampling/createMessage") != 0)
		quit_with(QUIT_PEER,
		    "the tool asks for %.60s (%.60s), which was not offered",
		    method, name);
	json_t *const sample = asker_sample(a, name, params);
	if (!sample)
		quit_with(QUIT_TOOL,
		    "the sample was declined, which ends the call (the "
		    "protocol has no such answer)");
	return sample;
}

/*
 * Answer all questions of an input_required result, and put what the next
 * request says into params.
 */
static void
era2026_round(struct asker *a, const json_t *result, json_t *params)
{
	json_t *const requests = json_object_get(result, "inputRequests");
	json_t *const state = json_object_get(result, "requestState");
	json_auto_t *answers = json_object();
	const char *name;
	json_t *question;

	if (!json_object_size(requests) && !json_is_string(state))
		quit_with(
		    QUIT_PEER, "the server wants an answer, but asks nothing");
	json_object_foreach (requests, name, question)
		json_object_set_new(
		    answers, name, era2026_answer(a, name, question));
	json_object_del(params, "requestState");
	json_object_del(params, "inputResponses");
	if (state)
		json_object_set(params, "requestState", state);
	if (json_object_size(requests))
		json_object_set(params, "inputResponses", answers);
	else
		flow_sleep(ERA2026_PAUSE_MS);
}

/*
 * Send one leg of the call. An answer for a server that cannot be reached (it
 * is just being started again) is worth some more tries: nothing was sent.
 */
static int
era2026_leg(
    struct post *p, json_t *params, json_t *fields, struct post_reply *reply)
{
	const bool is_answer = json_object_get(params, "requestState");
	char token[32];
	int rc = 0;

	for (int n = 1; n <= ERA2026_TRIES; n++) {
		const json_int_t id = post_next_id(p);
		snprintf(token, sizeof(token), "holdline-%lld", (long long)id);
		era2026_meta(params, token);
		json_auto_t *message =
		    message_request(id, "tools/call", json_incref(params));
		rc = post_ask(p, message, fields, CLOCK_NEVER, reply);
		if (rc != -ECONNREFUSED || !is_answer || n == ERA2026_TRIES)
			break;
		screen_say("%s; trying again", reply->why.text);
		flow_sleep(ERA2026_PAUSE_MS);
	}
	return rc;
}

json_t *
era2026_call(struct post *p, struct asker *a, json_t *tool, json_t *args)
{
	json_auto_t *fields = era2026_fields("tools/call", tool, args);
	json_auto_t *params = json_pack("{s:O, s:O}", "name",
	    json_object_get(tool, "name"), "arguments", args);

	for (;;) {
		post_reply_auto struct post_reply reply = { 0 };
		const int rc = era2026_leg(p, params, fields, &reply);
		if (rc < 0 && rc != -ECONNREFUSED)
			quit_with(QUIT_PEER,
			    "%s; that ends the call, and what the tool did "
			    "so far may stay done",
			    reply.why.text);
		json_t *const result =
		    post_must(p, rc, "calling the tool", &reply);
		const char *const type =
		    json_string_value(json_object_get(result, "resultType"));
		if (!type || strcmp(type, "complete") == 0)
			return json_incref(result);
		if (strcmp(type, "input_required") != 0)
			quit_with(QUIT_PEER,
			    "the server answers with a result of the type "
			    "\"%.40s\", which was not asked for",
			    type);
		era2026_round(a, result, params);
	}
}
