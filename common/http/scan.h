/* SPDX-License-Identifier: MIT */
/*
 * scan: the strict check of a message head (RFC 9112 2 to 5 and
 * 6.1 to 6.3), incremental. It looks at each byte once however the head is cut
 * into pieces, and refuses at the first byte that cannot be right. What has
 * passed it is safe for any tokenizer. Owns nothing, allocates nothing.
 */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/http/fault.h"
#include "common/http/head.h"

/* Embedded in its owner; all members are private to scan.c and parse.c. */
struct http_scan {
	enum http_kind kind;
	uint8_t state;
	bool is_blank_skipped; /* the one empty line before a request line */
	int minor;
	int status;
	size_t at;       /* the next byte to look at */
	size_t start;    /* where the part being read starts */
	size_t begin;    /* where the start line begins */
	size_t method_n; /* bytes of the method */
	size_t name_at;  /* where the current field's name starts */
	size_t name_n;
	uint8_t name_id;
	uint64_t seen; /* bit set of enum http_name */
	unsigned n_fields;
	unsigned n_options;
};

/* Start on a new head. */
void http_scan_init(struct http_scan *scan, enum http_kind kind);

/*
 * Look at a head that is still growing. so_far: all bytes of the message so
 * far, from its first one on; the memory may have moved since the last call,
 * the bytes may not have changed. Bytes after the head are not looked at.
 * A head that reached its limit without an end is refused, so a buffer of
 * HTTP_REQUEST_MAX or HTTP_RESPONSE_MAX bytes is always enough.
 * Returns 1: a whole and valid head of *n_r bytes is there; 0: more is needed;
 * -EBADMSG, -EMSGSIZE: refused, *fault_r says what to answer and why.
 * Call it no more after anything but 0, until http_scan_init.
 */
int http_scan_feed(struct http_scan *scan, struct slice so_far, size_t *n_r,
    struct http_fault *fault_r);

/* Whether not a byte of a message has come (an empty line does not count). */
bool http_scan_is_idle(const struct http_scan *scan);

#endif
