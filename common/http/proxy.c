/* SPDX-License-Identifier: MIT */
/*
 * proxy: which field goes on is read off its flags (name.h, parse); what we
 * say ourselves is written first, so that it stands where a reader looks.
 */
#include "common/http/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/must.h"
#include "common/http/write.h"

#define PROXY_HOST_BYTES (HTTP_HOST_MAX + sizeof(":65535"))
#define PROXY_IP_MAX     64
#define PROXY_PROTO_MAX  16

/* host[:port] as text in out. */
static struct slice
proxy_host(const struct http_host *host, char out[PROXY_HOST_BYTES])
{
	const int n = host->port < 0
	                  ? snprintf(out, PROXY_HOST_BYTES, "%s", host->name)
	                  : snprintf(out, PROXY_HOST_BYTES, "%s:%d", host->name,
				host->port);

	return (struct slice){ out, (size_t)n };
}

/*
 * Add a field to which this hop adds one value: behind what a trusted client
 * sent, line by line (one list, RFC 9110 5.3), else alone.
 */
static void
proxy_append(struct http_writer *w, const struct http_request *req,
    enum http_name id, bool is_trusted, struct slice ours)
{
	const struct http_head *const head = &req->head;

	for (size_t i = 0; is_trusted && i < head->n_fields; i++) {
		if (head->fields[i].id == id && head->fields[i].value.n)
			http_write_known(w, id, head->fields[i].value);
	}
	if (ours.n)
		http_write_known(w, id, ours);
}

/* Add a field that a trusted client may have set for us. */
static void
proxy_keep(struct http_writer *w, const struct http_request *req,
    enum http_name id, bool is_trusted, struct slice ours)
{
	const struct slice theirs = http_head_value(&req->head, id);

	http_write_known(w, id, is_trusted && theirs.n ? theirs : ours);
}

/*
 * RFC 7239 4, 6: a forwarded-element; an IPv6 address is quoted, in brackets;
 * a client without an address is unknown.
 */
static void
proxy_forwarded(struct http_writer *w, const struct http_request *req,
    const struct http_hop *hop, struct slice host)
{
	char text[PROXY_HOST_BYTES + PROXY_IP_MAX + PROXY_PROTO_MAX + 64];
	const struct slice ip =
	    hop->client_ip.n ? hop->client_ip : SLICE("unknown");
	const bool is_v6 = memchr(ip.p, ':', ip.n);
	const int n = snprintf(text, sizeof(text),
	    "for=%s%.*s%s;host=\"%.*s\";proto=%.*s", is_v6 ? "\"[" : "",
	    (int)ip.n, ip.p, is_v6 ? "]\"" : "", (int)host.n, host.p,
	    (int)hop->proto.n, hop->proto.p);

	proxy_append(w, req, HTTP_NAME_FORWARDED, hop->is_trusted,
	    (struct slice){ text, (size_t)n });
}

static void
proxy_hop_fields(struct http_writer *w, const struct http_request *req,
    const struct http_hop *hop)
{
	char text[PROXY_HOST_BYTES];
	const struct slice host = proxy_host(&req->host, text);
	const bool trusts = hop->is_trusted;

	http_write_known(w, HTTP_NAME_HOST, host);
	proxy_append(w, req, HTTP_NAME_X_FORWARDED_FOR, trusts, hop->client_ip);
	proxy_keep(w, req, HTTP_NAME_X_FORWARDED_PROTO, trusts, hop->proto);
	proxy_keep(w, req, HTTP_NAME_X_FORWARDED_HOST, trusts, host);
	proxy_forwarded(w, req, hop, host);
	http_write_known(w, HTTP_NAME_X_REQUEST_ID, hop->request_id);
	http_write_known(w, HTTP_NAME_TRACEPARENT, hop->traceparent);
	for (size_t i = 0; i < hop->n_extra; i++)
		http_write_field(w, hop->extra[i].name, hop->extra[i].value);
}

/* What ends a body, and what is said about the connection. */
static void
proxy_frame_fields(
    struct http_writer *w, const struct http_frame *frame, bool closes)
{
	if (frame->announced == HTTP_DELIM_LENGTH)
		http_write_length(w, frame->length);
	if (frame->announced == HTTP_DELIM_CHUNKED)
		http_write_chunked(w);
	if (frame->upgrades) {
		http_write_known(w, HTTP_NAME_CONNECTION, SLICE("Upgrade"));
		http_write_known(w, HTTP_NAME_UPGRADE, SLICE("websocket"));
	} else if (closes) {
		http_write_known(w, HTTP_NAME_CONNECTION, SLICE("close"));
	}
}

/* Whether tracestate still belongs to the traceparent that goes on. */
static bool
proxy_keeps_state(const struct http_request *req, const struct http_hop *hop)
{
	return slice_eq(hop->traceparent,
	    http_head_value(&req->head, HTTP_NAME_TRACEPARENT));
}

static void
proxy_their_fields(struct http_writer *w, const struct http_request *req,
    const struct http_hop *hop)
{
	const bool keeps_state = proxy_keeps_state(req, hop);

	for (size_t i = 0; i < req->head.n_fields; i++) {
		const struct http_field *const f = &req->head.fields[i];

		if (f->is_hop || f->is_forged ||
		    http_name_flags(f->id) & HTTP_NAME_OURS ||
		    (f->id == HTTP_NAME_TRACESTATE && !keeps_state))
			continue;
		http_write_trusted(w, f->name, f->value);
	}
}

/* The target for an origin server (RFC 9112 3.2.1, 3.2.4). */
static struct slice
proxy_target(const struct http_head *head)
{
	if (head->verb == HTTP_VERB_OPTIONS &&
	    head->parts.form == HTTP_FORM_ABSOLUTE && !head->parts.path.n)
		return SLICE("*");
	return head->parts.path;
}

int
http_proxy_request(
    struct buf *out, const struct http_request *req, const struct http_hop *hop)
{
	struct http_writer w;

	must(req->host.n > 0);
	must(hop->client_ip.n <= PROXY_IP_MAX);
	must(hop->proto.n <= PROXY_PROTO_MAX);
	http_write_request(&w, out, req->head.method, proxy_target(&req->head));
	proxy_hop_fields(&w, req, hop);
	proxy_frame_fields(&w, &req->frame, hop->closes);
	if (req->frame.expects_continue)
		http_write_known(&w, HTTP_NAME_EXPECT, SLICE("100-continue"));
	proxy_their_fields(&w, req, hop);
	return http_write_end(&w);
}

struct http_frame
http_proxy_plan(const struct http_response *res, const struct http_asked *asked)
{
	const bool is_old = asked->minor == 0;
	struct http_frame plan = res->frame;

	plan.persists = asked->persists && !res->frame.upgrades;
	/* An HTTP/1.0 client knows a length or the end of the connection. */
	if (plan.delim == HTTP_DELIM_CHUNKED ||
	    plan.delim == HTTP_DELIM_CLOSE) {
		plan.delim = is_old ? HTTP_DELIM_CLOSE : HTTP_DELIM_CHUNKED;
		plan.announced = plan.delim;
		plan.persists &= !is_old;
	}
	if (is_old && plan.announced == HTTP_DELIM_CHUNKED)
		plan.announced = HTTP_DELIM_NONE;
	return plan;
}

int
http_proxy_response(struct buf *out, const struct http_response *res,
    const struct http_frame *plan, const struct http_asked *asked,
    struct slice request_id)
{
	const bool is_final = !plan->is_interim && !plan->upgrades;
	struct http_writer w;

	if (plan->is_interim && asked->minor == 0)
		return 0;
	http_write_status(&w, out, res->head.status, res->head.reason);
	proxy_frame_fields(&w, plan, is_final && !plan->persists);
	if (is_final && plan->persists && asked->minor == 0)
		http_write_known(&w, HTTP_NAME_CONNECTION, SLICE("keep-alive"));
	if (request_id.n)
		http_write_known(&w, HTTP_NAME_X_REQUEST_ID, request_id);
	for (size_t i = 0; i < res->head.n_fields; i++) {
		const struct http_field *const f = &res->head.fields[i];

		if (f->is_hop || f->id == HTTP_NAME_CONTENT_LENGTH ||
		    (f->id == HTTP_NAME_X_REQUEST_ID && request_id.n))
			continue;
		http_write_trusted(&w, f->name, f->value);
	}
	return http_write_end(&w);
}
