/* SPDX-License-Identifier: MIT */
/* jsonformat: one small checker a format, and the table of them. */
#include "common/json/jsonformat.h"

#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>

#include "common/json/jsonpattern.h"
#include "common/json/jsonuri.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Take exactly n digits from *s. Returns their number, -1 if not there. */
static int
take_digits(struct slice *s, size_t n)
{
	int value = 0;

	if (s->n < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s->p[i]))
			return -1;
		value = value * 10 + (s->p[i] - '0');
	}
	*s = (struct slice){ s->p + n, s->n - n };
	return value;
}

/* Take the character c (an ASCII letter in either case) from *s. */
static bool
take_char(struct slice *s, char c)
{
	if (!s->n || (s->p[0] != c && (c != 'T' || s->p[0] != 't') &&
			 (c != 'Z' || s->p[0] != 'z')))
		return false;
	*s = (struct slice){ s->p + 1, s->n - 1 };
	return true;
}

/* RFC 3339 5.6: full-date = 4DIGIT "-" 2DIGIT "-" 2DIGIT, a day that is. */
static bool
take_date(struct slice *s)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	const int y = take_digits(s, 4);
	const int m = y < 0 || !take_char(s, '-') ? -1 : take_digits(s, 2);
	const int d = m < 0 || !take_char(s, '-') ? -1 : take_digits(s, 2);
	const bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	if (m < 1 || m > 12 || d < 1)
		return false;
	return d <= days[m - 1] + (m == 2 && is_leap);
}

/* time-offset = "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT, in minutes. */
static bool
take_offset(struct slice *s, int *minutes_r)
{
	*minutes_r = 0;
	if (take_char(s, 'Z'))
		return true;
	const bool is_east = take_char(s, '+');
	if (!is_east && !take_char(s, '-'))
		return false;
	const int h = take_digits(s, 2);
	const int m = h < 0 || !take_char(s, ':') ? -1 : take_digits(s, 2);
	if (h > 23 || m < 0 || m > 59)
		return false;
	*minutes_r = is_east ? h * 60 + m : -(h * 60 + m);
	return true;
}

/* full-time; a leap second only where the day ends in UTC. */
static bool
take_time(struct slice *s)
{
	const int h = take_digits(s, 2);
	const int m = h < 0 || !take_char(s, ':') ? -1 : take_digits(s, 2);
	const int sec = m < 0 || !take_char(s, ':') ? -1 : take_digits(s, 2);
	int offset = 0;

	if (h > 23 || m > 59 || sec < 0 || sec > 60)
		return false;
	if (take_char(s, '.')) {
		if (take_digits(s, 1) < 0)
			return false;
		while (take_digits(s, 1) >= 0)
			;
	}
	if (!take_offset(s, &offset))
		return false;
	const int utc = (h * 60 + m - offset + 2 * 1440) % 1440;
	return sec < 60 || utc == 1439;
}

static bool
date_fits(struct slice s)
{
	return take_date(&s) && !s.n;
}

static bool
time_fits(struct slice s)
{
	return take_time(&s) && !s.n;
}

static bool
date_time_fits(struct slice s)
{
	return take_date(&s) && take_char(&s, 'T') && take_time(&s) && !s.n;
}

/* Whether inet_pton takes all of s. */
static bool
address_fits(struct slice s, int family)
{
	unsigned char address[16];
	char text[64];

	return s.n && strnlen(s.p, s.n) == s.n &&
	       slice_copy(s, text, sizeof(text)) == 0 &&
	       inet_pton(family, text, address) == 1;
}

static bool
ipv4_fits(struct slice s)
{
	return address_fits(s, AF_INET);
}

static bool
ipv6_fits(struct slice s)
{
	return address_fits(s, AF_INET6);
}

/* RFC 1123 2.1: labels of 1-63 letters, digits and inner hyphens. */
static bool
hostname_fits(struct slice s)
{
	size_t label = 0;

	if (!s.n || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (c == '.') {
			if (!label || s.p[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(c) && (c != '-' || !label))
			return false;
		if (++label > 63)
			return false;
	}
	return label && s.p[s.n - 1] != '-';
}

/* RFC 5321 4.1.2: Local-part is a Dot-string or a Quoted-string. */
static bool
mailbox_fits(struct slice s)
{
	if (!s.n || s.n > 64)
		return false;
	if (s.p[0] == '"') {
		if (s.n < 2 || s.p[s.n - 1] != '"')
			return false;
		for (size_t i = 1; i < s.n - 1; i++) {
			if (s.p[i] == '\\' && ++i == s.n - 1)
				return false;
			if (s.p[i] < 0x20 || s.p[i] > 0x7e ||
			    (s.p[i] == '"' && s.p[i - 1] != '\\'))
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.') {
			if (!i || i == s.n - 1 || s.p[i - 1] == '.')
				return false;
		} else if (!is_alnum(s.p[i]) &&
			   (!s.p[i] ||
			       !strchr("!#$%&'*+-/=?^_`{|}~", s.p[i]))) {
			return false;
		}
	}
	return true;
}

/* RFC 5321 4.1.2: Mailbox = Local-part "@" ( Domain / address-literal ). */
static bool
email_fits(struct slice s)
{
	const char *const at = s.n ? memrchr(s.p, '@', s.n) : NULL;

	if (!at || !mailbox_fits((struct slice){ s.p, (size_t)(at - s.p) }))
		return false;
	struct slice domain = { at + 1, (size_t)(s.p + s.n - at) - 1 };
	if (domain.n < 2 || domain.p[0] != '[' || domain.p[domain.n - 1] != ']')
		return hostname_fits(domain);
	domain = (struct slice){ domain.p + 1, domain.n - 2 };
	if (domain.n > 5 && !memcmp(domain.p, "IPv6:", 5))
		return ipv6_fits((struct slice){ domain.p + 5, domain.n - 5 });
	return ipv4_fits(domain);
}

static bool
uri_fits(struct slice s)
{
	return jsonuri_is_valid(s, false);
}

static bool
uri_reference_fits(struct slice s)
{
	return jsonuri_is_valid(s, true);
}

/* RFC 9562 4: 8-4-4-4-12 hexadecimal digits. */
static bool
uuid_fits(struct slice s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? s.p[i] != '-' : !is_hex(s.p[i]))
			return false;
	}
	return true;
}

/* RFC 6901 3: "" or /token/token, where ~ is only ~0 or ~1. */
static bool
pointer_fits(struct slice s)
{
	if (s.n && s.p[0] != '/')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' &&
		    (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return false;
	return true;
}

/*
 * RFC 3339 appendix A: P, then amounts of Y M D, then T and amounts of H M S,
 * each designator once, in this order and without a gap; or weeks alone.
 */
static bool
duration_fits(struct slice s)
{
	static const char order[] = "YMDTHMS";
	size_t next = 0;
	size_t last = 0; /* place in order of the amount before, from 1 */
	bool has_amount = false;

	if (!take_char(&s, 'P') || !s.n)
		return false;
	while (s.n) {
		if (s.p[0] == 'T') {
			if (next > 3 || s.n == 1)
				return false;
			next = 4;
			last = 0;
			s = (struct slice){ s.p + 1, s.n - 1 };
			continue;
		}
		if (take_digits(&s, 1) < 0)
			return false;
		while (take_digits(&s, 1) >= 0)
			;
		if (s.n == 1 && s.p[0] == 'W')
			return !has_amount && !next;
		const size_t end = next > 3 ? 7 : 3;
		while (next < end && (!s.n || order[next] != s.p[0]))
			next++;
		if (next == end || (last && next != last))
			return false;
		last = ++next;
		has_amount = true;
		s = (struct slice){ s.p + 1, s.n - 1 };
	}
	return has_amount;
}

static bool
regex_fits(struct slice s)
{
	struct jsonpattern *p = NULL;
	const bool fits = jsonpattern_new(s, &p, NULL) == 0;

	jsonpattern_free(&p);
	return fits;
}

static const struct jsonformat formats[] = {
	{ "date", "a date such as 2026-11-24", date_fits },
	{ "date-time", "a date and time such as 2026-11-24T08:30:00Z",
	    date_time_fits },
	{ "duration", "a duration such as P3DT4H", duration_fits },
	{ "email", "an e-mail address such as jo@example.org", email_fits },
	{ "hostname", "a host name such as www.example.org", hostname_fits },
	{ "ipv4", "an IPv4 address such as 192.0.2.1", ipv4_fits },
	{ "ipv6", "an IPv6 address such as 2001:db8::1", ipv6_fits },
	{ "json-pointer", "a JSON pointer such as /a/0", pointer_fits },
	{ "regex", "a regular expression", regex_fits },
	{ "time", "a time such as 08:30:00Z", time_fits },
	{ "uri", "a URI such as https://example.org/", uri_fits },
	{ "uri-reference", "a URI or a part of one such as /a?b",
	    uri_reference_fits },
	{ "uuid", "a UUID such as 2eb8aa08-aa98-11ea-b4aa-73b441d16380",
	    uuid_fits },
};

const struct jsonformat *
jsonformat_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}
