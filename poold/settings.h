/* SPDX-License-Identifier: MIT */
/*
 * settings: what the configuration file says, as a struct. Every key is a row
 * in settings.c. Read once at start, owned by main, *borrowed* by all others.
 */
#ifndef POOLD_SETTINGS_H
#define POOLD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/config.h"
#include "common/base/err.h"
#include "common/proc/drop.h"
#include "poold/match.h"

#define SETTINGS_RUNTIME_MAX 86 /* so that a socket's path fits sun_path */

/* What a tenant is confined to; 0 is no limit. The pool's are the default. */
struct settings_confine {
	bool sandbox; /* Landlock and seccomp */
	bool network;
	int64_t pids_max;
	int64_t nofile;
	int64_t address_space_bytes;
	int64_t memory_high_bytes;
	int64_t memory_max_bytes;
	int64_t cpu_weight;
};

/* How backends of tenants with tools come into being. */
#define SETTINGS_ZYGOTE "zygote" /* forked, warm */
#define SETTINGS_EXEC   "exec"   /* run, with an address space of their own */

/* One entry of `tenants`. */
struct settings_tenant {
	char *host;                         /* a name, or "*.suffix" */
	struct base_config_strings tools;   /* shared objects; or */
	struct base_config_strings command; /* a program with arguments */
	int64_t max_hosts;   /* of a template at a time; else 0 */
	char *user;          /* as whom it runs; "": an id of its own */
	struct drop_ids ids; /* the user's, when there is one */
	struct base_config_strings read;  /* what it may open beside its own */
	struct base_config_strings write; /* and change */
	struct settings_confine confine;
	char *spawn; /* SETTINGS_*; "": as the pool's */
	bool is_template;
	bool is_zygotic;     /* its backends are forked by the zygote */
	bool has_same_tools; /* those of the one before it, which owns them */
};

struct settings {
	struct {
		struct base_config_strings listen;
		char *admin; /* "": none */
	} board;
	struct {
		char *runtime_dir;
		char *state_dir;
		int64_t max_backends;
		int64_t max_queue;
		int64_t queue_timeout_ms;
		int64_t start_timeout_ms;
		int64_t idle_timeout_ms;
		int64_t drain_timeout_ms;
		int64_t stop_timeout_ms;
		int64_t watchdog_ms;
		int64_t backoff_ms;
		int64_t max_backoff_ms;
		int64_t max_failures;
		int64_t session_timeout_ms;
		int64_t max_sessions;
		int64_t uid_first; /* ids for tenants without a user */
		int64_t uid_count;
		struct settings_confine confine;
		char *spawn; /* SETTINGS_* */
		int64_t spare;
		int64_t start_parallel; /* 0: by the number of cores */
	} pool;
	struct settings_tenant *tenants;
	size_t n_tenants;
	struct match_entry *hosts; /* sorted; one for each tenant */
};

/*
 * Read the file at path into *settings_r; ended with settings_fini, also after
 * an error. Returns 0 or -errno with place "file:line" and a text that begins
 * with the key.
 */
int
settings_read(const char *path, struct settings *settings_r, struct err *err_r);

/* Whether any tenant's backends are forked by the zygote. */
bool settings_needs_zygote(const struct settings *settings);

/* Whether all those are confined, and none of them has network. */
bool settings_confines_zygote(const struct settings *settings);

/* Free what settings_read made. */
void settings_fini(struct settings *settings);

/* Print them with all defaults, as a file that reads back the same. */
void settings_dump(const struct settings *settings, FILE *to);

#endif
