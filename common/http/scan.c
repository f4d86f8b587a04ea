/* SPDX-License-Identifier: MIT */
/*
 * scan: RFC 9112 2.1, 3, 4, 5
 *	HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ body ]
 *	request-line = method SP request-target SP HTTP-version
 *	status-line = HTTP-version SP status-code SP [ reason-phrase ]
 *	field-line = field-name ":" OWS field-value OWS
 * One row a state; each step looks at bytes from scan->at on and either moves
 * to another state, waits for more, or refuses. A status line may lack the
 * space before an empty reason, as much of what backends run sends it.
 */
#include "common/http/scan.h"

#include <errno.h>
#include <string.h>

#include "common/base/must.h"
#include "common/http/char.h"
#include "common/http/host.h"

#define SCAN_LENGTH_DIGITS 18
#define SCAN_VERSION       "HTTP/1."
#define SCAN_BIT(id)       (UINT64_C(1) << (id))

_Static_assert(HTTP_NAME_COUNT <= 64, "scan->seen is a set of 64");

enum scan_state {
	SCAN_BLANK,    /* before a request: one empty line is skipped */
	SCAN_BLANK_LF, /* after the CR of that line */
	SCAN_METHOD,   /* request-line */
	SCAN_TARGET,
	SCAN_VERSION_REQUEST,
	SCAN_VERSION_RESPONSE, /* status-line */
	SCAN_STATUS,
	SCAN_REASON,
	SCAN_LINE_LF, /* after the CR of the start line */
	SCAN_FIELD,   /* at the start of a field line or of the end */
	SCAN_NAME,
	SCAN_VALUE,
	SCAN_VALUE_LF, /* after the CR of a field line */
	SCAN_END_LF,   /* after the CR of the empty line */
	SCAN_DONE,
	SCAN_STATES
};

/* What every step gets: the bytes, and where to put a refusal. */
struct scan_view {
	struct slice in;
	struct http_fault *fault;
};

static int
scan_status(const struct http_scan *s, int status)
{
	return s->kind == HTTP_KIND_REQUEST ? status : 502;
}

/* Refuse what stands at s->at. */
static int
scan_refuse(
    const struct http_scan *s, const struct scan_view *v, const char *why)
{
	return http_fault_set(v->fault, scan_status(s, 400), s->at,
	    (struct slice){ NULL, 0 }, why);
}

/* Refuse the field that is being read. */
static int
scan_refuse_field(const struct http_scan *s, const struct scan_view *v,
    int status, const char *why)
{
	const struct slice name = { v->in.p + s->name_at, s->name_n };

	return http_fault_set(
	    v->fault, scan_status(s, status), s->at, name, why);
}

/* The bytes from the start of the part being read up to s->at. */
static struct slice
scan_part(const struct http_scan *s, const struct scan_view *v)
{
	return (struct slice){ v->in.p + s->start, s->at - s->start };
}

/* Move over bytes of a class. Returns whether a byte of no such class came. */
static bool
scan_over(struct http_scan *s, const struct scan_view *v, unsigned classes)
{
	s->at += http_char_span(
	    (struct slice){ v->in.p + s->at, v->in.n - s->at }, classes);
	return s->at < v->in.n;
}

/* Take the byte at s->at and begin the next part behind it. */
static int
scan_go(struct http_scan *s, enum scan_state state)
{
	s->at++;
	s->start = s->at;
	s->state = (uint8_t)state;
	return 1;
}

/* Expect the LF after a CR. */
static int
scan_lf(struct http_scan *s, const struct scan_view *v, enum scan_state next)
{
	if (v->in.p[s->at] != '\n')
		return scan_refuse(s, v, "CR without LF");
	return scan_go(s, next);
}

static int
scan_blank(struct http_scan *s, const struct scan_view *v)
{
	if (v->in.p[s->at] == '\r' && !s->is_blank_skipped) {
		s->is_blank_skipped = true;
		return scan_go(s, SCAN_BLANK_LF);
	}
	s->start = s->begin = s->at;
	s->state = SCAN_METHOD;
	return 1;
}

static int
scan_blank_lf(struct http_scan *s, const struct scan_view *v)
{
	return scan_lf(s, v, SCAN_BLANK);
}

static int
scan_method(struct http_scan *s, const struct scan_view *v)
{
	const bool has_end = scan_over(s, v, HTTP_CHAR_TOKEN);
	const size_t n = s->at - s->start;

	if (n > HTTP_METHOD_MAX) {
		s->at = s->start + HTTP_METHOD_MAX;
		return scan_refuse(s, v, "a method of more than 32 bytes");
	}
	if (!has_end)
		return 0;
	if (v->in.p[s->at] != ' ' || n == 0)
		return scan_refuse(s, v, "a method that is no token");
	s->method_n = n;
	return scan_go(s, SCAN_TARGET);
}

static int
scan_target(struct http_scan *s, const struct scan_view *v)
{
	const bool has_end = scan_over(s, v, HTTP_CHAR_TARGET);
	const struct slice method = { v->in.p + s->begin, s->method_n };
	struct http_target target;
	const char *why;

	if (s->at - s->start > HTTP_TARGET_MAX) {
		s->at = s->start + HTTP_TARGET_MAX;
		return http_fault_set(v->fault, 414, s->at,
		    (struct slice){ NULL, 0 },
		    "a target of more than 8192 bytes");
	}
	if (!has_end)
		return 0;
	if (v->in.p[s->at] == '\r' || v->in.p[s->at] == '\n')
		return scan_refuse(s, v, "a request line without a version");
	if (v->in.p[s->at] != ' ')
		return scan_refuse(s, v, "a byte that a target cannot have");
	if (s->at == s->start)
		return scan_refuse(
		    s, v, "more than one space in a request line");
	if (http_target_parse(
		http_target_verb(method), scan_part(s, v), &target, &why) < 0) {
		s->at = s->start;
		return scan_refuse(s, v, why);
	}
	return scan_go(s, SCAN_VERSION_REQUEST);
}

/*
 * Read "HTTP/1." and one digit. Returns 1 with s->at behind the digit, 0 or a
 * refusal.
 */
static int
scan_version(struct http_scan *s, const struct scan_view *v)
{
	const size_t n_fixed = sizeof(SCAN_VERSION) - 1;

	while (s->at < v->in.n && s->at - s->start <= n_fixed) {
		const size_t i = s->at - s->start;
		const char c = v->in.p[s->at];

		if (i < n_fixed ? c != SCAN_VERSION[i] : c != '0' && c != '1')
			return scan_refuse(
			    s, v, "a version other than HTTP/1.0 and HTTP/1.1");
		s->minor = c - '0';
		s->at++;
	}
	return s->at - s->start > n_fixed && s->at < v->in.n;
}

static int
scan_version_request(struct http_scan *s, const struct scan_view *v)
{
	const int rc = scan_version(s, v);

	if (rc <= 0)
		return rc;
	if (v->in.p[s->at] != '\r')
		return scan_refuse(s, v, "no CRLF after the version");
	return scan_go(s, SCAN_LINE_LF);
}

static int
scan_version_response(struct http_scan *s, const struct scan_view *v)
{
	const int rc = scan_version(s, v);

	if (rc <= 0)
		return rc;
	if (v->in.p[s->at] != ' ')
		return scan_refuse(s, v, "no space after the version");
	return scan_go(s, SCAN_STATUS);
}

/* status-code = 3DIGIT, of which 100 to 599 mean something (RFC 9110 15). */
static int
scan_status_code(struct http_scan *s, const struct scan_view *v)
{
	while (s->at < v->in.n && s->at - s->start < 3) {
		const char c = v->in.p[s->at];
		const bool is_first = s->at == s->start;

		if (!http_char_is(c, HTTP_CHAR_DIGIT) ||
		    (is_first && (c < '1' || c > '5')))
			return scan_refuse(s, v, "no status from 100 to 599");
		s->status = (is_first ? 0 : s->status * 10) + (c - '0');
		s->at++;
	}
	if (s->at == v->in.n)
		return 0;
	if (v->in.p[s->at] == ' ')
		return scan_go(s, SCAN_REASON);
	if (v->in.p[s->at] == '\r')
		return scan_go(s, SCAN_LINE_LF);
	return scan_refuse(s, v, "no space after the status");
}

/* Why a byte that is neither VALUE nor CR must not stand in a text. */
static const char *
scan_control(char c)
{
	if (c == '\n')
		return "LF without CR";
	return c == '\0' ? "a NUL byte" : "a control byte";
}

static int
scan_reason(struct http_scan *s, const struct scan_view *v)
{
	if (!scan_over(s, v, HTTP_CHAR_VALUE))
		return 0;
	if (v->in.p[s->at] != '\r')
		return scan_refuse(s, v, scan_control(v->in.p[s->at]));
	return scan_go(s, SCAN_LINE_LF);
}

static int
scan_line_lf(struct http_scan *s, const struct scan_view *v)
{
	return scan_lf(s, v, SCAN_FIELD);
}

static int
scan_field(struct http_scan *s, const struct scan_view *v)
{
	const char c = v->in.p[s->at];

	if (c == '\r')
		return scan_go(s, SCAN_END_LF);
	if (c == ' ' || c == '\t')
		return scan_refuse(s, v,
		    s->n_fields ? "a folded field line"
				: "white space before the first field");
	if (c == '\n')
		return scan_refuse(s, v, "LF without CR");
	if (s->n_fields == HTTP_FIELDS_MAX)
		return http_fault_set(v->fault, scan_status(s, 431), s->at,
		    (struct slice){ NULL, 0 }, "more than 100 fields");
	s->n_fields++;
	s->name_at = s->start = s->at;
	s->state = SCAN_NAME;
	return 1;
}

/* Refuse names that may not come (again), as soon as the colon is there. */
static int
scan_name_rules(const struct http_scan *s, const struct scan_view *v)
{
	const bool is_length = s->name_id == HTTP_NAME_CONTENT_LENGTH;
	const bool is_coding = s->name_id == HTTP_NAME_TRANSFER_ENCODING;
	const uint64_t rival = SCAN_BIT(
	    is_length ? HTTP_NAME_TRANSFER_ENCODING : HTTP_NAME_CONTENT_LENGTH);

	const bool is_once = http_name_flags(s->name_id) & HTTP_NAME_ONCE;

	if (is_once && s->seen & SCAN_BIT(s->name_id))
		return scan_refuse_field(s, v, 400, "more than one such field");
	if ((is_length || is_coding) && s->seen & rival)
		return scan_refuse_field(
		    s, v, 400, "both Content-Length and Transfer-Encoding");
	if (is_coding && s->minor == 0)
		return scan_refuse_field(s, v, 400, "not known to HTTP/1.0");
	return 1;
}

static int
scan_name(struct http_scan *s, const struct scan_view *v)
{
	if (!scan_over(s, v, HTTP_CHAR_TOKEN))
		return 0;
	const char c = v->in.p[s->at];

	s->name_n = s->at - s->start;
	if (c == ' ' || c == '\t')
		return scan_refuse_field(
		    s, v, 400, "white space in or after the name");
	if (c == '\r' || c == '\n')
		return scan_refuse_field(s, v, 400, "a line without a colon");
	if (c != ':')
		return scan_refuse_field(
		    s, v, 400, "a byte that is not allowed in a name");
	if (s->name_n == 0)
		return scan_refuse(s, v, "an empty field name");
	s->name_id = (uint8_t)http_name_find(scan_part(s, v));
	/* In a response Host means nothing. */
	if (s->kind == HTTP_KIND_RESPONSE && s->name_id == HTTP_NAME_HOST)
		s->name_id = HTTP_NAME_OTHER;
	const int rc = scan_name_rules(s, v);

	if (rc < 0)
		return rc;
	s->seen |= SCAN_BIT(s->name_id);
	return scan_go(s, SCAN_VALUE);
}

/* Content-Length = 1*DIGIT. White space behind it is not forgiven. */
static const char *
scan_check_length(struct http_scan *s, struct slice raw)
{
	const struct slice value = slice_trim(raw);

	if (!http_char_all(value, HTTP_CHAR_DIGIT) ||
	    value.n > SCAN_LENGTH_DIGITS || value.p + value.n != raw.p + raw.n)
		return "not a number of 1 to 18 digits";
	return NULL;
}

static const char *
scan_check_coding(struct http_scan *s, struct slice raw)
{
	if (!slice_caseeq(slice_trim(raw), SLICE("chunked")))
		return "anything but chunked";
	return NULL;
}

static const char *
scan_check_host(struct http_scan *s, struct slice raw)
{
	struct http_host host;
	const char *why;

	http_host_parse(slice_trim(raw), &host, &why);
	return why;
}

/* Connection = #connection-option; connection-option = token */
static const char *
scan_check_connection(struct http_scan *s, struct slice raw)
{
	struct slice item;

	while (http_head_next(&raw, &item)) {
		if (!http_char_all(item, HTTP_CHAR_TOKEN))
			return "an option that is no token";
		if (++s->n_options > HTTP_OPTIONS_MAX)
			return "more than 32 options";
		if (http_name_is_pinned(item))
			return "it names a field that must arrive";
	}
	return NULL;
}

static const struct {
	enum http_name id;
	const char *(*check)(struct http_scan *s, struct slice raw);
} scan_rules[] = {
	{ HTTP_NAME_CONTENT_LENGTH, scan_check_length },
	{ HTTP_NAME_TRANSFER_ENCODING, scan_check_coding },
	{ HTTP_NAME_HOST, scan_check_host },
	{ HTTP_NAME_CONNECTION, scan_check_connection },
};

static int
scan_value_rules(struct http_scan *s, const struct scan_view *v)
{
	for (size_t i = 0; i < sizeof(scan_rules) / sizeof(scan_rules[0]);
	     i++) {
		if (s->name_id != scan_rules[i].id)
			continue;
		const char *const why = scan_rules[i].check(s, scan_part(s, v));

		if (why)
			return scan_refuse_field(s, v, 400, why);
	}
	return 1;
}

static int
scan_value(struct http_scan *s, const struct scan_view *v)
{
	if (!scan_over(s, v, HTTP_CHAR_VALUE))
		return 0;
	if (v->in.p[s->at] != '\r')
		return scan_refuse_field(
		    s, v, 400, scan_control(v->in.p[s->at]));
	if (s->name_id != HTTP_NAME_OTHER) {
		const int rc = scan_value_rules(s, v);

		if (rc < 0)
			return rc;
	}
	return scan_go(s, SCAN_VALUE_LF);
}

static int
scan_value_lf(struct http_scan *s, const struct scan_view *v)
{
	return scan_lf(s, v, SCAN_FIELD);
}

static int
scan_end_lf(struct http_scan *s, const struct scan_view *v)
{
	const int rc = scan_lf(s, v, SCAN_DONE);

	if (rc > 0 && s->kind == HTTP_KIND_REQUEST && s->minor == 1 &&
	    !(s->seen & SCAN_BIT(HTTP_NAME_HOST)))
		return http_fault_set(
		    v->fault, 400, s->at, SLICE("Host"), "missing");
	return rc;
}

/* Called only while a byte is left. Returns 1 moved on, 0 more, or bad. */
static int (*const scan_steps[SCAN_STATES])(
    struct http_scan *s, const struct scan_view *v) = {
	[SCAN_BLANK] = scan_blank,
	[SCAN_BLANK_LF] = scan_blank_lf,
	[SCAN_METHOD] = scan_method,
	[SCAN_TARGET] = scan_target,
	[SCAN_VERSION_REQUEST] = scan_version_request,
	[SCAN_VERSION_RESPONSE] = scan_version_response,
	[SCAN_STATUS] = scan_status_code,
	[SCAN_REASON] = scan_reason,
	[SCAN_LINE_LF] = scan_line_lf,
	[SCAN_FIELD] = scan_field,
	[SCAN_NAME] = scan_name,
	[SCAN_VALUE] = scan_value,
	[SCAN_VALUE_LF] = scan_value_lf,
	[SCAN_END_LF] = scan_end_lf,
};

void
http_scan_init(struct http_scan *scan, enum http_kind kind)
{
	*scan = (struct http_scan){
		.kind = kind,
		.state = kind == HTTP_KIND_REQUEST ? SCAN_BLANK
		                                   : SCAN_VERSION_RESPONSE,
	};
}

int
http_scan_feed(struct http_scan *scan, struct slice so_far, size_t *n_r,
    struct http_fault *fault_r)
{
	const size_t limit = scan->kind == HTTP_KIND_REQUEST
	                         ? HTTP_REQUEST_MAX
	                         : HTTP_RESPONSE_MAX;
	const struct scan_view view = {
		.in = { so_far.p, so_far.n < limit ? so_far.n : limit },
		.fault = fault_r,
	};

	must(scan->state < SCAN_DONE);
	must(scan->at <= so_far.n);
	while (scan->at < view.in.n) {
		const int rc = scan_steps[scan->state](scan, &view);

		if (rc < 0)
			return rc;
		if (scan->state == SCAN_DONE) {
			*n_r = scan->at;
			return 1;
		}
		if (rc == 0)
			break;
	}
	if (so_far.n >= limit)
		return http_fault_set(fault_r, scan_status(scan, 431), limit,
		    (struct slice){ NULL, 0 }, "a head over the limit");
	return 0;
}

bool
http_scan_is_idle(const struct http_scan *scan)
{
	return scan->state <= SCAN_BLANK_LF ||
	       (scan->kind == HTTP_KIND_RESPONSE && scan->at == 0);
}
