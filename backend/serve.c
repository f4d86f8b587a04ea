/* SPDX-License-Identifier: MIT */
/*
 * serve: one task accepts, one task serves each connection. A task owns its
 * connection; the list only lets the drain find those that wait for a head.
 */
#include "backend/serve.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"
#include "common/flow/wait.h"

#include "backend/mcp.h"
#include "backend/rest.h"
#include "backend/rpc.h"

#define SERVE_SPARE_FDS 64  /* for tools, logs, and the accept itself */
#define SERVE_PAUSE_MS  100 /* after accept failed for want of anything */

struct serve_line;
TAILQ_HEAD(serve_lines, serve_line);

struct serve {
	struct backend *backend;
	int fd;
	struct scope *scope; /* of the connections */
	struct task *acceptor;
	struct serve_lines lines;
	unsigned n_lines;
	unsigned max_lines;
	struct waitq fewer; /* woken whenever a line ends */
	bool is_hurried;
};

/* One connection. Owned by its task. */
struct serve_line {
	TAILQ_ENTRY(serve_line) link;
	struct serve *serve;
	struct wire wire;
	struct task *task; /* *borrowed*: set while the body runs */
	bool is_idle;      /* waits for a head */
};

/* Ends the line when its task is done, however that ended. */
static void
serve_line_free(void *arg)
{
	struct serve_line *line = arg;
	struct serve *serve = line->serve;

	TAILQ_REMOVE(&serve->lines, line, link);
	serve->n_lines--;
	wire_fini(&line->wire);
	mem_free(line);
	waitq_wake_all(&serve->fewer, 0);
	/* Its stack and its buffers are to go, too. */
	rest_later();
}

/*
 * Answer a head or body that is no HTTP; the connection closes behind it. Not
 * inlined: what it needs would stand on the stack while a client is waited for.
 */
static void __attribute__((noinline))
serve_refuse(struct serve_line *line, const struct http_fault *fault)
{
	const struct inbound none = { .minor = 1, .verb = HTTP_VERB_POST };
	struct reply reply = {
		.wire = &line->wire, .in = &none, .is_last = true
	};
	hl_auto json_t *body =
	    rpc_error_take(NULL, RPC_INVALID_REQUEST, fault->text, NULL);

	log_debug("connection: refused: %s", fault->text);
	if (body)
		(void)reply_json(&reply, fault->status, body);
}

/* Serve one request. Returns whether another one may follow. */
static bool
serve_request(struct serve_line *line)
{
	struct serve *serve = line->serve;
	inbound_auto struct inbound in = { 0 };
	struct reply reply = { .wire = &line->wire, .in = &in };
	struct http_fault fault;
	int rc;

	line->is_idle = true;
	rc = wire_read_head(&line->wire, &in, &fault);
	line->is_idle = false;
	if (rc == -EBADMSG || rc == -EMSGSIZE)
		serve_refuse(line, &fault);
	if (rc != 1)
		return false;
	reply.is_last = !in.frame.persists || serve->backend->is_draining;
	rc = mcp_serve(serve->backend, &reply);
	rest_later();
	if (rc == -ENOMEM)
		log_error("connection: closed: out of memory");
	return rc == 0 && !reply.is_last;
}

static void *
serve_line_body(void *arg)
{
	struct serve_line *line = arg;

	line->task = task_self();
	while (!line->serve->backend->is_draining && serve_request(line))
		continue;
	return NULL;
}

/* Give a connection its task; it outlives the acceptor. */
static void
serve_admit(struct serve *serve, int fd)
{
	struct serve_line *line = mem_zalloc(1, sizeof(*line));
	struct task_spec spec = {
		.name = "connection",
		.body = serve_line_body,
		.arg = line,
		.dispose = serve_line_free,
	};

	if (!line) {
		close(fd);
		log_error("connection: refused: out of memory");
		return;
	}
	line->serve = serve;
	wire_init(&line->wire, fd);
	TAILQ_INSERT_TAIL(&serve->lines, line, link);
	serve->n_lines++;
	if (scope_run(serve->scope, &spec, NULL) != 0)
		log_error("connection: refused: out of memory");
}

/* Accept until nothing waits. Returns 0, or -errno when it must pause. */
static int
serve_accept(struct serve *serve)
{
	while (serve->n_lines < serve->max_lines) {
		const int fd = accept4(
		    serve->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			serve_admit(serve, fd);
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR && errno != ECONNABORTED)
			return -errno;
	}
	return 0;
}

static void *
serve_acceptor(void *arg)
{
	struct serve *serve = arg;
	bool is_said = false;

	for (;;) {
		int rc;

		while (serve->n_lines >= serve->max_lines)
			waitq_wait(
			    &serve->fewer, "a connection to end", CLOCK_NEVER);
		rc = rest_wait_fd(serve->fd, LOOP_READ, CLOCK_NEVER);
		if (rc > 0)
			rc = serve_accept(serve);
		if (rc >= 0) {
			is_said = false;
			continue;
		}
		if (!is_said)
			log_warn_err(rc, "accept: paused");
		is_said = true;
		flow_sleep(SERVE_PAUSE_MS);
	}
	return NULL;
}

/* As many as the limit on descriptors allows, raised as far as it goes. */
static unsigned
serve_max_lines(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return SERVE_SPARE_FDS;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
		(void)getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur > SERVE_CONNECTIONS_MAX + SERVE_SPARE_FDS)
		return SERVE_CONNECTIONS_MAX;
	return r.rlim_cur > 2 * SERVE_SPARE_FDS
	           ? (unsigned)r.rlim_cur - SERVE_SPARE_FDS
	           : SERVE_SPARE_FDS;
}

int
serve_start_take(struct backend *backend, int fd, struct serve **serve_r)
{
	struct serve *serve = mem_zalloc(1, sizeof(*serve));
	struct task_spec spec = {
		.name = "accept", .body = serve_acceptor, .arg = serve
	};
	int rc;

	*serve_r = NULL;
	if (!serve) {
		close(fd);
		return -ENOMEM;
	}
	serve->backend = backend;
	serve->fd = fd;
	serve->scope = scope_current();
	serve->max_lines = serve_max_lines();
	TAILQ_INIT(&serve->lines);
	waitq_init(&serve->fewer);
	rc = fd_nonblock(fd);
	if (rc == 0)
		rc = task_spawn(&spec, &serve->acceptor);
	if (rc != 0) {
		fd_close(&serve->fd);
		mem_free(serve);
		return rc;
	}
	*serve_r = serve;
	return 0;
}

bool
serve_is_idle(const struct serve *serve)
{
	const struct serve_line *line;

	TAILQ_FOREACH (line, &serve->lines, link)
		if (!line->is_idle)
			return false;
	return true;
}

void
serve_drain(struct serve *serve, int64_t deadline_ms)
{
	struct serve_line *line;
	int rc = task_halt(serve->acceptor, NULL);

	fd_close(&serve->fd);
	TAILQ_FOREACH (line, &serve->lines, link)
		if (line->is_idle)
			task_halt_soon(line->task);
	while (rc == 0 && serve->n_lines > 0 && !serve->is_hurried)
		rc = waitq_wait(
		    &serve->fewer, "connections to end", deadline_ms);
	if (serve->n_lines > 0)
		log_warn("drain: %u connections are cut off", serve->n_lines);
}

void
serve_hurry(struct serve *serve)
{
	serve->is_hurried = true;
	waitq_wake_all(&serve->fewer, 0);
}

void
serve_free(struct serve **serve)
{
	if (!*serve)
		return;
	task_unref(&(*serve)->acceptor);
	fd_close(&(*serve)->fd);
	mem_free(*serve);
	*serve = NULL;
}
