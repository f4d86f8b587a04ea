/* SPDX-License-Identifier: MIT */
/*
 * What landlock, limits, cgroup_limits and sandbox promise. What confines for
 * good happens in a fork of the test; its exit status says which step failed.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/proc/cgroup_limits.h"
#include "common/proc/drop.h"
#include "common/proc/landlock.h"
#include "common/proc/limits.h"
#include "common/proc/sandbox.h"

#include "tests/unit/in_child.h"

static char folder[] = "/tmp/holdline-sandbox-XXXXXX";

static void
setup(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("own", 0700), 0);
	ck_assert_int_eq(mkdir("own/below", 0700), 0);
	ck_assert_int_eq(mkdir("other", 0777), 0);
	close(open("other/file", O_CREAT | O_WRONLY, 0666));
	close(open("shown", O_CREAT | O_WRONLY, 0666));
}

static void
teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	char command[80];
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* Confine this process to read `shown` and to change `own`. */
static int
confine(bool has_system)
{
	const char *const read[] = { "shown", "is-not-there", NULL };
	const char *const write[] = { "own", NULL };
	const struct landlock_rules rules = {
		.read = read,
		.write = write,
		.has_system = has_system,
	};
	const struct sandbox sandbox = { .files = &rules };

	return drop_no_new_privs() < 0 ? -EPERM : sandbox_enter(&sandbox);
}

/* The errno of opening path, 0 when it opens. */
static int
open_error(const char *path, int flags)
{
	fd_auto int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? errno : 0;
}

static int
files_are_kept(void)
{
	static const struct {
		const char *path;
		int flags;
		int e;
	} rows[] = {
		{ "shown", O_RDONLY, 0 },
		{ "shown", O_WRONLY, EACCES },
		{ "shown", O_RDONLY | O_TRUNC, EACCES },
		{ "own/new", O_CREAT | O_RDWR, 0 },
		{ "own/below/new", O_CREAT | O_RDWR, 0 },
		{ "own", O_RDONLY | O_DIRECTORY, 0 },
		{ "other/file", O_RDONLY, EACCES },
		{ "other", O_RDONLY | O_DIRECTORY, EACCES },
		{ "other/new", O_CREAT | O_RDWR, EACCES },
		{ "own/../other/file", O_RDONLY, EACCES },
		{ ".", O_RDONLY | O_DIRECTORY, EACCES },
		{ "/etc/passwd", O_RDONLY, 0 },
		{ "/etc/shadow", O_RDONLY, EACCES },
		{ "/etc", O_RDONLY | O_DIRECTORY, EACCES },
		{ "/proc", O_RDONLY | O_DIRECTORY, EACCES },
		{ "/proc/1/status", O_RDONLY, EACCES },
		{ "/proc/self/status", O_RDONLY, 0 },
		{ "/dev/null", O_RDWR, 0 },
		{ "/dev/urandom", O_RDONLY, 0 },
		{ "/usr/bin", O_RDONLY | O_DIRECTORY, 0 },
		{ "/tmp/holdline-new", O_CREAT | O_RDWR, EACCES },
	};

	if (confine(true) < 0)
		return 100;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Before version 3 cutting off needs no right. */
		if ((rows[i].flags & O_TRUNC) && landlock_abi() < 3)
			continue;
		if (open_error(rows[i].path, rows[i].flags) != rows[i].e)
			return 1 + (int)i;
	}
	return 0;
}

START_TEST(what_is_not_listed_cannot_be_opened)
{
	ck_assert_int_ge(landlock_abi(), 1);
	ck_assert_int_eq(in_child(files_are_kept), 0);
}
END_TEST

/* Put a new file in the place of one of /etc/ssl, and see that times tell. */
static int
replace_config(void)
{
	struct stat before, after;

	if (stat("/etc/ssl", &before) < 0)
		return -1;
	do {
		close(open("/etc/ssl/new", O_CREAT | O_WRONLY, 0644));
		if (rename("/etc/ssl/new", "/etc/ssl/openssl.cnf") < 0 ||
		    stat("/etc/ssl", &after) < 0)
			return -1;
	} while (memcmp(&before.st_ctim, &after.st_ctim,
		     sizeof(after.st_ctim)) == 0);
	return 0;
}

static int
stock_is_renewed(void)
{
	struct landlock_base base;
	const struct landlock_rules rules = {
		.base = &base,
		.has_system = true,
	};

	/* An /etc/ssl of its own; who must not make one tests nothing. */
	if (unshare(CLONE_NEWNS) < 0)
		return errno == EPERM ? 0 : 100;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/etc/ssl", "tmpfs", 0, "mode=755") < 0 ||
	    replace_config() < 0)
		return 101;
	if (landlock_begin(&base) < 0 || base.fd < 0)
		return 102;
	if (replace_config() < 0 || drop_no_new_privs() < 0 ||
	    landlock_enter(&rules) < 0)
		return 103;
	if (open_error("/etc/ssl/openssl.cnf", O_RDONLY) != 0)
		return 1;
	return open_error("/etc/shadow", O_RDONLY) == EACCES ? 0 : 2;
}

START_TEST(a_ruleset_in_stock_knows_files_that_were_replaced)
{
	struct stat st;

	if (stat("/etc/ssl", &st) == 0)
		ck_assert_int_eq(in_child(stock_is_renewed), 0);
}
END_TEST

static int
names_are_kept(void)
{
	if (confine(false) < 0)
		return 100;
	close(open("own/a", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	/* Version 1 keeps a file in its folder. */
	if (rename("own/a", "own/below/a") < 0 && landlock_abi() > 1)
		return 1;
	if (rename("own/below/a", "other/a") == 0)
		return 2;
	if (unlink("other/file") == 0 || link("shown", "own/link") == 0)
		return 3;
	if (mkdir("other/new", 0700) == 0 || mkdir("own/new", 0700) < 0)
		return 4;
	if (open_error("/usr/bin/env", O_RDONLY) != EACCES)
		return 5;
	return unlink("own/below/a") < 0 && landlock_abi() > 1 ? 6 : 0;
}

START_TEST(names_change_in_the_own_folder_only)
{
	ck_assert_int_eq(in_child(names_are_kept), 0);
}
END_TEST

static int
signal_parent(void)
{
	if (confine(false) < 0)
		return 100;
	return kill(getppid(), 0) == 0 ? 1 : errno == EPERM ? 0 : 2;
}

START_TEST(processes_outside_are_not_signalled)
{
	if (landlock_abi() < 6)
		return;
	ck_assert_int_eq(in_child(signal_parent), 0);
}
END_TEST

static int
use_limits(void)
{
	const struct limits limits = {
		.n_pids = 77, .n_files = 33, .address_bytes = INT64_C(1) << 40
	};
	static const struct {
		int resource;
		rlim_t n;
	} rows[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NPROC, 77 },
		{ RLIMIT_NOFILE, 33 },
		{ RLIMIT_AS, (rlim_t)1 << 40 },
	};
	struct rlimit now;

	if (limits_apply(&limits) < 0)
		return 100;
	for (unsigned i = 0; i < 4; i++)
		if (getrlimit(rows[i].resource, &now) < 0 ||
		    now.rlim_cur != rows[i].n || now.rlim_max != rows[i].n)
			return 1 + (int)i;
	return 0;
}

static int
leave_limits(void)
{
	const struct limits limits = { 0 };
	struct rlimit before, after;

	getrlimit(RLIMIT_NOFILE, &before);
	if (limits_apply(&limits) < 0)
		return 1;
	getrlimit(RLIMIT_NOFILE, &after);
	return memcmp(&before, &after, sizeof(before)) ? 2 : 0;
}

static int
meet_limits(void)
{
	const struct limits first = { .n_files = 100 };
	const struct limits more = { .n_files = 5000 };
	struct rlimit now;

	if (limits_apply(&first) < 0 || (getuid() == 0 && setuid(65534) < 0))
		return 1;
	if (limits_apply(&more) < 0)
		return 2;
	getrlimit(RLIMIT_NOFILE, &now);
	return now.rlim_cur == 100 ? 0 : 3;
}

START_TEST(limits_are_set_for_good_and_0_leaves_them)
{
	ck_assert_int_eq(in_child(use_limits), 0);
	ck_assert_int_eq(in_child(leave_limits), 0);
	ck_assert_int_eq(in_child(meet_limits), 0);
}
END_TEST

static void
check_file(const char *path, const char *want)
{
	char got[64] = "";
	fd_auto int fd = open(path, O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, want);
}

/* A folder with files stands in for a leaf. */
START_TEST(every_limit_is_written_also_those_that_are_lifted)
{
	struct cgroup_limits limits = { .memory_max_bytes = INT64_C(1) << 33,
		.n_pids = 12,
		.cpu_weight = 7 };
	fd_auto int leaf_fd = open("own", O_RDONLY | O_DIRECTORY);
	unsigned lacks = 0;

	ck_assert_int_eq(cgroup_limits_write(leaf_fd, &limits, &lacks), 0);
	ck_assert_uint_eq(lacks, 15);
	for (unsigned i = 0; cgroup_limits_name(i); i++)
		close(openat(leaf_fd, cgroup_limits_name(i), O_CREAT, 0600));
	/* What is known to be lacking is not tried. */
	ck_assert_int_eq(cgroup_limits_write(leaf_fd, &limits, &lacks), 0);
	ck_assert_uint_eq(lacks, 15);
	check_file("own/pids.max", "");
	lacks = 0;
	ck_assert_int_eq(cgroup_limits_write(leaf_fd, &limits, &lacks), 0);
	ck_assert_uint_eq(lacks, 0);
	check_file("own/memory.high", "max");
	check_file("own/memory.max", "8589934592");
	check_file("own/pids.max", "12");
	check_file("own/cpu.weight", "7");
	ck_assert_int_eq(unlink("own/cpu.weight"), 0);
	ck_assert_int_eq(unlink("own/pids.max"), 0);
	ck_assert_int_eq(mkdir("own/pids.max", 0700), 0);
	ck_assert_int_eq(
	    cgroup_limits_write(leaf_fd, &limits, &lacks), -EISDIR);
	ck_assert_uint_eq(lacks, 8);
	ck_assert_str_eq(cgroup_limits_name(3), "cpu.weight");
	ck_assert_ptr_null(cgroup_limits_name(4));
}
END_TEST

START_TEST(what_a_kernel_lacks_is_named_once_each)
{
	ck_assert_ptr_null(sandbox_lack(LANDLOCK_ABI, true, 0));
	ck_assert_ptr_null(sandbox_lack(LANDLOCK_ABI + 1, true, 0));
	ck_assert_ptr_nonnull(
	    strstr(sandbox_lack(LANDLOCK_ABI, false, 0), "seccomp"));
	ck_assert_ptr_null(sandbox_lack(LANDLOCK_ABI, false, 1));
	/* Debian 12: version 2. */
	ck_assert_ptr_nonnull(strstr(sandbox_lack(2, true, 0), "version 3"));
	ck_assert_ptr_nonnull(strstr(sandbox_lack(2, true, 3), "version 6"));
	ck_assert_ptr_null(sandbox_lack(2, true, 4));
	ck_assert_ptr_nonnull(strstr(sandbox_lack(0, false, 1), "Landlock:"));
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("proc_sandbox");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, what_is_not_listed_cannot_be_opened);
	tcase_add_test(all, a_ruleset_in_stock_knows_files_that_were_replaced);
	tcase_add_test(all, names_change_in_the_own_folder_only);
	tcase_add_test(all, processes_outside_are_not_signalled);
	tcase_add_test(all, limits_are_set_for_good_and_0_leaves_them);
	tcase_add_test(all, every_limit_is_written_also_those_that_are_lifted);
	tcase_add_test(all, what_a_kernel_lacks_is_named_once_each);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
