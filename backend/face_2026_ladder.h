/* SPDX-License-Identifier: MIT */
/*
 * face_2026_ladder: the checks that a modern request passes before its method
 * is looked at, in their order: envelope, headers against the body, version,
 * method, tool headers, log level. The first that fails answers. Pure.
 * Source: MCP 2026-07-28 basic, basic/transports/streamable-http (standard
 * headers, custom headers), basic/versioning
 */
#ifndef BACKEND_FACE_2026_LADDER_H
#define BACKEND_FACE_2026_LADDER_H

#include <jansson.h>

#include "common/base/err.h"

#include "backend/inbound.h"
#include "backend/load.h"
#include "backend/rpc.h"

#define FACE_2026_HEADER_MISMATCH (-32020)
#define FACE_2026_CAPABILITY      (-32021)
#define FACE_2026_VERSION         (-32022)

/* Keys of _meta. */
#define FACE_2026_CAPS  "io.modelcontextprotocol/clientCapabilities"
#define FACE_2026_LEVEL "io.modelcontextprotocol/logLevel"
#define FACE_2026_INFO  "io.modelcontextprotocol/serverInfo"

/* How a request is refused. */
struct face_2026_fault {
	int status; /* HTTP */
	int code;   /* JSON-RPC */
	char text[ERR_TEXT_BYTES];
	json_t *data; /* *new*, or NULL */
};

/* Fill *fault; data is *taken*. Returns -EINVAL. */
int face_2026_fault_take(struct face_2026_fault *fault, int status, int code,
    json_t *data, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Free what a fault holds. */
void face_2026_fault_fini(struct face_2026_fault *fault);

/*
 * Check a request or notification (*borrowed*) that claims to be modern.
 * Returns 0, or -EINVAL with *fault_r filled (face_2026_fault_fini).
 */
int face_2026_climb(const struct inbound *in, enum rpc_kind kind,
    json_t *message, const struct load *load, struct face_2026_fault *fault_r);

/*
 * Whether a header says want: as it is, or wrapped as =?base64?…?=. Bad
 * alphabet, padding or bytes outside ASCII are never equal.
 */
bool face_2026_header_is(struct slice header, struct slice want);

#endif
