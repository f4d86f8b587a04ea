/* SPDX-License-Identifier: MIT */
#include "backend/poold_link.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ipc/cord.h"
#include "common/proc/environ.h"

#include "backend/birth.h"

struct poold_link {
	struct cord cord;
	struct keeper_ear ear;
	struct keeper *keeper;
};

static void poold_link_send(struct poold_link *link, enum proto_type type,
    const void *payload, const char *text);

/*
 * Read what there is now. Returns as cord_next. Apart from the answers, since a
 * packet is a quarter of the page that is all of the stack of who reads.
 */
static int __attribute__((noinline))
poold_link_read(struct poold_link *link, unsigned *n_pings_r)
{
	struct packet msg packet_auto;
	const char *reason;
	int rc;

	msg.n_fds = 0;
	*n_pings_r = 0;
	while ((rc = cord_next(&link->cord, &msg, &reason)) == 1) {
		if (msg.type == PROTO_PING)
			++*n_pings_r;
		else
			log_warn("channel: ignored: %s", proto_name(msg.type));
	}
	if (rc < 0)
		log_warn("channel: closed: %s", reason);
	return rc;
}

/* For the keeper, whom the loop woke: one that stands still answers no ping. */
static void
poold_link_hear(int events, void *arg)
{
	struct poold_link *const link = arg;
	const struct proto_pong pong = { 0 };
	unsigned n_pings;

	cord_note(&link->cord, events);
	const int rc = poold_link_read(link, &n_pings);
	while (n_pings-- > 0)
		poold_link_send(link, PROTO_PONG, &pong, NULL);
	if (rc < 0)
		keeper_stop(link->keeper);
}

int
poold_link_open(struct keeper *keeper, struct poold_link **link_r)
{
	const char *text = getenv(PROTO_CHANNEL_ENV);
	const char *why = NULL;
	struct poold_link *link;
	int fd;
	int rc;

	*link_r = NULL;
	if (!text)
		return 0;
	fd = (int)strtonum(text, 0, 1 << 20, &why);
	environ_drop(PROTO_CHANNEL_ENV);
	/* What a tool runs must not speak for us. */
	if (why || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -EBADF;
	link = mem_zalloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->keeper = keeper;
	link->ear = (struct keeper_ear){ poold_link_hear, link };
	cord_init(&link->cord);
	rc = cord_open_take(&link->cord, fd, &keeper->select, &link->ear);
	if (rc == 0)
		*link_r = link;
	else
		poold_link_close(&link);
	return rc;
}

void
poold_link_close(struct poold_link **link)
{
	if (!*link)
		return;
	cord_close(&(*link)->cord);
	mem_free(*link);
	*link = NULL;
}

/* poold that does not read is poold that is gone: the channel tells. */
static void
poold_link_send(struct poold_link *link, enum proto_type type,
    const void *payload, const char *text)
{
	int rc;

	if (!link || link->cord.is_over)
		return;
	rc = cord_send(&link->cord, type, payload, text, NULL, 0);
	if (rc != 0)
		log_warn_err(rc, "channel: %s not sent", proto_name(type));
}

void
poold_link_ready(struct poold_link *link)
{
	const struct proto_ready ready = {
		.told_us = birth_at_us(BIRTH_TOLD),
		.confined_us = birth_at_us(BIRTH_CONFINED),
		.loaded_us = birth_at_us(BIRTH_LOADED),
	};

	poold_link_send(link, PROTO_READY, &ready, NULL);
}

void
poold_link_failed(struct poold_link *link, const char *text)
{
	const struct proto_failed failed = { 0 };

	poold_link_send(link, PROTO_FAILED, &failed, text);
}

void
poold_link_sessions(struct poold_link *link, unsigned n_sessions)
{
	const struct proto_sessions sessions = { .n_sessions = n_sessions };

	poold_link_send(link, PROTO_SESSIONS, &sessions, NULL);
}
