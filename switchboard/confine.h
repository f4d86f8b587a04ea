/* SPDX-License-Identifier: MIT */
/* confine: what the switchboard gives up before it reads a byte. */
#ifndef SWITCHBOARD_CONFINE_H
#define SWITCHBOARD_CONFINE_H

/*
 * Give up files and all system calls that are not needed from here on, for
 * good. What the kernel lacks is passed over: poold has said it. To be called
 * when everything is open but the sockets that poold sends. Returns 0 or
 * -errno with a line in the log.
 */
int confine_enter(void);

#endif
