/* SPDX-License-Identifier: MIT */
/*
 * The official JSON Schema test suite, draft 2020-12: every required file,
 * and those optional ones that common/json/README.md claims. It is read from
 * HOLDLINE_SHARED/data/json-schema (the environment, else what meson found
 * beside the source tree); where it is missing the test is skipped (77).
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include <jansson.h>

#include "common/json/schema.h"

#define SUITE_SKIP    77
#define SUITE_REMOTES 256
#define SUITE_FLAGS   (JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* The optional files that must pass too; formats are asserted there. */
static const char *const suite_optional[] = {
	"anchor",
	"dynamicRef",
	"ecmascript-regex",
	"float-overflow",
	"format-assertion",
	"format/date",
	"format/date-time",
	"format/duration",
	"format/ecmascript-regex",
	"format/email",
	"format/ipv4",
	"format/ipv6",
	"format/json-pointer",
	"format/regex",
	"format/time",
	"format/unknown",
	"format/uri",
	"format/uri-reference",
	"format/uuid",
	"id",
	"no-schema",
	"non-bmp-regex",
	"refOfUnknownKeyword",
	"unknownKeyword",
};

/*
 * Tests of these files that are known to end the other way, each with its
 * reason in common/json/README.md. One that passes is a failure too: then
 * the entry must go.
 */
static const char *const suite_deviations[][2] = {
	{ "format/ecmascript-regex.json",
	    "a variable-width lookbehind (ES2018)" },
};

static struct schema_remote remotes[SUITE_REMOTES];
static size_t n_remotes;
static unsigned n_ran;
static unsigned n_failed;

static json_t *
load(const char *path)
{
	json_error_t why;
	json_t *const doc = json_load_file(path, SUITE_FLAGS, &why);

	if (!doc) {
		printf("%s: line %d: %s\n", path, why.line, why.text);
		exit(1);
	}
	return doc;
}

/* Register remotes/PATH as http://localhost:1234/PATH, folders included. */
static void
register_remotes(const char *folder, const char *below)
{
	char path[PATH_MAX];
	char uri[PATH_MAX];
	struct stat st;
	struct dirent *entry;
	DIR *const d = opendir(folder);

	while (d && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		snprintf(uri, sizeof(uri), "%s/%s", below, entry->d_name);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			register_remotes(path, uri);
			continue;
		}
		if (n_remotes == SUITE_REMOTES) {
			printf("more than %d remotes\n", SUITE_REMOTES);
			exit(1);
		}
		remotes[n_remotes++] = (struct schema_remote){
			.uri = strdup(uri),
			.doc = load(path),
		};
	}
	if (d)
		closedir(d);
}

static bool
is_deviation(const char *file, const char *test)
{
	for (size_t i = 0;
	     i < sizeof(suite_deviations) / sizeof(*suite_deviations); i++)
		if (!strcmp(suite_deviations[i][0], file) &&
		    !strcmp(suite_deviations[i][1], test))
			return true;
	return false;
}

static void
run_case(const char *file, const char *group, const struct schema *schema,
    json_t *test)
{
	const char *const what =
	    json_string_value(json_object_get(test, "description"));
	const bool want = json_is_true(json_object_get(test, "valid")) !=
	                  is_deviation(file, what);
	struct err e = { 0 };
	const int r = schema_check(schema, json_object_get(test, "data"), &e);

	n_ran++;
	if (r == (want ? 0 : -EINVAL) && (want || e.text[0]))
		return;
	n_failed++;
	printf("FAIL %s: %s: %s: want %s, got %d at \"%s\": %s\n", file, group,
	    what, want ? "valid" : "invalid", r, e.place, e.text);
}

static void
run_file(const char *folder, const char *name, bool assert_format)
{
	const struct schema_options options = {
		.remotes = remotes,
		.n_remotes = n_remotes,
		.assert_format = assert_format,
	};
	char path[PATH_MAX];
	size_t g;
	json_t *group;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	json_t *const file = load(path);

	json_array_foreach (file, g, group) {
		const char *const what =
		    json_string_value(json_object_get(group, "description"));
		json_t *const tests = json_object_get(group, "tests");
		struct schema *schema = NULL;
		struct err e = { 0 };
		size_t t;
		json_t *test;

		if (schema_new(json_object_get(group, "schema"), &options,
			&schema, &e) < 0) {
			printf("FAIL %s: %s: does not compile: %s: %s\n", name,
			    what, e.place, e.text);
			n_ran += (unsigned)json_array_size(tests);
			n_failed += (unsigned)json_array_size(tests);
			continue;
		}
		json_array_foreach (tests, t, test)
			run_case(name, what, schema, test);
		schema_free(&schema);
	}
	json_decref(file);
}

/* Run every .json of the folder itself. */
static void
run_required(const char *folder)
{
	struct dirent **entries = NULL;
	const int n = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *const dot = strrchr(entries[i]->d_name, '.');

		if (dot && !strcmp(dot, ".json"))
			run_file(folder, entries[i]->d_name, false);
		free(entries[i]);
	}
	free(entries);
}

int
main(void)
{
	const char *const shared = getenv("HOLDLINE_SHARED");
	char root[PATH_MAX / 4];
	char folder[PATH_MAX / 2];
	char name[64];
	struct stat st;

	snprintf(root, sizeof(root), "%s/data/json-schema",
	    shared ? shared : HOLDLINE_SHARED_FOLDER);
	snprintf(folder, sizeof(folder), "%s/draft2020-12", root);
	if (stat(folder, &st) < 0) {
		printf("skipped: no test suite at %s\n", folder);
		return SUITE_SKIP;
	}
	char below[PATH_MAX / 2];

	snprintf(below, sizeof(below), "%s/remotes", root);
	register_remotes(below, "http://localhost:1234");
	run_required(folder);
	const unsigned n_required = n_ran;

	snprintf(folder, sizeof(folder), "%s/draft2020-12/optional", root);
	for (size_t i = 0; i < sizeof(suite_optional) / sizeof(*suite_optional);
	     i++) {
		snprintf(name, sizeof(name), "%s.json", suite_optional[i]);
		run_file(folder, name, true);
	}
	printf("%u required and %u optional tests ran\n", n_required,
	    n_ran - n_required);
	printf("%u passed, %u failed\n", n_ran - n_failed, n_failed);
	for (size_t i = 0; i < n_remotes; i++) {
		free((char *)remotes[i].uri);
		json_decref(remotes[i].doc);
	}
	return n_failed || n_required < 1000;
}
