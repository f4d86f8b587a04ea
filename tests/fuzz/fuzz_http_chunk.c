/* SPDX-License-Identifier: MIT */
/*
 * Chunked bodies: whole and in pieces the verdict and the data are one, and
 * data that is encoded anew decodes to itself.
 */
#include "tests/fuzz/fuzz.h"

#include "common/http/body.h"

#define FUZZ_DATA_MAX 65536

struct outcome {
	int rc;
	size_t used;
	size_t n;
	struct http_fault fault;
	char data[FUZZ_DATA_MAX];
};

static struct outcome whole, cut, again;
static char storage[2 * FUZZ_DATA_MAX];

static void
decode(struct fuzz *f, struct slice in, uint64_t max_bytes, struct outcome *o)
{
	const struct http_frame frame = { .delim = HTTP_DELIM_CHUNKED };
	struct http_body body;

	o->rc = 0;
	o->used = o->n = 0;
	fuzz_must(http_body_init(&body, HTTP_KIND_REQUEST, &frame, max_bytes,
		      &o->fault) == 0);
	while (o->rc == 0 && o->used < in.n) {
		const size_t left = in.n - o->used;
		const size_t n = f ? fuzz_piece(f, left) : left;
		char *const piece =
		    fuzz_copy((struct slice){ in.p + o->used, n });
		struct slice data;
		size_t used;

		o->rc = http_body_feed(
		    &body, (struct slice){ piece, n }, &used, &data, &o->fault);
		if (o->rc >= 0) {
			fuzz_must(used <= n && (used || o->rc == 1));
			fuzz_must(data.n <= used);
			memcpy(o->data + o->n, data.p, data.n);
			o->n += data.n;
			o->used += used;
		}
		free(piece);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz f = { data, n, 0 };
	const uint64_t max_bytes = fuzz_byte(&f) << 4;
	struct buf out;

	f.cut = fuzz_byte(&f);
	const struct slice in = { (const char *)f.p, f.n };

	if (in.n > FUZZ_DATA_MAX)
		return 0;
	decode(NULL, in, max_bytes, &whole);
	decode(&f, in, max_bytes, &cut);
	fuzz_must(whole.rc == cut.rc);
	if (whole.rc < 0) {
		fuzz_must(strcmp(whole.fault.text, cut.fault.text) == 0);
		return 0;
	}
	fuzz_must(whole.n == cut.n && whole.used == cut.used);
	fuzz_must(memcmp(whole.data, cut.data, whole.n) == 0);
	buf_init_static(&out, storage, sizeof(storage));
	for (size_t at = 0; at < whole.n;) {
		const size_t run = fuzz_piece(&f, whole.n - at);

		fuzz_must(http_chunk_add(&out,
			      (struct slice){ whole.data + at, run }) == 0 ||
			  buf_room(&out) < run + 20);
		if (buf_room(&out) < run + 20)
			return 0;
		at += run;
	}
	fuzz_must(http_chunk_last(&out) == 0);
	decode(&f, buf_content(&out), HTTP_BODY_NO_MAX, &again);
	fuzz_must(again.rc == 1 && again.n == whole.n);
	fuzz_must(memcmp(again.data, whole.data, whole.n) == 0);
	return 0;
}
