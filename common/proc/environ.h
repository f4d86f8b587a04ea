/* SPDX-License-Identifier: MIT */
/* environ: variables that are said to this process and to no child of it. */
#ifndef PROC_ENVIRON_H
#define PROC_ENVIRON_H

/*
 * Take name out of the environment. As unsetenv(3), but it takes no lock of
 * the C library, whose page would be a forked process's own for that alone;
 * so it is for a start, while there is one thread.
 */
void environ_drop(const char *name);

#endif
