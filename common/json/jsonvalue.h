/* SPDX-License-Identifier: MIT */
/*
 * jsonvalue: values as JSON Schema sees them, which differs from jansson's
 * view: 1 and 1.0 are one number, strings have characters, not bytes. What
 * may take long is charged to a budget. Recursion is bounded by the caller.
 * Source: JSON Schema 2020-12 core 4.2
 */
#ifndef JSON_JSONVALUE_H
#define JSON_JSONVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define JSONVALUE_DEPTH 64 /* of what can be compared */

/* What is left to spend; shared by all that works on one check. */
struct jsonvalue_budget {
	uint64_t steps;
};

/* Spend n steps. Returns whether there were that many left. */
bool jsonvalue_spend(struct jsonvalue_budget *budget, uint64_t n);

/* Order two numbers exactly, integers and reals mixed: <0, 0, >0. */
int jsonvalue_compare(const json_t *a, const json_t *b);

/* Whether a number is whole: 3, 3.0, 1e300. False for everything else. */
bool jsonvalue_is_whole(const json_t *value);

/*
 * Whether a is a multiple of b (> 0), both read as the decimals they were
 * written as: 0.0075 is a multiple of 0.0001.
 */
bool jsonvalue_is_multiple(const json_t *a, const json_t *b);

/*
 * Whether a and b are equal. Returns 1 or 0, -EMSGSIZE when the budget is
 * spent, -ELOOP when they are nested deeper than JSONVALUE_DEPTH.
 */
int jsonvalue_equal(json_t *a, json_t *b, struct jsonvalue_budget *budget);

/*
 * Find two equal values in an array, in n log n steps. Returns 1 with their
 * indexes in first_r < second_r, 0 if all differ, -EMSGSIZE, -ELOOP or
 * -ENOMEM.
 */
int jsonvalue_find_twins(json_t *array, struct jsonvalue_budget *budget,
    size_t *first_r, size_t *second_r);

/* Characters (code points) of a string value. */
size_t jsonvalue_length(const json_t *string);

#endif
