/* SPDX-License-Identifier: MIT */
/* char: the character classes, worked out by the compiler. */
#include "common/http/char.h"

/* The grammar of each class, as an expression over a byte value. */
#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_ALPHA(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define IS_HEX(c)                                     \
	(IS_DIGIT(c) || ((c) >= 'a' && (c) <= 'f') || \
	    ((c) >= 'A' && (c) <= 'F'))
#define IS_VCHAR(c) ((c) > 0x20 && (c) < 0x7f)
/* Sub-delims of RFC 3986, and tchar beyond letters and digits. */
#define IS_SUB(c)                                                  \
	((c) == '!' || (c) == '$' || ((c) >= '&' && (c) <= ',') || \
	    (c) == ';' || (c) == '=')
#define IS_TSIGN(c)                                                 \
	((c) == '!' || ((c) >= '#' && (c) <= '\'') || (c) == '*' || \
	    (c) == '+' || (c) == '-' || (c) == '.' || (c) == '^' || \
	    (c) == '_' || (c) == '`' || (c) == '|' || (c) == '~')
#define IS_ID(c) \
	(IS_ALPHA(c) || IS_DIGIT(c) || (c) == '.' || (c) == '_' || (c) == '-')

#define CLASS(c)                                                             \
	((IS_ALPHA(c) || IS_DIGIT(c) || IS_TSIGN(c) ? HTTP_CHAR_TOKEN : 0) | \
	    ((c) == '\t' || ((c) >= 0x20 && (c) != 0x7f) ? HTTP_CHAR_VALUE   \
							 : 0) |              \
	    (IS_VCHAR(c) && (c) != '#' && (c) != '\\' ? HTTP_CHAR_TARGET     \
						      : 0) |                 \
	    (IS_DIGIT(c) ? HTTP_CHAR_DIGIT : 0) |                            \
	    (IS_HEX(c) ? HTTP_CHAR_HEX : 0) |                                \
	    (IS_ID(c) || (c) == '~' || IS_SUB(c) ? HTTP_CHAR_REGNAME : 0) |  \
	    (IS_ID(c) ? HTTP_CHAR_ID : 0))

#define ROW4(c)  CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define ROW16(c) ROW4(c), ROW4((c) + 4), ROW4((c) + 8), ROW4((c) + 12)
#define ROW64(c) ROW16(c), ROW16((c) + 16), ROW16((c) + 32), ROW16((c) + 48)

const uint8_t http_char_table[256] = {
	ROW64(0),
	ROW64(64),
	ROW64(128),
	ROW64(192),
};

size_t
http_char_span(struct slice s, unsigned classes)
{
	size_t i = 0;

	while (i < s.n && http_char_is(s.p[i], classes))
		i++;
	return i;
}

bool
http_char_all(struct slice s, unsigned classes)
{
	return s.n && http_char_span(s, classes) == s.n;
}

unsigned
http_char_hex(char c)
{
	return c <= '9' ? (unsigned)(c - '0')
	                : (unsigned)((c | 0x20) - 'a' + 10);
}

char
http_char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
