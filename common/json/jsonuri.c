/* SPDX-License-Identifier: MIT */
/* jsonuri: RFC 3986 as far as schemas need it. */
#include "common/json/jsonuri.h"

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>

/* RFC 3986 3:
 *   URI = scheme ":" [ "//" authority ] path [ "?" query ] [ "#" fragment ] */

static bool
is_alpha(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The first n bytes of *s; *s becomes the rest. */
static struct slice
slice_cut(struct slice *s, size_t n)
{
	const struct slice head = { s->p, n };

	*s = (struct slice){ s->p + n, s->n - n };
	return head;
}

/* How many bytes stand before the first of the characters `ends`. */
static size_t
slice_until(struct slice s, const char *ends)
{
	size_t i = 0;

	while (i < s.n && (!s.p[i] || !strchr(ends, s.p[i])))
		i++;
	return i;
}

/* Bytes of a scheme at the start of s, 0 if there is none. */
static size_t
scheme_bytes(struct slice s)
{
	size_t n = 0;

	while (n < s.n &&
	       (is_alpha(s.p[n]) || (n && (is_digit(s.p[n]) || s.p[n] == '+' ||
					      s.p[n] == '-' || s.p[n] == '.'))))
		n++;
	return n < s.n && s.p[n] == ':' ? n : 0;
}

struct jsonuri
jsonuri_split(struct slice text)
{
	struct jsonuri u = { 0 };
	const size_t n = scheme_bytes(text);

	if (n) {
		u.has_scheme = true;
		u.scheme = slice_cut(&text, n);
		slice_cut(&text, 1);
	}
	if (text.n >= 2 && text.p[0] == '/' && text.p[1] == '/') {
		u.has_authority = true;
		slice_cut(&text, 2);
		u.authority = slice_cut(&text, slice_until(text, "/?#"));
	}
	u.path = slice_cut(&text, slice_until(text, "?#"));
	if (text.n && text.p[0] == '?') {
		u.has_query = true;
		slice_cut(&text, 1);
		u.query = slice_cut(&text, slice_until(text, "#"));
	}
	if (text.n) {
		u.has_fragment = true;
		slice_cut(&text, 1);
		u.fragment = text;
	}
	return u;
}

/* Whether s is unreserved, sub-delims, %XX and the characters `more`. */
static bool
part_is_valid(struct slice s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !is_hex(s.p[i + 1]) ||
			    !is_hex(s.p[i + 2]))
				return false;
			i += 2;
		} else if (!c || (!is_alpha(c) && !is_digit(c) &&
				     !strchr("-._~!$&'()*+,;=", c) &&
				     !strchr(more, c))) {
			return false;
		}
	}
	return true;
}

/* RFC 3986 3.2.2: what stands between [ and ]. */
static bool
literal_is_valid(struct slice s)
{
	unsigned char address[16];
	char text[64];

	if (s.n && (s.p[0] | 0x20) == 'v') {
		const size_t dot = slice_until(s, ".");

		for (size_t i = 1; i < dot; i++)
			if (!is_hex(s.p[i]))
				return false;
		return dot > 1 && dot + 1 < s.n &&
		       part_is_valid(
			   (struct slice){ s.p + dot, s.n - dot }, ":");
	}
	return slice_until(s, "%") == s.n && strnlen(s.p, s.n) == s.n &&
	       slice_copy(s, text, sizeof(text)) == 0 &&
	       inet_pton(AF_INET6, text, address) == 1;
}

/* authority = [ userinfo "@" ] host [ ":" port ] */
static bool
authority_is_valid(struct slice s)
{
	const size_t at = slice_until(s, "@");

	if (at < s.n) {
		if (!part_is_valid(slice_cut(&s, at), ":"))
			return false;
		slice_cut(&s, 1);
	}
	if (s.n && s.p[0] == '[') {
		const size_t end = slice_until(s, "]");

		if (end == s.n ||
		    !literal_is_valid((struct slice){ s.p + 1, end - 1 }))
			return false;
		slice_cut(&s, end + 1);
	} else if (!part_is_valid(slice_cut(&s, slice_until(s, ":")), "")) {
		return false;
	}
	if (s.n && s.p[0] != ':')
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return true;
}

bool
jsonuri_is_valid(struct slice text, bool is_reference)
{
	const struct jsonuri u = jsonuri_split(text);

	if (!u.has_scheme) {
		if (!is_reference)
			return false;
		/* path-noscheme: no colon in the first segment. */
		if (!u.has_authority &&
		    slice_until(u.path, ":") < slice_until(u.path, "/"))
			return false;
	}
	if (u.has_authority && !authority_is_valid(u.authority))
		return false;
	return part_is_valid(u.path, ":@/") && part_is_valid(u.query, ":@/?") &&
	       part_is_valid(u.fragment, ":@/?");
}

/*
 * RFC 3986 5.2.4: take "." and ".." out of the path that begins at byte
 * `from` of a buffer. Writes behind what was read, so in place.
 */
static void
remove_dots(struct buf *out, size_t from)
{
	char *const path = out->data + out->head + from;
	const size_t n = buf_len(out) - from;
	size_t to = 0;
	size_t i = 0;

	while (i < n) {
		const bool has_slash = path[i] == '/';
		const size_t start = i + has_slash;
		size_t end = start;

		while (end < n && path[end] != '/')
			end++;
		const size_t bytes = end - start;
		const bool is_last = end == n;
		const bool is_dot = bytes == 1 && path[start] == '.';
		const bool is_up =
		    bytes == 2 && path[start] == '.' && path[start + 1] == '.';

		if (is_up)
			while (to && path[--to] != '/')
				;
		if (is_dot || is_up) {
			if (is_last && has_slash)
				path[to++] = '/';
		} else {
			memmove(path + to, path + i, end - i);
			to += end - i;
		}
		i = end;
	}
	out->tail -= n - to;
}

/* Append delimiter and part if the part is there. */
static int
add_part(struct buf *out, bool has, const char *before, struct slice part,
    const char *after)
{
	if (!has)
		return 0;
	int e = buf_add(out, before, strlen(before));
	if (e == 0)
		e = buf_add_slice(out, part);
	return e < 0 ? e : buf_add(out, after, strlen(after));
}

/* RFC 3986 5.2.3: what stands before the last segment of the base's path. */
static struct slice
base_folder(const struct jsonuri *base)
{
	size_t n = base->path.n;

	if (base->has_authority && !n)
		return SLICE("/");
	while (n && base->path.p[n - 1] != '/')
		n--;
	return (struct slice){ base->path.p, n };
}

int
jsonuri_resolve(struct slice base_text, struct slice ref, struct buf *out)
{
	const struct jsonuri base = jsonuri_split(base_text);
	const struct jsonuri r = jsonuri_split(ref);
	const struct jsonuri *const scheme = r.has_scheme ? &r : &base;
	const bool is_net = r.has_scheme || r.has_authority;
	const struct jsonuri *const authority = is_net ? &r : &base;
	const bool is_same = !is_net && !r.path.n;
	const struct jsonuri *const query =
	    is_same && !r.has_query ? &base : &r;
	struct slice folder = { NULL, 0 };

	if (!is_net && r.path.n && r.path.p[0] != '/')
		folder = base_folder(&base);
	int e = add_part(out, scheme->has_scheme, "", scheme->scheme, ":");
	if (e == 0)
		e = add_part(out, authority->has_authority, "//",
		    authority->authority, "");
	const size_t from = buf_len(out);
	if (e == 0)
		e = buf_add_slice(out, folder);
	if (e == 0)
		e = buf_add_slice(out, is_same ? base.path : r.path);
	if (e < 0)
		return e;
	if (!is_same && buf_len(out) > from)
		remove_dots(out, from);
	return add_part(out, query->has_query, "?", query->query, "");
}

static int
hex_value(char c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

int
jsonuri_decode(struct slice text, char *out, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%') {
			if (text.n - i < 3 || !is_hex(text.p[i + 1]) ||
			    !is_hex(text.p[i + 2]))
				return -EINVAL;
			c = (char)(hex_value(text.p[i + 1]) * 16 +
				   hex_value(text.p[i + 2]));
			i += 2;
		}
		if (!c)
			return -EINVAL;
		if (to + 1 >= n)
			return -ENOBUFS;
		out[to++] = c;
	}
	out[to] = '\0';
	return 0;
}
