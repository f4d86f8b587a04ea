/* SPDX-License-Identifier: MIT */
/*
 * sigstack: handlers of signals run on the alternate stack of the thread that
 * is interrupted, where it has one (common/flow makes one). A signal may come
 * while a task is near the end of its stack; its frame alone is 1 to 11 KiB,
 * as the machine's registers are.
 */
#ifndef BASE_SIGSTACK_H
#define BASE_SIGSTACK_H

/*
 * Have fn called for a signal, while no other one is; what it interrupts is
 * gone on with (SA_RESTART), and children that stop are no SIGCHLD.
 */
void sigstack_catch(int signo, void (*fn)(int signo));

/* Move the handler there that a library has just installed. */
void sigstack_move(int signo);

#endif
