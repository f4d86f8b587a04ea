/* SPDX-License-Identifier: MIT */
/*
 * request: see request.h. MCP 2026-07-28 basic/transports/streamable-http: no
 * session, the claim stands in _meta, headers mirror it.
 */
#include "tests/bench/pool/request.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000

static const char body[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{"
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"bench\","
    "\"version\":\"1\"},"
    "\"io.modelcontextprotocol/clientCapabilities\":{}}}}";

int64_t
request_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void
request_die(const char *fmt, ...)
{
	const int e = errno;
	va_list ap;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (e)
		fprintf(stderr, ": %s", strerror(e));
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void
request_need_fds(unsigned n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		request_die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		request_die("setrlimit");
	errno = 0;
	if (limit.rlim_max < n)
		request_die("%u descriptors are needed, %llu allowed: raise "
			    "the hard limit (ulimit -Hn, LimitNOFILE=)",
		    n, (unsigned long long)limit.rlim_max);
}

static void
request_connect(
    struct request *request, const struct sockaddr *address, socklen_t bytes)
{
	*request = (struct request){ 0 };
	request->fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (request->fd < 0)
		request_die("socket");
	if (connect(request->fd, address, bytes) < 0 && errno != EINPROGRESS)
		request_die("connect");
}

void
request_connect_port(struct request *request, unsigned port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	request_connect(
	    request, (const struct sockaddr *)&address, sizeof(address));
}

void
request_connect_path(struct request *request, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	errno = 0;
	if (strlen(path) >= sizeof(address.sun_path))
		request_die("%s: too long for a socket", path);
	strcpy(address.sun_path, path);
	request_connect(
	    request, (const struct sockaddr *)&address, sizeof(address));
}

void
request_send(struct request *request, const char *host, const char *version)
{
	char text[1024];
	const int n = snprintf(text, sizeof(text),
	    "POST /mcp HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\n"
	    "Accept: application/json, text/event-stream\r\n"
	    "MCP-Protocol-Version: %s\r\nMcp-Method: tools/list\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    host, version, sizeof(body) - 1, body);

	request->sent_ns = request_now_ns();
	if (send(request->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		request_die("%s: send", host);
}

/* The server closed: is it what was asked for? */
static void
request_check(const struct request *request, const char *host)
{
	errno = 0;
	if (strncmp(request->answer, "HTTP/1.1 200", 12) != 0 ||
	    !strstr(request->answer, "\"tools\""))
		request_die("%s: answered: %.400s", host, request->answer);
}

int
request_take(struct request *request, const char *host)
{
	char *const end = request->answer + request->n;
	const size_t room = sizeof(request->answer) - 1 - request->n;
	const ssize_t n = recv(request->fd, end, room, 0);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 || room == 0)
		request_die("%s: receive", host);
	if (n == 0) {
		request_check(request, host);
		return 1;
	}
	if (!request->first_ns)
		request->first_ns = request_now_ns();
	request->n += (size_t)n;
	return 0;
}

static void
request_wait(const struct request *request, short events, const char *host)
{
	struct pollfd one = { .fd = request->fd, .events = events };
	const int n = poll(&one, 1, PATIENCE_MS);

	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		request_die("%s: wait for its answer", host);
}

void
request_run(struct request *request, const char *host, const char *version)
{
	request_wait(request, POLLOUT, host);
	request_send(request, host, version);
	do
		request_wait(request, POLLIN, host);
	while (!request_take(request, host));
}

void
request_close(struct request *request)
{
	close(request->fd);
	request->fd = -1;
}
