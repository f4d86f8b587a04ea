/* SPDX-License-Identifier: MIT */
/* refuse: our own answer, or a connection that is visibly cut. */
#include "switchboard/refuse.h"

#include "common/base/must.h"

#include "switchboard/block.h"

/* A response is on its way: show that it is not whole. */
static void
refuse_cut(struct exchange *x)
{
	/* Only a body until close would look whole if it just ended. */
	const bool is_until_close =
	    x->has_begun && x->plan.delim == HTTP_DELIM_CLOSE;

	exchange_end(x, is_until_close ? EXCHANGE_END_RESET : EXCHANGE_END_CUT);
}

/* Drop what was put behind the 1xx and not written yet. */
static void
refuse_forget(struct exchange *x)
{
	struct jack *const client = x->client;

	if (x->has_begun)
		block_cut(&client->out, x->final_at - client->n_written);
	x->has_begun = false;
}

/* Whether the client's connection can go on after an answer of ours. */
static bool
refuse_persists(const struct exchange *x, enum fault fault)
{
	return x->asked.persists && !exchange_is_ending() &&
	       !fault_closes(fault) && x->request.state == RELAY_DONE;
}

void
refuse_later(struct exchange *x, enum fault fault, const char *text,
    unsigned retry_after_s)
{
	struct jack *const client = x->client;
	struct fault_said said = {
		.fault = fault,
		.text = text,
		.retry_after_s = retry_after_s,
		.request_id = x->id,
		.is_head = x->asked.is_head,
		.minor = x->asked.minor,
	};

	must(x->state != EXCHANGE_ENDED);
	exchange_note(x, text && text[0] ? text : fault_text(fault));
	if (x->has_begun && client->n_written > x->final_at) {
		refuse_cut(x);
		return;
	}
	refuse_forget(x);
	said.persists = refuse_persists(x, fault);
	size_t n_own = 0;
	int rc = block_lend(&client->out);
	if (rc == 0)
		rc = fault_write(&client->out, &said, &n_own);
	if (rc < 0) {
		refuse_cut(x);
		return;
	}
	x->status = fault_status(fault);
	x->n_own = n_own;
	exchange_end(x, said.persists ? EXCHANGE_END_KEEP : EXCHANGE_END_CLOSE);
}

void
refuse(struct exchange *x, enum fault fault, const char *text)
{
	refuse_later(x, fault, text, 0);
}
