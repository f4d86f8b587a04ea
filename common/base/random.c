/* SPDX-License-Identifier: MIT */
/* random: arc4random, or splitmix64 under a test's seed. */
#include "common/base/random.h"

#include <bsd/stdlib.h>

static uint64_t random_state;

/* One step of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
random_step(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void
random_fill(void *p, size_t n)
{
	unsigned char *const b = p;

	if (!random_state) {
		arc4random_buf(p, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)random_step();
}

char *
random_id(char out[RANDOM_ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[(RANDOM_ID_SIZE - 1) / 2];

	random_fill(raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++) {
		out[2 * i] = hex[raw[i] >> 4];
		out[2 * i + 1] = hex[raw[i] & 15];
	}
	out[RANDOM_ID_SIZE - 1] = '\0';
	return out;
}

void
random_seed(uint64_t seed)
{
	random_state = seed;
}
