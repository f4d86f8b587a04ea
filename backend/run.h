/* SPDX-License-Identifier: MIT */
/*
 * run: the task of a session. The tool runs behind an error boundary on a
 * stack of its own; whatever it does ends as a terminal entry of its session
 * and never as a failure of the backend.
 */
#ifndef BACKEND_RUN_H
#define BACKEND_RUN_H

#include "common/flow/task.h"

#include "backend/session.h"

/*
 * Run the tool of a session as a task of scope, from the next turn of the
 * loop. The session must live until its terminal entry is there. Returns 0, or
 * an error after which the session never ran and has no terminal entry:
 * -ENOMEM, -ECANCELED (the scope is closing). Never waits.
 */
int run_start(struct scope *scope, struct session *session);

#endif
