/* SPDX-License-Identifier: MIT */
/* admin: health, servers and events, for the operator. */
#include "switchboard/admin.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/base/random.h"
#include "common/http/read.h"
#include "common/http/write.h"
#include "common/json/jsontext.h"

#include "switchboard/block.h"
#include "switchboard/feed.h"
#include "switchboard/fault.h"
#include "switchboard/limits.h"
#include "switchboard/route.h"
#include "switchboard/jack.h"

#define ADMIN_MAGIC 0x61646d69u

/* Owned by itself, freed from the loop after its jack was closed. */
struct admin {
	uint32_t magic;
	struct jack jack;
	struct http_scan scan;
	bool is_answered;          /* everything is out or on its way */
	struct feed_reader reader; /* of a stream of events */
	char *text;        /* the body, owned; NULL when it is in jack.out */
	struct slice body; /* the part of text still to be written */
	TAILQ_ENTRY(admin) link;
	struct loop_defer defer;
};

static struct {
	TAILQ_HEAD(, admin) all;
	unsigned n;
	bool is_full;
	void (*on_room)(void);
} admins = { .all = TAILQ_HEAD_INITIALIZER(admins.all) };

/* The servers of an answer. */
struct admin_servers {
	json_t *array;
	bool is_short; /* one is missing: no memory */
};

static void
admin_add_take(struct admin_servers *servers, json_t *server)
{
	if (json_array_append_new(servers->array, server) < 0)
		servers->is_short = true;
}

static void
admin_add_health(const struct route *route, void *arg)
{
	admin_add_take(
	    arg, json_pack("{s:s, s:o, s:i, s:I}", "hostname", route->host,
		     "socket", jsontext_string(route->socket), "pid",
		     (int)route->pid, "uptime",
		     (json_int_t)(clock_wall_ms() - route->started_wall_ms)));
}

static void
admin_add_server(const struct route *route, void *arg)
{
	char at[CLOCK_ISO_SIZE];

	admin_add_take(arg,
	    json_pack("{s:s, s:o, s:i, s:s}", "hostname", route->host, "socket",
		jsontext_string(route->socket), "pid", (int)route->pid,
		"startedAt", clock_iso(route->started_wall_ms, at)));
}

/* What stands where. */
static const struct {
	struct slice path;
	const char *status; /* NULL: no such member */
	void (*add)(const struct route *route, void *arg); /* NULL: a stream */
} admin_paths[] = {
	{ { "/__switchboard/health", 21 }, "ok", admin_add_health },
	{ { "/__switchboard/servers", 22 }, NULL, admin_add_server },
	{ { "/__switchboard/events", 21 }, NULL, NULL },
};

static void
admin_on_free(void *arg)
{
	struct admin *const a = arg;

	mem_free(a->text);
	mem_free(a);
}

static void
admin_close(struct admin *a)
{
	must_be(a, ADMIN_MAGIC);
	feed_leave(&a->reader);
	TAILQ_REMOVE(&admins.all, a, link);
	admins.n--;
	jack_close(&a->jack);
	loop_defer(&a->defer, admin_on_free, a);
	if (admins.is_full && admins.on_room) {
		admins.is_full = false;
		admins.on_room();
	}
}

/* The row of a path, or -1. A query is no part of it. */
static int
admin_find(struct slice path)
{
	const char *const query = path.n ? memchr(path.p, '?', path.n) : NULL;

	if (query)
		path.n = (size_t)(query - path.p);
	for (size_t i = 0; i < sizeof(admin_paths) / sizeof(admin_paths[0]);
	     i++)
		if (slice_eq(path, admin_paths[i].path))
			return (int)i;
	return -1;
}

/* The body of a row as *new* text (mem_free), or NULL: no memory. */
static char *
admin_compose(int row)
{
	const char *const status = admin_paths[row].status;
	struct admin_servers servers = { .array = json_array() };
	json_t *const root = json_object();
	int rc = 0;

	route_each(admin_paths[row].add, &servers);
	if (status)
		rc = json_object_set_new(root, "status", json_string(status));
	rc |= json_object_set_new(root, "servers", servers.array);
	char *const text =
	    rc == 0 && !servers.is_short ? jsontext_dump(root, SIZE_MAX) : NULL;
	json_decref(root);
	return text;
}

static int
admin_refuse(struct admin *a, enum fault fault, const char *text,
    const struct http_request *req)
{
	char id[RANDOM_ID_SIZE];
	const struct fault_said said = {
		.fault = fault,
		.text = text,
		.request_id = random_id(id),
		.is_head = req && req->head.verb == HTTP_VERB_HEAD,
		.minor = 1,
	};
	size_t n_body;

	return fault_write(&a->jack.out, &said, &n_body);
}

static int
admin_answer_row(struct admin *a, const struct http_request *req, int row)
{
	struct http_writer w;

	a->text = admin_compose(row);
	if (!a->text)
		return admin_refuse(a, FAULT_SHORT, NULL, req);
	const struct slice body = slice_of(a->text);
	http_write_status(&w, &a->jack.out, 200, SLICE(""));
	http_write_known(&w, HTTP_NAME_CONTENT_TYPE, SLICE("application/json"));
	http_write_length(&w, body.n);
	http_write_known(&w, HTTP_NAME_CONNECTION, SLICE("close"));
	if (req->head.verb != HTTP_VERB_HEAD)
		a->body = body;
	return http_write_end(&w);
}

static void
admin_on_cut(void *arg)
{
	struct admin *const a = arg;

	/* By reset, so that it is not taken for the end of the stream. */
	feed_leave(&a->reader);
	jack_reset(&a->jack);
	admin_close(a);
}

/* The head of a stream of events; the rest comes as it happens. */
static int
admin_answer_stream(struct admin *a, const struct http_request *req)
{
	struct http_writer w;

	if (feed_is_full())
		return admin_refuse(a, FAULT_READERS, NULL, req);
	const bool is_chunked = req->head.minor >= 1;
	http_write_status(&w, &a->jack.out, 200, SLICE(""));
	http_write_known(
	    &w, HTTP_NAME_CONTENT_TYPE, SLICE("text/event-stream"));
	http_write_field(&w, SLICE("Cache-Control"), SLICE("no-store"));
	if (is_chunked)
		http_write_chunked(&w);
	http_write_known(&w, HTTP_NAME_CONNECTION, SLICE("close"));
	const int rc = http_write_end(&w);
	if (rc < 0 || req->head.verb == HTTP_VERB_HEAD)
		return rc;
	a->reader = (struct feed_reader){ .is_chunked = is_chunked,
		.jack = &a->jack,
		.on_cut = admin_on_cut,
		.arg = a };
	feed_join(&a->reader);
	return 0;
}

/* Put the answer to a request into the jack. */
static int
admin_answer(struct admin *a, const struct http_request *req)
{
	const int row = admin_find(req->head.parts.path);

	if (row < 0)
		return admin_refuse(a, FAULT_NO_PATH, NULL, req);
	if (req->head.verb != HTTP_VERB_GET && req->head.verb != HTTP_VERB_HEAD)
		return admin_refuse(a, FAULT_METHOD, NULL, req);
	return admin_paths[row].add ? admin_answer_row(a, req, row)
	                            : admin_answer_stream(a, req);
}

/* Write what is left; then the client's end is awaited. */
static void
admin_flush(struct admin *a)
{
	int rc = 0;

	if (a->reader.is_in) {
		jack_deadline(&a->jack, clock_now_ms() + LIMIT_PING_MS);
		feed_flush(&a->reader);
		return;
	}
	if (buf_len(&a->jack.out))
		rc = jack_write(&a->jack, NULL);
	if (rc == 0 && a->body.n)
		rc = jack_write(&a->jack, &a->body);
	if (rc == 0) {
		jack_shut(&a->jack);
	} else if (!a->jack.stalled_at_ms) {
		admin_close(a);
		return;
	}
	jack_watch(&a->jack, 1);
	jack_deadline(&a->jack, clock_now_ms() + LIMIT_LINGER_MS);
}

/* Read the head; answer when it is whole or wrong. */
static void
admin_read_head(struct admin *a)
{
	static struct http_request req;
	struct http_fault fault;

	int rc =
	    http_read_request(&a->scan, buf_content(&a->jack.in), &req, &fault);
	if (rc == 0)
		return;
	const bool is_good = rc == 1;
	a->is_answered = true;
	rc = block_lend(&a->jack.out);
	if (rc == 0)
		rc = is_good ? admin_answer(a, &req)
		             : admin_refuse(a,
				   fault_of_status((unsigned)fault.status),
				   fault.text, NULL);
	if (rc < 0)
		admin_close(a);
	else
		admin_flush(a);
}

static void
admin_on_ready(unsigned events, void *arg)
{
	struct admin *const a = arg;
	ssize_t n = 1;

	must_be(a, ADMIN_MAGIC);
	if (events & LOOP_READ)
		n = a->is_answered ? jack_discard(&a->jack)
		                   : jack_read(&a->jack);
	if (n <= 0 && n != -EAGAIN)
		admin_close(a);
	else if (!a->is_answered)
		admin_read_head(a);
	else if (events & LOOP_WRITE)
		admin_flush(a);
}

static void
admin_on_due(void *arg)
{
	struct admin *const a = arg;

	if (!a->reader.is_in) {
		admin_close(a);
		return;
	}
	jack_deadline(&a->jack, clock_now_ms() + LIMIT_PING_MS);
	feed_ping(&a->reader);
}

int
admin_start_take(int fd, const struct sockaddr_storage *sa)
{
	struct admin *const a = mem_zalloc(1, sizeof(*a));

	if (!a) {
		fd_close(&fd);
		return -ENOMEM;
	}
	a->magic = ADMIN_MAGIC;
	http_scan_init(&a->scan, HTTP_KIND_REQUEST);
	jack_open_take(&a->jack, fd, admin_on_ready, admin_on_due, a);
	TAILQ_INSERT_TAIL(&admins.all, a, link);
	admins.n++;
	jack_watch(&a->jack, 1);
	jack_deadline(&a->jack, clock_now_ms() + LIMIT_HEAD_MS);
	return 0;
}

bool
admin_is_full(void)
{
	admins.is_full = admins.n >= LIMIT_ADMIN_CLIENTS;
	return admins.is_full;
}

void
admin_open(void (*on_room)(void))
{
	admins.on_room = on_room;
}

void
admin_quit(void)
{
	struct admin *a;

	admins.on_room = NULL;
	feed_quit();
	while ((a = TAILQ_FIRST(&admins.all)))
		admin_close(a);
}
