/* SPDX-License-Identifier: MIT */
/*
 * outside: a call on the program's own stack, for code that is not ours and
 * may want more of it than a task has: constructors of libraries, handlers of
 * an exit.
 */
#ifndef FLOW_OUTSIDE_H
#define FLOW_OUTSIDE_H

#include "common/flow/here.h"

/*
 * Have fn(arg) called by the loop, before it looks for anything else, and wait
 * until it returned. fn cannot wait. Halted before the call: it is not made.
 * Waits.
 */
void flow_outside(void (*fn)(void *arg), void *arg);

#ifndef FLOW_INSIDE
#define flow_outside(...) (FLOW_HERE(), flow_outside(__VA_ARGS__))
#endif

#endif
