/* SPDX-License-Identifier: MIT */
/* form: questions as text, typed lines as values. */
#include "poold/ctl/form.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json/elicit.h"
#include "common/json/jsontext.h"
#include "common/json/schema.h"

#include "poold/ctl/layout.h"

#define FORM_LABEL_BYTES 64 /* of a name or default within a prompt */
#define FORM_HINT_BYTES  160

/* The text of a keyword of the property, or NULL. */
static const char *
form_word_of(const struct form_field *f, const char *keyword)
{
	const char *const text =
	    json_string_value(json_object_get(f->property, keyword));

	return text && text[0] ? text : NULL;
}

/* What to call the property: its title, else its name. */
static const char *
form_label(const struct form_field *f)
{
	const char *const title = form_word_of(f, "title");

	return title ? title : f->name;
}

/* Add at most FORM_LABEL_BYTES of a peer's text, in one line. */
static void
form_short(struct page *p, const char *text)
{
	size_t n = strnlen(text, FORM_LABEL_BYTES);
	const bool is_cut = text[n] != '\0';

	while (is_cut && n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	page_clean(p, (struct slice){ text, n }, PAGE_ONE_LINE);
	if (is_cut)
		page_put(p, "...");
}

/* Digits of n. */
static size_t
form_digits(size_t n)
{
	size_t digits = 1;

	for (; n >= 10; n /= 10)
		digits++;
	return digits;
}

/* The choices, numbered from 1; titles that differ show the value too. */
static void
form_choices(struct page *p, const struct form_field *f)
{
	const size_t n = elicit_n_choices(f->property);

	for (size_t i = 0; i < n; i++) {
		const struct elicit_choice c = elicit_choice(f->property, i);
		page_pad(p, 2 + form_digits(n) - form_digits(i + 1));
		page_look(p, PAGE_BOLD);
		page_putf(p, "%zu", i + 1);
		page_look(p, PAGE_PLAIN);
		page_put(p, "  ");
		page_clean_line(p, c.title);
		page_put(p, "\n");
	}
}

void
form_show(struct page *p, const struct form_field *f)
{
	const char *const about = form_word_of(f, "description");
	const bool has_choices = elicit_n_choices(f->property) > 0;
	const bool is_named = !f->is_alone || form_word_of(f, "title");

	if (about || (has_choices && is_named)) {
		page_look(p, PAGE_BOLD);
		page_clean_line(p, form_label(f));
		page_look(p, PAGE_PLAIN);
		if (about) {
			page_put(p, ": ");
			page_clean_line(p, about);
		}
		page_put(p, "\n");
	}
	form_choices(p, f);
}

/* The number of the choice with that value, from 1; 0 if there is none. */
static size_t
form_number(const json_t *property, const json_t *value)
{
	const char *const text = json_string_value(value);

	for (size_t i = 0; text && i < elicit_n_choices(property); i++)
		if (strcmp(elicit_choice(property, i).value, text) == 0)
			return i + 1;
	return 0;
}

/* The default as the person would type it. */
static void
form_default(struct page *p, const struct form_field *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	page_put(p, " [");
	if (json_is_string(value) && form_number(f->property, value)) {
		page_putf(p, "%zu", form_number(f->property, value));
	} else if (json_is_array(value)) {
		json_array_foreach ((json_t *)value, i, item)
			page_putf(p, "%s%zu", i ? "," : "",
			    form_number(f->property, item));
	} else if (json_is_string(value)) {
		form_short(p, json_string_value(value));
	} else {
		layout_value(p, value, 0);
		p->buf.tail--; /* the newline that layout ended with */
	}
	page_put(p, "]");
}

/* What is asked for, by kind. */
static void
form_ask(struct page *p, const struct form_field *f)
{
	const enum elicit_kind kind = elicit_kind(f->property);
	char hint[FORM_HINT_BYTES];

	if (kind == ELICIT_KIND_ONE) {
		page_putf(p, "Choose 1-%zu", elicit_n_choices(f->property));
	} else if (kind == ELICIT_KIND_MANY) {
		page_putf(p, "Choose any of 1-%zu, as in 1,2",
		    elicit_n_choices(f->property));
	} else if (kind == ELICIT_KIND_BAD) {
		form_short(p, form_label(f));
		page_put(p, " (JSON)");
	} else {
		form_short(p, form_label(f));
		page_put(p, " (");
		form_short(p, elicit_hint(f->property, hint, sizeof(hint)));
		page_put(p, ")");
	}
}

void
form_prompt(struct page *p, const struct form_field *f)
{
	const json_t *const value = json_object_get(f->property, "default");

	form_ask(p, f);
	if (value)
		form_default(p, f, value);
	else if (!f->is_required)
		page_put(p, " (Enter leaves it out)");
	page_put(p, ": ");
}

/* What an empty line means. */
static enum form_word
form_empty(const struct form_field *f, json_t **value_r, struct err *why_r)
{
	json_t *const value = json_object_get(f->property, "default");

	if (value) {
		*value_r = json_incref(value);
		return FORM_VALUE;
	}
	if (!f->is_required)
		return FORM_OMIT;
	if (elicit_kind(f->property) == ELICIT_KIND_MANY &&
	    elicit_coerce(f->property, "", value_r, why_r) == 0)
		return FORM_VALUE;
	if (elicit_kind(f->property) == ELICIT_KIND_STRING)
		err_set(why_r, -EINVAL, NULL,
		    "an answer is needed (\"\" is an empty text)");
	else if (elicit_kind(f->property) != ELICIT_KIND_MANY)
		err_set(why_r, -EINVAL, NULL, "an answer is needed");
	return FORM_AGAIN;
}

/* Turn a line that is not empty into a value. Returns 0 or -errno. */
static int
form_value(const struct form_field *f, const char *line, json_t **value_r,
    struct err *why_r)
{
	const enum elicit_kind kind = elicit_kind(f->property);

	if (kind == ELICIT_KIND_BAD)
		return jsontext_load(slice_of(line), NULL, value_r, why_r);
	if (kind == ELICIT_KIND_STRING && strcmp(line, "\"\"") == 0)
		line = "";
	else if (kind == ELICIT_KIND_STRING && strcmp(line, "\"d\"") == 0)
		line = "d";
	return elicit_coerce(f->property, line, value_r, why_r);
}

enum form_word
form_read(const struct form_field *f, const char *line, json_t **value_r,
    struct err *why_r)
{
	const struct slice word = slice_trim(slice_of(line));

	*value_r = NULL;
	if (f->may_decline && slice_eq(word, SLICE("d")))
		return FORM_DECLINE;
	int rc = 0;
	if (word.n == 0) {
		const enum form_word said = form_empty(f, value_r, why_r);
		if (said != FORM_VALUE)
			return said;
	} else {
		rc = form_value(f, line, value_r, why_r);
	}
	if (rc == 0 && elicit_kind(f->property) != ELICIT_KIND_BAD)
		rc = elicit_check_value(f->property, *value_r, why_r);
	if (rc == 0)
		rc = form_check((json_t *)f->property, *value_r, why_r);
	if (rc == 0)
		return FORM_VALUE;
	json_decref(*value_r);
	*value_r = NULL;
	return FORM_AGAIN;
}

int
form_check(json_t *schema, json_t *content, struct err *why_r)
{
	struct schema *compiled = NULL;
	struct err why;

	if (!schema || schema_new(schema, NULL, &compiled, NULL) < 0)
		return 0;
	const int rc = schema_check(compiled, content, &why);
	schema_free(&compiled);
	if (rc != -EINVAL)
		return 0;
	if (why.place[0] == '/')
		return err_set(
		    why_r, rc, NULL, "%s: %s", why.place + 1, why.text);
	return err_set(why_r, rc, NULL, "the answer %s", why.text);
}
