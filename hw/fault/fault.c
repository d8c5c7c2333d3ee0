/*
 * The engine's outside: properties of the controller, and which seams are
 * wrapped. The rules are in engine.h.
 *
 *   -device ixhci,fault-plan=FILE,fault-log-file=FILE
 *   qom-set /machine/peripheral/xhci fault-plan '{"rules": [...]}'
 *   qom-get /machine/peripheral/xhci fault-log
 *
 * A guest has no way to any of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

#include "trace-hw_fault.h"

static void filter_class_init(ObjectClass *klass);
static bool filter_realize(IxhciState *x, Error **errp);
static void filter_unrealize(IxhciState *x);
static void filter_finalize(IxhciState *x);

static ixhci_filter filter = {
    .class_init = filter_class_init,
    .realize = filter_realize,
    .unrealize = filter_unrealize,
    .finalize = filter_finalize,
    .state = &fault_vmstate,
};

static void __attribute__((constructor)) announce(void)
{
    ixhci_filter_register(&filter);
}

fault_engine *fault_engine_of(IxhciState *x)
{
    return x->filter_data[filter.slot];
}

static fault_engine *make_engine(IxhciState *x)
{
    fault_engine *e = fault_engine_of(x);

    if (!e) {
        e = g_new0(fault_engine, 1);
        e->x = x;
        fault_log_init(&e->log);
        x->filter_data[filter.slot] = e;
    }
    return e;
}

/* Rule 5: the endpoints' wake-up times are worked out anew. */
static void set_coalesce(IxhciState *x, bool coalesce)
{
    ixhci_ep *ep;

    x->coalesce = coalesce;
    QTAILQ_FOREACH (ep, &x->work, work) {
        ixhci_service_look_again(ep);
    }
}

static bool needs(const fault_engine *e, fault_seam seam)
{
    switch (seam) {
    case FAULT_REGISTER: /* resets are seen there */
        return true;
    case FAULT_DMA: /* rule 5 */
        return fault_plan_has(e->plan, seam) ||
               fault_plan_has(e->plan, FAULT_PACKET);
    default:
        return fault_plan_has(e->plan, seam);
    }
}

#define WRAP(seam, field, table)            \
    do {                                    \
        if (!FAULT_HAS(e->wrapped, seam)) { \
            e->inner.field = x->field;      \
            if (needs(e, seam)) {           \
                x->field = &(table);        \
                e->wrapped |= 1u << (seam); \
            }                               \
        }                                   \
    } while (0)

/* One that another filter has wrapped meanwhile stays, and hands on. */
#define UNWRAP(seam, field, table)                                 \
    do {                                                           \
        if (FAULT_HAS(e->wrapped, seam) && x->field == &(table)) { \
            x->field = e->inner.field;                             \
            e->wrapped &= ~(1u << (seam));                         \
        }                                                          \
    } while (0)

#define EACH_SEAM(DO)                               \
    DO(FAULT_DMA, dma, fault_dma_ops);              \
    DO(FAULT_PACKET, usb, fault_packet_ops);        \
    DO(FAULT_SCHEDULE, sched, fault_schedule_ops);  \
    DO(FAULT_EVENT, event, fault_event_ops);        \
    DO(FAULT_INTERRUPT, irq, fault_intr_ops);       \
    DO(FAULT_COMMAND, commands, fault_command_ops); \
    DO(FAULT_PORT, link, fault_port_ops);           \
    DO(FAULT_REGISTER, regs, fault_register_ops)

void fault_engine_install(fault_engine *e)
{
    IxhciState *x = e->x;

    EACH_SEAM(WRAP);
    e->base_uf = x->base_uf;
    e->coalesce = x->coalesce;
    set_coalesce(x, false);
}

/* A packet whose answer is kept still has to get it (packet.c, rule 3). */
void fault_engine_unwrap(fault_engine *e)
{
    IxhciState *x = e->x;

    if (!e->plan && !e->late) {
        EACH_SEAM(UNWRAP);
    }
}

void fault_engine_remove(fault_engine *e)
{
    IxhciState *x = e->x;

    if (!e->plan) {
        return;
    }
    if (e->is_realized) {
        fault_later_flush(e);
        fault_ep_wake_all(e);
        set_coalesce(x, e->coalesce);
        ixhci_service_arm(x);
    }
    fault_plan_free(e->plan);
    e->plan = NULL;
    fault_engine_unwrap(e);
    e->all_ones = e->not_ready = e->hcrst_hangs = e->halt_hangs = false;
    e->level_lost = false;
    fault_later_arm(e);
}

/* The eight bytes of a SETUP packet (USB 2.0 Table 9-2), as they were read. */
void fault_site_of_setup(fault_site *site, const uint8_t *setup)
{
    if (FAULT_IS_STANDARD(setup[0])) {
        fault_site_set(site, FAULT_REQUEST,
                       FAULT_REQUEST_ID(setup[0], setup[1]));
    }
    fault_site_set(site, FAULT_BM_REQUEST_TYPE, setup[0]);
    fault_site_set(site, FAULT_B_REQUEST, setup[1]);
    fault_site_set(site, FAULT_W_VALUE, lduw_le_p(setup + 2));
    fault_site_set(site, FAULT_W_INDEX, lduw_le_p(setup + 4));
    fault_site_set(site, FAULT_W_LENGTH, lduw_le_p(setup + 6));
}

/* What an endpoint's occurrences have in common. */
void fault_site_of_ep(fault_site *site, fault_seam seam, const ixhci_ep *ep)
{
    static const uint8_t types[] = {
        [EP_TYPE_ISOCH_OUT & 3] = FAULT_ISOCH,
        [EP_TYPE_BULK_OUT & 3] = FAULT_BULK,
        [EP_TYPE_INTERRUPT_OUT & 3] = FAULT_INTERRUPT_EP,
        [EP_TYPE_CONTROL & 3] = FAULT_CONTROL,
    };
    uint64_t trbs = 0;

    *site = (fault_site){ .seam = seam };
    for (unsigned i = 0; i < ep->td.count; i++) {
        trbs |= FAULT_BIT(xhci_get(ep->td.trbs[i].trb.dw[3], TRB_TYPE));
    }
    site->trb_gpa = ep->td.count ? ep->td.trbs[0].gpa : ep->ring.dequeue_gpa;
    fault_site_set(site, FAULT_SLOT, ep->slot->slot_id);
    fault_site_set(site, FAULT_PORT_ID, ep->slot->cfg.root_port);
    fault_site_set(site, FAULT_ENDPOINT, ep->dci >> 1);
    fault_site_set(site, FAULT_DIRECTION,
                   ixhci_ep_is_in(ep) ? FAULT_IN : FAULT_OUT);
    fault_site_set(site, FAULT_TYPE, types[ep->cfg.type & 3]);
    fault_site_set(site, FAULT_TD, ep->tds + 1);
    fault_site_set(site, FAULT_TRB, trbs);
    if (ep->stream_id) {
        fault_site_set(site, FAULT_STREAM, ep->stream_id);
    }
    if (FAULT_HAS(trbs, TRB_SETUP_STAGE)) {
        fault_site_of_setup(site, ep->td.setup);
    }
}

void fault_note(fault_engine *e, const fault_rule *rule, const fault_site *site,
                const fault_done *done)
{
    static const fault_done nothing;
    char *line = fault_log_line(e->plan, rule, site, ixhci_now_uf(),
                                done ? done : &nothing);

    trace_ixhci_fault(line);
    if (e->log_file) {
        fprintf(e->log_file, "%s\n", line);
    }
    fault_log_add(&e->log, line);
}

bool fault_is_side(const fault_rule *rule)
{
    return fault_actions[rule->action].on_side;
}

/* Rule 3: what is set off on the side is no answer to the occurrence. */
fault_rule *fault_fire(fault_engine *e, fault_site *site)
{
    fault_rule *rule;

    if (!e->plan) {
        return NULL;
    }
    fault_later_check_reset(e);
    if (!FAULT_HAS(site->has, FAULT_MICROFRAME)) {
        fault_site_set(site, FAULT_MICROFRAME, ixhci_now_uf() - e->x->run_uf);
    }
    rule = fault_match(e->plan, site);
    if (rule && fault_is_side(rule)) {
        fault_note(e, rule, site, NULL);
        fault_side_put_off(e, rule, site);
        return NULL;
    }
    return rule;
}

/* A file, and no more of it than a plan may have. */
static char *read_file(const char *name, size_t *bytes, Error **errp)
{
    FILE *f = fopen(name, "re");
    char *text;

    if (!f) {
        error_setg(errp, "fault-plan: %s: %s", name, strerror(errno));
        return NULL;
    }
    text = g_malloc(JSON_TEXT_MAX + 2);
    *bytes = fread(text, 1, JSON_TEXT_MAX + 1, f);
    if (ferror(f)) {
        error_setg(errp, "fault-plan: %s: %s", name, strerror(errno));
        g_free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

static fault_plan *load_plan(const char *value, Error **errp)
{
    bool is_text = value[strspn(value, " \t\r\n")] == '{';
    g_autofree char *text = NULL;
    size_t bytes = strlen(value);
    json_error error = { 0 };
    fault_plan *plan;

    if (!is_text) {
        text = read_file(value, &bytes, errp);
        if (!text) {
            return NULL;
        }
    }
    plan = fault_plan_parse(is_text ? value : text, bytes, &error);
    if (!plan) {
        error_setg(errp, "fault-plan: %s%s%u:%u: %s", is_text ? "" : value,
                   is_text ? "" : ":", error.line, error.column, error.reason);
        g_free(error.reason);
    }
    return plan;
}

static void begin(fault_engine *e)
{
    e->ticked_uf = ixhci_now_uf();
    fault_engine_install(e);
    ixhci_service_arm(e->x);
    fault_later_arm(e);
}

static void set_plan(Object *obj, const char *value, Error **errp)
{
    IxhciState *x = IXHCI(obj);
    fault_engine *e = fault_engine_of(x);
    fault_plan *plan = NULL;

    if (value[strspn(value, " \t\r\n")]) {
        plan = load_plan(value, errp);
        if (!plan) {
            return; /* the old one stays */
        }
        e = make_engine(x);
    }
    if (!e) {
        return;
    }
    if (e->is_realized) {
        ixhci_service_sync(x);
    }
    fault_engine_remove(e);
    if (plan) {
        fault_log_clear(&e->log);
        e->plan = plan;
    }
    if (plan && e->is_realized) {
        begin(e);
    }
}

static char *get_plan(Object *obj, Error **errp)
{
    IxhciState *x = IXHCI(obj);
    fault_engine *e = fault_engine_of(x);

    if (!e || !e->plan) {
        return g_strdup("");
    }
    return fault_plan_print(e->plan, ixhci_now_uf() - x->run_uf,
                            e->log.dropped);
}

static char *get_log(Object *obj, Error **errp)
{
    fault_engine *e = fault_engine_of(IXHCI(obj));

    return e ? fault_log_text(&e->log) : g_strdup("");
}

static char *get_log_file(Object *obj, Error **errp)
{
    fault_engine *e = fault_engine_of(IXHCI(obj));

    return g_strdup(e && e->log_name ? e->log_name : "");
}

static void close_log(fault_engine *e)
{
    if (e->log_file) {
        fclose(e->log_file);
    }
    g_clear_pointer(&e->log_name, g_free);
    e->log_file = NULL;
}

/* Written line by line: whatever ends QEMU, what has fired is in the file. */
static void set_log_file(Object *obj, const char *value, Error **errp)
{
    fault_engine *e = make_engine(IXHCI(obj));
    FILE *f = NULL;

    if (*value) {
        f = fopen(value, "ae");
        if (!f) {
            error_setg(errp, "fault-log-file: %s: %s", value, strerror(errno));
            return;
        }
        setvbuf(f, NULL, _IOLBF, 0);
    }
    close_log(e);
    if (f) {
        e->log_name = g_strdup(value);
        e->log_file = f;
    }
}

/* For tests: the seams whose table is not the controller's own. */
static char *get_seams(Object *obj, Error **errp)
{
    IxhciState *x = IXHCI(obj);
    const struct {
        fault_seam seam;
        bool is_own;
    } seams[] = {
        { FAULT_DMA, x->dma == &ixhci_dma_guest },
        { FAULT_PACKET, x->usb == &ixhci_bus_usb },
        { FAULT_SCHEDULE, x->sched == &ixhci_sched_clock },
        { FAULT_EVENT, x->event == &ixhci_event_guest },
        { FAULT_INTERRUPT, x->irq == &ixhci_intr_pci },
        { FAULT_COMMAND, x->commands == &ixhci_command_table },
        { FAULT_PORT, x->link == &ixhci_link_model },
        { FAULT_REGISTER, x->regs == &ixhci_regs_model },
    };
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(seams); i++) {
        if (!seams[i].is_own) {
            g_string_append_printf(
                out, "%s%s", out->len ? " " : "",
                fault_word_name(&fault_seam_words, seams[i].seam));
        }
    }
    return g_string_free(out, FALSE);
}

static void filter_class_init(ObjectClass *klass)
{
    static const struct {
        const char *name;
        char *(*get)(Object *, Error **);
        void (*set)(Object *, const char *, Error **);
        const char *text;
    } rows[] = {
        { "fault-plan", get_plan, set_plan,
          "what goes wrong: a JSON object, or the name of a file" },
        { "fault-log", get_log, NULL, "what has gone wrong, as JSON lines" },
        { "fault-log-file", get_log_file, set_log_file,
          "a file that the log is appended to" },
        { "fault-seams", get_seams, NULL, "the seams that are wrapped" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        object_class_property_add_str(klass, rows[i].name, rows[i].get,
                                      rows[i].set);
        object_class_property_set_description(klass, rows[i].name,
                                              rows[i].text);
    }
}

/* Also a controller without a plan may be given one by migration. */
static bool filter_realize(IxhciState *x, Error **errp)
{
    fault_engine *e = make_engine(x);

    e->is_realized = true;
    fault_later_init(e);
    if (e->plan) {
        begin(e);
    }
    return true;
}

static void filter_unrealize(IxhciState *x)
{
    fault_engine *e = fault_engine_of(x);

    if (e && e->is_realized) {
        fault_later_forget(e);
        fault_engine_remove(e);
        fault_engine_unwrap(e);
        fault_later_exit(e);
        e->is_realized = false;
    }
}

static void filter_finalize(IxhciState *x)
{
    fault_engine *e = fault_engine_of(x);

    if (e) {
        fault_plan_free(e->plan);
        fault_log_clear(&e->log);
        close_log(e);
        if (e->eps) {
            g_hash_table_destroy(e->eps);
        }
        g_free(e);
        x->filter_data[filter.slot] = NULL;
    }
}
