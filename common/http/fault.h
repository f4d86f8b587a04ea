/* SPDX-License-Identifier: MIT */
/*
 * fault: why a message was refused, and what to answer. Fixed size, owned by
 * the caller, filled only when a call fails. The text is printable ASCII
 * without '"' and '\', so that it fits a log line and a JSON string as it is,
 * whatever the peer sent.
 */
#ifndef HTTP_FAULT_H
#define HTTP_FAULT_H

#include <stddef.h>

#include "common/base/bytes.h"

#define HTTP_FAULT_TEXT_BYTES 192

struct http_fault {
	/* To answer: 400, 413, 414, 417, 431, 501; 502: a backend's fault. */
	int status;
	/* Byte offset of what was wrong, in the head or the framed body. */
	size_t at;
	/* One clause: "byte 37: field Host: whitespace before the colon". */
	char text[HTTP_FAULT_TEXT_BYTES];
};

/*
 * Fill *f: the text becomes "byte AT: field NAME: WHY", without the middle
 * part when name is empty. name may hold any bytes (what is not printable
 * becomes '?', and it is cut at 40). f may be NULL.
 * Returns -EBADMSG, or -EMSGSIZE for the statuses 413, 414 and 431, so that a
 * caller can write `return http_fault_set(...)`.
 */
int http_fault_set(struct http_fault *f, int status, size_t at,
    struct slice name, const char *why);

#endif
