/* SPDX-License-Identifier: MIT */
/*
 * backend_spawn: command line, environment, state folder, socket; then either
 * a spare, or a child of the zygote, that is told all this, or a process of
 * our own fork that runs a program. The socket listens before the program
 * starts; poold's copy of it is closed right after, or when it is known that
 * the process took it, since otherwise a dead backend's backlog would hang for
 * ever.
 */
#include "poold/backend_spawn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/proc/cgroup_limits.h"

#include "poold/backend.h"
#include "poold/backend_confine.h"
#include "poold/spare.h"
#include "poold/zygote_link.h"

/* The command line of a tools backend or of a command. */
struct backend_argv {
	char **v;
	char timeout[24];
	char max[24];
};

static int
backend_fill_argv(const struct backend *backend, const char *folder,
    struct backend_argv *argv)
{
	const struct settings *const settings = backend->context->settings;
	const struct settings_tenant *const tenant = backend->tenant;
	const struct base_config_strings *const list =
	    tenant->command.n ? &tenant->command : &tenant->tools;
	size_t n = 0;

	argv->v = mem_zalloc(list->n + 12, sizeof(*argv->v));
	if (!argv->v)
		return -ENOMEM;
	if (tenant->command.n == 0) {
		snprintf(argv->timeout, sizeof(argv->timeout), "%lld",
		    (long long)settings->pool.session_timeout_ms);
		snprintf(argv->max, sizeof(argv->max), "%lld",
		    (long long)settings->pool.max_sessions);
		char *const own[] = { (char *)"backend", (char *)"-h",
			(char *)backend->host, (char *)"-s", (char *)folder,
			(char *)"-t", argv->timeout, (char *)"-m", argv->max };
		memcpy(argv->v, own, sizeof(own));
		n = sizeof(own) / sizeof(own[0]);
	}
	for (size_t i = 0; i < list->n; i++)
		argv->v[n++] = list->v[i];
	return 0;
}

/* Where and as whom a run lives: filled by backend_spawn. */
struct backend_place {
	char *folder;
	int listen_fd;
	struct backend_confine confine;
};

static void
backend_place_fini(struct backend_place *place)
{
	fd_close(&place->listen_fd);
	mem_free(place->folder);
	backend_confine_fini(&place->confine);
}

/* The zygote is waited for: so this cleans up also when that is halted. */
#define backend_place_auto __attribute__((cleanup(backend_place_fini)))

/* What the environment of a backend says beside from. */
static int
backend_fill_env(const struct backend *backend,
    const struct backend_place *place, char *const *from, struct env *env)
{
	const struct backend_confine *const confine = &place->confine;
	const char *const folder = place->folder;
	int e = env_init(env, from);

	if (e == 0 && (!env_set(env, "TMPDIR", "%s", folder) ||
			  !env_set(env, HERITAGE_RUN_ENV, "%llu",
			      (unsigned long long)backend->generation)))
		e = -ENOMEM;
	/* The home of root is nothing to somebody else. */
	if (e == 0 && confine->has_ids &&
	    (!env_set(env, "HOME", "%s", folder) ||
		!env_set(env, "USER", "%s", confine->ids.user) ||
		!env_set(env, "LOGNAME", "%s", confine->ids.user)))
		e = -ENOMEM;
	return e;
}

/* What all its processes together may use, written into its leaf. */
static void
backend_limit_leaf(struct backend *backend)
{
	const struct settings_confine *const want = &backend->tenant->confine;
	const struct cgroup_limits limits = {
		.memory_high_bytes = want->memory_high_bytes,
		.memory_max_bytes = want->memory_max_bytes,
		.n_pids = want->pids_max,
		.cpu_weight = want->cpu_weight,
	};
	unsigned lacks = backend->context->limits_lacking;

	backend->n_kills = 0;
	if (!backend->leaf)
		return;
	backend->n_kills = cgroup_limits_kills(cgroup_leaf_fd(backend->leaf));
	const int e =
	    cgroup_limits_write(cgroup_leaf_fd(backend->leaf), &limits, &lacks);
	if (e < 0)
		log_error_err(e, "%s: the limits of its cgroup", backend->name);
}

static void
backend_take_leaf(struct backend *backend)
{
	backend->leaf = cgroup_take(&backend->context->cgroup);
	backend_limit_leaf(backend);
}

/* ---------------------------------------------------------- run a program */

static void
backend_fill_spec(struct backend *backend, const struct backend_place *place,
    struct process_spec *spec)
{
	struct context *const context = backend->context;
	const struct backend_confine *const confine = &place->confine;
	const bool is_command = backend->tenant->command.n > 0;

	*spec = (struct process_spec){
		.name = backend->name,
		.heritage = { .path = is_command ? backend->tenant->command.v[0]
		                                 : context->backend_program,
		    .folder = place->folder,
		    .ids = confine->has_ids ? &confine->ids : NULL,
		    .life_fd = context->life[0],
		    .life_write_fd = context->life[1],
		    .parent_pid = getpid(),
		    .nofile = context->nofile,
		    .limits = confine->limits,
		    .sandbox = confine->sandbox,
		    .is_mortal = true,
		    .has_namespace = context->has_namespaces,
		    .has_init = is_command,
		    .name = backend->host,
		    .cgroup_fd = cgroup_leaf_fd(backend->leaf) },
		.listen_fd = place->listen_fd,
		.has_channel = !is_command,
		.has_own_stderr = true,
		.select = &backend->select,
	};
}

static int
backend_exec(struct backend *backend, const struct backend_place *place,
    struct err *err_r)
{
	struct backend_argv argv = { 0 };
	struct env env = { 0 };
	struct process_spec spec;

	backend_take_leaf(backend);
	backend_fill_spec(backend, place, &spec);
	int e = backend_fill_argv(backend, place->folder, &argv);
	if (e == 0)
		e = backend_fill_env(backend, place, environ, &env);
	spec.env = &env;
	spec.heritage.argv = argv.v;
	if (e == 0)
		e = process_start(&spec, &backend->process, err_r);
	else
		err_set(err_r, e, NULL, "no memory for a process");
	env_fini(&env);
	mem_free(argv.v);
	return e;
}

/* ------------------------------------------------------ assign a forked one */

/* Strings of the file of ASSIGN. */
struct backend_list {
	const char *const *v;
	size_t n;
};

/* Put the strings of all lists, each with its NUL, at *at, or count them. */
static size_t
backend_put_strings(const struct backend_list *lists, size_t n, char *at)
{
	size_t n_bytes = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < lists[i].n; k++) {
			const size_t n_one = strlen(lists[i].v[k]) + 1;
			if (at)
				memcpy(at + n_bytes, lists[i].v[k], n_one);
			n_bytes += n_one;
		}
	return n_bytes;
}

/* Write them in one go. Returns 0 or -errno. */
static int
backend_write_strings(int fd, const struct backend_list *lists, size_t n)
{
	const size_t n_bytes = backend_put_strings(lists, n, NULL);

	if (n_bytes > PROTO_ASSIGN_BYTES)
		return -E2BIG;
	char *const bytes = mem_alloc(n_bytes);
	if (!bytes)
		return -ENOMEM;
	backend_put_strings(lists, n, bytes);
	const ssize_t done = write(fd, bytes, n_bytes);
	const int e = done < 0 ? -errno : done == (ssize_t)n_bytes ? 0 : -EIO;
	mem_free(bytes);
	return e;
}

/* How many there are before the NULL; none for NULL. */
static uint32_t
backend_count(const char *const *v)
{
	uint32_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* The file of ASSIGN, *new*; its counts go into *assign. */
static int
backend_make_block(const struct backend *backend,
    const struct backend_place *place, struct proto_assign *assign)
{
	const struct landlock_rules *const files = place->confine.sandbox.files;
	struct backend_argv argv = { 0 };
	struct env env = { 0 };
	fd_auto int fd = memfd_create("assign", MFD_CLOEXEC);
	int e =
	    fd < 0 ? -errno : backend_fill_argv(backend, place->folder, &argv);

	if (e == 0)
		e = backend_fill_env(backend, place, NULL, &env);
	assign->n_argv = backend_count((const char *const *)argv.v);
	assign->n_envp = (uint32_t)env.n;
	assign->n_read = files ? backend_count(files->read) : 0;
	assign->n_write = files ? backend_count(files->write) : 0;
	const struct backend_list lists[] = {
		{ (const char *const *)argv.v, assign->n_argv },
		{ (const char *const *)env.vars, env.n },
		{ files ? files->read : NULL, assign->n_read },
		{ files ? files->write : NULL, assign->n_write },
	};
	if (e == 0)
		e = backend_write_strings(
		    fd, lists, sizeof(lists) / sizeof(lists[0]));
	env_fini(&env);
	mem_free(argv.v);
	return e < 0 ? e : fd_take(&fd);
}

/* Give the process its word. */
static int
backend_assign(struct backend *backend, const struct backend_place *place)
{
	const struct context *const context = backend->context;
	const struct backend_confine *const confine = &place->confine;
	struct proto_assign assign = {
		.nofile_soft = context->nofile.rlim_cur,
		.nofile_hard = context->nofile.rlim_max,
		.max_pids = confine->limits.n_pids,
		.max_files = confine->limits.n_files,
		.max_address_bytes = confine->limits.address_bytes,
		.has_ids = confine->has_ids,
		.uid = confine->ids.uid,
		.gid = confine->ids.gid,
		.has_sandbox = confine->sandbox.files != NULL,
		.has_network = backend->tenant->confine.network,
		.pid = process_pid(backend->process),
	};
	fd_auto int block = backend_make_block(backend, place, &assign);

	if (block < 0)
		return block;
	const int fds[] = { place->listen_fd, block };
	return process_send_fds(
	    backend->process, PROTO_ASSIGN, &assign, fds, 2);
}

/* Whether the zygote is to make its process. */
static bool
backend_is_forked(const struct backend *backend)
{
	return backend->tenant->is_zygotic && backend->context->zygote;
}

/* Have the zygote make one; *job_r is *new*. */
static int
backend_ask_fork(struct backend *backend, const struct backend_place *place,
    struct zygote_job **job_r, struct err *err_r)
{
	struct process_spec spec;

	backend_take_leaf(backend);
	backend_fill_spec(backend, place, &spec);
	return zygote_link_ask(backend->context->zygote, &spec, job_r, err_r);
}

/* The one that was asked for, or a spare, or a new one; unassigned. */
static int
backend_fork(struct backend *backend, const struct backend_place *place,
    struct zygote_job **job, struct err *err_r)
{
	int e = 0;

	if (!*job && (backend->process = spares_take(
			  backend->context->spares, &backend->leaf))) {
		process_pass_on(
		    backend->process, backend->name, &backend->select);
		backend_limit_leaf(backend);
		return 0;
	}
	if (!*job)
		e = backend_ask_fork(backend, place, job, err_r);
	return e < 0 ? e : zygote_link_await(*job, &backend->process, err_r);
}

/* Undo what was begun, to try another way. */
static void
backend_unspawn(struct backend *backend)
{
	process_free(&backend->process);
	cgroup_give(&backend->context->cgroup, &backend->leaf);
}

/*
 * By the zygote, or, when that fails, without it. The socket of one that is
 * told whose it is stays open here, too, until it is ready: it may end before
 * it reads that, and who connected shall not notice.
 */
static int
backend_launch(struct backend *backend, struct backend_place *place,
    struct zygote_job **job, struct err *err_r)
{
	int e;

	if (!backend_is_forked(backend))
		return backend_exec(backend, place, err_r);
	if ((e = backend_fork(backend, place, job, err_r)) == 0 &&
	    (e = backend_assign(backend, place)) < 0)
		err_set(err_r, e, NULL, "it cannot be told its tenant: %s",
		    strerrordesc_np(-e));
	if (e == 0) {
		backend->listen_fd = fd_take(&place->listen_fd);
		return 0;
	}
	if (e != -EAGAIN)
		log_warn("%s: run without the zygote: %s", backend->name,
		    err_r->text);
	zygote_job_leave(job);
	backend_unspawn(backend);
	return backend_exec(backend, place, err_r);
}

/* Its socket; the folder for it is made anew if somebody removed it. */
static int
backend_listen(struct backend *backend, int *fd_r, struct err *err_r)
{
	struct context *const context = backend->context;
	const struct drop_ids *const ids =
	    context->has_ids ? &context->board_ids : NULL;
	char path[PROTO_PATH_BYTES];

	place_socket(&context->place, backend->number, path);
	int e = listener_open_unix(path, ids, fd_r, err_r);
	if (e != -ENOENT)
		return e;
	log_error("%s: somebody removed its folder, it is made again", path);
	if ((e = place_make_sockets(&context->place, ids, err_r)) < 0)
		return e;
	return listener_open_unix(path, ids, fd_r, err_r);
}

/* As whom, in which folder, confined to what, on which socket. */
static int
backend_fill_place(
    struct backend *backend, struct backend_place *place, struct err *err_r)
{
	struct context *const context = backend->context;
	const char *const program = backend->tenant->command.n
	                                ? backend->tenant->command.v[0]
	                                : context->backend_program;
	int e;

	if ((e = backend_confine_init(&place->confine, backend, err_r)) < 0 ||
	    (e = place_state(&context->place, backend->host,
		 place->confine.has_ids ? &place->confine.ids : NULL,
		 &place->folder, err_r)) < 0)
		return e;
	if ((e = backend_confine_fill(
		 &place->confine, backend, place->folder, program)) < 0)
		return err_set(err_r, e, NULL, "no memory for a process");
	if (place->listen_fd >= 0)
		return 0;
	return backend_listen(backend, &place->listen_fd, err_r);
}

int
backend_spawn(struct backend *backend, struct err *err_r)
{
	struct backend_place place backend_place_auto = {
		.listen_fd = -1,
	};
	struct zygote_job *job zygote_job_auto = NULL;
	int e = 0;

	/* It forks while folder and socket are made. */
	if (backend_is_forked(backend) &&
	    !spares_is_ready(backend->context->spares))
		e = backend_ask_fork(backend, &place, &job, err_r);
	if (e < 0)
		backend_unspawn(backend);
	e = backend_fill_place(backend, &place, err_r);
	if (e == 0)
		e = backend_launch(backend, &place, &job, err_r);
	if (e < 0) {
		zygote_job_leave(&job);
		backend_unspawn(backend);
	}
	return e;
}

int
backend_respawn(struct backend *backend, struct err *err_r)
{
	struct backend_place place backend_place_auto = {
		.listen_fd = fd_take(&backend->listen_fd),
	};

	must(place.listen_fd >= 0);
	backend_unspawn(backend);
	int e = backend_fill_place(backend, &place, err_r);
	if (e == 0)
		e = backend_exec(backend, &place, err_r);
	if (e < 0)
		backend_unspawn(backend);
	return e;
}
