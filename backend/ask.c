/* SPDX-License-Identifier: MIT */
/* ask: questions and what answers them. */
#include "backend/ask.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/elicit.h"
#include "common/json/jsontext.h"
#include "common/json/said.h"

#include "backend/holdline.h"
#include "backend/value.h"

/* One kind of question, as MCP names it. */
struct ask_row {
	const char *method;
	const char *capability;
};

static const struct ask_row ask_rows[] = {
	[ASK_ELICIT] = { "elicitation/create", "elicitation" },
	[ASK_SAMPLE] = { "sampling/createMessage", "sampling" },
};

bool
ask_is_key(const char *key)
{
	const size_t n = key ? strspn(key, "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789_.-")
	                     : 0;

	return n > 0 && n <= ASK_KEY_MAX && !key[n];
}

/* An open question with these params (*takes*, NULL: no memory). */
static int
ask_make_take(enum ask_kind kind, const char *name, json_t *params,
    struct ask **ask_r, struct err *err_r)
{
	struct ask *const ask = params ? mem_zalloc(1, sizeof(*ask)) : NULL;
	char *const text = ask ? jsontext_dump(params, SIZE_MAX) : NULL;

	*ask_r = NULL;
	json_decref(params);
	if (!text) {
		mem_free(ask);
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	}
	ask->kind = kind;
	ask->state = ASK_OPEN;
	snprintf(ask->name, sizeof(ask->name), "%s", name);
	ask->params = text;
	latch_init(&ask->latch);
	*ask_r = ask;
	return 0;
}

int
ask_new_elicit(const char *name, const char *message, json_t *schema,
    struct ask **ask_r, struct err *err_r)
{
	*ask_r = NULL;
	const int rc = elicit_check_form(schema, err_r);
	if (rc < 0)
		return rc;
	return ask_make_take(ASK_ELICIT, name,
	    json_pack(
		"{s:s, s:O}", "message", message, "requestedSchema", schema),
	    ask_r, err_r);
}

int
ask_new_sample(const char *name, const char *prompt, int max_tokens,
    struct ask **ask_r, struct err *err_r)
{
	json_t *const params = json_pack("{s:[{s:s, s:{s:s, s:s}}], s:i}",
	    "messages", "role", "user", "content", "type", "text", "text",
	    prompt, "maxTokens", max_tokens);

	return ask_make_take(ASK_SAMPLE, name, params, ask_r, err_r);
}

void
ask_free(struct ask **askp)
{
	struct ask *const ask = *askp;

	*askp = NULL;
	if (!ask)
		return;
	mem_free(ask->params);
	json_decref(ask->value);
	mem_free(ask);
}

/* Put the pointer to a member of the answer in front of err_r->place. */
static int
ask_place(struct err *err_r, const char *member, int rc)
{
	char place[ERR_PLACE_BYTES];

	if (!err_r || rc != -EINVAL)
		return rc;
	snprintf(place, sizeof(place), "%s%.*s", member,
	    (int)(sizeof(place) - strlen(member) - 1), err_r->place);
	said_clean(place);
	memcpy(err_r->place, place, sizeof(place));
	return rc;
}

/* ElicitResult: {action: accept | decline | cancel, content?}. */
static int
ask_check_elicit(
    const struct ask *ask, json_t *answer, json_t **value_r, struct err *err_r)
{
	json_t *const action = json_object_get(answer, "action");
	json_t *const content = json_object_get(answer, "content");
	const char *const word = json_string_value(action);
	char said[SAID_BYTES];

	if (!word)
		return err_set(err_r, -EINVAL, "/action",
		    "must be \"accept\", \"decline\" or \"cancel\"");
	if (!strcmp(word, "decline") || !strcmp(word, "cancel")) {
		*value_r = json_string(word);
		return *value_r
		           ? 0
		           : err_set(err_r, -ENOMEM, NULL, "out of memory");
	}
	if (strcmp(word, "accept"))
		return err_set(err_r, -EINVAL, "/action",
		    "must be \"accept\", \"decline\" or \"cancel\", not %s",
		    said_value(action, said));
	if (!json_is_object(content))
		return err_set(err_r, -EINVAL, "/content",
		    "must be an object with what was asked for");
	hl_auto json_t *params = ask_params(ask);
	if (!params)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	return ask_place(err_r, "/content",
	    elicit_accept(json_object_get(params, "requestedSchema"), content,
		value_r, err_r));
}

/* A content block: {type, …}, and a text block has its text. */
static bool
ask_is_block(const json_t *block)
{
	const char *const type =
	    json_string_value(json_object_get(block, "type"));

	return type && (strcmp(type, "text") ||
			   json_is_string(json_object_get(block, "text")));
}

/* CreateMessageResult: {role, content: block or blocks, model, …}. */
static int
ask_check_sample(json_t *answer, json_t **value_r, struct err *err_r)
{
	json_t *const role = json_object_get(answer, "role");
	json_t *const content = json_object_get(answer, "content");
	json_t *block;
	size_t i;

	if (!json_is_string(role))
		return err_set(
		    err_r, -EINVAL, "/role", "must be \"assistant\"");
	if (!json_is_array(content) && !ask_is_block(content))
		return err_set(err_r, -EINVAL, "/content",
		    "must be a content block or an array of them");
	json_array_foreach (content, i, block)
		if (!ask_is_block(block))
			return err_set(err_r, -EINVAL, "/content",
			    "item %zu is no content block", i);
	*value_r = value_copy(answer);
	return *value_r ? 0 : err_set(err_r, -ENOMEM, NULL, "out of memory");
}

int
ask_check(
    const struct ask *ask, json_t *answer, json_t **value_r, struct err *err_r)
{
	*value_r = NULL;
	if (!json_is_object(answer))
		return err_set(
		    err_r, -EINVAL, "", "an answer must be an object");
	return ask->kind == ASK_ELICIT
	           ? ask_check_elicit(ask, answer, value_r, err_r)
	           : ask_check_sample(answer, value_r, err_r);
}

/* Whether the capability of this kind is there and says what we need. */
static bool
ask_is_declared(enum ask_kind kind, const json_t *capabilities)
{
	const json_t *const cap =
	    json_object_get(capabilities, ask_rows[kind].capability);

	if (!json_is_object(cap))
		return false;
	return kind != ASK_ELICIT || !json_object_get(cap, "url") ||
	       json_object_get(cap, "form");
}

unsigned
ask_can(const json_t *capabilities)
{
	unsigned can = 0;

	for (enum ask_kind kind = ASK_ELICIT; kind <= ASK_SAMPLE; kind++)
		if (ask_is_declared(kind, capabilities))
			can |= ASK_CAN(kind);
	return can;
}

const char *
ask_missing(enum ask_kind kind, unsigned can)
{
	return can & ASK_CAN(kind) ? NULL : ask_rows[kind].capability;
}

json_t *
ask_params(const struct ask *ask)
{
	return value_of_text(ask->params);
}

const char *
ask_method(enum ask_kind kind)
{
	return ask_rows[kind].method;
}
