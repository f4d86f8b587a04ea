/* SPDX-License-Identifier: MIT */
/* ecma: from ECMA-262 to PCRE2, one token after the other. */
#include "common/json/ecma.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* ECMA-262 22.2.1:
 *   Atom = PatternCharacter | . | \ AtomEscape | [ ClassContents ] | ( … )
 *   Quantifier = ( * | + | ? | { n } | { n, } | { n, m } ) [ ? ]            */
struct walk {
	struct slice text;
	size_t at; /* the next byte */
	struct buf *out;
	struct err *err;
	size_t least;       /* greatest n of {n}, {n,} and {n,m} so far */
	bool is_class;      /* inside [ ] */
	bool is_quantified; /* a quantifier stands right before `at` */
};

/* Long names of general categories; PCRE2 knows the short ones only. */
static const struct {
	const char *name;
	const char *is;
} ecma_categories[] = {
	{ "Cased_Letter", "L&" },
	{ "Close_Punctuation", "Pe" },
	{ "Connector_Punctuation", "Pc" },
	{ "Control", "Cc" },
	{ "Currency_Symbol", "Sc" },
	{ "Dash_Punctuation", "Pd" },
	{ "Decimal_Number", "Nd" },
	{ "Enclosing_Mark", "Me" },
	{ "Final_Punctuation", "Pf" },
	{ "Format", "Cf" },
	{ "Initial_Punctuation", "Pi" },
	{ "LC", "L&" },
	{ "Letter", "L" },
	{ "Letter_Number", "Nl" },
	{ "Line_Separator", "Zl" },
	{ "Lowercase_Letter", "Ll" },
	{ "Mark", "M" },
	{ "Math_Symbol", "Sm" },
	{ "Modifier_Letter", "Lm" },
	{ "Modifier_Symbol", "Sk" },
	{ "Nonspacing_Mark", "Mn" },
	{ "Number", "N" },
	{ "Open_Punctuation", "Ps" },
	{ "Other", "C" },
	{ "Other_Letter", "Lo" },
	{ "Other_Number", "No" },
	{ "Other_Punctuation", "Po" },
	{ "Other_Symbol", "So" },
	{ "Paragraph_Separator", "Zp" },
	{ "Private_Use", "Co" },
	{ "Punctuation", "P" },
	{ "Separator", "Z" },
	{ "Space_Separator", "Zs" },
	{ "Spacing_Mark", "Mc" },
	{ "Surrogate", "Cs" },
	{ "Symbol", "S" },
	{ "Titlecase_Letter", "Lt" },
	{ "Unassigned", "Cn" },
	{ "Uppercase_Letter", "Lu" },
	{ "digit", "Nd" },
	{ "punct", "P" },
};

static int
walk_refuse(const struct walk *w, const char *what)
{
	return err_set(w->err, -EINVAL, NULL,
	    "the regular expression has %s at byte %zu", what, w->at);
}

static int
walk_emit(struct walk *w, const char *s)
{
	return buf_add(w->out, s, strlen(s));
}

static bool
walk_sees(const struct walk *w, const char *s)
{
	const size_t n = strlen(s);

	return w->text.n - w->at >= n && !memcmp(w->text.p + w->at, s, n);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* Read exactly n hexadecimal digits at `from`. Returns the number or -1. */
static long
walk_hex(const struct walk *w, size_t from, size_t n)
{
	long value = 0;

	if (w->text.n < from + n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const int d = hex_digit(w->text.p[from + i]);

		if (d < 0)
			return -1;
		value = value * 16 + d;
	}
	return value;
}

/* \u{1F432}: `at` is behind the brace. */
static int
walk_braced_hex(struct walk *w)
{
	const char *const end =
	    memchr(w->text.p + w->at, '}', w->text.n - w->at);
	const size_t n = end ? (size_t)(end - (w->text.p + w->at)) : 0;
	const long c = n && n <= 8 ? walk_hex(w, w->at, n) : -1;

	if (c < 0 || c > 0x10ffff)
		return walk_refuse(w, "a wrong \\u{}");
	w->at += n + 1;
	return buf_addf(w->out, "\\x{%lx}", (unsigned long)c);
}

/* \uHHHH, and two of them for a character outside the first plane. */
static int
walk_unicode(struct walk *w)
{
	if (walk_sees(w, "{")) {
		w->at++;
		return walk_braced_hex(w);
	}
	long c = walk_hex(w, w->at, 4);

	if (c < 0)
		return walk_refuse(w, "a wrong \\u");
	w->at += 4;
	if (c >= 0xd800 && c <= 0xdbff && walk_sees(w, "\\u")) {
		const long low = walk_hex(w, w->at + 2, 4);

		if (low >= 0xdc00 && low <= 0xdfff) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			w->at += 6;
		}
	}
	return buf_addf(w->out, "\\x{%lx}", (unsigned long)c);
}

/* \p{Letter}: `at` is behind the p. PCRE2 takes \p{L}. */
static int
walk_property(struct walk *w, char p)
{
	static const char *const prefixes[] = { "General_Category=", "gc=" };
	const char *const from = w->text.p + w->at;
	const char *const end =
	    walk_sees(w, "{") ? memchr(from, '}', w->text.n - w->at) : NULL;

	if (!end || end - from > 64)
		return walk_refuse(w, "a wrong \\p{}");
	struct slice name = { from + 1, (size_t)(end - from - 1) };
	for (size_t i = 0; i < 2; i++) {
		const size_t n = strlen(prefixes[i]);

		if (name.n > n && !memcmp(name.p, prefixes[i], n))
			name = (struct slice){ name.p + n, name.n - n };
	}
	for (size_t i = 0;
	     i < sizeof(ecma_categories) / sizeof(*ecma_categories); i++)
		if (slice_eq(name, slice_of(ecma_categories[i].name))) {
			name = slice_of(ecma_categories[i].is);
			break;
		}
	w->at += (size_t)(end - from) + 1;
	return buf_addf(w->out, "\\%c{%.*s}", p, (int)name.n, name.p);
}

/* \s is wider in ECMA-262: all of Unicode's white space and U+FEFF. */
static int
walk_space(struct walk *w, char c)
{
	if (w->is_class)
		return walk_emit(
		    w, c == 's' ? "\\p{Xsp}\\x{feff}" : "\\P{Xsp}");
	return walk_emit(
	    w, c == 's' ? "[\\p{Xsp}\\x{feff}]" : "[^\\p{Xsp}\\x{feff}]");
}

/* An escape: `at` is behind the backslash. */
static int
walk_escape(struct walk *w)
{
	if (w->at == w->text.n)
		return walk_refuse(w, "a \\ without what it escapes");
	const char c = w->text.p[w->at++];

	if (c == 's' || c == 'S')
		return walk_space(w, c);
	if (c == 'p' || c == 'P')
		return walk_property(w, c);
	if (c == 'u')
		return walk_unicode(w);
	if (c == 'v')
		return walk_emit(w, "\\x{b}");
	if (c == '0')
		return walk_emit(w, "\\x{0}");
	if (c == 'x') {
		const long x = walk_hex(w, w->at, 2);

		if (x < 0)
			return walk_refuse(w, "a wrong \\x");
		w->at += 2;
		return buf_addf(w->out, "\\x{%lx}", (unsigned long)x);
	}
	const bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	if (is_letter && !strchr("dDwWbBnrtfck", c))
		return walk_refuse(w, "an escape that does not exist");
	return buf_addf(w->out, "\\%c", c);
}

/* A character inside [ ]; PCRE2 would see [:alpha:] in a bare bracket. */
static int
walk_in_class(struct walk *w)
{
	const char c = w->text.p[w->at++];

	if (c == '\\')
		return walk_escape(w);
	if (c == '[')
		return walk_emit(w, "\\[");
	if (c == ']')
		w->is_class = false;
	return buf_add(w->out, &c, 1);
}

/* A group: `at` is behind the parenthesis. */
static int
walk_group(struct walk *w)
{
	if (walk_sees(w, "*"))
		return walk_refuse(w, "nothing to repeat");
	if (walk_sees(w, "?") && !walk_sees(w, "?:") && !walk_sees(w, "?=") &&
	    !walk_sees(w, "?!") && !walk_sees(w, "?<"))
		return walk_refuse(w, "a group of an unknown kind");
	return walk_emit(w, "(");
}

/* Whether the braces that end before `at` are {n}, {n,} or {n,m}; note n. */
static bool
walk_count(struct walk *w)
{
	size_t i = w->at - 1;
	size_t n = 0;

	while (i && (w->text.p[i - 1] == ',' ||
			(w->text.p[i - 1] >= '0' && w->text.p[i - 1] <= '9')))
		i--;
	if (!i || w->text.p[i - 1] != '{' || w->text.p[i] < '0' ||
	    w->text.p[i] > '9')
		return false;
	for (; w->text.p[i] >= '0' && w->text.p[i] <= '9' && n < 1000000; i++)
		n = n * 10 + (size_t)(w->text.p[i] - '0');
	if (n > w->least)
		w->least = n;
	return true;
}

/* A character outside [ ]. */
static int
walk_outside(struct walk *w)
{
	const bool was_quantified = w->is_quantified;
	const char c = w->text.p[w->at++];

	w->is_quantified = false;
	switch (c) {
	case '\\':
		return walk_escape(w);
	case '(':
		return walk_group(w);
	case '.':
		return walk_emit(w, "[^\\n\\r\\x{2028}\\x{2029}]");
	case '[':
		w->is_class = true;
		if (!walk_sees(w, "^"))
			return walk_emit(w, "[");
		w->at++;
		return walk_emit(w, "[^");
	case '+':
	case '*':
		if (was_quantified)
			return walk_refuse(w, "nothing to repeat");
		w->is_quantified = true;
		break;
	case '?':
		w->is_quantified = true;
		break;
	case '}':
		w->is_quantified = walk_count(w);
		break;
	}
	return buf_add(w->out, &c, 1);
}

int
ecma_translate(
    struct slice text, struct buf *out, size_t *least_r, struct err *err_r)
{
	struct walk w = { .text = text, .out = out, .err = err_r };

	while (w.at < text.n) {
		const int e = w.is_class ? walk_in_class(&w) : walk_outside(&w);

		if (e < 0)
			return e;
	}
	*least_r = w.least;
	return 0;
}
