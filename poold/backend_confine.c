/* SPDX-License-Identifier: MIT */
/*
 * backend_confine: a tenant may read what its command line names (its tools,
 * its program, arguments that are paths) and what `read` adds; it may change
 * its state folder and what `write` adds. The rest is the same for all.
 */
#include "poold/backend_confine.h"

#include <errno.h>

#include "common/base/mem.h"

int
backend_confine_init(
    struct backend_confine *confine, struct backend *backend, struct err *err_r)
{
	struct context *const context = backend->context;
	const struct settings_confine *const want = &backend->tenant->confine;
	bool is_alone = false;

	*confine = (struct backend_confine){ .has_ids = context->has_ids };
	if (context->has_ids) {
		const int e = owners_find(&context->owners, backend->tenant,
		    backend->host, &confine->ids, &is_alone, err_r);
		if (e < 0)
			return e;
	}
	confine->limits = (struct limits){
		/* Others' processes would count, were it not its own user. */
		.n_pids = is_alone ? want->pids_max : 0,
		.n_files = want->nofile,
		.address_bytes = want->address_space_bytes,
	};
	return 0;
}

/* Add the absolute ones of a list at *at. */
static void
backend_confine_add(const char ***at, const struct base_config_strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i][0] == '/')
			*(*at)++ = list->v[i];
}

int
backend_confine_fill(struct backend_confine *confine,
    const struct backend *backend, const char *folder, const char *program)
{
	const struct settings_tenant *const tenant = backend->tenant;
	const struct settings_confine *const want = &tenant->confine;
	const bool is_command = tenant->command.n > 0;
	const size_t n = 4 + tenant->command.n + tenant->tools.n +
	                 tenant->read.n + tenant->write.n;

	if (!want->sandbox)
		return 0;
	confine->paths = mem_zalloc(n, sizeof(*confine->paths));
	if (!confine->paths)
		return -ENOMEM;
	const char **at = confine->paths;
	*at++ = program;
	backend_confine_add(
	    &at, is_command ? &tenant->command : &tenant->tools);
	backend_confine_add(&at, &tenant->read);
	*at++ = NULL;
	confine->files = (struct landlock_rules){
		.read = confine->paths,
		.write = at,
		.has_system = true,
		.has_network = want->network,
	};
	*at++ = folder;
	backend_confine_add(&at, &tenant->write);
	confine->sandbox = (struct sandbox){
		.files = &confine->files,
		.filter =
		    context_filter(backend->context, is_command, want->network),
	};
	return 0;
}

void
backend_confine_fini(struct backend_confine *confine)
{
	mem_free(confine->paths);
	*confine = (struct backend_confine){ 0 };
}
