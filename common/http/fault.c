/* SPDX-License-Identifier: MIT */
/* fault: why a message was refused, in words that are safe to print. */
#include "common/http/fault.h"

#include <errno.h>
#include <stdio.h>

#define FAULT_NAME_MAX 40

/* Copy a peer's bytes as printable ASCII that needs no escape in JSON. */
static void
fault_clean(struct slice name, char out[FAULT_NAME_MAX + 1])
{
	const size_t n = name.n < FAULT_NAME_MAX ? name.n : FAULT_NAME_MAX;

	for (size_t i = 0; i < n; i++) {
		const char c = name.p[i];
		const int is_plain =
		    c >= ' ' && c <= '~' && c != '"' && c != '\\';
		out[i] = is_plain ? c : '?';
	}
	out[n] = '\0';
}

int
http_fault_set(struct http_fault *f, int status, size_t at, struct slice name,
    const char *why)
{
	const int is_size = status == 413 || status == 414 || status == 431;

	if (f) {
		char clean[FAULT_NAME_MAX + 1];

		fault_clean(name, clean);
		f->status = status;
		f->at = at;
		snprintf(f->text, sizeof(f->text), "byte %zu: %s%s%s%s", at,
		    name.n ? "field " : "", clean, name.n ? ": " : "", why);
	}
	return is_size ? -EMSGSIZE : -EBADMSG;
}
