/* SPDX-License-Identifier: MIT */
/*
 * frame: decides where the body of a message ends, whether the connection can
 * be used again, and what else the head asks of the connection (RFC 9112 6.3,
 * 9.3; RFC 9110 7.8, 10.1.1). Pure.
 */
#ifndef HTTP_FRAME_H
#define HTTP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/http/fault.h"
#include "common/http/head.h"

enum http_delim {
	HTTP_DELIM_NONE,    /* no body, and no field speaks of one */
	HTTP_DELIM_LENGTH,  /* Content-Length bytes, may be 0 */
	HTTP_DELIM_CHUNKED, /* Transfer-Encoding: chunked */
	HTTP_DELIM_CLOSE,   /* until the backend closes; responses only */
};

struct http_frame {
	enum http_delim delim; /* the body that follows the head */
	enum http_delim
	    announced;         /* what the fields say; differs for HEAD, 304 */
	uint64_t length;       /* with either LENGTH; else 0 */
	bool persists;         /* the connection can be used again */
	bool expects_continue; /* requests: send 100 before the body comes */
	bool upgrades;         /* asks for websocket; responses: 101 */
	bool is_interim;       /* responses: 1xx but not 101 */
};

/* What an answer must be judged by: a request in 8 bytes, kept meanwhile. */
struct http_asked {
	bool is_head;
	bool upgrades;     /* an upgrade was passed on */
	bool persists;     /* the client's connection can be used again */
	uint8_t minor;     /* of the client */
	uint8_t n_interim; /* 1xx that came; counted by http_frame_response */
};

#define HTTP_INTERIM_MAX 8

/*
 * Decide on a request. Returns 0 or -EBADMSG; faults: 400 a body on CONNECT,
 * TRACE or an upgrade, an upgrade to anything but websocket (h2c is ignored);
 * 417 Expect; 501 CONNECT.
 */
int http_frame_request(const struct http_head *head, struct http_frame *frame_r,
    struct http_fault *fault_r);

/*
 * Decide on a response to what was asked. Returns 0 or -EBADMSG with fault
 * 502: a ninth 1xx, a 1xx with a body, a 101 that nobody asked for or that is
 * not for websocket. A body on 204 is not read and persists is false; a body
 * on HEAD or 304 shows as bytes after the head: the caller drops the
 * connection when it finds any.
 */
int http_frame_response(const struct http_head *head, struct http_asked *asked,
    struct http_frame *frame_r, struct http_fault *fault_r);

#endif
