/* SPDX-License-Identifier: MIT */
/* The table of routes, with a poold that is played here. */
#include <bsd/string.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/loop/loop.h"

#include "switchboard/limits.h"
#include "switchboard/route.h"

/* What poold was told last. */
static struct {
	unsigned n_asks;
	int ask_rc;
	struct proto_route_ask ask;
	unsigned n_released;
	uint64_t released;
	unsigned n_held;
	struct proto_held held;
} poold;

static int
poold_ask(const struct proto_route_ask *ask, void *arg)
{
	poold.n_asks++;
	poold.ask = *ask;
	return poold.ask_rc;
}

static void
poold_released(const struct proto_released *released, void *arg)
{
	poold.n_released++;
	poold.released = released->generation;
}

static void
poold_held(const struct proto_held *held, void *arg)
{
	poold.n_held++;
	poold.held = *held;
}

static const struct route_poold poold_calls = {
	.ask = poold_ask, .released = poold_released, .held = poold_held
};

/* One that waits; counts what it is told. */
struct waiter {
	struct route_wait wait;
	struct route *route;
	unsigned n_ready, n_failed, n_gone;
	unsigned status;
	char text[64];
	bool finds_dead; /* on READY: the backend is dead, wait again */
	bool gives_up;   /* on READY: the backend is dead, and that is all */
};

static void
waiter_on_news(const struct route_news *news, void *arg)
{
	struct waiter *const w = arg;

	w->n_ready += news->event == ROUTE_EVENT_READY;
	w->n_failed += news->event == ROUTE_EVENT_FAILED;
	w->n_gone += news->event == ROUTE_EVENT_GONE;
	w->status = news->status;
	if (news->text)
		strlcpy(w->text, news->text, sizeof(w->text));
	if (w->finds_dead || w->gives_up)
		route_dead(w->route, w->route->generation);
	if (w->finds_dead)
		ck_assert_int_eq(
		    route_wait(w->route, &w->wait, waiter_on_news, w), 0);
	w->finds_dead = w->gives_up = false;
}

static void
waiter_start(struct waiter *w, const char *host)
{
	w->route = route_hold(host);
	ck_assert_ptr_nonnull(w->route);
	ck_assert_int_eq(route_wait(w->route, &w->wait, waiter_on_news, w), 0);
}

static void
waiter_end(struct waiter *w)
{
	route_wait_cancel(&w->wait);
	route_unhold(&w->route);
}

static void
say_ready(uint64_t ask, uint64_t generation)
{
	struct proto_route_ready ready = {
		.ask = ask, .generation = generation, .pid = 7
	};

	strlcpy(ready.socket, "/run/x.sock", sizeof(ready.socket));
	route_on_ready(&ready);
}

static void
say_failed(uint64_t ask, unsigned status, const char *text)
{
	const struct proto_route_failed failed = {
		.ask = ask, .status = status, .retry_after_s = 3
	};

	route_on_failed(&failed, text);
}

static void
say_gone(uint64_t generation, const char *text)
{
	const struct proto_route_gone gone = { .generation = generation };

	route_on_gone(&gone, text);
}

static void
setup(void)
{
	memset(&poold, 0, sizeof(poold));
	clock_virtual_start(1000000);
	loop_open();
	route_open(&poold_calls);
}

static void
teardown(void)
{
	route_close();
	loop_turn(false);
	loop_close();
	clock_virtual_stop();
}

static void
count_one(const struct route *route, void *arg)
{
	++*(unsigned *)arg;
}

static unsigned
count_ready(void)
{
	unsigned n = 0;

	route_each(count_one, &n);
	return n;
}

START_TEST(many_wait_and_one_ask_is_sent)
{
	static struct waiter w[200];

	memset(w, 0, sizeof(w));
	for (int i = 0; i < 200; i++)
		waiter_start(&w[i], "acme");
	ck_assert_uint_eq(poold.n_asks, 1);
	ck_assert_str_eq(poold.ask.host, "acme");
	ck_assert_uint_eq(poold.ask.dead_generation, 0);
	say_ready(poold.ask.ask, 5);
	for (int i = 0; i < 200; i++)
		ck_assert_uint_eq(w[i].n_ready, 1);
	ck_assert_str_eq(w[0].route->socket, "/run/x.sock");
	ck_assert_uint_eq(count_ready(), 1);
	for (int i = 0; i < 200; i++)
		waiter_end(&w[i]);
	ck_assert_uint_eq(count_ready(), 1); /* it is kept */
}
END_TEST

START_TEST(all_that_wait_get_the_failure_and_the_next_asks_anew)
{
	struct waiter a = { 0 }, b = { 0 }, c = { 0 };

	waiter_start(&a, "acme");
	waiter_start(&b, "acme");
	const uint64_t first = poold.ask.ask;
	say_failed(first, 502, "exit status 1");
	ck_assert_uint_eq(a.n_failed + b.n_failed, 2);
	ck_assert_uint_eq(b.status, 502);
	ck_assert_str_eq(b.text, "exit status 1");
	waiter_start(&c, "acme");
	ck_assert_uint_eq(poold.n_asks, 2);
	ck_assert_uint_ne(poold.ask.ask, first);
	say_ready(first, 9); /* of an ask that is over */
	ck_assert_uint_eq(c.n_ready, 0);
	waiter_end(&a);
	waiter_end(&b);
	waiter_end(&c);
}
END_TEST

START_TEST(only_so_many_may_wait)
{
	static struct waiter w[LIMIT_WAITING + 1];
	struct waiter *const last = &w[LIMIT_WAITING];

	memset(w, 0, sizeof(w));
	for (int i = 0; i < LIMIT_WAITING; i++)
		waiter_start(&w[i], "acme");
	last->route = route_hold("acme");
	ck_assert_int_eq(
	    route_wait(last->route, &last->wait, waiter_on_news, last),
	    -ENOBUFS);
	route_wait_cancel(&w[3].wait);
	ck_assert_int_eq(
	    route_wait(last->route, &last->wait, waiter_on_news, last), 0);
	for (int i = 0; i <= LIMIT_WAITING; i++)
		waiter_end(&w[i]);
}
END_TEST

START_TEST(only_so_many_asks_are_under_way_and_the_others_have_their_turn)
{
	static struct waiter w[LIMIT_ASKS + 4];
	const unsigned n = LIMIT_ASKS + 4;
	char host[16];

	memset(w, 0, sizeof(w));
	for (unsigned i = 0; i < n; i++) {
		snprintf(host, sizeof(host), "h%u", i);
		waiter_start(&w[i], host);
	}
	ck_assert_uint_eq(poold.n_asks, LIMIT_ASKS);
	const uint64_t last = poold.ask.ask;
	/* One that has left is not asked for; another one waits with it. */
	waiter_end(&w[LIMIT_ASKS]);
	struct waiter also = { 0 };
	waiter_start(&also, w[LIMIT_ASKS + 1].route->host);
	say_failed(last, 404, "no such host");
	ck_assert_uint_eq(w[LIMIT_ASKS - 1].status, 404);
	ck_assert_uint_eq(poold.n_asks, LIMIT_ASKS + 1);
	ck_assert_str_eq(poold.ask.host, w[LIMIT_ASKS + 1].route->host);
	say_ready(poold.ask.ask, 5);
	ck_assert_uint_eq(w[LIMIT_ASKS + 1].n_ready + also.n_ready, 2);
	/* An ask that cannot be sent does not hold up the next. */
	poold.ask_rc = -ENOBUFS;
	say_failed(poold.ask.ask, 404, "");
	ck_assert_uint_eq(w[LIMIT_ASKS + 2].status, 404);
	ck_assert_uint_eq(w[LIMIT_ASKS + 3].status, 503);
	poold.ask_rc = 0;
	for (unsigned i = 0; i < n; i++)
		waiter_end(&w[i]);
	waiter_end(&also);
}
END_TEST

START_TEST(asks_that_wait_for_their_turn_are_failed_with_the_others)
{
	static struct waiter w[LIMIT_ASKS + 1];
	const struct route_news ending = {
		.event = ROUTE_EVENT_FAILED, .status = 503, .text = "ending"
	};
	char host[16];

	memset(w, 0, sizeof(w));
	for (unsigned i = 0; i <= LIMIT_ASKS; i++) {
		snprintf(host, sizeof(host), "h%u", i);
		waiter_start(&w[i], host);
	}
	route_fail_all(&ending);
	for (unsigned i = 0; i <= LIMIT_ASKS; i++) {
		ck_assert_uint_eq(w[i].n_failed, 1);
		waiter_end(&w[i]);
	}
	ck_assert_uint_eq(poold.n_asks, LIMIT_ASKS);
}
END_TEST

START_TEST(as_many_backends_may_start_as_there_can_be)
{
	static struct waiter w[LIMIT_ASKS + 9];
	char host[16];

	memset(w, 0, sizeof(w));
	route_allow_asks(7);
	for (unsigned i = 0; i < LIMIT_ASKS + 9; i++) {
		snprintf(host, sizeof(host), "h%u", i);
		waiter_start(&w[i], host);
	}
	ck_assert_uint_eq(poold.n_asks, LIMIT_ASKS + 7);
	for (unsigned i = 0; i < LIMIT_ASKS + 9; i++)
		waiter_end(&w[i]);
}
END_TEST

START_TEST(a_poold_that_cannot_be_asked_is_an_error)
{
	struct waiter w = { 0 };

	poold.ask_rc = -ENOBUFS;
	w.route = route_hold("acme");
	ck_assert_int_eq(
	    route_wait(w.route, &w.wait, waiter_on_news, &w), -ENOBUFS);
	waiter_end(&w);
	ck_assert_uint_eq(count_ready(), 0);
}
END_TEST

START_TEST(a_dead_backend_is_named_once_and_others_wait_on)
{
	struct waiter a = { .finds_dead = true }, b = { 0 };

	waiter_start(&a, "acme");
	waiter_start(&b, "acme");
	say_ready(poold.ask.ask, 5);
	ck_assert_uint_eq(a.n_ready, 1);
	ck_assert_uint_eq(b.n_ready, 0); /* told of the next one only */
	ck_assert_uint_eq(poold.n_asks, 2);
	ck_assert_uint_eq(poold.ask.dead_generation, 5);
	say_ready(poold.ask.ask, 6);
	ck_assert_uint_eq(a.n_ready, 2);
	ck_assert_uint_eq(b.n_ready, 1);
	route_dead(a.route, 5); /* an old one: nothing happens */
	ck_assert_uint_eq(count_ready(), 1);
	waiter_end(&a);
	waiter_end(&b);
}
END_TEST

START_TEST(those_that_wait_are_not_forgotten_when_one_gives_up)
{
	struct waiter a = { .gives_up = true }, b = { 0 };

	waiter_start(&a, "acme");
	waiter_start(&b, "acme");
	say_ready(poold.ask.ask, 5);
	ck_assert_uint_eq(poold.n_asks, 2); /* for b */
	ck_assert_uint_eq(b.n_ready, 0);
	a.gives_up = false;
	b.gives_up = true;
	poold.ask_rc = -EPIPE;
	say_ready(poold.ask.ask, 6);
	ck_assert_uint_eq(b.n_ready, 1);
	waiter_end(&a);
	waiter_end(&b);
}
END_TEST

START_TEST(the_end_of_a_backend_is_told_to_who_waits_for_it)
{
	struct waiter a = { 0 }, late = { 0 };

	waiter_start(&a, "acme");
	say_ready(poold.ask.ask, 5);
	ck_assert_int_eq(
	    route_wait_gone(a.route, 5, &a.wait, waiter_on_news, &a), 0);
	say_gone(4, "another");
	ck_assert_uint_eq(a.n_gone, 0);
	say_gone(5, "signal 9 (Killed)");
	ck_assert_uint_eq(a.n_gone, 1);
	ck_assert_str_eq(a.text, "signal 9 (Killed)");
	ck_assert_uint_eq(count_ready(), 0);
	late.route = route_hold("acme");
	ck_assert_int_eq(
	    route_wait_gone(late.route, 5, &late.wait, waiter_on_news, &late),
	    1);
	ck_assert_str_eq(late.route->gone_text, "signal 9 (Killed)");
	waiter_end(&a);
	waiter_end(&late);
}
END_TEST

static void
release(uint64_t generation, uint32_t idle_ms)
{
	const struct proto_release_ask ask = { generation, idle_ms };

	route_on_release_ask(&ask);
}

START_TEST(a_backend_is_let_go_only_when_idle_for_long_enough)
{
	struct waiter a = { 0 };

	waiter_start(&a, "acme");
	say_ready(poold.ask.ask, 5);
	release(5, 3000);
	ck_assert_uint_eq(poold.n_held, 1);
	ck_assert_uint_eq(poold.held.generation, 5);
	ck_assert_uint_eq(poold.held.ask_again_ms, 3000);
	release(5, 0); /* held: never at once again */
	ck_assert_uint_eq(poold.held.ask_again_ms, 1);
	ck_assert_uint_eq(poold.held.is_busy, 1);
	/* poold waits for the end of the exchange: it is told, once. */
	waiter_end(&a);
	ck_assert_uint_eq(poold.n_held, 3);
	ck_assert_uint_eq(poold.held.generation, 5);
	ck_assert_uint_eq(poold.held.is_busy, 0);
	clock_virtual_set(clock_now_ms() + 1000);
	release(5, 3000);
	ck_assert_uint_eq(poold.n_held, 4);
	ck_assert_uint_eq(poold.held.is_busy, 0);
	ck_assert_uint_eq(poold.held.ask_again_ms, 2000);
	clock_virtual_set(clock_now_ms() + 2000);
	release(5, 3000);
	ck_assert_uint_eq(poold.n_held, 4);
	ck_assert_uint_eq(poold.n_released, 1);
	ck_assert_uint_eq(poold.released, 5);
	ck_assert_uint_eq(count_ready(), 0);
	release(5, 3000); /* it is unknown now */
	ck_assert_uint_eq(poold.n_released, 2);
}
END_TEST

START_TEST(shutting_down_fails_all_that_wait)
{
	const struct route_news news = { .event = ROUTE_EVENT_FAILED,
		.status = 503,
		.text = "shutting down" };
	struct waiter a = { 0 }, b = { 0 }, c = { 0 };

	waiter_start(&a, "acme");
	waiter_start(&b, "beta");
	waiter_start(&c, "ready");
	say_ready(poold.ask.ask, 5);
	route_fail_all(&news);
	ck_assert_uint_eq(a.status, 503);
	ck_assert_uint_eq(b.n_failed, 1);
	ck_assert_uint_eq(c.n_failed, 0);
	waiter_end(&a);
	waiter_end(&b);
	waiter_end(&c);
}
END_TEST

START_TEST(a_name_that_is_too_long_has_no_route)
{
	char host[PROTO_HOST_BYTES + 1];

	memset(host, 'a', sizeof(host));
	host[PROTO_HOST_BYTES] = '\0';
	ck_assert_ptr_null(route_hold(host));
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("switchboard_route");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, many_wait_and_one_ask_is_sent);
	tcase_add_test(c, all_that_wait_get_the_failure_and_the_next_asks_anew);
	tcase_add_test(c, only_so_many_may_wait);
	tcase_add_test(
	    c, only_so_many_asks_are_under_way_and_the_others_have_their_turn);
	tcase_add_test(
	    c, asks_that_wait_for_their_turn_are_failed_with_the_others);
	tcase_add_test(c, as_many_backends_may_start_as_there_can_be);
	tcase_add_test(c, a_poold_that_cannot_be_asked_is_an_error);
	tcase_add_test(c, a_dead_backend_is_named_once_and_others_wait_on);
	tcase_add_test(c, those_that_wait_are_not_forgotten_when_one_gives_up);
	tcase_add_test(c, the_end_of_a_backend_is_told_to_who_waits_for_it);
	tcase_add_test(c, a_backend_is_let_go_only_when_idle_for_long_enough);
	tcase_add_test(c, shutting_down_fails_all_that_wait);
	tcase_add_test(c, a_name_that_is_too_long_has_no_route);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
