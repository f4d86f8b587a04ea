/* SPDX-License-Identifier: MIT */
/*
 * switchboard_bench: for suites about time: the whole request path of the
 * switchboard in this process, on the virtual clock. poold is a function here;
 * clients and backends are sockets of the test.
 */
#ifndef UNIT_SWITCHBOARD_BENCH_H
#define UNIT_SWITCHBOARD_BENCH_H

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

#endif
