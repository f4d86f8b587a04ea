/* SPDX-License-Identifier: MIT */
/* config_field: a switch over types for all that is done with a field. */
#include "common/base/config_field.h"

#include <bsd/stdlib.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"

/*
 * What is empty, of a thousand tenants most of it, is nobody's memory. Shared
 * and never written to.
 */
static char config_no_text[] = "";
static char *config_no_strings[] = { NULL };

void *
base_config_field(const struct base_config_row *row, void *out)
{
	return (char *)out + row->offset;
}

char *
base_config_field_number(
    const struct base_config_row *row, int64_t value, char out[QUANTITY_BYTES])
{
	if (row->type == BASE_CONFIG_DURATION)
		return quantity_duration(value, out);
	if (row->type == BASE_CONFIG_SIZE)
		return quantity_size(value, out);
	snprintf(out, QUANTITY_BYTES, "%lld", (long long)value);
	return out;
}

char *
base_config_field_copy(const char *s)
{
	return s[0] ? xmem_strdup(s) : config_no_text;
}

static void
config_free_text(char *s)
{
	if (s != config_no_text)
		mem_free(s);
}

void
base_config_field_list(struct base_config_strings *list, size_t n)
{
	list->n = 0;
	list->v = n ? xmem_zalloc(n + 1, sizeof(*list->v)) : config_no_strings;
}

void
base_config_field_add(struct base_config_strings *list, const char *s)
{
	list->v[list->n++] = base_config_field_copy(s);
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

void
base_config_field_default(const struct base_config_row *row, void *field)
{
	const char *fault = NULL;
	struct base_config_strings *const list = field;

	switch (row->type) {
	case BASE_CONFIG_STRING:
		*(char **)field = base_config_field_copy(row->def);
		break;
	case BASE_CONFIG_STRINGS:
		base_config_field_list(list, row->def[0] != '\0');
		if (row->def[0])
			base_config_field_add(list, row->def);
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
		must(quantity_duration_of(row->def, field));
		break;
	case BASE_CONFIG_SIZE:
		must(quantity_size_of(row->def, field));
		break;
	}
}

int64_t
base_config_field_measure(const struct base_config_row *row, const void *field)
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

void
base_config_free(const struct base_config_row *rows, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++) {
		void *const field = base_config_field(&rows[i], out);
		if (rows[i].type == BASE_CONFIG_STRING) {
			config_free_text(*(char **)field);
			*(char **)field = NULL;
		}
		if (rows[i].type == BASE_CONFIG_STRINGS)
			base_config_strings_free(field);
	}
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
	char text[QUANTITY_BYTES];

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
		    quantity_duration(*(const int64_t *)field, text));
		break;
	case BASE_CONFIG_SIZE:
		fprintf(
		    to, "\"%s\"", quantity_size(*(const int64_t *)field, text));
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
		    rows[i].min > 0 &&
		    base_config_field_measure(&rows[i], field) == 0;
		for (unsigned k = 0; k < indent; k++)
			fputc('\t', to);
		/* An optional key that was left out would not read back. */
		fprintf(to, "%s%s = ", is_empty ? "# " : "", rows[i].name);
		config_dump_value(to, &rows[i], field);
		fprintf(to, ";\t# %s%s%s\n", rows[i].help,
		    rows[i].unit[0] ? ", " : "", rows[i].unit);
	}
}
