/* SPDX-License-Identifier: MIT */
/* value: walks with a budget. */
#include "backend/value.h"

#include <errno.h>
#include <string.h>

#include "common/json/jsontext.h"

/* Walk value to depth levels at most, spending *left on each value. */
static int
value_walk(const json_t *value, unsigned depth, size_t *left)
{
	json_t *const v = (json_t *)value;
	json_t *child;
	const char *key;
	size_t i;
	int rc = 0;

	if (!depth || !*left)
		return -EMSGSIZE;
	--*left;
	json_array_foreach (v, i, child)
		if ((rc = value_walk(child, depth - 1, left)) < 0)
			return rc;
	json_object_foreach (v, key, child)
		if ((rc = value_walk(child, depth - 1, left)) < 0)
			return rc;
	return rc;
}

int
value_check(const json_t *value)
{
	size_t left = VALUE_VALUES;

	return value_walk(value, VALUE_DEPTH + 1, &left);
}

int64_t
value_bytes(const json_t *value)
{
	const int rc = value_check(value);

	if (rc < 0)
		return rc;
	const size_t n =
	    json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
	return n ? (int64_t)n : -ENOMEM;
}

json_t *
value_of_text(const char *text)
{
	/* Ours, and what it was made of was bounded, so a few levels more. */
	static const struct jsontext_limits limits = {
		.depth = VALUE_DEPTH + 8,
		.values = SIZE_MAX,
		.string_bytes = SIZE_MAX,
		.allow_nul = true,
	};
	json_t *value;

	(void)jsontext_load(slice_of(text), &limits, &value, NULL);
	return value;
}

/* What jansson takes on a 64-bit machine, and malloc's own. */
#define VALUE_SCALAR_BYTES 40
#define VALUE_STRING_BYTES 64
#define VALUE_ARRAY_BYTES  128
#define VALUE_OBJECT_BYTES 256
#define VALUE_MEMBER_BYTES 96

size_t
value_memory(const json_t *value)
{
	json_t *const v = (json_t *)value;
	size_t bytes = VALUE_SCALAR_BYTES;
	json_t *child;
	const char *key;
	size_t i;

	if (!v)
		return 0;
	if (json_is_string(v))
		return VALUE_STRING_BYTES + json_string_length(v);
	if (json_is_array(v))
		bytes = VALUE_ARRAY_BYTES + 2 * sizeof(v) * json_array_size(v);
	if (json_is_object(v))
		bytes = VALUE_OBJECT_BYTES;
	json_array_foreach (v, i, child)
		bytes += value_memory(child);
	json_object_foreach (v, key, child)
		bytes += VALUE_MEMBER_BYTES + strlen(key) + value_memory(child);
	return bytes;
}

/* One piece of a text goes into a digest. */
static int
value_fold(const char *bytes, size_t n, void *arg)
{
	uint64_t *const digest = arg;

	for (size_t i = 0; i < n; i++)
		*digest = (*digest ^ (unsigned char)bytes[i]) *
		          UINT64_C(0x100000001b3);
	return 0;
}

int
value_digest(const json_t *value, uint64_t *digest)
{
	/* A text has no NUL, so two of them do not run into each other. */
	const int rc =
	    value ? json_dump_callback(value, value_fold, digest,
			JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS)
		  : 0;

	(void)value_fold("", 1, digest);
	return rc < 0 ? -ENOMEM : 0;
}

static json_t *value_copy_checked(json_t *v);

/* An array with copies of all elements, or NULL. */
static json_t *
value_copy_array(json_t *v)
{
	json_t *const copy = json_array();
	json_t *child;
	size_t i;

	json_array_foreach (v, i, child)
		if (json_array_append_new(copy, value_copy_checked(child))) {
			json_decref(copy);
			return NULL;
		}
	return copy;
}

/* An object with copies of all members, in their order, or NULL. */
static json_t *
value_copy_object(json_t *v)
{
	json_t *const copy = json_object();
	json_t *child;
	const char *key;

	json_object_foreach (v, key, child)
		if (json_object_set_new_nocheck(
			copy, key, value_copy_checked(child))) {
			json_decref(copy);
			return NULL;
		}
	return copy;
}

/* Recursion is bounded: the value was checked. */
static json_t *
value_copy_checked(json_t *v)
{
	if (json_is_array(v))
		return value_copy_array(v);
	if (json_is_object(v))
		return value_copy_object(v);
	return json_copy(v);
}

json_t *
value_copy(const json_t *value)
{
	return value_check(value) < 0 ? NULL
	                              : value_copy_checked((json_t *)value);
}
