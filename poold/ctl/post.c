/* SPDX-License-Identifier: MIT */
/* post: JSON-RPC over HTTP requests. */
#include "poold/ctl/post.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/jsontext.h"

#include "poold/ctl/message.h"
#include "poold/ctl/quit.h"

#define POST_AGENT "holdline/" HOLDLINE_VERSION

void
post_reply_fini(struct post_reply *reply)
{
	json_decref(reply->result);
	json_decref(reply->error);
	reply->result = NULL;
	reply->error = NULL;
}

json_int_t
post_next_id(struct post *p)
{
	return ++p->last_id;
}

struct fetch *
post_fetch(const struct post *p, const char *method)
{
	struct fetch *const f = fetch_new(p->url, slice_of(method));

	if (!f)
		return NULL;
	fetch_field(f, "User-Agent", POST_AGENT);
	fetch_field(f, "Accept", "application/json, text/event-stream");
	if (p->version[0])
		fetch_field(f, "MCP-Protocol-Version", p->version);
	if (p->session[0])
		fetch_field(f, "Mcp-Session-Id", p->session);
	return f;
}

static void
post_text_free(char **text)
{
	mem_free(*text);
}

int
post_send(const struct post *p, json_t *message, json_t *fields,
    int64_t deadline_ms, struct fetch **f_r, struct err *err_r)
{
	fetch_auto struct fetch *f = post_fetch(p, "POST");
	__attribute__((cleanup(post_text_free))) char *text =
	    jsontext_dump(message, SIZE_MAX);
	const char *key;
	json_t *value;

	*f_r = NULL;
	if (!f || !text)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	fetch_field(f, "Content-Type", "application/json");
	json_object_foreach (fields, key, value)
		fetch_field(f, key, json_string_value(value));
	const int rc = fetch_send(f, slice_of(text), deadline_ms, err_r);
	if (rc == 0) {
		*f_r = f;
		f = NULL;
	}
	return rc;
}

void
post_take(struct post_reply *reply, const json_t *message)
{
	reply->result = json_incref(json_object_get(message, "result"));
	reply->error = json_incref(json_object_get(message, "error"));
	if (reply->error) {
		json_decref(reply->result);
		reply->result = NULL;
	}
}

/* The sentence in an error body: {"message": ...}, or "error". */
static const char *
post_sentence(const json_t *body)
{
	const char *text = json_string_value(json_object_get(body, "message"));

	if (!text)
		text = json_string_value(json_object_get(body, "error"));
	return text;
}

void
post_refusal(struct fetch *f, int64_t deadline_ms, struct post_reply *reply)
{
	json_auto_t *body = NULL;
	struct slice text = { NULL, 0 };
	char later[40] = "";

	if (fetch_retry_after_s(f) >= 0)
		snprintf(later, sizeof(later), "; try again in %d s",
		    fetch_retry_after_s(f));
	if (fetch_text(f, deadline_ms, &text, NULL) == 0)
		(void)jsontext_load(text, NULL, &body, NULL);
	if (message_kind(body) == MESSAGE_ERROR) {
		post_take(reply, body);
		return;
	}
	const char *const said = post_sentence(body);
	err_set(&reply->why, -EPROTO, NULL, "the server says %d%s%.200s%s",
	    reply->status, said ? ": " : "", said ? said : "", later);
}

int
post_await(struct fetch *f, json_int_t id, int64_t deadline_ms,
    struct post_reply *reply)
{
	reply->status = fetch_status(f);
	if (reply->status < 200 || reply->status > 299) {
		post_refusal(f, deadline_ms, reply);
		return 0;
	}
	if (!fetch_has_messages(f)) {
		err_set(&reply->why, -EPROTO, NULL,
		    "the server's answer is neither JSON nor an event "
		    "stream: is the path right?");
		return 0;
	}
	for (;;) {
		json_auto_t *message = NULL;
		const int rc =
		    fetch_next(f, deadline_ms, &message, &reply->why);
		if (rc == -ENODATA)
			return err_set(&reply->why, -EPIPE, NULL,
			    "the server ended its answer before the result");
		if (rc < 0)
			return rc;
		if (message_is_answer(message, id)) {
			post_take(reply, message);
			return 0;
		}
		message_show(message);
	}
}

int
post_ask(const struct post *p, json_t *message, json_t *fields,
    int64_t deadline_ms, struct post_reply *reply)
{
	fetch_auto struct fetch *f = NULL;
	const json_int_t id =
	    json_integer_value(json_object_get(message, "id"));

	*reply = (struct post_reply){ 0 };
	const int rc =
	    post_send(p, message, fields, deadline_ms, &f, &reply->why);
	return rc < 0 ? rc : post_await(f, id, deadline_ms, reply);
}

json_t *
post_must(
    const struct post *p, int rc, const char *what, struct post_reply *reply)
{
	if (rc == 0 && reply->result)
		return reply->result;
	if (rc == 0 && reply->error) {
		const char *const text =
		    json_string_value(json_object_get(reply->error, "message"));
		quit_with(QUIT_PEER,
		    "%s: the server refuses: %.400s (code %lld)", what,
		    text ? text : "it does not say why",
		    (long long)json_integer_value(
			json_object_get(reply->error, "code")));
	}
	if (rc == -ECONNREFUSED || rc == -ENOENT)
		quit_with(QUIT_PEER, "%s", reply->why.text);
	quit_with(QUIT_PEER, "%s: %s", what, reply->why.text);
}
