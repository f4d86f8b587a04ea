/* SPDX-License-Identifier: MIT */
/*
 * zygote: the backend program, warm and without a tenant, that forks on
 * poold's word. It has one thread and no loop, runs no tenant's code and makes
 * no JSON; so nothing is shared with a child but clean memory. Its children
 * are poold's; each waits for its tenant (ASSIGN) and is a backend then.
 */
#ifndef BACKEND_ZYGOTE_H
#define BACKEND_ZYGOTE_H

#include <stdbool.h>

/*
 * Serve poold's SPAWN messages on the channel that the environment names. With
 * is_confined every tenant to come is confined and has no network: so most of
 * the filter of system calls is put on now, which costs the children nothing.
 * Ends the process when poold is gone. Returns in a child only, right after
 * its birth: what needs no tenant is done now, then zygote_become is called.
 */
void zygote_run(bool is_confined);

/* In a child: whether nobody waits for it yet, as far as it was told. */
bool zygote_is_spare(void);

/*
 * In a child: wait to be told the tenant, without a turn of the loop, and give
 * up all privileges. Returns a command line as main gets it, *new* for ever.
 * Ends the process when nobody wants it.
 */
char **zygote_become(int *argc_r);

#endif
