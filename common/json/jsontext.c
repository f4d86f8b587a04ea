/* SPDX-License-Identifier: MIT */
/* jsontext: a scan that bounds, then jansson that parses. */
#include "common/json/jsontext.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/mem.h"

#include "common/json/said.h"

/* RFC 8259 2: a text is tokens; these are the ones that can cost something:
 *   [ ] { }   "string"   -0123456789.eE+   letters of true, false, null     */
struct scan {
	struct slice text;
	struct jsontext_limits max;
	size_t at; /* the next byte */
	size_t depth;
	size_t values;
};

static struct jsontext_limits
jsontext_max(const struct jsontext_limits *limits)
{
	struct jsontext_limits max = { 0 };

	if (limits)
		max = *limits;
	if (!max.depth)
		max.depth = JSONTEXT_DEPTH;
	if (!max.values)
		max.values = JSONTEXT_VALUES;
	if (!max.string_bytes)
		max.string_bytes = JSONTEXT_STRING_BYTES;
	return max;
}

/* Report a limit at byte `at` as line and column; columns are characters. */
static int
scan_refuse(const struct scan *s, size_t at, struct err *err_r,
    const char *what, size_t max)
{
	char place[64];
	size_t line = 1;
	size_t column = 1;

	for (size_t i = 0; i < at; i++) {
		const unsigned char c = (unsigned char)s->text.p[i];

		if (c == '\n') {
			line++;
			column = 1;
		} else if (c >> 6 != 2) {
			column++;
		}
	}
	snprintf(place, sizeof(place), "line %zu column %zu", line, column);
	return err_set(
	    err_r, -EMSGSIZE, place, "%s: at most %zu are allowed", what, max);
}

/* Step over a string whose opening quote is at s->at - 1. */
static int
scan_string(struct scan *s, struct err *err_r)
{
	const size_t from = s->at;

	while (s->at < s->text.n && s->text.p[s->at] != '"') {
		s->at += s->text.p[s->at] == '\\' ? 2 : 1;
		if (s->at - from > s->max.string_bytes)
			return scan_refuse(s, from - 1, err_r,
			    "too many bytes in a string", s->max.string_bytes);
	}
	s->at++;
	return 0;
}

static bool
scan_is_number(unsigned char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
	       c == 'e' || c == 'E';
}

static bool
scan_is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Step over the rest of a number. */
static int
scan_number(struct scan *s, struct err *err_r)
{
	const size_t from = s->at - 1;

	while (s->at < s->text.n &&
	       scan_is_number((unsigned char)s->text.p[s->at]))
		s->at++;
	if (s->at - from <= JSONTEXT_NUMBER_BYTES)
		return 0;
	return scan_refuse(s, from, err_r, "too many digits in a number",
	    JSONTEXT_NUMBER_BYTES);
}

/* Step over the token that begins with c at s->at - 1. */
static int
scan_token(struct scan *s, unsigned char c, struct err *err_r)
{
	if (++s->values > s->max.values)
		return scan_refuse(
		    s, s->at - 1, err_r, "too many values", s->max.values);
	if (c == '"')
		return scan_string(s, err_r);
	if (c == '[' || c == '{') {
		if (++s->depth > s->max.depth)
			return scan_refuse(s, s->at - 1, err_r,
			    "too many arrays and objects inside one another",
			    s->max.depth);
		return 0;
	}
	if (scan_is_number(c))
		return scan_number(s, err_r);
	while (s->at < s->text.n &&
	       scan_is_letter((unsigned char)s->text.p[s->at]))
		s->at++;
	return 0;
}

int
jsontext_check(
    struct slice text, const struct jsontext_limits *limits, struct err *err_r)
{
	struct scan s = { .text = text, .max = jsontext_max(limits) };

	while (s.at < text.n) {
		const unsigned char c = (unsigned char)text.p[s.at++];

		if (c == ']' || c == '}') {
			if (s.depth)
				s.depth--;
		} else if (c == '"' || c == '[' || c == '{' ||
			   scan_is_number(c) || scan_is_letter(c)) {
			const int e = scan_token(&s, c, err_r);

			if (e < 0)
				return e;
		}
	}
	return 0;
}

/*
 * jansson's lexer does not look whether its buffer could grow: a string comes
 * shorter, a number is another one, and where the quote that ends a string is
 * lost it writes what lies behind its buffer. So from the first allocation that
 * is refused while a text is read all are, the one for the string included,
 * and what came of it is dropped. What remains is its assertion where the byte
 * that is lost ends a number: an abort, never another value (2.14, load.c).
 */
static _Thread_local enum {
	JSONTEXT_IDLE,
	JSONTEXT_READS,
	JSONTEXT_SHORT,
} jsontext_memory;
static json_malloc_t jsontext_malloc;

static void *
jsontext_alloc(size_t n)
{
	void *const p =
	    jsontext_memory == JSONTEXT_SHORT ? NULL : jsontext_malloc(n);

	if (!p && jsontext_memory == JSONTEXT_READS)
		jsontext_memory = JSONTEXT_SHORT;
	return p;
}

void
jsontext_init(void)
{
	json_free_t free_fn;
	json_malloc_t malloc_fn;

	json_get_alloc_funcs(&malloc_fn, &free_fn);
	if (malloc_fn == jsontext_alloc)
		return;
	jsontext_malloc = malloc_fn;
	json_set_alloc_funcs(jsontext_alloc, free_fn);
}

/* json_loadb, or NULL when memory was short. */
static json_t *
jsontext_read(struct slice text, size_t flags, json_error_t *why)
{
	jsontext_memory = JSONTEXT_READS;
	json_t *value = json_loadb(text.n ? text.p : "", text.n, flags, why);
	if (jsontext_memory == JSONTEXT_SHORT) {
		json_decref(value);
		value = NULL;
		why->text[0] = '\0';
	}
	jsontext_memory = JSONTEXT_IDLE;
	return value;
}

int
jsontext_load(struct slice text, const struct jsontext_limits *limits,
    json_t **value_r, struct err *err_r)
{
	size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_error_t why;
	char place[64];

	*value_r = NULL;
	const int e = jsontext_check(text, limits, err_r);
	if (e < 0)
		return e;
	if (limits && limits->allow_nul)
		flags |= JSON_ALLOW_NUL;
	*value_r = jsontext_read(text, flags, &why);
	if (*value_r)
		return 0;
	/* jansson leaves the text empty in most cases of no memory. */
	if (!why.text[0] || json_error_code(&why) == json_error_out_of_memory)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	said_clean(why.text);
	snprintf(
	    place, sizeof(place), "line %d column %d", why.line, why.column);
	return err_set(err_r, -EBADMSG, place, "%s", why.text);
}

#define JSONTEXT_DUMP (JSON_COMPACT | JSON_ENCODE_ANY)

char *
jsontext_dump(const json_t *value, size_t bytes_max)
{
	const size_t n = json_dumpb(value, NULL, 0, JSONTEXT_DUMP);
	char *const text = n && n <= bytes_max ? mem_zalloc(1, n + 1) : NULL;

	if (text && json_dumpb(value, text, n, JSONTEXT_DUMP) == n)
		return text;
	mem_free(text);
	return NULL;
}

json_t *
jsontext_string(const char *text)
{
	struct slice rest = slice_of(text);

	for (size_t n; rest.n; rest = (struct slice){ rest.p + n, rest.n - n })
		if (!(n = slice_char(rest)))
			return json_string("(not UTF-8)");
	return json_stringn_nocheck(text, (size_t)(rest.p - text));
}
