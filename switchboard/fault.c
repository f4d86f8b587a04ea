/* SPDX-License-Identifier: MIT */
/* fault: the table of our own answers. */
#include "switchboard/fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/must.h"
#include "common/http/write.h"

#define FAULT_BODY_BYTES 4096

struct fault_row {
	int status;
	unsigned retry_after_s; /* 0: no Retry-After */
	bool closes;            /* what follows cannot be trusted or read */
	const char *allow;
	const char *text;
};

static const struct fault_row fault_rows[FAULT_COUNT] = {
	[FAULT_BAD_REQUEST] = { 400, 0, true, NULL,
	    "the request is not valid HTTP/1.1" },
	[FAULT_UNKNOWN_HOST] = { 404, 0, false, NULL,
	    "no tenant has this host name" },
	[FAULT_NO_PATH] = { 404, 0, false, NULL,
	    "the admin address has /__switchboard/health, "
	    "/__switchboard/servers and /__switchboard/events" },
	[FAULT_METHOD] = { 405, 0, false, "GET, HEAD",
	    "only GET and HEAD are answered here" },
	[FAULT_TIMEOUT] = { 408, 0, true, NULL,
	    "the request did not arrive in time" },
	[FAULT_TOO_LARGE] = { 413, 0, true, NULL, "the body is too large" },
	[FAULT_TARGET] = { 414, 0, true, NULL, "the target is too long" },
	[FAULT_EXPECT] = { 417, 0, true, NULL,
	    "no expectation but 100-continue is met" },
	[FAULT_FIELDS] = { 431, 0, true, NULL,
	    "the head has too many bytes or fields" },
	[FAULT_NO_METHOD] = { 501, 0, true, NULL,
	    "this method is not implemented" },
	[FAULT_BACKEND] = { 502, 0, false, NULL,
	    "the backend gave no valid answer" },
	[FAULT_START_FAILED] = { 502, 0, false, NULL,
	    "the backend could not be started" },
	[FAULT_UNAVAILABLE] = { 503, 1, false, NULL,
	    "there is no room for this backend now" },
	[FAULT_START_SLOW] = { 504, 0, false, NULL,
	    "the backend was not ready in time" },
	[FAULT_BACKEND_STALLS] = { 504, 0, true, NULL,
	    "the backend does not read the request" },
	[FAULT_WAITING] = { 503, 1, false, NULL,
	    "too many requests wait for this backend to start" },
	[FAULT_QUEUE] = { 503, 1, false, NULL,
	    "the backend does not accept connections" },
	[FAULT_SHORT] = { 503, 1, false, NULL,
	    "the switchboard is short of memory or descriptors" },
	[FAULT_READERS] = { 503, 5, false, NULL,
	    "enough clients read events already" },
	[FAULT_ENDING] = { 503, 1, true, NULL, "the service is shutting down" },
};

int
fault_status(enum fault fault)
{
	must(fault < FAULT_COUNT);
	return fault_rows[fault].status;
}

const char *
fault_text(enum fault fault)
{
	must(fault < FAULT_COUNT);
	return fault_rows[fault].text;
}

bool
fault_closes(enum fault fault)
{
	must(fault < FAULT_COUNT);
	return fault_rows[fault].closes;
}

enum fault
fault_of_status(unsigned status)
{
	static const struct {
		unsigned status;
		enum fault fault;
	} rows[] = {
		{ 400, FAULT_BAD_REQUEST },
		{ 404, FAULT_UNKNOWN_HOST },
		{ 413, FAULT_TOO_LARGE },
		{ 414, FAULT_TARGET },
		{ 417, FAULT_EXPECT },
		{ 431, FAULT_FIELDS },
		{ 501, FAULT_NO_METHOD },
		{ 502, FAULT_START_FAILED },
		{ 503, FAULT_UNAVAILABLE },
		{ 504, FAULT_START_SLOW },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].fault;
	return FAULT_BACKEND;
}

/*
 * Append text inside a JSON string. Bytes beyond ASCII become '?': a backend's
 * last words need not be UTF-8, a JSON text must.
 */
static void
fault_add_escaped(struct buf *body, const char *text)
{
	for (; *text && buf_room(body) > 64; text++) {
		const unsigned char c = (unsigned char)*text;
		int rc;

		if (c == '"' || c == '\\')
			rc = buf_addf(body, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			rc = buf_addf(body, "\\u%04x", c);
		else
			rc = buf_add(body, c < 0x80 ? (char *)&c : "?", 1);
		must(rc == 0);
	}
}

/* The body of an answer. */
static void
fault_compose(struct buf *body, const struct fault_said *said)
{
	const struct fault_row *const row = &fault_rows[said->fault];
	const char *const text =
	    said->text && said->text[0] ? said->text : row->text;

	must(buf_addf(body, "{\"error\":\"%s\",\"message\":\"",
		 http_write_reason(row->status)) == 0);
	must(strlen(said->request_id) <= 128);
	body->cap -= 256; /* for what follows the message */
	fault_add_escaped(body, text);
	body->cap += 256;
	must(buf_addf(body, "\",\"requestId\":\"%s\"}\n", said->request_id) ==
	     0);
}

/* The head of an answer, all but its end. */
static void
fault_add_head(struct http_writer *w, struct buf *out,
    const struct fault_said *said, size_t n_body)
{
	const struct fault_row *const row = &fault_rows[said->fault];
	const unsigned retry_s =
	    said->retry_after_s ? said->retry_after_s : row->retry_after_s;

	http_write_status(w, out, row->status, SLICE(""));
	http_write_known(w, HTTP_NAME_CONTENT_TYPE, SLICE("application/json"));
	http_write_length(w, n_body);
	http_write_known(w, HTTP_NAME_X_REQUEST_ID, slice_of(said->request_id));
	if (row->allow)
		http_write_field(w, SLICE("Allow"), slice_of(row->allow));
	if (retry_s) {
		char text[16];

		snprintf(text, sizeof(text), "%u", retry_s);
		http_write_field(w, SLICE("Retry-After"), slice_of(text));
	}
	if (!said->persists)
		http_write_known(w, HTTP_NAME_CONNECTION, SLICE("close"));
	else if (said->minor == 0)
		http_write_known(w, HTTP_NAME_CONNECTION, SLICE("keep-alive"));
}

int
fault_write(struct buf *out, const struct fault_said *said, size_t *n_body_r)
{
	char storage[FAULT_BODY_BYTES];
	struct buf body;
	struct http_writer w;

	must(said->fault < FAULT_COUNT && said->request_id);
	buf_init_static(&body, storage, sizeof(storage));
	fault_compose(&body, said);
	*n_body_r = buf_len(&body);
	const size_t before = buf_len(out);
	fault_add_head(&w, out, said, *n_body_r);
	int rc = http_write_end(&w);
	if (rc == 0 && !said->is_head)
		rc = buf_add_slice(out, buf_content(&body));
	if (rc < 0)
		out->tail = out->head + before;
	return rc;
}
