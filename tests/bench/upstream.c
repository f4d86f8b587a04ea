/* SPDX-License-Identifier: MIT */
/*
 * upstream: the cheapest program that can stand behind a proxy, so that a
 * benchmark measures the proxy. A command backend: its socket is descriptor 3.
 * Answers each request head with the same 63 bytes, keeps connections open,
 * reads no bodies. One thread, epoll.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FD 3
#define N_EVENTS  64

static const char answer[] = "HTTP/1.1 200 OK\r\n"
			     "Content-Type: text/plain\r\n"
			     "Content-Length: 63\r\n\r\n"
			     "holdline holdline holdline holdline "
			     "holdline holdline holdline\n";

/* How far a connection has come in the CRLF CRLF that ends a head. */
static uint8_t n_matched[65536];

/* The heads that end within buf. */
static int
upstream_heads(uint8_t *matched, const char *buf, ssize_t n)
{
	int heads = 0;

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == "\r\n\r\n"[*matched])
			++*matched;
		else
			*matched = buf[i] == '\r';
		if (*matched == 4) {
			*matched = 0;
			heads++;
		}
	}
	return heads;
}

static void
upstream_accept(int epoll_fd)
{
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0)
		return;
	if ((size_t)fd >= sizeof(n_matched)) {
		close(fd);
		return;
	}
	n_matched[fd] = 0;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void
upstream_read(int fd)
{
	char buf[8192];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close(fd);
		return;
	}
	for (int heads = upstream_heads(&n_matched[fd], buf, n); heads; heads--)
		if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0) {
			close(fd);
			return;
		}
}

int
main(void)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = LISTEN_FD };
	struct epoll_event events[N_EVENTS];

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, LISTEN_FD, &event))
		return 1;
	for (;;) {
		int n = epoll_wait(epoll_fd, events, N_EVENTS, -1);

		for (int i = 0; i < n; i++)
			if (events[i].data.fd == LISTEN_FD)
				upstream_accept(epoll_fd);
			else
				upstream_read(events[i].data.fd);
	}
}
