/* SPDX-License-Identifier: MIT */
/* tunnel: bytes both ways, each half ended on its own. */
#include "switchboard/tunnel.h"

#include "common/base/must.h"

void
tunnel_start(const struct tunnel *t)
{
	const struct http_frame raw = { .delim = HTTP_DELIM_CLOSE };
	struct http_fault fault;

	/* Raw bytes have no kind; the decoder of a body until close takes
	 * everything and refuses nothing. */
	must(relay_start(t->up, HTTP_KIND_RESPONSE, &raw, HTTP_DELIM_CLOSE,
		 &fault) == 0);
	must(relay_start(t->down, HTTP_KIND_RESPONSE, &raw, HTTP_DELIM_CLOSE,
		 &fault) == 0);
}

/* One half: as much as fits. Returns 1 ended, 0 goes on, -errno. */
static int
tunnel_half(struct jack *from, struct jack *to, struct relay *relay)
{
	struct http_fault fault;
	int rc;

	do {
		rc = relay_pump(relay, &from->in, &to->out, &fault);
		if (rc < 0)
			return rc;
		rc = jack_write(to, NULL);
	} while (rc == 0 && relay_can_go_on(relay, &from->in));
	if (rc < 0)
		return to->stalled_at_ms ? 0 : rc;
	if (!from->is_eof || buf_len(&from->in))
		return 0;
	must(relay_eof(relay) == 0);
	jack_shut(to);
	return 1;
}

int
tunnel_pump(const struct tunnel *t)
{
	const int up = tunnel_half(t->client, t->backend, t->up);
	const int down = tunnel_half(t->backend, t->client, t->down);

	if (up < 0 || down < 0)
		return up < 0 ? up : down;
	return up == 1 && down == 1;
}

bool
tunnel_is_half(const struct tunnel *t)
{
	return t->client->is_eof || t->backend->is_eof;
}
