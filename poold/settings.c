/* SPDX-License-Identifier: MIT */
/*
 * settings: the rows of the configuration, and the few rules that concern more
 * than one key.
 */
#include "poold/settings.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"

#include "poold/address.h"

#define ROW(type, name, field, min, max, def, unit, help)                   \
	{                                                                   \
		name, BASE_CONFIG_##type, offsetof(struct settings, field), \
		    min, max, def, unit, help                               \
	}

#define SECOND      INT64_C(1000)
#define HOUR        (3600 * SECOND)
#define YEAR        (365 * 24 * HOUR)
#define TERABYTE    (INT64_C(1) << 40)
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/*
 * What a tenant is confined to: rows of the pool with their defaults, and of
 * each tenant, where what is left out is as the pool has it.
 */
#define CONFINE_ROWS(X)                                                       \
	X(BOOL, sandbox, sandbox, 0, 0, "true", "",                           \
	    "Landlock and seccomp, as far as the kernel has them")            \
	X(BOOL, network, network, 0, 0, "false", "",                          \
	    "sockets of the internet")                                        \
	X(INT, pids_max, pids_max, 0, 1000000, "512", "processes",            \
	    "and threads at a time; 0 is no limit")                           \
	X(INT, nofile, nofile, 0, 1000000, "0", "descriptors",                \
	    "open in each process; 0 is as poold was started with")           \
	X(SIZE, address_space, address_space_bytes, 0, 256 * TERABYTE, "0",   \
	    "", "of each process; 0 is no limit")                             \
	X(SIZE, memory_high, memory_high_bytes, 0, 256 * TERABYTE, "0", "",   \
	    "past it the tenant is slowed down (needs a cgroup); 0 is never") \
	X(SIZE, memory_max, memory_max_bytes, 0, 256 * TERABYTE, "1G", "",    \
	    "past it it is killed (needs a cgroup); 0 is no limit")           \
	X(INT, cpu_weight, cpu_weight, 1, 10000, "100", "",                   \
	    "share of the processor among tenants (needs a cgroup)")

static const struct base_config_row board_rows[] = {
	ROW(STRINGS, "listen", board.listen, 1, 16, "127.0.0.1:8080", "",
	    "addresses for the tenants' HTTP; port 0 takes a free one"),
	ROW(STRING, "admin", board.admin, 1, 63, "", "",
	    "address for health and servers; none if left out"),
};

static const struct base_config_row pool_rows[] = {
	ROW(STRING, "runtime_dir", pool.runtime_dir, 1, SETTINGS_RUNTIME_MAX,
	    "/run/holdline", "", "folder for sockets and the lock"),
	ROW(STRING, "state_dir", pool.state_dir, 1, 3000, "/var/lib/holdline",
	    "", "folder with one folder a tenant"),
	ROW(INT, "max_backends", pool.max_backends, 1, 100000, "100",
	    "processes", "backends at a time"),
	ROW(INT, "max_queue", pool.max_queue, 0, 100000, "100", "tenants",
	    "that wait for a place when all backends are busy"),
	ROW(DURATION, "queue_timeout", pool.queue_timeout_ms, 0, HOUR, "5s", "",
	    "longest wait for a place; 0: refused at once"),
	ROW(DURATION, "start_timeout", pool.start_timeout_ms, 10, HOUR, "10s",
	    "", "time until a backend must be ready"),
	ROW(DURATION, "idle_timeout", pool.idle_timeout_ms, 10, YEAR, "300s",
	    "", "a backend without exchange and session ends after it"),
	ROW(DURATION, "drain_timeout", pool.drain_timeout_ms, 0, HOUR, "500ms",
	    "", "at the end: time for running exchanges"),
	ROW(DURATION, "stop_timeout", pool.stop_timeout_ms, 10, HOUR, "1s", "",
	    "time between SIGTERM and SIGKILL"),
	ROW(DURATION, "watchdog", pool.watchdog_ms, 0, YEAR, "30s", "",
	    "a tools backend whose event loop stands still so long ends; 0: "
	    "never"),
	ROW(DURATION, "backoff", pool.backoff_ms, 10, HOUR, "1s", "",
	    "pause after the second failure in a row; then it doubles"),
	ROW(DURATION, "max_backoff", pool.max_backoff_ms, 10, 24 * HOUR, "60s",
	    "", "longest pause, and the time between probes"),
	ROW(INT, "max_failures", pool.max_failures, 2, 1000, "6", "failures",
	    "in a row; then a tenant is held as failed"),
	ROW(DURATION, "session_timeout", pool.session_timeout_ms, 10, YEAR,
	    "24h", "", "longest life of a session"),
	ROW(INT, "max_sessions", pool.max_sessions, 1, 10000000, "10000",
	    "sessions", "sessions at a time in one backend"),
	ROW(INT, "uid_first", pool.uid_first, 1, UINT32_MAX - 1, "1879048192",
	    "", "first of the user ids for tenants without a user"),
	ROW(INT, "uid_count", pool.uid_count, 0, 1 << 20, "65536", "ids",
	    "from there on, one a tenant; 0: tenants share a user"),
#define CONFINE(type, name, field, min, max, def, unit, help) \
	ROW(type, #name, pool.confine.field, min, max, def, unit, help),
	CONFINE_ROWS(CONFINE)
#undef CONFINE
	    ROW(STRING, "spawn", pool.spawn, 1, 16, SETTINGS_ZYGOTE, "",
		"\"zygote\": backends are forked warm; \"exec\": run anew"),
	ROW(INT, "spare", pool.spare, 0, 1000, "1", "processes",
	    "backends ready before anybody asks; any tenant takes one"),
	ROW(INT, "start_parallel", pool.start_parallel, 0, 1000, "0",
	    "processes", "backends that start at a time; 0: twice the cores"),
};

#undef ROW
#define ROW(type, name, field, min, max, def, unit, help)                   \
	{                                                                   \
		name, BASE_CONFIG_##type,                                   \
		    offsetof(struct settings_tenant, field), min, max, def, \
		    unit, help                                              \
	}

static const struct base_config_row tenant_rows[] = {
	ROW(STRING, "host", host, 1, MATCH_HOST_MAX, NULL, "",
	    "host name, or *.suffix for any one label in front of it"),
	ROW(STRINGS, "tools", tools, 1, 256, "", "",
	    "shared objects whose tools are served at /mcp"),
	ROW(STRINGS, "command", command, 1, 256, "", "",
	    "program that serves HTTP on descriptor 3, with arguments"),
	ROW(INT, "max_hosts", max_hosts, 0, 100000, "0", "hosts",
	    "of a template: tenants at a time; 0 is 100"),
	ROW(STRING, "user", user, 1, DROP_NAME_BYTES - 1, "", "",
	    "name or id as whom it runs; left out: an id of its own"),
	ROW(STRINGS, "read", read, 1, 64, "", "",
	    "files and folders it may read beside its own and the system's"),
	ROW(STRINGS, "write", write, 1, 64, "", "",
	    "files and folders it may change beside its state folder"),
#define CONFINE(type, name, field, min, max, def, unit, help) \
	ROW(type, #name, confine.field, min, max, base_config_keep, unit, help),
	CONFINE_ROWS(CONFINE)
#undef CONFINE
	    ROW(STRING, "spawn", spawn, 0, 16, "", "",
		"as the pool's, for this tenant"),
};

#define SETTINGS_MAX_HOSTS 100

static int
settings_check_address(const struct base_config *config, const char *key,
    const char *text, struct err *err_r)
{
	const struct base_config_at at = { "switchboard", -1, key };
	struct address address;

	if (address_parse(text, &address))
		return 0;
	return base_config_fail(config, &at, err_r,
	    "must be \"IPv4:port\" or \"[IPv6]:port\", is \"%.60s\"", text);
}

static int
settings_check_board(const struct base_config *config,
    const struct settings *settings, struct err *err_r)
{
	int e = 0;

	for (size_t i = 0; i < settings->board.listen.n && e == 0; i++)
		e = settings_check_address(
		    config, "listen", settings->board.listen.v[i], err_r);
	if (e == 0 && settings->board.admin[0])
		e = settings_check_address(
		    config, "admin", settings->board.admin, err_r);
	return e;
}

static int
settings_check_absolute(const struct base_config *config,
    const struct base_config_at *at, const char *path, struct err *err_r)
{
	if (path[0] == '/')
		return 0;
	return base_config_fail(
	    config, at, err_r, "must be an absolute path, is \"%.120s\"", path);
}

/* The rules that concern what section or tenant is confined to. */
static int
settings_check_confine(const struct base_config *config,
    const struct base_config_at *whole, const struct settings_confine *confine,
    struct err *err_r)
{
	const struct base_config_at high = { whole->section, whole->index,
		"memory_high" };

	if (confine->memory_max_bytes == 0 ||
	    confine->memory_high_bytes <= confine->memory_max_bytes)
		return 0;
	return base_config_fail(
	    config, &high, err_r, "must not be more than memory_max");
}

static int
settings_check_spawn(const struct base_config *config,
    const struct base_config_at *at, const char *spawn, struct err *err_r)
{
	if (strcmp(spawn, SETTINGS_ZYGOTE) == 0 ||
	    strcmp(spawn, SETTINGS_EXEC) == 0)
		return 0;
	return base_config_fail(config, at, err_r,
	    "must be \"" SETTINGS_ZYGOTE "\" or \"" SETTINGS_EXEC
	    "\", is \"%.16s\"",
	    spawn);
}

static int
settings_check_pool(const struct base_config *config,
    const struct settings *settings, struct err *err_r)
{
	const struct base_config_at whole = { "pool", -1, NULL };
	const struct base_config_at runtime = { "pool", -1, "runtime_dir" };
	const struct base_config_at state = { "pool", -1, "state_dir" };
	const struct base_config_at count = { "pool", -1, "uid_count" };
	const struct base_config_at spawn = { "pool", -1, "spawn" };
	int e;

	if ((e = settings_check_absolute(
		 config, &runtime, settings->pool.runtime_dir, err_r)) ||
	    (e = settings_check_absolute(
		 config, &state, settings->pool.state_dir, err_r)) ||
	    (e = settings_check_confine(
		 config, &whole, &settings->pool.confine, err_r)))
		return e;
	if (settings->pool.uid_first + settings->pool.uid_count > UINT32_MAX)
		return base_config_fail(config, &count, err_r,
		    "is more than there are ids from uid_first on");
	return settings_check_spawn(
	    config, &spawn, settings->pool.spawn, err_r);
}

/* How it comes into being: a command always by exec. */
static int
settings_check_tenant_spawn(const struct base_config *config, int index,
    const struct settings *settings, struct settings_tenant *tenant,
    struct err *err_r)
{
	const struct base_config_at at = { "tenants", index, "spawn" };
	const char *const spawn =
	    tenant->spawn[0] ? tenant->spawn : settings->pool.spawn;

	if (tenant->command.n && tenant->spawn[0] &&
	    strcmp(tenant->spawn, SETTINGS_EXEC) != 0)
		return base_config_fail(config, &at, err_r,
		    "must be \"" SETTINGS_EXEC "\" for a command, is \"%.16s\"",
		    tenant->spawn);
	tenant->is_zygotic =
	    tenant->command.n == 0 && strcmp(spawn, SETTINGS_ZYGOTE) == 0;
	return settings_check_spawn(config, &at, spawn, err_r);
}

static int
settings_check_paths(const struct base_config *config,
    const struct base_config_at *at, const struct base_config_strings *paths,
    struct err *err_r)
{
	int e = 0;

	for (size_t i = 0; i < paths->n && e == 0; i++)
		e = settings_check_absolute(config, at, paths->v[i], err_r);
	return e;
}

/* As whom a tenant runs that names somebody. */
static int
settings_check_user(const struct base_config *config,
    const struct settings *settings, int index, struct settings_tenant *tenant,
    struct err *err_r)
{
	const struct base_config_at at = { "tenants", index, "user" };
	struct err why;

	if (!tenant->user[0])
		return 0;
	if (drop_find(tenant->user, &tenant->ids, &why) < 0)
		return base_config_fail(
		    config, &at, err_r, "%s: %s", tenant->user, why.text);
	if (tenant->ids.uid == 0 || tenant->ids.gid == 0)
		return base_config_fail(config, &at, err_r,
		    "%s is root, or in its group", tenant->user);
	if (tenant->ids.uid >= settings->pool.uid_first &&
	    tenant->ids.uid <
		settings->pool.uid_first + settings->pool.uid_count)
		return base_config_fail(config, &at, err_r,
		    "%u is one of the ids that tenants without a user get "
		    "(uid_first, uid_count)",
		    tenant->ids.uid);
	return 0;
}

static int
settings_check_tenant(const struct base_config *config,
    const struct settings *settings, int index, struct settings_tenant *tenant,
    struct err *err_r)
{
	const struct base_config_at whole = { "tenants", index, NULL };
	const struct base_config_at host = { "tenants", index, "host" };
	const struct base_config_at tools = { "tenants", index, "tools" };
	const struct base_config_at command = { "tenants", index, "command" };
	const struct base_config_at max_hosts = { "tenants", index,
		"max_hosts" };
	const struct base_config_at read = { "tenants", index, "read" };
	const struct base_config_at write = { "tenants", index, "write" };
	const char *const fault = match_fault(tenant->host);
	int e;

	tenant->is_template = tenant->host[0] == '*';
	if (fault)
		return base_config_fail(config, &host, err_r,
		    "%s, is \"%.120s\"", fault, tenant->host);
	if (!tenant->tools.n == !tenant->command.n)
		return base_config_fail(config, &whole, err_r,
		    "needs either tools or command%s",
		    tenant->tools.n ? ", has both" : "");
	if (tenant->max_hosts && !tenant->is_template)
		return base_config_fail(config, &max_hosts, err_r,
		    "is for a template host (\"*.suffix\") only");
	if (tenant->is_template && !tenant->max_hosts)
		tenant->max_hosts = SETTINGS_MAX_HOSTS;
	if ((e = settings_check_paths(config, &tools, &tenant->tools, err_r)) ||
	    (e = settings_check_paths(config, &read, &tenant->read, err_r)) ||
	    (e = settings_check_paths(config, &write, &tenant->write, err_r)) ||
	    (e = settings_check_confine(
		 config, &whole, &tenant->confine, err_r)) ||
	    (e = settings_check_user(config, settings, index, tenant, err_r)))
		return e;
	return tenant->command.n ? settings_check_absolute(config, &command,
				       tenant->command.v[0], err_r)
	                         : 0;
}

/* Index the hosts and complain about one that comes twice. */
static int
settings_index(const struct base_config *config, struct settings *settings,
    struct err *err_r)
{
	const struct match_entry *twice;

	settings->hosts =
	    xmem_zalloc(settings->n_tenants + 1, sizeof(*settings->hosts));
	for (size_t i = 0; i < settings->n_tenants; i++)
		settings->hosts[i] =
		    (struct match_entry){ settings->tenants[i].host, i };
	match_sort(settings->hosts, settings->n_tenants);
	if (!(twice = match_duplicate(settings->hosts, settings->n_tenants)))
		return 0;
	const struct base_config_at at = { "tenants", (int)twice->index,
		"host" };
	return base_config_fail(config, &at, err_r,
	    "another tenant has the same, \"%.120s\"", twice->host);
}

static bool
settings_are_same(
    const struct base_config_strings *a, const struct base_config_strings *b)
{
	bool are_same = a->n == b->n;

	for (size_t i = 0; i < a->n && are_same; i++)
		are_same = strcmp(a->v[i], b->v[i]) == 0;
	return are_same;
}

/* Tenants one after the other often have the same tools: kept once. */
static void
settings_share_tools(struct settings_tenant *tenant)
{
	if (!settings_are_same(&tenant->tools, &tenant[-1].tools))
		return;
	base_config_strings_free(&tenant->tools);
	tenant->tools = tenant[-1].tools;
	tenant->has_same_tools = true;
}

static int
settings_read_tenants(const struct base_config *config,
    struct settings *settings, struct err *err_r)
{
	size_t n;
	int e = base_config_count(config, "tenants", &n, err_r);

	if (e)
		return e;
	settings->tenants = xmem_zalloc(n + 1, sizeof(*settings->tenants));
	for (size_t i = 0; i < n && e == 0; i++) {
		struct settings_tenant *const tenant = &settings->tenants[i];
		const struct base_config_at at = { "tenants", (int)i, NULL };
		settings->n_tenants = i + 1;
		tenant->confine = settings->pool.confine;
		e = base_config_read(config, &at, tenant_rows,
		    COUNT(tenant_rows), tenant, err_r);
		if (e == 0)
			e = settings_check_tenant(
			    config, settings, (int)i, tenant, err_r);
		if (e == 0)
			e = settings_check_tenant_spawn(
			    config, (int)i, settings, tenant, err_r);
		if (e == 0 && i > 0)
			settings_share_tools(tenant);
	}
	return e ? e : settings_index(config, settings, err_r);
}

static int
settings_read_all(const struct base_config *config, struct settings *settings,
    struct err *err_r)
{
	static const char *const names[] = { "switchboard", "pool", "tenants" };
	const struct base_config_at board = { "switchboard", -1, NULL };
	const struct base_config_at pool = { "pool", -1, NULL };
	int e;

	if ((e = base_config_check_names(config, names, COUNT(names), err_r)))
		return e;
	if ((e = base_config_read(config, &board, board_rows, COUNT(board_rows),
		 settings, err_r)) ||
	    (e = settings_check_board(config, settings, err_r)))
		return e;
	if ((e = base_config_read(config, &pool, pool_rows, COUNT(pool_rows),
		 settings, err_r)) ||
	    (e = settings_check_pool(config, settings, err_r)))
		return e;
	return settings_read_tenants(config, settings, err_r);
}

int
settings_read(const char *path, struct settings *settings_r, struct err *err_r)
{
	struct base_config *config;
	int e;

	*settings_r = (struct settings){ 0 };
	if ((e = base_config_open(path, &config, err_r)))
		return e;
	e = settings_read_all(config, settings_r, err_r);
	drop_find_end();
	base_config_close(&config);
	return e;
}

bool
settings_needs_zygote(const struct settings *settings)
{
	for (size_t i = 0; i < settings->n_tenants; i++)
		if (settings->tenants[i].is_zygotic)
			return true;
	return false;
}

bool
settings_confines_zygote(const struct settings *settings)
{
	for (size_t i = 0; i < settings->n_tenants; i++) {
		const struct settings_tenant *const t = &settings->tenants[i];
		if (t->is_zygotic &&
		    (!t->confine.sandbox || t->confine.network))
			return false;
	}
	return true;
}

void
settings_fini(struct settings *settings)
{
	base_config_free(board_rows, COUNT(board_rows), settings);
	base_config_free(pool_rows, COUNT(pool_rows), settings);
	for (size_t i = 0; i < settings->n_tenants; i++) {
		struct settings_tenant *const tenant = &settings->tenants[i];
		if (tenant->has_same_tools)
			tenant->tools = (struct base_config_strings){ 0 };
		base_config_free(tenant_rows, COUNT(tenant_rows), tenant);
	}
	mem_free(settings->tenants);
	mem_free(settings->hosts);
	*settings = (struct settings){ 0 };
}

void
settings_dump(const struct settings *settings, FILE *to)
{
	fputs("switchboard = {\n", to);
	base_config_dump(to, board_rows, COUNT(board_rows), settings, 1);
	fputs("};\npool = {\n", to);
	base_config_dump(to, pool_rows, COUNT(pool_rows), settings, 1);
	fputs("};\ntenants = (\n", to);
	for (size_t i = 0; i < settings->n_tenants; i++) {
		fputs("\t{\n", to);
		base_config_dump(to, tenant_rows, COUNT(tenant_rows),
		    &settings->tenants[i], 2);
		fprintf(to, "\t}%s\n", i + 1 < settings->n_tenants ? "," : "");
	}
	fputs(");\n", to);
}
