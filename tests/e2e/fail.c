/* SPDX-License-Identifier: MIT */
/*
 * fail: preloaded into poold it makes the n-th call of one kind fail:
 *
 *	LD_PRELOAD=fail.so FAIL=CALL:N:ERRNO FAIL_LOG=FILE poold ...
 *
 * ERRNO is a number, or "short" (write takes one byte less than it was given).
 * When the call is reached FILE gets a line. Only the process that was started
 * so is concerned: children lose the variables, and a fork is seen by its pid.
 */
/* open and open64 are two functions here, and one for whoever has large files. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	char call[32];
	unsigned long n; /* which one fails; 0: none */
	unsigned long at;
	int e; /* 0: short */
	long pid;
	char log[256];
} fail;

static __attribute__((constructor)) void
fail_open(void)
{
	const char *const text = getenv("FAIL");
	const char *const log = getenv("FAIL_LOG");
	char word[16];

	if (text && log && strlen(log) < sizeof(fail.log) &&
	    sscanf(text, "%31[^:]:%lu:%15s", fail.call, &fail.n, word) == 3) {
		fail.e = atoi(word);
		fail.pid = syscall(SYS_getpid);
		strcpy(fail.log, log);
	}
	unsetenv("LD_PRELOAD");
	unsetenv("FAIL");
	unsetenv("FAIL_LOG");
}

/* Whether this call is the one; errno is set then. */
static int
fail_now(const char *call)
{
	if (fail.n == 0 || strcmp(call, fail.call) != 0 ||
	    syscall(SYS_getpid) != fail.pid || ++fail.at != fail.n)
		return 0;
	const long fd = syscall(SYS_openat, AT_FDCWD, fail.log,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd >= 0) {
		syscall(SYS_write, fd, "reached\n", 8);
		syscall(SYS_close, fd);
	}
	errno = fail.e;
	return 1;
}

/* The function that stands behind ours. */
#define NEXT(name)                     \
	static __typeof__(name) *next; \
	if (!next)                     \
		*(void **)&next = dlsym(RTLD_NEXT, #name);

pid_t
fork(void)
{
	NEXT(fork)
	return fail_now("fork") ? -1 : next();
}

int
socketpair(int domain, int type, int protocol, int fds[2])
{
	NEXT(socketpair)
	return fail_now("socketpair") ? -1 : next(domain, type, protocol, fds);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	NEXT(sendmsg)
	return fail_now("sendmsg") ? -1 : next(fd, msg, flags);
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	NEXT(recvmsg)
	return fail_now("recvmsg") ? -1 : next(fd, msg, flags);
}

/* The mode of an open, where there is one. */
#define MODE(flags)                            \
	mode_t mode = 0;                       \
	if ((flags) & (O_CREAT | O_TMPFILE)) { \
		va_list ap;                    \
		va_start(ap, flags);           \
		mode = va_arg(ap, mode_t);     \
		va_end(ap);                    \
	}

int
open(const char *path, int flags, ...)
{
	NEXT(open)
	MODE(flags)
	return fail_now("open") ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...);

int
open64(const char *path, int flags, ...)
{
	NEXT(open64)
	MODE(flags)
	return fail_now("open") ? -1 : next(path, flags, mode);
}

ssize_t
read(int fd, void *bytes, size_t n)
{
	NEXT(read)
	return fail_now("read") ? -1 : next(fd, bytes, n);
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

int
pipe2(int fds[2], int flags)
{
	NEXT(pipe2)
	return fail_now("pipe2") ? -1 : next(fds, flags);
}

int
epoll_create1(int flags)
{
	NEXT(epoll_create1)
	return fail_now("epoll_create1") ? -1 : next(flags);
}

int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	NEXT(epoll_ctl)
	return fail_now("epoll_ctl") ? -1 : next(epfd, op, fd, event);
}

int
epoll_wait(int epfd, struct epoll_event *events, int n, int timeout_ms)
{
	NEXT(epoll_wait)
	return fail_now("epoll_wait") ? -1 : next(epfd, events, n, timeout_ms);
}

/* Calls that libc has no function for. */
long
syscall(long number, ...)
{
	NEXT(syscall)
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_clone3 && fail_now("clone3"))
		return -1;
	if (number == SYS_pidfd_open && fail_now("pidfd_open"))
		return -1;
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
