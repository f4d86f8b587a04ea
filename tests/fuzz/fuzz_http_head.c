/* SPDX-License-Identifier: MIT */
/*
 * Message heads: whole and in pieces the verdict is one; http-parser never
 * disagrees with what scan has passed; what is accepted and written anew is
 * accepted again, is framed alike, and carries no field that must not travel.
 */
#include "tests/fuzz/fuzz.h"

#include "common/http/proxy.h"
#include "common/http/read.h"

static struct http_request req, again_req;
static struct http_response res, again_res;
static char storage[2 * HTTP_RESPONSE_MAX];

/* One reading of a head. */
struct verdict {
	int rc;
	struct http_fault fault;
	struct http_asked asked;
};

static int
read_any(struct http_scan *scan, struct slice in, struct verdict *v)
{
	return scan->kind == HTTP_KIND_REQUEST
	           ? http_read_request(scan, in, &req, &v->fault)
	           : http_read_response(scan, in, &v->asked, &res, &v->fault);
}

/* Returns what must be freed when the head is no longer looked at. */
static char *
read_cut(
    struct fuzz *f, enum http_kind kind, struct slice in, struct verdict *v)
{
	struct http_scan scan;
	char *kept = NULL;
	size_t n = 0;

	http_scan_init(&scan, kind);
	while (v->rc == 0 && n < in.n) {
		n += fuzz_piece(f, in.n - n);
		free(kept);
		kept = fuzz_copy((struct slice){ in.p, n });
		v->rc = read_any(&scan, (struct slice){ kept, n }, v);
	}
	return kept;
}

static void
check_request(void)
{
	const struct http_hop hop = {
		.client_ip = SLICE("192.0.2.7"),
		.proto = SLICE("http"),
		.is_trusted = req.head.n_bytes & 1,
		.request_id = SLICE("rid"),
		.traceparent = SLICE("00-1-1-00"),
	};
	struct http_scan scan;
	struct http_fault fault;
	struct buf out;

	if (!req.host.n)
		return;
	buf_init_static(&out, storage, HTTP_REQUEST_MAX + HTTP_PROXY_ADDED);
	fuzz_must(http_proxy_request(&out, &req, &hop) == 0);
	if (buf_len(&out) > HTTP_REQUEST_MAX || req.head.n_fields > 80)
		return;
	http_scan_init(&scan, HTTP_KIND_REQUEST);
	fuzz_must(http_read_request(
		      &scan, buf_content(&out), &again_req, &fault) == 1);
	fuzz_must(again_req.head.n_bytes == buf_len(&out));
	fuzz_must(again_req.frame.delim == req.frame.delim);
	fuzz_must(again_req.frame.length == req.frame.length);
	fuzz_must(again_req.frame.upgrades == req.frame.upgrades);
	fuzz_must(again_req.frame.persists);
	fuzz_must(slice_eq(again_req.head.method, req.head.method));
	fuzz_must(strcmp(again_req.host.name, req.host.name) == 0);
	for (size_t i = 0; i < again_req.head.n_fields; i++)
		fuzz_must(!again_req.head.fields[i].is_forged);
}

static void
check_response(const struct verdict *v)
{
	const struct http_frame plan = http_proxy_plan(&res, &v->asked);
	struct http_asked asked = v->asked;
	struct http_scan scan;
	struct http_fault fault;
	struct buf out;

	buf_init_static(&out, storage, sizeof(storage));
	fuzz_must(
	    http_proxy_response(&out, &res, &plan, &asked, SLICE("rid")) == 0);
	if (!buf_len(&out) || buf_len(&out) > HTTP_RESPONSE_MAX ||
	    res.head.n_fields > 90)
		return;
	asked.n_interim = 0;
	http_scan_init(&scan, HTTP_KIND_RESPONSE);
	fuzz_must(http_read_response(&scan, buf_content(&out), &asked,
		      &again_res, &fault) == 1);
	fuzz_must(again_res.head.n_bytes == buf_len(&out));
	fuzz_must(again_res.head.status == res.head.status);
	fuzz_must(again_res.frame.delim == plan.delim);
	fuzz_must(again_res.frame.length == plan.length);
	fuzz_must(again_res.frame.upgrades == plan.upgrades);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz f = { data, n, 0 };
	const unsigned how = fuzz_byte(&f);
	const enum http_kind kind =
	    how & 1 ? HTTP_KIND_RESPONSE : HTTP_KIND_REQUEST;
	struct verdict whole = {
		.asked = { .is_head = how & 2,
		    .upgrades = how & 4,
		    .persists = how & 8,
		    .minor = how & 16 ? 0 : 1 },
	};
	struct verdict cut = whole;
	struct http_scan scan;

	f.cut = fuzz_byte(&f);
	const struct slice in = { (const char *)f.p, f.n };

	http_scan_init(&scan, kind);
	if (in.n)
		whole.rc = read_any(&scan, in, &whole);
	char *const kept = read_cut(&f, kind, in, &cut);

	fuzz_must(whole.rc == cut.rc);
	if (whole.rc < 0) {
		fuzz_must(strcmp(whole.fault.text, cut.fault.text) == 0);
		fuzz_must(!strstr(whole.fault.text, "two ways"));
	}
	if (whole.rc == 1 && kind == HTTP_KIND_REQUEST)
		check_request();
	if (whole.rc == 1 && kind == HTTP_KIND_RESPONSE)
		check_response(&whole);
	free(kept);
	return 0;
}
