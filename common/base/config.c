/* SPDX-License-Identifier: MIT */
/*
 * config: libconfig gives a tree with the line of every value; this file walks
 * it by rows. Nothing is converted behind the operator's back: a number where
 * a duration belongs is an error, since its unit would be a guess.
 */
#include "common/base/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <libconfig.h>

#include "common/base/config_field.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#define CONFIG_DURATION_WORD                                         \
	"a duration in quotes, such as \"500ms\", \"10s\", \"5m\", " \
	"\"24h\" or \"7d\""

#define CONFIG_SIZE_WORD "a size in quotes, such as \"64K\", \"512M\" or \"2G\""

#define CONFIG_KEY_BYTES 96 /* "tenants[12345].max_hosts" */

struct base_config {
	config_t tree;
	char *path;
};

const char base_config_keep[] = "";

/* ------------------------------------------------ where and what, in words */

/* "file:line" of a value; the end of a long path is what tells more. */
static void
config_place(const struct base_config *config, const char *file, unsigned line,
    char *place, size_t place_bytes)
{
	const char *path = file ? file : config->path;
	const size_t n = strlen(path), room = place_bytes - 16;

	if (n > room)
		snprintf(
		    place, place_bytes, "...%s:%u", path + n - room + 3, line);
	else
		snprintf(place, place_bytes, "%s:%u", path, line);
}

static void
config_key(const struct base_config_at *at, char key[CONFIG_KEY_BYTES])
{
	const char *const dot = at->key ? "." : "";
	const char *const name = at->key ? at->key : "";

	if (at->index < 0)
		snprintf(key, CONFIG_KEY_BYTES, "%.40s%s%.40s", at->section,
		    dot, name);
	else
		snprintf(key, CONFIG_KEY_BYTES, "%.40s[%d]%s%.40s", at->section,
		    at->index, dot, name);
}

static int
config_vcomplain(const struct base_config *config,
    const struct base_config_at *at, const config_setting_t *where,
    struct err *err_r, const char *fmt, va_list ap)
{
	char place[ERR_PLACE_BYTES];
	char key[CONFIG_KEY_BYTES];
	char text[ERR_TEXT_BYTES];

	config_key(at, key);
	vsnprintf(text, sizeof(text), fmt, ap);
	if (where)
		config_place(config, config_setting_source_file(where),
		    config_setting_source_line(where), place, sizeof(place));
	else
		config_place(config, NULL, 1, place, sizeof(place));
	return err_set(err_r, -EINVAL, place, "%s: %s", key, text);
}

__attribute__((format(printf, 5, 6))) static int
config_complain(const struct base_config *config,
    const struct base_config_at *at, const config_setting_t *where,
    struct err *err_r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int e = config_vcomplain(config, at, where, err_r, fmt, ap);
	va_end(ap);
	return e;
}

/* The group that `at` names, or NULL. */
static config_setting_t *
config_group(const struct base_config *config, const struct base_config_at *at)
{
	config_setting_t *const root = config_root_setting(&config->tree);
	config_setting_t *const found =
	    config_setting_get_member(root, at->section);

	if (!found || at->index < 0)
		return found;
	return config_setting_get_elem(found, (unsigned)at->index);
}

int
base_config_fail(const struct base_config *config,
    const struct base_config_at *at, struct err *err_r, const char *fmt, ...)
{
	config_setting_t *where = config_group(config, at);
	config_setting_t *const value =
	    where && at->key ? config_setting_get_member(where, at->key) : NULL;
	va_list ap;

	va_start(ap, fmt);
	const int e =
	    config_vcomplain(config, at, value ? value : where, err_r, fmt, ap);
	va_end(ap);
	return e;
}

/* ------------------------------------------------------------ single values */

static const char *
config_type_word(enum base_config_type type)
{
	static const char *const words[] = {
		[BASE_CONFIG_STRING] = "a string in quotes",
		[BASE_CONFIG_STRINGS] = "a list of strings",
		[BASE_CONFIG_INT] = "a whole number",
		[BASE_CONFIG_BOOL] = "true or false",
		[BASE_CONFIG_DURATION] = CONFIG_DURATION_WORD,
		[BASE_CONFIG_SIZE] = CONFIG_SIZE_WORD,
	};

	return words[type];
}

/* A list, an array or a single string. Returns whether it is of strings. */
static bool
config_take_strings(
    const config_setting_t *from, struct base_config_strings *list)
{
	const bool is_one = config_setting_type(from) == CONFIG_TYPE_STRING;
	const int n = is_one ? 1 : config_setting_length(from);

	if (!is_one && !config_setting_is_array(from) &&
	    !config_setting_is_list(from))
		return false;
	base_config_field_list(list, (size_t)n);
	for (int i = 0; i < n; i++) {
		const char *const s =
		    is_one ? config_setting_get_string(from)
			   : config_setting_get_string_elem(from, i);
		if (!s)
			return false;
		base_config_field_add(list, s);
	}
	return true;
}

/* Put a setting into its field. Returns whether it has the row's type. */
static bool
config_take(const struct base_config_row *row, const config_setting_t *from,
    void *field)
{
	const int type = config_setting_type(from);

	switch (row->type) {
	case BASE_CONFIG_STRING:
		if (type != CONFIG_TYPE_STRING)
			return false;
		*(char **)field =
		    base_config_field_copy(config_setting_get_string(from));
		return true;
	case BASE_CONFIG_STRINGS:
		return config_take_strings(from, field);
	case BASE_CONFIG_INT:
		if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
			return false;
		*(int64_t *)field = config_setting_get_int64(from);
		return true;
	case BASE_CONFIG_BOOL:
		if (type != CONFIG_TYPE_BOOL)
			return false;
		*(bool *)field = config_setting_get_bool(from);
		return true;
	case BASE_CONFIG_DURATION:
		return type == CONFIG_TYPE_STRING &&
		       quantity_duration_of(
			   config_setting_get_string(from), field);
	case BASE_CONFIG_SIZE:
		return type == CONFIG_TYPE_STRING &&
		       quantity_size_of(config_setting_get_string(from), field);
	}
	return false;
}

static int
config_check_range(const struct base_config *config,
    const struct base_config_at *at, const struct base_config_row *row,
    const config_setting_t *from, const void *field, struct err *err_r)
{
	static const char *const what[] = {
		[BASE_CONFIG_STRING] = "must be %s to %s bytes long, is %s",
		[BASE_CONFIG_STRINGS] = "must have %s to %s elements, has %s",
		[BASE_CONFIG_INT] = "must be %s to %s, is %s",
		[BASE_CONFIG_BOOL] = "",
		[BASE_CONFIG_DURATION] = "must be %s to %s, is %s",
		[BASE_CONFIG_SIZE] = "must be %s to %s, is %s",
	};
	char min[QUANTITY_BYTES], max[QUANTITY_BYTES];
	char is[QUANTITY_BYTES], text[160];
	const int64_t n = base_config_field_measure(row, field);

	if (n >= row->min && n <= row->max)
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), what[row->type],
	    base_config_field_number(row, row->min, min),
	    base_config_field_number(row, row->max, max),
	    base_config_field_number(row, n, is));
#pragma GCC diagnostic pop
	return config_complain(config, at, from, err_r, "%s", text);
}

/* ------------------------------------------------------------------- groups */

static const struct base_config_row *
config_find_row(const struct base_config_row *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static int
config_check_known(const struct base_config *config,
    const struct base_config_at *at, const config_setting_t *group,
    const struct base_config_row *rows, size_t n, struct err *err_r)
{
	const int n_keys = config_setting_length(group);

	for (int i = 0; i < n_keys; i++) {
		const config_setting_t *const s =
		    config_setting_get_elem(group, (unsigned)i);
		const char *const name = config_setting_name(s);
		const struct base_config_at here = { at->section, at->index,
			name };
		if (!config_find_row(rows, n, name))
			return config_complain(
			    config, &here, s, err_r, "unknown key");
	}
	return 0;
}

static int
config_read_row(const struct base_config *config,
    const struct base_config_at *at, const config_setting_t *group,
    const struct base_config_row *row, void *out, struct err *err_r)
{
	void *const field = base_config_field(row, out);
	const config_setting_t *const from =
	    group ? config_setting_get_member(group, row->name) : NULL;

	if (!from && !row->def)
		return config_complain(
		    config, at, group, err_r, "is missing: %s", row->help);
	if (!from) {
		if (row->def != base_config_keep)
			base_config_field_default(row, field);
		return 0;
	}
	if (!config_take(row, from, field))
		return config_complain(config, at, from, err_r, "must be %s",
		    config_type_word(row->type));
	return config_check_range(config, at, row, from, field, err_r);
}

int
base_config_read(const struct base_config *config,
    const struct base_config_at *at, const struct base_config_row *rows,
    size_t n, void *out, struct err *err_r)
{
	const config_setting_t *const group = config_group(config, at);
	const struct base_config_at whole = { at->section, at->index, NULL };
	int e = 0;

	if (group && !config_setting_is_group(group))
		return config_complain(config, &whole, group, err_r,
		    "must be a group, { key = value; }");
	if (group)
		e = config_check_known(config, at, group, rows, n, err_r);
	for (size_t i = 0; i < n && e == 0; i++) {
		const struct base_config_at here = { at->section, at->index,
			rows[i].name };
		e = config_read_row(config, &here, group, &rows[i], out, err_r);
	}
	return e;
}

/* --------------------------------------------------------------------- file */

/* Open path for reading; a folder is refused: libconfig's scanner exits. */
static FILE *
config_open_file(const char *path)
{
	struct stat stat;
	FILE *const file = fopen(path, "re");

	if (!file || fstat(fileno(file), &stat) < 0 || !S_ISDIR(stat.st_mode))
		return file;
	fclose(file);
	errno = EISDIR;
	return NULL;
}

int
base_config_open(
    const char *path, struct base_config **config_r, struct err *err_r)
{
	char place[ERR_PLACE_BYTES];
	struct base_config *config;

	*config_r = NULL;
	FILE *const file = config_open_file(path);
	if (!file)
		return err_set(err_r, -errno, path, "cannot be read: %s",
		    strerrordesc_np(errno));
	config = xmem_zalloc(1, sizeof(*config));
	config->path = xmem_strdup(path);
	config_init(&config->tree);
	const int is_good = config_read(&config->tree, file);
	const int e = ferror(file) ? EIO : 0;
	fclose(file);
	if (is_good && e == 0) {
		*config_r = config;
		return 0;
	}
	config_place(config, config_error_file(&config->tree),
	    (unsigned)config_error_line(&config->tree), place, sizeof(place));
	err_set(err_r, -EINVAL, place, "%s",
	    e ? "cannot be read" : config_error_text(&config->tree));
	base_config_close(&config);
	return -EINVAL;
}

void
base_config_close(struct base_config **config)
{
	if (!*config)
		return;
	config_destroy(&(*config)->tree);
	mem_free((*config)->path);
	mem_free(*config);
	*config = NULL;
}

int
base_config_check_names(const struct base_config *config,
    const char *const *names, size_t n, struct err *err_r)
{
	const config_setting_t *const root = config_root_setting(&config->tree);
	const int n_keys = config_setting_length(root);

	for (int i = 0; i < n_keys; i++) {
		const config_setting_t *const s =
		    config_setting_get_elem(root, (unsigned)i);
		const struct base_config_at at = { config_setting_name(s), -1,
			NULL };
		size_t k = 0;
		while (k < n && strcmp(names[k], at.section) != 0)
			k++;
		if (k == n)
			return config_complain(
			    config, &at, s, err_r, "unknown key");
	}
	return 0;
}

int
base_config_count(const struct base_config *config, const char *section,
    size_t *n_r, struct err *err_r)
{
	const struct base_config_at at = { section, -1, NULL };
	const config_setting_t *const list = config_group(config, &at);

	*n_r = 0;
	if (!list)
		return 0;
	if (!config_setting_is_list(list))
		return config_complain(config, &at, list, err_r,
		    "must be a list of groups, ( { … }, { … } )");
	*n_r = (size_t)config_setting_length(list);
	return 0;
}
