/* SPDX-License-Identifier: MIT */
/* tools: `holdline tools URL`. */
#ifndef CTL_TOOLS_H
#define CTL_TOOLS_H

#include "poold/ctl/errand.h"

/* The row of the command's table. */
extern const struct errand_command tools_command;

#endif
