/* SPDX-License-Identifier: MIT */
/*
 * confine: no file at all, since Landlock lets a path socket be connected to
 * without; no new one is needed, since sockets come from poold.
 */
#include "switchboard/confine.h"

#include "common/base/log.h"
#include "common/proc/drop.h"
#include "common/proc/sandbox.h"
#include "common/proc/sanitized.h"

int
confine_enter(void)
{
	static const struct landlock_rules no_files = {
		.has_system = SANITIZED_BUILD,
	};
	struct filter *filter = NULL;
	int rc = drop_no_new_privs();

	if (rc == 0 && filter_is_there())
		rc = filter_new(FILTER_BOARD, false, &filter, NULL);
	const struct sandbox sandbox = { &no_files, filter };
	if (rc == 0)
		rc = sandbox_enter(&sandbox);
	filter_free(&filter);
	if (rc < 0)
		log_error_err(rc, "start: cannot be confined");
	return rc;
}
