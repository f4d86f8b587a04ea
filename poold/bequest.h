/* SPDX-License-Identifier: MIT */
/* bequest: a folder with all that is in it becomes another user's. */
#ifndef POOLD_BEQUEST_H
#define POOLD_BEQUEST_H

#include "common/base/err.h"
#include "common/proc/drop.h"

/*
 * Give the folder at path, and everything in it that its owner owns, to ids.
 * What belongs to somebody else stays theirs, links are not followed, more
 * than 32 folders in each other are refused. The old owner must not run. Root's
 * folder is not given away. Waits for the disk. Returns 0 or -errno with *err_r
 * (-EPERM: it is root's).
 */
int
bequest_give(const char *path, const struct drop_ids *ids, struct err *err_r);

#endif
