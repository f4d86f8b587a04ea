/* SPDX-License-Identifier: MIT */
/*
 * once: descriptors that are watched for long and silent most of the time. One
 * costs 24 bytes, where a loop_io costs 336 and libevent's books 45 more: all
 * stand in an epoll of their own, which the loop watches as one descriptor. It
 * is told once, and then no more until it is armed again; so an owner that has
 * no time for it costs no turns of the loop, and one that does not read it out
 * is told again.
 * Source: epoll(7), EPOLLONESHOT.
 */
#ifndef LOOP_ONCE_H
#define LOOP_ONCE_H

#include "common/loop/loop.h"

/* Embedded in its owner, *borrowed* by the loop from watch to stop. */
struct loop_once {
	void (*on_ready)(unsigned events, void *arg);
	void *arg;
	int fd;
	unsigned events; /* watched now; 0 when stopped */
};

/* Fill *once. fd is *borrowed*. Nothing is watched yet. */
void loop_once_init(struct loop_once *once, int fd,
    void (*on_ready)(unsigned events, void *arg), void *arg);

/*
 * Watch exactly these events (LOOP_READ | LOOP_WRITE; 0 stops), armed. What is
 * ready already is told in the next turn. Returns 0 or -errno (ENOMEM, ENOSPC,
 * EMFILE, EBADF, EPERM for a plain file); to watch other events than now never
 * runs out of memory.
 */
int loop_once_watch(struct loop_once *once, unsigned events);

/* It was told: tell again what is ready, or will be. 0 or -errno. */
int loop_once_arm(struct loop_once *once);

/* Stop watching; call it before fd is closed. Stopped already: nothing. */
void loop_once_stop(struct loop_once *once);

#endif
