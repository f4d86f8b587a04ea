/* SPDX-License-Identifier: MIT */
/*
 * token: tells work that runs elsewhere (a helper thread, a library with a
 * cancel flag) that the scope that wanted it is over. Fires when the scope
 * ends by any path.
 */
#ifndef FLOW_TOKEN_H
#define FLOW_TOKEN_H

#include <stdbool.h>

struct flow_token;

/*
 * Make a token of the current scope. *token_r is *new*: end it with
 * flow_token_unref. Returns 0, -ENOMEM or -errno of eventfd. Never waits.
 */
int flow_token_new(struct flow_token **token_r);

/* One more holder, from any thread. Returns t. */
struct flow_token *flow_token_ref(struct flow_token *t);

/* Let go, from any thread; sets *t to NULL; NULL is allowed. */
void flow_token_unref(struct flow_token **t);

/* Whether it has fired. From any thread. Never waits. */
bool flow_token_is_set(const struct flow_token *t);

/* A descriptor that is readable once it has fired; *borrowed*. */
int flow_token_fd(const struct flow_token *t);

#endif
