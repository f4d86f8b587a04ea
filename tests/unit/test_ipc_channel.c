/* SPDX-License-Identifier: MIT */
/*
 * What common/ipc/channel.c promises: every row of proto.h arrives as it was
 * sent, with its text and descriptor, and every packet that no end of ours
 * would send ends the channel with a word for the log.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/ipc/channel.h"
#include "common/ipc/outbox.h"
#include "common/loop/loop.h"

/* One end with what it received last. */
struct end {
	struct channel *channel;
	unsigned n_msgs;
	enum proto_type type;
	char payload[PROTO_PACKET_BYTES];
	char text[PROTO_TEXT_BYTES];
	int fd;
	bool takes_fd;
	bool closes;
	unsigned n_closed;
	char reason[64];
};

static int pair[2];
static struct end left, right;

static void
on_msg(const struct channel_msg *msg, void *arg)
{
	struct end *const end = arg;

	end->n_msgs++;
	end->type = msg->type;
	memcpy(end->payload, msg->payload, proto_bytes(msg->type));
	ck_assert_uint_eq((uintptr_t)msg->payload % 8, 0);
	ck_assert_int_eq(
	    slice_copy(msg->text, end->text, sizeof(end->text)), 0);
	if (end->takes_fd)
		end->fd = fd_take(msg->fd);
	if (end->closes)
		channel_close(&end->channel);
}

static void
on_closed(const char *reason, void *arg)
{
	struct end *const end = arg;

	end->n_closed++;
	strncpy(end->reason, reason, sizeof(end->reason) - 1);
	if (end->closes)
		channel_close(&end->channel);
}

static void
setup_raw(void)
{
	loop_open();
	left = right = (struct end){ .fd = -1 };
	ck_assert_int_eq(channel_pair(pair), 0);
	ck_assert_int_eq(channel_open_take(pair[1], "left", on_msg, on_closed,
			     &right, &right.channel),
	    0);
}

static void
setup(void)
{
	setup_raw();
	ck_assert_int_eq(channel_open_take(pair[0], "right", on_msg, on_closed,
			     &left, &left.channel),
	    0);
}

static void
teardown(void)
{
	channel_close(&left.channel);
	channel_close(&right.channel);
	loop_close();
}

static void
turns(unsigned n)
{
	while (n-- > 0)
		loop_turn(false);
}

struct row {
	enum proto_type type;
	const char *name;
	size_t bytes;
	unsigned n_fds;
};

static const struct row rows[] = {
#define ROW(number, NAME, name, direction, payload, fd) \
	{ PROTO_##NAME, #name, sizeof(payload), fd },
	PROTO_ROWS(ROW)
#undef ROW
};

START_TEST(every_row_arrives_as_it_was_sent)
{
	const struct row *const row = &rows[_i];
	char payload[PROTO_PACKET_BYTES] __attribute__((aligned(8)));
	struct stat sent, got;
	fd_auto int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int fds[] = { file, file, file };

	right.takes_fd = true;
	memset(payload, 0x5a + _i, sizeof(payload));
	ck_assert_int_eq(channel_send_fds(left.channel, row->type, payload,
			     "a reason", fds, row->n_fds),
	    0);
	turns(2);
	ck_assert_uint_eq(right.n_msgs, 1);
	ck_assert_int_eq(right.type, row->type);
	ck_assert_uint_eq(proto_bytes(row->type), row->bytes);
	ck_assert_str_eq(proto_name(row->type), row->name);
	ck_assert_mem_eq(right.payload, payload, row->bytes);
	ck_assert_str_eq(right.text, "a reason");
	ck_assert_int_eq(right.fd >= 0, row->n_fds > 0);
	if (row->n_fds) {
		ck_assert_int_eq(fstat(file, &sent), 0);
		ck_assert_int_eq(fstat(right.fd, &got), 0);
		ck_assert_uint_eq(sent.st_rdev, got.st_rdev);
		ck_assert(fcntl(right.fd, F_GETFD) & FD_CLOEXEC);
		fd_close(&right.fd);
	}
}
END_TEST

START_TEST(an_unknown_type_has_no_name_and_no_bytes)
{
	ck_assert_str_eq(proto_name(0), "unknown");
	ck_assert_str_eq(proto_name(9999), "unknown");
	ck_assert_uint_eq(proto_bytes(9999), 0);
}
END_TEST

START_TEST(a_text_is_cut_to_the_limit)
{
	const struct proto_failed failed = { 0 };
	char text[2 * PROTO_TEXT_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(
	    channel_send(left.channel, PROTO_FAILED, &failed, text, -1), 0);
	turns(2);
	ck_assert_uint_eq(strlen(right.text), PROTO_TEXT_BYTES - 1);
}
END_TEST

START_TEST(a_descriptor_that_nobody_takes_is_closed)
{
	const struct proto_listen listen = { .is_admin = 1 };
	int pipes[2];
	char byte;

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(
	    channel_send(left.channel, PROTO_LISTEN, &listen, NULL, pipes[1]),
	    0);
	close(pipes[1]);
	ck_assert_int_eq(read(pipes[0], &byte, 1), -1);
	turns(2);
	ck_assert_uint_eq(right.n_msgs, 1);
	ck_assert_int_eq(read(pipes[0], &byte, 1), 0);
	close(pipes[0]);
}
END_TEST

/* A frame as a foreign end might write it. */
struct bad {
	const char *reason;
	uint16_t version;
	uint16_t type;
	int bytes; /* told in the head, relative to the truth */
	size_t n;  /* of the packet */
	int n_fds;
};

#define HEAD     sizeof(struct proto_head)
#define SESSIONS (HEAD + sizeof(struct proto_sessions))
#define LISTEN   (HEAD + sizeof(struct proto_listen))
static const struct bad bads[] = {
	{ "short message", PROTO_VERSION, PROTO_READY, 0, HEAD - 1, 0 },
	{ "other protocol version", PROTO_VERSION + 1, PROTO_SESSIONS, 0,
	    SESSIONS, 0 },
	{ "unknown message type", PROTO_VERSION, 0, 0, SESSIONS, 0 },
	{ "unknown message type", PROTO_VERSION, 20, 0, SESSIONS, 0 },
	{ "unknown message type", PROTO_VERSION, 65535, 0, SESSIONS, 0 },
	{ "message of a wrong size", PROTO_VERSION, PROTO_SESSIONS, 0, HEAD,
	    0 },
	{ "message of a wrong size", PROTO_VERSION, PROTO_SESSIONS, 0,
	    SESSIONS - 1, 0 },
	{ "message of a wrong size", PROTO_VERSION, PROTO_SESSIONS, 1, SESSIONS,
	    0 },
	{ "message of a wrong size", PROTO_VERSION, PROTO_SESSIONS, -1,
	    SESSIONS, 0 },
	{ "message of a wrong size", PROTO_VERSION, PROTO_SESSIONS, 0,
	    SESSIONS + PROTO_TEXT_BYTES, 0 },
	{ "oversized message", PROTO_VERSION, PROTO_SESSIONS, 0,
	    PROTO_PACKET_BYTES + 1, 0 },
	{ "unasked descriptor", PROTO_VERSION, PROTO_SESSIONS, 0, SESSIONS, 1 },
	{ "unasked descriptor", PROTO_VERSION, PROTO_LISTEN, 0, LISTEN, 2 },
	{ "too many descriptors", PROTO_VERSION, PROTO_LISTEN, 0, LISTEN, 60 },
	{ "missing descriptor", PROTO_VERSION, PROTO_LISTEN, 0, LISTEN, 0 },
};

static void
send_raw(int sock, const void *bytes, size_t n, int n_fds)
{
	char control[CMSG_SPACE(64 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE((unsigned)n_fds * sizeof(int));
		struct cmsghdr *const c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((unsigned)n_fds * sizeof(int));
		for (int i = 0, fd = STDERR_FILENO; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + (unsigned)i * sizeof(int), &fd,
			    sizeof(fd));
	}
	ck_assert_int_eq(sendmsg(sock, &msg, 0), (ssize_t)n);
}

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(a_packet_that_does_not_fit_the_table_ends_the_channel)
{
	const struct bad *const bad = &bads[_i];
	char bytes[2 * PROTO_PACKET_BYTES] __attribute__((aligned(8))) = { 0 };
	struct proto_head *const head = (struct proto_head *)(void *)bytes;
	const unsigned n_fds = count_fds();

	head->version = bad->version;
	head->type = bad->type;
	head->bytes = (uint32_t)((int)(bad->n - HEAD) + bad->bytes);
	send_raw(pair[0], bytes, bad->n, bad->n_fds);
	turns(3);
	ck_assert_uint_eq(right.n_msgs, 0);
	ck_assert_uint_eq(right.n_closed, 1);
	ck_assert_str_eq(right.reason, bad->reason);
	ck_assert_uint_eq(count_fds(), n_fds);
	close(pair[0]);
}
END_TEST

START_TEST(a_peer_that_closes_is_told_after_its_last_message)
{
	const struct proto_failed failed = { 0 };

	ck_assert_int_eq(
	    channel_send(left.channel, PROTO_FAILED, &failed, "no tool", -1),
	    0);
	channel_close(&left.channel);
	turns(3);
	ck_assert_uint_eq(right.n_msgs, 1);
	ck_assert_str_eq(right.text, "no tool");
	ck_assert_uint_eq(right.n_closed, 1);
	ck_assert_str_eq(right.reason, "closed by the peer");
	ck_assert_int_eq(
	    channel_send(right.channel, PROTO_FAILED, &failed, NULL, -1),
	    -EPIPE);
}
END_TEST

START_TEST(last_words_are_read_though_the_peer_left_ours_unread)
{
	const struct proto_ready ready = { 0 };
	const struct proto_failed failed = { 0 };

	ck_assert_int_eq(
	    channel_send(right.channel, PROTO_READY, &ready, NULL, -1), 0);
	ck_assert_int_eq(
	    channel_send(left.channel, PROTO_FAILED, &failed, "bad", -1), 0);
	channel_close(&left.channel);
	channel_receive(right.channel, 8);
	ck_assert_uint_eq(right.n_msgs, 1);
	ck_assert_str_eq(right.text, "bad");
	ck_assert_uint_eq(right.n_closed, 1);
}
END_TEST

START_TEST(sending_to_a_gone_peer_says_so_and_does_not_kill)
{
	const struct proto_ready ready = { 0 };

	channel_close(&left.channel);
	ck_assert_int_eq(
	    channel_send(right.channel, PROTO_READY, &ready, NULL, -1), -EPIPE);
	ck_assert_uint_eq(right.n_closed, 0);
	turns(2);
	ck_assert_uint_eq(right.n_closed, 1);
}
END_TEST

START_TEST(a_peer_that_does_not_read_fills_a_bounded_queue)
{
	struct proto_sessions sessions = { 0 };
	unsigned n = 0;
	int e;

	while ((e = channel_send(
		    left.channel, PROTO_SESSIONS, &sessions, NULL, -1)) == 0)
		sessions.n_sessions = ++n;
	ck_assert_int_eq(e, -ENOBUFS);
	ck_assert_uint_gt(n, 1024);
	ck_assert_uint_lt(n, 100000);
	for (unsigned i = 0; i < n && right.n_msgs < n; i++)
		turns(1);
	ck_assert_uint_eq(right.n_msgs, n);
	memcpy(&sessions, right.payload, sizeof(sessions));
	ck_assert_uint_eq(sessions.n_sessions, n - 1);
	ck_assert_int_eq(
	    channel_send(left.channel, PROTO_SESSIONS, &sessions, NULL, -1), 0);
}
END_TEST

/* What poold has to say at once about 3000 backends, and what comes of it. */
START_TEST(with_more_room_a_burst_waits_and_arrives_in_order)
{
	const unsigned n = 3000 * PROTO_PER_BACKEND;
	struct proto_sessions sessions = { 0 };

	channel_add_room(left.channel, n);
	for (unsigned i = 1; i <= n + OUTBOX_MAX; i++) {
		sessions.n_sessions = i;
		ck_assert_int_eq(channel_send(left.channel, PROTO_SESSIONS,
				     &sessions, NULL, -1),
		    0);
	}
	while (right.n_msgs < n + OUTBOX_MAX) {
		turns(1);
		memcpy(&sessions, right.payload, sizeof(sessions));
		ck_assert_uint_eq(sessions.n_sessions, right.n_msgs);
	}
	ck_assert_uint_eq(right.n_msgs, n + OUTBOX_MAX);
	ck_assert_uint_eq(left.n_closed + right.n_closed, 0);
}
END_TEST

START_TEST(a_queued_descriptor_is_a_copy)
{
	const struct proto_sessions sessions = { 0 };
	const struct proto_listen listen = { 0 };
	int pipes[2];
	char byte;

	right.takes_fd = true;
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	for (unsigned i = 0; i < 900; i++)
		ck_assert_int_eq(channel_send(left.channel, PROTO_SESSIONS,
				     &sessions, NULL, -1),
		    0);
	ck_assert_int_eq(
	    channel_send(left.channel, PROTO_LISTEN, &listen, NULL, pipes[1]),
	    0);
	close(pipes[1]);
	for (unsigned i = 0; i < 900 && right.n_msgs < 901; i++)
		turns(1);
	ck_assert_uint_eq(right.n_msgs, 901);
	ck_assert_int_eq(write(right.fd, "x", 1), 1);
	ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
	fd_close(&right.fd);
	close(pipes[0]);
}
END_TEST

START_TEST(a_channel_may_be_closed_in_its_own_callback)
{
	const struct proto_ready ready = { 0 };

	left.closes = right.closes = true;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    channel_send(left.channel, PROTO_READY, &ready, NULL, -1),
		    0);
	turns(3);
	ck_assert_uint_eq(right.n_msgs, 1);
	ck_assert_uint_eq(right.n_closed, 0);
	ck_assert_ptr_null(right.channel);
	ck_assert_uint_eq(left.n_closed, 1);
	ck_assert_ptr_null(left.channel);
}
END_TEST

START_TEST(opening_takes_the_descriptor_also_without_memory)
{
	struct channel *channel = NULL;
	int fds[2];

	ck_assert_int_eq(channel_pair(fds), 0);
	mem_fail_at(1);
	ck_assert_int_eq(
	    channel_open_take(fds[0], "x", on_msg, on_closed, NULL, &channel),
	    -ENOMEM);
	ck_assert_ptr_null(channel);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	close(fds[1]);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("ipc_channel");
	TCase *const open = tcase_create("two ends");
	TCase *const raw = tcase_create("a foreign end");

	tcase_add_checked_fixture(open, setup, teardown);
	tcase_add_loop_test(open, every_row_arrives_as_it_was_sent, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(open, an_unknown_type_has_no_name_and_no_bytes);
	tcase_add_test(open, a_text_is_cut_to_the_limit);
	tcase_add_test(open, a_descriptor_that_nobody_takes_is_closed);
	tcase_add_test(open, a_peer_that_closes_is_told_after_its_last_message);
	tcase_add_test(
	    open, last_words_are_read_though_the_peer_left_ours_unread);
	tcase_add_test(open, sending_to_a_gone_peer_says_so_and_does_not_kill);
	tcase_add_test(open, a_peer_that_does_not_read_fills_a_bounded_queue);
	tcase_add_test(open, with_more_room_a_burst_waits_and_arrives_in_order);
	tcase_add_test(open, a_queued_descriptor_is_a_copy);
	tcase_add_test(open, a_channel_may_be_closed_in_its_own_callback);
	tcase_add_test(open, opening_takes_the_descriptor_also_without_memory);
	suite_add_tcase(suite, open);
	tcase_add_checked_fixture(raw, setup_raw, teardown);
	tcase_add_loop_test(raw,
	    a_packet_that_does_not_fit_the_table_ends_the_channel, 0,
	    sizeof(bads) / sizeof(bads[0]));
	suite_add_tcase(suite, raw);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
