/* SPDX-License-Identifier: MIT */
/*
 * elicit: the forms of MCP elicitation: a flat object of strings, numbers,
 * booleans and choices. Is a requestedSchema such a form, does an answer fit
 * it, what does a text that a person typed mean. Pure functions; they read
 * the schema as it stands and keep nothing. Must not know a protocol date or
 * a terminal.
 * Source: MCP 2026-07-28 client/elicitation (requested schema)
 */
#ifndef JSON_ELICIT_H
#define JSON_ELICIT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/base/err.h"

#define ELICIT_PROPERTIES 256  /* of one form */
#define ELICIT_CHOICES    1024 /* of one property */

/* What a property asks for. */
enum elicit_kind {
	ELICIT_KIND_BAD,     /* not one of the forms below */
	ELICIT_KIND_STRING,  /* free text, perhaps of a format */
	ELICIT_KIND_NUMBER,  /* any number */
	ELICIT_KIND_INTEGER, /* a whole number */
	ELICIT_KIND_BOOLEAN, /* yes or no */
	ELICIT_KIND_ONE,     /* one of several strings */
	ELICIT_KIND_MANY,    /* some of several strings */
};

/* One string that may be chosen; both borrowed from the property. */
struct elicit_choice {
	const char *value;
	const char *title; /* what a person sees; equals value if untitled */
};

/*
 * Check that schema (*borrowed*) is a form: type object, properties all of
 * the kinds above with keywords of their kind only, each `required` name
 * among them, each `default` fitting its property.
 * Returns 0 or -EINVAL; err_r->place is a JSON pointer into schema.
 */
int elicit_check_form(json_t *schema, struct err *err_r);

/*
 * Check content, an answer, against a form that elicit_check_form accepts
 * (both *borrowed*). *kept_r is a *new* object (json_decref) with the
 * properties that were asked for and no other: unknown ones are dropped, as
 * JSON Schema allows them where the form does not say otherwise and a tool
 * must not see what it did not ask for. 3.0 for an integer is kept as 3.
 * Nothing is filled in from `default`: that is the client's business.
 * Returns 0, -EINVAL (err_r->place is a JSON pointer into content) or
 * -ENOMEM; *kept_r is NULL then.
 */
int elicit_accept(
    json_t *schema, json_t *content, json_t **kept_r, struct err *err_r);

/* The kind of a property of a form, ELICIT_KIND_BAD if it is none. */
enum elicit_kind elicit_kind(const json_t *property);

/* How many choices a property has; 0 for kinds other than ONE and MANY. */
size_t elicit_n_choices(const json_t *property);

/* Choice i, counted from 0; i must be below elicit_n_choices. */
struct elicit_choice elicit_choice(const json_t *property, size_t i);

/* Whether a form requires the property of that name. */
bool elicit_is_required(const json_t *schema, const char *name);

/*
 * Check one value against a property; on success nothing is stored.
 * Returns 0 or -EINVAL; err_r->place is "", the text says what is expected.
 */
int
elicit_check_value(const json_t *property, json_t *value, struct err *err_r);

/*
 * Say in a few words what a property takes: "a whole number from 1 to 9".
 * Writes at most n bytes with the NUL. Returns buf.
 */
char *elicit_hint(const json_t *property, char *buf, size_t n);

/*
 * Turn text that a person typed into a value of the property: yes/no/true/
 * false/y/n for a boolean; a choice by its value, its title (ASCII case does
 * not matter) or its number from 1, in this order; several choices separated
 * by commas; "" is the empty string, or no choice. Spaces around are dropped
 * except in free text. *value_r is *new* (json_decref), NULL on failure.
 * Returns 0, -EINVAL (err_r->text is a sentence to show) or -ENOMEM.
 */
int elicit_coerce(const json_t *property, const char *text, json_t **value_r,
    struct err *err_r);

#endif
