/* SPDX-License-Identifier: MIT */
/*
 * reap: the first process of a PID namespace gets the orphans of all others
 * and must take their status, or they stay as zombies. What a tool started
 * itself is the tool's to wait for, and nobody tells the two apart; so a
 * zombie is left alone for a while first. Written in callbacks.
 */
#ifndef BACKEND_REAP_H
#define BACKEND_REAP_H

/*
 * Begin, if this is the first process of a namespace; otherwise nothing.
 * Returns 0 or -ENOMEM.
 */
int reap_start(void);

/* End; not begun: nothing. */
void reap_stop(void);

#endif
