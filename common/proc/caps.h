/* SPDX-License-Identifier: MIT */
/*
 * caps: which of root's capabilities this process lacks, where a container or
 * a unit took them away (capabilities(7)).
 */
#ifndef PROC_CAPS_H
#define PROC_CAPS_H

#include <stddef.h>

/*
 * The name of the i-th capability that is missing of those that it takes to
 * give files and processes to other users and to end these: "CAP_KILL". NULL:
 * no more are missing. Start-up only.
 */
const char *caps_lack(size_t i);

#endif
