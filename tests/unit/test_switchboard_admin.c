/* SPDX-License-Identifier: MIT */
/*
 * test_switchboard_admin: what the operator is told while memory is short:
 * the whole truth or that there is none. Each allocation of an answer and of
 * an event is refused once; jansson's are counted, too.
 */
#include "switchboard/admin.h"

#include <bsd/string.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/loop/loop.h"

#include "switchboard/block.h"
#include "switchboard/feed.h"
#include "switchboard/route.h"

#include "tests/unit/json_chaos.h"

/* Longer than the first buffer of jansson's dump. */
#define HOST      "a-host-with-a-name-that-is-quite-long.example"
#define N_ROUTES  3
#define N_REFUSED 400 /* more than anything here allocates */

static char got[65536];
static uint64_t asked;

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

static void
watch(const struct proto_watch *watch)
{
}

static void
on_news(const struct route_news *news, void *arg)
{
}

/* A backend that serves, for the list. */
static void
add_route(int i)
{
	struct proto_route_ready ready = { .generation = (uint64_t)i + 1,
		.pid = 7 };
	struct route_wait wait = { 0 };
	char host[80];

	snprintf(host, sizeof(host), "%d." HOST, i);
	struct route *route = route_hold(host);
	ck_assert_int_eq(route_wait(route, &wait, on_news, NULL), 0);
	ready.ask = asked;
	strlcpy(
	    ready.socket, "/run/holdline/b/\xff.sock", sizeof(ready.socket));
	route_on_ready(&ready);
	loop_turn(false);
	route_wait_cancel(&wait);
	route_unhold(&route);
}

static void
setup(void)
{
	static const struct route_poold poold = {
		.ask = poold_ask, .released = poold_released, .held = poold_held
	};

	log_init("test", LOG_LEVEL_ERROR);
	chaos_begin();
	clock_virtual_start(1000000);
	loop_open();
	route_open(&poold);
	feed_open(watch);
	for (int i = 0; i < N_ROUTES; i++)
		add_route(i);
}

static void
teardown(void)
{
	mem_fail_at(0);
	admin_quit();
	loop_turn(false);
	route_close();
	loop_turn(false);
	block_close();
	loop_close();
	clock_virtual_stop();
}

/* An operator's end of a connection on which a request stands. */
static int
ask(const char *path)
{
	const struct sockaddr_storage sa = { .ss_family = AF_UNIX };
	char request[128];
	int fds[2];

	ck_assert_int_eq(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	const int n = snprintf(request, sizeof(request),
	    "GET /__switchboard/%s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	ck_assert_int_eq((int)write(fds[1], request, (size_t)n), n);
	(void)admin_start_take(fds[0], &sa);
	return fds[1];
}

/* What comes in a few turns, in which time stands still. */
static const char *
hear(int fd)
{
	size_t n = 0;

	for (int i = 0; i < 10; i++) {
		loop_turn(false);
		const ssize_t one = read(fd, got + n, sizeof(got) - n - 1);
		if (one > 0)
			n += (size_t)one;
	}
	got[n] = '\0';
	return got;
}

/* The list as it is without a fault. */
static char *
whole_list(const char *path)
{
	int fd = ask(path);
	char *const list = strdup(hear(fd));

	fd_close(&fd);
	ck_assert_ptr_nonnull(strstr(list, "200 OK"));
	for (int i = 0; i < N_ROUTES; i++) {
		char host[80];
		snprintf(host, sizeof(host), "\"%d." HOST "\"", i);
		ck_assert_ptr_nonnull(strstr(list, host));
	}
	return list;
}

static const char *const lists[] = { "health", "servers" };

START_TEST(a_list_is_whole_or_refused)
{
	char *const whole = whole_list(lists[_i]);
	unsigned n_refused = 0;

	for (size_t n = 1; n < N_REFUSED; n++) {
		mem_fail_at(n);
		int fd = ask(lists[_i]);
		const char *const said = hear(fd);
		mem_fail_at(0);
		fd_close(&fd);
		loop_turn(false);
		if (strcmp(said, whole) == 0)
			continue;
		n_refused++;
		ck_assert_msg(!said[0] || strstr(said, " 503 "),
		    "allocation %zu: %s", n, said);
	}
	ck_assert_uint_gt(n_refused, 10);
	ck_assert_uint_lt(n_refused, N_REFUSED - 1);
	free(whole);
}
END_TEST

/* Tell the readers of one event; all its members are set. */
static void
happen(uint64_t id)
{
	struct proto_event event = { .id = id,
		.generation = 5,
		.at_wall_ms = 1700000000000,
		.pid = 7,
		.kind = PROTO_EVENT_ERROR,
		.n_failures = 2,
		.retry_ms = 400,
		.state = "backoff",
		.cause = "exit",
		.host = HOST };

	feed_on_event(&event, "exit status 1: a reason that is quite long");
}

/* A reader of events that got the head of its answer. */
static int
read_events(void)
{
	const int fd = ask("events");

	ck_assert_ptr_nonnull(strstr(hear(fd), "200 OK"));
	return fd;
}

/* One chunk with an event as it is without a fault. */
static char *
whole_event(uint64_t id)
{
	int fd = read_events();

	happen(id);
	char *const event = strdup(hear(fd));
	fd_close(&fd);
	loop_turn(false);
	ck_assert_ptr_nonnull(strstr(event, "\"retryMs\":400"));
	ck_assert_ptr_nonnull(strstr(event, "\"failures\":2"));
	return event;
}

START_TEST(an_event_is_whole_or_said_to_be_lost)
{
	char *const first = whole_event(1);
	char *const second = whole_event(2);
	unsigned n_lost = 0;

	for (size_t n = 1; n < N_REFUSED; n++) {
		int fd = read_events();
		mem_fail_at(n);
		happen(1);
		mem_fail_at(0);
		happen(2);
		const char *said = hear(fd);
		fd_close(&fd);
		loop_turn(false);
		/* Who cannot be written to is cut: it hears nothing. */
		if (!said[0])
			continue;
		const bool is_whole = strncmp(said, first, strlen(first)) == 0;
		if (is_whole)
			said += strlen(first);
		n_lost += !is_whole;
		ck_assert_int_eq(is_whole,
		    !strstr(said, "data: {\"type\":\"lost\",\"n\":1}\n"));
		said = strstr(said, second);
		ck_assert_ptr_nonnull(said);
		ck_assert_str_eq(said, second);
	}
	ck_assert_uint_gt(n_lost, 10);
	ck_assert_uint_lt(n_lost, N_REFUSED - 1);
	free(first);
	free(second);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("switchboard_admin");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, a_list_is_whole_or_refused, 0,
	    sizeof(lists) / sizeof(lists[0]));
	tcase_add_test(all, an_event_is_whole_or_said_to_be_lost);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
