/* SPDX-License-Identifier: MIT */
#include "backend/poold_link.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ipc/channel.h"

#include "backend/birth.h"

struct poold_link {
	struct channel *channel; /* NULL once poold is gone */
	struct keeper *keeper;
};

static void poold_link_send(struct poold_link *link, enum proto_type type,
    const void *payload, const char *text);

/* Answered from the loop itself: a loop that stands still does not. */
static void
poold_link_on_msg(const struct channel_msg *msg, void *arg)
{
	const struct proto_pong pong = { 0 };

	if (msg->type == PROTO_PING) {
		poold_link_send(arg, PROTO_PONG, &pong, NULL);
		return;
	}
	log_warn("channel: ignored: %s", proto_name(msg->type));
}

static void
poold_link_on_closed(const char *reason, void *arg)
{
	struct poold_link *link = arg;

	log_warn("channel: closed: %s", reason);
	channel_close(&link->channel);
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
	unsetenv(PROTO_CHANNEL_ENV);
	/* What a tool runs must not speak for us. */
	if (why || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -EBADF;
	link = mem_zalloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->keeper = keeper;
	rc = channel_open_take(fd, "poold", poold_link_on_msg,
	    poold_link_on_closed, link, &link->channel);
	if (rc != 0) {
		mem_free(link);
		return rc;
	}
	*link_r = link;
	return 0;
}

void
poold_link_close(struct poold_link **link)
{
	if (!*link)
		return;
	channel_close(&(*link)->channel);
	mem_free(*link);
	*link = NULL;
}

/* poold that does not read is poold that is gone: on_closed tells. */
static void
poold_link_send(struct poold_link *link, enum proto_type type,
    const void *payload, const char *text)
{
	int rc;

	if (!link || !link->channel)
		return;
	rc = channel_send(link->channel, type, payload, text, -1);
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
