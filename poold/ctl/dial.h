/* SPDX-License-Identifier: MIT */
/*
 * dial: a TCP connection to where a URL leads. localhost and *.localhost are
 * this machine, 127.0.0.1 then ::1, whatever a resolver would say; other
 * names are looked up on a helper thread.
 * Source: RFC 6761 6.3
 */
#ifndef CTL_DIAL_H
#define CTL_DIAL_H

#include <stdint.h>

#include "common/base/err.h"

#include "poold/ctl/url.h"

#define DIAL_MS 10000 /* for the name and the connection together */

/*
 * Connect. *fd_r is *new* (fd_close), non-blocking. Waits at most DIAL_MS, or
 * until deadline_ms if that is sooner. Returns 0, or -errno with a sentence
 * that says what to do next.
 */
int dial_open(
    const struct url *url, int64_t deadline_ms, int *fd_r, struct err *err_r);

#endif
