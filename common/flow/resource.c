/* SPDX-License-Identifier: MIT */
/*
 * resource: a child whose failure belongs to the acquirer until it provided,
 * and to its owner from then on. Acquirer and child share one small object,
 * so that either may leave first; the body finds it by a context.
 */
#include "common/flow/resource.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/context.h"
#include "common/flow/core.h"
#include "common/flow/latch.h"

#define RESOURCE_PROVIDED 0
#define RESOURCE_ENDED    1

struct resource {
	unsigned refs; /* acquirer and task */
	struct task_spec spec;
	struct latch provided;
	struct task *acquirer; /* NULL once it left */
};

static const struct flow_context resource_context = { .name = "resource" };

/* One of the two lets go. */
static void
resource_unref(struct resource **rp)
{
	struct resource *const r = *rp;

	*rp = NULL;
	if (--r->refs == 0)
		mem_free(r);
}

/* The acquirer leaves, however. */
static void
resource_leave(struct resource **rp)
{
	(*rp)->acquirer = NULL;
	resource_unref(rp);
}

/* Tell the acquirer; it runs before anybody else. */
static void
resource_tell(struct resource *r, int status, void *value)
{
	if (latch_set(&r->provided, status, value) && r->acquirer)
		run_urgent(r->acquirer);
}

static void *
resource_body(void *arg)
{
	struct resource *const r = arg;

	if (flow_context_set(&resource_context, r) < 0)
		flow_fail(-ENOMEM, "no memory for %s", r->spec.name);
	r->spec.body(r->spec.arg);
	return NULL;
}

/* The resource's task is over. */
static void
resource_dispose(void *arg)
{
	struct resource *r = arg;

	if (r->spec.dispose)
		r->spec.dispose(r->spec.arg);
	resource_tell(r, RESOURCE_ENDED, NULL);
	resource_unref(&r);
}

void
resource_provide(void *value)
{
	struct resource *const r = flow_context_expect(&resource_context);

	must(!task_self()->shield && task_self()->spec.arg == r);
	task_self()->is_muted = false;
	task_self()->has_provided = true;
	resource_tell(r, RESOURCE_PROVIDED, value);
	(void)flow_suspend();
	must_fail(__FILE__, __LINE__, "a resource went on after providing");
}

/* Why a resource ended without providing. */
static int
resource_error(struct task *t, const char *name, struct err *err_r)
{
	const int rc = task_await(t, NULL, err_r);

	if (rc < 0)
		return rc;
	return err_set(
	    err_r, -ENODATA, name, "the resource ended without providing");
}

int
resource_open(const struct task_spec *spec, void **value_r, struct err *err_r)
{
	struct resource *const r = mem_zalloc(1, sizeof(*r));

	if (!r) {
		if (spec->dispose)
			spec->dispose(spec->arg);
		return err_set(err_r, -ENOMEM, spec->name, "out of memory");
	}
	*r = (struct resource){ .refs = 2, .spec = *spec };
	r->acquirer = task_self();
	latch_init(&r->provided);
	__attribute__((cleanup(resource_leave))) struct resource *mine = r;
	struct task *t task_auto = NULL;
	const struct task_spec wrapped = { .name = spec->name,
		.body = resource_body,
		.arg = r,
		.dispose = resource_dispose,
		.stack_bytes = spec->stack_bytes };
	const int rc = task_spawn_muted(&wrapped, &t);
	if (rc < 0)
		return err_set(err_r, rc, spec->name, "it cannot be started");
	run_urgent(t);
	if (latch_wait(&mine->provided, spec->name, CLOCK_NEVER, value_r) ==
	    RESOURCE_PROVIDED)
		return 0;
	return resource_error(t, spec->name, err_r);
}
