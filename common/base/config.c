/* SPDX-License-Identifier: MIT */
/*
 * config: libconfig gives a tree with the line of every value; this file walks
 * it by rows. Nothing is converted behind the operator's back: a number where
 * a duration belongs is an error, since its unit would be a guess.
 */
#include "common/base/config.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libconfig.h>

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

struct config_unit {
	const char *name;
	int64_t n; /* milliseconds, bytes */
};

/* Largest first: the dump takes the first that is exact. The last is 1. */
static const struct config_unit config_durations[] = {
	{ "d", INT64_C(86400000) },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

static const struct config_unit config_sizes[] = {
	{ "T", INT64_C(1) << 40 },
	{ "G", INT64_C(1) << 30 },
	{ "M", INT64_C(1) << 20 },
	{ "K", INT64_C(1) << 10 },
	{ "", 1 },
};

const char base_config_keep[] = "";

/*
 * What is empty, of a thousand tenants most of it, is nobody's memory. Shared
 * and never written to.
 */
static char config_no_text[] = "";
static char *config_no_strings[] = { NULL };

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

/* A value in the largest unit that is exact. Returns out. */
static char *
config_quantity(const struct config_unit *unit, int64_t value,
    char out[BASE_CONFIG_TEXT_BYTES])
{
	while (unit->n > 1 && (value == 0 || value % unit->n != 0))
		unit++;
	snprintf(out, BASE_CONFIG_TEXT_BYTES, "%lld%s",
	    (long long)(value / unit->n), unit->name);
	return out;
}

char *
base_config_duration(int64_t ms, char out[BASE_CONFIG_TEXT_BYTES])
{
	return config_quantity(config_durations, ms, out);
}

/* A bound or a value of a row, for a person. */
static char *
config_number(const struct base_config_row *row, int64_t value,
    char out[BASE_CONFIG_TEXT_BYTES])
{
	if (row->type == BASE_CONFIG_DURATION)
		return base_config_duration(value, out);
	if (row->type == BASE_CONFIG_SIZE)
		return config_quantity(config_sizes, value, out);
	snprintf(out, BASE_CONFIG_TEXT_BYTES, "%lld", (long long)value);
	return out;
}

/* ------------------------------------------------------------ single values */

/* Parse "10s" or "64K" by its units. Returns whether it is one. */
static bool
config_parse(
    const struct config_unit *units, const char *text, int64_t *value_r)
{
	const size_t n_digits = strspn(text, "0123456789");
	char digits[16];

	if (n_digits == 0 || n_digits >= sizeof(digits))
		return false;
	memcpy(digits, text, n_digits);
	digits[n_digits] = '\0';
	for (const struct config_unit *unit = units;; unit++) {
		const char *fault;
		if (strcmp(text + n_digits, unit->name) == 0) {
			*value_r = unit->n * strtonum(digits, 0,
						 INT64_MAX / unit->n, &fault);
			return !fault;
		}
		if (unit->n == 1)
			return false;
	}
}

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

static void *
config_field(const struct base_config_row *row, void *out)
{
	return (char *)out + row->offset;
}

/* A copy of s, ended with config_free_text. */
static char *
config_copy(const char *s)
{
	return s[0] ? xmem_strdup(s) : config_no_text;
}

static void
config_free_text(char *s)
{
	if (s != config_no_text)
		mem_free(s);
}

/* An empty list with room for n. */
static void
config_strings_init(struct base_config_strings *list, size_t n)
{
	list->n = 0;
	list->v = n ? xmem_zalloc(n + 1, sizeof(*list->v)) : config_no_strings;
}

/* Add a string to a list that has room for it. */
static void
config_strings_add(struct base_config_strings *list, const char *s)
{
	list->v[list->n++] = config_copy(s);
}

void
base_config_strings_free(struct base_config_strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		config_free_text(list->v[i]);
	if (list->v != config_no_strings)
		mem_free(list->v);
	*list = (struct base_config_strings){ 0 };
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
	config_strings_init(list, (size_t)n);
	for (int i = 0; i < n; i++) {
		const char *const s =
		    is_one ? config_setting_get_string(from)
			   : config_setting_get_string_elem(from, i);
		if (!s)
			return false;
		config_strings_add(list, s);
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
		*(char **)field = config_copy(config_setting_get_string(from));
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
		       config_parse(config_durations,
			   config_setting_get_string(from), field);
	case BASE_CONFIG_SIZE:
		return type == CONFIG_TYPE_STRING &&
		       config_parse(config_sizes,
			   config_setting_get_string(from), field);
	}
	return false;
}

/* Put the default of a row into its field; our own table must be right. */
static void
config_default(const struct base_config_row *row, void *field)
{
	const char *fault = NULL;
	struct base_config_strings *const list = field;

	switch (row->type) {
	case BASE_CONFIG_STRING:
		*(char **)field = config_copy(row->def);
		break;
	case BASE_CONFIG_STRINGS:
		config_strings_init(list, row->def[0] != '\0');
		if (row->def[0])
			config_strings_add(list, row->def);
		break;
	case BASE_CONFIG_INT:
		*(int64_t *)field =
		    strtonum(row->def, row->min, row->max, &fault);
		must(!fault);
		break;
	case BASE_CONFIG_BOOL:
		*(bool *)field = strcmp(row->def, "true") == 0;
		break;
	case BASE_CONFIG_DURATION:
		must(config_parse(config_durations, row->def, field));
		break;
	case BASE_CONFIG_SIZE:
		must(config_parse(config_sizes, row->def, field));
		break;
	}
}

/* What of a field is compared with the range: a value, a length, a count. */
static int64_t
config_measure(const struct base_config_row *row, const void *field)
{
	switch (row->type) {
	case BASE_CONFIG_STRING:
		return (int64_t)strlen(*(char *const *)field);
	case BASE_CONFIG_STRINGS:
		return (int64_t)((const struct base_config_strings *)field)->n;
	case BASE_CONFIG_INT:
	case BASE_CONFIG_DURATION:
	case BASE_CONFIG_SIZE:
		return *(const int64_t *)field;
	case BASE_CONFIG_BOOL:
		break;
	}
	return row->min;
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
	char min[BASE_CONFIG_TEXT_BYTES], max[BASE_CONFIG_TEXT_BYTES];
	char is[BASE_CONFIG_TEXT_BYTES], text[160];
	const int64_t n = config_measure(row, field);

	if (n >= row->min && n <= row->max)
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), what[row->type],
	    config_number(row, row->min, min),
	    config_number(row, row->max, max), config_number(row, n, is));
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
	void *const field = config_field(row, out);
	const config_setting_t *const from =
	    group ? config_setting_get_member(group, row->name) : NULL;

	if (!from && !row->def)
		return config_complain(
		    config, at, group, err_r, "is missing: %s", row->help);
	if (!from) {
		if (row->def != base_config_keep)
			config_default(row, field);
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

void
base_config_free(const struct base_config_row *rows, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++) {
		void *const field = config_field(&rows[i], out);
		if (rows[i].type == BASE_CONFIG_STRING) {
			config_free_text(*(char **)field);
			*(char **)field = NULL;
		}
		if (rows[i].type == BASE_CONFIG_STRINGS)
			base_config_strings_free(field);
	}
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

/* --------------------------------------------------------------------- dump */

/* A string as libconfig reads it back. */
static void
config_dump_string(FILE *to, const char *s)
{
	fputc('"', to);
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void
config_dump_value(
    FILE *to, const struct base_config_row *row, const void *field)
{
	const struct base_config_strings *const list = field;
	char text[BASE_CONFIG_TEXT_BYTES];

	switch (row->type) {
	case BASE_CONFIG_STRING:
		config_dump_string(to, *(char *const *)field);
		break;
	case BASE_CONFIG_STRINGS:
		fputs("[", to);
		for (size_t i = 0; i < list->n; i++) {
			fputs(i ? ", " : " ", to);
			config_dump_string(to, list->v[i]);
		}
		fputs(" ]", to);
		break;
	case BASE_CONFIG_INT:
		fprintf(to, "%lld", (long long)*(const int64_t *)field);
		break;
	case BASE_CONFIG_BOOL:
		fputs(*(const bool *)field ? "true" : "false", to);
		break;
	case BASE_CONFIG_DURATION:
		fprintf(to, "\"%s\"",
		    base_config_duration(*(const int64_t *)field, text));
		break;
	case BASE_CONFIG_SIZE:
		fprintf(to, "\"%s\"",
		    config_quantity(
			config_sizes, *(const int64_t *)field, text));
		break;
	}
}

void
base_config_dump(FILE *to, const struct base_config_row *rows, size_t n,
    const void *in, unsigned indent)
{
	for (size_t i = 0; i < n; i++) {
		const void *const field = (const char *)in + rows[i].offset;
		const bool is_empty =
		    rows[i].min > 0 && config_measure(&rows[i], field) == 0;
		for (unsigned k = 0; k < indent; k++)
			fputc('\t', to);
		/* An optional key that was left out would not read back. */
		fprintf(to, "%s%s = ", is_empty ? "# " : "", rows[i].name);
		config_dump_value(to, &rows[i], field);
		fprintf(to, ";\t# %s%s%s\n", rows[i].help,
		    rows[i].unit[0] ? ", " : "", rows[i].unit);
	}
}
