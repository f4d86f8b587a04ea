/* SPDX-License-Identifier: MIT */
/* jsonpointer: written from its end, read from its start. */
#include "common/json/jsonpointer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/must.h"

/* A buffer that is filled from its end; `at` is the first byte written. */
struct tail {
	char *buf;
	size_t at;
	bool is_full;
};

static void
tail_put(struct tail *t, const char *s, size_t n)
{
	if (t->is_full || n > t->at) {
		t->is_full = true;
		return;
	}
	t->at -= n;
	memcpy(t->buf + t->at, s, n);
}

/* Put "/name" before what is there, escaped. */
static void
tail_put_name(struct tail *t, const char *name)
{
	for (size_t i = strlen(name); i; i--) {
		const char c = name[i - 1];

		if (c == '~')
			tail_put(t, "~0", 2);
		else if (c == '/')
			tail_put(t, "~1", 2);
		else
			tail_put(t,
			    (unsigned char)c < 0x20 || c == 0x7f ? "?" : &c, 1);
	}
	tail_put(t, "/", 1);
}

static void
tail_put_index(struct tail *t, size_t index)
{
	char text[32];
	const int n = snprintf(text, sizeof(text), "/%zu", index);

	tail_put(t, text, (size_t)n);
}

char *
jsonpointer_write(const struct jsonpointer_at *at, char *buf, size_t n)
{
	must(n > 8);
	struct tail t = { .buf = buf + 3, .at = n - 4 };

	for (; at && !t.is_full; at = at->up) {
		if (at->name)
			tail_put_name(&t, at->name);
		else if (at->index != JSONPOINTER_NO_INDEX)
			tail_put_index(&t, at->index);
		if (at->first)
			tail_put_name(&t, at->first);
	}
	/* Begin with a whole character behind the dots. */
	while (
	    t.is_full && t.at < n - 4 && (unsigned char)t.buf[t.at] >> 6 == 2)
		t.at++;
	const size_t bytes = n - 4 - t.at;
	const size_t dots = t.is_full ? 3 : 0;

	memmove(buf + dots, t.buf + t.at, bytes);
	memcpy(buf, "...", dots);
	buf[dots + bytes] = '\0';
	return buf;
}

int
jsonpointer_next(struct slice *rest, char *token, size_t n)
{
	size_t to = 0;
	size_t i = 1;

	if (!rest->n || rest->p[0] != '/')
		return -EINVAL;
	for (; i < rest->n && rest->p[i] != '/'; i++) {
		char c = rest->p[i];

		if (c == '~') {
			if (++i == rest->n ||
			    (rest->p[i] != '0' && rest->p[i] != '1'))
				return -EINVAL;
			c = rest->p[i] == '0' ? '~' : '/';
		}
		if (to + 1 >= n)
			return -ENOBUFS;
		token[to++] = c;
	}
	token[to] = '\0';
	*rest = (struct slice){ rest->p + i, rest->n - i };
	return 0;
}

bool
jsonpointer_index(const char *token, size_t *index_r)
{
	size_t value = 0;

	if (!*token || strlen(token) > 9 || (token[0] == '0' && token[1]))
		return false;
	for (; *token; token++) {
		if (*token < '0' || *token > '9')
			return false;
		value = value * 10 + (size_t)(*token - '0');
	}
	*index_r = value;
	return true;
}
