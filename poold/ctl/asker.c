/* SPDX-License-Identifier: MIT */
/* asker: one question, answered by a file, a command or a person. */
#include "poold/ctl/asker.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "poold/ctl/argline.h"
#include "poold/ctl/form.h"
#include "poold/ctl/keyboard.h"
#include "poold/ctl/page.h"
#include "poold/ctl/quit.h"
#include "poold/ctl/sampler.h"
#include "poold/ctl/screen.h"

/* How a dialogue with the person ended. */
enum asker_end {
	ASKER_DONE,
	ASKER_DECLINED,
	ASKER_CANCELLED,
};

/* A text member of an object, "" when there is none. */
static const char *
asker_text(const json_t *object, const char *key)
{
	const char *const text =
	    json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* End the program when memory is short: json is what was to be made. */
static json_t *
asker_made(json_t *json)
{
	if (!json)
		quit_with(QUIT_PEER, "out of memory");
	return json;
}

/* Name a question for a message of ours. */
static const char *
asker_name(const char *name)
{
	return name ? name : "the question";
}

/* Nobody can answer: say what was asked and what would help. */
static void __attribute__((noreturn))
asker_give_up(const struct asker *a, const char *name, const char *message)
{
	if (a->answers)
		quit_with(QUIT_USAGE,
		    "%.200s has no answer for %.60s (\"%.200s\")",
		    a->answers_path, asker_name(name), message);
	quit_with(QUIT_USAGE,
	    "the input ended before %.60s (\"%.200s\") was answered; use a "
	    "terminal or --answers FILE",
	    asker_name(name), message);
}

/* Show a prompt and read a line. Returns as keyboard_line. Waits. */
static int
asker_line(const struct page *prompt, const char **line_r)
{
	char text[512];

	/* Not NUL-ended, and screen keeps a copy. */
	const struct slice s = page_text(prompt);
	if (slice_copy(s, text, sizeof(text)) < 0)
		slice_copy((struct slice){ s.p, 400 }, text, sizeof(text));
	screen_prompt(text);
	const int rc = keyboard_line(line_r);
	screen_answered(rc == 0);
	if (rc == -EMSGSIZE)
		quit_with(QUIT_USAGE, "the line is over %d bytes long",
		    KEYBOARD_LINE_MAX);
	if (rc < 0 && rc != -EPIPE)
		quit_with(QUIT_USAGE, "cannot read the answer: %s",
		    strerrordesc_np(-rc));
	return rc;
}

/* Ask for one property until it fits; the value goes into content. */
static enum asker_end
asker_field(const struct form_field *f, json_t *content)
{
	const bool has_colour = screen_has_colour(STDERR_FILENO);
	page_auto struct page above, prompt;
	const char *line;
	json_t *value;
	struct err why;

	page_init(&above, has_colour);
	page_init(&prompt, false);
	form_show(&above, f);
	form_prompt(&prompt, f);
	if (page_text(&above).n)
		screen_note(&above);
	for (;;) {
		if (asker_line(&prompt, &line) < 0)
			return ASKER_CANCELLED;
		switch (form_read(f, line, &value, &why)) {
		case FORM_VALUE:
			json_object_set_new(content, f->name, value);
			return ASKER_DONE;
		case FORM_OMIT:
			return ASKER_DONE;
		case FORM_DECLINE:
			return ASKER_DECLINED;
		case FORM_AGAIN:
			screen_say("  %s", why.text);
		}
	}
}

/* Whether a form's schema requires a name. */
static bool
asker_is_required(const json_t *schema, const char *name)
{
	const json_t *const list = json_object_get(schema, "required");
	const json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item)
		if (json_is_string(item) &&
		    strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

/* Ask for each property of a form in order. */
static enum asker_end
asker_fields(json_t *schema, json_t *content)
{
	json_t *const properties = json_object_get(schema, "properties");
	const char *key;
	json_t *property;

	json_object_foreach (properties, key, property) {
		const struct form_field f = { .name = key,
			.property = property,
			.is_required = asker_is_required(schema, key),
			.may_decline = true,
			.is_alone = json_object_size(properties) == 1 };
		const enum asker_end end = asker_field(&f, content);
		if (end != ASKER_DONE)
			return end;
	}
	return ASKER_DONE;
}

/* A form without properties: only yes or no. */
static enum asker_end
asker_confirm(void)
{
	page_auto struct page prompt;
	const char *line;

	page_init(&prompt, false);
	page_put(&prompt, "Press Enter to accept: ");
	if (asker_line(&prompt, &line) < 0)
		return ASKER_CANCELLED;
	return slice_eq(slice_trim(slice_of(line)), SLICE("d")) ? ASKER_DECLINED
	                                                        : ASKER_DONE;
}

/* What stands above a question. */
static void
asker_title(const char *message, const char *help)
{
	page_auto struct page p;

	page_init(&p, screen_has_colour(STDERR_FILENO));
	page_put(&p, "\n");
	page_look(&p, PAGE_BOLD);
	page_clean(&p, slice_of(message), PAGE_MANY_LINES);
	page_look(&p, PAGE_PLAIN);
	page_fresh_line(&p);
	page_look(&p, PAGE_DIM);
	page_putf(&p, "(%s)", help);
	page_look(&p, PAGE_PLAIN);
	page_put(&p, "\n");
	screen_note(&p);
}

/* Let the person fill in a form; content is emptied and filled. */
static enum asker_end
asker_person(const char *message, json_t *schema, json_t *content)
{
	struct err why;

	asker_title(message, "d declines, Ctrl-D cancels");
	if (!json_object_size(json_object_get(schema, "properties")))
		return asker_confirm();
	for (;;) {
		json_object_clear(content);
		const enum asker_end end = asker_fields(schema, content);
		if (end != ASKER_DONE || form_check(schema, content, &why) == 0)
			return end;
		screen_say("  %s; once more, please", why.text);
	}
}

/* Whether a person (or a pipe in their place) is to be asked. */
static bool
asker_has_person(const struct asker *a)
{
	return !a->answers || keyboard_is_terminal();
}

/* An answer of the file as an ElicitResult; checks that it fits. */
static json_t *
asker_from_file(
    const struct asker *a, const char *name, json_t *answer, json_t *schema)
{
	struct err why;

	if (json_is_string(answer))
		return json_pack("{s:O}", "action", answer);
	if (form_check(schema, answer, &why) < 0)
		quit_with(QUIT_USAGE,
		    "%.200s: the answer for %.60s does not fit: %s",
		    a->answers_path, asker_name(name), why.text);
	return json_pack("{s:s, s:O}", "action", "accept", "content", answer);
}

/* A page to open is for browsers: it is shown, never followed. */
static json_t *
asker_url(const char *message, const json_t *params)
{
	screen_say("%s", message);
	screen_say("The tool wants this page to be opened, which holdline "
		   "does not offer: %s",
	    asker_text(params, "url"));
	return json_pack("{s:s}", "action", "cancel");
}

json_t *
asker_elicit(struct asker *a, const char *name, json_t *params)
{
	const char *const message = asker_text(params, "message");
	json_t *const schema = json_object_get(params, "requestedSchema");

	if (strcmp(asker_text(params, "mode"), "url") == 0)
		return asker_made(asker_url(message, params));
	if (a->answers) {
		json_t *const answer =
		    answers_take(a->answers, name, message, schema);
		if (answer)
			return asker_made(
			    asker_from_file(a, name, answer, schema));
	}
	if (!asker_has_person(a))
		asker_give_up(a, name, message);
	json_auto_t *content = asker_made(json_object());
	switch (asker_person(message, schema, content)) {
	case ASKER_DONE:
		return asker_made(json_pack(
		    "{s:s, s:O}", "action", "accept", "content", content));
	case ASKER_DECLINED:
		return asker_made(json_pack("{s:s}", "action", "decline"));
	case ASKER_CANCELLED:
		break;
	}
	if (!keyboard_is_terminal())
		asker_give_up(a, name, message);
	return asker_made(json_pack("{s:s}", "action", "cancel"));
}

/* The texts of one message's content: a block or a list of blocks. */
static void
asker_blocks(struct buf *out, const json_t *content)
{
	const json_t *item;
	size_t i;

	json_array_foreach ((json_t *)content, i, item)
		asker_blocks(out, item);
	if (!json_is_object(content))
		return;
	const json_t *const text = json_object_get(content, "text");
	if (json_is_string(text))
		buf_add(out, json_string_value(text), json_string_length(text));
	else
		buf_addf(out, "[%.40s]", asker_text(content, "type"));
	buf_add_slice(out, SLICE("\n"));
}

/* The prompt of a sample as text; roles are named when there are several. */
static void
asker_prompt(struct buf *out, const json_t *params)
{
	const json_t *const messages = json_object_get(params, "messages");
	const char *const system = asker_text(params, "systemPrompt");
	const bool has_roles = system[0] || json_array_size(messages) > 1;
	const json_t *message;
	size_t i;

	if (system[0]) {
		buf_add_slice(out, SLICE("system: "));
		buf_add_slice(out, slice_of(system));
		buf_add_slice(out, SLICE("\n"));
	}
	json_array_foreach ((json_t *)messages, i, message) {
		if (has_roles)
			buf_addf(out, "%.40s: ", asker_text(message, "role"));
		asker_blocks(out, json_object_get(message, "content"));
	}
}

/* A text as a CreateMessageResult. */
static json_t *
asker_said(struct slice text, const char *model)
{
	json_t *const said = json_stringn(text.p ? text.p : "", text.n);

	if (!said)
		quit_with(QUIT_USAGE, "the answer to the sample is not UTF-8");
	return asker_made(json_pack("{s:s, s:{s:s, s:o}, s:s, s:s}", "role",
	    "assistant", "content", "type", "text", "text", said, "model",
	    model, "stopReason", "endTurn"));
}

/* The sample command's answer. */
static json_t *
asker_by_command(const struct asker *a, struct slice prompt)
{
	__attribute__((cleanup(buf_fini))) struct buf out;
	struct err why;

	buf_init(&out, SAMPLER_BYTES);
	if (sampler_run(a->sample_command, prompt, &out, &why) < 0)
		quit_with(QUIT_USAGE, "the sample command failed (%.200s): %s",
		    a->sample_command, why.text);
	return asker_said(buf_content(&out), "command");
}

/* The person's answer, or NULL. */
static json_t *
asker_by_person(const struct asker *a, const char *name, struct slice prompt)
{
	page_auto struct page text, ask;
	const char *line;

	page_init(&text, screen_has_colour(STDERR_FILENO));
	page_init(&ask, false);
	asker_title("The tool asks for a text, as a model would write it",
	    "one line; d declines, Ctrl-D cancels");
	page_clean(&text, prompt, PAGE_MANY_LINES);
	page_fresh_line(&text);
	screen_note(&text);
	page_put(&ask, "Your text: ");
	if (asker_line(&ask, &line) < 0) {
		if (!keyboard_is_terminal())
			asker_give_up(a, name, "a sample");
		return NULL;
	}
	if (slice_eq(slice_trim(slice_of(line)), SLICE("d")))
		return NULL;
	return asker_said(slice_of(line), "person");
}

json_t *
asker_sample(struct asker *a, const char *name, json_t *params)
{
	__attribute__((cleanup(buf_fini))) struct buf prompt;

	buf_init(&prompt, PAGE_BYTES);
	if (a->answers) {
		const char *const text = answers_sample(a->answers, name);
		if (text)
			return asker_said(slice_of(text), "answers");
	}
	asker_prompt(&prompt, params);
	if (a->sample_command)
		return asker_by_command(a, buf_content(&prompt));
	if (!asker_has_person(a))
		asker_give_up(a, name, "a sample");
	return asker_by_person(a, name, buf_content(&prompt));
}

/* An argument is missing and nobody sits there: say what the tool takes. */
static void __attribute__((noreturn))
asker_missing(const char *key, json_t *tool)
{
	page_auto struct page p;

	page_init(&p, screen_has_colour(STDERR_FILENO));
	page_put(&p, "holdline: the argument \"");
	page_clean_line(&p, key);
	page_put(&p, "\" is missing\n");
	argline_describe(&p, tool);
	quit_with_page(QUIT_USAGE, &p);
}

void
asker_arguments(struct asker *a, json_t *tool, json_t *args)
{
	json_t *const list =
	    json_object_get(json_object_get(tool, "inputSchema"), "required");
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *const key = json_string_value(item);
		if (!key || json_object_get(args, key))
			continue;
		if (!keyboard_is_terminal())
			asker_missing(key, tool);
		const struct form_field f = { .name = key,
			.property = argline_property(tool, key),
			.is_required = true };
		if (asker_field(&f, args) != ASKER_DONE)
			quit_with(QUIT_USAGE, "nothing was called");
	}
}
