/* SPDX-License-Identifier: MIT */
/*
 * answers: the file of --answers, which answers in a person's place. JSON:
 *
 *	{
 *	  "pickFlight": { "flight": "NW 402" },    the content of an answer
 *	  "pickSeat": "decline",                   or "cancel"
 *	  "again": [ { "n": 0 }, { "n": 7 } ],     asked twice: one each time
 *	  "sample": "Take an umbrella."            every sample; or [ ... ]
 *	}
 *
 * A question is known by its name. Where the protocol has no names (before
 * 2026-07-28) a key may also be the question's whole message; else the
 * entries stand for the questions in their order: the first one not used yet
 * that fits. Each answer is used once, a sample's text as often as needed.
 */
#ifndef CTL_ANSWERS_H
#define CTL_ANSWERS_H

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

struct answers;

/*
 * Read the file. *answers_r is *new* (answers_free). Reads the file at once:
 * for the start of the program. Returns 0 or -errno; err_r says what and
 * where.
 */
int
answers_load(const char *path, struct answers **answers_r, struct err *err_r);

/* The same from text. Returns 0, -EINVAL or -ENOMEM. */
int
answers_parse(struct slice text, struct answers **answers_r, struct err *err_r);

/* Free; NULL is allowed. */
void answers_free(struct answers **answers);

/*
 * The answer to a question: an object (content) or the text "decline" or
 * "cancel"; borrowed from answers. name is NULL where there is none; schema
 * may be NULL. Returns NULL when there is no answer (left).
 */
json_t *answers_take(struct answers *answers, const char *name,
    const char *message, json_t *schema);

/*
 * The text of a sample: of the entry with that name (may be NULL), else of
 * "sample". Returns NULL when there is none (left); borrowed from answers.
 */
const char *answers_sample(struct answers *answers, const char *name);

#endif
