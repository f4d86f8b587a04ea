/* SPDX-License-Identifier: MIT */
/*
 * link: the switchboard's end of the channel to poold: which message
 * does what, and the order of ending (drain, drained, quit).
 */
#ifndef SWITCHBOARD_LINK_H
#define SWITCHBOARD_LINK_H

/*
 * Open the channel over fd (*takes* it, also when this fails). Losing poold
 * ends the process at once. Returns 0 or -errno.
 */
int link_open_take(int fd);

/* End as on DRAIN and then QUIT: a signal of our own. Twice: at once. */
void link_end(void);

/* Close the channel. */
void link_close(void);

#endif
