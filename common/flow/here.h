/* SPDX-License-Identifier: MIT */
/*
 * here: where a wait stands in the source, for flow_dump. The calls that wait
 * are wrapped by macros of their own names, which note the place of the
 * outermost one; the next park takes it. Files of this room, and others that
 * wait on behalf of their callers, define FLOW_INSIDE to be left out.
 */
#ifndef FLOW_HERE_H
#define FLOW_HERE_H

/* The place of the call that may park next; NULL: not known. */
extern const char *flow_here_file;
extern int flow_here_line;

#define FLOW_HERE() \
	((void)(flow_here_file = __FILE__), (void)(flow_here_line = __LINE__))

#endif
