/* SPDX-License-Identifier: MIT */
/*
 * keyboard: lines from stdin without blocking the loop: a terminal or pipe is
 * waited for; a plain file cannot be watched and never blocks. stdin stays as
 * it is (its flags belong to the shell too). One reader at a time.
 */
#ifndef CTL_KEYBOARD_H
#define CTL_KEYBOARD_H

#include <stdbool.h>

#define KEYBOARD_LINE_MAX (64 * 1024)

/* Whether a person sits at stdin. */
bool keyboard_is_terminal(void);

/*
 * Read a line. *line_r is *borrowed* until the next call, without its
 * newline; NUL bytes in it become '?'. Returns 0, -EPIPE at the end (Ctrl-D;
 * a terminal can go on after it), -EMSGSIZE over KEYBOARD_LINE_MAX, or
 * -errno. Waits.
 */
int keyboard_line(const char **line_r);

#endif
