/* SPDX-License-Identifier: MIT */
/*
 * face: the revisions of the protocol that this backend speaks, as one table,
 * and what differs between them. Files of the faces (face*.c) are the only
 * ones that know a revision by its date. Pure.
 * Source: MCP 2026-07-28 basic/versioning; architecture "One session, four
 * faces".
 */
#ifndef BACKEND_FACE_H
#define BACKEND_FACE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/base/bytes.h"

#define FACE_SERVER_NAME "holdline"

enum face_era {
	FACE_ERA_LEGACY, /* a client opens with initialize and is a peer */
	FACE_ERA_MODERN, /* each request carries all that is needed */
};

/* One revision; static, never freed. */
struct face_revision {
	const char *name; /* as it stands on the wire */
	enum face_era era;
	bool has_batches;     /* arrays of messages */
	bool has_elicitation; /* elicitation/create exists */
	bool has_mode;        /* elicitation/create says mode: form */
	bool has_structured;  /* structuredContent, outputSchema, title */
	bool has_priming;     /* a stream opens with an empty event and retry */
};

/* The revision of that name, or NULL. */
const struct face_revision *face_find(struct slice name);

/* Revision i, newest first; NULL past the last one. */
const struct face_revision *face_at(size_t i);

/* The newest revision of an era. */
const struct face_revision *face_newest(enum face_era era);

/* What a request without any word about its revision speaks. */
const struct face_revision *face_assumed(void);

/* All names, newest first: a *new* array, or NULL without memory. */
json_t *face_names(void);

/* Who we are: a *new* object {name, version}, or NULL without memory. */
json_t *face_server_info(void);

#endif
