/* SPDX-License-Identifier: MIT */
/*
 * trace: the two names that a request carries through all programs: its
 * X-Request-Id and its W3C traceparent. A client's own is kept when it is
 * valid, else one is made.
 */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/http/head.h"

#define HTTP_TRACE_ID_SIZE     129 /* 128 and NUL */
#define HTTP_TRACE_PARENT_SIZE 56  /* 00-<32>-<16>-<2> and NUL */

/* Whether s can be a request id: 1 to 128 letters, digits, '.', '_', '-'. */
bool http_trace_is_id(struct slice s);

/*
 * Whether s is a traceparent of version 00: lower-case hex, no id all zero.
 * Later versions are cut to what 00 knows by http_trace_parent.
 * Source: W3C Trace Context 3.2.
 */
bool http_trace_is_parent(struct slice s);

/*
 * Choose the request id: the client's X-Request-Id when there is exactly one
 * and it is valid, else 32 random hex digits. Returns out.
 */
char *http_trace_id(const struct http_head *head, char out[HTTP_TRACE_ID_SIZE]);

/*
 * Choose the traceparent: the client's when there is exactly one and it is
 * valid, else a new one, not sampled. Returns out.
 */
char *http_trace_parent(
    const struct http_head *head, char out[HTTP_TRACE_PARENT_SIZE]);

#endif
