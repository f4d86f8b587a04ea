/* SPDX-License-Identifier: MIT */
/*
 * face: the table of revisions. A new revision is a row here and, when it is
 * of a new kind, a face of its own.
 */
#include "backend/face.h"

static const struct face_revision face_rows[] = {
	{ .name = "2026-07-28",
	    .era = FACE_ERA_MODERN,
	    .has_elicitation = true,
	    .has_mode = true,
	    .has_structured = true },
	{ .name = "2025-11-25",
	    .era = FACE_ERA_LEGACY,
	    .has_elicitation = true,
	    .has_mode = true,
	    .has_structured = true,
	    .has_priming = true },
	{ .name = "2025-06-18",
	    .era = FACE_ERA_LEGACY,
	    .has_elicitation = true,
	    .has_structured = true },
	{ .name = "2025-03-26", .era = FACE_ERA_LEGACY, .has_batches = true },
};

#define FACE_N (sizeof(face_rows) / sizeof(face_rows[0]))

const struct face_revision *
face_find(struct slice name)
{
	for (size_t i = 0; i < FACE_N; i++)
		if (slice_eq(slice_of(face_rows[i].name), name))
			return &face_rows[i];
	return NULL;
}

const struct face_revision *
face_at(size_t i)
{
	return i < FACE_N ? &face_rows[i] : NULL;
}

const struct face_revision *
face_newest(enum face_era era)
{
	size_t i = 0;

	while (face_rows[i].era != era)
		i++;
	return &face_rows[i];
}

const struct face_revision *
face_assumed(void)
{
	return &face_rows[FACE_N - 1];
}

json_t *
face_names(void)
{
	json_t *names = json_array();

	for (size_t i = 0; i < FACE_N; i++)
		if (json_array_append_new(
			names, json_string(face_rows[i].name)) != 0) {
			json_decref(names);
			return NULL;
		}
	return names;
}

json_t *
face_server_info(void)
{
	return json_pack("{s:s, s:s}", "name", FACE_SERVER_NAME, "version",
	    HOLDLINE_VERSION);
}
