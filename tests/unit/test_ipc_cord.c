/* SPDX-License-Identifier: MIT */
/* What common/ipc/cord.c promises: a channel that a task reads. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/flow/select.h"
#include "common/flow/sleep.h"
#include "common/ipc/cord.h"

#include "tests/unit/flow_harness.h"

static int peer = -1;
static struct select set;
static struct cord cord;
static struct packet heard;

static int
tear_down(void *arg, struct err *err)
{
	packet_fini(&heard);
	cord_close(&cord);
	fd_close(&peer);
	return 0;
}

static void
set_up(void)
{
	int pair[2];

	select_init(&set);
	cord_init(&cord);
	ENSURE(tear_down, NULL);
	need(packet_pair(pair) == 0);
	peer = pair[1];
	need(cord_open_take(&cord, pair[0], &set, NULL) == 0);
}

/* The peer says how many sessions it has. */
static void
say(uint32_t n)
{
	const struct proto_sessions sessions = { .n_sessions = n };

	need(packet_send(peer, PROTO_SESSIONS, &sessions, NULL, NULL, 0) == 0);
}

/* Wait until the cord is told of, and note all that there is then. */
static void
hear(int64_t deadline_ms)
{
	const struct proto_sessions *sessions;
	struct select_fd *ready;
	const char *reason;
	unsigned n = 0;
	int rc = select_next(&set, "a test", deadline_ms, &ready);

	if (rc < 0) {
		note("late");
		return;
	}
	cord_note(&cord, rc);
	for (; (rc = cord_next(&cord, &heard, &reason)) == 1; n++) {
		sessions = heard.payload;
		if (n == 0)
			note("%u", sessions->n_sessions);
	}
	note("n=%u", n);
	if (rc < 0)
		note("over: %s", reason);
}

static void *
in_turns(void *arg)
{
	set_up();
	for (uint32_t i = 0; i < CORD_MSGS + 2; i++)
		say(i);
	hear(CLOCK_NEVER);
	hear(CLOCK_NEVER);
	hear(clock_deadline_ms(1));
	return NULL;
}

START_TEST(many_messages_leave_others_their_turn)
{
	run_flow(in_turns, NULL);
	ck_assert_str_eq(traced(), "0 n=32 32 n=2 late");
}
END_TEST

static void *
ended(void *arg)
{
	set_up();
	say(7);
	fd_close(&peer);
	hear(CLOCK_NEVER);
	/* Over is over: it is told once, and costs no more turns. */
	hear(clock_deadline_ms(1));
	const struct proto_ping ping = { 0 };
	note(
	    "%d", cord_send(&cord, PROTO_PING, &ping, NULL, NULL, 0) == -EPIPE);
	return NULL;
}

START_TEST(what_a_peer_said_comes_before_its_end_which_comes_once)
{
	run_flow(ended, NULL);
	ck_assert_str_eq(traced(), "7 n=1 over: closed by the peer late 1");
}
END_TEST

static void *
broken(void *arg)
{
	set_up();
	need(write(peer, "nonsense", 8) == 8);
	hear(CLOCK_NEVER);
	hear(clock_deadline_ms(1));
	return NULL;
}

START_TEST(nonsense_ends_it)
{
	run_flow(broken, NULL);
	ck_assert_str_eq(traced(), "n=0 over: other protocol version late");
}
END_TEST

/* Send until something is kept. Returns how many were sent. */
static unsigned
stuff(void)
{
	const struct proto_ping ping = { 0 };
	unsigned n = 0;

	for (; cord.outbox.n < 3; n++)
		need(cord_send(&cord, PROTO_PING, &ping, NULL, NULL, 0) == 0);
	return n;
}

static void *
kept(void *arg)
{
	struct packet packet packet_auto = { .n_fds = 0 };
	const char *fault;
	unsigned n = 0;

	set_up();
	const unsigned sent = stuff();
	note("%u", cord.outbox.n);
	hear(clock_deadline_ms(1));
	/* The peer reads all: what was kept follows. */
	while (n < sent) {
		if (packet_receive(peer, MSG_DONTWAIT, &packet, &fault) == 1)
			n++;
		else
			hear(CLOCK_NEVER);
	}
	note("%u", cord.outbox.n);
	/* Room is no news any more. */
	hear(clock_deadline_ms(1));
	return NULL;
}

START_TEST(what_is_kept_is_sent_when_the_peer_reads)
{
	run_flow_plain(kept, NULL);
	ck_assert(strncmp(traced(), "3 late ", 7) == 0);
	ck_assert_str_eq(traced() + strlen(traced()) - 6, "0 late");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("ipc_cord");
	TCase *const c = tcase_create("all");

	HARNESS_ADD(c, many_messages_leave_others_their_turn);
	HARNESS_ADD(c, what_a_peer_said_comes_before_its_end_which_comes_once);
	HARNESS_ADD(c, nonsense_ends_it);
	HARNESS_ADD(c, what_is_kept_is_sent_when_the_peer_reads);
	return harness_main(s, c);
}
