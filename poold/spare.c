/* SPDX-License-Identifier: MIT */
/*
 * spare: a spare that ends before it is taken was killed from outside, or could
 * not become one: another one is made, at once for the first, then with pauses
 * until one is taken.
 */
#include "poold/spare.h"

#include <errno.h>
#include <signal.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/flow/task.h"

#include "poold/policy.h"

#define SPARE_PAUSE_MS 1000 /* when one cannot be made */
#define SPARE_LATER_MS 3    /* after one was taken: its start goes first */

struct spare {
	TAILQ_ENTRY(spare) link;
	struct spares *spares;
	struct process *process;
	struct cgroup_leaf *leaf;
};

void
spares_init(
    struct spares *spares, struct context *context, struct zygote_link *zygote)
{
	*spares = (struct spares){ .context = context, .zygote = zygote };
	TAILQ_INIT(&spares->ready);
	select_init(&spares->select);
	waitq_init(&spares->over);
}

static void
spare_free(struct spare *spare)
{
	cgroup_give(&spare->spares->context->cgroup, &spare->leaf);
	process_free(&spare->process);
	mem_free(spare);
}

static void
spare_drop(struct spare **spare)
{
	if (*spare)
		spare_free(*spare);
}

/* Ready no more. */
static void
spares_remove(struct spares *spares, struct spare *spare)
{
	TAILQ_REMOVE(&spares->ready, spare, link);
	spares->n--;
}

/* What it has to say is why it cannot become one. */
static void
spare_on_packet(const struct packet *packet)
{
	if (packet->type == PROTO_FAILED)
		log_error("spare: %.*s", (int)packet->text.n, packet->text.p);
	else
		log_error("spare: sent %s, which is not its to send",
		    proto_name(packet->type));
}

/* It ended, and nobody had taken it. */
static void
spares_bury(struct spares *spares, struct spare *spare)
{
	const char *const words = process_words(spare->process);
	char ending[64];

	policy_ending(
	    process_status(spare->process), false, ending, sizeof(ending));
	if (!spares->is_ending)
		log_warn("spare: ended: %s%s%s", ending, words[0] ? ": " : "",
		    words);
	again_fail(&spares->again);
	spares->fill_at_ms = spares->again.at_ms;
	spares_remove(spares, spare);
	spare_free(spare);
}

/* What comes at last is its end. */
static void
spares_hear(struct spares *spares, struct process *process)
{
	struct process_said said;
	struct spare *spare;
	enum process_news news;

	while ((news = process_next(process, &said)) != PROCESS_QUIET &&
	       news != PROCESS_ENDED)
		if (news == PROCESS_SAYS)
			spare_on_packet(said.packet);
	TAILQ_FOREACH (spare, &spares->ready, link)
		if (spare->process == process)
			break;
	if (spare && news == PROCESS_ENDED)
		spares_bury(spares, spare);
}

static void
spares_wait(struct spares *spares, const char *what, int64_t deadline_ms)
{
	struct select_fd *ready;
	const int rc = select_next(&spares->select, what, deadline_ms, &ready);

	if (rc > 0)
		spares_hear(spares, process_note(ready, rc));
}

/* Make one. Returns 0 or -errno. */
static int
spares_make(struct spares *spares)
{
	struct context *const context = spares->context;
	struct spare *spare __attribute__((cleanup(spare_drop))) =
	    mem_zalloc(1, sizeof(*spare));
	struct err err;

	if (!spare)
		return -ENOMEM;
	spare->spares = spares;
	spare->leaf = cgroup_take(&context->cgroup);
	const struct process_spec spec = {
		.name = "spare",
		.heritage = { .has_namespace = context->has_namespaces,
		    .cgroup_fd = cgroup_leaf_fd(spare->leaf) },
		.has_channel = true,
		.has_own_stderr = true,
		.is_spare = true,
		.listen_fd = -1,
		.select = &spares->select,
	};
	const int e =
	    zygote_link_fork(spares->zygote, &spec, &spare->process, &err);
	if (e < 0)
		return e;
	TAILQ_INSERT_TAIL(&spares->ready, spare, link);
	spares->n++;
	spare = NULL;
	return 0;
}

/* Make what is missing. Returns when to try again, if that is not now. */
static int64_t
spares_fill(struct spares *spares)
{
	const unsigned want = (unsigned)spares->context->settings->pool.spare;

	while (spares->n < want && !spares->is_ending) {
		if (clock_now_ms() < spares->fill_at_ms)
			return spares->fill_at_ms;
		if (spares_make(spares) < 0)
			return clock_deadline_ms(SPARE_PAUSE_MS);
	}
	return CLOCK_NEVER;
}

static void
spares_kill(struct spares *spares)
{
	struct spare *spare;

	TAILQ_FOREACH (spare, &spares->ready, link)
		process_signal(spare->process, SIGKILL);
}

static void *
spares_body(void *arg)
{
	struct spares *const spares = arg;

	while (!spares->is_ending) {
		const int64_t deadline_ms = spares_fill(spares);
		if (!spares->is_ending)
			spares_wait(spares, "a spare to go", deadline_ms);
	}
	spares_kill(spares);
	while (spares->n > 0)
		spares_wait(spares, "the spares' end", CLOCK_NEVER);
	return NULL;
}

static void
spares_dispose(void *arg)
{
	struct spares *const spares = arg;
	struct spare *spare;

	while ((spare = TAILQ_FIRST(&spares->ready))) {
		spares_remove(spares, spare);
		spare_free(spare);
	}
	spares->is_over = true;
	waitq_wake_all(&spares->over, 0);
}

int
spares_run(struct spares *spares)
{
	const struct task_spec spec = {
		.name = "spares",
		.body = spares_body,
		.arg = spares,
		.dispose = spares_dispose,
	};

	return task_spawn(&spec, NULL);
}

struct process *
spares_take(struct spares *spares, struct cgroup_leaf **leaf_r)
{
	struct spare *const spare = TAILQ_FIRST(&spares->ready);

	if (!spares_is_ready(spares))
		return NULL;
	spares_remove(spares, spare);
	again_forget(&spares->again);
	struct process *const process = spare->process;
	*leaf_r = spare->leaf;
	mem_free(spare);
	spares->fill_at_ms = clock_deadline_ms(SPARE_LATER_MS);
	select_post(&spares->select);
	return process;
}

bool
spares_is_ready(const struct spares *spares)
{
	const struct spare *const spare = TAILQ_FIRST(&spares->ready);

	return spare && !process_is_over(spare->process);
}

void
spares_end(struct spares *spares, int64_t deadline_ms)
{
	spares->is_ending = true;
	select_post(&spares->select);
	while (!spares->is_over)
		if (waitq_wait(&spares->over, "the spares' end", deadline_ms) ==
		    -ETIMEDOUT) {
			log_error("%u spares do not end", spares->n);
			spares->context->has_killed = true;
			return;
		}
}
