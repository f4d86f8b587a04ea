/* SPDX-License-Identifier: MIT */
/*
 * client: a downstream connection: reads one request head after the other,
 * has one exchange at a time, and closes so that the client sees the last
 * answer. What is pipelined stays unread in its buffer meanwhile.
 */
#ifndef SWITCHBOARD_CLIENT_H
#define SWITCHBOARD_CLIENT_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Set how many may be open at once, and who hears when there is room again
 * after client_is_full said no (*borrowed* for ever).
 */
void client_open(unsigned n_max, void (*on_room)(void));

/*
 * Start on an accepted socket (*takes* it, also when this fails). sa: the
 * peer's address. When there are too many, one that has been idle for long is
 * closed. Returns 0 or -ENOMEM.
 */
int client_start_take(int fd, const struct sockaddr_storage *sa);

/* Whether there is no room for another one, and none that could be closed. */
bool client_is_full(void);

/*
 * Shut down, first part: idle connections are closed (one whose next request
 * has come already is told), others after their exchange. on_quiet is called
 * (at once, too) whenever only streams are left.
 */
void client_drain(void (*on_quiet)(void));

/* Shut down, second part: end all exchanges, close all connections. */
void client_quit(void);

#endif
