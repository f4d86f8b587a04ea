/* SPDX-License-Identifier: MIT */
/*
 * err: why something failed, for a human. Fixed size, owned by the caller,
 * copied by assignment; no allocation. The code is an -errno, the place says
 * where (file:line of a configuration, JSON pointer, host), the text says what
 * was wrong and what to do.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define ERR_PLACE_BYTES 128
#define ERR_TEXT_BYTES  320

struct err {
	int code;                    /* -errno, 0 when nothing failed */
	char place[ERR_PLACE_BYTES]; /* "" when there is none */
	char text[ERR_TEXT_BYTES];   /* one sentence, no newline */
};

/*
 * Fill *e. code is -errno; place may be NULL; both are truncated to fit, never
 * within a character.
 * e may be NULL (then nothing is stored). Returns code, so that a caller can
 * write `return err_set(e, -EINVAL, place, "...")`.
 */
int err_set(struct err *e, int code, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a va_list. */
int err_vset(struct err *e, int code, const char *place, const char *fmt,
    va_list ap) __attribute__((format(printf, 4, 0)));

/* Make *e say that nothing failed. e may be NULL. */
void err_clear(struct err *e);

#endif
