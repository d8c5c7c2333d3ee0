/*
 * JSON with positions. The rules are in json.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct {
    const char *at, *end;
    unsigned line, column;
    unsigned depth, nodes;
    json_error *error;
} reader;

static json_node *parse_value(reader *r);

void json_fail(json_error *error, unsigned line, unsigned column,
               const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_free(error->reason);
    error->line = line;
    error->column = column;
    error->reason = g_strdup_vprintf(format, ap);
    va_end(ap);
}

static json_node *fail(reader *r, const char *reason)
{
    json_fail(r->error, r->line, r->column, "%s", reason);
    return NULL;
}

void json_free(json_node *node)
{
    if (node) {
        if (node->children) {
            g_ptr_array_unref(node->children);
        }
        g_free(node->string);
        g_free(node->key);
        g_free(node);
    }
}

static void free_child(gpointer node)
{
    json_free(node);
}

static bool is_at_end(const reader *r)
{
    return r->at == r->end;
}

static char peek(const reader *r)
{
    return is_at_end(r) ? '\0' : *r->at;
}

/* Rule 1. */
static void step(reader *r)
{
    if (*r->at == '\n') {
        r->line++;
        r->column = 1;
    } else if (((unsigned char)*r->at & 0xc0) != 0x80) {
        r->column++;
    }
    r->at++;
}

static void skip_blank(reader *r)
{
    while (!is_at_end(r) && strchr(" \t\r\n", *r->at) && *r->at) {
        step(r);
    }
}

static json_node *new_node(reader *r, json_type type)
{
    json_node *node;

    if (++r->nodes > JSON_NODES_MAX) {
        return fail(r, "it has too many values");
    }
    node = g_new0(json_node, 1);
    node->type = type;
    node->line = r->line;
    node->column = r->column;
    return node;
}

/* Four hex digits; -1: they are none. */
static int take_hex4(reader *r)
{
    int value = 0;

    for (unsigned i = 0; i < 4; i++) {
        int digit = is_at_end(r) ? -1 : g_ascii_xdigit_value(*r->at);

        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
        step(r);
    }
    return value;
}

/* Behind "\u"; a character beyond the first plane is two of them. */
static bool take_unicode(reader *r, GString *out)
{
    int high = take_hex4(r), low;
    gunichar c = high;

    if (high >= 0xd800 && high < 0xdc00) {
        if (peek(r) != '\\') {
            return false;
        }
        step(r);
        if (peek(r) != 'u') {
            return false;
        }
        step(r);
        low = take_hex4(r);
        if (low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        c = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff)) {
        return false; /* a C string has no place for U+0000 */
    }
    g_string_append_unichar(out, c);
    return true;
}

static bool take_escape(reader *r, GString *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char c = peek(r);

    if (c == 'u') {
        step(r);
        return take_unicode(r, out);
    }
    found = c ? strchr(from, c) : NULL;
    if (!found) {
        return false;
    }
    g_string_append_c(out, to[found - from]);
    step(r);
    return true;
}

/* One character, or an escape; NULL, or why it is none. */
static const char *take_char(reader *r, GString *out)
{
    char c = *r->at;

    if ((unsigned char)c < 0x20) {
        return "a control character in a string";
    }
    step(r);
    if (c != '\\') {
        g_string_append_c(out, c);
        return NULL;
    }
    return take_escape(r, out) ? NULL : "an escape that there is not";
}

/* At its first quote. NULL: an error was told. */
static char *take_string(reader *r)
{
    GString *out = g_string_new(NULL);
    const char *reason = NULL;

    step(r);
    while (!reason && peek(r) != '"') {
        reason =
            is_at_end(r) ? "a string that does not end" : take_char(r, out);
    }
    if (reason) {
        fail(r, reason);
        g_string_free(out, TRUE);
        return NULL;
    }
    step(r);
    return g_string_free(out, FALSE);
}

static json_node *parse_string(reader *r)
{
    json_node *node = new_node(r, JSON_STRING);

    if (node) {
        node->string = take_string(r);
        if (!node->string) {
            json_free(node);
            return NULL;
        }
    }
    return node;
}

static unsigned take_digits(reader *r, GString *out)
{
    unsigned count = 0;

    while (g_ascii_isdigit(peek(r))) {
        g_string_append_c(out, *r->at);
        step(r);
        count++;
    }
    return count;
}

/* Optional fraction and exponent; false: they are not as they should be. */
static bool take_rest(reader *r, GString *out, bool *is_integer)
{
    *is_integer = true;
    if (peek(r) == '.') {
        *is_integer = false;
        g_string_append_c(out, '.');
        step(r);
        if (!take_digits(r, out)) {
            return false;
        }
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        *is_integer = false;
        g_string_append_c(out, 'e');
        step(r);
        if (peek(r) == '+' || peek(r) == '-') {
            g_string_append_c(out, *r->at);
            step(r);
        }
        return take_digits(r, out) > 0;
    }
    return true;
}

static json_node *parse_number(reader *r)
{
    g_autoptr(GString) text = g_string_new(NULL);
    json_node *node = new_node(r, JSON_NUMBER);
    bool is_integer, zero;

    if (!node) {
        return NULL;
    }
    if (peek(r) == '-') {
        g_string_append_c(text, '-');
        step(r);
    }
    zero = peek(r) == '0';
    if (!take_digits(r, text) ||
        (zero && text->len > 1 + (text->str[0] == '-')) ||
        !take_rest(r, text, &is_integer)) {
        json_free(node);
        return fail(r, "a number that is none");
    }
    node->number = g_ascii_strtod(text->str, NULL);
    if (!isfinite(node->number)) {
        json_free(node);
        return fail(r, "a number that is too large");
    }
    errno = 0;
    node->integer = g_ascii_strtoll(text->str, NULL, 10);
    node->is_integer = is_integer && errno == 0;
    return node;
}

static json_node *parse_word(reader *r)
{
    static const struct {
        const char *word;
        json_type type;
        bool value;
    } words[] = {
        { "null", JSON_NULL, false },
        { "true", JSON_BOOLEAN, true },
        { "false", JSON_BOOLEAN, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t length = strlen(words[i].word);

        if ((size_t)(r->end - r->at) >= length &&
            memcmp(r->at, words[i].word, length) == 0) {
            json_node *node = new_node(r, words[i].type);

            if (node) {
                node->boolean = words[i].value;
                r->at += length;
                r->column += length;
            }
            return node;
        }
    }
    return fail(r, is_at_end(r) ? "the text ends where a value should be"
                                : "there is no such value");
}

/* Key and colon, for the value that follows. */
static bool take_key(reader *r, const json_node *object, json_node *holder)
{
    holder->key_line = r->line;
    holder->key_column = r->column;
    if (peek(r) != '"') {
        fail(r, "a key in quotes should be here");
        return false;
    }
    holder->key = take_string(r);
    if (!holder->key) {
        return false;
    }
    if (json_member(object, holder->key)) {
        json_fail(r->error, holder->key_line, holder->key_column,
                  "'%s' is there twice", holder->key);
        return false;
    }
    skip_blank(r);
    if (peek(r) != ':') {
        fail(r, "a ':' should be here");
        return false;
    }
    step(r);
    skip_blank(r);
    return true;
}

static bool parse_member(reader *r, json_node *into)
{
    json_node holder = { 0 };
    json_node *value = NULL;

    if (into->type == JSON_OBJECT && into->children->len == JSON_KEYS_MAX) {
        fail(r, "an object has too many keys");
        return false;
    }
    if (into->type == JSON_ARRAY || take_key(r, into, &holder)) {
        value = parse_value(r);
    }
    if (!value) {
        g_free(holder.key);
        return false;
    }
    value->key = holder.key;
    value->key_line = holder.key_line;
    value->key_column = holder.key_column;
    g_ptr_array_add(into->children, value);
    return true;
}

/* At its first bracket. */
static bool parse_members(reader *r, json_node *into, char close)
{
    step(r);
    skip_blank(r);
    if (peek(r) == close) {
        step(r);
        return true;
    }
    while (parse_member(r, into)) {
        skip_blank(r);
        if (peek(r) == close) {
            step(r);
            return true;
        }
        if (peek(r) != ',') {
            fail(r, close == '}' ? "a ',' or '}' should be here"
                                 : "a ',' or ']' should be here");
            return false;
        }
        step(r);
        skip_blank(r);
    }
    return false;
}

static json_node *parse_container(reader *r, json_type type, char close)
{
    json_node *node = new_node(r, type);
    bool done;

    if (!node) {
        return NULL;
    }
    node->children = g_ptr_array_new_with_free_func(free_child);
    if (r->depth == JSON_DEPTH_MAX) {
        json_free(node);
        return fail(r, "it is nested too deeply");
    }
    r->depth++;
    done = parse_members(r, node, close);
    r->depth--;
    if (!done) {
        json_free(node);
        return NULL;
    }
    return node;
}

static json_node *parse_value(reader *r)
{
    switch (peek(r)) {
    case '{':
        return parse_container(r, JSON_OBJECT, '}');
    case '[':
        return parse_container(r, JSON_ARRAY, ']');
    case '"':
        return parse_string(r);
    default:
        if (peek(r) == '-' || g_ascii_isdigit(peek(r))) {
            return parse_number(r);
        }
        return parse_word(r);
    }
}

/* Rule 3; a byte that is none of UTF-8 has a place, too. */
static bool check_text(reader *r, size_t bytes)
{
    const char *bad;

    if (bytes > JSON_TEXT_MAX) {
        fail(r, "it is longer than 1 MiB");
        return false;
    }
    if (!g_utf8_validate(r->at, bytes, &bad)) {
        while (r->at < bad) {
            step(r);
        }
        fail(r, "this is not UTF-8");
        return false;
    }
    return true;
}

json_node *json_parse(const char *text, size_t bytes, json_error *error)
{
    reader r = {
        .at = text, .end = text + bytes, .line = 1, .column = 1, .error = error
    };
    json_node *node;

    if (!check_text(&r, bytes)) {
        return NULL;
    }
    skip_blank(&r);
    node = parse_value(&r);
    if (!node) {
        return NULL;
    }
    skip_blank(&r);
    if (!is_at_end(&r)) {
        json_free(node);
        return fail(&r, "something follows the end");
    }
    return node;
}

const json_node *json_member(const json_node *object, const char *key)
{
    for (unsigned i = 0; i < object->children->len; i++) {
        const json_node *node = g_ptr_array_index(object->children, i);

        if (node->key && g_str_equal(node->key, key)) {
            return node;
        }
    }
    return NULL;
}

const char *json_type_name(json_type type)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOLEAN] = "true or false",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
        [JSON_ARRAY] = "a list",    [JSON_OBJECT] = "an object",
    };

    return names[type];
}

void json_put_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        unsigned char c = *text;

        if (c == '"' || c == '\\') {
            g_string_append_printf(out, "\\%c", c);
        } else if (c < 0x20) {
            g_string_append_printf(out, "\\u%04x", c);
        } else {
            g_string_append_c(out, c);
        }
    }
    g_string_append_c(out, '"');
}

static void put_children(GString *out, const json_node *node)
{
    bool named = node->type == JSON_OBJECT;

    g_string_append_c(out, named ? '{' : '[');
    for (unsigned i = 0; i < node->children->len; i++) {
        const json_node *child = g_ptr_array_index(node->children, i);

        g_string_append(out, i ? "," : "");
        if (named) {
            json_put_string(out, child->key);
            g_string_append_c(out, ':');
        }
        json_put(out, child);
    }
    g_string_append_c(out, named ? '}' : ']');
}

void json_put(GString *out, const json_node *node)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    switch (node->type) {
    case JSON_NULL:
        g_string_append(out, "null");
        break;
    case JSON_BOOLEAN:
        g_string_append(out, node->boolean ? "true" : "false");
        break;
    case JSON_NUMBER:
        if (node->is_integer) {
            g_string_append_printf(out, "%" G_GINT64_FORMAT, node->integer);
        } else {
            g_string_append(
                out, g_ascii_dtostr(digits, sizeof(digits), node->number));
        }
        break;
    case JSON_STRING:
        json_put_string(out, node->string);
        break;
    default:
        put_children(out, node);
        break;
    }
}
