/* SPDX-License-Identifier: MIT */
/*
 * fail: preloaded into poold it makes the n-th call of one kind fail, once:
 *
 *	LD_PRELOAD=fail.so FAIL=ROLE:CALL:N:ERRNO FAIL_LOG=FILE poold ...
 *
 * ROLE is who is concerned: "poold"; "zygote", which it runs; "child", each
 * process that the zygote forks: the first one whose own n-th call it is.
 * ERRNO is a number, or "short" (one byte less than it was given). FILE is 64
 * zeros, mapped by all of them: its first word is 1 when the call was reached.
 * Whoever is no zygote leaves the variables to those below it, but poold when
 * it is concerned itself.
 */
/* open and open64 are two functions here, and one for whoever has large files.
 */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FAIL_CLOSE_RANGE 436 /* numbers that old headers lack */
#define FAIL_LANDLOCK    444 /* the first of three */

static struct {
	char call[32];
	unsigned long n; /* which one fails; 0: none */
	unsigned long at;
	int e; /* 0: short */
	long pid;
	bool is_child; /* not pid is concerned, but who it forked */
	int *is_reached;
} fail;

static bool
fail_is_concerned(const char *role, int argc, char **argv)
{
	const char *const slash = strrchr(argv[0], '/');
	const char *const name = slash ? slash + 1 : argv[0];

	if (strcmp(role, "poold") == 0)
		return strcmp(name, "poold") == 0;
	fail.is_child = strcmp(role, "child") == 0;
	return strcmp(name, "backend") == 0 && argc == 2 &&
	       strcasecmp(argv[1], "-z") == 0;
}

static bool
fail_map(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	fail.is_reached = mmap(NULL, 64, PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return fail.is_reached != MAP_FAILED;
}

static __attribute__((constructor)) void
fail_open(int argc, char **argv)
{
	const char *const text = getenv("FAIL");
	const char *const log = getenv("FAIL_LOG");
	char role[16], word[16];
	unsigned long n;

	if (!text || !log ||
	    sscanf(text, "%15[^:]:%31[^:]:%lu:%15s", role, fail.call, &n,
		word) != 4 ||
	    !fail_is_concerned(role, argc, argv) || !fail_map(log))
		return;
	fail.e = atoi(word);
	fail.pid = syscall(SYS_getpid);
	unsetenv("LD_PRELOAD");
	unsetenv("FAIL");
	unsetenv("FAIL_LOG");
	fail.n = n;
}

/* Whether this call is the one; errno is set then. */
static bool
fail_now(const char *call)
{
	if (fail.n == 0 || strcmp(call, fail.call) != 0 ||
	    (syscall(SYS_getpid) == fail.pid) == fail.is_child ||
	    ++fail.at != fail.n ||
	    __atomic_exchange_n(fail.is_reached, 1, __ATOMIC_SEQ_CST))
		return false;
	errno = fail.e;
	return true;
}

/* The function that stands behind ours. */
#define NEXT(name)                     \
	static __typeof__(name) *next; \
	if (!next)                     \
		*(void **)&next = dlsym(RTLD_NEXT, #name);

/* One that fails as all do: `type name params`, counted as `call`. */
#define FAILS(type, name, call, params, args)                 \
	type name params;                                     \
                                                              \
	type name params                                      \
	{                                                     \
		NEXT(name)                                    \
		return fail_now(call) ? (type)-1 : next args; \
	}

FAILS(pid_t, fork, "fork", (void), ())
FAILS(int, socketpair, "socketpair",
    (int domain, int type, int protocol, int fds[2]),
    (domain, type, protocol, fds))
FAILS(ssize_t, sendmsg, "sendmsg",
    (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
FAILS(ssize_t, recvmsg, "recvmsg", (int fd, struct msghdr *msg, int flags),
    (fd, msg, flags))
FAILS(ssize_t, recv, "recv", (int fd, void *bytes, size_t n, int flags),
    (fd, bytes, n, flags))
FAILS(int, pipe2, "pipe2", (int fds[2], int flags), (fds, flags))
FAILS(int, epoll_create1, "epoll_create1", (int flags), (flags))
FAILS(int, epoll_ctl, "epoll_ctl",
    (int epfd, int op, int fd, struct epoll_event *event),
    (epfd, op, fd, event))
FAILS(int, epoll_wait, "epoll_wait",
    (int epfd, struct epoll_event *events, int n, int timeout_ms),
    (epfd, events, n, timeout_ms))
FAILS(int, poll, "poll", (struct pollfd * fds, nfds_t n, int timeout_ms),
    (fds, n, timeout_ms))
FAILS(int, memfd_create, "memfd_create", (const char *name, unsigned flags),
    (name, flags))
FAILS(int, accept4, "accept4",
    (int fd, struct sockaddr *address, socklen_t *n, int flags),
    (fd, address, n, flags))
FAILS(int, dup2, "dup2", (int from, int to), (from, to))
FAILS(int, setrlimit, "setrlimit",
    (__rlimit_resource_t resource, const struct rlimit *limit),
    (resource, limit))
FAILS(int, setrlimit64, "setrlimit",
    (__rlimit_resource_t resource, const struct rlimit64 *limit),
    (resource, limit))

/* The mode of an open, where there is one. */
#define MODE(flags)                            \
	mode_t mode = 0;                       \
	if ((flags) & (O_CREAT | O_TMPFILE)) { \
		va_list ap;                    \
		va_start(ap, flags);           \
		mode = va_arg(ap, mode_t);     \
		va_end(ap);                    \
	}

#define FAILS_OPEN(name)                                                \
	int name(const char *path, int flags, ...);                     \
                                                                        \
	int name(const char *path, int flags, ...)                      \
	{                                                               \
		NEXT(name)                                              \
		MODE(flags)                                             \
		return fail_now("open") ? -1 : next(path, flags, mode); \
	}

FAILS_OPEN(open)
FAILS_OPEN(open64)

#define FAILS_OPENAT(name)                                                     \
	int name(int dir, const char *path, int flags, ...);                   \
                                                                               \
	int name(int dir, const char *path, int flags, ...)                    \
	{                                                                      \
		NEXT(name)                                                     \
		MODE(flags)                                                    \
		return fail_now("openat") ? -1 : next(dir, path, flags, mode); \
	}

FAILS_OPENAT(openat)
FAILS_OPENAT(openat64)

/* Only what makes a descriptor; its argument is a number. */
#define FAILS_FCNTL(name)                                          \
	int name(int fd, int command, ...);                        \
                                                                   \
	int name(int fd, int command, ...)                         \
	{                                                          \
		NEXT(name)                                         \
		va_list ap;                                        \
		va_start(ap, command);                             \
		void *const arg = va_arg(ap, void *);              \
		va_end(ap);                                        \
		if (command == F_DUPFD_CLOEXEC && fail_now("dup")) \
			return -1;                                 \
		return next(fd, command, arg);                     \
	}

FAILS_FCNTL(fcntl)
FAILS_FCNTL(fcntl64)

int
prctl(int option, ...)
{
	NEXT(prctl)
	unsigned long a[4];
	va_list ap;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	/* Whether there are filters is a question, which has two answers. */
	const bool is_asking = option == PR_SET_SECCOMP && a[1] == 0;
	return !is_asking && fail_now("prctl")
	           ? -1
	           : next(option, a[0], a[1], a[2], a[3]);
}

/*
 * A single byte is what libevent's signal handler writes into its own pipe: it
 * fails only when the pipe is full, and then the loop is about to wake.
 */
ssize_t
write(int fd, const void *bytes, size_t n)
{
	NEXT(write)
	if (n <= 1 || !fail_now("write"))
		return next(fd, bytes, n);
	return fail.e ? -1 : next(fd, bytes, n - 1);
}

/* How lines of a log go to a pipe. */
ssize_t
pwritev2(int fd, const struct iovec *v, int n_v, off_t at, int flags)
{
	NEXT(pwritev2)
	if (!fail_now("write"))
		return next(fd, v, n_v, at, flags);
	const struct iovec shorter = { v->iov_base, v->iov_len - 1 };
	return fail.e ? -1 : next(fd, &shorter, 1, at, flags);
}

ssize_t
read(int fd, void *bytes, size_t n)
{
	NEXT(read)
	return fail_now("read") ? -1 : next(fd, bytes, n);
}

#define FAILS_PREAD(name, type)                                           \
	ssize_t name(int fd, void *bytes, size_t n, type at);             \
                                                                          \
	ssize_t name(int fd, void *bytes, size_t n, type at)              \
	{                                                                 \
		NEXT(name)                                                \
		if (!fail_now("pread"))                                   \
			return next(fd, bytes, n, at);                    \
		return fail.e || n < 2 ? -1 : next(fd, bytes, n / 2, at); \
	}

FAILS_PREAD(pread, off_t)
FAILS_PREAD(pread64, off64_t)

/* Calls that libc has no function for, or that are not to go through one. */
static const char *
fail_name(long number)
{
	switch (number) {
	case SYS_clone3:
		return "clone3";
	case SYS_pidfd_open:
		return "pidfd_open";
	case SYS_setgroups:
	case SYS_setresgid:
	case SYS_setresuid:
		return "setid";
	case FAIL_CLOSE_RANGE:
		return "close_range";
	case FAIL_LANDLOCK:
	case FAIL_LANDLOCK + 1:
	case FAIL_LANDLOCK + 2:
		return "landlock";
	default:
		return NULL;
	}
}

long
syscall(long number, ...)
{
	NEXT(syscall)
	const char *const name = fail_name(number);
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	/* What version Landlock has is a question, too. */
	const bool is_asking = number == FAIL_LANDLOCK && a[0] == 0;
	if (name && !is_asking && fail_now(name))
		return -1;
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
