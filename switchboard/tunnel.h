/* SPDX-License-Identifier: MIT */
/*
 * tunnel: a two-way pipe between two jacks after an upgrade was agreed on
 * (RFC 9110 7.8). Each side may end its half: what it sent before still goes
 * through, then the end is passed on, and the other half lives on.
 */
#ifndef SWITCHBOARD_TUNNEL_H
#define SWITCHBOARD_TUNNEL_H

#include "switchboard/relay.h"
#include "switchboard/jack.h"

/* The two halves; all *borrowed* from the exchange. */
struct tunnel {
	struct jack *client;
	struct jack *backend;
	struct relay *up;   /* client to backend */
	struct relay *down; /* backend to client */
};

/* Start both halves. */
void tunnel_start(const struct tunnel *t);

/*
 * Move and write what can be. Returns 1 when both halves have ended and all
 * is written, 0 when it goes on, -errno when a side is lost.
 */
int tunnel_pump(const struct tunnel *t);

/* Whether one half has ended: silence of the other is then bounded. */
bool tunnel_is_half(const struct tunnel *t);

#endif
