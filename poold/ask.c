/* SPDX-License-Identifier: MIT */
/* ask: a list, and the messages that empty it. */
#include "poold/ask.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/base/must.h"

struct ask {
	STAILQ_ENTRY(ask) link;
	uint64_t id;
	uint64_t dead_generation; /* 0: none */
};

void
ask_init(struct ask_list *list)
{
	STAILQ_INIT(&list->asks);
	list->n = 0;
}

static void
ask_put(struct ask_list *list, struct ask *ask)
{
	STAILQ_INSERT_TAIL(&list->asks, ask, link);
	list->n++;
}

static struct ask *
ask_take(struct ask_list *list)
{
	struct ask *const ask = STAILQ_FIRST(&list->asks);

	if (!ask)
		return NULL;
	STAILQ_REMOVE_HEAD(&list->asks, link);
	list->n--;
	return ask;
}

int
ask_add(struct ask_list *list, uint64_t id, uint64_t dead_generation)
{
	struct ask *ask;

	if (list->n >= ASK_MAX)
		return -ENOBUFS;
	if (!(ask = mem_zalloc(1, sizeof(*ask))))
		return -ENOMEM;
	ask->id = id;
	ask->dead_generation = dead_generation;
	ask_put(list, ask);
	return 0;
}

void
ask_drop(struct ask_list *list)
{
	struct ask *ask;

	while ((ask = ask_take(list)))
		mem_free(ask);
}

void
ask_answer(
    struct ask_list *list, struct board *board, struct proto_route_ready *ready)
{
	for (unsigned n = list->n; n > 0; n--) {
		struct ask *const ask = ask_take(list);
		if (ask->dead_generation == ready->generation) {
			ask_put(list, ask);
			continue;
		}
		ready->ask = ask->id;
		(void)board_send(board, PROTO_ROUTE_READY, ready, NULL);
		mem_free(ask);
	}
}

void
ask_tell_starting(const struct ask_list *list, struct board *board,
    struct proto_route_ready *starting)
{
	const struct ask *ask;

	STAILQ_FOREACH (ask, &list->asks, link) {
		if (ask->dead_generation == starting->generation)
			continue;
		starting->ask = ask->id;
		(void)board_send(board, PROTO_ROUTE_STARTING, starting, NULL);
	}
}

void
ask_fail_one(struct board *board, uint64_t id, uint32_t status,
    uint32_t retry_after_s, const char *text)
{
	const struct proto_route_failed failed = {
		.ask = id,
		.status = status,
		.retry_after_s = retry_after_s,
	};

	(void)board_send(board, PROTO_ROUTE_FAILED, &failed, text);
}

void
ask_fail(struct ask_list *list, struct board *board, uint32_t status,
    const char *text)
{
	struct ask *ask;

	while ((ask = ask_take(list))) {
		ask_fail_one(board, ask->id, status, 0, text);
		mem_free(ask);
	}
}

void
ask_refuse_one(struct board *board, uint64_t id, enum policy_verdict verdict,
    const struct policy_load *load, const char *words)
{
	const struct policy_refusal refusal = policy_refuse(verdict, load);
	char text[PROTO_TEXT_BYTES] = "";

	switch (verdict) {
	case POLICY_ADMIT:
	case POLICY_WAIT:
		must(!"an admitted ask is not refused");
		break;
	case POLICY_ENDING:
		strlcpy(text, "the service is shutting down", sizeof(text));
		break;
	case POLICY_FULL:
		snprintf(text, sizeof(text),
		    "all %u places for backends are taken (max_backends) and "
		    "none became free",
		    load->max_backends);
		break;
	case POLICY_HOSTS:
		snprintf(text, sizeof(text),
		    "all %u hosts of this kind are taken (max_hosts)",
		    load->max_hosts);
		break;
	case POLICY_BACKING_OFF:
		snprintf(text, sizeof(text),
		    "failed %u times in a row, tried again in %u s; the last "
		    "time: %.380s",
		    load->n_failures, refusal.retry_after_s, words);
		break;
	case POLICY_HELD:
		snprintf(text, sizeof(text),
		    "held as failed after %u failures in a row, tried again in "
		    "%u s; the last time: %.360s",
		    load->n_failures, refusal.retry_after_s, words);
		break;
	}
	ask_fail_one(board, id, refusal.status, refusal.retry_after_s, text);
}

void
ask_refuse(struct ask_list *list, struct board *board,
    enum policy_verdict verdict, const struct policy_load *load,
    const char *words)
{
	struct ask *ask;

	while ((ask = ask_take(list))) {
		ask_refuse_one(board, ask->id, verdict, load, words);
		mem_free(ask);
	}
}
