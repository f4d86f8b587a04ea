/* SPDX-License-Identifier: MIT */
/*
 * fd: ownership of descriptors. `fd_auto int fd = …` closes itself when the
 * scope is left, also by a halt. Descriptors are made O_CLOEXEC and
 * O_NONBLOCK by whoever opens them.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

/* Close *fd if it is >= 0 and set it to -1; errno is kept. */
void fd_close(int *fd);

/* A local int that is closed at the end of its scope. */
#define fd_auto __attribute__((cleanup(fd_close)))

/* Give a descriptor away: returns *fd and sets it to -1. */
int fd_take(int *fd);

/* Set O_NONBLOCK. Returns 0 or -errno. */
int fd_nonblock(int fd);

/* Clear O_NONBLOCK. Returns 0 or -errno. */
int fd_block(int fd);

#endif
