/* SPDX-License-Identifier: MIT */
/*
 * child_init: stands above a foreign program as the first process of its PID
 * namespace, or without root as a subreaper. A program that is no init ignores
 * signals there and leaves zombies; this one forwards signals, reaps whatever
 * becomes its child, and when the program has ended kills all that is left and
 * says how the program ended.
 */
#ifndef POOLD_CHILD_INIT_H
#define POOLD_CHILD_INIT_H

#include "poold/heritage.h"

/*
 * Sent by the kernel when poold dies and there is no namespace: then all
 * descendants are killed here, since nobody above does.
 */
#define CHILD_INIT_ORPHANED SIGRTMAX

/*
 * Run h's program below, live as long as it, exit with 128 + its signal or its
 * status. To be called in a child after privileges were given up. Writes
 * HERITAGE_RUNS or the failed step to report_fd, HERITAGE_STATUS at the end.
 */
void child_init(const struct heritage *h, int report_fd, int life_fd)
    __attribute__((noreturn));

#endif
