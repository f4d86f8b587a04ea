/* SPDX-License-Identifier: MIT */
/* sandbox: the two layers, and what is missing without one. */
#include "common/proc/sandbox.h"

/* Below which version of Landlock something is missing. */
struct sandbox_row {
	int abi;
	const char *sentence;
};

static const struct sandbox_row sandbox_rows[] = {
	{ 1, "Landlock: tenants can read what every user may read, and write "
	     "outside their state folder what every user may write" },
	{ 2, "Landlock version 2: a tenant cannot move files from one of its "
	     "folders to another" },
	{ 3, "Landlock version 3: a tenant can cut off files that it may write "
	     "by their mode, but not open" },
	{ 4, "Landlock version 4: TCP is kept from tenants by seccomp alone" },
	{ 5, "Landlock version 5: device files that are open take any ioctl" },
	{ 6, "Landlock version 6: abstract unix sockets of others can be "
	     "reached by commands, and signals are kept within a tenant by its "
	     "user alone" },
};

int
sandbox_enter(const struct sandbox *sandbox)
{
	const int e = sandbox->files ? landlock_enter(sandbox->files) : 0;

	if (e < 0 || !sandbox->filter)
		return e;
	return filter_enter(sandbox->filter);
}

const char *
sandbox_lack(int abi, bool has_filters, size_t i)
{
	if (!has_filters && i-- == 0)
		return "seccomp filters: tenants make any system call, and "
		       "network = false keeps nobody from it";
	for (size_t k = 0; k < sizeof(sandbox_rows) / sizeof(sandbox_rows[0]);
	     k++)
		if (abi < sandbox_rows[k].abi && i-- == 0)
			return sandbox_rows[k].sentence;
	return NULL;
}
