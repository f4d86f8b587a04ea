/* SPDX-License-Identifier: MIT */
/*
 * Every time that the switchboard waits for a backend: one that starts, thinks,
 * reads nothing, dies, or does not accept.
 */
#include "tests/unit/switchboard_bench.h"

START_TEST(a_backend_may_think_for_days)
{
	int fd = connect_client();

	put(fd, REQUEST);
	int up = accept_upstream();
	expect(up, "\r\n\r\n");
	turns(3);
	clock_virtual_set(clock_now_ms() + INT64_C(86400000) * 3);
	turns(3);
	put(up, OK "2\r\n\r\nok");
	expect(fd, "\r\n\r\nok");
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(an_awaited_100_is_not_the_clients_fault)
{
	int fd = connect_client();

	put(fd, "POST / HTTP/1.1\r\nHost: acme\r\nContent-Length: 2\r\n"
		"Expect: 100-continue\r\n\r\n");
	int up = accept_upstream();
	expect(up, "\r\n\r\n");
	turns(3);
	clock_virtual_set(clock_now_ms() + LIMIT_BODY_MS * 2);
	turns(3);
	put(up, "HTTP/1.1 100 Continue\r\n\r\n");
	expect(fd, "100 Continue\r\n\r\n");
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(a_backend_that_takes_nothing_is_given_up_in_time)
{
	int fd = connect_client();

	put(fd, "POST / HTTP/1.1\r\nHost: acme\r\n"
		"Content-Length: 100000000\r\n\r\n");
	int up = accept_upstream();
	fill(fd);
	since_ms = clock_now_ms();
	expect(fd, "HTTP/1.1 504 ");
	took(LIMIT_STALL_MS);
	expect_closed(fd); /* lingering ends, too */
	took(LIMIT_LINGER_MS);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(a_backend_that_starts_may_take_nothing_for_longer)
{
	struct pollfd p = { .events = POLLIN };
	int fd = connect_client();

	answers = false;
	put(fd, "POST / HTTP/1.1\r\nHost: acme\r\n"
		"Content-Length: 100000000\r\n\r\n");
	turns(3);
	name_backend(route_on_starting);
	int up = accept_upstream();
	fill(fd);
	for (int i = 0; i < 3; i++) {
		clock_virtual_set(clock_now_ms() + LIMIT_STALL_MS + 1);
		turns(3);
	}
	p.fd = fd;
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	say_ready();
	since_ms = clock_now_ms();
	expect(fd, "HTTP/1.1 504 ");
	took(LIMIT_STALL_MS);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(a_lost_backend_is_mourned_for_a_second)
{
	int fd = connect_client();

	put(fd, REQUEST);
	int up = accept_upstream();
	expect(up, "\r\n\r\n");
	fd_close(&up);
	expect(fd, "HTTP/1.1 502 ");
	took(LIMIT_DEATH_MS);
	fd_close(&fd);
}
END_TEST

/* Connections until the backlog is full. Returns how many sockets. */
static int
fill_backlog(int fds[64])
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int n = 0;

	ck_assert_int_eq(listen(listening, 1), 0);
	strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
	do {
		ck_assert_int_lt(n, 64);
		fds[n] = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	} while (connect(fds[n++], (struct sockaddr *)&sa, sizeof(sa)) == 0);
	return n;
}

/* That it is given up in time, counted from since_ms. */
static void
expect_given_up(int fd)
{
	expect(fd, "HTTP/1.1 503 ");
	ck_assert_ptr_nonnull(strstr(got, "Retry-After: 1"));
	const int64_t ms = clock_now_ms() - since_ms;
	ck_assert_int_ge(ms, LIMIT_QUEUE_MS);
	ck_assert_int_le(ms, LIMIT_QUEUE_MS + LIMIT_QUEUE_PAUSE_MS);
}

START_TEST(a_full_backlog_is_tried_for_some_time)
{
	int fds[64];
	int n = fill_backlog(fds);
	int fd = connect_client();

	put(fd, REQUEST);
	expect_given_up(fd);
	while (n--)
		fd_close(&fds[n]);
	fd_close(&fd);
}
END_TEST

START_TEST(that_of_one_that_starts_is_tried_for_longer)
{
	int fds[64];
	int n = fill_backlog(fds);
	int fd = connect_client();
	struct pollfd p = { .fd = fd, .events = POLLIN };

	answers = false;
	put(fd, REQUEST);
	turns(3);
	name_backend(route_on_starting);
	for (int i = 0; i < 3; i++) {
		clock_virtual_set(clock_now_ms() + LIMIT_QUEUE_MS + 1);
		turns(3);
	}
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	since_ms = clock_now_ms();
	say_ready();
	expect_given_up(fd);
	while (n--)
		fd_close(&fds[n]);
	fd_close(&fd);
}
END_TEST

START_TEST(a_full_backlog_that_empties_is_used)
{
	int fill_fds[64];
	int n = fill_backlog(fill_fds);
	int fd = connect_client();

	put(fd, REQUEST);
	for (int i = 0; i < 10; i++)
		turn();
	for (int i = 0; i < n - 1; i++) {
		int up = accept_upstream();
		fd_close(&up);
	}
	int up = accept_upstream();
	expect(up, "GET / HTTP/1.1\r\n");
	ck_assert_int_lt(clock_now_ms() - since_ms, LIMIT_QUEUE_MS);
	while (n--)
		fd_close(&fill_fds[n]);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("switchboard_forward");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_backend_may_think_for_days);
	tcase_add_test(c, an_awaited_100_is_not_the_clients_fault);
	tcase_add_test(c, a_backend_that_takes_nothing_is_given_up_in_time);
	tcase_add_test(c, a_backend_that_starts_may_take_nothing_for_longer);
	tcase_add_test(c, a_lost_backend_is_mourned_for_a_second);
	tcase_add_test(c, a_full_backlog_is_tried_for_some_time);
	tcase_add_test(c, that_of_one_that_starts_is_tried_for_longer);
	tcase_add_test(c, a_full_backlog_that_empties_is_used);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
