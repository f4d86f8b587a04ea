/* SPDX-License-Identifier: MIT */
/* Hosts and targets: what is accepted becomes one spelling. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/http/host.h"
#include "common/http/target.h"

struct host_row {
	const char *in;
	const char *name; /* NULL: refused */
	int port;
};

static const struct host_row hosts[] = {
	{ "acme.localhost", "acme.localhost", -1 },
	{ "ACME.LocalHost", "acme.localhost", -1 },
	{ "acme.localhost.", "acme.localhost", -1 },
	{ "acme.localhost.:8080", "acme.localhost", 8080 },
	{ "a:", "a", -1 },
	{ "a:0", "a", 0 },
	{ "a:65535", "a", 65535 },
	{ "a:00080", "a", 80 },
	{ "a_b-c.d", "a_b-c.d", -1 },
	{ "192.0.2.1", "192.0.2.1", -1 },
	{ "%41.b", "%41.b", -1 },
	{ "[::1]", "[::1]", -1 },
	{ "[::FFFF:192.0.2.1]:1", "[::ffff:192.0.2.1]", 1 },
	{ "", NULL, 0 },
	{ ".", NULL, 0 },
	{ "..", NULL, 0 },
	{ "a..", NULL, 0 },
	{ "a:65536", NULL, 0 },
	{ "a:000080", NULL, 0 },
	{ "a:-1", NULL, 0 },
	{ "a:+1", NULL, 0 },
	{ "a: 1", NULL, 0 },
	{ "a b", NULL, 0 },
	{ "a@b", NULL, 0 },
	{ "%4", NULL, 0 },
	{ "%", NULL, 0 },
	{ "%zz", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "[", NULL, 0 },
	{ "]", NULL, 0 },
	{ "[v1.x]", NULL, 0 },
	{ "[::1", NULL, 0 },
	{ "[::1]x:1", NULL, 0 },
	{ "[1:2:3:4:5:6:7:8:9]", NULL, 0 },
	{ "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]", NULL, 0 },
};

START_TEST(host_gives_one_spelling_or_refuses)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct http_host host;
		const char *why = "unset";
		const int rc =
		    http_host_parse(slice_of(hosts[i].in), &host, &why);

		ck_assert_msg(rc == (hosts[i].name ? 0 : -EINVAL), "<%s>: %d",
		    hosts[i].in, rc);
		if (rc < 0) {
			ck_assert_str_ne(why, "unset");
			ck_assert_uint_eq(host.n, 0);
			continue;
		}
		ck_assert_str_eq(host.name, hosts[i].name);
		ck_assert_uint_eq(host.n, strlen(hosts[i].name));
		ck_assert_int_eq(host.port, hosts[i].port);
	}
}
END_TEST

START_TEST(host_takes_253_bytes_and_no_more)
{
	char text[HTTP_HOST_MAX + 4];
	struct http_host host;
	const char *why;

	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(
	    http_host_parse((struct slice){ text, HTTP_HOST_MAX }, &host, &why),
	    0);
	ck_assert_uint_eq(strlen(host.name), HTTP_HOST_MAX);
	ck_assert_int_eq(
	    http_host_parse(
		(struct slice){ text, HTTP_HOST_MAX + 1 }, &host, &why),
	    -EINVAL);
	memcpy(text + HTTP_HOST_MAX, ":80", 3);
	ck_assert_int_eq(
	    http_host_parse(
		(struct slice){ text, HTTP_HOST_MAX + 3 }, &host, &why),
	    0);
	ck_assert_int_eq(host.port, 80);
}
END_TEST

struct target_row {
	enum http_verb verb;
	const char *in;
	int rc;
	enum http_form form;
	const char *authority;
	const char *path;
};

static const struct target_row targets[] = {
	{ HTTP_VERB_GET, "/", 0, HTTP_FORM_ORIGIN, "", "/" },
	{ HTTP_VERB_GET, "//x?y", 0, HTTP_FORM_ORIGIN, "", "//x?y" },
	{ HTTP_VERB_GET, "http://a", 0, HTTP_FORM_ABSOLUTE, "a", "" },
	{ HTTP_VERB_GET, "hTTps://a:1?q", 0, HTTP_FORM_ABSOLUTE, "a:1", "?q" },
	{ HTTP_VERB_GET, "http://a/http://b", 0, HTTP_FORM_ABSOLUTE, "a",
	    "/http://b" },
	{ HTTP_VERB_OPTIONS, "*", 0, HTTP_FORM_ASTERISK, "", "*" },
	{ HTTP_VERB_CONNECT, "a:1", 0, HTTP_FORM_AUTHORITY, "a:1", "" },
	{ HTTP_VERB_GET, "*", -EINVAL, 0, "", "" },
	{ HTTP_VERB_OPTIONS, "*x", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "a:1", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "http:/a", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "http://", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "http://?q", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "http://u:p@a/", -EINVAL, 0, "", "" },
	{ HTTP_VERB_GET, "ws://a/", -EINVAL, 0, "", "" },
	{ HTTP_VERB_CONNECT, "/", -EINVAL, 0, "", "" },
	{ HTTP_VERB_CONNECT, "a", -EINVAL, 0, "", "" },
	{ HTTP_VERB_CONNECT, "http://a:1", -EINVAL, 0, "", "" },
};

START_TEST(target_takes_the_four_forms_apart)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		const struct target_row *const row = &targets[i];
		struct http_target t;
		const char *why;
		const int rc =
		    http_target_parse(row->verb, slice_of(row->in), &t, &why);

		ck_assert_msg(rc == row->rc, "<%s>: %d", row->in, rc);
		if (rc < 0)
			continue;
		ck_assert_int_eq(t.form, row->form);
		ck_assert(slice_eq(t.authority, slice_of(row->authority)));
		ck_assert(slice_eq(t.path, slice_of(row->path)));
		ck_assert_int_eq(
		    t.is_https, strncasecmp(row->in, "https:", 6) == 0);
	}
}
END_TEST

START_TEST(target_knows_methods_by_case)
{
	ck_assert_int_eq(http_target_verb(SLICE("DELETE")), HTTP_VERB_DELETE);
	ck_assert_int_eq(http_target_verb(SLICE("HEAD")), HTTP_VERB_HEAD);
	ck_assert_int_eq(http_target_verb(SLICE("get")), HTTP_VERB_OTHER);
	ck_assert_int_eq(http_target_verb(SLICE("GETS")), HTTP_VERB_OTHER);
	ck_assert_int_eq(http_target_verb(SLICE("")), HTTP_VERB_OTHER);
}
END_TEST

static Suite *
suite_host(void)
{
	Suite *const s = suite_create("http_host");
	TCase *const tc = tcase_create("host");

	tcase_add_test(tc, host_gives_one_spelling_or_refuses);
	tcase_add_test(tc, host_takes_253_bytes_and_no_more);
	tcase_add_test(tc, target_takes_the_four_forms_apart);
	tcase_add_test(tc, target_knows_methods_by_case);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_host());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
