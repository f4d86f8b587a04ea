/* SPDX-License-Identifier: MIT */
/*
 * request: one tools/list of MCP 2026-07-28 on a connection of its own, and
 * when it was sent and its first byte came back. Ends by the server's close.
 * For programs that measure: what fails ends the program with a sentence.
 */
#ifndef POOL_REQUEST_H
#define POOL_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#define REQUEST_MODERN "2026-07-28"
#define REQUEST_LEGACY "2025-11-25" /* for servers that know no newer one */

/* One exchange. The caller owns it. */
struct request {
	int fd;
	int64_t sent_ns;  /* CLOCK_MONOTONIC; 0: not yet */
	int64_t first_ns; /* first byte; 0: not yet */
	size_t n;         /* bytes in answer */
	char answer[4096];
};

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t request_now_ns(void);

/* End the program with a sentence; errno is told when it is not 0. */
void request_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Let this process have as many descriptors as it may; die if under n. */
void request_need_fds(unsigned n);

/*
 * Begin to connect, without waiting, to a port of 127.0.0.1 or to the unix
 * socket at path; request_close ends it.
 */
void request_connect_port(struct request *request, unsigned port);
void request_connect_path(struct request *request, const char *path);

/*
 * Send it once the descriptor is writable; stamps just before. The version is
 * what the header MCP-Protocol-Version says.
 */
void
request_send(struct request *request, const char *host, const char *version);

/*
 * Take what came, once readable; stamps the first byte. Returns whether the
 * answer is complete. Dies on an answer that is not 200 or lists no tools.
 */
int request_take(struct request *request, const char *host);

/* All of it in turn, connected already: waits for the whole answer. */
void
request_run(struct request *request, const char *host, const char *version);

void request_close(struct request *request);

#endif
