/* SPDX-License-Identifier: MIT */
/*
 * main: the root of a program made of tasks. SIGINT, SIGTERM and SIGHUP halt
 * the root task; the process ends after the whole tree was torn down. A parent
 * may have blocked them, and SIGHUP stays ignored if it was (nohup). SIGUSR1
 * prints the tree of tasks (flow_dump) on stderr.
 */
#ifndef FLOW_MAIN_H
#define FLOW_MAIN_H

#include "common/flow/task.h"

/*
 * Open loop and flow, run body(arg) as the root task, tear everything down,
 * close both. Returns the exit status: 0 when the body returned; the status
 * of flow_exit; 1 after an error (said on stderr), also one of the teardown;
 * 128 + n after signal n. A second signal calls on_hurry(signo) (may be NULL)
 * and goes on with the teardown: what must be hurried is the program's.
 */
int flow_main(task_body_fn *body, void *arg, void (*on_hurry)(int signo));

/*
 * End the program from any task, at any depth: the whole tree is torn down,
 * then flow_main returns status; a message (NULL: none) goes to stdout for 0,
 * else to stderr. Does not return.
 */
void flow_exit(int status, const char *message) __attribute__((noreturn));

/* The signal that ends the program; 0 while none came. */
int flow_main_signal(void);

#endif
