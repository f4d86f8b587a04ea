/* SPDX-License-Identifier: MIT */
/*
 * url: where a call goes: http://HOST[:PORT][/PATH]. Pure.
 * Source: RFC 3986, RFC 6761 6.3 (localhost)
 */
#ifndef CTL_URL_H
#define CTL_URL_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/http/host.h"

#define URL_PATH_BYTES 1024
#define URL_FIELD_SIZE (HTTP_HOST_MAX + 8)

/* Embedded in its owner; holds no memory. */
struct url {
	struct http_host host;
	int port;
	char path[URL_PATH_BYTES];  /* "/mcp" when none was given */
	char field[URL_FIELD_SIZE]; /* what the Host field says */
	bool is_loopback; /* localhost, *.localhost: no resolver is asked */
};

/*
 * Take a URL apart. Returns 0 or -EINVAL; err_r->text says what is wrong and
 * how it should look.
 */
int url_parse(const char *text, struct url *url_r, struct err *err_r);

#endif
