/* SPDX-License-Identifier: MIT */
/* quantity: two tables of units. */
#include "common/base/quantity.h"

#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

struct quantity_unit {
	const char *name;
	int64_t n; /* milliseconds, bytes */
};

/* Largest first: the dump takes the first that is exact. The last is 1. */
static const struct quantity_unit quantity_durations[] = {
	{ "d", INT64_C(86400000) },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

static const struct quantity_unit quantity_sizes[] = {
	{ "T", INT64_C(1) << 40 },
	{ "G", INT64_C(1) << 30 },
	{ "M", INT64_C(1) << 20 },
	{ "K", INT64_C(1) << 10 },
	{ "", 1 },
};

/* A value in the largest unit that is exact. Returns out. */
static char *
quantity_text(
    const struct quantity_unit *unit, int64_t value, char out[QUANTITY_BYTES])
{
	while (unit->n > 1 && (value == 0 || value % unit->n != 0))
		unit++;
	snprintf(out, QUANTITY_BYTES, "%lld%s", (long long)(value / unit->n),
	    unit->name);
	return out;
}

/* Parse "10s" or "64K" by its units. Returns whether it is one. */
static bool
quantity_parse(
    const struct quantity_unit *units, const char *text, int64_t *value_r)
{
	const size_t n_digits = strspn(text, "0123456789");
	char digits[16];

	if (n_digits == 0 || n_digits >= sizeof(digits))
		return false;
	memcpy(digits, text, n_digits);
	digits[n_digits] = '\0';
	for (const struct quantity_unit *unit = units;; unit++) {
		const char *fault;
		if (strcmp(text + n_digits, unit->name) == 0) {
			*value_r = unit->n * strtonum(digits, 0,
						 INT64_MAX / unit->n, &fault);
			return !fault;
		}
		if (unit->n == 1)
			return false;
	}
}

char *
quantity_duration(int64_t ms, char out[QUANTITY_BYTES])
{
	return quantity_text(quantity_durations, ms, out);
}

char *
quantity_size(int64_t bytes, char out[QUANTITY_BYTES])
{
	return quantity_text(quantity_sizes, bytes, out);
}

bool
quantity_duration_of(const char *text, int64_t *ms_r)
{
	return quantity_parse(quantity_durations, text, ms_r);
}

bool
quantity_size_of(const char *text, int64_t *bytes_r)
{
	return quantity_parse(quantity_sizes, text, bytes_r);
}
