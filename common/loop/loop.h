/* SPDX-License-Identifier: MIT */
/*
 * loop: the event loop of the process; the only room that knows libevent.
 * One loop a process, one thread. Watchers are embedded in their owners
 * (*borrowed* by the loop from start to stop) and never freed here. Timers are
 * kept in deadline order in a tree of ours, so that setting one allocates
 * nothing, equal deadlines fire in the order they were set (a test may permute
 * them), and a test can run them under the virtual clock of base/clock.h.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_READ  1u /* readable, or the peer closed */
#define LOOP_WRITE 2u /* writable, or failed */

#define LOOP_RAW_WORDS 18

/* A descriptor that is watched, level-triggered, until it is stopped. */
struct loop_io {
	TAILQ_ENTRY(loop_io) ready_link; /* under loop_seed only */
	void (*on_ready)(unsigned events, void *arg);
	void *arg;
	int fd;
	unsigned events;              /* watched now; 0 when stopped */
	unsigned ready;               /* what on_ready is still to be told */
	uint64_t raw[LOOP_RAW_WORDS]; /* libevent's, private */
	uint64_t raw_write[LOOP_RAW_WORDS];
};

/* A one-shot timer. */
struct loop_timer {
	RB_ENTRY(loop_timer) link;
	void (*on_due)(void *arg);
	void *arg;
	int64_t at_ms; /* CLOCK_NEVER when it is not set */
	uint64_t seq;  /* grows with each set */
	uint64_t rank; /* decides between equal deadlines, before seq */
};

/* A signal of the process. */
struct loop_signal {
	void (*on_signal)(int signo, void *arg);
	void *arg;
	int signo;
	bool is_on;
	uint64_t raw[LOOP_RAW_WORDS];
};

/* A call that is made from the loop, not under the caller. */
struct loop_defer {
	TAILQ_ENTRY(loop_defer) link;
	void (*on_turn)(void *arg);
	void *arg;
	bool is_queued;
};

/* Make the loop of this process. Aborts when that fails: start-up only. */
void loop_open(void);

/* Free the loop. Watchers must have been stopped. */
void loop_close(void);

/* After fork in a child that does not exec: renew what the kernel keeps. */
void loop_reopen(void);

/*
 * Tests only: permute, by seed, what nothing promises: the order of
 * descriptors that became ready in one poll and that of equal deadlines. 0,
 * and loop_open, return to the order of the kernel and of setting. Call it
 * while no timer is set.
 */
void loop_seed(uint64_t seed);

/* Whether something is to be permuted, and the next number to do it by. */
bool loop_is_seeded(void);
uint64_t loop_random(void);

/*
 * Run until loop_stop, or until nothing is left to wait for. Returns true
 * when it was stopped, false when nothing is left.
 */
bool loop_run(void);

/* Make loop_run return after the present turn. */
void loop_stop(void);

/*
 * One turn: deferred calls and the turn hook, then wait for descriptors
 * (not at all when may_wait is false), then timers that are due. Returns
 * false when nothing is left to wait for.
 */
bool loop_turn(bool may_wait);

/* The time at which the present turn began; cheaper than the clock. */
int64_t loop_now_ms(void);

/*
 * Call on_turn before each wait of the loop, once more whenever it returns
 * true. One hook a process: flow's run queue. NULL takes it away.
 */
void loop_hook(bool (*on_turn)(void));

/*
 * Fill *io. fd is *borrowed*. Nothing is watched yet.
 */
void loop_io_init(struct loop_io *io, int fd,
    void (*on_ready)(unsigned events, void *arg), void *arg);

/*
 * Watch exactly these events (LOOP_READ | LOOP_WRITE; 0 stops). Cheap when
 * nothing changes. Returns 0 or -errno (ENOMEM, EBADF, EPERM for a plain
 * file).
 */
int loop_io_watch(struct loop_io *io, unsigned events);

/* Stop watching; call it before fd is closed. Stopped already: nothing. */
void loop_io_stop(struct loop_io *io);

/* Fill *t, not set. */
void
loop_timer_init(struct loop_timer *t, void (*on_due)(void *arg), void *arg);

/* Set or move the timer to deadline_ms (CLOCK_NEVER clears it). */
void loop_timer_set(struct loop_timer *t, int64_t deadline_ms);

/* Clear the timer; not set: nothing. */
void loop_timer_clear(struct loop_timer *t);

/* Whether the timer is set. */
bool loop_timer_is_set(const struct loop_timer *t);

/* Watch a signal. Returns 0 or -errno. */
int loop_signal_start(struct loop_signal *s, int signo,
    void (*on_signal)(int signo, void *arg), void *arg);

/* Stop watching the signal; its default action is back. */
void loop_signal_stop(struct loop_signal *s);

/*
 * Queue a call for the next turn; queued already: nothing. *d is *borrowed*
 * until the call is made or cancelled.
 */
void loop_defer(struct loop_defer *d, void (*on_turn)(void *arg), void *arg);

/* Take a queued call back; not queued: nothing. */
void loop_defer_cancel(struct loop_defer *d);

#endif
