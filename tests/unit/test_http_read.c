/* SPDX-License-Identifier: MIT */
/*
 * The verdicts on message heads, one row each, fed whole, byte by byte and in
 * random pieces with the same outcome. Every refusal must be ours: a row on
 * which http-parser had the last word would depend on how it was built.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/read.h"

#define H11 "GET / HTTP/1.1\r\nHost: a.b\r\n"
#define END "\r\n\r\n"

struct vector {
	int status;       /* 0: accepted */
	const char *text; /* part of the fault's text */
	struct slice in;
};

#define V(status, text, lit)                 \
	{                                    \
		status, text,                \
		{                            \
			lit, sizeof(lit) - 1 \
		}                            \
	}

static struct http_request req;
static struct http_response res;

/* Copy into memory of exactly that size, so that a read past it is seen. */
static char *
copy(struct slice s)
{
	char *const p = malloc(s.n ? s.n : 1);

	ck_assert_ptr_nonnull(p);
	memcpy(p, s.p, s.n);
	return p;
}

/* Feed in steps of 1..most bytes; the memory moves at each step. */
static int
feed(enum http_kind kind, struct slice in, size_t most, struct http_asked asked,
    struct http_fault *fault)
{
	static char *kept;
	struct http_scan scan;
	size_t n = 0;
	int rc = 0;

	http_scan_init(&scan, kind);
	while (rc == 0 && n < in.n) {
		const size_t step = 1 + (size_t)rand() % most;

		n = n + step < in.n ? n + step : in.n;
		free(kept);
		kept = copy((struct slice){ in.p, n });
		const struct slice so_far = { kept, n };

		rc = kind == HTTP_KIND_REQUEST
		         ? http_read_request(&scan, so_far, &req, fault)
		         : http_read_response(
			       &scan, so_far, &asked, &res, fault);
	}
	return rc;
}

static int
feed_whole(enum http_kind kind, struct slice in, struct http_asked asked,
    struct http_fault *fault)
{
	struct http_scan scan;

	http_scan_init(&scan, kind);
	return kind == HTTP_KIND_REQUEST
	           ? http_read_request(&scan, in, &req, fault)
	           : http_read_response(&scan, in, &asked, &res, fault);
}

static void
check_verdict(
    const struct vector *v, int rc, const struct http_fault *f, const char *how)
{
	const int status = rc < 0 ? f->status : 0;

	ck_assert_msg(status == v->status, "%s: %d (%s) for <%.*s>", how,
	    status, rc < 0 ? f->text : "", (int)v->in.n, v->in.p);
	ck_assert_msg(
	    rc != 0, "%s: unfinished: <%.*s>", how, (int)v->in.n, v->in.p);
	if (rc > 0)
		return;
	ck_assert_msg(strstr(f->text, v->text) != NULL, "%s: <%s> has no <%s>",
	    how, f->text, v->text);
	ck_assert_ptr_null(strstr(f->text, "two ways"));
}

static void
check_vector(
    enum http_kind kind, const struct vector *v, struct http_asked asked)
{
	struct http_fault whole = { 0 };
	struct http_fault cut = { 0 };

	check_verdict(
	    v, feed_whole(kind, v->in, asked, &whole), &whole, "whole");
	check_verdict(
	    v, feed(kind, v->in, 1, asked, &cut), &cut, "byte by byte");
	ck_assert_str_eq(whole.text, cut.text);
	for (int i = 0; i < 8; i++) {
		check_verdict(
		    v, feed(kind, v->in, 9, asked, &cut), &cut, "in pieces");
		ck_assert_str_eq(whole.text, cut.text);
	}
}

static const struct vector framing[] = {
	V(400, "both Content-Length and Transfer-Encoding",
	    H11 "Content-Length: 3\r\nTransfer-Encoding: chunked" END),
	V(400, "both Content-Length and Transfer-Encoding",
	    H11 "transfer-encoding: chunked\r\ncontent-length: 3" END),
	V(400, "more than one such field",
	    H11 "Content-Length: 3\r\nContent-Length: 4" END),
	V(400, "more than one such field",
	    H11 "Content-Length: 3\r\ncontent-lengtH: 3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: +3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: -3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 3, 3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 3,3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 0x3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 3a" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 3 3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 3 " END),
	V(400, "1 to 18 digits", H11 "Content-Length: 3\t" END),
	V(400, "1 to 18 digits", H11 "Content-Length:" END),
	V(400, "1 to 18 digits", H11 "Content-Length:  " END),
	V(400, "1 to 18 digits", H11 "Content-Length: 1.0" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 1e3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: \xd9\xa3" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 1234567890123456789" END),
	V(400, "1 to 18 digits", H11 "Content-Length: 0000000000000000003" END),
	V(0, "", H11 "Content-Length: 123456789012345678" END),
	V(0, "", H11 "Content-Length: 000000000000000003" END),
	V(0, "", H11 "Content-Length:3" END),
	V(0, "", H11 "Content-Length: \t 3" END),
	V(0, "", H11 "Content-Length: 0" END),
	V(400, "anything but chunked", H11 "Transfer-Encoding: gzip" END),
	V(400, "anything but chunked", H11 "Transfer-Encoding: identity" END),
	V(400, "anything but chunked", H11 "Transfer-Encoding:" END),
	V(400, "anything but chunked", H11 "Transfer-Encoding: xchunked" END),
	V(400, "anything but chunked", H11 "Transfer-Encoding: chunkedx" END),
	V(400, "anything but chunked",
	    H11 "Transfer-Encoding: \"chunked\"" END),
	V(400, "anything but chunked",
	    H11 "Transfer-Encoding: chunked;q=1" END),
	V(400, "anything but chunked", H11 "Transfer-Encoding: chunked," END),
	V(400, "anything but chunked",
	    H11 "Transfer-Encoding: chunked, chunked" END),
	V(400, "anything but chunked",
	    H11 "Transfer-Encoding: gzip, chunked" END),
	V(400, "anything but chunked",
	    H11 "Transfer-Encoding: chunked, identity" END),
	V(400, "a control byte",
	    H11 "Transfer-Encoding: \x0b"
		"chunked" END),
	V(400, "more than one such field",
	    H11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" END),
	V(400, "white space in or after",
	    H11 "Transfer-Encoding : chunked" END),
	V(0, "", H11 "Content-Length: 3\r\nTransfer-Encodings: x" END),
	V(0, "", H11 "Transfer-Encodings: x\r\nContent-Length: 3" END),
	V(0, "", H11 "Transfer-Encoding: chunked" END),
	V(0, "", H11 "Transfer-Encoding: Chunked" END),
	V(0, "", H11 "Transfer-Encoding: \tchunked \t" END),
	V(400, "not known to HTTP/1.0",
	    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked" END),
};

static const struct vector fields[] = {
	V(400, "white space in or after", H11 "X : 1" END),
	V(400, "white space in or after", H11 "X\t: 1" END),
	V(400, "white space in or after", H11 "X Y: 1" END),
	V(400, "white space before the first",
	    "GET / HTTP/1.1\r\n Host: a.b" END),
	V(400, "white space before the first",
	    "GET / HTTP/1.1\r\n\tHost: a.b" END),
	V(400, "a folded field line", H11 "X: 1\r\n 2" END),
	V(400, "a folded field line", H11 "X: 1\r\n\t2" END),
	V(400, "a folded field line", H11 " \r\n\r\n"),
	V(400, "a line without a colon", H11 "X" END),
	V(400, "a line without a colon", H11 "X\n\r\n\r\n"),
	V(400, "an empty field name", H11 ": 1" END),
	V(400, "not allowed in a name", H11 "X(: 1" END),
	V(400, "not allowed in a name", H11 "X\"Y: 1" END),
	V(400, "not allowed in a name", H11 "X@Y: 1" END),
	V(400, "not allowed in a name", H11 "X/Y: 1" END),
	V(400, "not allowed in a name", H11 "X\xc3\xa4: 1" END),
	V(400, "not allowed in a name", H11 "X\0: 1" END),
	V(400, "not allowed in a name", H11 "X\x7f: 1" END),
	V(400, "a NUL byte",
	    H11 "X: 1\0"
		"2" END),
	V(400, "a control byte", H11 "X: 1\x01" END),
	V(400, "a control byte", H11 "X: \x0b" END),
	V(400, "a control byte", H11 "X: 1\x1b[0m" END),
	V(400, "a control byte", H11 "X: 1\x7f" END),
	V(400, "LF without CR", H11 "X: 1\nY: 2" END),
	V(400, "LF without CR", H11 "X: 1\n\r\n"),
	V(400, "LF without CR", H11 "X: 1\r\n\n"),
	V(400, "no CRLF after the version", "GET / HTTP/1.1\nHost: a.b" END),
	V(400, "no CRLF after the version", "GET / HTTP/1.1\n\n"),
	V(400, "CR without LF", "GET / HTTP/1.1\rHost: a.b" END),
	V(400, "CR without LF", H11 "X: 1\rY: 2" END),
	V(400, "CR without LF", H11 "X: 1\r\r\n" END),
	V(400, "CR without LF", H11 "X: 1\r\n\rY" END),
	V(0, "", H11 "X: 1\t2 \xc3\xa4" END),
	V(0, "", H11 "X:" END),
	V(0, "", H11 "X:\t \t" END),
	V(0, "", H11 "!#$%&'*+-.^_`|~09azAZ: 1" END),
};

static const struct vector hosts[] = {
	V(400, "Host: missing", "GET / HTTP/1.1\r\n\r\n"),
	V(400, "Host: missing", "GET / HTTP/1.1\r\nX: 1" END),
	V(400, "Host: missing", "GET http://a.b/ HTTP/1.1\r\nX: 1" END),
	V(400, "more than one such field", H11 "Host: a.b" END),
	V(400, "more than one such field", H11 "hOST: a.c" END),
	V(400, "another host", "GET http://a.b/ HTTP/1.1\r\nHost: a.c" END),
	V(400, "another host", "GET http://a.b/ HTTP/1.1\r\nHost: a.b:81" END),
	V(400, "another host", "GET http://a.b:1/ HTTP/1.1\r\nHost: a.b" END),
	V(400, "another host", "GET https://a.b/ HTTP/1.1\r\nHost: a.b:80" END),
	V(400, "another host", "GET http://a.b/ HTTP/1.0\r\nHost: a.c" END),
	V(0, "", "GET http://a.b/ HTTP/1.1\r\nHost: A.B." END),
	V(0, "", "GET HTTP://a.b/ HTTP/1.1\r\nHost: a.b:80" END),
	V(0, "", "GET https://a.b:443/ HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "GET http://a.b HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "GET http://a.b?x HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "GET http://[::1]:8/x HTTP/1.1\r\nHost: [::1]:8" END),
	V(0, "", "GET / HTTP/1.1\r\nHost: [2001:DB8::1]" END),
	V(0, "", "GET / HTTP/1.1\r\nHost:a.b:8080" END),
	V(0, "", "GET / HTTP/1.0\r\n\r\n"),
	V(0, "", "GET http://a.b/ HTTP/1.0\r\n\r\n"),
	V(400, "an empty host", "GET / HTTP/1.1\r\nHost:" END),
	V(400, "an empty host", "GET / HTTP/1.1\r\nHost: :80" END),
	V(400, "no host name has", "GET / HTTP/1.1\r\nHost: a b" END),
	V(400, "no host name has", "GET / HTTP/1.1\r\nHost: a/b" END),
	V(400, "no host name has", "GET / HTTP/1.1\r\nHost: a\\b" END),
	V(400, "no host name has", "GET / HTTP/1.1\r\nHost: \xc3\xa4.b" END),
	V(400, "user information", "GET / HTTP/1.1\r\nHost: u@a.b" END),
	V(400, "user information", "GET http://u@a.b/ HTTP/1.1\r\nHost: a" END),
	V(400, "empty label", "GET / HTTP/1.1\r\nHost: a..b" END),
	V(400, "empty label", "GET / HTTP/1.1\r\nHost: .a" END),
	V(400, "empty label", "GET / HTTP/1.1\r\nHost: ." END),
	V(400, "percent", "GET / HTTP/1.1\r\nHost: a%4" END),
	V(400, "no IPv6", "GET / HTTP/1.1\r\nHost: [a.b]" END),
	V(400, "no IPv6", "GET / HTTP/1.1\r\nHost: [::1%25lo]" END),
	V(400, "bracket", "GET / HTTP/1.1\r\nHost: [::1" END),
	V(400, "after the IP literal", "GET / HTTP/1.1\r\nHost: [::1]a" END),
	V(400, "65535", "GET / HTTP/1.1\r\nHost: a.b:x" END),
	V(400, "65535", "GET / HTTP/1.1\r\nHost: a.b:65536" END),
	V(400, "65535", "GET / HTTP/1.1\r\nHost: a.b:80:80" END),
	V(400, "no host name has", "GET / HTTP/1.1\r\nHost: a.b, a.c" END),
};

static const struct vector lines[] = {
	V(400, "a version other", "GET / HTTP/1.2\r\nHost: a.b" END),
	V(400, "a version other", "GET / HTTP/2.0\r\nHost: a.b" END),
	V(400, "a version other", "GET / HTTP/0.9\r\nHost: a.b" END),
	V(400, "a version other", "GET / http/1.1\r\nHost: a.b" END),
	V(400, "a version other", "GET / HTTP/1\r\nHost: a.b" END),
	V(400, "a version other", "GET / HTTP/01.1\r\nHost: a.b" END),
	V(400, "a version other", "GET / ICE/1.0\r\nHost: a.b" END),
	V(400, "no CRLF after the version", "GET / HTTP/1.10\r\nHost: a.b" END),
	V(400, "no CRLF after the version", "GET / HTTP/1.1 \r\nHost: a.b" END),
	V(400, "without a version", "GET /\r\n\r\n"),
	V(400, "without a version", "GET /\n"),
	V(400, "a version other", "GET / \r\n\r\n"),
	V(400, "no token", "GE(T / HTTP/1.1\r\nHost: a.b" END),
	V(400, "no token", " GET / HTTP/1.1\r\nHost: a.b" END),
	V(400, "no token", "GET\t/ HTTP/1.1\r\nHost: a.b" END),
	V(400, "no token", "\x16\x03\x01\x02\x01\x01 / HTTP/1.1\r\n"),
	V(400, "no token", "\n\r\nGET / HTTP/1.1\r\nHost: a.b" END),
	V(400, "no token", "\r\n\r\nGET / HTTP/1.1\r\nHost: a.b" END),
	V(400, "CR without LF", "\rGET / HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "\r\nGET / HTTP/1.1\r\nHost: a.b" END),
	V(400, "more than 32",
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a.b" END),
	V(0, "",
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "get / HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "QUERY / HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "PATCH / HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "BASELINE-CONTROL / HTTP/1.1\r\nHost: a.b" END),
	V(400, "more than one space", "GET  / HTTP/1.1\r\nHost: a.b" END),
	V(400, "a version other", "GET /  HTTP/1.1\r\nHost: a.b" END),
	V(400, "a version other", "GET /a b HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have", "GET /a\tb HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have", "GET /a#b HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have", "GET /a\\b HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have",
	    "GET /\xc3\xa4 HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have", "GET /\x01 HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have", "GET /\x7f HTTP/1.1\r\nHost: a.b" END),
	V(400, "a target cannot have", "GET /\0 HTTP/1.1\r\nHost: a.b" END),
	V(400, "neither a path", "GET a HTTP/1.1\r\nHost: a.b" END),
	V(400, "neither a path", "GET ftp://a.b/ HTTP/1.1\r\nHost: a.b" END),
	V(400, "neither a path", "GET a.b:80 HTTP/1.1\r\nHost: a.b" END),
	V(400, "an empty host", "GET http:///x HTTP/1.1\r\nHost: a.b" END),
	V(400, "method other than OPTIONS", "GET * HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "OPTIONS * HTTP/1.1\r\nHost: a.b" END),
	V(0, "",
	    "GET /!\"$%&'()*+,-./:;<=>?@[]^_`{|}~ HTTP/1.1\r\n"
	    "Host: a.b" END),
	V(0, "", "GET //a//b?c?d HTTP/1.1\r\nHost: a.b" END),
	V(0, "",
	    "GET http://a!$&'()*+,;=~_-b/ HTTP/1.1\r\n"
	    "Host: a!$&'()*+,;=~_-b" END),
};

static const struct vector rules[] = {
	V(400, "a body with CONNECT",
	    "CONNECT a.b:1 HTTP/1.1\r\nHost: a.b:1\r\nContent-Length: 3" END),
	V(400, "a body with CONNECT",
	    "CONNECT a.b:1 HTTP/1.1\r\nHost: a.b:1\r\n"
	    "Transfer-Encoding: chunked" END),
	V(400, "a body with CONNECT",
	    "TRACE / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 3" END),
	V(501, "nothing here offers",
	    "CONNECT a.b:1 HTTP/1.1\r\nHost: a.b:1" END),
	V(501, "nothing here offers",
	    "CONNECT [::1]:1 HTTP/1.1\r\nHost: a.b:1" END),
	V(400, "CONNECT without a port", "CONNECT a.b HTTP/1.1\r\nHost: a" END),
	V(400, "no host name has", "CONNECT / HTTP/1.1\r\nHost: a.b" END),
	V(0, "", "TRACE / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 0" END),
	V(400, "names a field", H11 "Connection: Host" END),
	V(400, "names a field", H11 "Connection: close, content-length" END),
	V(400, "names a field", H11 "Connection: Transfer-Encoding" END),
	V(400, "names a field", H11 "Connection: Authorization" END),
	V(400, "names a field", H11 "Connection: x,,\tcookie ,y" END),
	V(400, "names a field", H11 "Connection: Mcp-Session-Id" END),
	V(400, "names a field", H11 "Connection: mcp-anything" END),
	V(400, "names a field", H11 "Connection: a\r\nConnection: Host" END),
	V(400, "is no token", H11 "Connection: a b" END),
	V(400, "is no token", H11 "Connection: \"close\"" END),
	V(400, "more than 32 options",
	    H11 "Connection: a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a\r\n"
		"Connection: a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a\r\n"
		"Connection: a" END),
	V(0, "", H11 "Connection: , ,close,," END),
	V(0, "", H11 "Connection:" END),
	V(400, "anything but websocket",
	    H11 "Connection: upgrade\r\nUpgrade: TLS/1.0" END),
	V(400, "anything but websocket",
	    H11 "Connection: upgrade\r\nUpgrade: websocket, irc" END),
	V(400, "anything but websocket", H11 "Upgrade: foo" END),
	V(0, "",
	    H11 "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMA" END),
	V(0, "", H11 "Connection: upgrade\r\nUpgrade: WebSocket" END),
	V(400, "an upgrade with a body",
	    H11 "Connection: upgrade\r\nUpgrade: websocket\r\n"
		"Content-Length: 1" END),
	V(400, "an upgrade with a body",
	    H11 "Connection: upgrade\r\nUpgrade: websocket\r\n"
		"Transfer-Encoding: chunked" END),
	V(400, "method other than GET",
	    "POST / HTTP/1.1\r\nHost: a.b\r\nConnection: upgrade\r\n"
	    "Upgrade: websocket" END),
	V(417, "anything but 100-continue", H11 "Expect: 200-ok" END),
	V(417, "anything but 100-continue", H11 "Expect:" END),
	V(417, "anything but 100-continue",
	    H11 "Expect: 100-continue\r\nExpect: x" END),
	V(0, "", H11 "Expect: 100-Continue" END),
};

#define R200 "HTTP/1.1 200 OK\r\n"

static const struct vector responses[] = {
	V(502, "both Content-Length and Transfer-Encoding",
	    R200 "Content-Length: 3\r\nTransfer-Encoding: chunked" END),
	V(502, "more than one such field",
	    R200 "Content-Length: 3\r\nContent-Length: 3" END),
	V(502, "1 to 18 digits", R200 "Content-Length: 3, 3" END),
	V(502, "1 to 18 digits", R200 "Content-Length: -1" END),
	V(502, "anything but chunked", R200 "Transfer-Encoding: gzip" END),
	V(502, "not known to HTTP/1.0",
	    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" END),
	V(502, "names a field", R200 "Connection: content-length" END),
	V(502, "white space in or after", R200 "X : 1" END),
	V(502, "a folded field line", R200 "X: 1\r\n 2" END),
	V(502, "LF without CR", R200 "X: 1\nY: 2" END),
	V(502, "a NUL byte", R200 "X: 1\0" END),
	V(502, "a control byte", R200 "X: \x1b" END),
	V(502, "CR without LF", R200 "X: 1\rSet-Cookie: a=b" END),
	V(502, "CR without LF", "HTTP/1.1 200 O\rK" END),
	V(502, "LF without CR", "HTTP/1.1 200 O\nK" END),
	V(502, "LF without CR", "HTTP/1.1 200 OK\n\n"),
	V(502, "a control byte", "HTTP/1.1 200 O\x07K" END),
	V(502, "a NUL byte", "HTTP/1.1 200 O\0K" END),
	V(502, "a version other", "HTTP/2.0 200 OK" END),
	V(502, "a version other", "\r\nHTTP/1.1 200 OK" END),
	V(502, "a version other", "ICY 200 OK" END),
	V(502, "a version other", "<html>hello</html>"),
	V(502, "no space after the version", "HTTP/1.1\r\n\r\n"),
	V(502, "no status", "HTTP/1.1  200 OK" END),
	V(502, "no status", "HTTP/1.1 20 OK" END),
	V(502, "no status", "HTTP/1.1 099 OK" END),
	V(502, "no status", "HTTP/1.1 600 OK" END),
	V(502, "no space after the status", "HTTP/1.1 2000 OK" END),
	V(502, "not asked for",
	    "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket" END),
	V(502, "interim response with a body",
	    "HTTP/1.1 103 X\r\nContent-Length: 1" END),
	V(502, "interim response with a body",
	    "HTTP/1.1 100 X\r\nTransfer-Encoding: chunked" END),
	V(0, "", "HTTP/1.1 200 OK" END),
	V(0, "", "HTTP/1.1 200 \r\n\r\n"),
	V(0, "", "HTTP/1.1 200\r\n\r\n"),
	V(0, "", "HTTP/1.0 200 OK" END),
	V(0, "", "HTTP/1.1 599 \xc3\xa4 \t!" END),
	V(0, "", "HTTP/1.1 100 Continue" END),
	V(0, "", "HTTP/1.1 204 No Content\r\nContent-Length: 3" END),
	V(0, "", R200 "Host: a b\r\nHost: c d\r\nUpgrade: h2c" END),
};

/* What counts for the answer to an upgrade that was passed on. */
static const struct vector switches[] = {
	V(0, "",
	    "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: WebSocket" END),
	V(502, "anything but websocket",
	    "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c" END),
	V(502, "anything but websocket",
	    "HTTP/1.1 101 X\r\nUpgrade: websocket" END),
	V(502, "anything but websocket",
	    "HTTP/1.1 101 X\r\nConnection: upgrade" END),
	V(502, "interim response with a body",
	    "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Content-Length: 5" END),
	V(0, "", "HTTP/1.1 400 No" END),
};

#define CHECK_ALL(kind, table, ...)                                   \
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) \
	check_vector(kind, &(table)[i], (struct http_asked){ __VA_ARGS__ })

START_TEST(read_judges_framing)
{
	CHECK_ALL(HTTP_KIND_REQUEST, framing, .minor = 1);
}
END_TEST

START_TEST(read_judges_field_lines)
{
	CHECK_ALL(HTTP_KIND_REQUEST, fields, .minor = 1);
}
END_TEST

START_TEST(read_judges_hosts)
{
	CHECK_ALL(HTTP_KIND_REQUEST, hosts, .minor = 1);
}
END_TEST

START_TEST(read_judges_request_lines)
{
	CHECK_ALL(HTTP_KIND_REQUEST, lines, .minor = 1);
}
END_TEST

START_TEST(read_judges_connection_rules)
{
	CHECK_ALL(HTTP_KIND_REQUEST, rules, .minor = 1);
}
END_TEST

START_TEST(read_judges_responses)
{
	CHECK_ALL(HTTP_KIND_RESPONSE, responses, .minor = 1);
}
END_TEST

START_TEST(read_judges_answers_to_an_upgrade)
{
	CHECK_ALL(HTTP_KIND_RESPONSE, switches, .minor = 1, .upgrades = true);
}
END_TEST

/* What is said of accepted heads. */
START_TEST(read_fills_a_request)
{
	const struct slice in =
	    SLICE("\r\nPOST http://A.b:8080?q=1 HTTP/1.1\r\n"
		  "host: a.B:8080\r\nX-One:  1 2\t\r\n"
		  "Content-Length: 12\r\nEmpty:\r\n"
		  "Connection: x-one\r\n\r\nBODY");
	struct http_fault fault;

	ck_assert_int_eq(
	    feed_whole(HTTP_KIND_REQUEST, in, (struct http_asked){ 0 }, &fault),
	    1);
	const struct http_head *const head = &req.head;

	ck_assert_uint_eq(head->n_bytes, in.n - 4);
	ck_assert_int_eq(head->verb, HTTP_VERB_POST);
	ck_assert(slice_eq(head->method, SLICE("POST")));
	ck_assert(slice_eq(head->target, SLICE("http://A.b:8080?q=1")));
	ck_assert_int_eq(head->parts.form, HTTP_FORM_ABSOLUTE);
	ck_assert(slice_eq(head->parts.path, SLICE("?q=1")));
	ck_assert_int_eq(head->minor, 1);
	ck_assert_uint_eq(head->n_fields, 5);
	ck_assert(slice_eq(head->fields[0].name, SLICE("host")));
	ck_assert(slice_eq(head->fields[1].value, SLICE("1 2")));
	ck_assert(head->fields[1].is_hop);
	ck_assert(!head->fields[2].is_hop);
	ck_assert_uint_eq(head->fields[3].value.n, 0);
	ck_assert_str_eq(req.host.name, "a.b");
	ck_assert_int_eq(req.host.port, 8080);
	ck_assert_int_eq(req.frame.delim, HTTP_DELIM_LENGTH);
	ck_assert_uint_eq(req.frame.length, 12);
	ck_assert(req.frame.persists);
}
END_TEST

START_TEST(read_fills_a_response)
{
	const struct slice in =
	    SLICE("HTTP/1.0 404 Not here\r\nA: b\r\n\r\nrest");
	struct http_fault fault;

	ck_assert_int_eq(feed_whole(HTTP_KIND_RESPONSE, in,
			     (struct http_asked){ .minor = 1 }, &fault),
	    1);
	ck_assert_int_eq(res.head.status, 404);
	ck_assert(slice_eq(res.head.reason, SLICE("Not here")));
	ck_assert_int_eq(res.head.minor, 0);
	ck_assert_uint_eq(res.head.n_bytes, in.n - 4);
	ck_assert_int_eq(res.frame.delim, HTTP_DELIM_CLOSE);
	ck_assert(!res.frame.persists);
}
END_TEST

START_TEST(read_takes_pipelined_requests_one_after_the_other)
{
	struct slice in = SLICE("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
				"GET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET");
	struct http_scan scan;
	struct http_fault fault;

	http_scan_init(&scan, HTTP_KIND_REQUEST);
	for (char i = '1'; i <= '2'; i++) {
		ck_assert(http_scan_is_idle(&scan));
		ck_assert_int_eq(http_read_request(&scan, in, &req, &fault), 1);
		ck_assert_int_eq(req.head.target.p[1], i);
		in.p += req.head.n_bytes;
		in.n -= req.head.n_bytes;
	}
	ck_assert_int_eq(http_read_request(&scan, in, &req, &fault), 0);
	ck_assert(!http_scan_is_idle(&scan));
}
END_TEST

START_TEST(read_refuses_the_ninth_interim_response)
{
	struct http_asked asked = { .minor = 1 };
	struct http_scan scan;
	struct http_fault fault;

	http_scan_init(&scan, HTTP_KIND_RESPONSE);
	for (int i = 1; i <= 9; i++) {
		const int rc = http_read_response(&scan,
		    SLICE("HTTP/1.1 102 Processing\r\n\r\n"), &asked, &res,
		    &fault);

		ck_assert_int_eq(rc > 0, i <= 8);
	}
	ck_assert_int_eq(fault.status, 502);
	ck_assert_ptr_nonnull(strstr(fault.text, "more than 8"));
}
END_TEST

START_TEST(read_faults_say_where_in_safe_words)
{
	const struct slice in = SLICE(H11 "a'\xff: 1\r\n\r\n");
	struct http_fault fault;

	ck_assert_int_lt(
	    feed_whole(HTTP_KIND_REQUEST, in, (struct http_asked){ 0 }, &fault),
	    0);
	ck_assert_uint_eq(fault.at, sizeof(H11) - 1 + 2);
	ck_assert_str_eq(fault.text,
	    "byte 29: field a': a byte that is not allowed in a name");
	http_fault_set(&fault, 400, 7, SLICE("\"\\\x01\xff"), "why");
	ck_assert_str_eq(fault.text, "byte 7: field ????: why");
}
END_TEST

static Suite *
suite_read(void)
{
	Suite *const s = suite_create("http_read");
	TCase *const tc = tcase_create("read");

	tcase_add_test(tc, read_judges_framing);
	tcase_add_test(tc, read_judges_field_lines);
	tcase_add_test(tc, read_judges_hosts);
	tcase_add_test(tc, read_judges_request_lines);
	tcase_add_test(tc, read_judges_connection_rules);
	tcase_add_test(tc, read_judges_responses);
	tcase_add_test(tc, read_judges_answers_to_an_upgrade);
	tcase_add_test(tc, read_fills_a_request);
	tcase_add_test(tc, read_fills_a_response);
	tcase_add_test(tc, read_takes_pipelined_requests_one_after_the_other);
	tcase_add_test(tc, read_refuses_the_ninth_interim_response);
	tcase_add_test(tc, read_faults_say_where_in_safe_words);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_read());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
