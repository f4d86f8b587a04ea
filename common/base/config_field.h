/* SPDX-License-Identifier: MIT */
/*
 * config_field: private to config*.c: the field of a row in a struct, without
 * a file: its default, its range, its end, and its line in a dump.
 */
#ifndef BASE_CONFIG_FIELD_H
#define BASE_CONFIG_FIELD_H

#include "common/base/config.h"
#include "common/base/quantity.h"

/* Where the field of a row stands in *out. */
void *base_config_field(const struct base_config_row *row, void *out);

/* Put the default of a row into its field; our own table must be right. */
void base_config_field_default(const struct base_config_row *row, void *field);

/* What of a field is compared with the range: a value, a length, a count. */
int64_t
base_config_field_measure(const struct base_config_row *row, const void *field);

/* A bound or a value of a row, for a person. Returns out. */
char *base_config_field_number(
    const struct base_config_row *row, int64_t value, char out[QUANTITY_BYTES]);

/* A copy of s for a field, ended with base_config_free. */
char *base_config_field_copy(const char *s);

/* Make *list an empty list with room for n. */
void base_config_field_list(struct base_config_strings *list, size_t n);

/* Add a copy of a string to a list that has room for it. */
void base_config_field_add(struct base_config_strings *list, const char *s);

#endif
