/* SPDX-License-Identifier: MIT */
/*
 * limits: every size, count and time that bounds what a peer can make the
 * switchboard hold, in one place. Times are milliseconds.
 */
#ifndef SWITCHBOARD_LIMITS_H
#define SWITCHBOARD_LIMITS_H

/* Buffers: an exchange holds at most five blocks, an idle client none. */
#define LIMIT_BLOCK_BYTES   (16 * 1024) /* also the largest request head */
#define LIMIT_BLOCKS_KEPT   64          /* free ones kept for the next */
#define LIMIT_READ_MIN      (4 * 1024)  /* room below which reading pauses */
#define LIMIT_REQUEST_BYTES (48 * 1024) /* a request head with our fields */
#define LIMIT_ANSWER_BYTES  (96 * 1024) /* a response head with our fields */

/* Objects. */
#define LIMIT_CLIENTS        16384 /* fewer when descriptors are short */
#define LIMIT_ACCEPTS        16    /* accepted in a row, then others' turn */
#define LIMIT_ADMIN_CLIENTS  32
#define LIMIT_FEED_READERS   16   /* of the admin clients */
#define LIMIT_FEED_CREDIT    256  /* events on their way from poold */
#define LIMIT_FEED_BYTES     (64 * 1024) /* that one may be behind */
#define LIMIT_WAITING        1024 /* exchanges that wait for one route */
#define LIMIT_ASKS           128  /* under way, beyond one for each backend */
#define LIMIT_ASKS_BACKENDS  512  /* of which there may be more than this */
#define LIMIT_IDLE_UPSTREAMS 64   /* kept open for each route */
#define LIMIT_EXCHANGES_KEPT 64   /* free ones kept for the next */
#define LIMIT_FDS_RESERVED   64   /* for listeners, admin and the channel */
#define LIMIT_LISTENERS      16

/* Clients. */
#define LIMIT_HEAD_MS   10000 /* from its first byte to a whole head */
#define LIMIT_IDLE_MS   75000 /* a client connection between requests */
#define LIMIT_BODY_MS   60000 /* a request body that does not move */
#define LIMIT_STALL_MS  60000 /* a reader that takes nothing */
#define LIMIT_PING_MS   15000 /* between signs of life of an event stream */
#define LIMIT_LINGER_MS 5000  /* from our last byte to the client's close */

/* Backends. */
#define LIMIT_UPSTREAM_IDLE_MS 60000
#define LIMIT_QUEUE_MS         10000 /* a full backlog: until we give up */
#define LIMIT_QUEUE_FIRST_MS   2     /* the first pause; then it doubles */
#define LIMIT_QUEUE_PAUSE_MS   100   /* the longest pause */
#define LIMIT_WORD_MS          200   /* the same, of one that answered before */
#define LIMIT_DEATH_MS         1000  /* for poold to say how it ended */

/* Tunnels whose one side has ended: how long the other may be silent. */
#define LIMIT_HALF_MS 60000

/* Clients that vanish without a word: TCP asks, so often, so many times. */
#define LIMIT_PROBE_IDLE_S  60
#define LIMIT_PROBE_PAUSE_S 15
#define LIMIT_PROBES        4

/* Accepting. */
#define LIMIT_ACCEPT_PAUSE_MS 250 /* when descriptors are short */

/* Ending on a signal of our own, before poold said how long. */
#define LIMIT_DRAIN_MS 500

#endif
