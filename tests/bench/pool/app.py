# SPDX-License-Identifier: MIT
"""app: the answer of bare.c, as a WSGI application for uWSGI."""

BODY = b'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'


def application(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json"),
                              ("Content-Length", str(len(BODY)))])
    return [BODY]
