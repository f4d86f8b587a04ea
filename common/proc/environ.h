/* SPDX-License-Identifier: MIT */
/*
 * environ: the environment of this process, changed at its start, while there
 * is one thread. As unsetenv(3) and putenv(3), but nothing is written to that a
 * forked process shares with its parent, a lock of the C library included: a
 * page each would be its own for that alone.
 */
#ifndef PROC_ENVIRON_H
#define PROC_ENVIRON_H

/* Take all variables of that name out of it. */
void environ_drop(const char *name);

/*
 * Have vars ("NAME=value", *borrowed* for good; NULL ends them) in it, each in
 * place of the first one of its name. The list is made anew. Returns 0 or
 * -ENOMEM; then it is as it was.
 */
int environ_put(char *const *vars);

#endif
