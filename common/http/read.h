/* SPDX-License-Identifier: MIT */
/*
 * read: the way in. One call per direction that does all of it in the right
 * order (scan, parse, frame, host), so that no user can forget a check.
 */
#ifndef HTTP_READ_H
#define HTTP_READ_H

#include "common/base/bytes.h"
#include "common/http/fault.h"
#include "common/http/frame.h"
#include "common/http/head.h"
#include "common/http/host.h"
#include "common/http/scan.h"

struct http_request {
	struct http_head head;
	struct http_frame frame;
	/* The tenant's name, from an absolute target or Host. n is 0 only for
	 * HTTP/1.0 without Host. */
	struct http_host host;
};

struct http_response {
	struct http_head head;
	struct http_frame frame;
};

/*
 * Read a request head out of a growing buffer. scan: from http_scan_init, kept
 * between calls; so_far: as http_scan_feed, *borrowed* by req_r.
 * Returns 1: *req_r is filled, the body (if any) starts at
 * so_far.p + req_r->head.n_bytes, and the scan is ready for the next head;
 * 0: more is needed (req_r is undefined);
 * -EBADMSG, -EMSGSIZE: answer fault_r->status and close.
 */
int http_read_request(struct http_scan *scan, struct slice so_far,
    struct http_request *req_r, struct http_fault *fault_r);

/*
 * Read a response head; as http_read_request. asked: of the request that is
 * answered. After a response with frame.is_interim another one follows. A
 * client of its own (no proxy) uses it too; its faults all say 502.
 */
int http_read_response(struct http_scan *scan, struct slice so_far,
    struct http_asked *asked, struct http_response *res_r,
    struct http_fault *fault_r);

/* What to keep of a request for judging its answer. */
struct http_asked http_read_asked(const struct http_request *req);

#endif
