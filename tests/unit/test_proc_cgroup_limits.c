/* SPDX-License-Identifier: MIT */
/* What common/proc/cgroup_limits.c reads and writes, in a folder of files. */
#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/proc/cgroup_limits.h"

static char folder[64];
static int leaf_fd;

static void
make_leaf(void)
{
	strcpy(folder, "/tmp/test-cgroup-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	leaf_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(leaf_fd, 0);
}

static void
remove_leaf(void)
{
	for (unsigned i = 0; cgroup_limits_name(i); i++)
		(void)unlinkat(leaf_fd, cgroup_limits_name(i), 0);
	(void)unlinkat(leaf_fd, "memory.events", 0);
	fd_close(&leaf_fd);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void
put(const char *name, const char *text)
{
	fd_auto int fd =
	    openat(leaf_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

struct events {
	const char *text;
	int64_t n_kills;
};

static const struct events events[] = {
	{ "low 0\nhigh 12\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n", 2 },
	{ "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n", 0 },
	{ "oom_kill 4294967297", INT64_C(4294967297) },
	{ "oom 5\noom_group_kill 9\n", 0 },
	{ "oom_kill", 0 },
	{ "", 0 },
};

START_TEST(kills_for_memory_are_read_from_the_leaf)
{
	put("memory.events", events[_i].text);
	ck_assert_int_eq(cgroup_limits_kills(leaf_fd), events[_i].n_kills);
}
END_TEST

START_TEST(without_the_controller_nothing_was_killed_for_memory)
{
	ck_assert_int_eq(cgroup_limits_kills(leaf_fd), 0);
	ck_assert_int_eq(cgroup_limits_kills(-1), 0);
}
END_TEST

START_TEST(what_the_leaf_lacks_is_named_and_the_rest_written)
{
	const struct cgroup_limits limits = {
		.memory_max_bytes = 1 << 20,
		.n_pids = 7,
	};
	char text[32] = "";
	unsigned lacks = 0;

	put("memory.max", "");
	put("pids.max", "");
	ck_assert_int_eq(cgroup_limits_write(leaf_fd, &limits, &lacks), 0);
	for (unsigned i = 0; cgroup_limits_name(i); i++) {
		const char *const name = cgroup_limits_name(i);
		const bool is_there = strcmp(name, "memory.max") == 0 ||
		                      strcmp(name, "pids.max") == 0;
		ck_assert_int_eq(!(lacks & 1u << i), is_there);
	}
	fd_auto int fd = openat(leaf_fd, "memory.max", O_RDONLY);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "1048576");
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("proc/cgroup_limits");
	TCase *const all = tcase_create("all");
	SRunner *const runner = srunner_create(suite);

	tcase_add_checked_fixture(all, make_leaf, remove_leaf);
	tcase_add_loop_test(all, kills_for_memory_are_read_from_the_leaf, 0,
	    sizeof(events) / sizeof(events[0]));
	tcase_add_test(
	    all, without_the_controller_nothing_was_killed_for_memory);
	tcase_add_test(all, what_the_leaf_lacks_is_named_and_the_rest_written);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
