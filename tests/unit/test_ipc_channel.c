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
#include "common/ipc/channel.h"
#include "common/loop/loop.h"

static int pair[2]; /* the first is the peer's */
static struct outbox peer;
static struct channel channel;

/* What it handed over last. */
static struct {
	unsigned n_msgs;
	enum proto_type type;
	char payload[PROTO_PACKET_BYTES];
	char text[PROTO_TEXT_BYTES];
	int fd;
	bool takes_fd;
	unsigned n_closed;
	char reason[64];
} heard;

static void
on_msg(struct packet *msg)
{
	heard.n_msgs++;
	heard.type = msg->type;
	memcpy(heard.payload, msg->payload, proto_bytes(msg->type));
	ck_assert_uint_eq((uintptr_t)msg->payload % 8, 0);
	ck_assert_int_eq(
	    slice_copy(msg->text, heard.text, sizeof(heard.text)), 0);
	if (heard.takes_fd && msg->n_fds > 0)
		heard.fd = fd_take(msg->fds);
}

static void
on_closed(const char *reason)
{
	heard.n_closed++;
	strncpy(heard.reason, reason, sizeof(heard.reason) - 1);
}

static void
setup(void)
{
	loop_open();
	memset(&heard, 0, sizeof(heard));
	heard.fd = -1;
	outbox_init(&peer);
	ck_assert_int_eq(packet_pair(pair), 0);
	ck_assert_int_eq(
	    channel_open_take(&channel, pair[1], "peer", on_msg, on_closed), 0);
}

static void
teardown(void)
{
	outbox_drop(&peer);
	fd_close(&pair[0]);
	channel_close(&channel);
	channel_close(&channel);
	loop_close();
}

static void
turns(unsigned n)
{
	while (n-- > 0)
		loop_turn(false);
}

/* The peer says something. */
static int
say(enum proto_type type, const void *payload, const char *text, const int *fds)
{
	return outbox_send(
	    &peer, pair[0], type, payload, text, fds, proto_fds(type));
}

/* What the peer is told next: the row's type, or 0. */
static unsigned
told(struct proto_sessions *sessions_r)
{
	struct packet packet packet_auto = { .n_fds = 0 };
	const char *fault;

	if (packet_receive(pair[0], MSG_DONTWAIT, &packet, &fault) != 1)
		return 0;
	if (packet.type == PROTO_SESSIONS)
		memcpy(sessions_r, packet.payload, sizeof(*sessions_r));
	return packet.type;
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

	heard.takes_fd = true;
	memset(payload, 0x5a + _i, sizeof(payload));
	ck_assert_int_eq(say(row->type, payload, "a reason", fds), 0);
	turns(2);
	ck_assert_uint_eq(heard.n_msgs, 1);
	ck_assert_int_eq(heard.type, row->type);
	ck_assert_uint_eq(proto_bytes(row->type), row->bytes);
	ck_assert_str_eq(proto_name(row->type), row->name);
	ck_assert_mem_eq(heard.payload, payload, row->bytes);
	ck_assert_str_eq(heard.text, "a reason");
	ck_assert_int_eq(heard.fd >= 0, row->n_fds > 0);
	if (row->n_fds) {
		ck_assert_int_eq(fstat(file, &sent), 0);
		ck_assert_int_eq(fstat(heard.fd, &got), 0);
		ck_assert_uint_eq(sent.st_rdev, got.st_rdev);
		ck_assert(fcntl(heard.fd, F_GETFD) & FD_CLOEXEC);
		fd_close(&heard.fd);
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
	ck_assert_int_eq(say(PROTO_FAILED, &failed, text, NULL), 0);
	turns(2);
	ck_assert_uint_eq(strlen(heard.text), PROTO_TEXT_BYTES - 1);
}
END_TEST

START_TEST(a_descriptor_that_nobody_takes_is_closed)
{
	const struct proto_listen listen = { .is_admin = 1 };
	int pipes[2];
	char byte;

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(say(PROTO_LISTEN, &listen, NULL, &pipes[1]), 0);
	close(pipes[1]);
	ck_assert_int_eq(read(pipes[0], &byte, 1), -1);
	turns(2);
	ck_assert_uint_eq(heard.n_msgs, 1);
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
	ck_assert_uint_eq(heard.n_msgs, 0);
	ck_assert_uint_eq(heard.n_closed, 1);
	ck_assert_str_eq(heard.reason, bad->reason);
	ck_assert_uint_eq(count_fds(), n_fds);
}
END_TEST

START_TEST(a_peer_that_closes_is_told_after_its_last_message)
{
	const struct proto_failed failed = { 0 };

	ck_assert_int_eq(say(PROTO_FAILED, &failed, "no tool", NULL), 0);
	fd_close(&pair[0]);
	turns(3);
	ck_assert_uint_eq(heard.n_msgs, 1);
	ck_assert_str_eq(heard.text, "no tool");
	ck_assert_uint_eq(heard.n_closed, 1);
	ck_assert_str_eq(heard.reason, "closed by the peer");
	ck_assert_int_eq(
	    channel_send(&channel, PROTO_FAILED, &failed, NULL), -EPIPE);
}
END_TEST

START_TEST(last_words_are_read_though_the_peer_left_ours_unread)
{
	const struct proto_ready ready = { 0 };
	const struct proto_failed failed = { 0 };

	ck_assert_int_eq(channel_send(&channel, PROTO_READY, &ready, NULL), 0);
	ck_assert_int_eq(say(PROTO_FAILED, &failed, "bad", NULL), 0);
	fd_close(&pair[0]);
	turns(3);
	ck_assert_uint_eq(heard.n_msgs, 1);
	ck_assert_str_eq(heard.text, "bad");
	ck_assert_uint_eq(heard.n_closed, 1);
}
END_TEST

START_TEST(sending_to_a_gone_peer_says_so_and_does_not_kill)
{
	const struct proto_ready ready = { 0 };

	fd_close(&pair[0]);
	ck_assert_int_eq(
	    channel_send(&channel, PROTO_READY, &ready, NULL), -EPIPE);
	ck_assert_uint_eq(heard.n_closed, 0);
	turns(2);
	ck_assert_uint_eq(heard.n_closed, 1);
}
END_TEST

START_TEST(a_closed_channel_is_silent)
{
	const struct proto_ready ready = { 0 };

	ck_assert_int_eq(say(PROTO_READY, &ready, NULL, NULL), 0);
	channel_close(&channel);
	turns(2);
	ck_assert_uint_eq(heard.n_msgs + heard.n_closed, 0);
	ck_assert_int_eq(
	    channel_send(&channel, PROTO_READY, &ready, NULL), -EPIPE);
	ck_assert_int_eq(fcntl(pair[1], F_GETFD), -1);
}
END_TEST

START_TEST(a_peer_that_does_not_read_fills_a_bounded_queue)
{
	struct proto_sessions sessions = { 0 };
	unsigned n = 0, n_told = 0;
	int e;

	while (
	    (e = channel_send(&channel, PROTO_SESSIONS, &sessions, NULL)) == 0)
		sessions.n_sessions = ++n;
	ck_assert_int_eq(e, -ENOBUFS);
	ck_assert_uint_gt(n, 1024);
	ck_assert_uint_lt(n, 100000);
	for (unsigned i = 0; i < n && n_told < n; i++) {
		while (told(&sessions) == PROTO_SESSIONS)
			ck_assert_uint_eq(sessions.n_sessions, n_told++);
		turns(1);
	}
	ck_assert_uint_eq(n_told, n);
	ck_assert_int_eq(
	    channel_send(&channel, PROTO_SESSIONS, &sessions, NULL), 0);
	ck_assert_uint_eq(told(&sessions), PROTO_SESSIONS);
}
END_TEST

/* What is to be said at once about 3000 backends, and what comes of it. */
START_TEST(with_more_room_a_burst_waits_and_arrives_in_order)
{
	const unsigned n = 3000 * PROTO_PER_BACKEND;
	struct proto_sessions sessions = { 0 };
	unsigned n_told = 0;

	channel_add_room(&channel, n);
	for (unsigned i = 1; i <= n + OUTBOX_MAX; i++) {
		sessions.n_sessions = i;
		ck_assert_int_eq(
		    channel_send(&channel, PROTO_SESSIONS, &sessions, NULL), 0);
	}
	for (; n_told < n + OUTBOX_MAX; turns(1))
		while (told(&sessions) == PROTO_SESSIONS)
			ck_assert_uint_eq(sessions.n_sessions, ++n_told);
	ck_assert_uint_eq(n_told, n + OUTBOX_MAX);
	ck_assert_uint_eq(heard.n_closed, 0);
}
END_TEST

START_TEST(a_queued_descriptor_is_a_copy)
{
	const struct proto_sessions sessions = { 0 };
	const struct proto_listen listen = { 0 };
	int pipes[2];
	char byte;

	heard.takes_fd = true;
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	for (unsigned i = 0; i < 900; i++)
		ck_assert_int_eq(say(PROTO_SESSIONS, &sessions, NULL, NULL), 0);
	ck_assert_uint_gt(peer.n, 0);
	ck_assert_int_eq(say(PROTO_LISTEN, &listen, NULL, &pipes[1]), 0);
	close(pipes[1]);
	for (unsigned i = 0; i < 900 && heard.n_msgs < 901; i++) {
		outbox_flush(&peer, pair[0]);
		turns(1);
	}
	ck_assert_uint_eq(heard.n_msgs, 901);
	ck_assert_int_eq(write(heard.fd, "x", 1), 1);
	ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
	fd_close(&heard.fd);
	close(pipes[0]);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("ipc_channel");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, every_row_arrives_as_it_was_sent, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(all, an_unknown_type_has_no_name_and_no_bytes);
	tcase_add_test(all, a_text_is_cut_to_the_limit);
	tcase_add_test(all, a_descriptor_that_nobody_takes_is_closed);
	tcase_add_loop_test(all,
	    a_packet_that_does_not_fit_the_table_ends_the_channel, 0,
	    sizeof(bads) / sizeof(bads[0]));
	tcase_add_test(all, a_peer_that_closes_is_told_after_its_last_message);
	tcase_add_test(
	    all, last_words_are_read_though_the_peer_left_ours_unread);
	tcase_add_test(all, sending_to_a_gone_peer_says_so_and_does_not_kill);
	tcase_add_test(all, a_closed_channel_is_silent);
	tcase_add_test(all, a_peer_that_does_not_read_fills_a_bounded_queue);
	tcase_add_test(all, with_more_room_a_burst_waits_and_arrives_in_order);
	tcase_add_test(all, a_queued_descriptor_is_a_copy);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
