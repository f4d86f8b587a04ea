/* SPDX-License-Identifier: MIT */
/* What poold/match.c and poold/address.c decide, as tables. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "poold/address.h"
#include "poold/match.h"

static struct match_entry entries[] = {
	{ "acme.localhost", 0 },
	{ "*.demo.localhost", 1 },
	{ "special.demo.localhost", 2 },
	{ "localhost", 3 },
	{ "*.localhost", 4 },
};

#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

struct host {
	const char *host;
	int index; /* -1: unknown */
};

static const struct host hosts[] = {
	{ "acme.localhost", 0 },
	{ "special.demo.localhost", 2 },
	{ "other.demo.localhost", 1 },
	{ "x.demo.localhost", 1 },
	{ "demo.localhost", 4 },
	{ "localhost", 3 },
	{ "b.localhost", 4 },
	{ "a.b.demo.localhost", -1 },
	{ "a.acme.localhost", -1 },
	{ "example.org", -1 },
	{ "org", -1 },
	{ "*.demo.localhost", -1 },
	{ ".demo.localhost", -1 },
	{ "-x.demo.localhost", -1 },
	{ "Acme.localhost", -1 },
	{ "acme.localhost.", -1 },
	{ "..", -1 },
	{ "../x.localhost", -1 },
	{ "a/b.demo.localhost", -1 },
	{ "", -1 },
};

START_TEST(the_exact_host_comes_before_the_template)
{
	const struct match_entry *found;

	match_sort(entries, N_ENTRIES);
	found = match_find(entries, N_ENTRIES, hosts[_i].host);
	ck_assert_int_eq(found ? (int)found->index : -1, hosts[_i].index);
}
END_TEST

START_TEST(nothing_is_found_among_nothing)
{
	ck_assert_ptr_null(match_find(NULL, 0, "acme.localhost"));
	ck_assert_ptr_null(match_duplicate(NULL, 0));
}
END_TEST

START_TEST(the_later_of_two_equal_hosts_is_told)
{
	struct match_entry twice[] = { { "b", 0 }, { "a", 1 }, { "b", 2 } };

	match_sort(twice, 3);
	ck_assert_uint_eq(match_duplicate(twice, 3)->index, 2);
	ck_assert_ptr_null(match_duplicate(twice, 2));
}
END_TEST

START_TEST(labels_and_names_have_their_lengths)
{
	char host[300];

	memset(host, 'a', sizeof(host));
	host[63] = '\0';
	ck_assert(match_is_host(host));
	host[63] = 'a';
	host[64] = '\0';
	ck_assert(!match_is_host(host));
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = i % 2 ? '.' : 'a';
	host[253] = '\0';
	ck_assert(match_is_host(host));
	ck_assert_ptr_null(match_fault(host));
	host[253] = '.';
	host[255] = '\0';
	ck_assert(!match_is_host(host));
	ck_assert_ptr_nonnull(match_fault(host));
}
END_TEST

struct text {
	const char *text;
	const char *back; /* NULL: not an address */
	unsigned port;
};

static const struct text texts[] = {
	{ "127.0.0.1:8080", "127.0.0.1:8080", 8080 },
	{ "0.0.0.0:0", "0.0.0.0:0", 0 },
	{ "[::1]:65535", "[::1]:65535", 65535 },
	{ "[0:0::1]:80", "[::1]:80", 80 },
	{ "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", 80 },
	{ "127.0.0.1", NULL, 0 },
	{ "127.0.0.1:", NULL, 0 },
	{ "127.0.0.1:65536", NULL, 0 },
	{ "127.0.0.1:-1", NULL, 0 },
	{ "127.0.0.1: 1", NULL, 0 },
	{ "127.0.0.1:8080x", NULL, 0 },
	{ "127.1:80", NULL, 0 },
	{ "::1:80", NULL, 0 },
	{ "[::1]", NULL, 0 },
	{ "[::1:80", NULL, 0 },
	{ "[]:80", NULL, 0 },
	{ "[127.0.0.1]:80", NULL, 0 },
	{ ":80", NULL, 0 },
	{ "localhost:80", NULL, 0 },
	{ "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", NULL,
	    0 },
	{ "", NULL, 0 },
};

START_TEST(an_address_is_numbers_and_a_port)
{
	const struct text *const t = &texts[_i];
	char back[ADDRESS_TEXT_BYTES];
	struct address address;

	ck_assert_int_eq(address_parse(t->text, &address), t->back != NULL);
	if (!t->back)
		return;
	ck_assert_str_eq(address_text(&address, back), t->back);
	ck_assert_uint_eq(address_port(&address), t->port);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_match");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(all, the_exact_host_comes_before_the_template, 0,
	    sizeof(hosts) / sizeof(hosts[0]));
	tcase_add_test(all, nothing_is_found_among_nothing);
	tcase_add_test(all, the_later_of_two_equal_hosts_is_told);
	tcase_add_test(all, labels_and_names_have_their_lengths);
	tcase_add_loop_test(all, an_address_is_numbers_and_a_port, 0,
	    sizeof(texts) / sizeof(texts[0]));
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
