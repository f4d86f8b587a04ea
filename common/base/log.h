/* SPDX-License-Identifier: MIT */
/*
 * log: one line an event, to stderr: `program[pid] noun id: what: reason
 * key=value`. Under systemd (JOURNAL_STREAM) each line starts with its
 * priority, <3> to <7> (sd-daemon(3)). Control bytes in a line are replaced
 * by '?', so that nothing a peer sent can forge a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR, /* someone must act */
	LOG_LEVEL_WARN,  /* we coped */
	LOG_LEVEL_INFO,  /* life cycle and exchanges */
	LOG_LEVEL_DEBUG, /* for whoever works on holdline itself */
};

/*
 * Set the program's name (*borrowed* for ever) and the most talkative level
 * that is printed. The default is "holdline" and LOG_LEVEL_INFO.
 */
void log_init(const char *program, enum log_level most);

/*
 * Print pid in each line in place of what getpid says: in a PID namespace that
 * is a number that means nothing outside.
 */
void log_set_pid(int pid);

/*
 * Begin each line with its priority from now on, as under systemd: stderr is
 * read by poold, which passes it on (log_pass).
 */
void log_mark(void);

/*
 * The level of a line that begins with its priority: *text_r is what stands
 * behind that. Returns enum log_level; -1 for another line, which is all text.
 */
int log_level_of(const char *line, const char **text_r);

/*
 * Print a line at each level. Never waits for long: when nobody reads stderr
 * lines are lost, and counted in the next one that is not (outlet.h).
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The twins that append ": " and the text of -errno e (a negative errno). */
void log_error_err(int e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void
log_warn_err(int e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Print a whole line that another process made, newline included, as it is;
 * without its priority where the journal does not read it.
 */
void log_pass(const char *line, size_t n);

#endif
