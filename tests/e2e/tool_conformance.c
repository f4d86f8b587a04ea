/* SPDX-License-Identifier: MIT */
/*
 * tool_conformance: the fixtures that the MCP conformance suite calls, as far
 * as a tool can be one of them: no prompts, resources or tasks. What each must
 * do is written in the suite; texts and names are its own.
 */
#include <stdlib.h>

#include <holdline.h>

#define NO_INPUT "{\"type\":\"object\"}"

/* A 1x1 PNG and an empty WAV, which nobody looks at. */
#define PNG                                                                 \
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QD" \
	"wADhgGAWjR9awAAAABJRU5ErkJggg=="
#define WAV "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="

/* Define a tool that runs conf_<id>. */
#define TOOL(id, text, schema)                    \
	static const struct hl_tool tool_##id = { \
		.name = #id,                      \
		.description = text,              \
		.input_schema = schema,           \
		.fn = conf_##id,                  \
	}

/* The form that a question shows, from its JSON. */
static json_t *
form(const char *text)
{
	return json_loads(text, 0, NULL);
}

/* What the suite wants to hear about an answer. */
static json_t *
user_response(const json_t *answer)
{
	hl_auto json_t *content = json_object();

	if (hl_accepted(answer))
		json_object_update(content, (json_t *)answer);
	char *const text = json_dumps(content, JSON_COMPACT);
	json_t *const result = hl_text("User response: action=%s, content=%s",
	    hl_action(answer), text ? text : "{}");
	free(text);
	return result;
}

static json_t *
conf_test_simple_text(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("This is a simple text response for testing.");
}
TOOL(test_simple_text, "Returns a text.", NO_INPUT);

static json_t *
conf_test_image_content(struct hl_ctx *ctx, json_t *args)
{
	return json_pack("{s:[{s:s,s:s,s:s}]}", "content", "type", "image",
	    "mimeType", "image/png", "data", PNG);
}
TOOL(test_image_content, "Returns an image.", NO_INPUT);

static json_t *
conf_test_audio_content(struct hl_ctx *ctx, json_t *args)
{
	return json_pack("{s:[{s:s,s:s,s:s}]}", "content", "type", "audio",
	    "mimeType", "audio/wav", "data", WAV);
}
TOOL(test_audio_content, "Returns a sound.", NO_INPUT);

static json_t *
conf_test_embedded_resource(struct hl_ctx *ctx, json_t *args)
{
	return json_pack("{s:[{s:s,s:{s:s,s:s,s:s}}]}", "content", "type",
	    "resource", "resource", "uri", "test://embedded-resource",
	    "mimeType", "text/plain", "text",
	    "This is an embedded resource content.");
}
TOOL(test_embedded_resource, "Returns a resource.", NO_INPUT);

static json_t *
conf_test_multiple_content_types(struct hl_ctx *ctx, json_t *args)
{
	return json_pack("{s:[{s:s,s:s},{s:s,s:s,s:s},{s:s,s:{s:s,s:s,s:s}}]}",
	    "content", "type", "text", "text",
	    "Multiple content types test:", "type", "image", "mimeType",
	    "image/png", "data", PNG, "type", "resource", "resource", "uri",
	    "test://mixed-content-resource", "mimeType", "application/json",
	    "text", "{\"test\":\"data\",\"value\":123}");
}
TOOL(test_multiple_content_types, "Returns three kinds.", NO_INPUT);

static json_t *
conf_test_tool_with_logging(struct hl_ctx *ctx, json_t *args)
{
	hl_log(ctx, HL_INFO, "Tool execution started");
	hl_sleep(ctx, 50);
	hl_log(ctx, HL_INFO, "Tool processing data");
	hl_sleep(ctx, 50);
	hl_log(ctx, HL_INFO, "Tool execution completed");
	return hl_text("Logged.");
}
TOOL(test_tool_with_logging, "Logs three times.", NO_INPUT);

static json_t *
conf_test_tool_with_progress(struct hl_ctx *ctx, json_t *args)
{
	for (int done = 0; done <= 100; done += 50) {
		hl_progress(ctx, done, 100, NULL);
		hl_sleep(ctx, 50);
	}
	return hl_text("Done.");
}
TOOL(test_tool_with_progress, "Says how far it is.", NO_INPUT);

static json_t *
conf_test_error_handling(struct hl_ctx *ctx, json_t *args)
{
	return hl_error("This tool intentionally returns an error for testing");
}
TOOL(test_error_handling, "Fails.", NO_INPUT);

static json_t *
conf_test_logging_tool(struct hl_ctx *ctx, json_t *args)
{
	hl_log(ctx, HL_INFO, "once");
	return hl_text("Logged.");
}
TOOL(test_logging_tool, "Logs once.", NO_INPUT);

static json_t *
conf_test_sampling(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *said = hl_sample_as(ctx, "sample", 100, "%s",
	    json_string_value(json_object_get(args, "prompt")));

	return hl_text("LLM response: %s", hl_said(said));
}
TOOL(test_sampling, "Asks the model.",
    "{\"type\":\"object\",\"required\":[\"prompt\"],"
    "\"properties\":{\"prompt\":{\"type\":\"string\"}}}");

static json_t *
conf_test_missing_capability(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *said = hl_sample(ctx, "Anything.");

	return hl_text("%s", hl_said(said));
}
TOOL(test_missing_capability, "Asks the model.", NO_INPUT);

static json_t *
conf_test_elicitation(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema =
	    form("{\"type\":\"object\",\"required\":[\"username\",\"email\"],"
		 "\"properties\":{\"username\":{\"type\":\"string\"},"
		 "\"email\":{\"type\":\"string\"}}}");
	hl_auto json_t *answer = hl_elicit(ctx, "user",
	    json_string_value(json_object_get(args, "message")), schema);

	return user_response(answer);
}
TOOL(test_elicitation, "Asks for a user.",
    "{\"type\":\"object\",\"required\":[\"message\"],"
    "\"properties\":{\"message\":{\"type\":\"string\"}}}");

static json_t *
conf_test_elicitation_sep1034_defaults(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema =
	    form("{\"type\":\"object\",\"properties\":{"
		 "\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"
		 "\"age\":{\"type\":\"integer\",\"default\":30},"
		 "\"score\":{\"type\":\"number\",\"default\":95.5},"
		 "\"status\":{\"type\":\"string\",\"enum\":[\"active\","
		 "\"inactive\",\"pending\"],\"default\":\"active\"},"
		 "\"verified\":{\"type\":\"boolean\",\"default\":true}}}");
	hl_auto json_t *answer = hl_elicit(ctx, "defaults", "Who?", schema);

	return user_response(answer);
}
TOOL(test_elicitation_sep1034_defaults, "Asks with defaults.", NO_INPUT);

static json_t *
conf_test_elicitation_sep1330_enums(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema = form(
	    "{\"type\":\"object\",\"properties\":{"
	    "\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\","
	    "\"option2\",\"option3\"]},"
	    "\"titledSingle\":{\"type\":\"string\",\"oneOf\":["
	    "{\"const\":\"value1\",\"title\":\"First Option\"},"
	    "{\"const\":\"value2\",\"title\":\"Second Option\"},"
	    "{\"const\":\"value3\",\"title\":\"Third Option\"}]},"
	    "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\","
	    "\"opt3\"],\"enumNames\":[\"Option One\",\"Option Two\","
	    "\"Option Three\"]},"
	    "\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":"
	    "\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]}},"
	    "\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":["
	    "{\"const\":\"value1\",\"title\":\"First Choice\"},"
	    "{\"const\":\"value2\",\"title\":\"Second Choice\"},"
	    "{\"const\":\"value3\",\"title\":\"Third Choice\"}]}}}}");
	hl_auto json_t *answer = hl_elicit(ctx, "enums", "Which?", schema);

	return user_response(answer);
}
TOOL(test_elicitation_sep1330_enums, "Asks for choices.", NO_INPUT);

/* A form with one required property. */
static json_t *
one_field(const char *name, const char *type)
{
	return json_pack("{s:s,s:{s:{s:s}},s:[s]}", "type", "object",
	    "properties", name, "type", type, "required", name);
}

static json_t *
conf_test_input_required_result_elicitation(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema = one_field("name", "string");
	hl_auto json_t *answer =
	    hl_elicit(ctx, "user_name", "What is your name?", schema);

	return hl_text("Hello, %s!",
	    hl_accepted(answer)
		? json_string_value(json_object_get(answer, "name"))
		: "stranger");
}
TOOL(test_input_required_result_elicitation, "Asks for a name.", NO_INPUT);

static json_t *
conf_test_input_required_result_sampling(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *said = hl_sample_as(
	    ctx, "capital_question", 100, "What is the capital of France?");

	return hl_text("%s", hl_said(said));
}
TOOL(test_input_required_result_sampling, "Asks the model.", NO_INPUT);

static json_t *
conf_test_input_required_result_request_state(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema = one_field("ok", "boolean");
	hl_auto json_t *answer = hl_elicit(ctx, "confirm", "Go on?", schema);

	return hl_text("state-ok %s", hl_action(answer));
}
TOOL(test_input_required_result_request_state, "Asks to confirm.", NO_INPUT);

static json_t *
conf_test_input_required_result_tampered_state(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema = one_field("ok", "boolean");
	hl_auto json_t *answer = hl_elicit(ctx, "confirm", "Go on?", schema);

	return hl_text("state-ok %s", hl_action(answer));
}
TOOL(test_input_required_result_tampered_state, "Asks to confirm.", NO_INPUT);

static json_t *
conf_test_input_required_result_multi_round(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *name = one_field("name", "string");
	hl_auto json_t *first = hl_elicit(ctx, "step1", "Name?", name);
	hl_auto json_t *color = one_field("color", "string");
	hl_auto json_t *second = hl_elicit(ctx, "step2", "Color?", color);

	return hl_text("%s %s", hl_action(first), hl_action(second));
}
TOOL(test_input_required_result_multi_round, "Asks twice.", NO_INPUT);

static json_t *
conf_test_streaming_elicitation(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *schema = one_field("name", "string");
	hl_auto json_t *answer = hl_elicit(ctx, "name", "Name?", schema);

	return user_response(answer);
}
TOOL(test_streaming_elicitation, "Asks for a name.", NO_INPUT);

static json_t *
conf_json_schema_2020_12_tool(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("Valid.");
}
TOOL(json_schema_2020_12_tool, "Takes what its schema says.",
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
    "\"type\":\"object\",\"$defs\":{\"address\":{\"$anchor\":\"addressDef\","
    "\"type\":\"object\",\"properties\":{\"street\":{\"type\":\"string\"},"
    "\"city\":{\"type\":\"string\"}}}},"
    "\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"address\":{\"$ref\":\"#/$defs/address\"},"
    "\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},"
    "\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},"
    "\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},"
    "{\"required\":[\"email\"]}]}],"
    "\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},"
    "\"required\":[\"contactMethod\"]},"
    "\"then\":{\"required\":[\"phone\"]},\"else\":{\"required\":[\"email\"]},"
    "\"additionalProperties\":false}");

static json_t *
conf_test_x_mcp_header(struct hl_ctx *ctx, json_t *args)
{
	return hl_text(
	    "%s", json_string_value(json_object_get(args, "region")));
}
TOOL(test_x_mcp_header, "Takes an argument that is a header too.",
    "{\"type\":\"object\",\"required\":[\"region\"],"
    "\"properties\":{\"region\":{\"type\":\"string\","
    "\"x-mcp-header\":\"Region\"}}}");

HL_TOOLS(&tool_test_simple_text, &tool_test_image_content,
    &tool_test_audio_content, &tool_test_embedded_resource,
    &tool_test_multiple_content_types, &tool_test_tool_with_logging,
    &tool_test_tool_with_progress, &tool_test_error_handling,
    &tool_test_logging_tool, &tool_test_sampling, &tool_test_missing_capability,
    &tool_test_elicitation, &tool_test_elicitation_sep1034_defaults,
    &tool_test_elicitation_sep1330_enums,
    &tool_test_input_required_result_elicitation,
    &tool_test_input_required_result_sampling,
    &tool_test_input_required_result_request_state,
    &tool_test_input_required_result_tampered_state,
    &tool_test_input_required_result_multi_round,
    &tool_test_streaming_elicitation, &tool_json_schema_2020_12_tool,
    &tool_test_x_mcp_header);
