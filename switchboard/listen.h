/* SPDX-License-Identifier: MIT */
/*
 * listen: accepts on the sockets that poold opened. It pauses while there is
 * no room for clients or no descriptor left; the backlog waits meanwhile.
 */
#ifndef SWITCHBOARD_LISTEN_H
#define SWITCHBOARD_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

/* What is done with an accepted socket (*takes* fd). */
typedef int listen_take_fn(int fd, const struct sockaddr_storage *sa);

/*
 * Add a listening socket (*takes* fd, also when this fails); nothing is
 * accepted before listen_start. is_full (may be NULL) is asked before each
 * accept; take gets what was accepted. address is for the log.
 * Returns 0, -ENOSPC (too many), or -errno.
 */
int listen_add_take(
    int fd, const char *address, bool (*is_full)(void), listen_take_fn *take);

/* Accept from now on. */
void listen_start(void);

/* There is room again: accept on all sockets. */
void listen_resume(void);

/* Accept no more, close the sockets. */
void listen_stop(void);

#endif
