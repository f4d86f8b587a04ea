/* SPDX-License-Identifier: MIT */
/*
 * first: what is different in the first process of a PID namespace: its number
 * outside, and a death that the kernel would not let it die. Orphans are
 * reap's.
 */
#ifndef BACKEND_FIRST_H
#define BACKEND_FIRST_H

/* If this is the first process of a namespace; otherwise nothing. */
void first_init(void);

#endif
