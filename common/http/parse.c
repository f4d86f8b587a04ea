/* SPDX-License-Identifier: MIT */
/*
 * parse: http-parser as a tokenizer of heads that scan has passed. It is fed
 * once, in place, so each name and each value arrives in one piece.
 */
#include "common/http/parse.h"

#include <errno.h>
#include <string.h>

#include <http_parser.h>

#include "common/base/must.h"

/* What the callbacks fill; each breaks off with 1 when something is odd. */
struct parse_ctx {
	struct http_head *head;
	bool is_complete;
};

static struct parse_ctx *
parse_ctx(http_parser *p)
{
	return p->data;
}

static int
parse_on_url(http_parser *p, const char *at, size_t n)
{
	parse_ctx(p)->head->target = (struct slice){ at, n };
	return 0;
}

static int
parse_on_status(http_parser *p, const char *at, size_t n)
{
	parse_ctx(p)->head->reason = (struct slice){ at, n };
	return 0;
}

static int
parse_on_field(http_parser *p, const char *at, size_t n)
{
	struct http_head *const head = parse_ctx(p)->head;

	if (head->n_fields == HTTP_FIELDS_MAX)
		return 1;
	struct http_field *const field = &head->fields[head->n_fields++];
	const struct slice name = { at, n };

	*field = (struct http_field){
		.name = name,
		.id = (uint8_t)http_name_find(name),
	};
	field->is_hop = http_name_flags(field->id) & HTTP_NAME_HOP;
	if (head->kind == HTTP_KIND_REQUEST)
		field->is_forged = http_name_is_forged(name);
	return 0;
}

static int
parse_on_value(http_parser *p, const char *at, size_t n)
{
	struct http_head *const head = parse_ctx(p)->head;

	if (!head->n_fields || head->fields[head->n_fields - 1].value.p)
		return 1;
	head->fields[head->n_fields - 1].value =
	    slice_trim((struct slice){ at, n });
	return 0;
}

/* 1 says that no body follows: http-parser is done with what it is given. */
static int
parse_on_complete(http_parser *p)
{
	parse_ctx(p)->is_complete = true;
	return 1;
}

static const http_parser_settings parse_settings = {
	.on_url = parse_on_url,
	.on_status = parse_on_status,
	.on_header_field = parse_on_field,
	.on_header_value = parse_on_value,
	.on_headers_complete = parse_on_complete,
};

/*
 * http-parser knows 34 methods and refuses all others, so it is shown a
 * stand-in for the method, which scan has measured already.
 */
static void
parse_stand_in(http_parser *p, enum http_verb verb)
{
	const struct slice method =
	    verb == HTTP_VERB_CONNECT ? SLICE("CONNECT") : SLICE("GET");

	http_parser_execute(p, &parse_settings, method.p, method.n);
}

/* Mark what Connection names; scan has bounded how many options there are. */
static void
parse_mark_hops(struct http_head *head)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		struct slice list = head->fields[i].value;
		struct slice item;

		if (head->fields[i].id != HTTP_NAME_CONNECTION)
			continue;
		while (http_head_next(&list, &item)) {
			for (size_t k = 0; k < head->n_fields; k++) {
				if (slice_caseeq(head->fields[k].name, item))
					head->fields[k].is_hop = true;
			}
		}
	}
}

/* Whether http-parser saw what scan saw; takes the target apart. */
static bool
parse_agrees(const http_parser *p, const struct http_scan *scan,
    const struct parse_ctx *ctx)
{
	struct http_head *const head = ctx->head;
	const char *why;

	if (!ctx->is_complete || HTTP_PARSER_ERRNO(p) != HPE_OK ||
	    head->n_fields != scan->n_fields || p->http_major != 1 ||
	    p->http_minor != scan->minor)
		return false;
	if (scan->kind == HTTP_KIND_RESPONSE)
		return p->status_code == (unsigned)scan->status;
	return head->target.p == head->method.p + head->method.n + 1 &&
	       http_target_parse(
		   head->verb, head->target, &head->parts, &why) == 0;
}

/* What scan knows already; the fields are left as they are. */
static void
parse_start(
    struct http_head *head, const struct http_scan *scan, struct slice bytes)
{
	const struct slice none = { NULL, 0 };

	head->kind = scan->kind;
	head->start = bytes.p;
	head->n_bytes = bytes.n;
	head->minor = scan->minor;
	head->status = scan->status;
	head->method = (struct slice){ bytes.p + scan->begin, scan->method_n };
	head->verb = http_target_verb(head->method);
	head->target = head->reason = none;
	head->parts = (struct http_target){ .form = HTTP_FORM_ORIGIN };
	head->n_fields = 0;
}

/*
 * The limits are scan's, and http-parser's own rules on bodies only get in the
 * way: it takes a name that starts with Transfer-Encoding for the field itself.
 */
static void
parse_init(http_parser *p, enum http_kind kind, struct parse_ctx *ctx)
{
	http_parser_set_max_header_size(2 * HTTP_RESPONSE_MAX);
	http_parser_init(
	    p, kind == HTTP_KIND_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
	p->lenient_http_headers = 1;
	p->allow_chunked_length = 1;
	p->data = ctx;
}

int
http_parse_head(const struct http_scan *scan, struct slice bytes,
    struct http_head *head_r, struct http_fault *fault_r)
{
	const bool is_request = scan->kind == HTTP_KIND_REQUEST;
	const size_t from = scan->begin + scan->method_n;
	struct parse_ctx ctx = { .head = head_r };
	http_parser p;

	must(bytes.n == scan->at && from < bytes.n);
	parse_start(head_r, scan, bytes);
	parse_init(&p, scan->kind, &ctx);
	if (is_request)
		parse_stand_in(&p, head_r->verb);
	http_parser_execute(
	    &p, &parse_settings, bytes.p + from, bytes.n - from);
	if (!parse_agrees(&p, scan, &ctx))
		return http_fault_set(fault_r, is_request ? 400 : 502, 0,
		    (struct slice){ NULL, 0 }, "a head that reads in two ways");
	parse_mark_hops(head_r);
	return 0;
}
