/* SPDX-License-Identifier: MIT */
/* caps: capget(2), which only libcap wraps. */
#include "common/proc/caps.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

struct caps_row {
	unsigned number;
	const char *name;
};

static const struct caps_row caps_rows[] = {
	{ CAP_CHOWN, "CAP_CHOWN" },
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
	{ CAP_FOWNER, "CAP_FOWNER" },
	{ CAP_KILL, "CAP_KILL" },
	{ CAP_SETGID, "CAP_SETGID" },
	{ CAP_SETUID, "CAP_SETUID" },
};

const char *
caps_lack(size_t i)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return NULL;
	for (size_t k = 0; k < sizeof(caps_rows) / sizeof(caps_rows[0]); k++)
		if (!(data[0].effective & (UINT32_C(1) << caps_rows[k].number)))
			if (i-- == 0)
				return caps_rows[k].name;
	return NULL;
}
