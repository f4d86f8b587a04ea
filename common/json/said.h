/* SPDX-License-Identifier: MIT */
/*
 * said: what a peer wrote, made fit for an error message: short, no control
 * bytes, never half a character. The texts go to people and logs.
 */
#ifndef JSON_SAID_H
#define JSON_SAID_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define SAID_BYTES      64 /* a buffer for said_text and said_value */
#define SAID_LIST_BYTES 220

/*
 * Make text, in place, safe to show: control bytes become '?', a character
 * that was cut off at the end is dropped.
 */
void said_clean(char *text);

/*
 * Write the n bytes of s into buf as "s" in double quotes, shortened by "..."
 * if they do not fit. Returns buf.
 */
char *said_text(const char *s, size_t n, char buf[SAID_BYTES]);

/*
 * Write a value into buf: strings quoted, numbers and literals as JSON,
 * containers as "an array" or "an object". Returns buf.
 */
char *said_value(const json_t *value, char buf[SAID_BYTES]);

/* A list "a, b or c" that grows in a fixed buffer; "..." where it is full. */
struct said_list {
	char text[SAID_LIST_BYTES];
	size_t n;    /* bytes of text */
	size_t left; /* entries still to come: set it before the first */
	bool is_full;
};

/* Add an entry to a list. */
void said_list_add(struct said_list *l, const char *entry);

/* The type of a value with its article: "a string", "an integer", "null". */
const char *said_type(const json_t *value);

#endif
