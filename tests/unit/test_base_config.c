/* SPDX-License-Identifier: MIT */
/*
 * What common/base/config.c promises, tried on the rows of poold: a bad file
 * is refused with file, line and key, a good one is read, and what is dumped
 * reads back the same.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/quantity.h"
#include "poold/settings.h"

static char path[] = "/tmp/holdline-config-XXXXXX";

static void
setup(void)
{
	strcpy(path + strlen(path) - 6, "XXXXXX");
	close(mkstemp(path));
}

static void
teardown(void)
{
	unlink(path);
}

static void
write_file(const char *text)
{
	FILE *const file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

struct bad {
	const char *text;
	unsigned line;
	const char *complaint;
};

#define TENANT "tenants = ( {\n host = \"a.b\";\n tools = [ \"/t.so\" ]; } );\n"
#define DURATION                                                             \
	"must be a duration in quotes, such as \"500ms\", \"10s\", \"5m\", " \
	"\"24h\" or \"7d\""

#define SIZE "must be a size in quotes, such as \"64K\", \"512M\" or \"2G\""
#define TENANT_KEY(key) \
	"tenants = ( { host = \"a.b\"; tools = [ \"/t.so\" ];\n " key "; } );\n"

static const struct bad bads[] = {
	/* Syntax. */
	{ "pool = {\n max_backends = ;\n};\n", 2, "syntax error" },
	{ "pool = {\n", 2, "syntax error" },
	{ "pool = { max_backends = 1;\n max_backends = 2; };\n", 2,
	    "duplicate setting name" },
	/* Names. */
	{ "\npols = { };\n", 2, "pols: unknown key" },
	{ "pool = {\n max_backend = 3;\n};\n", 2,
	    "pool.max_backend: unknown key" },
	{ "switchboard = {\n\n port = 80; };\n", 3,
	    "switchboard.port: unknown key" },
	{ TENANT "tenant = ();\n", 4, "tenant: unknown key" },
	{ "tenants = (\n { host = \"a.b\"; tools = [ \"/t\" ];\n  usr = 1; } "
	  ");\n",
	    3, "tenants[0].usr: unknown key" },
	/* Shapes. */
	{ "pool = 3;\n", 1, "pool: must be a group, { key = value; }" },
	{ "pool = ( );\n", 1, "pool: must be a group, { key = value; }" },
	{ "tenants = {\n};\n", 1,
	    "tenants: must be a list of groups, ( { … }, { … } )" },
	{ "tenants = (\n 5 );\n", 2,
	    "tenants[0]: must be a group, { key = value; }" },
	/* Types. */
	{ "pool = {\n max_backends = \"7\"; };\n", 2,
	    "pool.max_backends: must be a whole number" },
	{ "pool = {\n max_backends = 7.5; };\n", 2,
	    "pool.max_backends: must be a whole number" },
	{ "pool = {\n max_backends = true; };\n", 2,
	    "pool.max_backends: must be a whole number" },
	{ "pool = {\n idle_timeout = 300; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"300\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"5 s\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"-5s\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"s\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"1.5s\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"999999999999999d\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n idle_timeout = \"99999999999999999999s\"; };\n", 2,
	    "pool.idle_timeout: " DURATION },
	{ "pool = {\n memory_max = 512; };\n", 2, "pool.memory_max: " SIZE },
	{ "pool = {\n memory_max = \"512m\"; };\n", 2,
	    "pool.memory_max: " SIZE },
	{ "pool = {\n memory_max = \"M\"; };\n", 2, "pool.memory_max: " SIZE },
	{ "pool = {\n memory_max = \"99999999999999T\"; };\n", 2,
	    "pool.memory_max: " SIZE },
	{ "tenants = ( {\n host = \"a.b\"; tools = [ \"/t\" ];\n"
	  " network = 1; } );\n",
	    3, "tenants[0].network: must be true or false" },
	{ "pool = {\n runtime_dir = [ \"/x\" ]; };\n", 2,
	    "pool.runtime_dir: must be a string in quotes" },
	{ "switchboard = {\n listen = 8080; };\n", 2,
	    "switchboard.listen: must be a list of strings" },
	{ "switchboard = {\n listen = [ 1, 2 ]; };\n", 2,
	    "switchboard.listen: must be a list of strings" },
	{ "switchboard = {\n listen = ( \"127.0.0.1:1\", 2 ); };\n", 2,
	    "switchboard.listen: must be a list of strings" },
	/* Ranges. */
	{ "pool = {\n max_backends = 0; };\n", 2,
	    "pool.max_backends: must be 1 to 100000, is 0" },
	{ "pool = {\n max_backends = -1; };\n", 2,
	    "pool.max_backends: must be 1 to 100000, is -1" },
	{ "pool = {\n max_backends = 3000000000L; };\n", 2,
	    "pool.max_backends: must be 1 to 100000, is 3000000000" },
	{ "pool = {\n start_timeout = \"2h\"; };\n", 2,
	    "pool.start_timeout: must be 10ms to 1h, is 2h" },
	{ "pool = {\n stop_timeout = \"0s\"; };\n", 2,
	    "pool.stop_timeout: must be 10ms to 1h, is 0ms" },
	{ "pool = {\n memory_max = \"1025T\"; };\n", 2,
	    "pool.memory_max: must be 0 to 256T, is 1025T" },
	{ "pool = {\n cpu_weight = 0; };\n", 2,
	    "pool.cpu_weight: must be 1 to 10000, is 0" },
	{ "pool = {\n uid_first = 0; };\n", 2,
	    "pool.uid_first: must be 1 to 4294967294, is 0" },
	{ "switchboard = {\n listen = [ ]; };\n", 2,
	    "switchboard.listen: must have 1 to 16 elements, has 0" },
	{ "pool = {\n runtime_dir = \"\"; };\n", 2,
	    "pool.runtime_dir: must be 1 to 86 bytes long, is 0" },
	/* Missing. */
	{ "tenants = (\n { tools = [ \"/t.so\" ]; } );\n", 2,
	    "tenants[0].host: is missing: host name, or *.suffix for any one "
	    "label in front of it" },
	/* Rules of poold. */
	{ "pool = {\n memory_max = \"1M\";\n memory_high = \"2M\"; };\n", 3,
	    "pool.memory_high: must not be more than memory_max" },
	{ "pool = { memory_max = \"1M\"; };\n" TENANT_KEY(
	      "memory_high = \"2M\""),
	    3, "tenants[0].memory_high: must not be more than memory_max" },
	{ "pool = {\n uid_first = 4294967290L;\n uid_count = 99; };\n", 3,
	    "pool.uid_count: is more than there are ids from uid_first on" },
	{ TENANT_KEY("user = \"nobody-here\""), 2,
	    "tenants[0].user: nobody-here: there is no such user" },
	{ TENANT_KEY("user = \"root\""), 2,
	    "tenants[0].user: root is root, or in its group" },
	{ TENANT_KEY("user = \"0\""), 2,
	    "tenants[0].user: 0 is root, or in its group" },
	{ TENANT_KEY("user = \"1879048200\""), 2,
	    "tenants[0].user: 1879048200 is one of the ids that tenants "
	    "without a user get (uid_first, uid_count)" },
	{ TENANT_KEY("read = \"srv\""), 2,
	    "tenants[0].read: must be an absolute path, is \"srv\"" },
	{ TENANT_KEY("write = [ \"/a\", \"b\" ]"), 2,
	    "tenants[0].write: must be an absolute path, is \"b\"" },
	{ "switchboard = {\n listen = \"localhost:80\"; };\n", 2,
	    "switchboard.listen: must be \"IPv4:port\" or \"[IPv6]:port\", is "
	    "\"localhost:80\"" },
	{ "switchboard = {\n admin = \"127.0.0.1\"; };\n", 2,
	    "switchboard.admin: must be \"IPv4:port\" or \"[IPv6]:port\", is "
	    "\"127.0.0.1\"" },
	{ "pool = {\n state_dir = \"var\"; };\n", 2,
	    "pool.state_dir: must be an absolute path, is \"var\"" },
	{ "tenants = (\n { host = \"a.b\"; } );\n", 2,
	    "tenants[0]: needs either tools or command" },
	{ "tenants = ( {\n host = \"a.b\";\n tools = [ \"/t\" ];\n command = [ "
	  "\"/c\" ]; } );\n",
	    1, "tenants[0]: needs either tools or command, has both" },
	{ "tenants = ( {\n host = \"a.b\";\n tools = [ ]; } );\n", 3,
	    "tenants[0].tools: must have 1 to 256 elements, has 0" },
	{ "tenants = ( {\n host = \"a.b\";\n tools = [ \"t.so\" ]; } );\n", 3,
	    "tenants[0].tools: must be an absolute path, is \"t.so\"" },
	{ "tenants = ( {\n host = \"a.b\";\n command = \"python3\"; } );\n", 3,
	    "tenants[0].command: must be an absolute path, is \"python3\"" },
	{ "tenants = ( {\n host = \"a.b\"; tools = \"/t\";\n max_hosts = 2; } "
	  ");\n",
	    3,
	    "tenants[0].max_hosts: is for a template host (\"*.suffix\") "
	    "only" },
	{ "tenants = ( {\n host = \"a..b\"; tools = \"/t\"; } );\n", 2,
	    "tenants[0].host: must be labels of lower-case letters, digits, "
	    "'-' and '_' with dots between, is \"a..b\"" },
	{ "tenants = ( {\n host = \"a.*.b\"; tools = \"/t\"; } );\n", 2,
	    "tenants[0].host: a '*' may only stand for the whole first label, "
	    "is \"a.*.b\"" },
	{ "tenants = ( {\n host = \"a.b:80\"; tools = \"/t\"; } );\n", 2,
	    "tenants[0].host: must be a name without a port, is \"a.b:80\"" },
	{ "tenants = ( { host = \"a.b\"; tools = \"/t\"; },\n { host = \"c.b\"; "
	  "tools = \"/t\"; },\n { host = \"a.b\"; tools = \"/t\"; } );\n",
	    3, "tenants[2].host: another tenant has the same, \"a.b\"" },
};

START_TEST(a_bad_file_is_refused_with_file_line_and_key)
{
	const struct bad *const bad = &bads[_i];
	char place[ERR_PLACE_BYTES];
	struct settings settings;
	struct err err;

	write_file(bad->text);
	ck_assert_int_eq(settings_read(path, &settings, &err), -EINVAL);
	snprintf(place, sizeof(place), "%s:%u", path, bad->line);
	ck_assert_str_eq(err.text, bad->complaint);
	ck_assert_str_eq(err.place, place);
	ck_assert_int_eq(err.code, -EINVAL);
	settings_fini(&settings);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_error_with_its_path)
{
	struct settings settings;
	struct err err;

	unlink(path);
	ck_assert_int_eq(settings_read(path, &settings, &err), -ENOENT);
	ck_assert_str_eq(err.place, path);
	ck_assert_str_eq(err.text, "cannot be read: No such file or directory");
	settings_fini(&settings);
	ck_assert_int_eq(settings_read("/tmp", &settings, &err), -EISDIR);
	settings_fini(&settings);
}
END_TEST

START_TEST(an_empty_file_gives_the_defaults)
{
	struct settings settings;

	write_file("");
	ck_assert_int_eq(settings_read(path, &settings, NULL), 0);
	ck_assert_uint_eq(settings.board.listen.n, 1);
	ck_assert_str_eq(settings.board.listen.v[0], "127.0.0.1:8080");
	ck_assert_str_eq(settings.board.admin, "");
	ck_assert_str_eq(settings.pool.runtime_dir, "/run/holdline");
	ck_assert_str_eq(settings.pool.state_dir, "/var/lib/holdline");
	ck_assert_int_eq(settings.pool.max_backends, 100);
	ck_assert_int_eq(settings.pool.start_timeout_ms, 10000);
	ck_assert_int_eq(settings.pool.idle_timeout_ms, 300000);
	ck_assert_int_eq(settings.pool.drain_timeout_ms, 500);
	ck_assert_int_eq(settings.pool.stop_timeout_ms, 1000);
	ck_assert_int_eq(settings.pool.session_timeout_ms, 86400000);
	ck_assert_int_eq(settings.pool.max_sessions, 10000);
	ck_assert(settings.pool.confine.sandbox);
	ck_assert(!settings.pool.confine.network);
	ck_assert_int_eq(settings.pool.confine.pids_max, 512);
	ck_assert_int_eq(settings.pool.confine.memory_max_bytes, 1 << 30);
	ck_assert_int_eq(settings.pool.uid_first, 1879048192);
	ck_assert_int_eq(settings.pool.uid_count, 65536);
	ck_assert_uint_eq(settings.n_tenants, 0);
	settings_fini(&settings);
}
END_TEST

static const char full[] =
    "switchboard = {\n"
    "	listen = [ \"127.0.0.1:0\", \"[::1]:8080\" ];\n"
    "	admin = \"127.0.0.1:8081\";\n"
    "};\n"
    "pool = {\n"
    "	runtime_dir = \"/run/\\\"odd\\\\ name\";\n"
    "	state_dir = \"/var/lib/h\";\n"
    "	max_backends = 7;\n"
    "	start_timeout = \"1500ms\";\n"
    "	idle_timeout = \"2d\";\n"
    "	drain_timeout = \"0s\";\n"
    "	stop_timeout = \"90s\";\n"
    "	session_timeout = \"5m\";\n"
    "	max_sessions = 12;\n"
    "	pids_max = 30;\n"
    "	memory_max = \"64M\";\n"
    "	memory_high = \"1500\";\n"
    "	network = true;\n"
    "};\n"
    "tenants = (\n"
    "	{ host = \"acme.localhost\"; tools = [ \"/a.so\", \"/b.so\" ];\n"
    "	  user = \"12345\"; network = false; memory_max = \"2G\";\n"
    "	  read = \"/srv/a\"; write = [ \"/srv/b\", \"/srv/c\" ]; },\n"
    "	{ host = \"*.demo.localhost\"; max_hosts = 20; tools = \"/c.so\"; },\n"
    "	{ host = \"files.localhost\"; command = ( \"/usr/bin/x\", \"-v\" ); }\n"
    ");\n";

static void
check_full(const struct settings *s)
{
	ck_assert_uint_eq(s->board.listen.n, 2);
	ck_assert_str_eq(s->board.listen.v[1], "[::1]:8080");
	ck_assert_str_eq(s->board.admin, "127.0.0.1:8081");
	ck_assert_str_eq(s->pool.runtime_dir, "/run/\"odd\\ name");
	ck_assert_int_eq(s->pool.max_backends, 7);
	ck_assert_int_eq(s->pool.start_timeout_ms, 1500);
	ck_assert_int_eq(s->pool.idle_timeout_ms, 2 * 86400000);
	ck_assert_int_eq(s->pool.drain_timeout_ms, 0);
	ck_assert_int_eq(s->pool.stop_timeout_ms, 90000);
	ck_assert_int_eq(s->pool.session_timeout_ms, 300000);
	ck_assert_int_eq(s->pool.max_sessions, 12);
	ck_assert_uint_eq(s->n_tenants, 3);
	ck_assert_str_eq(s->tenants[0].host, "acme.localhost");
	ck_assert_uint_eq(s->tenants[0].tools.n, 2);
	ck_assert_str_eq(s->tenants[0].tools.v[1], "/b.so");
	ck_assert_uint_eq(s->tenants[0].command.n, 0);
	ck_assert_int_eq(s->tenants[0].max_hosts, 0);
	ck_assert(!s->tenants[0].is_template);
	ck_assert(s->tenants[1].is_template);
	ck_assert_int_eq(s->tenants[1].max_hosts, 20);
	ck_assert_uint_eq(s->tenants[2].command.n, 2);
	ck_assert_str_eq(s->tenants[2].command.v[1], "-v");
	ck_assert_int_eq(s->tenants[0].ids.uid, 12345);
	ck_assert_int_eq(s->tenants[0].ids.gid, 12345);
	ck_assert_str_eq(s->tenants[0].read.v[0], "/srv/a");
	ck_assert_str_eq(s->tenants[0].write.v[1], "/srv/c");
	/* What a tenant leaves out is as the pool has it. */
	ck_assert(!s->tenants[0].confine.network);
	ck_assert_int_eq(s->tenants[0].confine.memory_max_bytes, 2LL << 30);
	ck_assert_int_eq(s->tenants[0].confine.pids_max, 30);
	ck_assert(s->tenants[2].confine.network);
	ck_assert_int_eq(s->tenants[2].confine.memory_max_bytes, 64 << 20);
	ck_assert_int_eq(s->tenants[2].confine.memory_high_bytes, 1500);
}

START_TEST(every_key_is_read)
{
	struct settings settings;

	write_file(full);
	ck_assert_int_eq(settings_read(path, &settings, NULL), 0);
	check_full(&settings);
	settings_fini(&settings);
}
END_TEST

START_TEST(tenants_in_a_row_keep_the_same_tools_once)
{
	const char *const text =
	    "tenants = ("
	    "{ host = \"a.localhost\"; tools = [ \"/a.so\", \"/b.so\" ]; },"
	    "{ host = \"b.localhost\"; tools = [ \"/a.so\", \"/b.so\" ]; },"
	    "{ host = \"c.localhost\"; tools = [ \"/a.so\", \"/b.so\" ]; },"
	    "{ host = \"d.localhost\"; tools = [ \"/a.so\" ]; },"
	    "{ host = \"e.localhost\"; command = \"/a.so\"; },"
	    "{ host = \"f.localhost\"; command = \"/a.so\"; } );";
	struct settings s;

	write_file(text);
	ck_assert_int_eq(settings_read(path, &s, NULL), 0);
	ck_assert_uint_eq(s.n_tenants, 6);
	ck_assert_ptr_eq(s.tenants[1].tools.v, s.tenants[0].tools.v);
	ck_assert_ptr_eq(s.tenants[2].tools.v, s.tenants[0].tools.v);
	ck_assert_ptr_ne(s.tenants[3].tools.v, s.tenants[0].tools.v);
	ck_assert_uint_eq(s.tenants[2].tools.n, 2);
	ck_assert_str_eq(s.tenants[2].tools.v[1], "/b.so");
	ck_assert_uint_eq(s.tenants[3].tools.n, 1);
	for (size_t i = 4; i < 6; i++) {
		ck_assert_uint_eq(s.tenants[i].tools.n, 0);
		ck_assert_ptr_null(s.tenants[i].tools.v[0]);
		ck_assert_str_eq(s.tenants[i].command.v[0], "/a.so");
	}
	settings_fini(&s);
}
END_TEST

START_TEST(a_dump_reads_back_the_same)
{
	struct settings settings;
	struct err err = { 0 };

	for (int i = 0; i < 3; i++) {
		if (i == 0)
			write_file(full);
		ck_assert_msg(settings_read(path, &settings, &err) == 0,
		    "%s: %s", err.place, err.text);
		check_full(&settings);
		FILE *const file = fopen(path, "w");
		settings_dump(&settings, file);
		fclose(file);
		settings_fini(&settings);
	}
}
END_TEST

START_TEST(a_dump_of_the_defaults_reads_back_too)
{
	struct settings settings;
	struct err err = { 0 };

	write_file("");
	ck_assert_int_eq(settings_read(path, &settings, NULL), 0);
	FILE *const file = fopen(path, "w");
	settings_dump(&settings, file);
	fclose(file);
	settings_fini(&settings);
	ck_assert_msg(settings_read(path, &settings, &err) == 0, "%s: %s",
	    err.place, err.text);
	ck_assert_str_eq(settings.board.admin, "");
	ck_assert_int_eq(settings.pool.idle_timeout_ms, 300000);
	settings_fini(&settings);
}
END_TEST

struct duration {
	int64_t ms;
	const char *text;
};

static const struct duration durations[] = {
	{ 0, "0ms" },
	{ 1, "1ms" },
	{ 1000, "1s" },
	{ 1500, "1500ms" },
	{ 60000, "1m" },
	{ 90000, "90s" },
	{ 3600000, "1h" },
	{ 86400000, "1d" },
	{ 90000000, "25h" },
};

START_TEST(a_duration_is_told_in_its_largest_exact_unit)
{
	char text[QUANTITY_BYTES];

	ck_assert_str_eq(
	    quantity_duration(durations[_i].ms, text), durations[_i].text);
}
END_TEST

/* The path is longer than a place; its end must be seen. */
START_TEST(a_long_path_keeps_its_end_and_the_line)
{
	char dir[300] = "/tmp/holdline-", file[400];
	struct settings settings;
	struct err err;

	memset(dir + strlen(dir), 'x', 180);
	mkdir(dir, 0700);
	snprintf(file, sizeof(file), "%s/holdline.conf", dir);
	FILE *const f = fopen(file, "w");
	fputs("\n\nbad = 1;\n", f);
	fclose(f);
	ck_assert_int_eq(settings_read(file, &settings, &err), -EINVAL);
	ck_assert(strncmp(err.place, "...", 3) == 0);
	ck_assert_str_eq(
	    err.place + strlen(err.place) - strlen("/holdline.conf:3"),
	    "/holdline.conf:3");
	unlink(file);
	rmdir(dir);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("base_config");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, a_bad_file_is_refused_with_file_line_and_key,
	    0, sizeof(bads) / sizeof(bads[0]));
	tcase_add_test(
	    all, a_file_that_cannot_be_read_is_an_error_with_its_path);
	tcase_add_test(all, an_empty_file_gives_the_defaults);
	tcase_add_test(all, every_key_is_read);
	tcase_add_test(all, tenants_in_a_row_keep_the_same_tools_once);
	tcase_add_test(all, a_dump_reads_back_the_same);
	tcase_add_test(all, a_dump_of_the_defaults_reads_back_too);
	tcase_add_loop_test(all, a_duration_is_told_in_its_largest_exact_unit,
	    0, sizeof(durations) / sizeof(durations[0]));
	tcase_add_test(all, a_long_path_keeps_its_end_and_the_line);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
