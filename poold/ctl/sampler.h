/* SPDX-License-Identifier: MIT */
/*
 * sampler: a command that answers samples in a person's place: the prompt on
 * its stdin, the answer on its stdout, its stderr is ours. It runs under sh
 * in a process group of its own, which is killed when the call ends first.
 */
#ifndef CTL_SAMPLER_H
#define CTL_SAMPLER_H

#include "common/base/bytes.h"
#include "common/base/err.h"

#define SAMPLER_BYTES (1u << 20) /* the longest answer */

/*
 * Run command with prompt on its stdin (both *borrowed*) and append its
 * stdout, without newlines at the end, to out, whose cap bounds it.
 * Returns 0, or -errno with a sentence: it could not be started, ended with a
 * status or by a signal, or said too much. Waits.
 */
int sampler_run(const char *command, struct slice prompt, struct buf *out,
    struct err *err_r);

#endif
