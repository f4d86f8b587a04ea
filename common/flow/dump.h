/* SPDX-License-Identifier: MIT */
/* dump: the tree of tasks, for a person who asks what a process is doing. */
#ifndef FLOW_DUMP_H
#define FLOW_DUMP_H

#include <stdio.h>

/*
 * Print a line for each task, children indented below their owner: name,
 * state, what it waits for, since when, file:line of the wait, stack in use.
 * Called from the loop, not by a task. Never waits.
 */
void flow_dump(FILE *out);

#endif
