/* SPDX-License-Identifier: MIT */
/* env: what is taken out, and what is put in. */
#include "poold/env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"

/*
 * Said to poold alone. A name that ends in '_' is a prefix. The credentials of
 * the service are not the tenants'.
 */
static const char *const env_private[] = {
	"NOTIFY_SOCKET",
	"LISTEN_",
	"WATCHDOG_",
	"HOLDLINE_CHANNEL",
	"HOLDLINE_RUN",
	"MAINPID",
	"MANAGERPID",
	"INVOCATION_ID",
	"SYSTEMD_EXEC_PID",
	"CREDENTIALS_DIRECTORY",
	"RUNTIME_DIRECTORY",
	"STATE_DIRECTORY",
};

static bool
env_is_private(const char *var)
{
	for (size_t i = 0; i < sizeof(env_private) / sizeof(env_private[0]);
	     i++) {
		const size_t n = strlen(env_private[i]);
		const bool is_prefix = env_private[i][n - 1] == '_';
		if (strncmp(var, env_private[i], n) == 0 &&
		    (is_prefix || var[n] == '='))
			return true;
	}
	return false;
}

int
env_init(struct env *env, char *const *from)
{
	size_t n = 0;

	*env = (struct env){ 0 };
	while (from && from[n])
		n++;
	env->vars = mem_zalloc(n + ENV_SET_MAX + 1, sizeof(*env->vars));
	if (!env->vars)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!env_is_private(from[i]))
			env->vars[env->n++] = from[i];
	return 0;
}

/* Where name stands, or env->n. */
static size_t
env_find(const struct env *env, const char *name, size_t n_name)
{
	size_t i = 0;

	while (i < env->n && (strncmp(env->vars[i], name, n_name) != 0 ||
				 env->vars[i][n_name] != '='))
		i++;
	return i;
}

char *
env_set(struct env *env, const char *name, const char *fmt, ...)
{
	const size_t n_name = strlen(name);
	va_list ap;

	must(env->n_set < ENV_SET_MAX);
	va_start(ap, fmt);
	const int n_value = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	must(n_value >= 0);
	const size_t n_var = n_name + 1 + (size_t)n_value + 1;
	char *const var = mem_alloc(n_var);
	if (!var)
		return NULL;
	memcpy(var, name, n_name);
	var[n_name] = '=';
	va_start(ap, fmt);
	vsnprintf(var + n_name + 1, n_var - n_name - 1, fmt, ap);
	va_end(ap);
	const size_t at = env_find(env, name, n_name);
	env->vars[at] = var;
	env->n += at == env->n;
	env->set[env->n_set++] = var;
	return var + n_name + 1;
}

void
env_fini(struct env *env)
{
	for (size_t i = 0; i < env->n_set; i++)
		mem_free(env->set[i]);
	mem_free(env->vars);
	*env = (struct env){ 0 };
}
