/* SPDX-License-Identifier: MIT */
/* dial: names to addresses, addresses to a connected socket. */
#include "poold/ctl/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/flow/sleep.h"
#include "common/flow/work.h"

/* A look-up: question and outcome; goes to a helper thread and back. */
struct dial_names {
	char host[HTTP_HOST_MAX + 1];
	char port[8];
	int rc; /* of getaddrinfo */
	int system_errno;
	struct addrinfo *list;
};

static void
dial_names_free(void *arg)
{
	struct dial_names *const names = arg;

	if (!names)
		return;
	if (names->list)
		freeaddrinfo(names->list);
	mem_free(names);
}

static void
dial_names_drop(struct dial_names **names)
{
	dial_names_free(*names);
	*names = NULL;
}

/* On a helper thread: it may take as long as the resolver likes. */
static void *
dial_look_up(void *arg)
{
	struct dial_names *const names = arg;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };

	names->rc = getaddrinfo(names->host, names->port, &hints, &names->list);
	names->system_errno = errno;
	return names;
}

/* Whether a URL leads to this machine, as far as it says so itself. */
static bool
dial_is_here(const struct url *url)
{
	return url->is_loopback || strncmp(url->host.name, "127.", 4) == 0 ||
	       strcmp(url->host.name, "[::1]") == 0;
}

/* Say why a connection could not be made, and what helps. */
static int
dial_explain(const struct url *url, int rc, struct err *err_r)
{
	if (rc == -ECONNREFUSED)
		return err_set(err_r, rc, NULL,
		    "nothing listens at %s port %d: is poold running%s",
		    url->host.name, url->port,
		    dial_is_here(url) ? "? Try: sh deploy/demo.sh"
				      : " there, and is the port right?");
	if (rc == -ETIMEDOUT)
		return err_set(err_r, rc, NULL,
		    "no connection to %s port %d within %d s: is the machine "
		    "up, and the port open?",
		    url->host.name, url->port, DIAL_MS / 1000);
	return err_set(err_r, rc, NULL, "no connection to %s port %d: %s",
	    url->host.name, url->port, strerrordesc_np(-rc));
}

/* Connect to one address. Returns 0 or -errno. Waits. */
static int
dial_address(
    const struct sockaddr *address, socklen_t n, int64_t deadline_ms, int *fd_r)
{
	fd_auto int fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int one = 1;
	int failed = 0;
	socklen_t failed_n = sizeof(failed);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, address, n) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		const int rc = flow_wait_fd(fd, LOOP_WRITE, deadline_ms);
		if (rc < 0)
			return rc;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &failed_n) <
		    0)
			return -errno;
		if (failed)
			return -failed;
	}
	*fd_r = fd_take(&fd);
	return 0;
}

/* This machine, by IPv4 and then by IPv6. */
static int
dial_loopback(int port, int64_t deadline_ms, int *fd_r)
{
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	const int rc = dial_address(
	    (const struct sockaddr *)&v4, sizeof(v4), deadline_ms, fd_r);
	if (rc == 0)
		return 0;
	if (dial_address((const struct sockaddr *)&v6, sizeof(v6), deadline_ms,
		fd_r) == 0)
		return 0;
	return rc;
}

/* Look a name up. Returns 0 with *new* names, or -errno. Waits. */
static int
dial_resolve(const struct url *url, int64_t deadline_ms,
    struct dial_names **names_r, struct err *err_r)
{
	struct dial_names *const names = mem_zalloc(1, sizeof(*names));
	void *value = NULL;

	if (!names)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	struct slice host = { url->host.name, url->host.n };
	if (host.n > 2 && host.p[0] == '[')
		host = (struct slice){ host.p + 1, host.n - 2 };
	slice_copy(host, names->host, sizeof(names->host));
	snprintf(names->port, sizeof(names->port), "%d", url->port);
	const struct flow_work_spec work = { .name = "getaddrinfo",
		.fn = dial_look_up,
		.arg = names,
		.drop = dial_names_free };
	const int rc = flow_work(&work, deadline_ms, &value);
	if (rc < 0 && rc != -ETIMEDOUT)
		mem_free(names); /* later it is drop's */
	if (rc < 0)
		return dial_explain(url, rc, err_r);
	*names_r = value;
	if ((*names_r)->rc == 0)
		return 0;
	return err_set(err_r, -ENOENT, NULL, "the name %s is not known: %s",
	    url->host.name,
	    (*names_r)->rc == EAI_SYSTEM
		? strerrordesc_np((*names_r)->system_errno)
		: gai_strerror((*names_r)->rc));
}

int
dial_open(
    const struct url *url, int64_t deadline_ms, int *fd_r, struct err *err_r)
{
	__attribute__((cleanup(dial_names_drop))) struct dial_names *names =
	    NULL;
	const int64_t by_ms = clock_deadline_ms(DIAL_MS);
	int rc = -EADDRNOTAVAIL;

	if (deadline_ms == CLOCK_NEVER || deadline_ms > by_ms)
		deadline_ms = by_ms;
	if (url->is_loopback) {
		rc = dial_loopback(url->port, deadline_ms, fd_r);
		return rc == 0 ? 0 : dial_explain(url, rc, err_r);
	}
	rc = dial_resolve(url, deadline_ms, &names, err_r);
	if (rc < 0)
		return rc;
	for (const struct addrinfo *a = names->list; a; a = a->ai_next) {
		rc = dial_address(a->ai_addr, a->ai_addrlen, deadline_ms, fd_r);
		if (rc == 0)
			return 0;
	}
	return dial_explain(url, rc, err_r);
}
