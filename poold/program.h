/* SPDX-License-Identifier: MIT */
/*
 * program: where the sibling programs of poold are: beside it in a build tree,
 * in libexec of its own prefix when installed.
 */
#ifndef POOLD_PROGRAM_H
#define POOLD_PROGRAM_H

#include "common/base/err.h"

/*
 * Find the program `name`. *path_r is *new*, ended with mem_free. Returns 0
 * or -ENOENT with the places that were looked at. Start-up only.
 */
int program_find(const char *name, char **path_r, struct err *err_r);

#endif
