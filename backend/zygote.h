/* SPDX-License-Identifier: MIT */
/*
 * zygote: the backend program, warm and without a tenant, that forks on
 * poold's word. It has one thread and no loop, runs no tenant's code and makes
 * no JSON; so nothing is shared with a child but clean memory. Its children
 * are poold's; each waits for its tenant (ASSIGN) and is a backend then.
 */
#ifndef BACKEND_ZYGOTE_H
#define BACKEND_ZYGOTE_H

/*
 * Serve poold's SPAWN messages on the channel that the environment names.
 * Ends the process when poold is gone. Returns in a child only, when that was
 * told its tenant and gave up its privileges: with a command line as main gets
 * it, *new* for ever.
 */
char **zygote_run(int *argc_r);

#endif
