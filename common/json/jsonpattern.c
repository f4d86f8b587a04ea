/* SPDX-License-Identifier: MIT */
/* jsonpattern: PCRE2 with every limit set and every step counted. */
#include "common/json/jsonpattern.h"

#include <errno.h>
#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/json/ecma.h"
#include "common/json/said.h"

#define JSONPATTERN_MAGIC      0x4a504154u
#define JSONPATTERN_OUT_BYTES  (8 * JSONPATTERN_BYTES)
#define JSONPATTERN_HEAP_KIB   16384
#define JSONPATTERN_MATCHES    1000000
#define JSONPATTERN_MOVE_BYTES 64  /* that a step may move over */
#define JSONPATTERN_LOOK_BYTES 256 /* that a step may look at in vain */

struct jsonpattern {
	uint32_t magic;
	pcre2_code *code;
	struct slice text; /* owned; as it was written */
	size_t look;       /* bytes that one item may look at in vain */
};

/*
 * What counts the steps of one match. PCRE2 calls out before each item of the
 * pattern that it tries. Between two calls it moved from `at`, forth or back,
 * and may have looked at characters in vain: as many as {n} wants, or all
 * the text where a group is referred back to.
 */
struct meter {
	struct jsonvalue_budget *budget;
	uint64_t price; /* of looking in vain */
	size_t at;
};

static void *
pattern_malloc(size_t n, void *arg)
{
	return mem_alloc(n);
}

static void
pattern_mfree(void *p, void *arg)
{
	mem_free(p);
}

static int
meter_on_callout(pcre2_callout_block *block, void *arg)
{
	struct meter *const m = arg;
	const size_t to = block->current_position;
	const size_t moved = to > m->at ? to - m->at : m->at - to;

	m->at = to;
	if (jsonvalue_spend(
		m->budget, m->price + moved / JSONPATTERN_MOVE_BYTES))
		return 0;
	return PCRE2_ERROR_CALLOUT;
}

/* Compile what was translated; the reason of a failure in *err_r. */
static int
pattern_compile(struct jsonpattern *p, struct slice text,
    pcre2_compile_context *cc, struct err *err_r)
{
	uint32_t n_references = 0;
	int error = 0;
	PCRE2_SIZE at = 0;
	char reason[120];

	pcre2_set_parens_nest_limit(cc, JSONPATTERN_NEST);
	/* The callouts are for the meter: one before each item. */
	p->code = pcre2_compile((PCRE2_SPTR)(text.n ? text.p : ""), text.n,
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
		PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C |
		PCRE2_AUTO_CALLOUT,
	    &error, &at, cc);
	if (p->code) {
		pcre2_pattern_info(
		    p->code, PCRE2_INFO_BACKREFMAX, &n_references);
		if (n_references)
			p->look = SIZE_MAX;
		return 0;
	}
	if (error == PCRE2_ERROR_HEAP_FAILED || error == PCRE2_ERROR_NOMEMORY)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	pcre2_get_error_message(error, (PCRE2_UCHAR *)reason, sizeof(reason));
	return err_set(err_r, -EINVAL, NULL,
	    "the regular expression cannot be used: %s", reason);
}

/* Translate and compile into p, which has its text. */
static int
pattern_fill(struct jsonpattern *p, struct err *err_r)
{
	pcre2_general_context *gc = NULL;
	pcre2_compile_context *cc = NULL;
	struct buf out;

	buf_init(&out, JSONPATTERN_OUT_BYTES);
	int e = ecma_translate(p->text, &out, &p->look, err_r);
	if (e < 0 && e != -EINVAL)
		err_set(err_r, e, NULL,
		    e == -ENOMEM ? "out of memory"
				 : "the regular expression is too long");
	if (e < 0)
		goto out;
	gc = pcre2_general_context_create(pattern_malloc, pattern_mfree, NULL);
	cc = gc ? pcre2_compile_context_create(gc) : NULL;
	e = cc ? pattern_compile(p, buf_content(&out), cc, err_r)
	       : err_set(err_r, -ENOMEM, NULL, "out of memory");
out:
	pcre2_compile_context_free(cc);
	pcre2_general_context_free(gc);
	buf_fini(&out);
	return e == -ENOBUFS ? -EINVAL : e;
}

int
jsonpattern_new(
    struct slice text, struct jsonpattern **pattern_r, struct err *err_r)
{
	*pattern_r = NULL;
	if (text.n > JSONPATTERN_BYTES)
		return err_set(err_r, -EINVAL, NULL,
		    "the regular expression is longer than %d bytes",
		    JSONPATTERN_BYTES);
	struct jsonpattern *p = mem_zalloc(1, sizeof(*p));
	if (!p)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	p->magic = JSONPATTERN_MAGIC;
	p->text = (struct slice){ mem_strndup(text.p, text.n), text.n };
	const int e = p->text.p
	                  ? pattern_fill(p, err_r)
	                  : err_set(err_r, -ENOMEM, NULL, "out of memory");

	if (e < 0)
		jsonpattern_free(&p);
	*pattern_r = p;
	return e;
}

void
jsonpattern_free(struct jsonpattern **pattern)
{
	struct jsonpattern *const p = *pattern;

	if (!p)
		return;
	must_be(p, JSONPATTERN_MAGIC);
	pcre2_code_free(p->code);
	mem_free((char *)p->text.p);
	p->magic = 0;
	mem_free(p);
	*pattern = NULL;
}

/* Match with contexts that exist. Returns 1, 0 or -errno. */
static int
pattern_run(const struct jsonpattern *p, struct slice subject,
    pcre2_match_context *mc, pcre2_match_data *md, struct meter *meter)
{
	pcre2_set_match_limit(mc, JSONPATTERN_MATCHES);
	pcre2_set_heap_limit(mc, JSONPATTERN_HEAP_KIB);
	pcre2_set_callout(mc, meter_on_callout, meter);
	const int r = pcre2_match(p->code,
	    (PCRE2_SPTR)(subject.n ? subject.p : ""), subject.n, 0, 0, md, mc);

	if (r >= 0)
		return 1;
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	if (r == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	/* Text that is not UTF-8 cannot come from jsontext; it fits nothing. */
	if (r <= PCRE2_ERROR_UTF8_ERR1 && r >= PCRE2_ERROR_UTF8_ERR21)
		return 0;
	return -EMSGSIZE;
}

int
jsonpattern_match(const struct jsonpattern *pattern, struct slice subject,
    struct jsonvalue_budget *budget)
{
	struct meter meter = { .budget = budget };
	int r = -ENOMEM;

	must_be(pattern, JSONPATTERN_MAGIC);
	const size_t look =
	    pattern->look < subject.n ? pattern->look : subject.n;

	meter.price = 1 + look / JSONPATTERN_LOOK_BYTES;
	if (!jsonvalue_spend(budget, 1 + subject.n / JSONPATTERN_LOOK_BYTES))
		return -EMSGSIZE;
	pcre2_general_context *const gc =
	    pcre2_general_context_create(pattern_malloc, pattern_mfree, NULL);
	pcre2_match_context *const mc =
	    gc ? pcre2_match_context_create(gc) : NULL;
	pcre2_match_data *const md =
	    mc ? pcre2_match_data_create_from_pattern(pattern->code, gc) : NULL;

	if (md)
		r = pattern_run(pattern, subject, mc, md, &meter);
	pcre2_match_data_free(md);
	pcre2_match_context_free(mc);
	pcre2_general_context_free(gc);
	return r;
}

struct slice
jsonpattern_text(const struct jsonpattern *pattern)
{
	must_be(pattern, JSONPATTERN_MAGIC);
	return pattern->text;
}
