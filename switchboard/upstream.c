/* SPDX-License-Identifier: MIT */
/* upstream: connections to backends and their idle pools. */
#include "switchboard/upstream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#include "switchboard/block.h"
#include "switchboard/limits.h"

#define UPSTREAM_MAGIC 0x75707374u

static struct {
	TAILQ_HEAD(, upstream) idle; /* of all pools, oldest first */
	unsigned n;                  /* idle and busy */
	unsigned n_max;
} upstreams = { .idle = TAILQ_HEAD_INITIALIZER(upstreams.idle),
	.n_max = LIMIT_CLIENTS };

void
upstream_open(unsigned n_max)
{
	upstreams.n_max = n_max;
}

void
upstream_pool_init(struct upstream_pool *pool)
{
	*pool = (struct upstream_pool){ 0 };
	TAILQ_INIT(&pool->idle);
}

void
upstream_pool_open(struct upstream_pool *pool, uint64_t generation)
{
	must(generation && !pool->n_idle);
	pool->generation = generation;
}

void
upstream_pool_close(struct upstream_pool *pool)
{
	struct upstream *up;

	pool->generation = 0;
	while ((up = TAILQ_FIRST(&pool->idle)))
		upstream_close(&up);
	must(pool->n_idle == 0);
}

/* Take an idle one off its pool. */
static void
upstream_unlink(struct upstream *up)
{
	must(up->state == UPSTREAM_IDLE && up->pool);
	TAILQ_REMOVE(&up->pool->idle, up, link);
	TAILQ_REMOVE(&upstreams.idle, up, turn);
	up->pool->n_idle--;
	up->pool = NULL;
}

struct upstream *
upstream_take(struct upstream_pool *pool)
{
	struct upstream *const up = TAILQ_FIRST(&pool->idle);

	if (!up)
		return NULL;
	must_be(up, UPSTREAM_MAGIC);
	upstream_unlink(up);
	up->state = UPSTREAM_BUSY;
	up->n_read_base = up->jack.n_read;
	up->n_written_base = up->jack.n_written;
	jack_deadline(&up->jack, CLOCK_NEVER);
	return up;
}

/* An idle backend that says anything or closes is of no use. */
static void
upstream_on_ready(unsigned events, void *arg)
{
	struct upstream *up = arg;

	must_be(up, UPSTREAM_MAGIC);
	if (up->state == UPSTREAM_BUSY)
		up->on_ready(events, up->arg);
	else
		upstream_close(&up);
}

static void
upstream_on_due(void *arg)
{
	struct upstream *up = arg;

	must_be(up, UPSTREAM_MAGIC);
	if (up->state == UPSTREAM_BUSY)
		up->on_due(up->arg);
	else
		upstream_close(&up);
}

/* A connected socket, or -errno. */
static int
upstream_dial(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path));
	fd_auto int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return fd_take(&fd);
}

int
upstream_connect(
    struct upstream_pool *pool, const char *path, struct upstream **up_r)
{
	struct upstream *oldest = TAILQ_FIRST(&upstreams.idle);

	if (upstreams.n >= upstreams.n_max && oldest)
		upstream_close(&oldest);
	int fd = upstream_dial(path);
	if (fd < 0)
		return fd;
	struct upstream *const up = mem_zalloc(1, sizeof(*up));
	if (!up) {
		fd_close(&fd);
		return -ENOMEM;
	}
	up->magic = UPSTREAM_MAGIC;
	up->state = UPSTREAM_BUSY;
	up->generation = pool->generation;
	upstreams.n++;
	jack_open_take(&up->jack, fd, upstream_on_ready, upstream_on_due, up);
	http_scan_init(&up->scan, HTTP_KIND_RESPONSE);
	*up_r = up;
	return 0;
}

void
upstream_attach(struct upstream *up,
    void (*on_ready)(unsigned events, void *arg), void (*on_due)(void *arg),
    void *arg)
{
	must_be(up, UPSTREAM_MAGIC);
	must(up->state == UPSTREAM_BUSY);
	up->on_ready = on_ready;
	up->on_due = on_due;
	up->arg = arg;
}

uint64_t
upstream_n_written(const struct upstream *up)
{
	return up->jack.n_written - up->n_written_base;
}

uint64_t
upstream_n_read(const struct upstream *up)
{
	return up->jack.n_read - up->n_read_base;
}

int
upstream_n_unread(const struct upstream *up)
{
	int n = 0;

	return ioctl(up->jack.io.fd, SIOCOUTQ, &n) < 0 ? 0 : n;
}

void
upstream_release(struct upstream **up_p, struct upstream_pool *pool)
{
	struct upstream *const up = *up_p;

	must_be(up, UPSTREAM_MAGIC);
	must(up->state == UPSTREAM_BUSY);
	if (up->generation != pool->generation || !pool->generation ||
	    pool->n_idle >= LIMIT_IDLE_UPSTREAMS || up->jack.is_broken ||
	    up->jack.is_eof) {
		upstream_close(up_p);
		return;
	}
	must(!buf_len(&up->jack.in) && !buf_len(&up->jack.out));
	block_return(&up->jack.in);
	block_return(&up->jack.out);
	up->state = UPSTREAM_IDLE;
	up->pool = pool;
	TAILQ_INSERT_HEAD(&pool->idle, up, link);
	TAILQ_INSERT_TAIL(&upstreams.idle, up, turn);
	pool->n_idle++;
	jack_watch(&up->jack, 1);
	jack_deadline(&up->jack, clock_now_ms() + LIMIT_UPSTREAM_IDLE_MS);
	*up_p = NULL;
}

static void
upstream_on_free(void *arg)
{
	mem_free(arg);
}

void
upstream_close(struct upstream **up_p)
{
	struct upstream *const up = *up_p;

	*up_p = NULL;
	if (!up)
		return;
	must_be(up, UPSTREAM_MAGIC);
	must(up->state != UPSTREAM_CLOSED);
	if (up->state == UPSTREAM_IDLE)
		upstream_unlink(up);
	up->state = UPSTREAM_CLOSED;
	upstreams.n--;
	jack_close(&up->jack);
	loop_defer(&up->defer, upstream_on_free, up);
}
