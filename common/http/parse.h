/* SPDX-License-Identifier: MIT */
/*
 * parse: turns a head that scan has passed into a struct http_head. The only
 * file that knows http-parser; nothing past the head ever reaches it. Since
 * scan was stricter, http-parser has nothing left to refuse, however it was
 * built; should the two ever disagree, the message is refused.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include "common/base/bytes.h"
#include "common/http/fault.h"
#include "common/http/head.h"
#include "common/http/scan.h"

/*
 * Tokenise a head. scan: returned 1 for these bytes; bytes: the whole head and
 * nothing more, *borrowed* by head_r. Use http_read_* instead, unless only the
 * tokens are wanted.
 * Returns 0, or -EBADMSG when the two parsers disagree.
 */
int http_parse_head(const struct http_scan *scan, struct slice bytes,
    struct http_head *head_r, struct http_fault *fault_r);

#endif
