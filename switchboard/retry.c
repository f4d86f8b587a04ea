/* SPDX-License-Identifier: MIT */
/* retry: decisions about lost backends. */
#include "switchboard/retry.h"

#include <errno.h>

enum retry
retry_after_loss(const struct retry_lost *lost)
{
	const bool may_repeat =
	    !lost->is_written || (lost->is_idempotent && lost->is_unread);

	if (may_repeat && !lost->is_body_written && !lost->was_retried)
		return RETRY_FRESH;
	return lost->has_answered ? RETRY_FAIL : RETRY_MOURN;
}

enum retry_connect
retry_after_connect(int error, unsigned n_asked)
{
	switch (error) {
	case -EAGAIN:
		return RETRY_CONNECT_PAUSE;
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ENOENT:
	case -EPIPE:
		return n_asked ? RETRY_CONNECT_FAIL : RETRY_CONNECT_ASK;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
		return RETRY_CONNECT_SHORT;
	default:
		return RETRY_CONNECT_FAIL;
	}
}
