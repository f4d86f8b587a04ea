/* SPDX-License-Identifier: MIT */
/*
 * inbound: the head is copied whole and the slices of the parsed head are
 * moved over to the copy.
 */
#include "backend/inbound.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"

/* Equals no value that a field can have: NUL is refused in heads. */
static const struct slice inbound_twice = { "\0twice", 6 };

static const struct slice inbound_names[INBOUND_FIELDS] = {
	[INBOUND_VERSION] = { "MCP-Protocol-Version", 20 },
	[INBOUND_PEER] = { "Mcp-Session-Id", 14 },
	[INBOUND_METHOD] = { "Mcp-Method", 10 },
	[INBOUND_NAME] = { "Mcp-Name", 8 },
	[INBOUND_EVENT] = { "Last-Event-ID", 13 },
};

/* The same bytes in the copy. */
static struct slice
inbound_move(const struct inbound *in, struct slice s, struct slice bytes)
{
	return s.p ? (struct slice){ in->text + (s.p - bytes.p), s.n } : s;
}

/* Media types compare without their parameters (RFC 9110 8.3.1). */
static struct slice
inbound_bare(struct slice item)
{
	const char *semi = item.n ? memchr(item.p, ';', item.n) : NULL;

	if (semi)
		item.n = (size_t)(semi - item.p);
	return slice_trim(item);
}

static unsigned
inbound_accepts(struct slice list)
{
	unsigned accepts = 0;
	struct slice item;

	while (http_head_next(&list, &item)) {
		item = inbound_bare(item);
		if (slice_eq(item, SLICE("*/*")))
			accepts |= INBOUND_ACCEPT_JSON | INBOUND_ACCEPT_STREAM;
		else if (slice_caseeq(item, SLICE("application/json")) ||
			 slice_caseeq(item, SLICE("application/*")))
			accepts |= INBOUND_ACCEPT_JSON;
		else if (slice_caseeq(item, SLICE("text/event-stream")) ||
			 slice_caseeq(item, SLICE("text/*")))
			accepts |= INBOUND_ACCEPT_STREAM;
	}
	return accepts;
}

static void
inbound_keep_param(struct inbound *in, struct slice name, struct slice value)
{
	const struct slice prefix = SLICE("Mcp-Param-");

	if (name.n <= prefix.n ||
	    !slice_caseeq((struct slice){ name.p, prefix.n }, prefix))
		return;
	if (in->n_params == INBOUND_PARAMS_MAX) {
		in->has_too_many_params = true;
		return;
	}
	in->params[in->n_params++] =
	    (struct inbound_param){ { name.p + prefix.n, name.n - prefix.n },
		    value };
}

static void
inbound_keep_field(struct inbound *in, struct slice name, struct slice value)
{
	for (int i = 0; i < INBOUND_FIELDS; i++)
		if (slice_caseeq(name, inbound_names[i]))
			in->fields[i] = in->fields[i].p ? inbound_twice : value;
	inbound_keep_param(in, name, value);
	if (slice_caseeq(name, SLICE("Origin")))
		in->origin = in->origin.p ? inbound_twice : value;
	if (slice_caseeq(name, SLICE("Content-Type")))
		in->is_json = slice_caseeq(
		    inbound_bare(value), SLICE("application/json"));
	if (slice_caseeq(name, SLICE("Accept")))
		in->accepts |= inbound_accepts(value);
}

int
inbound_keep(
    struct inbound *in, const struct http_request *req, struct slice bytes)
{
	const struct http_head *head = &req->head;
	struct slice path = head->parts.path;
	const char *query;

	memset(in, 0, sizeof(*in));
	in->text = mem_alloc(head->n_bytes);
	if (!in->text)
		return -ENOMEM;
	memcpy(in->text, bytes.p, head->n_bytes);
	in->verb = head->verb;
	in->minor = head->minor;
	in->frame = req->frame;
	in->host = req->host;
	query = path.n ? memchr(path.p, '?', path.n) : NULL;
	if (query)
		path.n = (size_t)(query - path.p);
	in->path = inbound_move(in, path, bytes);
	for (size_t i = 0; i < head->n_fields; i++)
		inbound_keep_field(in,
		    inbound_move(in, head->fields[i].name, bytes),
		    inbound_move(in, head->fields[i].value, bytes));
	if (!http_head_find(head, HTTP_NAME_ACCEPT))
		in->accepts = INBOUND_ACCEPT_JSON | INBOUND_ACCEPT_STREAM;
	return 0;
}

void
inbound_fini(struct inbound *in)
{
	mem_free(in->text);
	memset(in, 0, sizeof(*in));
}

static bool
inbound_is_here(const char *name)
{
	return strcmp(name, "localhost") == 0 ||
	       strcmp(name, "127.0.0.1") == 0 || strcmp(name, "[::1]") == 0;
}

bool
inbound_host_allowed(const struct inbound *in, const char *host)
{
	return in->host.n > 0 && (strcmp(in->host.name, host) == 0 ||
				     inbound_is_here(in->host.name));
}

bool
inbound_origin_allowed(const struct inbound *in, const char *host)
{
	const struct slice schemes[] = { SLICE("http://"), SLICE("https://") };
	struct slice o = in->origin;
	struct http_host of;
	const char *why;

	if (!o.p)
		return true;
	for (size_t i = 0; i < 2; i++) {
		const struct slice s = schemes[i];

		if (o.n <= s.n || memcmp(o.p, s.p, s.n) != 0)
			continue;
		o = (struct slice){ o.p + s.n, o.n - s.n };
		return http_host_parse(o, &of, &why) == 0 &&
		       (strcmp(of.name, host) == 0 || inbound_is_here(of.name));
	}
	return false;
}
