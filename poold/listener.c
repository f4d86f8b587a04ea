/* SPDX-License-Identifier: MIT */
/* listener: socket, bind, listen; and what a service manager did of these. */
#include "poold/listener.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/must.h"

#define LISTENER_BACKLOG  4096 /* cut to net.core.somaxconn */
#define LISTENER_FIRST_FD 3    /* SD_LISTEN_FDS_START */

/* Add a socket with its real address; *takes* fd. */
static int
listeners_add_take(
    struct listeners *listeners, int fd, bool is_admin, struct err *err_r)
{
	fd_auto int mine = fd;
	struct address real = { .bytes = sizeof(real.sa) };
	struct listener *const l = &listeners->v[listeners->n];

	if (listeners->n == LISTENER_MAX)
		return err_set(err_r, -EMFILE, NULL, "too many sockets");
	if (getsockname(mine, &real.sa.any, &real.bytes) < 0 ||
	    (real.sa.any.sa_family != AF_INET &&
		real.sa.any.sa_family != AF_INET6))
		return err_set(err_r, -EINVAL, NULL,
		    "descriptor %d is not an internet socket", mine);
	address_text(&real, l->address);
	l->is_admin = is_admin;
	l->fd = fd_take(&mine);
	listeners->n++;
	return 0;
}

static int
listener_bind(int fd, const struct address *address)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	/* "[::]:80" beside "0.0.0.0:80" must be possible. */
	if (address->sa.any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, &address->sa.any, address->bytes) < 0 ||
	    listen(fd, LISTENER_BACKLOG) < 0)
		return -errno;
	return 0;
}

static int
listeners_open_tcp(struct listeners *listeners, const char *text, bool is_admin,
    struct err *err_r)
{
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	struct address address;
	int e;

	must(address_parse(text, &address));
	fd_auto int fd = socket(address.sa.any.sa_family, type, 0);
	e = fd < 0 ? -errno : listener_bind(fd, &address);
	if (e < 0)
		return err_set(
		    err_r, e, text, "cannot listen: %s", strerrordesc_np(-e));
	return listeners_add_take(listeners, fd_take(&fd), is_admin, err_r);
}

/* Whether it is us whom LISTEN_FDS tells something. */
static bool
listeners_is_told(void)
{
	const char *const pid = getenv("LISTEN_PID");
	const char *fault;

	return pid && getenv("LISTEN_FDS") &&
	       strtonum(pid, 1, INT32_MAX, &fault) == getpid();
}

unsigned
listeners_n_passed(void)
{
	const char *fault;

	if (!listeners_is_told())
		return 0;
	return (unsigned)strtonum(
	    getenv("LISTEN_FDS"), 1, LISTENER_MAX, &fault);
}

/* Whether connections can be accepted from fd. */
static bool
listener_accepts(int fd)
{
	socklen_t bytes = sizeof(int);
	int is_listening = 0;

	return getsockopt(
		   fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &bytes) == 0 &&
	       is_listening;
}

/* LISTEN_FDS that is for us, but names no number of sockets that we take. */
static int
listeners_refuse_passed(struct err *err_r)
{
	return err_set(err_r, -E2BIG, NULL,
	    "LISTEN_FDS=%.20s: from 1 to %d sockets are taken",
	    getenv("LISTEN_FDS"), LISTENER_MAX);
}

/* Take the n passed sockets. */
static int
listeners_take_passed(
    struct listeners *listeners, unsigned n, struct err *err_r)
{
	const char *const all = getenv("LISTEN_FDNAMES");
	char names[512] = "", *rest = names;

	if (n == 0 && listeners_is_told())
		return listeners_refuse_passed(err_r);
	strlcpy(names, all ? all : "", sizeof(names));
	for (unsigned i = 0; i < n; i++) {
		const int fd = LISTENER_FIRST_FD + (int)i;
		const char *const name = strsep(&rest, ":");
		int e = fd_nonblock(fd);
		if (e < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return err_set(err_r, e ? e : -errno, NULL,
			    "descriptor %d was not passed", fd);
		if (!listener_accepts(fd))
			return err_set(err_r, -EINVAL, NULL,
			    "descriptor %d (LISTEN_FDS) does not listen for "
			    "connections",
			    fd);
		e = listeners_add_take(
		    listeners, fd, name && strcmp(name, "admin") == 0, err_r);
		if (e < 0)
			return e;
	}
	return 0;
}

/* Whether a socket for this purpose is there. */
static bool
listeners_has(const struct listeners *listeners, bool is_admin)
{
	for (size_t i = 0; i < listeners->n; i++)
		if (listeners->v[i].is_admin == is_admin)
			return true;
	return false;
}

int
listeners_open(struct listeners *listeners, const struct settings *settings,
    struct err *err_r)
{
	int e;

	*listeners = (struct listeners){ 0 };
	e = listeners_take_passed(listeners, listeners_n_passed(), err_r);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	const bool has_listen = listeners_has(listeners, false);
	const bool has_admin = listeners_has(listeners, true);
	for (size_t i = 0; i < settings->board.listen.n && !has_listen; i++)
		if (e == 0)
			e = listeners_open_tcp(listeners,
			    settings->board.listen.v[i], false, err_r);
	if (e == 0 && !has_admin && settings->board.admin[0])
		e = listeners_open_tcp(
		    listeners, settings->board.admin, true, err_r);
	if (e < 0)
		listeners_close(listeners);
	return e;
}

void
listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		fd_close(&listeners->v[i].fd);
	listeners->n = 0;
}

/* Bind and listen; the file is made for its owner alone. */
static int
listener_make_unix(int fd, const struct sockaddr_un *sa)
{
	const mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	int e = 0;

	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
		e = -errno;
	umask(before);
	if (e == 0 && listen(fd, LISTENER_BACKLOG) < 0)
		e = -errno;
	return e;
}

int
listener_open_unix(
    const char *path, const struct drop_ids *ids, int *fd_r, struct err *err_r)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int e;

	*fd_r = -1;
	must(strlcpy(sa.sun_path, path, sizeof(sa.sun_path)) <
	     sizeof(sa.sun_path));
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err_r, -errno, path, "cannot be removed: %s",
		    strerrordesc_np(errno));
	e = fd < 0 ? -errno : listener_make_unix(fd, &sa);
	if (e == 0 && ids && lchown(path, ids->uid, ids->gid) < 0)
		e = -errno;
	if (e < 0)
		return err_set(
		    err_r, e, path, "cannot listen: %s", strerrordesc_np(-e));
	*fd_r = fd_take(&fd);
	return 0;
}
