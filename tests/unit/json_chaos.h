/* SPDX-License-Identifier: MIT */
/*
 * json_chaos: for the tests of common/json: jansson allocates through
 * common/base/mem, so that one counter makes any allocation fail, and what is
 * not given back is counted.
 */
#ifndef UNIT_JSON_CHAOS_H
#define UNIT_JSON_CHAOS_H

#include <check.h>
#include <jansson.h>

#include "common/base/mem.h"
#include "common/json/jsontext.h"

static long chaos_live;

static void *
chaos_alloc(size_t n)
{
	void *const p = mem_alloc(n);

	chaos_live += p != NULL;
	return p;
}

static void
chaos_free(void *p)
{
	chaos_live -= p != NULL;
	mem_free(p);
}

/* Begin: from now on jansson's memory is counted and can fail. */
static inline void
chaos_begin(void)
{
	json_set_alloc_funcs(chaos_alloc, chaos_free);
	jsontext_init();
}

/* A document for a test, its quotes written as '. */
static inline json_t *
chaos_json(const char *text)
{
	char copy[8192];
	json_error_t why;
	size_t n = 0;

	for (; text[n] && n < sizeof(copy) - 1; n++)
		copy[n] = text[n] == '\'' ? '"' : text[n];
	copy[n] = '\0';
	json_t *const doc =
	    json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (!doc)
		ck_abort_msg("%s: %s", text, why.text);
	return doc;
}

#endif
