/* SPDX-License-Identifier: MIT */
/* read: scan, parse, frame and host, in this order. */
#include "common/http/read.h"

#include <errno.h>

#include "common/http/parse.h"

#define READ_PORT_HTTP  80
#define READ_PORT_HTTPS 443

/* Whether two authorities are one, with the scheme's port as the default. */
static bool
read_is_same_host(
    const struct http_host *a, const struct http_host *b, bool is_https)
{
	const int usual = is_https ? READ_PORT_HTTPS : READ_PORT_HTTP;
	const int port_a = a->port < 0 ? usual : a->port;
	const int port_b = b->port < 0 ? usual : b->port;

	return port_a == port_b && slice_eq((struct slice){ a->name, a->n },
				       (struct slice){ b->name, b->n });
}

/* RFC 9112 3.2.2, 3.3: the target says the host, and Host must agree. */
static int
read_host(const struct http_head *head, struct http_host *host_r,
    struct http_fault *fault_r)
{
	const struct http_field *const field =
	    http_head_find(head, HTTP_NAME_HOST);
	const bool is_absolute = head->parts.form == HTTP_FORM_ABSOLUTE;
	const char *why;

	*host_r = (struct http_host){ .port = -1 };
	/* Scan has checked both, so neither of these can fail. */
	if (field)
		http_host_parse(field->value, host_r, &why);
	if (!is_absolute)
		return 0;
	struct http_host named;

	http_host_parse(head->parts.authority, &named, &why);
	if (field && !read_is_same_host(&named, host_r, head->parts.is_https))
		return http_fault_set(fault_r, 400,
		    (size_t)(field->name.p - head->start), field->name,
		    "another host than in the target");
	*host_r = named;
	return 0;
}

/* The part both directions share. */
static int
read_head(struct http_scan *scan, struct slice so_far, struct http_head *head_r,
    struct http_fault *fault_r)
{
	size_t n;
	int rc = http_scan_feed(scan, so_far, &n, fault_r);

	if (rc <= 0)
		return rc;
	rc = http_parse_head(
	    scan, (struct slice){ so_far.p, n }, head_r, fault_r);
	http_scan_init(scan, scan->kind);
	return rc < 0 ? rc : 1;
}

int
http_read_request(struct http_scan *scan, struct slice so_far,
    struct http_request *req_r, struct http_fault *fault_r)
{
	int rc = read_head(scan, so_far, &req_r->head, fault_r);

	if (rc <= 0)
		return rc;
	rc = http_frame_request(&req_r->head, &req_r->frame, fault_r);
	if (rc < 0)
		return rc;
	rc = read_host(&req_r->head, &req_r->host, fault_r);
	return rc < 0 ? rc : 1;
}

int
http_read_response(struct http_scan *scan, struct slice so_far,
    struct http_asked *asked, struct http_response *res_r,
    struct http_fault *fault_r)
{
	int rc = read_head(scan, so_far, &res_r->head, fault_r);

	if (rc <= 0)
		return rc;
	rc = http_frame_response(&res_r->head, asked, &res_r->frame, fault_r);
	return rc < 0 ? rc : 1;
}

struct http_asked
http_read_asked(const struct http_request *req)
{
	return (struct http_asked){
		.is_head = req->head.verb == HTTP_VERB_HEAD,
		.upgrades = req->frame.upgrades,
		.persists = req->frame.persists,
		.minor = (uint8_t)req->head.minor,
	};
}
