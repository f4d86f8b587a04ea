/* SPDX-License-Identifier: MIT */
/*
 * jsonformat: the formats of strings that can be asserted: a table of names,
 * checks and words for people. Pure.
 * Source: JSON Schema 2020-12 validation 7.3 and the RFCs named in the .c
 */
#ifndef JSON_JSONFORMAT_H
#define JSON_JSONFORMAT_H

#include <stdbool.h>

#include "common/base/bytes.h"

/* A format that is known; static, never freed. */
struct jsonformat {
	const char *name;
	const char *words; /* "an e-mail address such as jo@example.org" */
	bool (*fits)(struct slice text);
};

/* The format of that name, NULL if it is not known (then it annotates). */
const struct jsonformat *jsonformat_find(const char *name);

#endif
