/* SPDX-License-Identifier: MIT */
/*
 * listener: listening sockets: TCP ones for the switchboard, kept by poold so
 * that a new switchboard goes on where the old one died, and a unix one for
 * each start of a backend.
 */
#ifndef POOLD_LISTENER_H
#define POOLD_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/proc/drop.h"

#include "poold/address.h"
#include "poold/settings.h"

#define LISTENER_MAX 32

/* One TCP socket of the switchboard. */
struct listener {
	int fd;
	bool is_admin;
	char address[ADDRESS_TEXT_BYTES]; /* the real one, port included */
};

struct listeners {
	struct listener v[LISTENER_MAX];
	size_t n;
};

/*
 * Open what the settings name, or take what the service manager passed
 * (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES: "admin" is the admin address, any
 * other name the tenants'); what was passed for one of the two replaces its
 * addresses. The variables are taken out of the environment. Returns 0 or
 * -errno with the address in place. Source: sd_listen_fds(3).
 */
int listeners_open(struct listeners *listeners, const struct settings *settings,
    struct err *err_r);

/* Close them all. */
void listeners_close(struct listeners *listeners);

/*
 * How many descriptors from 3 on the service manager passed to this process;
 * closing what was inherited must leave them alone.
 */
unsigned listeners_n_passed(void);

/*
 * Make a listening unix socket at path, in place of what stands there. With
 * ids its file belongs to that user, who alone may connect. *fd_r is *new*.
 * Returns 0 or -errno with *err_r.
 */
int listener_open_unix(
    const char *path, const struct drop_ids *ids, int *fd_r, struct err *err_r);

#endif
