/* SPDX-License-Identifier: MIT */
/*
 * first: the client of the benchmark, as cheap as can be: when a request went
 * out and when the first byte of its answer came.
 *
 *	first one ADDRESS   a host a line on stdin, a line of answer each
 *	first all ADDRESS   all lines of stdin at once, then all answers
 *
 * ADDRESS is a port of 127.0.0.1 or, with a slash, the folder of sockets that
 * are called HOST.socket. An answer is `SENT FIRST`, CLOCK_MONOTONIC in
 * nanoseconds; `all` has `BEGAN 0` before them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "tests/bench/pool/request.h"

#define FIRST_MAX    10000 /* hosts at once */
#define FIRST_EVENTS 64
#define PATIENCE_MS  60000

struct first {
	struct request request;
	char host[64];
};

static void
first_connect(struct request *request, const char *address, const char *host)
{
	char path[200];

	if (!strchr(address, '/')) {
		request_connect_port(request, (unsigned)atoi(address));
		return;
	}
	snprintf(path, sizeof(path), "%s/%s.socket", address, host);
	request_connect_path(request, path);
}

/* The next line of stdin. Returns whether there was one. */
static int
first_host(char *host, int bytes)
{
	if (!fgets(host, bytes, stdin))
		return 0;
	host[strcspn(host, "\n")] = '\0';
	return 1;
}

static void
first_print(int64_t a_ns, int64_t b_ns)
{
	printf("%" PRId64 " %" PRId64 "\n", a_ns, b_ns);
}

static void
first_one(const char *address)
{
	struct first first;

	while (first_host(first.host, sizeof(first.host))) {
		first_connect(&first.request, address, first.host);
		request_run(&first.request, first.host, REQUEST_MODERN);
		request_close(&first.request);
		first_print(first.request.sent_ns, first.request.first_ns);
		fflush(stdout);
	}
}

/* What a descriptor tells. Returns whether this one is over. */
static int
first_step(int epoll_fd, const struct epoll_event *event)
{
	struct first *const first = event->data.ptr;
	struct epoll_event in = { .events = EPOLLIN, .data.ptr = first };

	if (!first->request.sent_ns) {
		request_send(&first->request, first->host, REQUEST_MODERN);
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, first->request.fd, &in);
		return 0;
	}
	return request_take(&first->request, first->host);
}

/* Until the answers of all are complete. */
static void
first_await(int epoll_fd, unsigned n_left)
{
	struct epoll_event events[FIRST_EVENTS];

	while (n_left > 0) {
		const int n =
		    epoll_wait(epoll_fd, events, FIRST_EVENTS, PATIENCE_MS);
		if (n == 0)
			errno = ETIMEDOUT;
		if (n <= 0)
			request_die("%u answers are missing", n_left);
		for (int i = 0; i < n; i++) {
			struct first *const first = events[i].data.ptr;
			if (!first_step(epoll_fd, &events[i]))
				continue;
			request_close(&first->request);
			n_left--;
		}
	}
}

static void
first_all(const char *address)
{
	struct first *const all = calloc(FIRST_MAX, sizeof(*all));
	const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	unsigned n = 0;

	if (!all || epoll_fd < 0)
		request_die("start");
	while (n < FIRST_MAX && first_host(all[n].host, sizeof(all[n].host)))
		n++;
	request_need_fds(n + 16);
	const int64_t began_ns = request_now_ns();
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event out = { .events = EPOLLOUT,
			.data.ptr = &all[i] };
		first_connect(&all[i].request, address, all[i].host);
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[i].request.fd, &out))
			request_die("epoll_ctl");
	}
	first_await(epoll_fd, n);
	first_print(began_ns, 0);
	for (unsigned i = 0; i < n; i++)
		first_print(all[i].request.sent_ns, all[i].request.first_ns);
	free(all);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "one") == 0) {
		first_one(argv[2]);
	} else if (argc == 3 && strcmp(argv[1], "all") == 0) {
		first_all(argv[2]);
	} else {
		fputs("usage: first one|all PORT|FOLDER <HOSTS\n", stderr);
		return 2;
	}
	return fclose(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
