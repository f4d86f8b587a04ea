/* SPDX-License-Identifier: MIT */
/*
 * schema_read: arguments of keywords, read and checked the same way
 * everywhere. Part of schema_build; the tables of keywords use it.
 */
#ifndef JSON_SCHEMA_READ_H
#define JSON_SCHEMA_READ_H

#include "common/json/schema_build.h"

/* A read that keeps only the argument: anything is right (const, enum). */
int schema_read_any(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3]);

/* A read of a whole number >= 0 into rule->u.count. */
int schema_read_count(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3]);

/* A read of a number; the argument is kept. */
int schema_read_number(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3]);

/* A read of a subschema into rule->u.node. */
int schema_read_node(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3]);

/* A read of an array of subschemas, not empty, into rule->u.list. */
int schema_read_list(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3]);

/* A read of an object of subschemas into rule->u.named. */
int schema_read_named(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3]);

/* The three above for an argument of any name. Return 0 or -errno, reported. */
int schema_read_count_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, const json_t *arg, size_t *count_r);
int schema_read_list_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg, const struct schema_list **list_r);
int schema_read_named_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg, const struct schema_named **named_r);

/* The subschema that is the argument itself; arg NULL gives *node_r NULL. */
int schema_read_node_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg, const struct schema_node **node_r);

/* Check that arg is an array of different strings. Returns 0 or -errno. */
int schema_read_names(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg);

#endif
