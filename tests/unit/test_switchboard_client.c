/* SPDX-License-Identifier: MIT */
/*
 * Every time that the switchboard waits for, on the virtual clock: a client
 * and a backend that stop at some point, and how long that is borne. The whole
 * request path runs in this process; poold is a function here.
 */
#include <bsd/string.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/loop/loop.h"

#include "switchboard/block.h"
#include "switchboard/client.h"
#include "switchboard/drive.h"
#include "switchboard/exchange.h"
#include "switchboard/limits.h"
#include "switchboard/route.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: acme\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Length: "

static char folder[] = "/tmp/holdline-client-XXXXXX";
static char path[64];
static int listening;
static int backlog = 16;
static uint64_t asked; /* the ask that was not answered yet, or 0 */
static bool answers;   /* poold answers at once */
static int64_t since_ms;
static char got[400000];
static size_t n_got;

static void
name_backend(void (*on_named)(const struct proto_route_ready *named))
{
	struct proto_route_ready named = { .ask = asked, .generation = 1 };

	strlcpy(named.socket, path, sizeof(named.socket));
	on_named(&named);
}

static void
say_ready(void)
{
	name_backend(route_on_ready);
	asked = 0;
}

static int
poold_ask(const struct proto_route_ask *ask, void *arg)
{
	asked = ask->ask;
	return 0;
}

static void
poold_released(const struct proto_released *released, void *arg)
{
}

static void
poold_held(const struct proto_held *held, void *arg)
{
}

static const struct route_poold poold_calls = {
	.ask = poold_ask, .released = poold_released, .held = poold_held
};

/* One turn; poold answers between turns, as it does. */
static void
turn(void)
{
	loop_turn(true);
	if (answers && asked)
		say_ready();
}

/* Turns in which nothing but descriptors can happen. */
static void
turns(int n)
{
	while (n--) {
		loop_turn(false);
		if (answers && asked)
			say_ready();
	}
}

static void
setup(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	log_init("test", LOG_LEVEL_WARN);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/b", folder);
	strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    bind(listening, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(listening, backlog), 0);
	asked = 0;
	answers = true;
	clock_virtual_start(1000000);
	loop_open();
	client_open(100, NULL);
	drive_open();
	route_open(&poold_calls);
	since_ms = clock_now_ms();
}

static void
teardown(void)
{
	client_quit();
	loop_turn(false);
	route_close();
	loop_turn(false);
	exchange_close();
	block_close();
	loop_close();
	clock_virtual_stop();
	fd_close(&listening);
	unlink(path);
	rmdir(folder);
}

/* A client's end of a new connection. */
static int
connect_client(void)
{
	const struct sockaddr_storage sa = { .ss_family = AF_UNIX };
	int fds[2];

	ck_assert_int_eq(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	ck_assert_int_eq(client_start_take(fds[0], &sa), 0);
	return fds[1];
}

static void
put(int fd, const char *text)
{
	ck_assert_int_eq(
	    (int)send(fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
}

/* Let time pass until fd is readable. */
static void
await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (int n = 0; poll(&p, 1, 0) == 0; n++) {
		ck_assert_int_lt(n, 1000);
		turn();
	}
}

/* Read until the text has come. */
static void
expect(int fd, const char *text)
{
	for (n_got = 0;;) {
		await(fd);
		const ssize_t n =
		    read(fd, got + n_got, sizeof(got) - n_got - 1);
		ck_assert_int_gt((int)n, 0);
		n_got += (size_t)n;
		got[n_got] = '\0';
		if (strstr(got, text))
			return;
	}
}

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

/* Let time pass until the other side is closed, not only ended. */
static void
expect_closed(int fd)
{
	struct pollfd p = { .fd = fd };

	for (int n = 0; poll(&p, 1, 0) == 0 || !(p.revents & POLLHUP); n++) {
		ck_assert_int_lt(n, 1000);
		turn();
	}
}

/* The connection that the switchboard made. */
static int
accept_upstream(void)
{
	await(listening);
	const int fd =
	    accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* That the time since the last one is about this long. */
static void
took(int64_t ms)
{
	const int64_t now = clock_now_ms();

	ck_assert_int_ge(now - since_ms, ms);
	ck_assert_int_le(now - since_ms, ms + 1);
	since_ms = now;
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

/* Fill a socket through the switchboard until nothing moves. */
static void
fill(int fd)
{
	static char block[65536];
	int n_still = 0;

	while (n_still < 5) {
		if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			n_still++;
		} else {
			n_still = 0;
		}
		turns(3);
	}
}

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
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fill_fds[64];
	int n = 0;

	ck_assert_int_eq(listen(listening, 1), 0);
	strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
	do {
		fill_fds[n] = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	} while (
	    connect(fill_fds[n++], (struct sockaddr *)&sa, sizeof(sa)) == 0);
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
	tcase_add_test(c, a_backend_may_think_for_days);
	tcase_add_test(c, an_awaited_100_is_not_the_clients_fault);
	tcase_add_test(c, a_reader_that_takes_nothing_is_reset_in_time);
	tcase_add_test(c, a_backend_that_takes_nothing_is_given_up_in_time);
	tcase_add_test(c, a_backend_that_starts_may_take_nothing_for_longer);
	tcase_add_test(c, a_client_that_does_not_close_is_closed);
	tcase_add_test(c, a_lost_backend_is_mourned_for_a_second);
	tcase_add_test(c, a_full_backlog_is_tried_for_some_time);
	tcase_add_test(c, that_of_one_that_starts_is_tried_for_longer);
	tcase_add_test(c, a_full_backlog_that_empties_is_used);
	tcase_add_test(c, half_a_tunnel_may_be_silent_for_some_time);
	tcase_add_loop_test(c, short_memory_costs_one_request, 1, 12);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
