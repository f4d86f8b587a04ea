/* SPDX-License-Identifier: MIT */
/*
 * registry: each session has a place here from its start until it is
 * forgotten. Limits of time are the same for all, so what falls due next
 * stands first in one of two lists: of those that live by their start, of
 * those that linger by when they were let go. Sessions are freed by the
 * keeper, or by the eviction of another one, never under whoever let go of
 * them; only without a registry they are.
 */
#include "backend/registry.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/wait.h"

#include "backend/run.h"
#include "backend/value.h"

#define REGISTRY_MAGIC 0x72656769u

TAILQ_HEAD(place_list, place);

/* Where a session stands; owned by the registry, an orphan by itself. */
struct place {
	RB_ENTRY(place) by_id;
	TAILQ_ENTRY(place) by_due;
	struct place_list *list;   /* where it stands by that, or NULL */
	struct registry *registry; /* NULL: an orphan */
	struct session *session;
	int64_t started_at_ms;
	int64_t due_at_ms; /* in a list: limit of its time, end of linger */
	bool is_ended;
	size_t args_bytes; /* of a live one, 0: small */
	size_t bytes;      /* of an ended one */
};

RB_HEAD(place_tree, place);

struct registry {
	uint32_t magic;
	struct registry_spec spec;
	struct scope *scope;
	struct place_tree places;
	struct place_list limited;   /* live, oldest first */
	struct place_list lingering; /* ended and let go, longest ago first */
	struct keeper_duty duty;
	unsigned n_live;
	unsigned n_ended;
	size_t ended_bytes;
	size_t args_bytes; /* of all that live */
	bool is_shut;
	struct waitq idle; /* registry_shut */
};

static int
place_compare(const struct place *a, const struct place *b)
{
	return strcmp(session_id(a->session), session_id(b->session));
}

/* RB_GENERATE_STATIC of libbsd relies on a macro that glibc lacks. */
RB_GENERATE_INTERNAL(
    place_tree, place, by_id, place_compare, __attribute__((unused)) static)

/* Take it out of the list it stands in. */
static void
place_unlist(struct place *p)
{
	if (p->list)
		TAILQ_REMOVE(p->list, p, by_due);
	p->list = NULL;
}

/* Put it behind all others of list; nothing there is due later. */
static void
place_enlist(struct place *p, struct place_list *list, int64_t due_at_ms)
{
	place_unlist(p);
	p->list = list;
	p->due_at_ms = due_at_ms;
	TAILQ_INSERT_TAIL(list, p, by_due);
	keeper_at(&p->registry->duty, due_at_ms);
}

/* Free a place and its session, which nobody holds. */
static void
place_free(struct place *p)
{
	session_free(&p->session);
	mem_free(p);
}

/* Take an ended session out of the registry. */
static void
registry_forget(struct registry *r, struct place *p)
{
	must(p->is_ended);
	RB_REMOVE(place_tree, &r->places, p);
	place_unlist(p);
	r->n_ended--;
	r->ended_bytes -= p->bytes;
	p->registry = NULL;
	if (!session_n_holds(p->session))
		place_free(p);
}

/* What has lingered goes, unless somebody came back for it. */
static void
registry_expire(struct registry *r, struct place *p)
{
	place_unlist(p);
	if (!session_n_holds(p->session))
		registry_forget(r, p);
}

/* A session has come to session_timeout. */
static void
registry_time_out(const struct registry *r, struct place *p)
{
	char text[ERR_TEXT_BYTES];

	place_unlist(p);
	snprintf(text, sizeof(text),
	    "the tool was ended: session_timeout is %lld s",
	    (long long)(r->spec.session_timeout_ms / 1000));
	session_cancel(p->session, ENTRY_REASON_LIMIT, text);
}

/* For the keeper: end and forget what is due. */
static int64_t
registry_look(void *arg)
{
	struct registry *const r = arg;
	const int64_t now_ms = clock_now_ms();
	struct place *live, *ended;

	while ((live = TAILQ_FIRST(&r->limited)) && live->due_at_ms <= now_ms)
		registry_time_out(r, live);
	while (
	    (ended = TAILQ_FIRST(&r->lingering)) && ended->due_at_ms <= now_ms)
		registry_expire(r, ended);
	if (live && ended)
		return live->due_at_ms < ended->due_at_ms ? live->due_at_ms
		                                          : ended->due_at_ms;
	return live ? live->due_at_ms : ended ? ended->due_at_ms : CLOCK_NEVER;
}

struct registry *
registry_new(const struct registry_spec *spec)
{
	struct registry *const r = mem_zalloc(1, sizeof(*r));

	must(spec->max_sessions >= 1 && spec->linger_ms >= 0);
	if (!r)
		return NULL;
	r->magic = REGISTRY_MAGIC;
	r->spec = *spec;
	r->scope = scope_current();
	RB_INIT(&r->places);
	TAILQ_INIT(&r->limited);
	TAILQ_INIT(&r->lingering);
	waitq_init(&r->idle);
	keeper_join(spec->keeper, &r->duty, registry_look, r);
	return r;
}

void
registry_free(struct registry **rp)
{
	struct registry *const r = *rp;
	struct place *p;

	*rp = NULL;
	if (!r)
		return;
	must_be(r, REGISTRY_MAGIC);
	must(!r->n_live);
	while ((p = RB_ROOT(&r->places)))
		registry_forget(r, p);
	keeper_leave(&r->duty);
	r->magic = 0;
	mem_free(r);
}

/* Tell the owner when the number of live sessions leaves or reaches 0. */
static void
registry_count(struct registry *r, int change)
{
	const bool was_busy = r->n_live > 0;

	r->n_live = (unsigned)((int)r->n_live + change);
	if (was_busy != (r->n_live > 0) && r->spec.on_busy)
		r->spec.on_busy(r->n_live, r->spec.on_busy_arg);
	if (!r->n_live)
		waitq_wake_all(&r->idle, 0);
}

/* Too many ended sessions: the one that was let go longest ago goes. */
static void
registry_evict(struct registry *r)
{
	struct place *p;

	while ((p = TAILQ_FIRST(&r->lingering)) &&
	       (r->n_ended > r->spec.max_sessions ||
		   r->ended_bytes > REGISTRY_LINGER_BYTES))
		registry_expire(r, p);
}

static void
place_log_end(const struct place *p)
{
	log_info("session %s: %s: %s lsn=%llu ms=%lld", session_id(p->session),
	    session_tool(p->session)->hl->name,
	    session_state_name(session_state(p->session)),
	    (unsigned long long)session_lsn(p->session),
	    (long long)(clock_now_ms() - p->started_at_ms));
}

/* The session has just ended. */
static void
place_end(struct place *p)
{
	struct registry *const r = p->registry;

	p->is_ended = true;
	r->args_bytes -= p->args_bytes;
	p->bytes = session_bytes(p->session);
	place_unlist(p);
	r->n_ended++;
	r->ended_bytes += p->bytes;
	place_log_end(p);
	registry_count(r, -1);
	registry_evict(r);
}

/* The session ended, or its last hold was let go. */
static void
place_on_change(void *arg)
{
	struct place *const p = arg;
	struct registry *const r = p->registry;

	if (!r) {
		place_free(p);
		return;
	}
	if (session_is_ended(p->session) && !p->is_ended)
		place_end(p);
	if (p->is_ended && !session_n_holds(p->session))
		place_enlist(
		    p, &r->lingering, clock_now_ms() + r->spec.linger_ms);
}

/* A place for a new session; NULL without memory. */
static struct place *
registry_place(struct registry *r, const struct session_spec *spec)
{
	struct place *const p = mem_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (session_new(spec, place_on_change, p, &p->session) < 0) {
		mem_free(p);
		return NULL;
	}
	p->registry = r;
	p->started_at_ms = clock_now_ms();
	return p;
}

/*
 * The memory that what came with a call takes until the tool has ended. A
 * client may park as many as max_sessions.
 */
static size_t
registry_args_bytes(const struct session_spec *spec)
{
	const size_t bytes =
	    value_memory(spec->args) + value_memory(spec->answers);

	return bytes > REGISTRY_ARGS_SMALL ? bytes : 0;
}

/* May one more session start? */
static int
registry_may_start(
    const struct registry *r, size_t args_bytes, struct err *err_r)
{
	if (r->is_shut)
		return err_set(err_r, -ESHUTDOWN, NULL,
		    "shutting_down: this server is ending");
	if (r->n_live >= r->spec.max_sessions)
		return err_set(err_r, -EBUSY, NULL,
		    "max_sessions: %u tools run or wait for an answer "
		    "already, try again later",
		    r->n_live);
	if (args_bytes && r->args_bytes + args_bytes > REGISTRY_ARGS_BYTES)
		return err_set(err_r, -EBUSY, NULL,
		    "the arguments of the tools that run or wait for an answer "
		    "take too much memory, try again later");
	return 0;
}

int
registry_start(struct registry *r, const struct session_spec *spec,
    struct session **session_r, struct err *err_r)
{
	must_be(r, REGISTRY_MAGIC);
	*session_r = NULL;
	const size_t args_bytes = registry_args_bytes(spec);
	int rc = registry_may_start(r, args_bytes, err_r);
	if (rc < 0)
		return rc;
	struct place *const p = registry_place(r, spec);
	rc = p ? run_start(r->scope, p->session) : -ENOMEM;
	if (rc < 0) {
		if (p)
			place_free(p);
		return rc == -ENOMEM
		           ? err_set(err_r, rc, NULL, "out of memory")
		           : err_set(err_r, -ESHUTDOWN, NULL,
				 "shutting_down: this server is ending");
	}
	RB_INSERT(place_tree, &r->places, p);
	p->args_bytes = args_bytes;
	r->args_bytes += args_bytes;
	if (r->spec.session_timeout_ms != CLOCK_NEVER)
		place_enlist(p, &r->limited,
		    p->started_at_ms + r->spec.session_timeout_ms);
	*session_r = session_ref(p->session);
	registry_count(r, 1);
	return 0;
}

struct session *
registry_find(struct registry *r, const char *id)
{
	must_be(r, REGISTRY_MAGIC);
	struct place *p = RB_ROOT(&r->places);
	while (p) {
		const int order = strcmp(id, session_id(p->session));
		if (order == 0)
			return session_ref(p->session);
		p = order < 0 ? RB_LEFT(p, by_id) : RB_RIGHT(p, by_id);
	}
	return NULL;
}

unsigned
registry_n_live(const struct registry *r)
{
	must_be(r, REGISTRY_MAGIC);
	return r->n_live;
}

unsigned
registry_n_ended(const struct registry *r)
{
	must_be(r, REGISTRY_MAGIC);
	return r->n_ended;
}

int
registry_shut(struct registry *r, int64_t deadline_ms)
{
	struct place *p;

	must_be(r, REGISTRY_MAGIC);
	r->is_shut = true;
	RB_FOREACH (p, place_tree, &r->places)
		session_cancel(p->session, ENTRY_REASON_SHUTDOWN,
		    "shutting_down: the server ended the tool");
	while (r->n_live) {
		const int rc =
		    waitq_wait(&r->idle, "sessions to end", deadline_ms);
		if (rc < 0)
			return rc;
	}
	return 0;
}
