/*
 * The log. The rules are in log.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "log.h"

#include "isolab/xhci.h"

void fault_log_init(fault_log *log)
{
    g_queue_init(&log->lines);
    log->dropped = 0;
}

void fault_log_clear(fault_log *log)
{
    g_queue_foreach(&log->lines, (GFunc)(void (*)(void))g_free, NULL);
    g_queue_clear(&log->lines);
    log->dropped = 0;
}

void fault_log_add(fault_log *log, char *line)
{
    g_queue_push_tail(&log->lines, line);
    if (g_queue_get_length(&log->lines) > FAULT_LOG_MAX) {
        g_free(g_queue_pop_head(&log->lines));
        log->dropped++;
    }
}

char *fault_log_text(const fault_log *log)
{
    GString *out = g_string_new(NULL);

    for (const GList *l = log->lines.head; l; l = l->next) {
        g_string_append(out, l->data);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

static void put_number(GString *out, const char *key, uint64_t value)
{
    g_string_append_printf(out, ",\"%s\":%" G_GUINT64_FORMAT, key, value);
}

static void put_text(GString *out, const char *key, const char *text)
{
    g_string_append_printf(out, ",\"%s\":", key);
    json_put_string(out, text);
}

static void put_site_key(GString *out, const fault_site *site, fault_key key)
{
    const fault_key_row *row = &fault_keys[key];
    uint64_t value = site->value[key];

    if (!FAULT_HAS(site->has, key)) {
        return;
    }
    if (key == FAULT_REGISTER_ID) {
        put_text(out, row->name, fault_registers[value].name);
    } else if (row->words && fault_word_name(row->words, value)) {
        put_text(out, row->name, fault_word_name(row->words, value));
    } else {
        put_number(out, row->name, value);
    }
}

/* What the SETUP of a control transfer says. */
static void put_request(GString *out, const fault_site *site)
{
    static const fault_key fields[] = { FAULT_B_REQUEST, FAULT_W_VALUE,
                                        FAULT_W_INDEX, FAULT_W_LENGTH };
    const fault_key_row *row = &fault_keys[FAULT_REQUEST];
    const char *name = fault_word_name(row->words, site->value[FAULT_REQUEST]);

    if (!FAULT_HAS(site->has, FAULT_BM_REQUEST_TYPE)) {
        return;
    }
    g_string_append_printf(out, ",\"%s\":{\"%s\":%u", FAULT_REQUEST_KEY,
                           fault_keys[FAULT_BM_REQUEST_TYPE].name,
                           (unsigned)site->value[FAULT_BM_REQUEST_TYPE]);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        put_site_key(out, site, fields[i]);
    }
    if (FAULT_HAS(site->has, FAULT_REQUEST) && name) {
        put_text(out, row->name, name);
    }
    g_string_append_c(out, '}');
}

static void put_site(GString *out, const fault_site *site)
{
    static const fault_key front[] = { FAULT_SLOT, FAULT_PORT_ID };
    static const fault_key middle[] = { FAULT_ENDPOINT, FAULT_DIRECTION,
                                        FAULT_TYPE, FAULT_STREAM, FAULT_TD };
    static const fault_key back[] = { FAULT_COMMAND_ID,  FAULT_EVENT_ID,
                                      FAULT_INTERRUPTER, FAULT_REGISTER_ID,
                                      FAULT_ACCESS,      FAULT_MEMORY };

    for (size_t i = 0; i < G_N_ELEMENTS(front); i++) {
        put_site_key(out, site, front[i]);
    }
    if (FAULT_HAS(site->has, FAULT_ENDPOINT)) {
        put_number(out, "dci",
                   xhci_dci(site->value[FAULT_ENDPOINT],
                            site->value[FAULT_DIRECTION] == FAULT_IN));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(middle); i++) {
        put_site_key(out, site, middle[i]);
    }
    if (site->trb_gpa) {
        g_string_append_printf(out, ",\"trb\":\"0x%" G_GINT64_MODIFIER "x\"",
                               site->trb_gpa);
    }
    put_request(out, site);
    for (size_t i = 0; i < G_N_ELEMENTS(back); i++) {
        put_site_key(out, site, back[i]);
    }
}

char *fault_log_line(const fault_plan *plan, const fault_rule *rule,
                     const fault_site *site, uint64_t uf,
                     const fault_done *done)
{
    GString *out = g_string_new(NULL);
    const fault_code *code = fault_code_find(done->code);

    g_string_append_printf(out, "{\"uf\":%" G_GUINT64_FORMAT, uf);
    put_text(out, "plan", plan->name);
    put_text(out, "rule", rule->name);
    put_number(out, "hit", rule->hits);
    put_text(out, "seam", fault_word_name(&fault_seam_words, site->seam));
    put_site(out, site);
    put_text(out, "action", fault_actions[rule->action].name);
    if (done->has_code) {
        put_number(out, "code", done->code);
        put_text(out, "code-name", code ? code->text : "vendor defined");
    }
    if (done->has_bytes) {
        put_number(out, "bytes", done->bytes);
    }
    if (done->has_value) {
        g_string_append_printf(out, ",\"value\":\"0x%08x\"", done->value);
    }
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
