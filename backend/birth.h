/* SPDX-License-Identifier: MIT */
/*
 * birth: when the steps of this process's start were done. For its READY, so
 * that poold can show where the time of a cold start goes.
 */
#ifndef BACKEND_BIRTH_H
#define BACKEND_BIRTH_H

#include <stdint.h>

enum birth {
	BIRTH_TOLD,     /* it has a command line: run, or told by the zygote */
	BIRTH_CONFINED, /* nothing more is given up; run by exec: the same */
	BIRTH_LOADED,   /* its tools are there */
	BIRTH_N
};

/* A step is done now. Of one that is marked twice the last time counts. */
void birth_mark(enum birth step);

/* When, in microseconds of CLOCK_MONOTONIC; 0: not yet. */
int64_t birth_at_us(enum birth step);

#endif
