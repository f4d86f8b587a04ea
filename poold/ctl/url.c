/* SPDX-License-Identifier: MIT */
/* url: http URLs, with the path that MCP servers have by custom. */
#include "poold/ctl/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/http/target.h"

#define URL_PATH "/mcp"
#define URL_PORT 80

/* Whether a normalised name is localhost or below it (RFC 6761 6.3). */
static bool
url_is_loopback(const struct http_host *host)
{
	static const char tail[] = ".localhost";
	const size_t n = sizeof(tail) - 1;

	if (strcmp(host->name, tail + 1) == 0)
		return true;
	return host->n > n && strcmp(host->name + host->n - n, tail) == 0;
}

/* Say what is missing when there is no scheme that we speak. */
static int
url_check_scheme(const char *text, struct err *err_r)
{
	if (strncasecmp(text, "http://", 7) == 0)
		return 0;
	if (strncasecmp(text, "https://", 8) == 0)
		return err_set(err_r, -EINVAL, text,
		    "https is not spoken here: use an http:// address");
	if (strstr(text, "://"))
		return err_set(err_r, -EINVAL, text,
		    "the address must start with http://");
	return err_set(err_r, -EINVAL, text,
	    "the address must start with http://, as in http://%.100s", text);
}

/* Fill in the path; an empty one and "/" stand for the usual endpoint. */
static int
url_set_path(struct url *url, struct slice path, struct err *err_r)
{
	if (path.n == 0 || slice_eq(path, SLICE("/")))
		path = SLICE(URL_PATH);
	char *to = url->path;
	if (path.p[0] == '?')
		*to++ = '/';
	if (slice_copy(path, to, sizeof(url->path) - 1) < 0)
		return err_set(err_r, -EINVAL, NULL,
		    "the address is over %d bytes long", URL_PATH_BYTES);
	return 0;
}

int
url_parse(const char *text, struct url *url_r, struct err *err_r)
{
	struct http_target target;
	const char *why = "";

	*url_r = (struct url){ .port = URL_PORT };
	const int rc = url_check_scheme(text, err_r);
	if (rc < 0)
		return rc;
	if (http_target_parse(HTTP_VERB_POST, slice_of(text), &target, &why) <
		0 ||
	    http_host_parse(target.authority, &url_r->host, &why) < 0)
		return err_set(err_r, -EINVAL, text, "%s", why);
	if (url_r->host.port == 0)
		return err_set(err_r, -EINVAL, text, "port 0 is no port");
	if (url_r->host.port > 0)
		url_r->port = url_r->host.port;
	if (url_r->port == URL_PORT)
		snprintf(
		    url_r->field, sizeof(url_r->field), "%s", url_r->host.name);
	else
		snprintf(url_r->field, sizeof(url_r->field), "%s:%d",
		    url_r->host.name, url_r->port);
	url_r->is_loopback = url_is_loopback(&url_r->host);
	return url_set_path(url_r, target.path, err_r);
}
