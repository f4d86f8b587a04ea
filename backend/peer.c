/* SPDX-License-Identifier: MIT */
/*
 * peer: a tree by id and a list by last use; the keeper looks at the peer
 * that was used least recently. A peer in use that comes to the head of the
 * list goes to its tail. Streams are forgotten when their session is.
 */
#include "backend/peer.h"

#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#define PEER_MAGIC    0x70656572u
#define PEER_PRUNE_AT 64

RB_HEAD(peer_tree, peer);
TAILQ_HEAD(peer_list, peer);

struct peers {
	struct registry *registry;
	unsigned max;
	unsigned n;
	int64_t idle_ms;
	bool is_shut;
	struct peer_tree by_id;
	struct peer_list by_use; /* least recently used first */
	struct keeper_duty duty;
};

static int
peer_compare(const struct peer *a, const struct peer *b)
{
	return strcmp(a->id, b->id);
}

/* RB_GENERATE_STATIC of libbsd relies on a macro that glibc lacks. */
RB_GENERATE_INTERNAL(
    peer_tree, peer, by_id, peer_compare, __attribute__((unused)) static)

void
peer_stream_unref(struct peer_stream **stream)
{
	struct peer_stream *s = *stream;

	*stream = NULL;
	if (!s || --s->n_refs > 0)
		return;
	json_decref(s->request_id);
	json_decref(s->token);
	mem_free(s);
}

static void
peer_free(struct peer *peer)
{
	struct peer_stream *stream;

	while ((stream = TAILQ_FIRST(&peer->streams))) {
		TAILQ_REMOVE(&peer->streams, stream, link);
		peer_stream_unref(&stream);
	}
	peer->magic = 0;
	mem_free(peer);
}

/* Whether a session of this peer runs or is parked. */
static bool
peer_is_live(const struct peer *peer)
{
	const struct peer_stream *stream;

	TAILQ_FOREACH (stream, &peer->streams, link) {
		session_auto struct session *s =
		    registry_find(peer->peers->registry, stream->session_id);

		if (s && !session_is_ended(s))
			return true;
	}
	return false;
}

/* In use: somebody serves it now, or a session of it lives. */
static bool
peer_is_busy(const struct peer *peer)
{
	return peer->n_refs > 1 || peer_is_live(peer);
}

static void
peer_touch(struct peer *peer)
{
	struct peers *peers = peer->peers;

	peer->used_at_ms = clock_now_ms();
	TAILQ_REMOVE(&peers->by_use, peer, by_use);
	TAILQ_INSERT_TAIL(&peers->by_use, peer, by_use);
}

/* For the keeper: forget who was idle for long enough. */
static int64_t
peers_look(void *arg)
{
	struct peers *peers = arg;
	const int64_t now_ms = clock_now_ms();
	struct peer *oldest;

	while ((oldest = TAILQ_FIRST(&peers->by_use)) &&
	       oldest->used_at_ms + peers->idle_ms <= now_ms) {
		if (peer_is_busy(oldest)) {
			peer_touch(oldest);
			continue;
		}
		log_info("peer %.8s: forgotten: idle", oldest->id);
		peer_end(oldest);
	}
	return oldest ? oldest->used_at_ms + peers->idle_ms : CLOCK_NEVER;
}

struct peers *
peers_new(struct registry *registry, struct keeper *keeper, unsigned max,
    int64_t idle_ms)
{
	struct peers *peers = mem_zalloc(1, sizeof(*peers));

	must(idle_ms > 0 || idle_ms == CLOCK_NEVER);
	if (!peers)
		return NULL;
	peers->registry = registry;
	peers->max = max;
	peers->idle_ms = idle_ms;
	RB_INIT(&peers->by_id);
	TAILQ_INIT(&peers->by_use);
	keeper_join(keeper, &peers->duty, peers_look, peers);
	return peers;
}

void
peers_free(struct peers **peers)
{
	if (!*peers)
		return;
	peers_shut(*peers);
	keeper_leave(&(*peers)->duty);
	mem_free(*peers);
	*peers = NULL;
}

/* Take it out of the table, and wake whoever waits for that. */
static void
peer_remove(struct peer *peer)
{
	struct peers *peers = peer->peers;

	peer->is_ended = true;
	RB_REMOVE(peer_tree, &peers->by_id, peer);
	TAILQ_REMOVE(&peers->by_use, peer, by_use);
	peers->n--;
	news_tell(&peer->ended);
	peer_unref(&peer);
}

void
peers_shut(struct peers *peers)
{
	peers->is_shut = true;
	while (!TAILQ_EMPTY(&peers->by_use))
		peer_remove(TAILQ_FIRST(&peers->by_use));
}

unsigned
peers_n(const struct peers *peers)
{
	return peers->n;
}

/* Make room for one more by ending the one that was idle longest. */
static int
peers_make_room(struct peers *peers)
{
	struct peer *peer;

	if (peers->n < peers->max)
		return 0;
	TAILQ_FOREACH (peer, &peers->by_use, by_use)
		if (!peer_is_busy(peer))
			break;
	if (!peer)
		return -EBUSY;
	log_debug("peer %.8s: forgotten: max_peers reached", peer->id);
	peer_end(peer);
	return 0;
}

int
peer_new(struct peers *peers, const struct face_revision *revision,
    unsigned can, struct peer **peer_r)
{
	struct peer *peer;
	const int rc = peers->is_shut ? -ESHUTDOWN : peers_make_room(peers);

	*peer_r = NULL;
	if (rc != 0)
		return rc;
	peer = mem_zalloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->magic = PEER_MAGIC;
	peer->peers = peers;
	peer->revision = revision;
	peer->can = can;
	peer->level = HL_INFO;
	peer->n_refs = 2;
	peer->prune_at = PEER_PRUNE_AT;
	peer->used_at_ms = clock_now_ms();
	news_init(&peer->ended);
	TAILQ_INIT(&peer->streams);
	random_id(peer->id);
	RB_INSERT(peer_tree, &peers->by_id, peer);
	TAILQ_INSERT_TAIL(&peers->by_use, peer, by_use);
	peers->n++;
	if (peers->idle_ms != CLOCK_NEVER)
		keeper_at(&peers->duty, peer->used_at_ms + peers->idle_ms);
	*peer_r = peer;
	return 0;
}

struct peer *
peer_find(struct peers *peers, struct slice id)
{
	struct peer key;
	struct peer *peer;

	if (slice_copy(id, key.id, sizeof(key.id)) != 0)
		return NULL;
	peer = RB_FIND(peer_tree, &peers->by_id, &key);
	if (!peer)
		return NULL;
	peer_touch(peer);
	peer->n_refs++;
	return peer;
}

void
peer_unref(struct peer **peer)
{
	struct peer *p = *peer;

	*peer = NULL;
	if (!p)
		return;
	must_be(p, PEER_MAGIC);
	must(p->n_refs > 0);
	if (--p->n_refs == 0)
		peer_free(p);
}

void
peer_end(struct peer *peer)
{
	const struct peer_stream *stream;

	must_be(peer, PEER_MAGIC);
	if (peer->is_ended)
		return;
	TAILQ_FOREACH (stream, &peer->streams, link) {
		session_auto struct session *s =
		    registry_find(peer->peers->registry, stream->session_id);

		if (s)
			session_cancel(s, ENTRY_REASON_CLIENT,
			    "the client ended its session");
	}
	peer_remove(peer);
}

static void
peer_forget(struct peer *peer, struct peer_stream *stream)
{
	TAILQ_REMOVE(&peer->streams, stream, link);
	peer->n_streams--;
	peer_stream_unref(&stream);
}

/*
 * Forget the streams whose session is gone and, while more than half of what
 * may be is left, the oldest whose session has ended.
 */
static void
peer_prune(struct peer *peer)
{
	struct peer_stream *stream, *next;

	TAILQ_FOREACH_SAFE (stream, &peer->streams, link, next) {
		session_auto struct session *s =
		    registry_find(peer->peers->registry, stream->session_id);

		if (!s || (session_is_ended(s) &&
			      peer->n_streams > PEER_STREAMS_MAX / 2))
			peer_forget(peer, stream);
	}
	peer->prune_at = 2 * peer->n_streams;
	if (peer->prune_at < PEER_PRUNE_AT)
		peer->prune_at = PEER_PRUNE_AT;
	if (peer->prune_at > PEER_STREAMS_MAX)
		peer->prune_at = PEER_STREAMS_MAX;
}

int
peer_add_stream(struct peer *peer, const char *session_id, json_t *request_id,
    json_t *token, struct peer_stream **stream_r)
{
	struct peer_stream *stream;

	must_be(peer, PEER_MAGIC);
	if (peer->n_streams >= peer->prune_at)
		peer_prune(peer);
	if (peer->n_streams >= PEER_STREAMS_MAX)
		return -EBUSY;
	stream = mem_zalloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	must(slice_copy(slice_of(session_id), stream->session_id,
		 sizeof(stream->session_id)) == 0);
	stream->request_id = json_incref(request_id);
	stream->token = json_incref(token);
	stream->n_refs = 2;
	TAILQ_INSERT_TAIL(&peer->streams, stream, link);
	peer->n_streams++;
	*stream_r = stream;
	return 0;
}

struct peer_stream *
peer_find_stream(struct peer *peer, const char *session_id)
{
	struct peer_stream *stream;

	TAILQ_FOREACH (stream, &peer->streams, link)
		if (strcmp(stream->session_id, session_id) == 0) {
			stream->n_refs++;
			return stream;
		}
	return NULL;
}

unsigned
peer_cancel(struct peer *peer, const json_t *request_id, const char *text)
{
	const struct peer_stream *stream;
	unsigned n = 0;

	TAILQ_FOREACH (stream, &peer->streams, link) {
		session_auto struct session *s = NULL;

		if (!json_equal(stream->request_id, request_id))
			continue;
		s = registry_find(peer->peers->registry, stream->session_id);
		if (!s || session_is_ended(s))
			continue;
		session_cancel(s, ENTRY_REASON_CLIENT, text);
		n++;
	}
	return n;
}
