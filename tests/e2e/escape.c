/* SPDX-License-Identifier: MIT */
/* escape: one function an attempt; all of them clean up what they made. */
#include "tests/e2e/escape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ESCAPE_FORKS 2000
#define ESCAPE_MIB   (1024L * 1024)

/* What an attempt is about. */
struct escape {
	const char *text;
	long number;
	long *n_r;
};

/* 0 or errno for a call that says -1; closes what it opened. */
static int
escape_fd(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
escape_rc(long rc)
{
	return rc < 0 ? errno : 0;
}

static int
escape_read(const struct escape *e)
{
	return escape_fd(open(e->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

static int
escape_write(const struct escape *e)
{
	return escape_fd(
	    open(e->text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

static int
escape_remove(const struct escape *e)
{
	return escape_rc(unlink(e->text));
}

static int
escape_unix(const struct escape *e, const char *name, size_t n, int type)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	memcpy(to.sun_path, name, n);
	const int rc = connect(fd, (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	const int error = escape_rc(rc);
	close(fd);
	return error;
}

static int
escape_socket(const struct escape *e)
{
	return escape_unix(e, e->text, strlen(e->text), SOCK_STREAM);
}

static int
escape_abstract(const struct escape *e)
{
	char name[108] = "";

	snprintf(name + 1, sizeof(name) - 1, "%s", e->text);
	return escape_unix(e, name, 1 + strlen(e->text), SOCK_STREAM);
}

/* A datagram from a pair of sockets, addressed to a path. */
static int
escape_datagram(const struct escape *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", e->text);
	const int error = escape_rc(
	    sendto(pair[0], "?", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	close(pair[0]);
	close(pair[1]);
	return error;
}

static int
escape_inet(const struct escape *e, int type)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)e->number),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	const long rc =
	    type == SOCK_STREAM
		? connect(fd, (const struct sockaddr *)&to, sizeof(to))
		: sendto(
		      fd, "?", 1, 0, (const struct sockaddr *)&to, sizeof(to));
	const int error = escape_rc(rc);
	close(fd);
	return error;
}

static int
escape_tcp(const struct escape *e)
{
	return escape_inet(e, SOCK_STREAM);
}

static int
escape_udp(const struct escape *e)
{
	return escape_inet(e, SOCK_DGRAM);
}

static int
escape_family(const struct escape *e)
{
	return escape_fd(socket((int)e->number, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
escape_uring(const struct escape *e)
{
	struct io_uring_params params = { 0 };

	return escape_fd((int)syscall(SYS_io_uring_setup, 4u, &params));
}

/* Returns 1000 - the code: not an errno. */
static int
escape_resolve(const struct escape *e)
{
	struct addrinfo *found = NULL;
	const int rc = getaddrinfo(e->text, "80", NULL, &found);

	if (rc == 0)
		freeaddrinfo(found);
	return rc ? 1000 - rc : 0;
}

static int
escape_signal(const struct escape *e)
{
	return escape_rc(kill((pid_t)e->number, SIGCONT));
}

static int
escape_trace(const struct escape *e)
{
	const long rc = ptrace(PTRACE_SEIZE, (pid_t)e->number, NULL, NULL);

	if (rc == 0)
		ptrace(PTRACE_DETACH, (pid_t)e->number, NULL, NULL);
	return escape_rc(rc);
}

static int
escape_memory_of(const struct escape *e)
{
	char here[8];
	const struct iovec local = { here, sizeof(here) };
	const struct iovec remote = { (void *)(uintptr_t)&escape_memory_of,
		sizeof(here) };
	const long rc =
	    process_vm_readv((pid_t)e->number, &local, 1, &remote, 1, 0);

	/* Our address may be nothing there: that got through. */
	return rc < 0 && errno != EFAULT ? errno : 0;
}

/* A descriptor of another process, 3: a channel or a socket. */
static int
escape_descriptor(const struct escape *e)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)e->number, 0u);

	if (pidfd < 0)
		return errno;
	const int error =
	    escape_fd((int)syscall(SYS_pidfd_getfd, pidfd, (int)*e->n_r, 0u));
	close(pidfd);
	return error;
}

static int
escape_priority(const struct escape *e)
{
	const struct sched_param low = { 0 };

	return escape_rc(
	    sched_setscheduler((pid_t)e->number, SCHED_IDLE, &low));
}

static int
escape_unshare(const struct escape *e)
{
	return escape_rc(unshare((int)e->number));
}

/* A child in namespaces of its own; it is reaped. */
static int
escape_clone(const struct escape *e)
{
	const long pid =
	    syscall(SYS_clone, (unsigned long)e->number | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int
escape_mount(const struct escape *e)
{
	return escape_rc(mount("none", e->text, "tmpfs", 0, NULL));
}

static int
escape_root(const struct escape *e)
{
	return escape_rc(setresuid(0, 0, 0));
}

static int
escape_group(const struct escape *e)
{
	return escape_rc(setresgid(0, 0, 0));
}

static int
escape_outlive(const struct escape *e)
{
	return escape_rc(prctl(PR_SET_PDEATHSIG, (unsigned long)e->number));
}

/* A program with the set-user-id bit: whether it makes us somebody else. */
static int
escape_privileges(const struct escape *e)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

/* As many children as can be had; *n_r of them, all ended. */
static int
escape_forks(const struct escape *e)
{
	static pid_t pids[ESCAPE_FORKS];
	int error = 0;
	long n = 0;

	while (n < ESCAPE_FORKS && error == 0) {
		const pid_t pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			error = errno;
		else
			pids[n++] = pid;
	}
	for (long i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (long i = 0; i < n; i++)
		waitpid(pids[i], NULL, 0);
	*e->n_r = n;
	return error;
}

/* Up to number MiB, each written to; *n_r were had. */
static int
escape_memory(const struct escape *e)
{
	static void *parts[16384];
	int error = 0;
	long n = 0;

	while (n < e->number && n < 16384 && error == 0) {
		void *const part = mmap(NULL, ESCAPE_MIB,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (part == MAP_FAILED) {
			error = errno;
			break;
		}
		memset(part, 1, ESCAPE_MIB);
		parts[n++] = part;
	}
	for (long i = 0; i < n; i++)
		munmap(parts[i], ESCAPE_MIB);
	*e->n_r = n;
	return error;
}

static int
escape_files(const struct escape *e)
{
	int fds[1024];
	int error = 0;
	long n = 0;

	while (n < 1024 && error == 0) {
		const int fd = dup(0);
		if (fd < 0)
			error = errno;
		else
			fds[n++] = fd;
	}
	for (long i = 0; i < n; i++)
		close(fds[i]);
	*e->n_r = n;
	return error;
}

static void *
escape_in_thread(void *arg)
{
	return arg;
}

/* No attempt, but what must go on: a thread. */
static int
escape_thread(const struct escape *e)
{
	pthread_t thread;
	const int error = pthread_create(&thread, NULL, escape_in_thread, NULL);

	return error ? error : pthread_join(thread, NULL);
}

static const struct {
	const char *name;
	int (*fn)(const struct escape *e);
} escape_attempts[] = {
	{ "read", escape_read },
	{ "write", escape_write },
	{ "remove", escape_remove },
	{ "socket", escape_socket },
	{ "abstract", escape_abstract },
	{ "datagram", escape_datagram },
	{ "tcp", escape_tcp },
	{ "udp", escape_udp },
	{ "family", escape_family },
	{ "uring", escape_uring },
	{ "resolve", escape_resolve },
	{ "signal", escape_signal },
	{ "trace", escape_trace },
	{ "memory_of", escape_memory_of },
	{ "descriptor", escape_descriptor },
	{ "priority", escape_priority },
	{ "unshare", escape_unshare },
	{ "clone", escape_clone },
	{ "mount", escape_mount },
	{ "root", escape_root },
	{ "group", escape_group },
	{ "outlive", escape_outlive },
	{ "privileges", escape_privileges },
	{ "forks", escape_forks },
	{ "memory", escape_memory },
	{ "files", escape_files },
	{ "thread", escape_thread },
};

int
escape_try(const char *name, const char *text, long number, long *n_r)
{
	const struct escape e = { text, number, n_r };

	for (size_t i = 0;
	     i < sizeof(escape_attempts) / sizeof(escape_attempts[0]); i++)
		if (strcmp(escape_attempts[i].name, name) == 0)
			return escape_attempts[i].fn(&e);
	return -1;
}
