/* SPDX-License-Identifier: MIT */
/*
 * backend: what the serving half of this process shares: one tenant, its
 * tools, its sessions, and what the faces remember between requests. Made by
 * main.c, *borrowed* by everybody else for the life of the process.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include <stdbool.h>

#include "backend/load.h"
#include "backend/registry.h"

struct dialogs;
struct peers;

#define BACKEND_BODY_BYTES (4u << 20) /* of a request */

struct backend {
	const char *host; /* the tenant's, lower case */
	struct load *load;
	struct registry *registry;
	struct peers *peers;     /* clients of the legacy face */
	struct dialogs *dialogs; /* rounds of the modern face */
	bool is_draining;        /* the process ends: connections close */
};

#endif
