/* SPDX-License-Identifier: MIT */
/*
 * head: a parsed message head and looking things up in it. Every slice points
 * into the bytes that were parsed: a head is good until their buffer changes.
 * It is 4 KiB big, so it stands in static or heap memory (one per process is
 * enough for code that parses and writes in one go), never on a task's stack.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/http/name.h"
#include "common/http/target.h"

#define HTTP_FIELDS_MAX   100
#define HTTP_REQUEST_MAX  (16 * 1024) /* bytes of a request head */
#define HTTP_TARGET_MAX   (8 * 1024)
#define HTTP_RESPONSE_MAX (64 * 1024) /* bytes of a response head */
#define HTTP_METHOD_MAX   32
#define HTTP_OPTIONS_MAX  32 /* options named by Connection in a head */

enum http_kind {
	HTTP_KIND_REQUEST,  /* comes from a client */
	HTTP_KIND_RESPONSE, /* comes from a backend */
};

struct http_field {
	struct slice name;  /* as it was spelled */
	struct slice value; /* without white space around it */
	uint8_t id;         /* enum http_name */
	bool is_hop;        /* hop by hop, by table or named by Connection */
	bool is_forged;     /* http_name_is_forged; requests only */
};

struct http_head {
	enum http_kind kind;
	const char *start;        /* the first byte of the head */
	int minor;                /* HTTP/1.minor: 0 or 1 */
	size_t n_bytes;           /* of the whole head */
	enum http_verb verb;      /* requests */
	struct slice method;      /* requests */
	struct slice target;      /* requests, as it came */
	struct http_target parts; /* requests, taken apart */
	int status;               /* responses, 100 to 599 */
	struct slice reason;      /* responses, may be empty */
	size_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/*
 * Find the first field of a name of the table.
 * Returns it, borrowed from the head, or NULL.
 */
const struct http_field *
http_head_find(const struct http_head *head, enum http_name id);

/* The same by any name, without regard to case. */
const struct http_field *
http_head_find_text(const struct http_head *head, struct slice name);

/* The value of the first field of that name, or an empty slice (p NULL). */
struct slice http_head_value(const struct http_head *head, enum http_name id);

/* The same by any name. */
struct slice
http_head_value_text(const struct http_head *head, struct slice name);

/*
 * Whether a comma-separated field (all fields of that name together) has an
 * element equal to token, without regard to case. Parameters are part of an
 * element.
 */
bool http_head_has_token(
    const struct http_head *head, enum http_name id, struct slice token);

/*
 * Take the next element off a comma-separated list: *list_r moves on, *item_r
 * is the element, trimmed; empty elements are skipped (RFC 9110 5.6.1).
 * Returns false at the end. Quoted strings are not known to it.
 */
bool http_head_next(struct slice *list_r, struct slice *item_r);

#endif
