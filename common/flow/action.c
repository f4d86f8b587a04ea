/* SPDX-License-Identifier: MIT */
/* action: a wait for whoever calls back first. */
#include "common/flow/action.h"

#include <stddef.h>

#include "common/base/must.h"
#include "common/flow/task.h"

struct flow_action {
	struct latch latch;
	struct err err;
	int (*discard)(void *arg); /* NULL once it was called */
	void *arg;
};

void
flow_action_resolve(struct flow_action *a, void *value)
{
	latch_set(&a->latch, 0, value);
}

void
flow_action_reject(struct flow_action *a, int code, const char *text)
{
	must(code < 0);
	if (latch_set(&a->latch, code, NULL))
		err_set(&a->err, code, NULL, "%s", text);
}

/* Call discard if it was not called yet; 0 or its -errno. */
static int
flow_action_discard(struct flow_action *a)
{
	int (*const discard)(void *arg) = a->discard;

	a->discard = NULL;
	return discard ? discard(a->arg) : 0;
}

/* For the cleanup of a wait that is unwound. */
static void
flow_action_end(struct flow_action *a)
{
	(void)flow_action_discard(a);
}

int
flow_action(int (*setup)(struct flow_action *a, void *arg),
    int (*discard)(void *arg), void *arg, int64_t deadline_ms, void **value_r,
    struct err *err_r)
{
	__attribute__((
	    cleanup(flow_action_end))) struct flow_action a = { .arg = arg };

	latch_init(&a.latch);
	const int setup_rc = setup(&a, arg);
	if (setup_rc < 0)
		return err_set(err_r, setup_rc, NULL, "it cannot be set up");
	a.discard = discard;
	const int rc = latch_wait(&a.latch, "a callback", deadline_ms, value_r);
	const int discard_rc = flow_action_discard(&a);
	if (discard_rc < 0)
		return err_set(
		    err_r, discard_rc, NULL, "it cannot be taken down");
	if (rc < 0 && err_r)
		*err_r = a.err;
	return rc;
}
