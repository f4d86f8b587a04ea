/* SPDX-License-Identifier: MIT */
/*
 * form: one property of a form as a question in a terminal: what is shown,
 * and what a typed line means. Pure: it neither writes nor reads.
 *
 *	d        declines the whole form (where that is possible)
 *	(empty)  takes the default, or leaves out what may be left out
 *	"" "d"   as a text: the empty text, the letter d
 *
 * Source: MCP 2026-07-28 client/elicitation (requested schema)
 */
#ifndef CTL_FORM_H
#define CTL_FORM_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"

#include "poold/ctl/page.h"

/* One question; all *borrowed*. */
struct form_field {
	const char *name;
	const json_t *property; /* its schema */
	bool is_required;
	bool may_decline;
	bool is_alone; /* the only one: its name adds nothing to the message */
};

/* What a typed line means. */
enum form_word {
	FORM_VALUE,   /* a value that fits */
	FORM_OMIT,    /* it is left out */
	FORM_DECLINE, /* the person declines */
	FORM_AGAIN,   /* it does not fit: say why and ask again */
};

/* Add what stands above the prompt: description, numbered choices. */
void form_show(struct page *p, const struct form_field *f);

/* Add the prompt, without a newline: "Choose 1-3 [2]: ". */
void form_prompt(struct page *p, const struct form_field *f);

/*
 * Read a typed line (without its newline). *value_r is *new* for FORM_VALUE,
 * else NULL. why_r->text is a sentence for FORM_AGAIN.
 */
enum form_word form_read(const struct form_field *f, const char *line,
    json_t **value_r, struct err *why_r);

/*
 * Check whole content against a schema; one that cannot be compiled checks
 * nothing. Returns 0 or -EINVAL with "NAME: reason" in why_r->text.
 */
int form_check(json_t *schema, json_t *content, struct err *why_r);

#endif
