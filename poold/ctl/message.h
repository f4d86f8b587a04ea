/* SPDX-License-Identifier: MIT */
/*
 * message: JSON-RPC 2.0 messages: making them, telling them apart, and the
 * two notifications that a person wants to see. Pure but for showing.
 * Source: JSON-RPC 2.0; MCP basic/index
 */
#ifndef CTL_MESSAGE_H
#define CTL_MESSAGE_H

#include <stdbool.h>

#include <jansson.h>

/* What a message is. */
enum message_kind {
	MESSAGE_BAD,     /* none of these */
	MESSAGE_REQUEST, /* has method and id: wants an answer */
	MESSAGE_NOTICE,  /* has a method alone */
	MESSAGE_RESULT,  /* answers a request of ours */
	MESSAGE_ERROR,   /* refuses it */
};

/*
 * A *new* request; *takes* params (NULL: none). Returns NULL without memory.
 */
json_t *message_request(json_int_t id, const char *method, json_t *params);

/* A *new* notification; as message_request. */
json_t *message_notice(const char *method, json_t *params);

/* A *new* result for a peer's request (*borrowed*); *takes* result. */
json_t *message_result(json_t *request, json_t *result);

/* A *new* error for a peer's request (*borrowed*). */
json_t *message_error(json_t *request, int code, const char *text);

/* What a message is. */
enum message_kind message_kind(const json_t *message);

/* Its method, or "". Borrowed. */
const char *message_method(const json_t *message);

/* Its params, or NULL. Borrowed. */
json_t *message_params(const json_t *message);

/* Whether it answers our request id. */
bool message_is_answer(const json_t *message, json_int_t id);

/* Show progress and log notifications; any other message: nothing. */
void message_show(const json_t *message);

#endif
