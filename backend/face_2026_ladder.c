/* SPDX-License-Identifier: MIT */
/*
 * face_2026_ladder: a wrapped header is compared by wrapping what the body
 * says, group by group: the encoding has one spelling, so nothing that is
 * wrong in it can be equal, and nothing has to be decoded.
 */
#include "backend/face_2026_ladder.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/said.h"

#include "backend/face.h"
#include "backend/notice.h"

int
face_2026_fault_take(struct face_2026_fault *fault, int status, int code,
    json_t *data, const char *fmt, ...)
{
	va_list ap;

	*fault = (struct face_2026_fault){ .status = status, .code = code };
	fault->data = data;
	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	said_clean(fault->text);
	return -EINVAL;
}

void
face_2026_fault_fini(struct face_2026_fault *fault)
{
	json_decref(fault->data);
	fault->data = NULL;
}

/* ---- headers --------------------------------------------------------- */

/* RFC 4648 4: three bytes (fewer at the end) as four characters. */
static void
face_2026_base64(const char *p, size_t n, char out[4])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/";
	const unsigned char a = (unsigned char)p[0];
	const unsigned char b = n > 1 ? (unsigned char)p[1] : 0;
	const unsigned char c = n > 2 ? (unsigned char)p[2] : 0;

	out[0] = alphabet[a >> 2];
	out[1] = alphabet[(a & 3) << 4 | b >> 4];
	out[2] = n > 1 ? alphabet[(b & 15) << 2 | c >> 6] : '=';
	out[3] = n > 2 ? alphabet[c & 63] : '=';
}

/* The encoded text between the wrappers, or a slice without p. */
static struct slice
face_2026_unwrap(struct slice header)
{
	const struct slice open = SLICE("=?base64?"), close = SLICE("?=");

	if (header.n < open.n + close.n ||
	    memcmp(header.p, open.p, open.n) != 0 ||
	    memcmp(header.p + header.n - close.n, close.p, close.n) != 0)
		return (struct slice){ NULL, 0 };
	return (struct slice){ header.p + open.n, header.n - open.n - close.n };
}

bool
face_2026_header_is(struct slice header, struct slice want)
{
	const struct slice code = face_2026_unwrap(header);
	char group[4];

	if (!header.p)
		return false;
	for (size_t i = 0; i < header.n; i++)
		if ((header.p[i] < ' ' && header.p[i] != '\t') ||
		    (unsigned char)header.p[i] > '~')
			return false;
	if (!code.p)
		return slice_eq(header, want);
	if (code.n != (want.n + 2) / 3 * 4)
		return false;
	for (size_t i = 0; i < want.n; i += 3) {
		face_2026_base64(want.p + i, want.n - i, group);
		if (memcmp(code.p + i / 3 * 4, group, 4) != 0)
			return false;
	}
	return true;
}

/* What a header says, for an error: any bytes may stand in one. */
static char *
face_2026_say_header(struct slice header, char said[SAID_BYTES])
{
	char text[SAID_BYTES];
	const size_t n = header.n < sizeof(text) ? header.n : sizeof(text);

	for (size_t i = 0; i < n; i++)
		text[i] = (unsigned char)header.p[i] > '~' ? '?' : header.p[i];
	return said_text(text, n, said);
}

/* A refused header: what it says, and what the body says. */
static int
face_2026_mismatch(struct face_2026_fault *fault, const char *name,
    struct slice header, struct slice want)
{
	char has[SAID_BYTES], wants[SAID_BYTES];

	if (!header.p)
		return face_2026_fault_take(fault, 400,
		    FACE_2026_HEADER_MISMATCH, NULL,
		    "Header mismatch: the %s header is missing", name);
	if (header.n > 0 && header.p[0] == '\0')
		return face_2026_fault_take(fault, 400,
		    FACE_2026_HEADER_MISMATCH, NULL,
		    "Header mismatch: the %s header came twice", name);
	return face_2026_fault_take(fault, 400, FACE_2026_HEADER_MISMATCH, NULL,
	    "Header mismatch: the %s header %s is not the body's %s", name,
	    face_2026_say_header(header, has),
	    said_text(want.p, want.n, wants));
}

static struct slice
face_2026_text(const json_t *string)
{
	const char *p = json_string_value(string);

	return p ? (struct slice){ p, json_string_length(string) } : SLICE("");
}

/* ---- Mcp-Param-* ----------------------------------------------------- */

/* Whole numbers compare by value: 42.0 is 42. */
static bool
face_2026_number_is(struct slice header, const json_t *value)
{
	char text[64];
	char *end;
	double x;

	if (slice_copy(header, text, sizeof(text)) != 0 || header.n == 0 ||
	    strspn(text, "0123456789+-.eE") != header.n)
		return false;
	x = strtod(text, &end);
	return *end == '\0' && isfinite(x) && x == json_number_value(value);
}

static bool
face_2026_param_is(struct slice header, const json_t *value)
{
	if (json_is_string(value))
		return face_2026_header_is(header, face_2026_text(value));
	if (json_is_boolean(value))
		return face_2026_header_is(header,
		    json_is_true(value) ? SLICE("true") : SLICE("false"));
	return json_is_number(value) && face_2026_number_is(header, value);
}

/* The value of Mcp-Param-NAME; p NULL: absent; more than one: none fits. */
static struct slice
face_2026_param(const struct inbound *in, struct slice name)
{
	struct slice value = { NULL, 0 };

	for (size_t i = 0; i < in->n_params; i++)
		if (slice_caseeq(in->params[i].name, name))
			value = value.p ? (struct slice){ "\0", 1 }
			                : in->params[i].value;
	return value;
}

/* One property that says x-mcp-header. */
static int
face_2026_check_param(const struct inbound *in, struct slice name,
    const json_t *value, struct face_2026_fault *fault)
{
	const struct slice header = face_2026_param(in, name);
	char label[SAID_BYTES + 16], said[SAID_BYTES];

	if (!value || json_is_null(value)) {
		if (!header.p)
			return 0;
	} else if (header.p && face_2026_param_is(header, value)) {
		return 0;
	}
	snprintf(label, sizeof(label), "Mcp-Param-%.40s", name.p);
	said_value(value ? value : json_null(), said);
	return face_2026_mismatch(fault, label, header, slice_of(said));
}

/* All properties below a schema, through `properties` alone. */
static int
face_2026_check_params(const struct inbound *in, const json_t *schema,
    const json_t *args, struct face_2026_fault *fault)
{
	json_t *properties = json_object_get(schema, "properties");
	const char *key;
	json_t *property;

	json_object_foreach (properties, key, property) {
		const json_t *value = json_object_get(args, key);
		const json_t *name = json_object_get(property, "x-mcp-header");
		int rc = 0;

		if (json_is_string(name))
			rc = face_2026_check_param(
			    in, face_2026_text(name), value, fault);
		if (rc == 0)
			rc = face_2026_check_params(in, property, value, fault);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* ---- the ladder ------------------------------------------------------ */

/*
 * Methods, and the member of params that Mcp-Name repeats. Those of other
 * servers are rows too, since their headers are checked before the method is.
 */
static const struct face_2026_row {
	const char *method;
	const char *named_by;
	bool is_spoken;
} face_2026_rows[] = {
	{ "server/discover", NULL, true },
	{ "tools/list", NULL, true },
	{ "tools/call", "name", true },
	{ "prompts/get", "name", false },
	{ "resources/read", "uri", false },
	{ "tasks/get", "taskId", false },
	{ "tasks/update", "taskId", false },
	{ "tasks/cancel", "taskId", false },
};

static const struct face_2026_row *
face_2026_row(const char *method)
{
	const size_t n = sizeof(face_2026_rows) / sizeof(face_2026_rows[0]);

	for (size_t i = 0; i < n; i++)
		if (strcmp(face_2026_rows[i].method, method) == 0)
			return &face_2026_rows[i];
	return NULL;
}

/* a: the envelope. Notifications have no need of capabilities. */
static int
face_2026_check_meta(
    const json_t *meta, enum rpc_kind kind, struct face_2026_fault *fault)
{
	if (!json_is_string(json_object_get(meta, RPC_CLAIM)))
		return face_2026_fault_take(fault, 400, RPC_INVALID_PARAMS,
		    NULL, "Invalid params: _meta: %s must be a string",
		    RPC_CLAIM);
	if (kind == RPC_KIND_REQUEST &&
	    !json_is_object(json_object_get(meta, FACE_2026_CAPS)))
		return face_2026_fault_take(fault, 400, RPC_INVALID_PARAMS,
		    NULL, "Invalid params: _meta: %s must be an object",
		    FACE_2026_CAPS);
	return 0;
}

/* b and c: the header repeats the claim, and we speak that revision. */
static int
face_2026_check_version(
    const struct inbound *in, const json_t *meta, struct face_2026_fault *fault)
{
	const json_t *claim = json_object_get(meta, RPC_CLAIM);
	const struct slice want = face_2026_text(claim);
	const struct slice header = in->fields[INBOUND_VERSION];
	const struct face_revision *r = face_find(want);

	if (!header.p || !slice_eq(header, want))
		return face_2026_mismatch(
		    fault, "MCP-Protocol-Version", header, want);
	if (r && r->era == FACE_ERA_MODERN)
		return 0;
	return face_2026_fault_take(fault, 400, FACE_2026_VERSION,
	    json_pack("{s:o, s:s}", "supported", face_names(), "requested",
		want.n <= 64 ? want.p : "(too long)"),
	    "Unsupported protocol version");
}

/* d and e: Mcp-Method and Mcp-Name repeat the body. */
static int
face_2026_check_names(const struct inbound *in, const json_t *message,
    const struct face_2026_row *row, struct face_2026_fault *fault)
{
	const struct slice method = slice_of(rpc_method(message));
	const json_t *name =
	    row && row->named_by
		? json_object_get(rpc_params(message), row->named_by)
		: NULL;
	struct slice header = in->fields[INBOUND_METHOD];

	if (!header.p || !slice_eq(header, method))
		return face_2026_mismatch(fault, "Mcp-Method", header, method);
	if (!row || !row->named_by)
		return 0;
	header = in->fields[INBOUND_NAME];
	if (json_is_string(name) &&
	    face_2026_header_is(header, face_2026_text(name)))
		return 0;
	return face_2026_mismatch(
	    fault, "Mcp-Name", header, face_2026_text(name));
}

/* f: the headers that the called tool's schema asks for. */
static int
face_2026_check_tool(const struct inbound *in, json_t *message,
    const struct load *load, struct face_2026_fault *fault)
{
	const json_t *params = rpc_params(message);
	const char *name = json_string_value(json_object_get(params, "name"));
	const struct tool *tool;

	if (strcmp(rpc_method(message), "tools/call") != 0)
		return 0;
	tool = name ? load_find(load, name) : NULL;
	if (!tool)
		return 0;
	if (in->has_too_many_params)
		return face_2026_fault_take(fault, 400,
		    FACE_2026_HEADER_MISMATCH, NULL,
		    "Header mismatch: more than %d Mcp-Param headers",
		    INBOUND_PARAMS_MAX);
	return face_2026_check_params(
	    in, tool->input_doc, json_object_get(params, "arguments"), fault);
}

/* h: a log level that is there is a known one. */
static int
face_2026_check_level(const json_t *meta, struct face_2026_fault *fault)
{
	const json_t *level = json_object_get(meta, FACE_2026_LEVEL);

	if (!level || notice_level(json_string_value(level)) >= 0)
		return 0;
	return face_2026_fault_take(fault, 400, RPC_INVALID_PARAMS, NULL,
	    "Invalid params: _meta: %s names no level", FACE_2026_LEVEL);
}

int
face_2026_climb(const struct inbound *in, enum rpc_kind kind, json_t *message,
    const struct load *load, struct face_2026_fault *fault)
{
	const json_t *meta = json_object_get(rpc_params(message), "_meta");
	const struct face_2026_row *row = face_2026_row(rpc_method(message));
	int rc = face_2026_check_meta(meta, kind, fault);

	if (rc == 0)
		rc = face_2026_check_version(in, meta, fault);
	if (rc != 0 || kind == RPC_KIND_NOTIFICATION)
		return rc;
	rc = face_2026_check_names(in, message, row, fault);
	if (rc == 0)
		rc = face_2026_check_tool(in, message, load, fault);
	if (rc == 0 && (!row || !row->is_spoken))
		rc = face_2026_fault_take(
		    fault, 404, RPC_METHOD_NOT_FOUND, NULL, "Method not found");
	return rc == 0 ? face_2026_check_level(meta, fault) : rc;
}
