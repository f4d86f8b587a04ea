/* SPDX-License-Identifier: MIT */
/*
 * murmur: what a child writes to its stderr: read by the task that hears the
 * child, put on our log line by line; the last one that may say why it ends is
 * kept: no line of our own log but of an error or a warning.
 */
#ifndef POOLD_MURMUR_H
#define POOLD_MURMUR_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/flow/select.h"

#include "poold/tail.h"

/* Embedded in its owner; made by murmur_init. */
struct murmur {
	int fd; /* -1: none */
	struct select_fd io;
	struct tail tail;
};

/* Whose it is, for the log. */
struct murmur_who {
	const char *name;
	pid_t pid;
	bool is_ours; /* its lines may be those of our own log */
};

/* None. */
void murmur_init(struct murmur *murmur);

/*
 * Watch a pipe (*takes* fd, also on failure), told with arg. Returns 0 or
 * -errno.
 */
int murmur_open_take(
    struct murmur *murmur, int fd, struct select *select, void *arg);

/*
 * Read what is there: some of it, and the rest when others had their turn; or
 * (is_last) all that a pipe can hold. Never waits.
 */
void
murmur_read(struct murmur *murmur, const struct murmur_who *who, bool is_last);

/* Close it; what is left is a line too. */
void murmur_close(struct murmur *murmur, const struct murmur_who *who);

/* Free the last line. */
void murmur_fini(struct murmur *murmur);

#endif
