/* SPDX-License-Identifier: MIT */
/*
 * Every time that the switchboard waits for a client: one that stops at some
 * point, and how long that is borne.
 */
#include "tests/unit/switchboard_bench.h"

/* Read until the other side ends; whatever comes before is dropped. */
static void
expect_end(int fd)
{
	for (;;) {
		await(fd);
		const ssize_t n = read(fd, got, sizeof(got));
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return;
		ck_assert(n > 0);
	}
}

START_TEST(a_head_must_be_whole_in_time)
{
	int fd = connect_client();

	put(fd, "GET / HT");
	turns(3);
	put(fd, "TP/1.1\r\nA: ");
	expect(fd, "HTTP/1.1 408 ");
	took(LIMIT_HEAD_MS);
	expect_end(fd);
	fd_close(&fd);
}
END_TEST

START_TEST(trickling_bytes_win_no_time)
{
	int fd = connect_client();

	put(fd, "GET / HTTP/1.1\r\n");
	for (int i = 0; i < 9; i++) {
		turns(2);
		clock_virtual_set(clock_now_ms() + LIMIT_HEAD_MS / 10);
		put(fd, "A: b\r\n");
	}
	expect(fd, "HTTP/1.1 408 ");
	took(LIMIT_HEAD_MS);
	fd_close(&fd);
}
END_TEST

START_TEST(an_idle_client_is_closed_in_time)
{
	int fd = connect_client();

	expect_end(fd);
	took(LIMIT_IDLE_MS);
	fd_close(&fd);
}
END_TEST

START_TEST(idling_starts_with_the_last_answer)
{
	int fd = connect_client();

	turns(1);
	clock_virtual_set(clock_now_ms() + LIMIT_IDLE_MS - 5000);
	put(fd, REQUEST);
	turns(2);
	int up = accept_upstream();
	expect(up, "\r\n\r\n");
	put(up, OK "2\r\n\r\nok");
	expect(fd, "\r\n\r\nok");
	since_ms = clock_now_ms();
	expect_end(up); /* the idle upstream goes first */
	took(LIMIT_UPSTREAM_IDLE_MS);
	expect_end(fd);
	took(LIMIT_IDLE_MS - LIMIT_UPSTREAM_IDLE_MS);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(a_body_that_stops_is_not_awaited_for_ever)
{
	int fd = connect_client();

	put(fd, "POST / HTTP/1.1\r\nHost: acme\r\n"
		"Content-Length: 10\r\n\r\n123");
	int up = accept_upstream();
	expect(up, "123");
	clock_virtual_set(clock_now_ms() + 5000);
	put(fd, "456");
	expect(up, "456");
	since_ms = clock_now_ms();
	expect(fd, "HTTP/1.1 408 ");
	took(LIMIT_BODY_MS);
	expect_end(up);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(a_reader_that_takes_nothing_is_reset_in_time)
{
	int fd = connect_client();

	put(fd, REQUEST);
	int up = accept_upstream();
	expect(up, "\r\n\r\n");
	put(up, OK "100000000\r\n\r\n");
	fill(up);
	since_ms = clock_now_ms();
	expect_end(up);
	took(LIMIT_STALL_MS);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

START_TEST(a_client_that_does_not_close_is_closed)
{
	int fd = connect_client();

	put(fd, "nonsense\r\n\r\n");
	expect(fd, "HTTP/1.1 400 ");
	turns(3);
	since_ms = clock_now_ms();
	put(fd, "more that nobody reads");
	expect_closed(fd);
	took(LIMIT_LINGER_MS);
	fd_close(&fd);
}
END_TEST

START_TEST(half_a_tunnel_may_be_silent_for_some_time)
{
	int fd = connect_client();

	put(fd, "GET / HTTP/1.1\r\nHost: acme\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
	int up = accept_upstream();
	expect(up, "\r\n\r\n");
	put(up, "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
	expect(fd, "\r\n\r\n");
	turns(3);
	clock_virtual_set(clock_now_ms() + INT64_C(86400000));
	turns(3); /* a whole one may be silent for ever */
	shutdown(up, SHUT_WR);
	expect_end(fd);
	since_ms = clock_now_ms();
	put(fd, "still here");
	expect(up, "still here");
	expect_end(up);
	took(LIMIT_HALF_MS);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

/* Short memory at any point: an answer or an end, and others go on. */
START_TEST(short_memory_costs_one_request)
{
	static const char answer[] = OK "2\r\n\r\nok";
	int fd = connect_client();
	bool is_over = false;

	mem_fail_at((size_t)_i);
	put(fd, "POST / HTTP/1.1\r\nHost: acme\r\nContent-Length: 2\r\n\r\nhi");
	for (int n = 0; n < 6; n++)
		turns(2);
	struct pollfd p = { .fd = listening, .events = POLLIN };
	int up = -1;
	if (poll(&p, 1, 0) == 1) {
		up = accept_upstream();
		(void)!write(up, answer, sizeof(answer) - 1);
	}
	for (int n = 0; n < 1000 && !is_over; n++) {
		char text[512];
		turns(1);
		const ssize_t k = read(fd, text, sizeof(text));
		is_over = k >= 0 || errno == ECONNRESET;
	}
	mem_fail_at(0);
	ck_assert(is_over);
	fd_close(&up);
	fd_close(&fd);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("switchboard_client");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_head_must_be_whole_in_time);
	tcase_add_test(c, trickling_bytes_win_no_time);
	tcase_add_test(c, an_idle_client_is_closed_in_time);
	tcase_add_test(c, idling_starts_with_the_last_answer);
	tcase_add_test(c, a_body_that_stops_is_not_awaited_for_ever);
	tcase_add_test(c, a_reader_that_takes_nothing_is_reset_in_time);
	tcase_add_test(c, a_client_that_does_not_close_is_closed);
	tcase_add_test(c, half_a_tunnel_may_be_silent_for_some_time);
	tcase_add_loop_test(c, short_memory_costs_one_request, 1, 12);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
