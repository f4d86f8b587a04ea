/* SPDX-License-Identifier: MIT */
/*
 * era2025: a session, its one call, and two tasks in that call: the caller's
 * reads the stream (and resumes it), a child answers the questions one after
 * the other. So the stream may break, or the result come, while a question
 * stands in the terminal.
 */
#include "poold/ctl/era2025.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/flow/queue.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"

#include "poold/ctl/message.h"
#include "poold/ctl/quit.h"
#include "poold/ctl/screen.h"

#define ERA2025_VERSION   "2025-11-25"
#define ERA2025_BYE_MS    2000 /* for each word of goodbye */
#define ERA2025_ASKS      64   /* questions that may wait at once */
#define ERA2025_RETRY_MS  500  /* before a stream is resumed, unless told */
#define ERA2025_RETRY_MIN 20
#define ERA2025_RETRY_MAX 30000
#define ERA2025_TRIES     5 /* in a row, to resume or to send an answer */
#define ERA2025_REFUSED   (-1)
#define ERA2025_UNKNOWN   (-32601)

/* The revisions of this era, the newest first. */
static const char *const era2025_versions[] = { ERA2025_VERSION, "2025-06-18",
	"2025-03-26" };

/* A call and its stream; lives on the stack of era2025_call. */
struct era2025 {
	struct post *post;
	struct asker *asker;
	json_t *tool; /* *borrowed* */
	json_t *args; /* *borrowed* */
	json_int_t id;
	struct queue asks; /* requests of the server, owned */
	json_t *withdrawn; /* ids of requests that were taken back */
	json_t *asking;    /* id of the one being asked, or NULL */
	struct task *answerer;
	struct fetch *stream; /* NULL between two connections */
	char last_id[HTTP_SSE_WORD_MAX + 1];
	int64_t retry_ms;
	unsigned n_failed; /* resumptions in a row that failed */
	struct post_reply reply;
};

static void
era2025_drop(void *item)
{
	json_decref(item);
}

/* Free what a call holds; its tasks are done. */
static void
era2025_fini(struct era2025 *c)
{
	queue_fini(&c->asks, era2025_drop);
	json_decref(c->withdrawn);
	task_unref(&c->answerer);
	fetch_free(&c->stream);
	post_reply_fini(&c->reply);
}

/*
 * Finaliser of a session: cancel the call that runs, end the session. Short
 * deadlines, no complaints: the person wants to go.
 */
static int
era2025_bye(void *arg, struct err *err_r)
{
	struct post *const p = arg;
	struct err why;

	if (p->calling) {
		fetch_auto struct fetch *f = NULL;
		json_auto_t *message = message_notice("notifications/cancelled",
		    json_pack("{s:I, s:s}", "requestId", p->calling, "reason",
			"the client ends"));
		(void)post_send(p, message, NULL,
		    clock_deadline_ms(ERA2025_BYE_MS), &f, &why);
		p->calling = 0;
	}
	if (p->session[0]) {
		fetch_auto struct fetch *f = post_fetch(p, "DELETE");
		if (f)
			(void)fetch_send(f, (struct slice){ NULL, 0 },
			    clock_deadline_ms(ERA2025_BYE_MS), &why);
		p->session[0] = '\0';
	}
	return 0;
}

/* Whether a revision is of this era. */
static bool
era2025_speaks(const char *version)
{
	const size_t n = sizeof(era2025_versions) / sizeof(era2025_versions[0]);

	for (size_t i = 0; i < n; i++)
		if (strcmp(version, era2025_versions[i]) == 0)
			return true;
	return false;
}

/* Keep what initialize answered. */
static void
era2025_agree(struct post *p, const json_t *result)
{
	const char *const version =
	    json_string_value(json_object_get(result, "protocolVersion"));

	if (!version || !era2025_speaks(version))
		quit_with(QUIT_PEER,
		    "the server speaks MCP %.40s, holdline 2025-03-26 to "
		    "2026-07-28",
		    version ? version : "of no revision that it names");
	snprintf(p->version, sizeof(p->version), "%s", version);
}

/* Send a message that has no answer; 2xx is well. Returns 0 or -errno. */
static int
era2025_tell(const struct post *p, json_t *message, struct err *err_r)
{
	fetch_auto struct fetch *f = NULL;
	post_reply_auto struct post_reply reply = { 0 };
	const int64_t deadline_ms = clock_deadline_ms(POST_MS);

	const int rc = post_send(p, message, NULL, deadline_ms, &f, err_r);
	if (rc < 0)
		return rc;
	reply.status = fetch_status(f);
	if (reply.status >= 200 && reply.status <= 299)
		return 0;
	if (reply.status == 404)
		return err_set(err_r, -ENOENT, NULL,
		    "the server has forgotten the session (was it "
		    "restarted?); call again");
	post_refusal(f, deadline_ms, &reply);
	const char *const said =
	    json_string_value(json_object_get(reply.error, "message"));
	return err_set(
	    err_r, -EPROTO, NULL, "%s", said ? said : reply.why.text);
}

void
era2025_open(struct post *p, const struct err *why_older)
{
	post_reply_auto struct post_reply reply = { 0 };
	fetch_auto struct fetch *f = NULL;
	const int64_t deadline_ms = clock_deadline_ms(POST_MS);
	struct err why;

	p->version[0] = '\0';
	if (scope_ensure(era2025_bye, p) < 0)
		quit_with(QUIT_PEER, "out of memory");
	const json_int_t id = post_next_id(p);
	json_auto_t *hello = message_request(id, "initialize",
	    json_pack("{s:s, s:{s:{}, s:{}}, s:{s:s, s:s}}", "protocolVersion",
		ERA2025_VERSION, "capabilities", "elicitation", "sampling",
		"clientInfo", "name", "holdline", "version", HOLDLINE_VERSION));
	int rc = post_send(p, hello, NULL, deadline_ms, &f, &reply.why);
	if (rc == 0) {
		snprintf(
		    p->session, sizeof(p->session), "%s", fetch_session(f));
		rc = post_await(f, id, deadline_ms, &reply);
	}
	if (why_older && rc == 0 && !reply.result &&
	    strcmp(why_older->text, reply.why.text) != 0)
		screen_say("(nor is it MCP 2026-07-28: %s)", why_older->text);
	era2025_agree(p, post_must(p, rc, "beginning a session", &reply));
	json_auto_t *ready = message_notice("notifications/initialized", NULL);
	if (era2025_tell(p, ready, &why) < 0)
		quit_with(QUIT_PEER, "beginning a session: %s", why.text);
}

json_t *
era2025_list(struct post *p, json_t *params)
{
	post_reply_auto struct post_reply reply = { 0 };
	json_auto_t *message =
	    message_request(post_next_id(p), "tools/list", params);

	const int rc =
	    post_ask(p, message, NULL, clock_deadline_ms(POST_MS), &reply);
	return json_incref(post_must(p, rc, "listing the tools", &reply));
}

/* The *new* answer to a request of the server; asks the person. */
static json_t *
era2025_answer(const struct era2025 *c, json_t *request)
{
	const char *const method = message_method(request);
	json_t *const params = message_params(request);

	if (strcmp(method, "elicitation/create") == 0)
		return message_result(
		    request, asker_elicit(c->asker, NULL, params));
	if (strcmp(method, "ping") == 0)
		return message_result(request, json_object());
	if (strcmp(method, "sampling/createMessage") != 0)
		return message_error(
		    request, ERA2025_UNKNOWN, "Method not found");
	json_t *const sample = asker_sample(c->asker, NULL, params);
	if (!sample)
		return message_error(
		    request, ERA2025_REFUSED, "User rejected sampling request");
	return message_result(request, sample);
}

/*
 * Send an answer. The server takes a second copy as well as the first, so a
 * connection that broke is tried again.
 */
static void
era2025_send(const struct era2025 *c, json_t *answer)
{
	struct err why;
	int64_t pause_ms = ERA2025_RETRY_MIN;

	for (unsigned n = 1;; n++) {
		const int rc = era2025_tell(c->post, answer, &why);
		if (rc == 0)
			return;
		if (rc == -ENOENT || rc == -EPROTO || n == ERA2025_TRIES)
			quit_with(QUIT_PEER,
			    "the answer could not be given: %s", why.text);
		flow_sleep(pause_ms);
		pause_ms *= 4;
	}
}

/* Whether the server has taken a request back. */
static bool
era2025_is_withdrawn(const struct era2025 *c, const json_t *id)
{
	for (size_t i = 0; i < json_array_size(c->withdrawn); i++)
		if (json_equal(json_array_get(c->withdrawn, i), id))
			return true;
	return false;
}

static void
era2025_asked(struct era2025 **c)
{
	(*c)->asking = NULL;
}

/* Child task: answer the questions one after the other. */
static void *
era2025_answer_all(void *arg)
{
	struct era2025 *const c = arg;

	for (;;) {
		void *item = NULL;
		if (queue_next(&c->asks, CLOCK_NEVER, &item) < 0)
			return NULL;
		json_auto_t *request = item;
		json_t *const id = json_object_get(request, "id");
		if (era2025_is_withdrawn(c, id))
			continue;
		__attribute__((cleanup(era2025_asked))) struct era2025 *now = c;
		now->asking = id;
		json_auto_t *answer = era2025_answer(c, request);
		era2025_send(c, answer);
	}
}

/* Start (again) the task that answers. */
static void
era2025_start(struct era2025 *c)
{
	const struct task_spec spec = { .name = "answers",
		.body = era2025_answer_all,
		.arg = c,
		.stack_bytes = FLOW_TOOL_STACK_BYTES };

	task_unref(&c->answerer);
	if (task_spawn(&spec, &c->answerer) < 0)
		quit_with(QUIT_PEER, "out of memory");
}

/* The server takes a question back: stop asking it. */
static void
era2025_withdraw(struct era2025 *c, json_t *id)
{
	if (!id || json_array_size(c->withdrawn) >= ERA2025_ASKS)
		return;
	json_array_append(c->withdrawn, id);
	if (!c->asking || !json_equal(c->asking, id))
		return;
	task_halt(c->answerer, NULL);
	screen_answered(false);
	screen_say("The tool no longer waits for this answer.");
	era2025_start(c);
}

/* One message of the stream. Returns whether the call is over. */
static bool
era2025_message(struct era2025 *c, json_t *message)
{
	if (message_is_answer(message, c->id)) {
		post_take(&c->reply, message);
		return true;
	}
	if (message_kind(message) == MESSAGE_REQUEST) {
		if (queue_add(&c->asks, json_incref(message)) == 0)
			return false;
		json_decref(message);
		quit_with(QUIT_PEER,
		    "the tool asks more than %d questions at once",
		    ERA2025_ASKS);
	}
	if (strcmp(message_method(message), "notifications/cancelled") == 0)
		era2025_withdraw(
		    c, json_object_get(message_params(message), "requestId"));
	message_show(message);
	return false;
}

/* Remember where the stream is, and drop its connection. */
static void
era2025_leave(struct era2025 *c)
{
	if (fetch_last_id(c->stream)[0])
		snprintf(c->last_id, sizeof(c->last_id), "%s",
		    fetch_last_id(c->stream));
	if (fetch_retry_ms(c->stream) >= 0)
		c->retry_ms = fetch_retry_ms(c->stream);
	if (c->retry_ms < ERA2025_RETRY_MIN)
		c->retry_ms = ERA2025_RETRY_MIN;
	if (c->retry_ms > ERA2025_RETRY_MAX)
		c->retry_ms = ERA2025_RETRY_MAX;
	fetch_free(&c->stream);
}

/* The stream cannot be taken up again. */
static void __attribute__((noreturn)) era2025_lost(const char *why)
{
	quit_with(QUIT_PEER,
	    "the stream broke and cannot be taken up again (%s); what the "
	    "tool did so far may stay done",
	    why);
}

/* Try once to take the stream up. Returns 0 or -errno with why. */
static int
era2025_resume(struct era2025 *c, struct err *why)
{
	fetch_auto struct fetch *f = post_fetch(c->post, "GET");

	if (!f)
		return err_set(why, -ENOMEM, NULL, "out of memory");
	fetch_field(f, "Last-Event-ID", c->last_id);
	const int rc = fetch_send(
	    f, (struct slice){ NULL, 0 }, clock_deadline_ms(POST_MS), why);
	if (rc < 0)
		return rc;
	const int status = fetch_status(f);
	if (status == 404)
		era2025_lost("the server has forgotten the session");
	if (status >= 500 || status == 429)
		return err_set(
		    why, -EPROTO, NULL, "the server says %d", status);
	if (status != 200 || !fetch_has_messages(f)) {
		char text[48];
		snprintf(text, sizeof(text), "the server says %d", status);
		era2025_lost(text);
	}
	c->stream = f;
	f = NULL;
	return 0;
}

/* Wait as the server said, then take the stream up where it ended. */
static void
era2025_again(struct era2025 *c, const char *how_lost)
{
	struct err why;

	era2025_leave(c);
	if (!c->last_id[0] || !c->post->session[0])
		era2025_lost(how_lost);
	while (!c->stream) {
		const int64_t pause_ms = c->retry_ms << c->n_failed;
		flow_sleep(pause_ms < ERA2025_RETRY_MAX ? pause_ms
							: ERA2025_RETRY_MAX);
		if (era2025_resume(c, &why) == 0)
			c->n_failed = 0;
		else if (++c->n_failed == ERA2025_TRIES)
			era2025_lost(why.text);
	}
}

/* Send the call. Returns whether its stream is there to be read. */
static bool
era2025_begin(struct era2025 *c)
{
	json_auto_t *message = message_request(c->id, "tools/call",
	    json_pack("{s:O, s:O, s:{s:I}}", "name",
		json_object_get(c->tool, "name"), "arguments", c->args, "_meta",
		"progressToken", c->id));

	c->post->calling = c->id;
	const int rc = post_send(
	    c->post, message, NULL, CLOCK_NEVER, &c->stream, &c->reply.why);
	if (rc < 0)
		post_must(c->post, rc, "calling the tool", &c->reply);
	c->reply.status = fetch_status(c->stream);
	if (c->reply.status == 200 && fetch_has_messages(c->stream))
		return true;
	post_await(c->stream, c->id, CLOCK_NEVER, &c->reply);
	return false;
}

/* The call, in a scope of its own that ends the answering task. */
static void *
era2025_run(void *arg)
{
	struct era2025 *const c = arg;

	era2025_start(c);
	if (!era2025_begin(c))
		return NULL;
	for (;;) {
		json_auto_t *message = NULL;
		struct err why = { 0 };
		const int rc =
		    fetch_next(c->stream, CLOCK_NEVER, &message, &why);
		if (rc == 0 && era2025_message(c, message))
			return NULL;
		if (rc == -ENODATA)
			era2025_again(c, "it has no event id");
		else if (rc == -EPIPE)
			era2025_again(c, why.text);
		else if (rc < 0)
			quit_with(QUIT_PEER, "%s", why.text);
	}
}

json_t *
era2025_call(struct post *p, struct asker *a, json_t *tool, json_t *args)
{
	__attribute__((cleanup(era2025_fini))) struct era2025 c = { .post = p,
		.asker = a,
		.tool = tool,
		.args = args,
		.id = post_next_id(p),
		.retry_ms = ERA2025_RETRY_MS };
	struct err why;

	c.withdrawn = json_array();
	if (!c.withdrawn || queue_init(&c.asks, ERA2025_ASKS) < 0)
		quit_with(QUIT_PEER, "out of memory");
	const int rc = scope_call(era2025_run, &c, NULL, &why);
	if (rc < 0)
		quit_with(QUIT_PEER, "%s", why.text);
	p->calling = 0;
	screen_answered(false);
	return json_incref(post_must(p, 0, "calling the tool", &c.reply));
}
