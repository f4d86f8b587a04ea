/* SPDX-License-Identifier: MIT */
/* context: what is made once, at start, and lasts as long as poold. */
#include "poold/context.h"

#include <bsd/string.h>
#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proc/caps.h"
#include "common/proc/cgroup_limits.h"
#include "common/proc/clone.h"
#include "common/proc/landlock.h"
#include "common/proc/sandbox.h"

#include "poold/family.h"
#include "poold/program.h"

#define CONTEXT_FILES_MIN         128
#define CONTEXT_FILES_PER_BACKEND 5 /* pidfd, channel, stderr, report, leaf */

/*
 * Descriptors for many children; they get the old limit back. With too few
 * poold would not start its own programs, or not all backends.
 */
static int
context_raise_limits(struct context *context, struct err *err_r)
{
	const unsigned long long wanted =
	    CONTEXT_FILES_MIN +
	    CONTEXT_FILES_PER_BACKEND *
		(unsigned long long)context->settings->pool.max_backends;

	getrlimit(RLIMIT_NOFILE, &context->nofile);
	const unsigned long long max = context->nofile.rlim_max;
	const struct rlimit most = { max, max };
	if (setrlimit(RLIMIT_NOFILE, &most) < 0)
		log_warn_err(-errno, "more descriptors are not to be had");
	if (max < CONTEXT_FILES_MIN)
		return err_set(err_r, -EMFILE, NULL,
		    "%llu descriptors are too few (RLIMIT_NOFILE, ulimit -Hn): "
		    "poold takes %d and %d a backend",
		    max, CONTEXT_FILES_MIN, CONTEXT_FILES_PER_BACKEND);
	if (max < wanted)
		log_warn("%llu descriptors (RLIMIT_NOFILE, ulimit -Hn) are too "
			 "few for max_backends: that may take %llu",
		    max, wanted);
	return 0;
}

/* Without root all run as poold does. That is said, once. */
static int
context_without_root(const struct context *context, struct err *err_r)
{
	const struct settings *const settings = context->settings;

	for (size_t i = 0; i < settings->n_tenants; i++)
		if (settings->tenants[i].user[0] &&
		    settings->tenants[i].ids.uid != geteuid())
			return err_set(err_r, -EPERM, settings->tenants[i].host,
			    "runs as user %s, for which poold must be root",
			    settings->tenants[i].user);
	log_info("not root: the switchboard and all backends run as user %u; "
		 "tenants are not isolated from each other by users: path "
		 "sockets of others can be reached by commands, processes are "
		 "not counted (pids_max)",
	    geteuid());
	return 0;
}

/* The folder of sockets is open to the switchboard's user and group. */
static int
context_check_users(const struct context *context, struct err *err_r)
{
	const struct settings *const settings = context->settings;
	const struct drop_ids *const board = &context->board_ids;

	for (size_t i = 0; i < settings->n_tenants; i++) {
		const struct settings_tenant *const t = &settings->tenants[i];
		if (t->user[0] &&
		    (t->ids.uid == board->uid || t->ids.gid == board->gid))
			return err_set(err_r, -EPERM, t->host,
			    "must not run as user %s, who is the "
			    "switchboard's, or in its group",
			    t->user);
	}
	return 0;
}

/* Root that is none: it could start no child as somebody else, or not end it.
 */
static int
context_refuse_root(struct err *err_r)
{
	char all[160] = "";
	const char *name;

	for (size_t i = 0; (name = caps_lack(i)); i++) {
		strlcat(all, i ? ", " : "", sizeof(all));
		strlcat(all, name, sizeof(all));
	}
	return err_set(err_r, -EPERM, NULL,
	    "root without %s cannot be poold: give them to it, or run it as "
	    "another user",
	    all);
}

/* As whom children run. */
static int
context_find_ids(struct context *context, struct err *err_r)
{
	if (geteuid() != 0)
		return context_without_root(context, err_r);
	if (caps_lack(0))
		return context_refuse_root(err_r);
	context->has_ids = true;
	int e = drop_find("holdline", &context->board_ids, NULL);
	if (e < 0)
		e = drop_find("nobody", &context->board_ids, err_r);
	drop_find_end();
	if (e < 0)
		return e;
	if (!owners_exist(&context->board_ids))
		return err_set(err_r, -EINVAL, context->board_ids.user,
		    "does not exist in this user namespace (%u:%u): map more "
		    "ids, or run poold as another user",
		    context->board_ids.uid, context->board_ids.gid);
	if (context->board_ids.uid == 0 || context->board_ids.gid == 0)
		return err_set(err_r, -EPERM, context->board_ids.user,
		    "is root, or in its group: children must not be");
	return context_check_users(context, err_r);
}

/* Compile the filters of tenants, and say what the kernel lacks. */
static int
context_make_filters(struct context *context, struct err *err_r)
{
	static const enum filter_kind kinds[] = { FILTER_COMMAND,
		FILTER_TOOLS };
	const bool has_filters = filter_is_there();
	const int abi = landlock_abi();
	const char *lack;
	int e = 0;

	for (size_t i = 0; (lack = sandbox_lack(abi, has_filters, i)); i++)
		log_warn("isolation: this kernel lacks %s", lack);
	for (unsigned i = 0; has_filters && i < 4 && e == 0; i++)
		e = filter_new(kinds[i / 2], i % 2,
		    &context->filters[kinds[i / 2]][i % 2], err_r);
	return e;
}

const struct filter *
context_filter(const struct context *context, bool is_command, bool has_network)
{
	return context
	    ->filters[is_command ? FILTER_COMMAND : FILTER_TOOLS][has_network];
}

/* Say which limits of leaves are not to be had. */
static void
context_try_limits(struct context *context, const struct cgroup_leaf *leaf)
{
	const struct cgroup_limits none = { 0 };
	const char *name;

	if (!leaf)
		return;
	(void)cgroup_limits_write(
	    cgroup_leaf_fd(leaf), &none, &context->limits_lacking);
	for (unsigned i = 0; (name = cgroup_limits_name(i)); i++)
		if (context->limits_lacking & (1u << i))
			log_info("isolation: no %s for backends: its "
				 "controller is not enabled here",
			    name);
}

/* What holds the processes of a backend together without a namespace. */
static const char *
context_hold(const struct context *context)
{
	if (context->cgroup.is_open)
		return "a cgroup holds its processes together";
	if (context->owners.uids.n > 0)
		return "its processes are known by their user, of a tenant "
		       "with a `user` by session and environment; kill -9 of "
		       "poold leaves what it forked into a session of its own";
	return "what it forks into a session of its own, and what clears its "
	       "environment, is found only when poold ends; kill -9 of poold "
	       "leaves it";
}

/*
 * What holds a backend's processes together, and what does not: a namespace
 * takes root, a group needs a hierarchy that is ours.
 */
static void
context_find_walls(struct context *context)
{
	const struct clone_spec namespace = { true, false, -1 };
	struct err err;
	int e = geteuid() == 0 ? clone_try(&namespace) : -EPERM;

	context->has_namespaces = e == 0;
	if (e < 0 && geteuid() == 0)
		log_warn_err(e, "isolation: no PID namespace a tenant");
	if (cgroup_open(&context->cgroup, context->settings->pool.runtime_dir,
		&err) < 0)
		log_info("no cgroup a backend: %s%s%s", err.place,
		    err.place[0] ? ": " : "", err.text);
	struct cgroup_leaf *leaf = cgroup_take(&context->cgroup);
	const struct clone_spec inside = { false, false, cgroup_leaf_fd(leaf) };
	const int into = leaf ? clone_try(&inside) : 0;
	context_try_limits(context, leaf);
	cgroup_give(&context->cgroup, &leaf);
	if (into < 0) {
		log_warn_err(into, "no cgroup a backend: %s: none starts in it",
		    context->cgroup.folder);
		cgroup_close(&context->cgroup);
	}
	if (e < 0)
		log_info("no PID namespace a backend (%s): %s",
		    strerrordesc_np(-e), context_hold(context));
	if (family_blindness() && e < 0)
		log_warn("isolation: %s: mount it, or what backends leave is "
			 "not found",
		    family_blindness());
}

/* How many start at a time. */
static unsigned
context_start_parallel(const struct settings *settings)
{
	const long n_cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (settings->pool.start_parallel > 0)
		return (unsigned)settings->pool.start_parallel;
	return n_cores > 0 ? 2 * (unsigned)n_cores : 2;
}

int
context_open(
    struct context *context, const struct settings *settings, struct err *err_r)
{
	int e;

	*context = (struct context){ .settings = settings, .life = { -1, -1 } };

	turns_init(&context->turns, context_start_parallel(settings));
	if ((e = context_raise_limits(context, err_r)) ||
	    (e = program_find("switchboard", &context->board_program, err_r)) ||
	    (e = program_find("backend", &context->backend_program, err_r)) ||
	    (e = context_find_ids(context, err_r)) ||
	    (e = place_open(&context->place, settings->pool.runtime_dir,
		 settings->pool.state_dir,
		 context->has_ids ? &context->board_ids : NULL, err_r)) ||
	    (e = owners_open(&context->owners, &context->place, settings,
		 context->has_ids ? &context->board_ids : NULL, err_r)) ||
	    (e = context_make_filters(context, err_r)) ||
	    (e = listeners_open(&context->listeners, settings, err_r)))
		return e;
	if ((e = family_open()) < 0 || pipe2(context->life, O_CLOEXEC) < 0)
		return err_set(err_r, e ? e : -errno, NULL,
		    "the kernel lacks what poold needs");
	context_find_walls(context);
	for (size_t i = 0; i < context->listeners.n; i++) {
		const struct listener *const l = &context->listeners.v[i];
		log_info("%s on http://%s", l->is_admin ? "admin" : "listening",
		    l->address);
	}
	return 0;
}

void
context_note_end(struct context *context, int wait_status)
{
	if (context->is_ending && WIFSIGNALED(wait_status) &&
	    WTERMSIG(wait_status) == SIGKILL)
		context->has_killed = true;
}

void
context_close(struct context *context)
{
	cgroup_close(&context->cgroup);
	listeners_close(&context->listeners);
	owners_close(&context->owners);
	place_close(&context->place);
	for (unsigned i = 0; i < FILTER_N_KINDS * 2; i++)
		filter_free(&context->filters[i / 2][i % 2]);
	fd_close(&context->life[0]);
	fd_close(&context->life[1]);
	mem_free(context->board_program);
	mem_free(context->backend_program);
}
