/* SPDX-License-Identifier: MIT */
/*
 * session: one tool run as its faces see it: a log to read, questions to
 * answer, a way to cancel it. Knows no protocol and no socket; a face turns
 * entries into its wire form and answers into session_answer. The tool's side
 * is ctx.h, its task run.h; sessions are made by registry_start.
 *
 * Life: running ⇄ awaiting_* → completed | failed | cancelled. The end is the
 * terminal entry of the log, once and for good.
 */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/err.h"
#include "common/base/random.h"
#include "common/flow/task.h"

#include "backend/ask.h"
#include "backend/entries.h"
#include "backend/load.h"
#include "backend/news.h"

struct session;

enum session_state {
	SESSION_RUNNING,         /* the tool works */
	SESSION_AWAITING_ELICIT, /* a person is asked (perhaps a model too) */
	SESSION_AWAITING_SAMPLE, /* only a model is asked */
	SESSION_CANCELLING,      /* it is being halted, cleanups run */
	SESSION_COMPLETED,       /* it returned a result, perhaps isError */
	SESSION_FAILED,          /* it did not */
	SESSION_CANCELLED,       /* it was halted */
};

/*
 * What to run. All JSON is *refs*; answers must not be changed afterwards,
 * args not be relied on: they are the tool's.
 */
struct session_spec {
	const struct tool *tool;
	json_t *args; /* an object; NULL is {} */
	unsigned can; /* what the client can be asked: ask_can */
	/*
	 * Answers that came with the call: {name: answer}; NULL: none. One
	 * that fits is used without asking; one that does not is ignored.
	 */
	json_t *answers;
	/*
	 * Called for each entry under the call that appended it, which may be
	 * on the tool's stack: it must not wait and may answer. NULL: none.
	 */
	void (*on_entry)(
	    struct session *s, const struct entry *entry, void *arg);
	void *on_entry_arg;
};

/* ---- for faces ------------------------------------------------------- */

/* 128 random bits in hex. */
const char *session_id(const struct session *s);

/* The tool it runs. *borrowed* while the session is held. */
const struct tool *session_tool(const struct session *s);

/* How it stands, and the word for it ("awaiting_elicit", …). */
enum session_state session_state(const struct session *s);
const char *session_state_name(enum session_state state);

/* Whether the terminal entry is there. */
bool session_is_ended(const struct session *s);

/* The LSN of its newest entry; 0 when there is none. */
uint64_t session_lsn(const struct session *s);

/*
 * Hold it: it stays findable and its memory valid while held. Returns s.
 * registry_start and registry_find return held sessions.
 */
struct session *session_ref(struct session *s);

/* Let go of it; accepts NULL, sets *s to NULL. Halts nothing. */
void session_unref(struct session **s);

/* A local that lets go by itself. */
#define session_auto __attribute__((cleanup(session_unref), unused))

/*
 * The next entry behind *cursor (0 at first), which is moved on to it. Any
 * number of readers, each with its own cursor; what is there comes at once,
 * then the reader waits. Returns 0 with *entry_r (*borrowed* while the session
 * is held), -EPIPE behind the terminal entry, -EINVAL when *cursor is an LSN
 * that this session never had, -ETIMEDOUT. Waits.
 */
int session_next(struct session *s, uint64_t *cursor, int64_t deadline_ms,
    const struct entry **entry_r);

/* What a task follows that waits for something else too. */
struct news *session_news(struct session *s);

/*
 * Wait until it is ended, or until deadline_ms. Returns 0 or -ETIMEDOUT.
 */
int session_wait_end(struct session *s, int64_t deadline_ms);

/*
 * Wait until it can do nothing more without a client: it has ended, or
 * questions are open and everything that could run in this turn of the loop
 * has run (so questions that branches of a tool ask at once are all there).
 * Returns 0 or -ETIMEDOUT.
 */
int session_wait_quiet(struct session *s, int64_t deadline_ms);

/*
 * The next open question after `after` (NULL: the first), in the order they
 * were asked; NULL at the end. *borrowed*, do not wait while walking.
 */
const struct ask *
session_next_ask(const struct session *s, const struct ask *after);

/* How many questions are open. */
unsigned session_n_asks(const struct session *s);

/* The question of that name, open or not; NULL: never asked. *borrowed*. */
const struct ask *session_find_ask(const struct session *s, const char *name);

/*
 * Would this answer be taken? Changes nothing. Returns 0 or what
 * session_answer would: for a face that delivers several answers or none.
 */
int session_check_answer(const struct session *s, const char *name,
    json_t *answer, struct err *err_r);

/*
 * Answer the question of that name: an ElicitResult or CreateMessageResult
 * (*borrowed*). The tool goes on at the next turn of the loop. Returns 0, or,
 * without any effect on the tool: -ENOENT it was never asked, -EALREADY it
 * was answered, -ESTALE the session has ended or is being halted or the tool
 * withdrew the question, -EINVAL the content does not fit (err_r->place is a
 * JSON pointer into answer), -ENOMEM. err_r->text is a sentence for the
 * caller. Never waits.
 */
int session_answer(
    struct session *s, const char *name, json_t *answer, struct err *err_r);

/*
 * The client answered with an error: the tool fails with it. text is the
 * client's (shortened and cleaned). Returns as session_answer.
 */
int session_refuse(
    struct session *s, const char *name, const char *text, struct err *err_r);

/*
 * What the client can be asked from now on (ask_can): a face that learns it
 * anew with each request calls this before it delivers answers.
 */
void session_set_can(struct session *s, unsigned can);

/*
 * Begin to halt the tool; its cleanups run, then ENTRY_CANCELLED ends the
 * log. The first reason stays; ended already: nothing. text (may be NULL) is
 * for people. Never waits: see session_wait_end.
 */
void
session_cancel(struct session *s, enum entry_reason reason, const char *text);

/* ---- for registry, run and ctx --------------------------------------- */

/*
 * Make one, not running. *s_r is *new* (session_free), not held. on_change
 * (arg) is called when it ended and when the last hold was let go. Returns 0
 * or -ENOMEM.
 */
int session_new(const struct session_spec *spec, void (*on_change)(void *arg),
    void *arg, struct session **s_r);

/* Free *s: it must be ended or never started, and not held. */
void session_free(struct session **s);

/* The task that runs it, *takes* the reference; session_cancel halts it. */
void session_set_task_take(struct session *s, struct task *task);

/* Whether it has a task: it was started and has not ended. */
bool session_has_task(const struct session *s);

/* Bytes its log holds; how many hold it. */
size_t session_bytes(const struct session *s);
unsigned session_n_holds(const struct session *s);

/* Its arguments, an object; the tool may change them. *borrowed*. */
json_t *session_args(const struct session *s);

/*
 * Publish *ask (*takes*; *ask is NULL afterwards) and wait for its answer,
 * which is *new* in *value_r. An answer that came with the call is used
 * instead. Returns 0; -ENOTSUP: the client lacks a capability (its name is
 * err_r->place); -EREMOTEIO: the client refused; -ENOSPC: the log is full;
 * -ESTALE: the session is being halted; -ENOMEM. Waits.
 */
int session_ask_take(
    struct session *s, struct ask **ask, json_t **value_r, struct err *err_r);

/* Append progress; what cannot be stored is lost. */
void session_progress(
    struct session *s, double done, double total, const char *text);

/* Append a message. Returns 0, -ENOSPC (the log is full) or -ENOMEM. */
int session_log(struct session *s, enum hl_level level, const char *text);

/*
 * End it with a result, a failure (needs: the capabilities that the client
 * lacks, or NULL), or, when neither was called before the task was done, as
 * cancelled. All *take* their JSON. The first wins, later calls do nothing.
 */
void session_complete_take(struct session *s, json_t *result);
void session_fail_take(struct session *s, const char *text, json_t *needs);
void session_halted(struct session *s);

#endif
