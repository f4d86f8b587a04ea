/* SPDX-License-Identifier: MIT */
/*
 * dialog: rounds stand in a tree by their state; dialogs whose session ended
 * stand in a list by the time of that; the keeper looks at the oldest. When a
 * dialog is forgotten its states answer `consumed_or_expired`, which the name
 * of this run in each state tells from `state_lost`.
 */
#include "backend/dialog.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/http/char.h"
#include "common/json/jsontext.h"

#include "backend/value.h"

#define DIALOG_MAGIC 0x6469616cu

RB_HEAD(round_tree, round);
TAILQ_HEAD(dialog_list, dialog);

struct dialogs {
	char boot[RANDOM_ID_SIZE]; /* only its first digits are used */
	struct round_tree by_id;
	struct dialog_list ended; /* oldest first */
	unsigned n;
	unsigned n_ended;
	size_t ended_bytes;
	struct keeper_duty duty;
};

static int
round_compare(const struct round *a, const struct round *b)
{
	return strcmp(a->state, b->state);
}

/* RB_GENERATE_STATIC of libbsd relies on a macro that glibc lacks. */
RB_GENERATE_INTERNAL(
    round_tree, round, by_id, round_compare, __attribute__((unused)) static)

static void
round_free(struct round *round)
{
	struct dialog *dialog = round->dialog;

	RB_REMOVE(round_tree, &dialog->dialogs->by_id, round);
	TAILQ_REMOVE(&dialog->rounds, round, link);
	dialog->n_rounds--;
	mem_free(round->asked);
	mem_free(round->reply);
	mem_free(round);
}

static void
dialog_free(struct dialog *dialog)
{
	while (!TAILQ_EMPTY(&dialog->rounds))
		round_free(TAILQ_FIRST(&dialog->rounds));
	session_unref(&dialog->session);
	dialog->dialogs->n--;
	dialog->magic = 0;
	mem_free(dialog);
}

void
dialog_unref(struct dialog **dialog)
{
	struct dialog *d = *dialog;

	*dialog = NULL;
	if (!d)
		return;
	must_be(d, DIALOG_MAGIC);
	must(d->n_refs > 0);
	if (--d->n_refs == 0)
		dialog_free(d);
}

/* The oldest ended dialog leaves the table. */
static void
dialogs_drop_oldest(struct dialogs *dialogs)
{
	struct dialog *oldest = TAILQ_FIRST(&dialogs->ended);

	TAILQ_REMOVE(&dialogs->ended, oldest, by_end);
	dialogs->n_ended--;
	dialogs->ended_bytes -= oldest->bytes;
	dialog_unref(&oldest);
}

/* More than may linger. */
static bool
dialogs_is_full(const struct dialogs *dialogs)
{
	return dialogs->n_ended > DIALOG_ENDED_MAX ||
	       dialogs->ended_bytes > DIALOG_ENDED_BYTES;
}

/* For the keeper: forget what has lingered, or is more than may linger. */
static int64_t
dialogs_look(void *arg)
{
	struct dialogs *dialogs = arg;
	const int64_t now_ms = clock_now_ms();
	const struct dialog *oldest;

	while ((oldest = TAILQ_FIRST(&dialogs->ended)) &&
	       (oldest->ended_at_ms + DIALOG_LINGER_MS <= now_ms ||
		   dialogs_is_full(dialogs)))
		dialogs_drop_oldest(dialogs);
	return oldest ? oldest->ended_at_ms + DIALOG_LINGER_MS : CLOCK_NEVER;
}

struct dialogs *
dialogs_new(struct keeper *keeper)
{
	struct dialogs *dialogs = mem_zalloc(1, sizeof(*dialogs));

	if (!dialogs)
		return NULL;
	random_id(dialogs->boot);
	dialogs->boot[DIALOG_BOOT_BYTES] = '\0';
	RB_INIT(&dialogs->by_id);
	TAILQ_INIT(&dialogs->ended);
	keeper_join(keeper, &dialogs->duty, dialogs_look, dialogs);
	return dialogs;
}

void
dialogs_free(struct dialogs **dialogs)
{
	if (!*dialogs)
		return;
	while (!TAILQ_EMPTY(&(*dialogs)->ended))
		dialogs_drop_oldest(*dialogs);
	keeper_leave(&(*dialogs)->duty);
	must((*dialogs)->n == 0);
	mem_free(*dialogs);
	*dialogs = NULL;
}

unsigned
dialogs_n(const struct dialogs *dialogs)
{
	return dialogs->n;
}

/* The memory that it takes while it lingers. */
static size_t
dialog_bytes(const struct dialog *dialog, const struct session *s)
{
	size_t bytes = sizeof(*dialog) + session_bytes(s);
	const struct round *round;

	TAILQ_FOREACH (round, &dialog->rounds, link)
		bytes += sizeof(*round) + strlen(round->asked) +
		         (round->reply ? strlen(round->reply) : 0);
	return bytes;
}

/* The session has ended: the dialog lingers from now on. */
static void
dialog_on_entry(struct session *s, const struct entry *entry, void *arg)
{
	struct dialog *dialog = arg;
	struct dialogs *dialogs = dialog->dialogs;

	must_be(dialog, DIALOG_MAGIC);
	if (entry->kind != ENTRY_RESULT && entry->kind != ENTRY_FAILED &&
	    entry->kind != ENTRY_CANCELLED)
		return;
	must(!dialog->is_ended);
	dialog->is_ended = true;
	dialog->ended_at_ms = clock_now_ms();
	dialog->bytes = dialog_bytes(dialog, s);
	dialogs->n_ended++;
	dialogs->ended_bytes += dialog->bytes;
	TAILQ_INSERT_TAIL(&dialogs->ended, dialog, by_end);
	/* Under the call that appended the entry nothing is freed. */
	keeper_at(&dialogs->duty,
	    dialog->ended_at_ms +
		(dialogs_is_full(dialogs) ? 0 : DIALOG_LINGER_MS));
}

int
dialog_start(struct dialogs *dialogs, struct registry *registry,
    const struct session_spec *spec, struct dialog **dialog_r,
    struct err *err_r)
{
	struct dialog *dialog = mem_zalloc(1, sizeof(*dialog));
	struct session_spec mine = *spec;
	int rc;

	*dialog_r = NULL;
	if (!dialog)
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	dialog->magic = DIALOG_MAGIC;
	dialog->dialogs = dialogs;
	dialog->tool = spec->tool;
	if (value_digest(spec->args, &dialog->args) < 0) {
		mem_free(dialog);
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	}
	/* One for the caller, one for the table until it has lingered. */
	dialog->n_refs = 2;
	TAILQ_INIT(&dialog->rounds);
	dialogs->n++;
	mine.on_entry = dialog_on_entry;
	mine.on_entry_arg = dialog;
	rc = registry_start(registry, &mine, &dialog->session, err_r);
	if (rc != 0) {
		dialog_free(dialog);
		return rc;
	}
	must(slice_copy(slice_of(session_id(dialog->session)),
		 dialog->session_id, sizeof(dialog->session_id)) == 0);
	*dialog_r = dialog;
	return 0;
}

/* Whether s looks like a state that some run of ours has made. */
static bool
dialog_is_state(struct slice s)
{
	return s.n == DIALOG_STATE_SIZE - 1 && s.p[DIALOG_BOOT_BYTES] == '.' &&
	       http_char_span(s, HTTP_CHAR_HEX) == DIALOG_BOOT_BYTES &&
	       http_char_all((struct slice){ s.p + DIALOG_BOOT_BYTES + 1,
				 s.n - DIALOG_BOOT_BYTES - 1 },
		   HTTP_CHAR_HEX);
}

struct round *
dialog_find(struct dialogs *dialogs, struct slice state,
    struct dialog **dialog_r, enum dialog_lost *lost_r)
{
	struct round key;
	struct round *round;

	*dialog_r = NULL;
	*lost_r = DIALOG_LOST_MALFORMED;
	if (!dialog_is_state(state) ||
	    slice_copy(state, key.state, sizeof(key.state)) != 0)
		return NULL;
	round = RB_FIND(round_tree, &dialogs->by_id, &key);
	if (round) {
		*lost_r = DIALOG_LOST_NOT;
		*dialog_r = round->dialog;
		round->dialog->n_refs++;
		return round;
	}
	*lost_r = memcmp(key.state, dialogs->boot, DIALOG_BOOT_BYTES) == 0
	              ? DIALOG_LOST_CONSUMED
	              : DIALOG_LOST_STATE;
	return NULL;
}

/* The oldest round is forgotten, unless a leg is at work on it. */
static void
dialog_drop_round(struct dialog *dialog)
{
	struct round *round = TAILQ_LAST(&dialog->rounds, rounds);

	if (round->n_legs == 0)
		round_free(round);
}

struct round *
dialog_add_round(struct dialog *dialog, const json_t *asked)
{
	struct round *round = mem_zalloc(1, sizeof(*round));
	char *const text = round ? jsontext_dump(asked, SIZE_MAX) : NULL;
	char id[RANDOM_ID_SIZE];

	must_be(dialog, DIALOG_MAGIC);
	if (!text) {
		mem_free(round);
		return NULL;
	}
	if (dialog->n_rounds >= DIALOG_ROUNDS_MAX)
		dialog_drop_round(dialog);
	round->dialog = dialog;
	round->asked = text;
	round->lsn = session_lsn(dialog->session);
	snprintf(round->state, sizeof(round->state), "%s.%s",
	    dialog->dialogs->boot, random_id(id));
	RB_INSERT(round_tree, &dialog->dialogs->by_id, round);
	TAILQ_INSERT_HEAD(&dialog->rounds, round, link);
	dialog->n_rounds++;
	return round;
}

json_t *
dialog_asked(const struct round *round)
{
	return value_of_text(round->asked);
}

/* What tells answers to what was asked in round from others. */
static int
dialog_digest(
    const struct round *round, const json_t *answers, uint64_t *digest_r)
{
	hl_auto json_t *asked = dialog_asked(round);
	int rc = asked ? 0 : -ENOMEM;
	const char *key;
	json_t *ask;

	*digest_r = 0;
	json_object_foreach (asked, key, ask) {
		rc = value_digest(json_object_get(answers, key), digest_r);
		if (rc < 0)
			break;
	}
	return rc;
}

int
dialog_is_same(const struct round *round, const json_t *answers)
{
	uint64_t digest;

	if (!round->is_answered)
		return 1;
	const int rc = dialog_digest(round, answers, &digest);
	return rc < 0 ? rc : digest == round->answers;
}

int
dialog_set_answers(struct round *round, const json_t *answers)
{
	must(!round->is_answered);
	if (!answers)
		return 0;
	const int rc = dialog_digest(round, answers, &round->answers);
	round->is_answered = rc == 0;
	return rc;
}

int
dialog_set_reply(struct round *round, const struct dialog_reply *reply)
{
	if (round->reply_status)
		return 0;
	round->reply = jsontext_dump(reply->content, SIZE_MAX);
	if (!round->reply)
		return -ENOMEM;
	round->reply_status = reply->status;
	round->is_reply_error = reply->is_error;
	return 0;
}

struct dialog_reply
dialog_reply(const struct round *round)
{
	must(round->reply_status);
	return (struct dialog_reply){ .status = round->reply_status,
		.content = value_of_text(round->reply),
		.is_error = round->is_reply_error };
}

void
dialog_told(struct dialog *dialog)
{
	if (dialog->state == DIALOG_OPEN)
		dialog->state = DIALOG_TOLD;
	session_unref(&dialog->session);
}

void
dialog_cancel(struct dialog *dialog, const char *text)
{
	if (dialog->state != DIALOG_OPEN || session_is_ended(dialog->session))
		return;
	dialog->state = DIALOG_CANCELLED;
	session_cancel(dialog->session, ENTRY_REASON_CLIENT, text);
}
