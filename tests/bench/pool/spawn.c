/* SPDX-License-Identifier: MIT */
/*
 * spawn: what it takes without a pool. Forks and executes a program that takes
 * its connections on descriptor 3, connects, asks, reads the first byte.
 *
 *	spawn one PROGRAM [ARG...]     a sample for each line of stdin
 *	spawn old PROGRAM [ARG...]     the same for a server of MCP 2025-11-25
 *	spawn all N PROGRAM [ARG...]   N at once: all started, all asked
 *	spawn kill N                   N forked children that wait: kill, reap
 *
 * Sockets are made, in the working directory, before the clock starts. Answers
 *are `BEGAN FIRST`, in nanoseconds of CLOCK_MONOTONIC; of `all` the last first
 *byte, of `kill` the last reap. Children die with this process.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/pool/request.h"

#define SPAWN_FD     3
#define SPAWN_EVENTS 64
#define PATIENCE_MS  60000
#define HOST         "bare.localhost"

struct spawn {
	struct request request;
	pid_t pid;
	int listen_fd;
	char path[32];
};

static void
spawn_print(int64_t a_ns, int64_t b_ns)
{
	printf("%" PRId64 " %" PRId64 "\n", a_ns, b_ns);
	fflush(stdout);
}

/* A socket that listens, in the folder that this was started in. */
static void
spawn_listen(struct spawn *spawn, unsigned number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(spawn->path, sizeof(spawn->path), "%u.socket", number);
	strcpy(address.sun_path, spawn->path);
	spawn->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (spawn->listen_fd < 0 ||
	    bind(spawn->listen_fd, (struct sockaddr *)&address,
		sizeof(address)) < 0 ||
	    listen(spawn->listen_fd, 16) < 0)
		request_die("a socket at %s", spawn->path);
}

/* The child's way into its program. */
static void __attribute__((noreturn))
spawn_exec(const struct spawn *spawn, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(spawn->listen_fd, SPAWN_FD) == SPAWN_FD)
		execv(argv[0], argv);
	_exit(127);
}

static void
spawn_fork(struct spawn *spawn, char **argv)
{
	spawn->pid = fork();
	if (spawn->pid < 0)
		request_die("fork (limits: ulimit -u, kernel.pid_max)");
	if (spawn->pid == 0)
		spawn_exec(spawn, argv);
	close(spawn->listen_fd);
	request_connect_path(&spawn->request, spawn->path);
}

static void
spawn_end(struct spawn *spawn)
{
	request_close(&spawn->request);
	kill(spawn->pid, SIGKILL);
	waitpid(spawn->pid, NULL, 0);
	unlink(spawn->path);
}

static void
spawn_one(const char *version, char **argv)
{
	struct spawn spawn;
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		spawn_listen(&spawn, 0);
		const int64_t began_ns = request_now_ns();
		spawn_fork(&spawn, argv);
		request_run(&spawn.request, HOST, version);
		spawn_end(&spawn);
		spawn_print(began_ns, spawn.request.first_ns);
	}
}

/* Until the answers of all are complete. Returns when the last one began. */
static int64_t
spawn_await(int epoll_fd, unsigned n_left)
{
	struct epoll_event events[SPAWN_EVENTS];
	int64_t last_ns = 0;

	while (n_left > 0) {
		const int n =
		    epoll_wait(epoll_fd, events, SPAWN_EVENTS, PATIENCE_MS);
		if (n <= 0)
			request_die("%u answers are missing", n_left);
		for (int i = 0; i < n; i++) {
			struct request *const request = events[i].data.ptr;
			if (!request_take(request, HOST))
				continue;
			epoll_ctl(epoll_fd, EPOLL_CTL_DEL, request->fd, NULL);
			if (request->first_ns > last_ns)
				last_ns = request->first_ns;
			n_left--;
		}
	}
	return last_ns;
}

static void
spawn_all(unsigned n, char **argv)
{
	struct spawn *const all = calloc(n, sizeof(*all));
	const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (!all || epoll_fd < 0)
		request_die("start");
	request_need_fds(n + 16);
	for (unsigned i = 0; i < n; i++)
		spawn_listen(&all[i], i);
	const int64_t began_ns = request_now_ns();
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event in = { .events = EPOLLIN,
			.data.ptr = &all[i].request };
		spawn_fork(&all[i], argv);
		request_send(&all[i].request, HOST, REQUEST_MODERN);
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[i].request.fd, &in))
			request_die("epoll_ctl");
	}
	const int64_t last_ns = spawn_await(epoll_fd, n);
	for (unsigned i = 0; i < n; i++)
		spawn_end(&all[i]);
	free(all);
	spawn_print(began_ns, last_ns);
}

/* A child that says that it runs, and waits. */
static pid_t
spawn_idle(const int ready[2])
{
	const pid_t pid = fork();

	if (pid < 0)
		request_die("fork (limits: ulimit -u, kernel.pid_max)");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
spawn_kill(unsigned n)
{
	pid_t *const pids = calloc(n, sizeof(*pids));
	int ready[2];
	char byte;

	if (!pids || pipe(ready) < 0)
		request_die("start");
	for (unsigned i = 0; i < n; i++)
		pids[i] = spawn_idle(ready);
	for (unsigned i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			request_die("children");
	const int64_t began_ns = request_now_ns();
	for (unsigned i = 0; i < n; i++)
		kill(pids[i], SIGTERM);
	for (unsigned i = 0; i < n; i++)
		if (waitpid(pids[i], NULL, 0) != pids[i])
			request_die("wait");
	spawn_print(began_ns, request_now_ns());
	free(pids);
}

int
main(int argc, char **argv)
{
	const char *const mode = argc > 2 ? argv[1] : "";
	const int fd = dup(STDERR_FILENO); /* 3 is taken: no socket gets it */

	if (fd < 0)
		request_die("start");
	if (strcmp(mode, "one") == 0) {
		spawn_one(REQUEST_MODERN, argv + 2);
	} else if (strcmp(mode, "old") == 0) {
		spawn_one(REQUEST_LEGACY, argv + 2);
	} else if (strcmp(mode, "all") == 0 && argc > 3) {
		spawn_all((unsigned)atoi(argv[2]), argv + 3);
	} else if (strcmp(mode, "kill") == 0) {
		spawn_kill((unsigned)atoi(argv[2]));
	} else {
		fputs("usage: spawn one|old PROGRAM [ARG...] | "
		      "all N PROGRAM [ARG...] | kill N\n",
		    stderr);
		return 2;
	}
	return 0;
}
