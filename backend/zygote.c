/* SPDX-License-Identifier: MIT */
/*
 * zygote: a loop of receive, fork, answer; and what a child does from its birth
 * until it is a backend. The order in a child: descriptors (poold/heritage.h
 * says which), death with poold, what needs no tenant (main.c), the wait; then
 * session, limits, ids, what confines the tenant, death with poold again, since
 * a change of ids cleared it. A child that is not told its tenant ends when its
 * channel does.
 */
#include "backend/zygote.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/flow/task.h"
#include "common/ipc/packet.h"
#include "common/proc/child.h"
#include "common/proc/clone.h"
#include "common/proc/drop.h"
#include "common/proc/environ.h"
#include "common/proc/filter.h"
#include "common/proc/landlock.h"
#include "common/proc/limits.h"
#include "common/proc/sandbox.h"
#include "common/proc/title.h"

#include "backend/birth.h"
#include "backend/plug.h"

#define ZYGOTE_STATUS 127 /* of a child that cannot become a backend */
#define ZYGOTE_FDS    6   /* of a child: 0 to 5, the last only at first */
#define ZYGOTE_BASE   5   /* where its ruleset stands */

enum { ZYGOTE_CHANNEL, ZYGOTE_STDERR, ZYGOTE_CGROUP }; /* of SPAWN */
enum { ZYGOTE_LISTEN, ZYGOTE_BLOCK };                  /* of ASSIGN */

static pid_t zygote_parent; /* poold's, also of the children */

/* Of a child that became a backend: used until its end, then unused: kept. */
static char **zygote_argv __attribute__((used));

/* For tools without network and with; NULL: the kernel has none. */
static struct filter *zygote_filters[2];

/* The first of these is what the zygote's own filter leaves to be refused. */
static bool zygote_is_confined;

/* Of a child: nobody is known to wait for it. */
static bool zygote_is_idle;

/* Of the next child, or of this one; made while nobody waits. */
static struct landlock_base zygote_base = { .fd = -1 };

/* Where a child's own channel stands: at first where it came. */
static int zygote_own_channel = PROTO_CHANNEL_FD;

/* A child cannot go on: say why on its own channel, and end. */
static void __attribute__((noreturn, format(printf, 1, 2)))
zygote_fail(const char *fmt, ...)
{
	const struct proto_failed failed = { 0 };
	char text[PROTO_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)packet_send(
	    zygote_own_channel, PROTO_FAILED, &failed, text, NULL, 0);
	_exit(ZYGOTE_STATUS);
}

/* End with poold, and at once if that is gone. */
static void
zygote_die_with_poold(void)
{
	const int e = child_die_with(zygote_parent, PROTO_CHANNEL_FD);

	if (e < 0)
		zygote_fail(
		    "cannot be made to end with poold: %s", strerror(-e));
}

/* ---------------------------------------------------------- a child's birth */

/* Keep 0, take what came with SPAWN, close all else. */
static void
zygote_take_fds(const struct packet *spawn)
{
	const int err_fd = spawn->fds[ZYGOTE_STDERR];
	/* 3 is kept free by what is put there. */
	const int fds[ZYGOTE_FDS] = { -1, err_fd, err_fd, err_fd,
		spawn->fds[ZYGOTE_CHANNEL], zygote_base.fd };
	int e;

	zygote_own_channel = spawn->fds[ZYGOTE_CHANNEL];
	if ((e = child_place_fds(0, fds, ZYGOTE_FDS)) < 0)
		zygote_fail(
		    "its descriptors cannot be placed: %s", strerror(-e));
	zygote_own_channel = PROTO_CHANNEL_FD;
	e = child_close_from(ZYGOTE_FDS - (zygote_base.fd < 0));
	if (e < 0)
		zygote_fail("the zygote's descriptors cannot be closed: %s",
		    strerror(-e));
	if (zygote_base.fd >= 0)
		zygote_base.fd = ZYGOTE_BASE;
}

/* Wait for the word. No word: nobody wants this process any more. */
static void
zygote_await(struct packet *assign)
{
	struct pollfd channel = { .fd = PROTO_CHANNEL_FD, .events = POLLIN };
	const char *fault = NULL;

	while (poll(&channel, 1, -1) < 0)
		if (errno != EINTR)
			zygote_fail(
			    "cannot wait for its tenant: %s", strerror(errno));
	/* The lowest free number is what the first descriptor gets. */
	close(PROTO_LISTEN_FD);
	const int rc = packet_receive(PROTO_CHANNEL_FD, 0, assign, &fault);
	if (rc < 0)
		zygote_fail("cannot be told its tenant: %s",
		    fault ? fault : strerror(-rc));
	if (rc == 0)
		_exit(0);
	if (assign->type != PROTO_ASSIGN)
		zygote_fail(
		    "was told %s before its tenant", proto_name(assign->type));
}

/* -------------------------------------------------------------- its tenant */

/* The strings behind ASSIGN, where the next ones begin. */
struct zygote_block {
	char *at;
	char *end; /* a NUL stands here */
};

/* Read the file: bytes *new* for ever. */
static void
zygote_read_block(int fd, struct zygote_block *block)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < 1 ||
	    st.st_size > PROTO_ASSIGN_BYTES)
		zygote_fail("its command line has a wrong size");
	if (!(block->at = mem_alloc((size_t)st.st_size + 1)))
		zygote_fail("no memory for its command line");
	if (pread(fd, block->at, (size_t)st.st_size, 0) != st.st_size)
		zygote_fail("its command line cannot be read");
	block->end = block->at + st.st_size;
	*block->end = '\0';
}

/* Take n strings: *new*, NULL at the end. */
static char **
zygote_take_strings(struct zygote_block *block, size_t n)
{
	if (n > (size_t)(block->end - block->at))
		zygote_fail("its command line is too short");
	char **const v = mem_zalloc(n + 1, sizeof(*v));
	if (!v)
		zygote_fail("no memory for its command line");
	for (size_t i = 0; i < n && block->at < block->end; i++) {
		v[i] = block->at;
		block->at += strlen(v[i]) + 1;
	}
	return v;
}

/* What it may use up, and who it is: in the order of poold/child_exec.c. */
static void
zygote_drop(const struct proto_assign *assign)
{
	const struct drop_ids ids = { .uid = assign->uid, .gid = assign->gid };
	const struct rlimit nofile = { assign->nofile_soft,
		assign->nofile_hard };
	const struct limits limits = { .n_pids = assign->max_pids,
		.n_files = assign->max_files,
		.address_bytes = assign->max_address_bytes };
	int e;

	umask(S_IRWXG | S_IRWXO);
	if (setrlimit(RLIMIT_NOFILE, &nofile) < 0)
		zygote_fail("cannot set its limits: %s", strerror(errno));
	if ((e = limits_apply(&limits)) < 0)
		zygote_fail("cannot set its limits: %s", strerror(-e));
	if ((assign->has_ids && (e = drop_to(&ids)) < 0) ||
	    (e = drop_no_new_privs()) < 0)
		zygote_fail("cannot give privileges up: %s", strerror(-e));
	/* Also when no id changed: poold may be gone by now. */
	zygote_die_with_poold();
}

/* The last thing before its tools: files, then system calls. */
static void
zygote_confine(const struct proto_assign *assign, struct zygote_block *block)
{
	char **const read = zygote_take_strings(block, assign->n_read);
	char **const write = zygote_take_strings(block, assign->n_write);
	const bool has_network = assign->has_network != 0;
	if (zygote_is_confined && (has_network || !assign->has_sandbox))
		zygote_fail("its filter of system calls is on already");
	const struct landlock_rules files = {
		.base = &zygote_base,
		.read = (const char *const *)read,
		.write = (const char *const *)write,
		.has_system = true,
		.has_network = has_network,
	};
	const struct sandbox sandbox = { .files = &files,
		.filter = zygote_filters[has_network] };
	const int e = assign->has_sandbox ? sandbox_enter(&sandbox) : 0;

	if (e < 0)
		zygote_fail("cannot be confined: %s", strerror(-e));
	fd_close(&zygote_base.fd);
	mem_free(read);
	mem_free(write);
}

/* What the program finds in its environment, as if it had been run. */
static void
zygote_set_env(char **vars)
{
	static char listen_fds[] = "LISTEN_FDS=1";
	static char channel[] = PROTO_CHANNEL_ENV "=4";
	char *const ours[] = { listen_fds, channel, NULL };

	_Static_assert(PROTO_CHANNEL_FD == 4, "said in the environment");
	if (environ_put(vars) < 0 || environ_put(ours) < 0)
		zygote_fail("no memory for its environment");
	mem_free(vars);
}

/* A command line with all that belongs to it. */
static char **
zygote_take_on(struct packet *packet, int *argc_r)
{
	const struct proto_assign *const assign = packet->payload;
	struct zygote_block block;

	log_set_pid(assign->pid);
	setsid();
	const int listen_fd = fd_take(&packet->fds[ZYGOTE_LISTEN]);
	if (listen_fd != PROTO_LISTEN_FD)
		zygote_fail("its socket came as %d", listen_fd);
	zygote_read_block(packet->fds[ZYGOTE_BLOCK], &block);
	fd_close(&packet->fds[ZYGOTE_BLOCK]);
	zygote_argv = zygote_take_strings(&block, assign->n_argv);
	zygote_set_env(zygote_take_strings(&block, assign->n_envp));
	zygote_drop(assign);
	zygote_confine(assign, &block);
	birth_mark(BIRTH_CONFINED);
	*argc_r = (int)assign->n_argv;
	return zygote_argv;
}

bool
zygote_is_spare(void)
{
	struct pollfd channel = { .fd = PROTO_CHANNEL_FD, .events = POLLIN };

	return zygote_is_idle && poll(&channel, 1, 0) == 0;
}

char **
zygote_become(int *argc_r)
{
	struct packet assign packet_auto = { .n_fds = 0 };

	zygote_await(&assign);
	birth_mark(BIRTH_TOLD);
	return zygote_take_on(&assign, argc_r);
}

/* What there is to do right after the fork. */
static void
zygote_begin(struct packet *spawn)
{
	const struct proto_spawn *const said = spawn->payload;

	zygote_take_fds(spawn);
	spawn->n_fds = 0; /* these numbers are others' now */
	zygote_is_idle = said->is_spare;
	zygote_die_with_poold();
	title_set("spare");
	random_forget();
}

/* -------------------------------------------------------------- the zygote */

static int
zygote_answer(int channel, uint64_t serial, pid_t pid, int pidfd)
{
	const struct proto_unspawned unspawned = { .serial = serial, .e = pid };
	const struct proto_spawned spawned = { .serial = serial, .pid = pid };

	if (pid < 0)
		return packet_send(
		    channel, PROTO_UNSPAWNED, &unspawned, NULL, NULL, 0);
	return packet_send(channel, PROTO_SPAWNED, &spawned, NULL, &pidfd, 1);
}

/* Fork. Returns whether this is the child. */
static bool
zygote_fork(int channel, const struct packet *packet)
{
	const struct proto_spawn *const spawn = packet->payload;
	const struct clone_spec spec = {
		.has_namespace = spawn->has_namespace,
		.is_sibling = true,
		.cgroup_fd =
		    spawn->has_cgroup ? packet->fds[ZYGOTE_CGROUP] : -1,
	};
	fd_auto int pidfd = -1;

	const pid_t pid = clone_child(&spec, &pidfd);
	if (pid == 0)
		return true;
	/* A child that poold does not learn of ends: nobody tells it a word. */
	const int e = zygote_answer(channel, spawn->serial,
	    pid > 0 && pidfd < 0 ? -ENOSYS : pid, pidfd);
	if (e < 0) {
		log_error_err(e, "zygote: poold cannot be answered");
		exit(EXIT_FAILURE);
	}
	return false;
}

/* The channel to poold, by its number in the environment; it may wait. */
static int
zygote_channel(void)
{
	const char *const text = getenv(PROTO_CHANNEL_ENV);
	const char *why = NULL;
	const int fd = text ? (int)strtonum(text, 0, 1 << 20, &why) : -1;

	if (fd < 0 || why || fd_block(fd) < 0) {
		log_error("zygote: there is no channel to poold");
		exit(EXIT_FAILURE);
	}
	unsetenv(PROTO_CHANNEL_ENV);
	return fd;
}

/* Compile a filter: *new*. */
static struct filter *
zygote_make_filter(enum filter_kind kind, bool has_network)
{
	struct filter *filter;
	struct err err;

	if (filter_new(kind, has_network, &filter, &err) < 0) {
		log_error("zygote: %s: %s", err.place, err.text);
		exit(EXIT_FAILURE);
	}
	return filter;
}

/* Put on what all children are to have, but for what forks them. */
static void
zygote_confine_all(void)
{
	struct filter *own = zygote_make_filter(FILTER_ZYGOTE, false);
	int e = drop_no_new_privs();

	if (e == 0)
		e = filter_enter(own);
	filter_free(&own);
	if (e < 0) {
		log_error_err(e, "zygote: cannot be confined");
		exit(EXIT_FAILURE);
	}
	zygote_filters[0] = zygote_make_filter(FILTER_AFTER_ZYGOTE, false);
	zygote_is_confined = true;
}

/* Compiled once, for all children. */
static void
zygote_make_filters(bool is_confined)
{
	if (!filter_is_there())
		return;
	if (is_confined)
		zygote_confine_all();
	for (unsigned i = 0; i < 2 && !is_confined; i++)
		zygote_filters[i] = zygote_make_filter(FILTER_TOOLS, i);
}

/*
 * A ruleset for the next child. Without it, which is for want of descriptors
 * or memory, the child makes its own.
 */
static void
zygote_stock(void)
{
	if (zygote_base.fd < 0)
		(void)landlock_begin(&zygote_base);
}

void
zygote_run(bool is_confined)
{
	const struct proto_ready ready = { 0 };
	const int channel = zygote_channel();
	const char *fault = NULL;
	int rc;

	zygote_parent = getppid();
	title_set("zygote");
	zygote_make_filters(is_confined);
	flow_warm();
	/* What that freed would be touched again by each child, page by page.
	 */
	malloc_trim(0);
	plug_heap();
	rc = packet_send(channel, PROTO_READY, &ready, NULL, NULL, 0);
	if (rc < 0) {
		log_error_err(rc, "zygote: poold cannot be told of it");
		exit(EXIT_FAILURE);
	}
	for (;;) {
		struct packet packet packet_auto;
		zygote_stock();
		rc = packet_receive(channel, 0, &packet, &fault);
		if (rc != 1)
			break;
		if (packet.type != PROTO_SPAWN)
			continue;
		if (zygote_fork(channel, &packet)) {
			zygote_begin(&packet);
			return;
		}
		/* The child has it. */
		fd_close(&zygote_base.fd);
	}
	if (rc < 0)
		log_error("zygote: channel: %s", fault ? fault : strerror(-rc));
	exit(rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
