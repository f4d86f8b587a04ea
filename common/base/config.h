/* SPDX-License-Identifier: MIT */
/*
 * config: configuration files (libconfig's syntax) by tables of rows. A row
 * says name, type, place in a struct, range, default, unit and help; it yields
 * parsing, checking and the dump. Every complaint names file, line and key.
 * Start-up only: memory that is short aborts. The only file that knows
 * libconfig; the prefix is base_config_, since config_ is that library's.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/err.h"

enum base_config_type {
	BASE_CONFIG_STRING,   /* char *; range: length in bytes */
	BASE_CONFIG_STRINGS,  /* struct base_config_strings; range: how many */
	BASE_CONFIG_INT,      /* int64_t */
	BASE_CONFIG_BOOL,     /* bool */
	BASE_CONFIG_DURATION, /* int64_t milliseconds; "500ms", "10s", "24h" */
	BASE_CONFIG_SIZE,     /* int64_t bytes; "64K", "512M", "2G", "0" */
};

/* A list of strings; owned by the struct that a row fills. */
struct base_config_strings {
	char **v;
	size_t n;
};

/*
 * A row's def that leaves what the caller has put into the struct before: for
 * numbers and flags whose default is another key's value.
 */
extern const char base_config_keep[];

/*
 * One key. A STRINGS key may also be given as one string. A key whose def is
 * NULL must be given; def is written as in a file without quotes, "" is the
 * empty string or list.
 */
struct base_config_row {
	const char *name;
	enum base_config_type type;
	size_t offset;
	int64_t min;
	int64_t max;
	const char *def;
	const char *unit; /* for people; "" when there is none */
	const char *help; /* a sentence without full stop */
};

/* An open file. */
struct base_config;

/*
 * Where a complaint is about: a key of a top-level group, or of one element
 * of a top-level list of groups. key may be NULL: the group itself.
 */
struct base_config_at {
	const char *section;
	int index; /* of the element; -1: section is a group */
	const char *key;
};

/*
 * Read and parse path. *config_r is *new*, ended with base_config_close.
 * Errors: -errno (unreadable), -EINVAL with place "path:line" (syntax).
 */
int base_config_open(
    const char *path, struct base_config **config_r, struct err *err_r);

/* Free *config and set it to NULL; NULL is allowed. */
void base_config_close(struct base_config **config);

/*
 * Complain about every top-level name that is not among the n names. Returns
 * 0 or -EINVAL.
 */
int base_config_check_names(const struct base_config *config,
    const char *const *names, size_t n, struct err *err_r);

/*
 * How many elements the list `section` has; 0 when it is missing. Errors:
 * -EINVAL (it is not a list of groups).
 */
int base_config_count(const struct base_config *config, const char *section,
    size_t *n_r, struct err *err_r);

/*
 * Fill *out (zeroed by the caller, but for kept fields) from the group or
 * element that `at` names; at->key is not used. A missing group is an empty
 * one. What it allocates is freed with base_config_free, also after an error.
 * Returns 0 or -EINVAL: unknown or missing key, wrong type, out of range.
 */
int base_config_read(const struct base_config *config,
    const struct base_config_at *at, const struct base_config_row *rows,
    size_t n, void *out, struct err *err_r);

/*
 * A complaint of the program's own about what it read: place "file:line",
 * text "section.key: …". Returns -EINVAL.
 */
int base_config_fail(const struct base_config *config,
    const struct base_config_at *at, struct err *err_r, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Free what base_config_read put into one list; it becomes empty. */
void base_config_strings_free(struct base_config_strings *list);

/* Free what base_config_read put into *out; the fields become empty. */
void base_config_free(const struct base_config_row *rows, size_t n, void *out);

/*
 * Print every row with its value as a line of a file that reads back the
 * same, its help behind it. indent is the number of tabs in front.
 */
void base_config_dump(FILE *to, const struct base_config_row *rows, size_t n,
    const void *in, unsigned indent);

#endif
