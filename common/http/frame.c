/* SPDX-License-Identifier: MIT */
/*
 * frame: RFC 9112 6.3, by rows where there are rows:
 *	1xx, 204, 304, and any answer to HEAD    no body
 *	Transfer-Encoding                        chunked (scan took no other)
 *	Content-Length                           that many bytes
 *	neither, in a request                    no body
 *	neither, in a response                   until close
 */
#include "common/http/frame.h"

#include <errno.h>

/* Refuse because of a field. */
static int
frame_refuse(const struct http_head *head, enum http_name id, int status,
    const char *why, struct http_fault *fault_r)
{
	const struct http_field *const field = http_head_find(head, id);
	const size_t at = field ? (size_t)(field->name.p - head->start) : 0;

	return http_fault_set(fault_r, status, at, http_name_text(id), why);
}

/* What the fields say of a body. */
static void
frame_announce(const struct http_head *head, struct http_frame *frame)
{
	const struct slice length =
	    http_head_value(head, HTTP_NAME_CONTENT_LENGTH);

	if (http_head_find(head, HTTP_NAME_TRANSFER_ENCODING)) {
		frame->announced = HTTP_DELIM_CHUNKED;
		return;
	}
	if (!length.p)
		return;
	frame->announced = HTTP_DELIM_LENGTH;
	/* Scan has made sure of at most 18 digits. */
	for (size_t i = 0; i < length.n; i++)
		frame->length =
		    frame->length * 10 + (uint64_t)(length.p[i] - '0');
}

/* Whether bytes of a body are announced. */
static bool
frame_has_body(const struct http_frame *frame)
{
	return frame->announced == HTTP_DELIM_CHUNKED || frame->length > 0;
}

/* RFC 9112 9.3 */
static bool
frame_persists(const struct http_head *head)
{
	if (http_head_has_token(head, HTTP_NAME_CONNECTION, SLICE("close")))
		return false;
	return head->minor == 1 ||
	       http_head_has_token(
		   head, HTTP_NAME_CONNECTION, SLICE("keep-alive"));
}

/*
 * RFC 9110 10.1.1; an HTTP/1.0 client cannot wait for a 100, but to ask for
 * something else is wrong there too.
 */
static int
frame_expect(const struct http_head *head, struct http_frame *frame,
    struct http_fault *fault_r)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		const struct http_field *const field = &head->fields[i];

		if (field->id != HTTP_NAME_EXPECT)
			continue;
		if (!slice_caseeq(field->value, SLICE("100-continue")))
			return frame_refuse(head, HTTP_NAME_EXPECT, 417,
			    "anything but 100-continue", fault_r);
		frame->expects_continue =
		    head->minor == 1 && frame_has_body(frame);
	}
	return 0;
}

/*
 * RFC 9110 7.8: an Upgrade is for this connection only when Connection says
 * so, and never in HTTP/1.0. h2c may be offered and is not taken.
 */
static int
frame_upgrade(const struct http_head *head, struct http_frame *frame,
    struct http_fault *fault_r)
{
	bool is_websocket = false;

	for (size_t i = 0; i < head->n_fields; i++) {
		struct slice list = head->fields[i].value;
		struct slice item;

		if (head->fields[i].id != HTTP_NAME_UPGRADE)
			continue;
		while (http_head_next(&list, &item)) {
			if (slice_caseeq(item, SLICE("websocket")))
				is_websocket = true;
			else if (!slice_caseeq(item, SLICE("h2c")))
				return frame_refuse(head, HTTP_NAME_UPGRADE,
				    400, "anything but websocket", fault_r);
		}
	}
	frame->upgrades =
	    is_websocket && head->minor == 1 &&
	    http_head_has_token(head, HTTP_NAME_CONNECTION, SLICE("upgrade"));
	if (!frame->upgrades)
		return 0;
	if (head->verb != HTTP_VERB_GET)
		return frame_refuse(head, HTTP_NAME_UPGRADE, 400,
		    "websocket with a method other than GET", fault_r);
	if (frame_has_body(frame))
		return frame_refuse(head, HTTP_NAME_UPGRADE, 400,
		    "an upgrade with a body", fault_r);
	return 0;
}

int
http_frame_request(const struct http_head *head, struct http_frame *frame_r,
    struct http_fault *fault_r)
{
	const struct slice none = { NULL, 0 };

	*frame_r = (struct http_frame){ .persists = frame_persists(head) };
	frame_announce(head, frame_r);
	frame_r->delim = frame_r->announced;
	if (frame_has_body(frame_r) &&
	    (head->verb == HTTP_VERB_CONNECT || head->verb == HTTP_VERB_TRACE))
		return http_fault_set(
		    fault_r, 400, 0, none, "a body with CONNECT or TRACE");
	const int rc = frame_upgrade(head, frame_r, fault_r);

	if (rc < 0)
		return rc;
	if (head->verb == HTTP_VERB_CONNECT)
		return http_fault_set(fault_r, 501, 0, none,
		    "CONNECT, which nothing here offers");
	return frame_expect(head, frame_r, fault_r);
}

/* 1xx: neither has a body; only one that was asked for switches. */
static int
frame_interim(const struct http_head *head, struct http_asked *asked,
    struct http_frame *frame, struct http_fault *fault_r)
{
	const struct slice none = { NULL, 0 };

	if (frame_has_body(frame))
		return http_fault_set(
		    fault_r, 502, 0, none, "an interim response with a body");
	frame->announced = HTTP_DELIM_NONE;
	if (head->status != 101) {
		frame->is_interim = true;
		if (++asked->n_interim > HTTP_INTERIM_MAX)
			return http_fault_set(fault_r, 502, 0, none,
			    "more than 8 interim responses");
		return 0;
	}
	if (!asked->upgrades)
		return http_fault_set(fault_r, 502, 0, none,
		    "a switch of protocols that was not asked for");
	if (!slice_caseeq(
		http_head_value(head, HTTP_NAME_UPGRADE), SLICE("websocket")) ||
	    !http_head_has_token(head, HTTP_NAME_CONNECTION, SLICE("upgrade")))
		return frame_refuse(head, HTTP_NAME_UPGRADE, 502,
		    "a switch to anything but websocket", fault_r);
	frame->upgrades = true;
	frame->persists = false;
	return 0;
}

int
http_frame_response(const struct http_head *head, struct http_asked *asked,
    struct http_frame *frame_r, struct http_fault *fault_r)
{
	*frame_r = (struct http_frame){ .persists = frame_persists(head) };
	frame_announce(head, frame_r);
	if (head->status < 200)
		return frame_interim(head, asked, frame_r, fault_r);
	if (head->status == 204) {
		frame_r->persists &= !frame_has_body(frame_r);
		frame_r->announced = HTTP_DELIM_NONE;
		frame_r->length = 0;
		return 0;
	}
	if (head->status == 304 && frame_r->announced == HTTP_DELIM_CHUNKED)
		frame_r->announced = HTTP_DELIM_NONE;
	if (asked->is_head || head->status == 304)
		return 0;
	frame_r->delim = frame_r->announced;
	if (frame_r->delim == HTTP_DELIM_NONE) {
		frame_r->delim = frame_r->announced = HTTP_DELIM_CLOSE;
		frame_r->persists = false;
	}
	return 0;
}
