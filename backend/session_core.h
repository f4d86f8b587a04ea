/* SPDX-License-Identifier: MIT */
/* session_core: private to session.c and session_ask.c: the struct. */
#ifndef BACKEND_SESSION_CORE_H
#define BACKEND_SESSION_CORE_H

#include "backend/session.h"

#define SESSION_MAGIC 0x73657373u

struct session {
	uint32_t magic;
	unsigned n_holds;
	char id[RANDOM_ID_SIZE];
	struct session_spec spec; /* its JSON is ours */
	void (*on_change)(void *arg);
	void *on_change_arg;
	struct task *task; /* NULL before it runs and when it has ended */
	struct entries log;
	size_t n_told; /* entries that were published */
	struct waitq readers;
	struct news news;     /* the same for those who wait otherwise */
	struct ask_list asks; /* all, in order */
	unsigned n_open;
	uint64_t n_asked;
	bool is_cancelling;
	enum entry_reason reason;
};

/* Tell everybody about the entries that nobody was told of. */
void session_publish(struct session *s);

/* A question whose asker is gone wants no answer; answered: nothing. */
void session_withdraw(struct session *s, struct ask *ask);

#endif
