/* SPDX-License-Identifier: MIT */
/*
 * resource: something that is set up, used, and taken down at the end of the
 * scope that acquired it. Its body sets up, calls resource_provide, and is
 * unwound from there when the scope ends: locals with cleanups, finalisers
 * and children of the body are its teardown. Nobody else may halt its task
 * once it has provided: what it provided is in use.
 */
#ifndef FLOW_RESOURCE_H
#define FLOW_RESOURCE_H

#include "common/flow/here.h"
#include "common/flow/task.h"

/*
 * Run spec's body as a child of the current scope until it provides a value.
 * A body that does not wait lets no other task run in between. An error
 * before it provided is returned here (and what was set up is torn down);
 * one after it fails the owner. A body that returns without providing is an
 * error (-ENODATA). Returns 0 with *value_r, owned by the resource, or the
 * -errno with *err_r (may be NULL). Takes spec->arg as task_spec says. Waits.
 */
int
resource_open(const struct task_spec *spec, void **value_r, struct err *err_r);

/*
 * In a resource's body: hand out value and stay until the scope ends. Code
 * behind this call never runs.
 */
void resource_provide(void *value) __attribute__((noreturn));

#ifndef FLOW_INSIDE
#define resource_open(...)    (FLOW_HERE(), resource_open(__VA_ARGS__))
#define resource_provide(...) (FLOW_HERE(), resource_provide(__VA_ARGS__))
#endif

#endif
