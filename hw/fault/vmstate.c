/*
 * Migration of an armed plan: its text, and all that has become of it.
 *
 *  1. There is nothing in the stream when no plan is armed.
 *  2. What travels is one serialized GVariant. It is checked as a whole when it
 *     comes in, and each number is checked before it is used: a stream that
 *     does not fit is an error (-EINVAL) and nothing worse.
 *  3. A packet that a device still has begins anew over there (records.c of the
 *     core); the rule that it met has fired, and travels with the endpoint.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

#include "migration/qemu-file-types.h"

#define STATE_BYTES_MAX (256u << 20)

/* name, type: plan, state, rules, log, put off, endpoints, the rest. */
#define RULES "a(tttt)"
#define LATERS "a(uxttttts)"
#define EPS "a(yyqiiitttbiuayt)"
#define STATE "(su" RULES "tas" LATERS EPS "abt)"

static int index_of(const fault_engine *e, const fault_rule *rule)
{
    return rule ? rule - e->plan->rules : -1;
}

static GVariant *pack_rules(const fault_engine *e)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE(RULES));
    for (unsigned i = 0; i < e->plan->rule_count; i++) {
        const fault_rule *r = &e->plan->rules[i];

        g_variant_builder_add(&b, "(tttt)", r->seen, r->eligible, r->hits,
                              r->random);
    }
    return g_variant_builder_end(&b);
}

static GVariant *pack_log(const fault_engine *e)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("as"));
    for (const GList *l = e->log.lines.head; l; l = l->next) {
        g_variant_builder_add(&b, "s", l->data);
    }
    return g_variant_builder_end(&b);
}

static GVariant *pack_laters(const fault_engine *e)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE(LATERS));
    for (const GList *l = e->later.head; l; l = l->next) {
        const fault_later *item = l->data;

        g_variant_builder_add(&b, "(uxttttts)", item->kind, item->ns,
                              item->w[0], item->w[1], item->w[2], item->w[3],
                              item->w[4], item->text ? item->text : "");
    }
    return g_variant_builder_end(&b);
}

static void pack_ep(const fault_engine *e, const fault_ep *fe,
                    GVariantBuilder *b)
{
    const fault_rule *flight = fe->flight ? fe->flight : fe->carried;
    bool flies = fe->flight && !fe->is_late;
    ixhci_slot *slot = ixhci_slot_get(e->x, fe->slot_id);
    ixhci_ep *ep = slot ? slot->eps[fe->dci] : NULL;
    uint64_t td = fe->td, gpa = fe->trb_gpa;

    if (flies && ep) { /* rule 3 */
        td = fe->site.value[FAULT_TD];
        gpa = fe->site.trb_gpa;
    }
    g_variant_builder_add(
        b, "(yyqiiitttbiu@ayt)", fe->slot_id, fe->dci, fe->stream,
        index_of(e, flight), index_of(e, fe->held), index_of(e, fe->misses), td,
        gpa, fe->until_uf, fe->is_late, fe->status, fe->count,
        g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, fe->bytes,
                                  fe->bytes ? fe->count : 0, 1),
        fe->misses_until_uf);
}

static GVariant *pack_eps(const fault_engine *e)
{
    GVariantBuilder b;
    GHashTableIter iter;
    gpointer fe;

    g_variant_builder_init(&b, G_VARIANT_TYPE(EPS));
    g_hash_table_iter_init(&iter, e->eps);
    while (g_hash_table_iter_next(&iter, NULL, &fe)) {
        pack_ep(e, fe, &b);
    }
    return g_variant_builder_end(&b);
}

/* The flags, in the order in which they travel. */
static void list_flags(fault_engine *e, bool **flags)
{
    flags[0] = &e->all_ones;
    flags[1] = &e->not_ready;
    flags[2] = &e->hcrst_hangs;
    flags[3] = &e->halt_hangs;
    flags[4] = &e->level;
    flags[5] = &e->level_lost;
}

#define FLAGS 6

static GVariant *pack_flags(fault_engine *e)
{
    GVariantBuilder b;
    bool *flags[FLAGS];

    list_flags(e, flags);
    g_variant_builder_init(&b, G_VARIANT_TYPE("ab"));
    for (unsigned i = 0; i < FLAGS; i++) {
        g_variant_builder_add(&b, "b", *flags[i]);
    }
    return g_variant_builder_end(&b);
}

static GVariant *pack(fault_engine *e)
{
    g_autoptr(GString) text = g_string_new(NULL);

    json_put(text, e->plan->text);
    return g_variant_ref_sink(g_variant_new(
        "(su@" RULES "t@as@" LATERS "@" EPS "@abt)", text->str, e->plan->state,
        pack_rules(e), e->log.dropped, pack_log(e), pack_laters(e), pack_eps(e),
        pack_flags(e), e->ticked_uf));
}

static bool unpack_rules(fault_plan *plan, GVariant *rules)
{
    if (g_variant_n_children(rules) != plan->rule_count) {
        return false;
    }
    for (unsigned i = 0; i < plan->rule_count; i++) {
        fault_rule *r = &plan->rules[i];

        g_variant_get_child(rules, i, "(tttt)", &r->seen, &r->eligible,
                            &r->hits, &r->random);
    }
    return true;
}

static bool rule_at(fault_engine *e, int index, fault_rule **rule)
{
    *rule = index < 0 ? NULL : &e->plan->rules[index];
    return index >= -1 && index < (int)e->plan->rule_count;
}

static bool unpack_laters(fault_engine *e, GVariant *laters)
{
    size_t count = g_variant_n_children(laters);

    for (size_t i = 0; i < count && i < FAULT_LATER_MAX; i++) {
        fault_later *item = g_new0(fault_later, 1);
        uint32_t kind;
        const char *text;

        g_variant_get_child(laters, i, "(uxttttt&s)", &kind, &item->ns,
                            &item->w[0], &item->w[1], &item->w[2], &item->w[3],
                            &item->w[4], &text);
        if (kind >= FAULT_LATERS || item->ns < 0) {
            g_free(item);
            return false;
        }
        item->kind = kind;
        item->text = *text ? g_strdup(text) : NULL;
        fault_later_insert(e, item);
    }
    return count <= FAULT_LATER_MAX;
}

static bool unpack_ep(fault_engine *e, GVariant *v)
{
    g_autoptr(GVariant) bytes = NULL;
    int flight, held, misses, status;
    uint64_t td, gpa, until, misses_until;
    gboolean is_late;
    uint16_t stream;
    uint32_t count;
    uint8_t slot_id, dci;
    fault_ep *fe;
    gsize size;

    g_variant_get(v, "(yyqiiitttbiu@ayt)", &slot_id, &dci, &stream, &flight,
                  &held, &misses, &td, &gpa, &until, &is_late, &status, &count,
                  &bytes, &misses_until);
    size = g_variant_n_children(bytes);
    if (dci > IXHCI_MAX_DCI || (size && size != count) ||
        count > FAULT_STASH_MAX - e->stashed) {
        return false;
    }
    fe = fault_ep_new(e, slot_id, dci, stream);
    if (!rule_at(e, flight, &fe->carried) || !rule_at(e, held, &fe->held) ||
        !rule_at(e, misses, &fe->misses)) {
        return false;
    }
    fe->td = td;
    fe->trb_gpa = gpa;
    fe->until_uf = until;
    fe->status = status;
    fe->misses_until_uf = misses_until;
    if (is_late && !fe->is_late) {
        fe->is_late = true;
        fe->count = count;
        e->late++;
        e->stashed += count;
        fe->bytes = size ? g_memdup2(g_variant_get_data(bytes), size) : NULL;
    }
    return true;
}

static bool unpack_eps(fault_engine *e, GVariant *eps)
{
    size_t count = g_variant_n_children(eps);
    bool done = count <= IXHCI_MAX_EPS;

    for (size_t i = 0; i < count && done; i++) {
        g_autoptr(GVariant) v = g_variant_get_child_value(eps, i);

        done = unpack_ep(e, v);
    }
    return done;
}

static void unpack_log(fault_engine *e, GVariant *log)
{
    GVariantIter iter;
    char *line;

    g_variant_iter_init(&iter, log);
    while (g_variant_iter_next(&iter, "s", &line)) {
        fault_log_add(&e->log, line);
    }
}

static bool unpack_flags(fault_engine *e, GVariant *values)
{
    bool *flags[FLAGS];

    list_flags(e, flags);
    if (g_variant_n_children(values) != FLAGS) {
        return false;
    }
    for (unsigned i = 0; i < FLAGS; i++) {
        gboolean value;

        g_variant_get_child(values, i, "b", &value);
        *flags[i] = value;
    }
    return true;
}

/* The old plan and what was put off are gone by now. */
static bool unpack(fault_engine *e, GVariant *v)
{
    g_autoptr(GVariant) rules = NULL, log = NULL, laters = NULL, eps = NULL,
                        flags = NULL;
    json_error error = { 0 };
    const char *text;
    uint32_t state;
    uint64_t dropped;

    g_variant_get(v, "(&su@" RULES "t@as@" LATERS "@" EPS "@abt)", &text,
                  &state, &rules, &dropped, &log, &laters, &eps, &flags,
                  &e->ticked_uf);
    e->plan = fault_plan_parse(text, strlen(text), &error);
    g_free(error.reason);
    if (!e->plan || state >= MAX(e->plan->state_count, 1) ||
        !unpack_rules(e->plan, rules) || !unpack_laters(e, laters) ||
        !unpack_eps(e, eps) || !unpack_flags(e, flags)) {
        return false;
    }
    e->plan->state = state;
    unpack_log(e, log);
    e->log.dropped = dropped;
    return true;
}

static bool is_armed(void *opaque)
{
    fault_engine *e = fault_engine_of(opaque);

    return e && e->plan;
}

static int put_state(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field, JSONWriter *desc)
{
    fault_engine *e = fault_engine_of(pv);
    g_autoptr(GVariant) v = pack(e);

    qemu_put_be32(f, g_variant_get_size(v));
    qemu_put_buffer(f, g_variant_get_data(v), g_variant_get_size(v));
    return 0;
}

static GVariant *read_state(QEMUFile *f)
{
    uint32_t bytes = qemu_get_be32(f);
    uint8_t *data;
    GVariant *v;

    if (!bytes || bytes > STATE_BYTES_MAX) {
        return NULL;
    }
    data = g_try_malloc(bytes);
    if (!data || qemu_get_buffer(f, data, bytes) != bytes) {
        g_free(data);
        return NULL;
    }
    v = g_variant_new_from_data(G_VARIANT_TYPE(STATE), data, bytes, false,
                                g_free, data);
    return g_variant_ref_sink(v);
}

static int get_state(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field)
{
    fault_engine *e = fault_engine_of(pv);
    g_autoptr(GVariant) v = read_state(f);

    if (!v || !g_variant_is_normal_form(v)) {
        return -EINVAL;
    }
    fault_later_forget_all(e);
    fault_engine_remove(e);
    fault_log_clear(&e->log);
    if (!unpack(e, v)) {
        fault_later_forget_all(e);
        fault_plan_free(e->plan);
        e->plan = NULL;
        return -EINVAL;
    }
    fault_engine_install(e);
    fault_later_arm(e);
    return 0;
}

static const VMStateInfo info = {
    .name = "ixhci/fault plan",
    .get = get_state,
    .put = put_state,
};

const VMStateDescription fault_vmstate = {
    .name = "ixhci/faults",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_armed,
    .fields =
        (VMStateField[]){
            { .name = "plan",
              .version_id = 1,
              .info = &info,
              .flags = VMS_SINGLE },
            VMSTATE_END_OF_LIST(),
        },
};
