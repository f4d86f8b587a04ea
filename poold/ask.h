/* SPDX-License-Identifier: MIT */
/*
 * ask: routes that the switchboard waits for, in a list for each backend, and
 * the ways to answer them: ready, failed, refused. Never waits.
 */
#ifndef POOLD_ASK_H
#define POOLD_ASK_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/proto.h"

#include "poold/board.h"
#include "poold/policy.h"

#define ASK_MAX 64 /* waiting for one backend; one is usual */

struct ask;

/* Embedded in its owner; ended with ask_drop. */
struct ask_list {
	STAILQ_HEAD(, ask) asks;
	unsigned n;
};

/* An empty list. */
void ask_init(struct ask_list *list);

/*
 * Add ask id, which must not be answered with dead_generation. Returns 0,
 * -ENOBUFS when too many wait, or -ENOMEM.
 */
int ask_add(struct ask_list *list, uint64_t id, uint64_t dead_generation);

/* Forget them all: nobody waits for an answer. */
void ask_drop(struct ask_list *list);

/*
 * Answer all with *ready, whose ask is filled here, but for those who found
 * its generation dead: they wait on, for its end is on its way.
 */
void ask_answer(struct ask_list *list, struct board *board,
    struct proto_route_ready *ready);

/*
 * Tell all, but for those, that the run of *starting listens: what becomes of
 * it is their answer, later.
 */
void ask_tell_starting(const struct ask_list *list, struct board *board,
    struct proto_route_ready *starting);

/* Fail all with an HTTP status and a text. */
void ask_fail(struct ask_list *list, struct board *board, uint32_t status,
    const char *text);

/* Fail one that stands in no list. */
void ask_fail_one(struct board *board, uint64_t id, uint32_t status,
    uint32_t retry_after_s, const char *text);

/*
 * Refuse all, or one that stands in no list, as the verdict says. words: what
 * the last failure left.
 */
void ask_refuse(struct ask_list *list, struct board *board,
    enum policy_verdict verdict, const struct policy_load *load,
    const char *words);
void
ask_refuse_one(struct board *board, uint64_t id, enum policy_verdict verdict,
    const struct policy_load *load, const char *words);

#endif
