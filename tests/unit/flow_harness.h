/* SPDX-License-Identifier: MIT */
/*
 * flow_harness: runs a body as a top-level task under the virtual clock, keeps
 * a trace of what happened, and then runs it again and again with an
 * interruption injected at each point where one may arrive (flow_inject.c).
 *
 * Bodies note; tests compare afterwards, never on a task's stack. In an
 * injected run anything may be refused or halted, so a body says need() where
 * a plain function says must(), and what it owns over a wait has a cleanup
 * (a local) or an ENSURE (whatever tasks below it use).
 */
#ifndef FLOW_HARNESS_H
#define FLOW_HARNESS_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/must.h"
#include "common/flow/queue.h"
#include "common/flow/task.h"
#include "common/loop/loop.h"

/* ---- what bodies say ---- */

/* Append a word to the trace. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Something that must be ended exactly once; kept until the run is over. */
struct harness_record;

/* Note word when the local name is cleaned up, which must be once. */
#define noted(name, word)                                \
	__attribute__((cleanup(harness_record_end),      \
	    unused)) struct harness_record *const name = \
	    harness_record_begin(word, __FILE__, __LINE__)
struct harness_record *
harness_record_begin(const char *word, const char *file, int line);
void harness_record_end(struct harness_record *const *r);

/*
 * What a body needs to go on. In a plain run it must hold; after an injection
 * the body fails where it does not. (Outside of tasks and in cleanups, where
 * nothing can fail, it is then without effect.)
 */
#define need(cond) ((cond) ? (void)0 : harness_lacks(__FILE__, __LINE__, #cond))
void harness_lacks(const char *file, int line, const char *what);

/* Spawn a child of the current scope; refused: the body fails. */
#define SPAWN(body_, arg_, task_r_) \
	harness_spawn(#body_, body_, arg_, task_r_, __FILE__, __LINE__)
void harness_spawn(const char *name, task_body_fn *body, void *arg,
    struct task **task_r, const char *file, int line);

/*
 * A spec that runs body(arg) and whose end is looked for; for one call that
 * takes it.
 */
#define SPEC(body_, arg_) harness_spec(#body_, body_, arg_, __FILE__, __LINE__)
struct task_spec harness_spec(const char *name, task_body_fn *body, void *arg,
    const char *file, int line);

/* Register a finaliser of the current scope; refused: the body fails. */
#define ENSURE(fn, arg) harness_ensure(fn, arg, __FILE__, __LINE__)
void
harness_ensure(scope_finaliser_fn *fn, void *arg, const char *file, int line);

/* Open a pipe; fds (*borrowed*, static) are closed when the scope ends. */
void harness_pipe(int fds[2]);

/* Open a queue (*borrowed*, static) until the scope ends. */
void harness_queue(struct queue *q, size_t cap);

/* Give a static handle (*borrowed*) back when the scope ends. */
void harness_handle(struct task **t);

/* Whether this run is one with an injection. */
bool harness_is_injected(void);

/* ---- what tests say ---- */

#define HARNESS_ERRORS 8

/* How the (first) top-level task of the plain run ended. */
extern enum task_outcome harness_outcome;
extern struct err harness_err; /* its first error; code 0: none */
extern struct err harness_errs[HARNESS_ERRORS]; /* all, primary first */
extern unsigned harness_n_errs;
extern char harness_at_once[64]; /* traced before flow_run returned */

/* Run body(arg) as a top-level task: plainly, then injected. */
#define run_flow(body, arg) \
	harness_run(__func__, HARNESS_INJECTED, body, arg, NULL)

/* The same in real time, for what needs processes and threads. */
#define run_flow_real(body, arg) \
	harness_run(__func__, HARNESS_REAL, body, arg, NULL)

/* Plainly and once: for bodies that cannot be run again, or arrange failures
 * themselves. */
#define run_flow_plain(body, arg) \
	harness_run(__func__, HARNESS_PLAIN, body, arg, NULL)

/*
 * Run body(arg) and halter(its task) as two top-level tasks; returns the
 * outcome of the first.
 */
#define run_two(body, arg, halter) \
	harness_run(__func__, HARNESS_INJECTED, body, arg, halter)

enum harness_mode {
	HARNESS_INJECTED, /* under the virtual clock, plainly and injected */
	HARNESS_REAL,     /* the same in real time */
	HARNESS_PLAIN,    /* under the virtual clock, plainly, once */
};
enum task_outcome harness_run(const char *test, enum harness_mode mode,
    task_body_fn *body, void *arg, task_body_fn *halter);

/* Empty the trace. */
void untrace(void);

/* The trace of the plain run, without its last space. */
const char *traced(void);

/* Add a test, unless FLOW_TEST names another. */
#define HARNESS_ADD(c, test)                     \
	do {                                     \
		if (harness_wants(#test))        \
			tcase_add_test(c, test); \
	} while (0)
bool harness_wants(const char *test);

/* Finalisers that note the word arg: at once; around 10 ms, "word(" "word)". */
int note_end(void *arg, struct err *err);
int note_slow_end(void *arg, struct err *err);

/* Run the suite; returns the exit status of the program. *takes* s. */
int harness_main(Suite *s, TCase *c);

#endif
