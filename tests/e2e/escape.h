/* SPDX-License-Identifier: MIT */
/*
 * escape: what a tenant may try against others and the system, each attempt by
 * its name. Runs inside a tenant: in tool_escape.c, and in a python command
 * that loads it.
 */
#ifndef E2E_ESCAPE_H
#define E2E_ESCAPE_H

/*
 * Make the attempt called name with its text and number. Returns 0 when it got
 * through, the errno that it got, or -1: there is no such attempt. What is
 * counted (forks, megabytes) is in *n_r.
 */
int escape_try(const char *name, const char *text, long number, long *n_r);

#endif
