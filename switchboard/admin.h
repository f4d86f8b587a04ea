/* SPDX-License-Identifier: MIT */
/*
 * admin: the operator's address: which backends the switchboard knows. A
 * connection of its own kind, one request each; the only file here that
 * builds JSON with a library. Never reachable on the tenants' address.
 */
#ifndef SWITCHBOARD_ADMIN_H
#define SWITCHBOARD_ADMIN_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Start on an accepted socket (*takes* it, also when this fails). Returns 0
 * or -ENOMEM.
 */
int admin_start_take(int fd, const struct sockaddr_storage *sa);

/* Whether there is no room for another one now. */
bool admin_is_full(void);

/* Set who hears when there is room again (*borrowed* for ever). */
void admin_open(void (*on_room)(void));

/* Close all connections. */
void admin_quit(void);

#endif
