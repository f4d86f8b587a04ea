/* SPDX-License-Identifier: MIT */
/* jsonvalue: numbers by value, equality, twins, characters. */
#include "common/json/jsonvalue.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"

#define JSONVALUE_TWO_63 9223372036854775808.0

/* A finite number as digits × 10^exponent, digits without trailing zeros. */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* What uniqueItems sorts. */
struct twin {
	uint64_t hash;
	size_t index;
};

bool
jsonvalue_spend(struct jsonvalue_budget *budget, uint64_t n)
{
	if (budget->steps < n) {
		budget->steps = 0;
		return false;
	}
	budget->steps -= n;
	return true;
}

/* Order a whole number and a real without rounding either. */
static int
number_compare_mixed(json_int_t i, double d)
{
	if (d >= JSONVALUE_TWO_63)
		return -1;
	if (d < -JSONVALUE_TWO_63)
		return 1;
	const json_int_t whole = (json_int_t)d;

	if (i != whole)
		return i < whole ? -1 : 1;
	return d > (double)whole ? -1 : d < (double)whole;
}

int
jsonvalue_compare(const json_t *a, const json_t *b)
{
	must(json_is_number(a) && json_is_number(b));
	if (json_is_integer(a) && json_is_integer(b)) {
		const json_int_t x = json_integer_value(a);
		const json_int_t y = json_integer_value(b);

		return x < y ? -1 : x > y;
	}
	if (json_is_integer(a))
		return number_compare_mixed(
		    json_integer_value(a), json_real_value(b));
	if (json_is_integer(b))
		return -number_compare_mixed(
		    json_integer_value(b), json_real_value(a));
	const double x = json_real_value(a);
	const double y = json_real_value(b);

	return x < y ? -1 : x > y;
}

bool
jsonvalue_is_whole(const json_t *value)
{
	if (json_is_integer(value))
		return true;
	return json_is_real(value) &&
	       floor(json_real_value(value)) == json_real_value(value);
}

/* The absolute value of a number as the shortest decimal that reads as it. */
static struct decimal
decimal_of(const json_t *number)
{
	struct decimal d = { 0 };

	if (json_is_integer(number)) {
		const json_int_t i = json_integer_value(number);

		d.digits = i < 0 ? -(uint64_t)i : (uint64_t)i;
	} else {
		const double v = fabs(json_real_value(number));
		char text[40];

		for (int digits = 15; digits <= 17; digits++) {
			snprintf(text, sizeof(text), "%.*e", digits - 1, v);
			if (strtod(text, NULL) == v)
				break;
		}
		int n = 0;
		for (const char *p = text; *p != 'e'; p++)
			if (*p != '.') {
				d.digits = d.digits * 10 + (uint64_t)(*p - '0');
				n++;
			}
		d.exponent = atoi(strchr(text, 'e') + 1) - (n - 1);
	}
	while (d.digits && d.digits % 10 == 0) {
		d.digits /= 10;
		d.exponent++;
	}
	return d;
}

/* 10^n mod m. */
static uint64_t
power_mod(int n, uint64_t m)
{
	unsigned __int128 power = 10 % m;
	unsigned __int128 result = 1 % m;

	for (; n; n >>= 1) {
		if (n & 1)
			result = result * power % m;
		power = power * power % m;
	}
	return (uint64_t)result;
}

bool
jsonvalue_is_multiple(const json_t *a, const json_t *b)
{
	const struct decimal x = decimal_of(a);
	const struct decimal y = decimal_of(b);

	must(y.digits);
	if (!x.digits)
		return true;
	/* x would need a factor 10 that it does not have. */
	if (x.exponent < y.exponent)
		return false;
	const unsigned __int128 shift =
	    power_mod(x.exponent - y.exponent, y.digits);

	return (x.digits % y.digits) * shift % y.digits == 0;
}

static int
equal_at(json_t *a, json_t *b, struct jsonvalue_budget *budget, unsigned depth);

static int
equal_arrays(
    json_t *a, json_t *b, struct jsonvalue_budget *budget, unsigned depth)
{
	const size_t n = json_array_size(a);

	if (json_array_size(b) != n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const int r = equal_at(
		    json_array_get(a, i), json_array_get(b, i), budget, depth);

		if (r <= 0)
			return r;
	}
	return 1;
}

static int
equal_objects(
    json_t *a, json_t *b, struct jsonvalue_budget *budget, unsigned depth)
{
	if (json_object_size(a) != json_object_size(b))
		return 0;
	for (void *i = json_object_iter(a); i;
	     i = json_object_iter_next(a, i)) {
		json_t *const other =
		    json_object_get(b, json_object_iter_key(i));
		const int r = !other ? 0
		                     : equal_at(json_object_iter_value(i),
					   other, budget, depth);

		if (r <= 0)
			return r;
	}
	return 1;
}

static int
equal_strings(const json_t *a, const json_t *b, struct jsonvalue_budget *budget)
{
	const size_t n = json_string_length(a);

	if (json_string_length(b) != n)
		return 0;
	if (!jsonvalue_spend(budget, n / 64))
		return -EMSGSIZE;
	return memcmp(json_string_value(a), json_string_value(b), n) == 0;
}

static int
equal_at(json_t *a, json_t *b, struct jsonvalue_budget *budget, unsigned depth)
{
	if (!jsonvalue_spend(budget, 1))
		return -EMSGSIZE;
	if (depth > JSONVALUE_DEPTH)
		return -ELOOP;
	if (json_is_number(a) && json_is_number(b))
		return jsonvalue_compare(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return 0;
	if (json_is_string(a))
		return equal_strings(a, b, budget);
	if (json_is_array(a))
		return equal_arrays(a, b, budget, depth + 1);
	if (json_is_object(a))
		return equal_objects(a, b, budget, depth + 1);
	return 1;
}

int
jsonvalue_equal(json_t *a, json_t *b, struct jsonvalue_budget *budget)
{
	return equal_at(a, b, budget, 1);
}

/* Stir a 64-bit value (the finaliser of SplitMix64). */
static uint64_t
hash_stir(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t
hash_bytes(const char *s, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Equal numbers hash alike: both as doubles, -0 as 0. */
static uint64_t
hash_number(const json_t *number)
{
	const double d = json_number_value(number) + 0.0;
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return hash_stir(bits);
}

static int hash_at(json_t *value, struct jsonvalue_budget *budget,
    unsigned depth, uint64_t *hash_r);

/* The order of names does not count: their hashes are added up. */
static int
hash_object(json_t *o, struct jsonvalue_budget *budget, unsigned depth,
    uint64_t *hash_r)
{
	uint64_t sum = 0;

	for (void *i = json_object_iter(o); i;
	     i = json_object_iter_next(o, i)) {
		const char *const key = json_object_iter_key(i);
		uint64_t h = 0;
		const int e =
		    hash_at(json_object_iter_value(i), budget, depth, &h);

		if (e < 0)
			return e;
		sum += hash_stir(h + hash_bytes(key, strlen(key)));
	}
	*hash_r = hash_stir(sum + 5);
	return 0;
}

static int
hash_array(json_t *a, struct jsonvalue_budget *budget, unsigned depth,
    uint64_t *hash_r)
{
	uint64_t sum = 4;

	for (size_t i = 0; i < json_array_size(a); i++) {
		uint64_t h = 0;
		const int e = hash_at(json_array_get(a, i), budget, depth, &h);

		if (e < 0)
			return e;
		sum = hash_stir(sum * 31 + h);
	}
	*hash_r = sum;
	return 0;
}

static int
hash_at(json_t *value, struct jsonvalue_budget *budget, unsigned depth,
    uint64_t *hash_r)
{
	if (depth > JSONVALUE_DEPTH)
		return -ELOOP;
	if (!jsonvalue_spend(budget, 1 + json_string_length(value) / 64))
		return -EMSGSIZE;
	if (json_is_object(value))
		return hash_object(value, budget, depth + 1, hash_r);
	if (json_is_array(value))
		return hash_array(value, budget, depth + 1, hash_r);
	if (json_is_string(value))
		*hash_r = hash_bytes(
		    json_string_value(value), json_string_length(value));
	else if (json_is_number(value))
		*hash_r = hash_number(value);
	else
		*hash_r = hash_stir((uint64_t)json_typeof(value) + 7);
	return 0;
}

static int
twin_compare(const void *a, const void *b)
{
	const struct twin *const x = a;
	const struct twin *const y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Look among sorted twins for two of one hash that are really equal. */
static int
twins_compare(json_t *array, const struct twin *twins, size_t n,
    struct jsonvalue_budget *budget, size_t *first_r, size_t *second_r)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n && twins[j].hash == twins[i].hash;
		     j++) {
			*first_r = twins[i].index;
			*second_r = twins[j].index;
			const int r = equal_at(json_array_get(array, *first_r),
			    json_array_get(array, *second_r), budget, 1);

			if (r != 0)
				return r;
		}
	return 0;
}

int
jsonvalue_find_twins(json_t *array, struct jsonvalue_budget *budget,
    size_t *first_r, size_t *second_r)
{
	const size_t n = json_array_size(array);
	int r = 0;

	if (n < 2)
		return 0;
	struct twin *const twins = mem_zalloc(n, sizeof(*twins));
	if (!twins)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		twins[i].index = i;
		r = hash_at(
		    json_array_get(array, i), budget, 1, &twins[i].hash);
	}
	if (r == 0) {
		qsort(twins, n, sizeof(*twins), twin_compare);
		r = twins_compare(array, twins, n, budget, first_r, second_r);
	}
	mem_free(twins);
	return r;
}

size_t
jsonvalue_length(const json_t *string)
{
	const char *const s = json_string_value(string);
	const size_t n = json_string_length(string);
	size_t length = 0;

	for (size_t i = 0; i < n; i++)
		length += (unsigned char)s[i] >> 6 != 2;
	return length;
}
