/* SPDX-License-Identifier: MIT */
/*
 * fixtures: tools that tests look at from outside: what ran, how often, and
 * what was cleaned up.
 */
#include <holdline.h>

#include <stdio.h>
#include <string.h>

#define KEYS 256

/* The counters of one key; they live as long as the backend. */
struct effect {
	char key[65];
	int before;
	int after;
	int cleaned;
};

static struct effect effects[KEYS];

/* The counters of the key in args; the table is never emptied. */
static struct effect *
effect_of(struct hl_ctx *ctx, json_t *args)
{
	const char *const key = json_string_value(json_object_get(args, "key"));

	for (size_t i = 0; i < KEYS; i++) {
		struct effect *const e = &effects[i];
		if (!e->key[0])
			snprintf(e->key, sizeof(e->key), "%s", key);
		if (!strcmp(e->key, key))
			return e;
	}
	hl_fail(ctx, "More than %d keys.", KEYS);
}

/* A form with one required property. */
static json_t *
one_field(const char *name, const char *type)
{
	return json_pack("{s:s, s:{s:{s:s}}, s:[s]}", "type", "object",
	    "properties", name, "type", type, "required", name);
}

static const char key_schema[] =
    "{\"type\": \"object\", \"properties\": {\"key\":"
    " {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 64,"
    "  \"pattern\": \"^[A-Za-z0-9_.-]*$\"}}, \"required\": [\"key\"]}";

/* ---- read_effect ----------------------------------------------------- */

static json_t *
read_effect(struct hl_ctx *ctx, json_t *args)
{
	const struct effect *const e = effect_of(ctx, args);

	return hl_result("{s:i, s:i, s:i}", "before", e->before, "after",
	    e->after, "cleaned", e->cleaned);
}

static const struct hl_tool read_effect_tool = {
	.name = "read_effect",
	.title = "Read counters",
	.description = "Returns the counters of a key.",
	.input_schema = key_schema,
	.fn = read_effect,
};

/* ---- slow_effect ----------------------------------------------------- */

static void
count_cleaned(void *arg)
{
	struct effect *const e = arg;

	e->cleaned++;
}

static json_t *
slow_effect(struct hl_ctx *ctx, json_t *args)
{
	struct effect *const e = effect_of(ctx, args);

	hl_ensure(ctx, count_cleaned, e);
	e->before++;
	hl_sleep(ctx, json_integer_value(json_object_get(args, "ms")));
	e->after++;
	return hl_text("done");
}

static const struct hl_tool slow_effect_tool = {
	.name = "slow_effect",
	.title = "Sleep between two effects",
	.description = "Counts, sleeps, counts; counts its cleanup however "
		       "it ends.",
	.input_schema =
	    "{\"type\": \"object\", \"properties\": {"
	    " \"key\": {\"type\": \"string\", \"minLength\": 1,"
	    "  \"maxLength\": 64, \"pattern\": \"^[A-Za-z0-9_.-]*$\"},"
	    " \"ms\": {\"type\": \"integer\", \"minimum\": 0,"
	    "  \"maximum\": 86400000}}, \"required\": [\"key\", \"ms\"]}",
	.fn = slow_effect,
};

/* ---- count_effect ---------------------------------------------------- */

static json_t *
count_effect(struct hl_ctx *ctx, json_t *args)
{
	struct effect *const e = effect_of(ctx, args);

	e->before++;
	hl_auto json_t *form = one_field("ok", "boolean");
	hl_auto json_t *go = hl_elicit(ctx, "go", "Go?", form);
	if (!hl_accepted(go))
		return hl_text("%s", hl_action(go));
	e->after++;
	hl_sleep(ctx, 30);
	return hl_result("{s:i, s:i}", "before", e->before, "after", e->after);
}

static const struct hl_tool count_effect_tool = {
	.name = "count_effect",
	.title = "Count around a question",
	.description = "Counts how often the code before and after a "
		       "question ran.",
	.input_schema = key_schema,
	.fn = count_effect,
};

/* ---- progress_then_elicit -------------------------------------------- */

static json_t *
progress_then_elicit(struct hl_ctx *ctx, json_t *args)
{
	hl_progress(ctx, 1, 4, NULL);
	hl_progress(ctx, 2, 4, NULL);
	hl_auto json_t *form = one_field("name", "string");
	hl_auto json_t *who =
	    hl_elicit(ctx, "name", "What is your name?", form);
	if (!hl_accepted(who))
		return hl_text("%s", hl_action(who));
	hl_progress(ctx, 3, 4, NULL);
	hl_progress(ctx, 4, 4, NULL);
	return hl_text(
	    "hi %s", json_string_value(json_object_get(who, "name")));
}

static const struct hl_tool progress_then_elicit_tool = {
	.name = "progress_then_elicit",
	.title = "Progress around a question",
	.description = "Tells progress, asks for a name, tells progress.",
	.input_schema = "{\"type\": \"object\"}",
	.fn = progress_then_elicit,
};

/* ---- plan_trip ------------------------------------------------------- */

static json_t *
plan_trip(struct hl_ctx *ctx, json_t *args)
{
	const char *const traveller =
	    json_string_value(json_object_get(args, "traveller"));
	char question[300];

	hl_auto json_t *where = one_field("city", "string");
	snprintf(question, sizeof(question), "Where does %s go?", traveller);
	hl_auto json_t *destination =
	    hl_elicit(ctx, "destination", question, where);
	if (!hl_accepted(destination))
		return hl_error("no destination: %s", hl_action(destination));
	const char *const city =
	    json_string_value(json_object_get(destination, "city"));

	hl_auto json_t *money = json_pack("{s:s, s:{s:{s:s, s:i}}, s:[s]}",
	    "type", "object", "properties", "amount", "type", "integer",
	    "minimum", 0, "required", "amount");
	snprintf(question, sizeof(question), "Budget for %s?", city);
	hl_auto json_t *budget = hl_elicit(ctx, "budget", question, money);
	if (!hl_accepted(budget))
		return hl_error("no budget: %s", hl_action(budget));
	const json_int_t amount =
	    json_integer_value(json_object_get(budget, "amount"));

	hl_auto json_t *plan = hl_sample_as(ctx, "plan", 200,
	    "Plan a trip to %s for %" JSON_INTEGER_FORMAT, city, amount);
	return hl_text("%s -> %s (%" JSON_INTEGER_FORMAT "): %s", traveller,
	    city, amount, hl_said(plan));
}

static const struct hl_tool plan_trip_tool = {
	.name = "plan_trip",
	.title = "Plan a trip",
	.description = "Asks where to and for how much, and lets the model "
		       "plan the trip.",
	.input_schema = "{\"type\": \"object\", \"properties\": {\"traveller\":"
			" {\"type\": \"string\", \"maxLength\": 200}},"
			" \"required\": [\"traveller\"]}",
	.fn = plan_trip,
};

HL_TOOLS(&progress_then_elicit_tool, &read_effect_tool, &slow_effect_tool,
    &count_effect_tool, &plan_trip_tool);
