/* SPDX-License-Identifier: MIT */
/*
 * loop: libevent for descriptors and signals, a tree of ours for timers.
 * libevent sees one timeout, that of the earliest timer; under the virtual
 * clock it sees none and time jumps to the earliest timer whenever nothing
 * else can happen.
 */
#include "common/loop/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/must.h"
#include "common/base/sigstack.h"

_Static_assert(sizeof(struct event) <= LOOP_RAW_WORDS * sizeof(uint64_t),
    "struct event outgrew the storage in loop.h");

RB_HEAD(loop_timers, loop_timer);

static struct {
	struct event_base *base;
	struct loop_timers timers;
	TAILQ_HEAD(, loop_defer) deferred;
	bool (*on_turn)(void);
	uint64_t seq;
	int64_t now_ms;   /* of the present turn */
	uint64_t n_fired; /* callbacks of descriptors and signals */
	struct event timeout;
	int64_t armed_ms; /* when timeout fires, or CLOCK_NEVER */
	bool is_stopped;
	uint64_t seed;               /* 0: nothing is permuted */
	TAILQ_HEAD(, loop_io) ready; /* under a seed: told after the poll */
} loop;

bool
loop_is_seeded(void)
{
	return loop.seed != 0;
}

/* splitmix64 */
uint64_t
loop_random(void)
{
	uint64_t z = (loop.seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int
loop_timer_cmp(struct loop_timer *a, struct loop_timer *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void loop_on_timeout(evutil_socket_t fd, short what, void *arg);

RB_GENERATE_INTERNAL(loop_timers, loop_timer, link, loop_timer_cmp,
    static __attribute__((unused)))

/* The storage as libevent's struct: memory in, typed pointer out. */
static struct event *
loop_event(uint64_t *raw)
{
	return (struct event *)(void *)raw;
}

/* What libevent has to say: we report errors ourselves, with their place. */
static void
loop_on_log(int severity, const char *msg)
{
	log_debug("loop: libevent: %s", msg);
}

void
loop_open(void)
{
	event_set_log_callback(loop_on_log);
	struct event_config *const config = event_config_new();

	must(config && !loop.base);
	must(event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0);
	/* not PRECISE_TIMER: that is a system call more for each wait, and
	 * deadlines here are good for a few milliseconds */
	loop.base = event_base_new_with_config(config);
	must(loop.base);
	event_config_free(config);
	RB_INIT(&loop.timers);
	TAILQ_INIT(&loop.deferred);
	TAILQ_INIT(&loop.ready);
	loop.seed = 0;
	loop.now_ms = clock_now_ms();
	loop.is_stopped = false;
	loop.armed_ms = CLOCK_NEVER;
	evtimer_assign(&loop.timeout, loop.base, loop_on_timeout, NULL);
}

void
loop_close(void)
{
	must(loop.base);
	event_del(&loop.timeout);
	event_base_free(loop.base);
	loop.base = NULL;
	loop.on_turn = NULL;
}

void
loop_reopen(void)
{
	must(loop.base && event_reinit(loop.base) == 0);
}

void
loop_seed(uint64_t seed)
{
	must(RB_EMPTY(&loop.timers) && TAILQ_EMPTY(&loop.ready));
	loop.seed = seed;
}

void
loop_hook(bool (*on_turn)(void))
{
	loop.on_turn = on_turn;
}

/* Everything that waits for no descriptor: deferred calls and the hook. */
static void
loop_run_turn_work(void)
{
	bool is_more;

	do {
		struct loop_defer *const d = TAILQ_FIRST(&loop.deferred);
		if (d) {
			loop_defer_cancel(d);
			d->on_turn(d->arg);
		}
		is_more = loop.on_turn && loop.on_turn();
	} while (is_more || !TAILQ_EMPTY(&loop.deferred));
}

/* Fire the timers that are due now; those set meanwhile wait for a turn. */
static void
loop_fire_timers(void)
{
	const int64_t now = clock_now_ms();
	const uint64_t last = loop.seq;
	struct loop_timer *t;

	while ((t = RB_MIN(loop_timers, &loop.timers)) && t->at_ms <= now &&
	       t->seq <= last) {
		loop_timer_clear(t);
		t->on_due(t->arg);
	}
}

/* Tell one watcher one of its events. */
static void
loop_tell(struct loop_io *io)
{
	const unsigned event =
	    io->ready & LOOP_READ ? LOOP_READ : io->ready & LOOP_WRITE;

	io->ready &= ~event;
	if (!io->ready)
		TAILQ_REMOVE(&loop.ready, io, ready_link);
	io->on_ready(event, io->arg);
}

/* Under a seed: a descriptor is ready; it stands anywhere among the others. */
static void
loop_shuffle_in(struct loop_io *io, unsigned event)
{
	struct loop_io *before = TAILQ_FIRST(&loop.ready);

	io->ready |= event;
	if (io->ready != event)
		return;
	while (before && loop_random() & 1)
		before = TAILQ_NEXT(before, ready_link);
	if (before)
		TAILQ_INSERT_BEFORE(before, io, ready_link);
	else
		TAILQ_INSERT_TAIL(&loop.ready, io, ready_link);
}

/* A watcher no longer wants some events: forget that they came. */
static void
loop_forget(struct loop_io *io, unsigned events)
{
	if (!(io->ready & events))
		return;
	io->ready &= ~events;
	if (!io->ready)
		TAILQ_REMOVE(&loop.ready, io, ready_link);
}

/* The earliest timer is due: loop_turn fires it. */
static void
loop_on_timeout(evutil_socket_t fd, short what, void *arg)
{
}

/* Let libevent wake up at the earliest timer, if that changed. */
static void
loop_arm(const struct loop_timer *t)
{
	const int64_t at = t && !clock_is_virtual() ? t->at_ms : CLOCK_NEVER;
	const int64_t in_ms = at - clock_now_ms();
	const struct timeval tv = { in_ms / 1000, (in_ms % 1000) * 1000 };

	if (at == loop.armed_ms &&
	    (at == CLOCK_NEVER ||
		event_pending(&loop.timeout, EV_TIMEOUT, NULL)))
		return;
	loop.armed_ms = at;
	if (at == CLOCK_NEVER)
		event_del(&loop.timeout);
	else
		must(event_add(&loop.timeout, &tv) == 0);
}

/* Under the virtual clock: jump to the earliest timer. */
static void
loop_jump(const struct loop_timer *t)
{
	if (t)
		clock_virtual_set(t->at_ms);
}

int64_t
loop_now_ms(void)
{
	return loop.now_ms;
}

bool
loop_turn(bool may_wait)
{
	must(loop.base);
	loop.now_ms = clock_now_ms();
	loop_run_turn_work();
	const struct loop_timer *const t = RB_MIN(loop_timers, &loop.timers);
	const bool is_due = t && t->at_ms <= clock_now_ms();
	const bool is_virtual = clock_is_virtual();
	const uint64_t n_before = loop.n_fired;
	const bool waits =
	    may_wait && !is_due && !loop.is_stopped && !(is_virtual && t);
	if (!is_due)
		loop_arm(t);
	/* EVLOOP_NONBLOCK alone polls until nothing is ready any more. */
	const int rc = event_base_loop(
	    loop.base, EVLOOP_ONCE | (waits ? 0 : EVLOOP_NONBLOCK));
	must(rc >= 0);
	while (!TAILQ_EMPTY(&loop.ready))
		loop_tell(TAILQ_FIRST(&loop.ready));
	if (is_virtual && !is_due && loop.n_fired == n_before && may_wait)
		loop_jump(t);
	loop_fire_timers();
	return rc == 0 || t || !RB_EMPTY(&loop.timers) ||
	       !TAILQ_EMPTY(&loop.deferred);
}

bool
loop_run(void)
{
	loop.is_stopped = false;
	while (!loop.is_stopped)
		if (!loop_turn(true) && !loop.is_stopped) {
			/* what the last callbacks queued may go on */
			loop_run_turn_work();
			if (!loop.is_stopped && !loop_turn(false))
				return false;
		}
	return true;
}

void
loop_stop(void)
{
	loop.is_stopped = true;
}

static void
loop_on_io(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *const io = arg;
	const unsigned event = what & EV_READ ? LOOP_READ : LOOP_WRITE;

	loop.n_fired++;
	if (loop.seed)
		loop_shuffle_in(io, event);
	else
		io->on_ready(event, io->arg);
}

void
loop_io_init(struct loop_io *io, int fd,
    void (*on_ready)(unsigned events, void *arg), void *arg)
{
	*io = (struct loop_io){ .on_ready = on_ready, .arg = arg, .fd = fd };
	event_assign(loop_event(io->raw), loop.base, fd, EV_READ | EV_PERSIST,
	    loop_on_io, io);
	event_assign(loop_event(io->raw_write), loop.base, fd,
	    EV_WRITE | EV_PERSIST, loop_on_io, io);
}

/* Bring one direction to the wanted state. */
static int
loop_io_turn(uint64_t *raw, bool is_on, bool want)
{
	if (is_on == want)
		return 0;
	errno = 0;
	const int rc = want ? event_add(loop_event(raw), NULL)
	                    : event_del(loop_event(raw));
	if (rc == 0)
		return 0;
	return errno ? -errno : -ENOMEM;
}

int
loop_io_watch(struct loop_io *io, unsigned events)
{
	if (events == io->events)
		return 0;
	loop_forget(io, ~events);
	int rc =
	    loop_io_turn(io->raw, io->events & LOOP_READ, events & LOOP_READ);
	if (rc < 0)
		return rc;
	io->events = (io->events & LOOP_WRITE) | (events & LOOP_READ);
	rc = loop_io_turn(
	    io->raw_write, io->events & LOOP_WRITE, events & LOOP_WRITE);
	if (rc == 0)
		io->events = events;
	return rc;
}

void
loop_io_stop(struct loop_io *io)
{
	loop_forget(io, ~0u);
	if (io->events & LOOP_READ)
		event_del(loop_event(io->raw));
	if (io->events & LOOP_WRITE)
		event_del(loop_event(io->raw_write));
	io->events = 0;
}

void
loop_timer_init(struct loop_timer *t, void (*on_due)(void *arg), void *arg)
{
	*t = (struct loop_timer){
		.on_due = on_due, .arg = arg, .at_ms = CLOCK_NEVER
	};
}

void
loop_timer_set(struct loop_timer *t, int64_t deadline_ms)
{
	loop_timer_clear(t);
	if (deadline_ms == CLOCK_NEVER)
		return;
	t->at_ms = deadline_ms;
	t->seq = ++loop.seq;
	t->rank = loop.seed ? loop_random() : 0;
	RB_INSERT(loop_timers, &loop.timers, t);
}

void
loop_timer_clear(struct loop_timer *t)
{
	if (t->at_ms == CLOCK_NEVER)
		return;
	RB_REMOVE(loop_timers, &loop.timers, t);
	t->at_ms = CLOCK_NEVER;
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->at_ms != CLOCK_NEVER;
}

static void
loop_on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *const s = arg;

	loop.n_fired++;
	s->on_signal(signo, s->arg);
}

int
loop_signal_start(struct loop_signal *s, int signo,
    void (*on_signal)(int signo, void *arg), void *arg)
{
	*s = (struct loop_signal){
		.on_signal = on_signal, .arg = arg, .signo = signo
	};
	evsignal_assign(
	    loop_event(s->raw), loop.base, signo, loop_on_signal, s);
	if (event_add(loop_event(s->raw), NULL) < 0)
		return -ENOMEM;
	/* It may come while a task runs. */
	sigstack_move(signo);
	s->is_on = true;
	return 0;
}

void
loop_signal_stop(struct loop_signal *s)
{
	if (s->is_on)
		event_del(loop_event(s->raw));
	s->is_on = false;
}

void
loop_defer(struct loop_defer *d, void (*on_turn)(void *arg), void *arg)
{
	if (d->is_queued)
		return;
	d->on_turn = on_turn;
	d->arg = arg;
	d->is_queued = true;
	TAILQ_INSERT_TAIL(&loop.deferred, d, link);
}

void
loop_defer_cancel(struct loop_defer *d)
{
	if (!d->is_queued)
		return;
	TAILQ_REMOVE(&loop.deferred, d, link);
	d->is_queued = false;
}
