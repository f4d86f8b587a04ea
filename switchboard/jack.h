/* SPDX-License-Identifier: MIT */
/*
 * jack: one socket with its two bounded buffers, one timer and one watch.
 * Clients, upstreams and admin clients embed one. It reads once per readiness,
 * writes directly before it waits for room, watches only what it must, and
 * moves its timer lazily, so that a request costs no epoll_ctl and no timer.
 * It decides nothing: its owner says what the bytes mean.
 */
#ifndef SWITCHBOARD_JACK_H
#define SWITCHBOARD_JACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/bytes.h"
#include "common/loop/loop.h"

/* Embedded in its owner, which opens and closes it. */
struct jack {
	struct loop_io io;
	struct loop_timer timer;
	int64_t deadline_ms; /* the timer may stand earlier, never later */
	void (*on_due)(void *arg);
	void *arg;
	struct buf in;         /* came from the peer, not yet taken */
	struct buf out;        /* to be written */
	uint64_t n_read;       /* bytes of all its life */
	uint64_t n_written;    /* bytes of all its life */
	int64_t read_at_ms;    /* kept by the owner: when input last moved */
	int64_t stalled_at_ms; /* since when the peer takes nothing, or 0 */
	bool is_eof;           /* the peer sends no more */
	bool is_broken;        /* writing failed: no more is written */
	bool is_shut;          /* our own side was ended by jack_shut */
};

/*
 * Open a jack over fd (*takes* it). on_ready and on_due are called with arg
 * from the loop; nothing is watched yet.
 */
void jack_open_take(struct jack *w, int fd,
    void (*on_ready)(unsigned events, void *arg), void (*on_due)(void *arg),
    void *arg);

/* Close the socket, give the buffers back. Closed already: nothing. */
void jack_close(struct jack *w);

/* The same, but so that the peer sees a reset and not an end (TCP). */
void jack_reset(struct jack *w);

/* Whether the socket is open. */
bool jack_is_open(const struct jack *w);

/*
 * Read once into `in`. Returns the bytes read, 0 at the end (is_eof is set),
 * -EAGAIN when there is nothing or no room, -ENOMEM, or -errno: the peer is
 * lost.
 */
ssize_t jack_read(struct jack *w);

/* Read once and throw it away; returns as jack_read. */
ssize_t jack_discard(struct jack *w);

/*
 * Write *first (may be NULL; moved on by what was written), then `out`.
 * Returns 0 when all is written, -EAGAIN when the peer takes no more now,
 * -errno when writing failed (what was not written stays, is_broken is set).
 */
int jack_write(struct jack *w, struct slice *first);

/* End our side of the stream; the peer may still send. Once only. */
void jack_shut(struct jack *w);

/*
 * Watch for input while `in` has at least min_room bytes of room (and the peer
 * has not ended), and for room while the peer has not taken all.
 */
void jack_watch(struct jack *w, size_t min_room);

/* Call on_due at deadline_ms (CLOCK_NEVER: not at all). */
void jack_deadline(struct jack *w, int64_t deadline_ms);

#endif
