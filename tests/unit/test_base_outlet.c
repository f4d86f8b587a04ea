/* SPDX-License-Identifier: MIT */
/*
 * What common/base/outlet.h and log.h promise when nobody reads stderr: the
 * test is its reader, and each test a process of its own.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/outlet.h"

#define LINE "a line of some length, which says nothing\n"

/* A reader's end, whose other end is stderr; neither blocks yet. */
static int
make_stderr(bool is_socket)
{
	int fds[2];

	if (is_socket)
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	else
		ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	return fds[0];
}

/* Write lines until one is lost; how many were not. */
static unsigned
fill(void)
{
	unsigned n = 0;

	while (outlet_write(LINE, strlen(LINE)))
		n++;
	/* The last page of a pipe has room for less. */
	while (outlet_write("x\n", 2))
		n++;
	return n;
}

/* Read all that is there; how many lines, and the last of them. */
static unsigned
drain(int fd, char last[256])
{
	char text[256];
	unsigned n = 0;
	size_t at = 0;

	while (read(fd, &text[at], 1) == 1) {
		if (text[at++] != '\n')
			continue;
		text[at] = '\0';
		strcpy(last, text);
		ck_assert(strcmp(text, "\n") != 0);
		at = 0;
		n++;
	}
	return n;
}

START_TEST(who_does_not_read_holds_up_nobody_for_long)
{
	const int fd = make_stderr(_i);
	char last[256];
	const int64_t before_ms = clock_now_ms();
	const unsigned n = fill();

	ck_assert_uint_gt(n, 100);
	ck_assert_int_ge(clock_now_ms() - before_ms, 900);
	/* What may be waited is used up: ten thousand more cost no hours. */
	for (int i = 0; i < 10000; i++)
		ck_assert(!outlet_write(LINE, strlen(LINE)));
	ck_assert_uint_ge(drain(fd, last), n);
	ck_assert(outlet_write(LINE, strlen(LINE)));
	ck_assert_uint_ge(drain(fd, last), 1);
	ck_assert_str_eq(last, LINE);
}
END_TEST

START_TEST(lost_lines_are_counted_in_the_next_that_is_not)
{
	static const char lost[] =
	    "test[7] log: 2 lines were lost: nobody read them\n";
	const int fd = make_stderr(false);
	char last[256];

	log_init("test", LOG_LEVEL_INFO);
	log_set_pid(7);
	(void)fill();
	log_info("one");
	log_pass("two\n", 4);
	(void)drain(fd, last);
	log_info("three");
	ck_assert_int_eq(read(fd, last, sizeof(lost) - 1), sizeof(lost) - 1);
	ck_assert_mem_eq(last, lost, sizeof(lost) - 1);
	ck_assert_uint_eq(drain(fd, last), 1);
	ck_assert_str_eq(last, "test[7] three\n");
	/* Said once. */
	log_info("four");
	ck_assert_uint_eq(drain(fd, last), 1);
}
END_TEST

START_TEST(a_reader_that_is_gone_is_not_waited_for)
{
	signal(SIGPIPE, SIG_IGN);
	close(make_stderr(_i));
	ck_assert(outlet_write(LINE, strlen(LINE)));
	close(STDERR_FILENO);
	ck_assert(outlet_write(LINE, strlen(LINE)));
}
END_TEST

START_TEST(a_file_gets_all)
{
	char name[] = "/tmp/outlet-XXXXXX", last[256];
	const int fd = mkstemp(name);

	unlink(name);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	for (int i = 0; i < 5000; i++)
		ck_assert(outlet_write(LINE, strlen(LINE)));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_uint_eq(drain(fd, last), 5000);
}
END_TEST

START_TEST(a_terminal_with_room_for_a_part_holds_up_nobody)
{
	const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char line[900], taken[5000];

	ck_assert(grantpt(fd) == 0 && unlockpt(fd) == 0);
	const int end = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_eq(dup2(end, STDERR_FILENO), STDERR_FILENO);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	/* Whoever waits for all of a line waits for ever. */
	for (size_t n = 1; n < sizeof(taken); n += 97) {
		while (outlet_write(line, sizeof(line)))
			;
		ck_assert_int_gt(read(fd, taken, n), 0);
	}
	/* Others of its users still wait as they did. */
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("base_outlet");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(
	    all, who_does_not_read_holds_up_nobody_for_long, 0, 2);
	tcase_add_test(all, lost_lines_are_counted_in_the_next_that_is_not);
	tcase_add_loop_test(all, a_reader_that_is_gone_is_not_waited_for, 0, 2);
	tcase_add_test(all, a_file_gets_all);
	tcase_add_test(all, a_terminal_with_room_for_a_part_holds_up_nobody);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
