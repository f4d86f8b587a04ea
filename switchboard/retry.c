/* SPDX-License-Identifier: MIT */
/* retry: decisions about lost backends. */
#include "switchboard/retry.h"

#include <errno.h>

enum retry
retry_after_loss(const struct retry_lost *lost)
{
	const bool may_repeat =
	    !lost->is_written || (lost->is_idempotent && lost->is_unread);

	if (!lost->has_answered)
		return RETRY_MOURN;
	if (may_repeat && !lost->is_body_written && !lost->was_retried)
		return RETRY_FRESH;
	return RETRY_FAIL;
}

enum retry_connect
retry_after_connect(int error, unsigned n_asked, bool has_answered)
{
	switch (error) {
	case -EAGAIN:
		return RETRY_CONNECT_PAUSE;
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ENOENT:
	case -EPIPE:
		if (!has_answered)
			return RETRY_CONNECT_MOURN;
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
