/* SPDX-License-Identifier: MIT */
/*
 * book_flight: find a flight, let the person pick it and a seat, and give a
 * travel tip. The example of a tool: one straight function, no state machine.
 */
#include <holdline.h>

#include <stdio.h>
#include <string.h>

/* A flight of the day; seats are free ones. */
struct flight {
	const char *city;
	const char *number;
	const char *leaves;
	int price;
	const char *seats[6];
};

static const struct flight table[] = {
	{ "Lisbon", "HL 102", "06:55", 89, { "3A", "14C", "21F" } },
	{ "Lisbon", "HL 118", "17:30", 124, { "2D", "9A" } },
	{ "Oslo", "HL 230", "08:10", 140, { "1A", "11B", "11C", "27E" } },
	{ "Oslo", "HL 244", "20:45", 99, { "18F" } },
	{ "Tokyo", "HL 900", "11:20", 780, { "7K", "31A", "44D", "44E" } },
};

#define N_FLIGHTS (sizeof(table) / sizeof(table[0]))

/* Whether there is a flight to that city at all. */
static int
is_served(const char *city)
{
	for (size_t i = 0; i < N_FLIGHTS; i++)
		if (!strcmp(table[i].city, city))
			return 1;
	return 0;
}

/* The cities, each once: "Lisbon, Oslo, Tokyo". */
static const char *
served_cities(char *buf, size_t n)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < N_FLIGHTS && at < n; i++)
		if (i == 0 || strcmp(table[i].city, table[i - 1].city))
			at += (size_t)snprintf(buf + at, n - at, "%s%s",
			    at ? ", " : "", table[i].city);
	return buf;
}

/* A form with one choice, named "number": a person sees the titles. */
static json_t *
choice_form(const char *title, json_t *choices)
{
	return json_pack("{s:s, s:{s:{s:s, s:s, s:o}}, s:[s]}", "type",
	    "object", "properties", "number", "type", "string", "title", title,
	    "oneOf", choices, "required", "number");
}

/* choices (taken) with one more, or NULL without memory: then none is shown. */
static json_t *
with_choice(json_t *choices, const char *value, const char *title)
{
	json_t *const choice =
	    json_pack("{s:s, s:s}", "const", value, "title", title);

	if (json_array_append_new(choices, choice) == 0)
		return choices;
	json_decref(choices);
	return NULL;
}

/* The step: a real one would ask an airline. Runs on a helper thread. */
static json_t *
search_flights(json_t *args)
{
	const char *const city =
	    json_string_value(json_object_get(args, "city"));
	json_t *choices = json_array();
	char title[80];

	for (size_t i = 0; i < N_FLIGHTS; i++) {
		if (strcmp(table[i].city, city))
			continue;
		snprintf(title, sizeof(title), "%s at %s, %d EUR",
		    table[i].number, table[i].leaves, table[i].price);
		choices = with_choice(choices, table[i].number, title);
	}
	return choice_form("Flight", choices);
}

/* The free seats of the flight that was picked. */
static json_t *
seat_map(const json_t *pick)
{
	const char *const number =
	    json_string_value(json_object_get(pick, "number"));
	json_t *choices = json_array();
	char title[80];

	for (size_t i = 0; i < N_FLIGHTS; i++) {
		if (strcmp(table[i].number, number))
			continue;
		for (const char *const *s = table[i].seats; *s; s++) {
			const char letter = (*s)[strlen(*s) - 1];
			snprintf(title, sizeof(title), "%s, %s", *s,
			    strchr("AFK", letter) ? "window" : "aisle");
			choices = with_choice(choices, *s, title);
		}
	}
	return choice_form("Seat", choices);
}

static json_t *
book_flight(struct hl_ctx *ctx, json_t *args)
{
	const char *const city =
	    json_string_value(json_object_get(args, "city"));
	char cities[200];

	if (!is_served(city))
		return hl_error("There are no flights to %s. Known cities: %s.",
		    city, served_cities(cities, sizeof(cities)));

	hl_auto json_t *flights =
	    hl_step(ctx, "searchFlights", search_flights, args);
	hl_auto json_t *pick =
	    hl_elicit(ctx, "pickFlight", "Which flight?", flights);
	if (!hl_accepted(pick))
		return hl_text("Nothing was booked.");

	hl_auto json_t *seats = seat_map(pick);
	hl_auto json_t *seat = hl_elicit(ctx, "pickSeat", "Which seat?", seats);
	if (!hl_accepted(seat))
		return hl_text("Nothing was booked.");

	hl_auto json_t *tip =
	    hl_sample(ctx, "One travel tip for %s, in a sentence.", city);
	return hl_result("{s:O, s:O, s:s}", "flight", pick, "seat", seat, "tip",
	    hl_said(tip));
}

static const struct hl_tool tool = {
	.name = "book_flight",
	.title = "Book a flight",
	.description = "Books a flight to a city: asks which flight and "
		       "which seat, and adds a travel tip.",
	.input_schema =
	    "{\"type\": \"object\","
	    " \"properties\": {"
	    "   \"city\": {\"type\": \"string\", \"minLength\": 1,"
	    "     \"maxLength\": 100, \"description\": \"Where to\"},"
	    "   \"date\": {\"type\": \"string\","
	    "     \"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}$\","
	    "     \"description\": \"The day, as 2026-11-24\"}},"
	    " \"required\": [\"city\", \"date\"]}",
	.fn = book_flight,
};

HL_TOOLS(&tool);
