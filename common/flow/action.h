/* SPDX-License-Identifier: MIT */
/*
 * action: the bridge from callbacks to a wait. A task sets something up that
 * will call back, and waits until a callback resolves or rejects it. For
 * starting tasks from callbacks see scope_run in task.h.
 */
#ifndef FLOW_ACTION_H
#define FLOW_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/flow/here.h"
#include "common/flow/latch.h"

/* One action; lives on the stack of flow_action. */
struct flow_action;

/*
 * Resolve it: flow_action returns 0 and value. Only the first resolve or
 * reject counts. The pointer is valid until discard was called: discard must
 * see to it that nothing calls back later. Never waits.
 */
void flow_action_resolve(struct flow_action *a, void *value);

/* Reject it: flow_action returns code (-errno) and the text. */
void flow_action_reject(struct flow_action *a, int code, const char *text);

/*
 * Call setup(a, arg), which arranges callbacks (and may already resolve or
 * reject, or return -errno: a rejection), then wait. discard(arg) is called
 * exactly once after setup returned 0: when resolved, rejected, timed out or
 * halted; its -errno replaces the outcome. Returns 0 with *value_r (may be
 * NULL), the rejection's -errno with *err_r (may be NULL), or -ETIMEDOUT.
 * Waits.
 */
int flow_action(int (*setup)(struct flow_action *a, void *arg),
    int (*discard)(void *arg), void *arg, int64_t deadline_ms, void **value_r,
    struct err *err_r);

#ifndef FLOW_INSIDE
#define flow_action(...) (FLOW_HERE(), flow_action(__VA_ARGS__))
#endif

#endif
