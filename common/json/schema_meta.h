/* SPDX-License-Identifier: MIT */
/*
 * schema_meta: the meta-schema of JSON Schema 2020-12, built in so that a
 * reference to it needs no registration.
 * Source: https://json-schema.org/draft/2020-12/schema and what it refers to
 */
#ifndef JSON_SCHEMA_META_H
#define JSON_SCHEMA_META_H

#include <stdbool.h>

#include <jansson.h>

/*
 * Make the document of that URI. Returns it, *new* (json_decref), or NULL: it
 * is none of them (*is_known_r is false) or there is no memory (true).
 */
json_t *schema_meta_load(const char *uri, bool *is_known_r);

#endif
