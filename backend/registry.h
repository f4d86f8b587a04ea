/* SPDX-License-Identifier: MIT */
/*
 * registry: all sessions of this backend. Starts them in a scope of its own,
 * so that a session outlives the request that made it; bounds their number
 * and their time; keeps a finished one while somebody holds it and then for
 * linger_ms, so that a client that lost the last byte can come back for it.
 * Event-driven, no polling: the keeper looks at what is due.
 */
#ifndef BACKEND_REGISTRY_H
#define BACKEND_REGISTRY_H

#include <stdint.h>

#include "common/base/err.h"

#include "backend/keeper.h"
#include "backend/session.h"

#define REGISTRY_LINGER_MS    INT64_C(60000)
#define REGISTRY_LINGER_BYTES (64u << 20) /* of all finished logs together */

/* Memory of the arguments of all that run or wait, small ones not counted. */
#define REGISTRY_ARGS_BYTES (256u << 20)
#define REGISTRY_ARGS_SMALL (16u << 10)

struct registry;

/* Copied by registry_new. */
struct registry_spec {
	struct keeper *keeper;      /* *borrowed* until registry_free */
	unsigned max_sessions;      /* running or parked at once, >= 1 */
	int64_t session_timeout_ms; /* of one; CLOCK_NEVER: none */
	int64_t linger_ms;          /* usually REGISTRY_LINGER_MS */
	/*
	 * Called when the number of sessions that could not come back if the
	 * backend ended (running or parked) leaves or reaches 0. Must not
	 * wait. NULL: none.
	 */
	void (*on_busy)(unsigned n_sessions, void *arg);
	void *on_busy_arg;
};

/*
 * Make it in the current scope of the calling task: sessions are tasks of
 * that scope and are halted with it, at the latest. Returns *new*
 * (registry_free), or NULL without memory.
 */
struct registry *registry_new(const struct registry_spec *spec);

/*
 * Free *registry and all finished sessions that nobody holds; held ones are
 * freed when they are let go. None may run: registry_shut first.
 */
void registry_free(struct registry **registry);

/*
 * Start a session: the tool runs at the next turn of the loop. *session_r is
 * held for the caller (session_unref). Arguments are checked by the session
 * itself: what does not fit is an isError result. Returns 0, -EBUSY
 * (max_sessions run, or hold too large arguments), -ESHUTDOWN (after
 * registry_shut), -ENOMEM; err_r->text is a sentence for the client. Never
 * waits.
 */
int registry_start(struct registry *registry, const struct session_spec *spec,
    struct session **session_r, struct err *err_r);

/* The session of that id, held for the caller, or NULL. */
struct session *registry_find(struct registry *registry, const char *id);

/* How many run or are parked; how many are kept though they ended. */
unsigned registry_n_live(const struct registry *registry);
unsigned registry_n_ended(const struct registry *registry);

/*
 * The backend ends: start none any more, cancel all with
 * ENTRY_REASON_SHUTDOWN, and wait until all have ended or deadline_ms.
 * Returns 0 or -ETIMEDOUT. May be called again. Waits.
 */
int registry_shut(struct registry *registry, int64_t deadline_ms);

#endif
