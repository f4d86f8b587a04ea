/* SPDX-License-Identifier: MIT */
/*
 * Event streams: whole and in pieces the events are the same, and an event
 * that is written anew is read as itself.
 */
#include "tests/fuzz/fuzz.h"

#include "common/http/sse.h"

#define FUZZ_EVENT_MAX 512
#define FUZZ_LOG_MAX   65536

/* All events of a stream, one behind the other. */
struct outcome {
	int rc;
	size_t n;
	char log[FUZZ_LOG_MAX];
};

static struct outcome whole, cut;
static char storage[4 * FUZZ_EVENT_MAX + 1024];

static void
log_event(struct outcome *o, const struct http_sse_event *e)
{
	const struct slice parts[] = {
		e->type,
		e->id,
		e->data,
		{ (const char *)&e->retry_ms, sizeof(e->retry_ms) },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n + 1 > FUZZ_LOG_MAX - o->n)
			return;
		memcpy(o->log + o->n, parts[i].p, parts[i].n);
		o->n += parts[i].n;
		o->log[o->n++] = '|';
	}
}

/* Write one event and read it: it must be itself, but for ends of lines. */
static void
check_again(const struct http_sse_event *e)
{
	struct http_sse sse;
	struct http_sse_event got;
	struct buf out;
	size_t used;

	buf_init_static(&out, storage, sizeof(storage));
	fuzz_must(http_sse_add(&out, e) == 0);
	fuzz_must(buf_len(&out) == http_sse_size(e));
	http_sse_init(&sse, FUZZ_EVENT_MAX);
	fuzz_must(http_sse_feed(&sse, buf_content(&out), &used, &got) == 1);
	fuzz_must(used == buf_len(&out));
	fuzz_must(slice_eq(got.type, e->type) && slice_eq(got.id, e->id));
	fuzz_must(slice_eq(got.data, e->data));
	fuzz_must(got.retry_ms == e->retry_ms);
	http_sse_fini(&sse);
}

static void
read_stream(struct fuzz *f, struct slice in, struct outcome *o)
{
	struct http_sse sse;

	o->rc = 0;
	o->n = 0;
	http_sse_init(&sse, FUZZ_EVENT_MAX);
	while (o->rc >= 0 && in.n) {
		const size_t n = f ? fuzz_piece(f, in.n) : in.n;
		char *const piece = fuzz_copy((struct slice){ in.p, n });
		struct http_sse_event event;
		size_t used = 0;

		o->rc = http_sse_feed(
		    &sse, (struct slice){ piece, n }, &used, &event);
		if (o->rc == 1) {
			/* A NUL may stand in a type that is read. */
			if (!memchr(event.type.p, '\0', event.type.n))
				check_again(&event);
			log_event(o, &event);
		}
		fuzz_must(o->rc != 0 || used == n);
		in = (struct slice){ in.p + used, in.n - used };
		free(piece);
	}
	http_sse_fini(&sse);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz f = { data, n, 0 };

	f.cut = fuzz_byte(&f);
	const struct slice in = { (const char *)f.p, f.n };

	read_stream(NULL, in, &whole);
	read_stream(&f, in, &cut);
	fuzz_must((whole.rc < 0) == (cut.rc < 0));
	fuzz_must(whole.n == cut.n);
	fuzz_must(memcmp(whole.log, cut.log, whole.n) == 0);
	return 0;
}
