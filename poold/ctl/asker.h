/* SPDX-License-Identifier: MIT */
/*
 * asker: gets the answers to a tool's questions: from the answers file, from
 * the sample command, or from the person at the terminal. One question at a
 * time. Where there is no way to get an answer it ends the program and says
 * what was asked. Knows nothing of protocols.
 * Source: MCP 2026-07-28 client/elicitation, client/sampling
 */
#ifndef CTL_ASKER_H
#define CTL_ASKER_H

#include <jansson.h>

#include "poold/ctl/answers.h"

/* Where answers come from; all *borrowed*, each may be NULL. */
struct asker {
	struct answers *answers;
	const char *answers_path;
	const char *sample_command;
};

/*
 * Answer an elicitation. name: of the question, NULL where there is none;
 * params: its ElicitRequest params (*borrowed*). Returns a *new* ElicitResult
 * (accept with content, decline or cancel). Waits.
 */
json_t *asker_elicit(struct asker *a, const char *name, json_t *params);

/*
 * Answer a sample; as asker_elicit. Returns a *new* CreateMessageResult, or
 * NULL when the person declines. Waits.
 */
json_t *asker_sample(struct asker *a, const char *name, json_t *params);

/*
 * Ask for the required arguments of a tool that args (*borrowed*, filled)
 * lacks. Without a terminal that ends the program with what the tool takes.
 * Waits.
 */
void asker_arguments(struct asker *a, json_t *tool, json_t *args);

#endif
