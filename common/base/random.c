/* SPDX-License-Identifier: MIT */
/*
 * random: what getrandom(2) gives, some in advance, since a call takes longer
 * than the bytes of an identifier; or splitmix64 under a test's seed. Without
 * arc4random: its state is two mappings and a handler of forks, three pages of
 * every backend.
 */
#include "common/base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/must.h"

#define RANDOM_STOCK_BYTES 256

static uint64_t random_state;

/* What nobody has yet: the last n_left of bytes. The others are 0. */
static struct {
	size_t n_left;
	unsigned char bytes[RANDOM_STOCK_BYTES];
} random_stock;

/* One step of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
random_step(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* From the kernel, which may be interrupted in a long one. */
static void
random_get(unsigned char *p, size_t n)
{
	while (n > 0) {
		const ssize_t got = getrandom(p, n, 0);
		must(got > 0 || errno == EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

/* From the stock, where no copy is left. */
static void
random_take(unsigned char *p, size_t n)
{
	if (random_stock.n_left < n) {
		random_get(random_stock.bytes, RANDOM_STOCK_BYTES);
		random_stock.n_left = RANDOM_STOCK_BYTES;
	}
	unsigned char *const from =
	    random_stock.bytes + RANDOM_STOCK_BYTES - random_stock.n_left;
	memcpy(p, from, n);
	memset(from, 0, n);
	random_stock.n_left -= n;
}

void
random_fresh(void *p, size_t n)
{
	unsigned char *const b = p;

	if (!random_state)
		random_get(b, n);
	else
		for (size_t i = 0; i < n; i++)
			b[i] = (unsigned char)random_step();
}

void
random_fill(void *p, size_t n)
{
	if (random_state || n > RANDOM_STOCK_BYTES / 4)
		random_fresh(p, n);
	else
		random_take(p, n);
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
random_forget(void)
{
	random_stock.n_left = 0;
}

void
random_seed(uint64_t seed)
{
	random_state = seed;
}
