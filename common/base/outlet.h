/* SPDX-License-Identifier: MIT */
/*
 * outlet: lines to stderr that hold nobody up. What reads them may be stopped:
 * a pager, a terminal after Ctrl-S, a log driver with a full disk. A daemon
 * that waits for it then serves nobody and does not even end.
 */
#ifndef BASE_OUTLET_H
#define BASE_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Write n bytes, which end with a newline, to descriptor 2. Returns false when
 * they are lost, since nobody reads and what may be waited is used up: a
 * second at first, later a tenth of the time that went by. A reader that is
 * gone (EPIPE) loses nothing that could be said.
 */
bool outlet_write(const char *line, size_t n);

#endif
