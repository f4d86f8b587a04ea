/* SPDX-License-Identifier: MIT */
/* fault: lists of errors, newest first. */
#include "common/flow/fault.h"

#include <errno.h>
#include <stddef.h>

#include "common/base/mem.h"

/* Stands for a fault for which there was no memory; never freed, no list. */
static struct fault fault_no_memory = {
	.err = { .code = -ENOMEM, .text = "out of memory while failing" },
};

struct fault *
fault_new(const struct err *err)
{
	struct fault *const f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return &fault_no_memory;
	f->err = *err;
	return f;
}

struct fault *
fault_copy(const struct fault *f)
{
	struct fault *const first = fault_new(&f->err);
	struct fault *last = first;

	while ((f = f->older) && last != &fault_no_memory) {
		last->older = fault_new(&f->err);
		last = last->older;
	}
	return first;
}

void
fault_free(struct fault **fp)
{
	struct fault *f = *fp;

	*fp = NULL;
	while (f && f != &fault_no_memory) {
		struct fault *const older = f->older;
		mem_free(f);
		f = older;
	}
}

/* Append a list to another; what cannot be appended is freed. */
static void
fault_append(struct fault *to, struct fault *tail)
{
	while (to != &fault_no_memory && to->older)
		to = to->older;
	if (to == &fault_no_memory)
		fault_free(&tail);
	else
		to->older = tail;
}

void
fault_push_take(struct fault **list, struct fault *newer)
{
	struct fault *const old = *list;

	*list = newer;
	if (old)
		fault_append(newer, old);
}

void
fault_attach_take(struct fault **list, struct fault *extra)
{
	if (*list)
		fault_append(*list, extra);
	else
		fault_free(&extra);
}

bool
fault_get(const struct fault *f, unsigned nth, struct err *err_r)
{
	while (f && nth--)
		f = f->older;
	if (f)
		*err_r = f->err;
	return f != NULL;
}
