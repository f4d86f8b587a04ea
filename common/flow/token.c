/* SPDX-License-Identifier: MIT */
/* token: a flag and an eventfd, counted by atomics, set by a finaliser. */
#include "common/flow/token.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/task.h"

struct flow_token {
	atomic_uint refs;
	atomic_bool is_set;
	int fd;
};

/* The scope is over: fire, and let go of the scope's reference. */
static int
token_fire(void *arg, struct err *err)
{
	struct flow_token *t = arg;
	const uint64_t one = 1;

	atomic_store(&t->is_set, true);
	must(write(t->fd, &one, sizeof(one)) == sizeof(one));
	flow_token_unref(&t);
	return 0;
}

int
flow_token_new(struct flow_token **token_r)
{
	struct flow_token *const t = mem_zalloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->fd < 0) {
		const int rc = -errno;
		mem_free(t);
		return rc;
	}
	if (scope_ensure(token_fire, t) < 0) {
		fd_close(&t->fd);
		mem_free(t);
		return -ENOMEM;
	}
	atomic_init(&t->refs, 2);
	*token_r = t;
	return 0;
}

struct flow_token *
flow_token_ref(struct flow_token *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void
flow_token_unref(struct flow_token **tp)
{
	struct flow_token *const t = *tp;

	*tp = NULL;
	if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	fd_close(&t->fd);
	mem_free(t);
}

bool
flow_token_is_set(const struct flow_token *t)
{
	return atomic_load(&t->is_set);
}

int
flow_token_fd(const struct flow_token *t)
{
	return t->fd;
}
