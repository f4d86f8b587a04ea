/* SPDX-License-Identifier: MIT */
/* call: `holdline call URL TOOL [key=value ...]`. */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include "poold/ctl/errand.h"

/* The row of the command's table. */
extern const struct errand_command call_command;

#endif
