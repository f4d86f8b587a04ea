/* SPDX-License-Identifier: MIT */
/*
 * signals: what a daemon makes of the signals that its parent ignored or
 * blocked. Both outlive exec (signal(7)).
 */
#ifndef PROC_SIGNALS_H
#define PROC_SIGNALS_H

/*
 * Give every signal its default action and unblock it, but: SIGPIPE is
 * ignored; SIGHUP stays ignored if it was, as nohup(1) wants; and SIGINT,
 * SIGTERM and SIGHUP are blocked until somebody hears them (flow_main), so
 * that none ends the program half made. To be called once, at start.
 */
void signals_begin(void);

#endif
