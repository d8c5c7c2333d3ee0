/*
 * JSON (RFC 8259) that remembers where each value stood.
 *
 * A fault plan is written by people, and what is wrong with one is most often
 * not its syntax: a code that an isochronous endpoint cannot have, a rule that
 * names a state that is not listed. Such a mistake is only found once the text
 * is a tree, and has to be told with the line and column of that very value.
 * json-glib and QEMU's qobject_from_json() know positions while they parse and
 * forget them afterwards, so that their errors end where the interesting ones
 * begin. This is the smallest thing that does not forget: one pass over the
 * text, values with positions, bounded in size, depth and number.
 *
 *  1. Lines and columns are 1-based; a column is a character, not a byte.
 *  2. A number without fraction and exponent that fits is an integer, too.
 *  3. An object may not have the same key twice, a string must be UTF-8, and
 *     nothing but white space may follow the value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FAULT_JSON_H
#define FAULT_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_TEXT_MAX (1u << 20)
#define JSON_DEPTH_MAX 16
#define JSON_NODES_MAX 65536
#define JSON_KEYS_MAX 256

typedef enum {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
} json_type;

typedef struct json_node json_node;

struct json_node {
    json_type type;
    unsigned line, column;
    bool boolean;
    bool is_integer; /* rule 2: `integer` is the number, exactly */
    int64_t integer;
    double number;
    char *string;
    char *key; /* within an object */
    unsigned key_line, key_column;
    GPtrArray *children; /* json_node *, of an array or an object */
};

/* Where and why; `reason` is to be freed. */
typedef struct {
    unsigned line, column;
    char *reason;
} json_error;

/* NULL: *error says why. */
json_node *json_parse(const char *text, size_t bytes, json_error *error);
void json_free(json_node *node);

/* The member of that name, or NULL. */
const json_node *json_member(const json_node *object, const char *key);

/* "a string", "an object", for messages. */
const char *json_type_name(json_type type);

/* Appends `text` as a JSON string, with its quotes. */
void json_put_string(GString *out, const char *text);

/* Appends the node in its compact form. */
void json_put(GString *out, const json_node *node);

void json_fail(json_error *error, unsigned line, unsigned column,
               const char *format, ...) G_GNUC_PRINTF(4, 5);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_node, json_free)

#endif
