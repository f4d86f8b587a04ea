/* SPDX-License-Identifier: MIT */
/* Addresses that people type. */
#include <string.h>

#include <check.h>

#include "poold/ctl/url.h"

static const struct {
	const char *text;
	const char *host;
	int port;
	const char *path;
	const char *field;
	bool is_loopback;
} good[] = {
	{ "http://acme.localhost:8080/mcp", "acme.localhost", 8080, "/mcp",
	    "acme.localhost:8080", true },
	{ "http://acme.localhost", "acme.localhost", 80, "/mcp",
	    "acme.localhost", true },
	{ "HTTP://Localhost./", "localhost", 80, "/mcp", "localhost", true },
	{ "http://example.org/a/b?c=d", "example.org", 80, "/a/b?c=d",
	    "example.org", false },
	{ "http://example.org?c", "example.org", 80, "/?c", "example.org",
	    false },
	{ "http://notlocalhost:1/", "notlocalhost", 1, "/mcp", "notlocalhost:1",
	    false },
	{ "http://localhost.example", "localhost.example", 80, "/mcp",
	    "localhost.example", false },
	{ "http://[::1]:65535/x", "[::1]", 65535, "/x", "[::1]:65535", false },
	{ "http://127.0.0.1:80/mcp", "127.0.0.1", 80, "/mcp", "127.0.0.1",
	    false },
};

static const struct {
	const char *text;
	const char *says;
} bad[] = {
	{ "", "http://" },
	{ "acme.localhost:8080", "http://acme.localhost:8080" },
	{ "https://acme/", "https is not spoken" },
	{ "ftp://acme/", "http://" },
	{ "http://", "" },
	{ "http://a b/", "" },
	{ "http://a/b#c", "" },
	{ "http://user:pw@a/", "" },
	{ "http://a:0/", "port 0" },
	{ "http://a:65536/", "" },
	{ "http://a:x/", "" },
	{ "http://a/\n", "" },
};

START_TEST(url_takes_addresses_apart)
{
	struct url url;
	struct err err;

	ck_assert_int_eq(url_parse(good[_i].text, &url, &err), 0);
	ck_assert_str_eq(url.host.name, good[_i].host);
	ck_assert_int_eq(url.port, good[_i].port);
	ck_assert_str_eq(url.path, good[_i].path);
	ck_assert_str_eq(url.field, good[_i].field);
	ck_assert_int_eq(url.is_loopback, good[_i].is_loopback);
}
END_TEST

START_TEST(url_says_what_is_wrong_with_others)
{
	struct url url;
	struct err err = { 0 };

	ck_assert_int_lt(url_parse(bad[_i].text, &url, &err), 0);
	ck_assert_str_ne(err.text, "");
	ck_assert_ptr_nonnull(strstr(err.text, bad[_i].says));
}
END_TEST

START_TEST(url_bounds_the_path)
{
	char text[URL_PATH_BYTES + 64];
	struct url url;
	struct err err;

	memset(text, 'a', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_lt(url_parse(text, &url, &err), 0);
	text[9 + URL_PATH_BYTES - 4] = '\0';
	ck_assert_int_eq(url_parse(text, &url, &err), 0);
	ck_assert_uint_eq(strlen(url.path), URL_PATH_BYTES - 3);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("ctl/url");
	TCase *const t = tcase_create("url");

	tcase_add_loop_test(
	    t, url_takes_addresses_apart, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(t, url_says_what_is_wrong_with_others, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, url_bounds_the_path);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n != 0;
}
