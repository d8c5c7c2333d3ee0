/*
 * Combinations. The rules are in check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "check.h"

#include "isolab/xhci.h"

#define HAS(rule, key) FAULT_HAS((rule)->given, FAULT_##key)
#define VALUE(rule, key) ((rule)->where[FAULT_##key].first)

typedef struct {
    fault_rule *rule;
    const json_node *node;
    json_error *error;
} checker;

static bool is_of_request(const char *name)
{
    for (unsigned key = 0; name && key < FAULT_KEYS; key++) {
        if (fault_keys[key].of_request &&
            g_str_equal(fault_keys[key].name, name)) {
            return true;
        }
    }
    return false;
}

/* At the value of a key in `where` or `with` if it is there, else the rule. */
static bool refuse(const checker *c, const char *part, const char *key,
                   const char *format, ...) G_GNUC_PRINTF(4, 5);

static bool refuse(const checker *c, const char *part, const char *key,
                   const char *format, ...)
{
    g_autofree char *reason = NULL;
    const json_node *at = json_member(c->node, part);
    va_list ap;

    if (at && g_str_equal(part, "where") && is_of_request(key)) {
        at = json_member(at, FAULT_REQUEST_KEY);
    }
    if (at && key && json_member(at, key)) {
        at = json_member(at, key);
    }
    at = at ? at : c->node;
    va_start(ap, format);
    reason = g_strdup_vprintf(format, ap);
    va_end(ap);
    json_fail(c->error, at->line, at->column, "%s", reason);
    return false;
}

static const fault_code *code_of(const fault_rule *rule)
{
    return fault_code_find(rule->params[0]);
}

/* The schedule's own: an xrun, or a TD that is missed. */
static bool is_schedule_code(uint64_t code)
{
    return code == CC_RING_UNDERRUN || code == CC_RING_OVERRUN ||
           code == CC_MISSED_SERVICE;
}

/* Which of the seams that an action may be set off at, by the keys. */
static fault_seam implied_seam(const fault_rule *rule)
{
    static const struct {
        fault_key key;
        fault_seam seam;
    } rows[] = {
        { FAULT_COMMAND_ID, FAULT_COMMAND },
        { FAULT_EVENT_ID, FAULT_EVENT },
        { FAULT_CODE, FAULT_EVENT },
        { FAULT_REGISTER_ID, FAULT_REGISTER },
        { FAULT_ACCESS, FAULT_REGISTER },
        { FAULT_ENDPOINT, FAULT_PACKET },
        { FAULT_DIRECTION, FAULT_PACKET },
        { FAULT_TYPE, FAULT_PACKET },
        { FAULT_STREAM, FAULT_PACKET },
        { FAULT_TRB, FAULT_PACKET },
        { FAULT_REQUEST, FAULT_PACKET },
        { FAULT_BM_REQUEST_TYPE, FAULT_PACKET },
        { FAULT_B_REQUEST, FAULT_PACKET },
        { FAULT_W_VALUE, FAULT_PACKET },
        { FAULT_W_INDEX, FAULT_PACKET },
        { FAULT_W_LENGTH, FAULT_PACKET },
        { FAULT_TD, FAULT_PACKET },
        { FAULT_SLOT, FAULT_PACKET },
        { FAULT_INTERRUPTER, FAULT_INTERRUPT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (FAULT_HAS(rule->given, rows[i].key)) {
            return rows[i].seam;
        }
    }
    return FAULT_CLOCK;
}

static bool settle_seam(checker *c)
{
    fault_rule *rule = c->rule;
    const fault_action *action = &fault_actions[rule->action];
    bool given = rule->seam != FAULT_SEAMS;
    fault_seam seam = rule->seam;

    if (rule->action == FAULT_COMPLETE) {
        seam =
            is_schedule_code(rule->params[0]) ? FAULT_SCHEDULE : FAULT_PACKET;
    } else if (!given && (action->seams & (action->seams - 1)) == 0) {
        seam = g_bit_nth_lsf(action->seams, -1);
    } else if (!given) {
        seam = implied_seam(rule);
    }
    if (!FAULT_HAS(action->seams, seam) || (given && rule->seam != seam)) {
        return refuse(c, "where", "seam", "%s does not belong to that seam",
                      action->name);
    }
    rule->seam = seam;
    return true;
}

static bool check_keys(const checker *c)
{
    for (unsigned key = 0; key < FAULT_KEYS; key++) {
        const fault_key_row *row = &fault_keys[key];

        if (FAULT_HAS(c->rule->given, key) &&
            !FAULT_HAS(row->seams, c->rule->seam)) {
            return refuse(c, "where", row->name,
                          "'%s' means nothing at the seam '%s'", row->name,
                          fault_word_name(&fault_seam_words, c->rule->seam));
        }
    }
    return true;
}

static void settle_key(fault_rule *rule, fault_key key, uint64_t value)
{
    rule->given |= 1u << key;
    rule->where[key] = (fault_range){ value, value };
}

static bool has_request(const fault_rule *rule)
{
    for (unsigned key = 0; key < FAULT_KEYS; key++) {
        if (fault_keys[key].of_request && FAULT_HAS(rule->given, key)) {
            return true;
        }
    }
    return false;
}

/* bmRequestType and bRequest as the name has them. */
static bool check_request_name(const checker *c)
{
    const fault_rule *rule = c->rule;
    unsigned id = VALUE(rule, REQUEST);

    if (HAS(rule, B_REQUEST) && VALUE(rule, B_REQUEST) != (uint8_t)id) {
        return refuse(c, "where", "bRequest", "%s has the number %u",
                      fault_word_name(&fault_request_words, id), id & 0xff);
    }
    if (HAS(rule, BM_REQUEST_TYPE) &&
        (!FAULT_IS_STANDARD(VALUE(rule, BM_REQUEST_TYPE)) ||
         (VALUE(rule, BM_REQUEST_TYPE) & 0x80) != id >> 8)) {
        return refuse(c, "where", "bmRequestType",
                      "%s is a standard request with bit 7 at %u",
                      fault_word_name(&fault_request_words, id), id >> 15);
    }
    return true;
}

/* A request is a control transfer, of the direction that it says. */
static bool settle_request(checker *c)
{
    fault_rule *rule = c->rule;
    unsigned in = HAS(rule, REQUEST) ? VALUE(rule, REQUEST) >> 15
                                     : VALUE(rule, BM_REQUEST_TYPE) >> 7;
    bool directed = HAS(rule, REQUEST) || HAS(rule, BM_REQUEST_TYPE);

    if (!has_request(rule)) {
        return true;
    }
    if (HAS(rule, TYPE) && VALUE(rule, TYPE) != FAULT_CONTROL) {
        return refuse(c, "where", "type",
                      "only a control endpoint has requests");
    }
    if (HAS(rule, REQUEST) && !check_request_name(c)) {
        return false;
    }
    if (directed && HAS(rule, DIRECTION) && VALUE(rule, DIRECTION) != in) {
        return refuse(c, "where", "direction",
                      "that request has the other direction");
    }
    settle_key(rule, FAULT_TYPE, FAULT_CONTROL);
    if (directed) {
        settle_key(rule, FAULT_DIRECTION, in);
    }
    return true;
}

/* An endpoint that cannot exist. */
static bool check_endpoint(const checker *c)
{
    const fault_rule *rule = c->rule;
    bool typed = HAS(rule, TYPE), numbered = HAS(rule, ENDPOINT);
    unsigned type = VALUE(rule, TYPE);

    if (numbered && typed && VALUE(rule, ENDPOINT) == 0 &&
        type != FAULT_CONTROL) {
        return refuse(c, "where", "type", "endpoint 0 is a control endpoint");
    }
    if (HAS(rule, STREAM) && typed && type != FAULT_BULK) {
        return refuse(c, "where", "stream", "only bulk endpoints have streams");
    }
    if (HAS(rule, STREAM) && numbered && VALUE(rule, ENDPOINT) == 0) {
        return refuse(c, "where", "stream", "endpoint 0 has no streams");
    }
    if (HAS(rule, TRB) && typed) {
        unsigned trb = VALUE(rule, TRB);
        bool control = trb == TRB_SETUP_STAGE || trb == TRB_DATA_STAGE ||
                       trb == TRB_STATUS_STAGE;

        if ((control && type != FAULT_CONTROL) ||
            (trb == TRB_ISOCH && type != FAULT_ISOCH)) {
            return refuse(c, "where", "trb",
                          "a TD of that endpoint has no such TRB");
        }
    }
    return true;
}

/* Types and direction that the action, or its code, is for. */
static unsigned legal_types(const fault_rule *rule)
{
    unsigned types = fault_actions[rule->action].types;

    if (rule->seam == FAULT_SCHEDULE) {
        types &= FAULT_BIT(FAULT_ISOCH);
    }
    if (rule->action == FAULT_COMPLETE && code_of(rule)) {
        types &= code_of(rule)->types;
    }
    return types;
}

static int legal_direction(const fault_rule *rule)
{
    int direction = fault_actions[rule->action].direction;

    if (rule->action == FAULT_COMPLETE && code_of(rule)) {
        direction = code_of(rule)->direction;
    }
    return direction;
}

bool fault_check_is_legal(const fault_rule *rule, unsigned type,
                          unsigned direction)
{
    int only = legal_direction(rule);

    if (!fault_actions[rule->action].types) {
        return true;
    }
    return FAULT_HAS(legal_types(rule), type) &&
           (only < 0 || (unsigned)only == direction);
}

static bool check_direction(const checker *c)
{
    const fault_rule *rule = c->rule;
    int only = legal_direction(rule);

    if (only >= 0 && HAS(rule, DIRECTION) &&
        VALUE(rule, DIRECTION) != (unsigned)only) {
        return refuse(c, "where", "direction",
                      "that happens on %s endpoints only",
                      only == FAULT_IN ? "IN" : "OUT");
    }
    return true;
}

static bool check_types(const checker *c)
{
    const fault_rule *rule = c->rule;
    const fault_action *action = &fault_actions[rule->action];
    unsigned types = legal_types(rule);
    bool coded = rule->action == FAULT_COMPLETE;

    if (!action->types) {
        return true;
    }
    if (!types) {
        return refuse(c, "with", "code", "no TD ends with that code");
    }
    if (HAS(rule, ENDPOINT) && VALUE(rule, ENDPOINT) == 0 &&
        !FAULT_HAS(types, FAULT_CONTROL)) {
        return refuse(c, coded ? "with" : "where", coded ? "code" : "endpoint",
                      "that cannot happen on endpoint 0");
    }
    if (HAS(rule, TYPE) && !FAULT_HAS(types, VALUE(rule, TYPE))) {
        return refuse(c, coded ? "with" : "where", coded ? "code" : "type",
                      "that cannot happen on an endpoint of type '%s'",
                      fault_word_name(&fault_type_words, VALUE(rule, TYPE)));
    }
    return check_direction(c);
}

/* Numbers without a name: those that Table 6-90 leaves to vendors. */
static bool is_vendor_code(uint64_t code)
{
    return code >= 192;
}

static bool check_code(const checker *c)
{
    const fault_rule *rule = c->rule;
    const fault_code *code = code_of(rule);
    fault_action_id action = rule->action;

    if (action != FAULT_COMPLETE && action != FAULT_COMMAND_CODE &&
        action != FAULT_EVENT_CODE) {
        return true;
    }
    if (!code && !is_vendor_code(rule->params[0]) &&
        !(action == FAULT_EVENT_CODE && rule->params[0] == 0)) {
        return refuse(c, "with", "code", "that code is reserved");
    }
    if (action == FAULT_COMMAND_CODE && code && !code->of_command) {
        return refuse(c, "with", "code", "no command ends with that code");
    }
    return true;
}

/* A port's action needs to know the port. */
static bool check_target(const checker *c)
{
    const fault_rule *rule = c->rule;
    const fault_param *params = fault_actions[rule->action].params;
    bool knows = rule->seam == FAULT_PACKET || rule->seam == FAULT_SCHEDULE ||
                 HAS(rule, PORT_ID);

    for (unsigned i = 0; i < FAULT_PARAMS_MAX && params[i].name; i++) {
        if (g_str_equal(params[i].name, "port") && !knows &&
            !FAULT_HAS(rule->params_given, i)) {
            return refuse(c, "where", "port", "%s needs a 'port' here",
                          fault_actions[rule->action].name);
        }
    }
    return true;
}

/* What an action is about by itself, where the plan does not say. */
static bool settle_where(checker *c)
{
    static const struct {
        fault_action_id action;
        fault_key key;
        unsigned value;
    } rows[] = {
        { FAULT_DMA_READ_ERROR, FAULT_ACCESS, FAULT_READ },
        { FAULT_DMA_WRITE_ERROR, FAULT_ACCESS, FAULT_WRITE },
        { FAULT_HCRST_HANGS, FAULT_ACCESS, FAULT_WRITE },
        { FAULT_HALT_HANGS, FAULT_ACCESS, FAULT_WRITE },
        { FAULT_SRE, FAULT_ACCESS, FAULT_WRITE },
    };
    fault_rule *rule = c->rule;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const fault_range *where = &rule->where[rows[i].key];

        if (rows[i].action != rule->action) {
            continue;
        }
        if (FAULT_HAS(rule->given, rows[i].key) &&
            where->first != rows[i].value) {
            return refuse(c, "where", fault_keys[rows[i].key].name,
                          "that is not where %s happens",
                          fault_actions[rule->action].name);
        }
        settle_key(rule, rows[i].key, rows[i].value);
    }
    if (fault_actions[rule->action].once && !rule->count) {
        rule->count = 1;
    }
    return true;
}

bool fault_check_rule(fault_rule *rule, const json_node *node,
                      json_error *error)
{
    checker c = { rule, node, error };

    return check_code(&c) && settle_seam(&c) && check_keys(&c) &&
           settle_request(&c) && check_endpoint(&c) && check_types(&c) &&
           check_target(&c) && settle_where(&c);
}
