/* SPDX-License-Identifier: MIT */
/*
 * place: the folders of poold: runtime_dir with its lock and the sockets of
 * the backends, state_dir with a folder a tenant. Who may enter what.
 */
#ifndef POOLD_PLACE_H
#define POOLD_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/ipc/proto.h"
#include "common/proc/drop.h"

struct pidfh;

/* Embedded in its owner. */
struct place {
	const char *runtime_dir; /* *borrowed* */
	const char *state_dir;   /* *borrowed* */
	struct pidfh *lock;
	int state_fd; /* of state_dir, locked while poold runs */
};

/*
 * Make the folders that are missing, lock both for this process and remove the
 * sockets that an earlier one left. With ids the folder of sockets
 * may be entered by that group alone. Returns 0 or -errno with *err_r
 * (-EEXIST: another poold runs here). Start-up only.
 */
int place_open(struct place *place, const char *runtime_dir,
    const char *state_dir, const struct drop_ids *ids, struct err *err_r);

/* Remove sockets, their folder and the lock. */
void place_close(struct place *place);

/*
 * Make the folder of sockets, as place_open did: for when somebody removed it.
 * Returns 0 or -errno with *err_r.
 */
int place_make_sockets(
    const struct place *place, const struct drop_ids *ids, struct err *err_r);

/* The socket of a tenant by its number. Returns out. */
char *place_socket(
    const struct place *place, uint32_t number, char out[PROTO_PATH_BYTES]);

/*
 * Make the state folder of a host, for ids alone (NULL: for us). *path_r is
 * *new*, ended with mem_free. Returns 0 or -errno with *err_r.
 */
int place_state(const struct place *place, const char *host,
    const struct drop_ids *ids, char **path_r, struct err *err_r);

/*
 * Who owns the state folder of a host. Returns 0, -ENOENT (there is none) or
 * -errno.
 */
int
place_state_owner(const struct place *place, const char *host, uid_t *uid_r);

/*
 * Give the state folder of a host, with what is in it, to ids; one that is
 * missing, or root's, is left to place_state. As bequest_give.
 */
int place_give_state(const struct place *place, const char *host,
    const struct drop_ids *ids, struct err *err_r);

/* Remove the state folder of a host if nothing is in it. Returns whether. */
bool place_forget_state(const struct place *place, const char *host);

#endif
