/* SPDX-License-Identifier: MIT */
/*
 * rehearse: what a start does with a tenant's tools, done once with a tool of
 * our own. A child of the zygote shares its memory until it writes, and has to
 * find each page of code and data again: after this it has found them, at a
 * time when nobody waits for it.
 */
#ifndef BACKEND_REHEARSE_H
#define BACKEND_REHEARSE_H

#include <stdbool.h>

/*
 * Rehearse, as long as is_wanted() says between two steps that there is
 * nothing better to do. To be called by a task, before privileges are given
 * up; runs no tenant's code. Waits.
 */
void rehearse(bool (*is_wanted)(void));

#endif
