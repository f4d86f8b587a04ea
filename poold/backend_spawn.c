/* SPDX-License-Identifier: MIT */
/*
 * backend_spawn: command line, environment, state folder, socket. The socket
 * listens before the program starts; poold's copy of it is closed right after
 * the fork, since otherwise a dead backend's backlog would hang for ever.
 */
#include "poold/backend_spawn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/mem.h"

#include "poold/backend.h"
#include "poold/backend_confine.h"

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

/* What the environment of a backend says beside poold's. */
static int
backend_fill_env(const struct backend *backend,
    const struct backend_confine *confine, const char *folder, struct env *env)
{
	int e = env_init(env, environ);

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

static int
backend_launch(struct backend *backend, const struct process_calls *calls,
    const struct backend_confine *confine, const char *folder, int listen_fd,
    struct err *err_r)
{
	struct context *const context = backend->context;
	const bool is_command = backend->tenant->command.n > 0;
	struct backend_argv argv = { 0 };
	struct env env = { 0 };
	struct process_spec spec = {
		.name = backend->name,
		.heritage = { .path = is_command ? backend->tenant->command.v[0]
		                                 : context->backend_program,
		    .folder = folder,
		    .ids = confine->has_ids ? &confine->ids : NULL,
		    .life_fd = context->life[0],
		    .life_write_fd = context->life[1],
		    .parent_pid = getpid(),
		    .nofile = context->nofile,
		    .limits = confine->limits,
		    .sandbox = confine->sandbox },
		.env = &env,
		.listen_fd = listen_fd,
		.has_channel = !is_command,
		.has_own_stderr = true,
		.calls = calls,
		.arg = backend,
	};
	int e = backend_fill_argv(backend, folder, &argv);

	if (e == 0)
		e = backend_fill_env(backend, confine, folder, &env);
	spec.heritage.argv = argv.v;
	if (e == 0)
		e = process_start(&spec, &backend->process, err_r);
	else
		err_set(err_r, e, NULL, "no memory for a process");
	env_fini(&env);
	mem_free(argv.v);
	return e;
}

/* Socket and process, for a backend whose folder and ids are found. */
static int
backend_spawn_in(struct backend *backend, const struct process_calls *calls,
    struct backend_confine *confine, const char *folder, struct err *err_r)
{
	struct context *const context = backend->context;
	const char *const program = backend->tenant->command.n
	                                ? backend->tenant->command.v[0]
	                                : context->backend_program;
	char path[PROTO_PATH_BYTES];
	fd_auto int listen_fd = -1;
	int e = backend_confine_fill(confine, backend, folder, program);

	if (e < 0)
		return err_set(err_r, e, NULL, "no memory for a process");
	place_socket(&context->place, backend->number, path);
	e = listener_open_unix(path,
	    context->has_ids ? &context->board_ids : NULL, &listen_fd, err_r);
	return e ? e
	         : backend_launch(
		       backend, calls, confine, folder, listen_fd, err_r);
}

int
backend_spawn(struct backend *backend, const struct process_calls *calls,
    struct err *err_r)
{
	struct backend_confine confine;
	char *folder = NULL;
	int e = backend_confine_init(&confine, backend, err_r);

	if (e == 0)
		e = place_state(&backend->context->place, backend->host,
		    confine.has_ids ? &confine.ids : NULL, &folder, err_r);
	if (e == 0)
		e = backend_spawn_in(backend, calls, &confine, folder, err_r);
	mem_free(folder);
	backend_confine_fini(&confine);
	return e;
}
