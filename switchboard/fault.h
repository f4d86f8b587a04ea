/* SPDX-License-Identifier: MIT */
/*
 * fault: every answer that the switchboard makes itself, as one table, and
 * how it is written: {"error","message","requestId"}.
 */
#ifndef SWITCHBOARD_FAULT_H
#define SWITCHBOARD_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"

enum fault {
	FAULT_BAD_REQUEST,    /* head, framing or chunk of a client */
	FAULT_UNKNOWN_HOST,   /* no tenant of that name */
	FAULT_NO_PATH,        /* admin: nothing stands there */
	FAULT_METHOD,         /* admin: only GET and HEAD */
	FAULT_TIMEOUT,        /* the request did not arrive in time */
	FAULT_TOO_LARGE,      /* body over the limit */
	FAULT_TARGET,         /* target over the limit */
	FAULT_EXPECT,         /* Expect other than 100-continue */
	FAULT_FIELDS,         /* head over its limits */
	FAULT_NO_METHOD,      /* CONNECT */
	FAULT_BACKEND,        /* a backend broke HTTP or went away */
	FAULT_START_FAILED,   /* poold could not start the backend */
	FAULT_UNAVAILABLE,    /* poold has no room for the backend */
	FAULT_START_SLOW,     /* the backend was not ready in time */
	FAULT_BACKEND_STALLS, /* the backend takes nothing any more */
	FAULT_WAITING,        /* too many wait for the same start */
	FAULT_QUEUE,          /* the backend's backlog stayed full */
	FAULT_SHORT,          /* we are short of memory or descriptors */
	FAULT_READERS,        /* admin: enough read events already */
	FAULT_ENDING,         /* the service shuts down */
	FAULT_COUNT
};

/* What one own answer says; text and id are *borrowed* for the call. */
struct fault_said {
	enum fault fault;
	const char *text;       /* NULL or "": the row's own */
	unsigned retry_after_s; /* 0: the row's own */
	const char *request_id; /* never NULL */
	bool is_head;           /* answer a HEAD: no body */
	bool persists;          /* the connection goes on */
	int minor;              /* of the client */
};

/* The status of a row. */
int fault_status(enum fault fault);

/* The row's own message. */
const char *fault_text(enum fault fault);

/* Whether the connection must be closed after this answer. */
bool fault_closes(enum fault fault);

/*
 * The row for a status that http or poold chose; FAULT_BACKEND for one that
 * no row stands for.
 */
enum fault fault_of_status(unsigned status);

/*
 * Append an answer to out, which must have storage. *n_body_r are the bytes
 * of its body. Returns 0, -ENOBUFS (out as it was).
 */
int
fault_write(struct buf *out, const struct fault_said *said, size_t *n_body_r);

#endif
