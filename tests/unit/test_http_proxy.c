/* SPDX-License-Identifier: MIT */
/* What goes on to the other side, compared byte by byte. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/http/proxy.h"

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct http_request req;
static struct http_response res;
static char storage[4 * HTTP_RESPONSE_MAX];

/* What a hop adds that keeps nothing of the client's. */
#define ADDED(host)                                                 \
	"Host: " host "\r\n"                                        \
	"X-Forwarded-For: 192.0.2.7\r\n"                            \
	"X-Forwarded-Proto: http\r\n"                               \
	"X-Forwarded-Host: " host "\r\n"                            \
	"Forwarded: for=192.0.2.7;host=\"" host "\";proto=http\r\n" \
	"X-Request-Id: rid\r\n"                                     \
	"traceparent: " PARENT "\r\n"

static struct http_hop
hop_of(const char *ip, bool is_trusted)
{
	return (struct http_hop){
		.client_ip = slice_of(ip),
		.proto = SLICE("http"),
		.is_trusted = is_trusted,
		.request_id = SLICE("rid"),
		.traceparent = SLICE(PARENT),
	};
}

static void
read_request(struct slice in)
{
	struct http_scan scan;
	struct http_fault fault = { 0 };

	http_scan_init(&scan, HTTP_KIND_REQUEST);
	ck_assert_msg(
	    http_read_request(&scan, in, &req, &fault) == 1, "%s", fault.text);
}

static void
check_text(const struct buf *out, const char *want)
{
	ck_assert_msg(slice_eq(buf_content(out), slice_of(want)),
	    "got <%.*s>, want <%s>", (int)buf_len(out), buf_content(out).p,
	    want);
}

static void
check_request(const char *in, const struct http_hop *hop, const char *want)
{
	struct buf out;

	read_request(slice_of(in));
	buf_init_static(&out, storage, sizeof(storage));
	ck_assert_int_eq(http_proxy_request(&out, &req, hop), 0);
	check_text(&out, want);
}

START_TEST(proxy_writes_requests_anew)
{
	static const struct {
		const char *in;
		const char *want;
	} rows[] = {
		{ "\r\nGET /a?b HTTP/1.1\r\nhost:  Acme.LOCALHOST.:80 \r\n"
		  "X-Own:1\r\n\r\n",
		    "GET /a?b HTTP/1.1\r\n" ADDED(
			"acme.localhost:80") "X-Own: 1\r\n\r\n" },
		{ "GET http://acme?q HTTP/1.0\r\nX: y\r\n\r\n",
		    "GET /?q HTTP/1.1\r\n" ADDED("acme") "X: y\r\n\r\n" },
		{ "OPTIONS http://acme HTTP/1.1\r\nHost: acme\r\n\r\n",
		    "OPTIONS * HTTP/1.1\r\n" ADDED("acme") "\r\n" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n",
		    "POST / HTTP/1.1\r\n" ADDED(
			"a") "Content-Length: 7\r\n\r\n" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		    "POST / HTTP/1.1\r\n" ADDED(
			"a") "Content-Length: 0\r\n\r\n" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:\tChunked"
		  "\r\nTrailer: X\r\nTE: trailers\r\nX: y\r\n\r\n",
		    "POST / HTTP/1.1\r\n" ADDED(
			"a") "Transfer-Encoding: chunked\r\nX: y\r\n\r\n" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
		  "Content-Length: 1\r\n\r\n",
		    "POST / HTTP/1.1\r\n" ADDED(
			"a") "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
		    "GET / HTTP/1.1\r\n" ADDED("a") "\r\n" },
		/* hop by hop, by table and by name */
		{ "GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: 5\r\n"
		  "Proxy-Connection: x\r\nX-One: 1\r\nx-two: 2\r\n"
		  "Connection: keep-alive, X-TWO\r\nConnection: x-one\r\n"
		  "Proxy: evil\r\nProxy-Authorization: x\r\n"
		  "X-Three: 3\r\n\r\n",
		    "GET / HTTP/1.1\r\n" ADDED("a") "X-Three: 3\r\n\r\n" },
		/* what only we may say */
		{ "GET / HTTP/1.1\r\nHost: a\r\nHoldline-Principal: root\r\n"
		  "HOLDLINE_PRINCIPAL: root\r\nholdline-Principal: root\r\n"
		  "X-Forwarded-For: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\n"
		  "Forwarded: for=1.2.3.4\r\nX-Forwarded-Host: b\r\n"
		  "X-Forwarded-Proto: https\r\nX-Request-Id: mine\r\n"
		  "Content_Length: 5\r\nMy_Own: 1\r\n\r\n",
		    "GET / HTTP/1.1\r\n" ADDED("a") "My_Own: 1\r\n\r\n" },
		/* tracestate goes with its own traceparent only */
		{ "GET / HTTP/1.1\r\nHost: a\r\ntracestate: v=1\r\n"
		  "traceparent: " PARENT "\r\n\r\n",
		    "GET / HTTP/1.1\r\n" ADDED("a") "tracestate: v=1\r\n\r\n" },
		{ "GET / HTTP/1.1\r\nHost: a\r\ntracestate: v=1\r\n"
		  "traceparent: 00-bad\r\n\r\n",
		    "GET / HTTP/1.1\r\n" ADDED("a") "\r\n" },
		{ "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, WebSocket\r\n"
		  "Connection: keep-alive, Upgrade\r\n"
		  "Sec-WebSocket-Key: k\r\n\r\n",
		    "GET /ws HTTP/1.1\r\n" ADDED(
			"a") "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			     "Sec-WebSocket-Key: k\r\n\r\n" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n"
		  "Connection: Upgrade, HTTP2-Settings\r\n"
		  "HTTP2-Settings: AA\r\n\r\n",
		    "GET / HTTP/1.1\r\n" ADDED("a") "\r\n" },
	};
	const struct http_hop hop = hop_of("192.0.2.7", false);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_request(rows[i].in, &hop, rows[i].want);
}
END_TEST

START_TEST(proxy_keeps_forwarded_fields_of_a_trusted_client)
{
	const struct http_hop hop = hop_of("2001:db8::7", true);

	check_request("GET / HTTP/1.1\r\nHost: a\r\n"
		      "X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n"
		      "Forwarded: for=1.2.3.4\r\n"
		      "X-Forwarded-For: 9.9.9.9\r\n"
		      "X-Forwarded-Host: b\r\n"
		      "X-Forwarded-Proto: https\r\n\r\n",
	    &hop,
	    "GET / HTTP/1.1\r\nHost: a\r\n"
	    "X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n"
	    "X-Forwarded-For: 9.9.9.9\r\n"
	    "X-Forwarded-For: 2001:db8::7\r\n"
	    "X-Forwarded-Proto: https\r\n"
	    "X-Forwarded-Host: b\r\n"
	    "Forwarded: for=1.2.3.4\r\n"
	    "Forwarded: for=\"[2001:db8::7]\";host=\"a\";proto=http\r\n"
	    "X-Request-Id: rid\r\ntraceparent: " PARENT "\r\n\r\n");
}
END_TEST

START_TEST(proxy_adds_fields_and_close_when_asked)
{
	const struct http_pair extra[] = {
		{ SLICE("Holdline-Principal"), SLICE("anna") },
	};
	struct http_hop hop = hop_of("", false);

	hop.closes = true;
	hop.extra = extra;
	hop.n_extra = 1;
	check_request("GET / HTTP/1.1\r\nHost: a\r\n"
		      "Holdline-Principal: root\r\n\r\n",
	    &hop,
	    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n"
	    "X-Forwarded-Host: a\r\n"
	    "Forwarded: for=unknown;host=\"a\";proto=http\r\n"
	    "X-Request-Id: rid\r\ntraceparent: " PARENT "\r\n"
	    "Holdline-Principal: anna\r\nConnection: close\r\n\r\n");
}
END_TEST

START_TEST(proxy_refuses_values_that_would_leave_their_line)
{
	const struct http_pair extra[] = {
		{ SLICE("Holdline-Principal"), SLICE("a\r\nX: y") },
	};
	struct http_hop hop = hop_of("192.0.2.7", false);
	struct buf out;

	hop.extra = extra;
	hop.n_extra = 1;
	read_request(SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	buf_init_static(&out, storage, sizeof(storage));
	ck_assert_int_eq(http_proxy_request(&out, &req, &hop), -EINVAL);
	ck_assert_uint_eq(buf_len(&out), 0);
}
END_TEST

/* The largest heads: 253 bytes of host, all fields of one byte, or long. */
START_TEST(proxy_needs_no_more_room_than_it_says)
{
	static char in[HTTP_REQUEST_MAX];
	static char out_bytes[HTTP_REQUEST_MAX + HTTP_PROXY_ADDED];
	char host[HTTP_HOST_MAX + 1];
	char id[129];
	struct http_hop hop = hop_of("ffff:ffff:ffff:ffff:ffff:ffff:"
				     "255.255.255.255",
	    true);

	memset(host, 'h', HTTP_HOST_MAX);
	host[HTTP_HOST_MAX] = '\0';
	memset(id, 'i', 128);
	hop.request_id = (struct slice){ id, 128 };
	for (size_t n_fields = 1; n_fields <= 99; n_fields += 49) {
		struct buf out;
		int n = snprintf(in, sizeof(in),
		    "GET http://%s:65535 HTTP/1.1\r\nHost:%s:65535\r\n", host,
		    host);

		for (size_t i = 1; i < n_fields; i++)
			n += snprintf(in + n, sizeof(in) - (size_t)n, "a:\r\n");
		memset(in + n, 'b', sizeof(in) - (size_t)n);
		in[n + 1] = ':';
		memcpy(in + sizeof(in) - 4, "\r\n\r\n", 4);
		read_request((struct slice){ in, sizeof(in) });
		buf_init_static(&out, out_bytes, sizeof(out_bytes));
		ck_assert_int_eq(http_proxy_request(&out, &req, &hop), 0);
	}
}
END_TEST

struct response_row {
	const char *in;
	struct http_asked asked;
	const char *want;
	enum http_delim delim;
	bool persists;
};

#define NEW      .minor = 1, .persists = true
#define OLD      .minor = 0, .persists = true
#define OK       "HTTP/1.1 200 OK\r\n"
#define RID      "X-Request-Id: rid\r\n"
#define CHUNKED  "Transfer-Encoding: chunked\r\n"
#define LENGTH_7 "Content-Length: 7\r\n"

static const struct response_row responses[] = {
	{ OK "Content-Length: 07\r\nA: b\r\nConnection: A, keep-alive\r\n"
	     "Keep-Alive: 5\r\nX-Request-Id: other\r\nC:d\r\n\r\n",
	    { NEW }, OK LENGTH_7 RID "C: d\r\n\r\n", HTTP_DELIM_LENGTH, true },
	{ OK LENGTH_7 "\r\n", { .minor = 1 },
	    OK LENGTH_7 "Connection: close\r\n" RID "\r\n", HTTP_DELIM_LENGTH,
	    false },
	{ OK LENGTH_7 "Connection: close\r\n\r\n", { NEW },
	    OK LENGTH_7 RID "\r\n", HTTP_DELIM_LENGTH, true },
	{ OK CHUNKED "Trailer: X\r\n\r\n", { NEW }, OK CHUNKED RID "\r\n",
	    HTTP_DELIM_CHUNKED, true },
	{ "HTTP/1.0 200 OK\r\n\r\n", { NEW }, OK CHUNKED RID "\r\n",
	    HTTP_DELIM_CHUNKED, true },
	{ OK CHUNKED "\r\n", { OLD }, OK "Connection: close\r\n" RID "\r\n",
	    HTTP_DELIM_CLOSE, false },
	{ OK "\r\n", { OLD }, OK "Connection: close\r\n" RID "\r\n",
	    HTTP_DELIM_CLOSE, false },
	{ OK LENGTH_7 "\r\n", { OLD },
	    OK LENGTH_7 "Connection: keep-alive\r\n" RID "\r\n",
	    HTTP_DELIM_LENGTH, true },
	{ OK LENGTH_7 "\r\n", { NEW, .is_head = true }, OK LENGTH_7 RID "\r\n",
	    HTTP_DELIM_NONE, true },
	{ OK CHUNKED "\r\n", { NEW, .is_head = true }, OK CHUNKED RID "\r\n",
	    HTTP_DELIM_NONE, true },
	{ OK CHUNKED "\r\n", { OLD, .is_head = true },
	    OK "Connection: keep-alive\r\n" RID "\r\n", HTTP_DELIM_NONE, true },
	{ "HTTP/1.1 304 Not Modified\r\n" LENGTH_7 "\r\n", { NEW },
	    "HTTP/1.1 304 Not Modified\r\n" LENGTH_7 RID "\r\n",
	    HTTP_DELIM_NONE, true },
	{ "HTTP/1.1 204\r\n" LENGTH_7 "\r\n", { NEW },
	    "HTTP/1.1 204 No Content\r\n" RID "\r\n", HTTP_DELIM_NONE, true },
	{ "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", { .minor = 1 },
	    "HTTP/1.1 103 Early Hints\r\n" RID "Link: x\r\n\r\n",
	    HTTP_DELIM_NONE, false },
	{ "HTTP/1.1 100 Continue\r\n\r\n", { OLD }, "", HTTP_DELIM_NONE, true },
	{ "HTTP/1.1 101 Up\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	  "Sec-WebSocket-Accept: x\r\n\r\n",
	    { NEW, .upgrades = true },
	    "HTTP/1.1 101 Up\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" RID
	    "Sec-WebSocket-Accept: x\r\n\r\n",
	    HTTP_DELIM_NONE, false },
};

START_TEST(proxy_writes_responses_anew)
{
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		const struct response_row *const row = &responses[i];
		struct http_asked asked = row->asked;
		struct http_fault fault = { 0 };
		struct http_scan scan;
		struct buf out;

		http_scan_init(&scan, HTTP_KIND_RESPONSE);
		ck_assert_msg(http_read_response(&scan, slice_of(row->in),
				  &asked, &res, &fault) == 1,
		    "%s", fault.text);
		const struct http_frame plan = http_proxy_plan(&res, &asked);

		ck_assert_int_eq(plan.delim, row->delim);
		ck_assert_int_eq(plan.persists, row->persists);
		buf_init_static(&out, storage, sizeof(storage));
		ck_assert_int_eq(http_proxy_response(
				     &out, &res, &plan, &asked, SLICE("rid")),
		    0);
		check_text(&out, row->want);
	}
}
END_TEST

START_TEST(proxy_without_memory_or_room_writes_nothing)
{
	const struct http_hop hop = hop_of("192.0.2.7", false);
	struct buf out;
	int rc = -ENOMEM;
	size_t n = 0;

	read_request(SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	while (rc == -ENOMEM) {
		buf_init(&out, 1 << 16);
		mem_fail_at(++n);
		rc = http_proxy_request(&out, &req, &hop);
		ck_assert(rc == 0 || buf_len(&out) == 0);
		mem_fail_at(0);
		buf_fini(&out);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_gt(n, 1);
	for (size_t size = 0; size < 200; size++) {
		buf_init_static(&out, storage, size);
		ck_assert_int_eq(
		    http_proxy_request(&out, &req, &hop), -ENOBUFS);
		ck_assert_uint_eq(buf_len(&out), 0);
	}
}
END_TEST

static Suite *
suite_proxy(void)
{
	Suite *const s = suite_create("http_proxy");
	TCase *const tc = tcase_create("proxy");

	tcase_add_test(tc, proxy_writes_requests_anew);
	tcase_add_test(tc, proxy_keeps_forwarded_fields_of_a_trusted_client);
	tcase_add_test(tc, proxy_adds_fields_and_close_when_asked);
	tcase_add_test(tc, proxy_refuses_values_that_would_leave_their_line);
	tcase_add_test(tc, proxy_needs_no_more_room_than_it_says);
	tcase_add_test(tc, proxy_writes_responses_anew);
	tcase_add_test(tc, proxy_without_memory_or_room_writes_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_proxy());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
