/* SPDX-License-Identifier: MIT */
/*
 * write: each line is put into room that is reserved once. The first error
 * sticks, and http_write_end takes back what the head had added by then.
 */
#include "common/http/write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/must.h"
#include "common/http/char.h"

#define WRITE_NUMBER_BYTES 24
#define WRITE_STATUS_MAX   512

/* RFC 9110 15, RFC 6585, RFC 8297. */
static const char *const write_reasons[WRITE_STATUS_MAX] = {
	[100] = "Continue",
	[101] = "Switching Protocols",
	[103] = "Early Hints",
	[200] = "OK",
	[201] = "Created",
	[202] = "Accepted",
	[203] = "Non-Authoritative Information",
	[204] = "No Content",
	[205] = "Reset Content",
	[206] = "Partial Content",
	[300] = "Multiple Choices",
	[301] = "Moved Permanently",
	[302] = "Found",
	[303] = "See Other",
	[304] = "Not Modified",
	[307] = "Temporary Redirect",
	[308] = "Permanent Redirect",
	[400] = "Bad Request",
	[401] = "Unauthorized",
	[402] = "Payment Required",
	[403] = "Forbidden",
	[404] = "Not Found",
	[405] = "Method Not Allowed",
	[406] = "Not Acceptable",
	[407] = "Proxy Authentication Required",
	[408] = "Request Timeout",
	[409] = "Conflict",
	[410] = "Gone",
	[411] = "Length Required",
	[412] = "Precondition Failed",
	[413] = "Content Too Large",
	[414] = "URI Too Long",
	[415] = "Unsupported Media Type",
	[416] = "Range Not Satisfiable",
	[417] = "Expectation Failed",
	[421] = "Misdirected Request",
	[422] = "Unprocessable Content",
	[425] = "Too Early",
	[426] = "Upgrade Required",
	[428] = "Precondition Required",
	[429] = "Too Many Requests",
	[431] = "Request Header Fields Too Large",
	[451] = "Unavailable For Legal Reasons",
	[500] = "Internal Server Error",
	[501] = "Not Implemented",
	[502] = "Bad Gateway",
	[503] = "Service Unavailable",
	[504] = "Gateway Timeout",
	[505] = "HTTP Version Not Supported",
	[511] = "Network Authentication Required",
};

const char *
http_write_reason(int status)
{
	if (status < 0 || status >= WRITE_STATUS_MAX || !write_reasons[status])
		return "Unknown";
	return write_reasons[status];
}

/* Append all parts, or keep the error. */
static void
write_parts(struct http_writer *w, const struct slice *parts, size_t n_parts)
{
	size_t n = 0;

	if (w->rc < 0)
		return;
	for (size_t i = 0; i < n_parts; i++)
		n += parts[i].n;
	if (n > buf_room(w->out)) {
		w->rc = -ENOBUFS;
		return;
	}
	char *p = buf_reserve(w->out, n);

	if (!p) {
		w->rc = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].n)
			memcpy(p, parts[i].p, parts[i].n);
		p += parts[i].n;
	}
	buf_commit(w->out, n);
}

static void
write_init(struct http_writer *w, struct buf *out)
{
	*w = (struct http_writer){ .out = out, .n_before = buf_len(out) };
}

/* Keep -EINVAL unless ok. */
static void
write_check(struct http_writer *w, bool ok)
{
	if (!ok && w->rc == 0)
		w->rc = -EINVAL;
}

void
http_write_request(struct http_writer *w, struct buf *out, struct slice method,
    struct slice target)
{
	const bool is_bare = !target.n || target.p[0] == '?';
	const struct slice parts[] = {
		method,
		SLICE(" "),
		is_bare ? SLICE("/") : SLICE(""),
		target,
		SLICE(" HTTP/1.1\r\n"),
	};

	write_init(w, out);
	write_check(
	    w, http_char_all(method, HTTP_CHAR_TOKEN) &&
		   http_char_span(target, HTTP_CHAR_TARGET) == target.n);
	write_parts(w, parts, sizeof(parts) / sizeof(parts[0]));
}

void
http_write_status(
    struct http_writer *w, struct buf *out, int status, struct slice reason)
{
	char code[WRITE_NUMBER_BYTES];
	const int n = snprintf(code, sizeof(code), "%d", status);
	const struct slice parts[] = {
		SLICE("HTTP/1.1 "),
		{ code, (size_t)n },
		SLICE(" "),
		reason.n ? reason : slice_of(http_write_reason(status)),
		SLICE("\r\n"),
	};

	must(status >= 100 && status <= 599);
	write_init(w, out);
	write_check(w, http_char_span(reason, HTTP_CHAR_VALUE) == reason.n);
	write_parts(w, parts, sizeof(parts) / sizeof(parts[0]));
}

void
http_write_trusted(struct http_writer *w, struct slice name, struct slice value)
{
	const struct slice parts[] = {
		name,
		SLICE(": "),
		value,
		SLICE("\r\n"),
	};

	write_parts(w, parts, sizeof(parts) / sizeof(parts[0]));
}

void
http_write_field(struct http_writer *w, struct slice name, struct slice value)
{
	write_check(w, http_char_all(name, HTTP_CHAR_TOKEN) &&
			   http_char_span(value, HTTP_CHAR_VALUE) == value.n);
	http_write_trusted(w, name, value);
}

void
http_write_known(struct http_writer *w, enum http_name id, struct slice value)
{
	http_write_field(w, http_name_text(id), value);
}

void
http_write_length(struct http_writer *w, uint64_t n)
{
	char digits[WRITE_NUMBER_BYTES];
	const int len =
	    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	http_write_trusted(w, http_name_text(HTTP_NAME_CONTENT_LENGTH),
	    (struct slice){ digits, (size_t)len });
}

void
http_write_chunked(struct http_writer *w)
{
	http_write_trusted(
	    w, http_name_text(HTTP_NAME_TRANSFER_ENCODING), SLICE("chunked"));
}

int
http_write_end(struct http_writer *w)
{
	const struct slice end = SLICE("\r\n");

	write_parts(w, &end, 1);
	if (w->rc < 0)
		w->out->tail = w->out->head + w->n_before;
	return w->rc;
}
