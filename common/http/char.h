/* SPDX-License-Identifier: MIT */
/*
 * char: the character classes of RFC 9110, one table, one bit a class.
 */
#ifndef HTTP_CHAR_H
#define HTTP_CHAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

enum http_char {
	HTTP_CHAR_TOKEN = 1,    /* tchar, RFC 9110 5.6.2 */
	HTTP_CHAR_VALUE = 2,    /* VCHAR, obs-text, SP, HTAB: field-value */
	HTTP_CHAR_TARGET = 4,   /* VCHAR without '#' and '\': request-target */
	HTTP_CHAR_DIGIT = 8,    /* 0-9 */
	HTTP_CHAR_HEX = 16,     /* 0-9 a-f A-F */
	HTTP_CHAR_REGNAME = 32, /* unreserved and sub-delims, RFC 3986 3.2.2 */
	HTTP_CHAR_ID = 64,      /* letters, digits, '.', '_', '-' */
};

/* The classes of each byte, as a set of enum http_char. */
extern const uint8_t http_char_table[256];

/* Whether byte c is in a class (one or several of enum http_char). */
static inline bool
http_char_is(char c, unsigned classes)
{
	return (http_char_table[(unsigned char)c] & classes) != 0;
}

/*
 * Count the bytes at the start of s that are in a class. Returns s.n when all
 * are.
 */
size_t http_char_span(struct slice s, unsigned classes);

/* Whether s is not empty and all its bytes are in a class. */
bool http_char_all(struct slice s, unsigned classes);

/* The value of a hex digit; c must be one. */
unsigned http_char_hex(char c);

/* ASCII lower case of c; other bytes as they are. */
char http_char_lower(char c);

#endif
