/*
 * What is put off (engine.h, rule 4), and the clock's own occurrences.
 *
 * One timer, armed for the first of what is due: an item of the list, or a
 * microframe that a rule of the seam `clock` may fire in. No item and no such
 * rule, no timer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

/* 8 ms: a clock that leapt further has left out what was between. */
#define TICKS_AT_ONCE 64

typedef void (*later_function)(fault_engine *e, const fault_later *item);

static void do_wake(fault_engine *e, const fault_later *item)
{
    fault_ep_wake(e, item->w[0], item->w[1], item->w[2]);
}

static void do_event(fault_engine *e, const fault_later *item)
{
    fault_event_post_packed(e, item->w);
}

static void do_signal(fault_engine *e, const fault_later *item)
{
    e->inner.irq->signal(e->x, item->w[0]);
}

static void do_level(fault_engine *e, const fault_later *item)
{
    fault_intr_level(e, item->w[0]);
}

static void do_command(fault_engine *e, const fault_later *item)
{
    fault_command_finish(e, item->w[0]);
}

static void do_side(fault_engine *e, const fault_later *item)
{
    if (e->plan && item->w[0] < e->plan->rule_count) {
        fault_side_do(e, &e->plan->rules[item->w[0]], item->w[1], item->w[2]);
    }
}

static void do_ring(fault_engine *e, const fault_later *item)
{
    ixhci_event_let_go(e->x, item->w[0]);
}

static void do_torn(fault_engine *e, const fault_later *item)
{
    /* but for the cycle bit's dword, which is there */
    e->inner.dma->store(e->x, item->w[0], &item->w[1], 12);
}

static void do_replug(fault_engine *e, const fault_later *item)
{
    Object *obj = object_resolve_path_type(item->text, TYPE_USB_DEVICE, NULL);

    if (obj && !USB_DEVICE(obj)->attached && USB_DEVICE(obj)->port) {
        usb_device_attach(USB_DEVICE(obj), NULL);
    }
}

static void do_current(fault_engine *e, const fault_later *item)
{
    ixhci_port_over_current(e->x, item->w[0], false);
}

static void do_ready(fault_engine *e, const fault_later *item)
{
    e->not_ready = false;
}

static void do_hcrst(fault_engine *e, const fault_later *item)
{
    fault_register_reset(e);
}

static void do_back(fault_engine *e, const fault_later *item)
{
    e->all_ones = false;
}

/* What a reset does away with, and what the end of a plan still has to do. */
static const struct {
    later_function run;
    bool outlives_reset;
} kinds[FAULT_LATERS] = {
    [FAULT_LATER_WAKE] = { do_wake, false },
    [FAULT_LATER_EVENT] = { do_event, false },
    [FAULT_LATER_BEHIND] = { do_event, false },
    [FAULT_LATER_SIGNAL] = { do_signal, false },
    [FAULT_LATER_LEVEL] = { do_level, false },
    [FAULT_LATER_COMMAND] = { do_command, false },
    [FAULT_LATER_SIDE] = { do_side, true },
    [FAULT_LATER_RING] = { do_ring, false },
    [FAULT_LATER_TORN] = { do_torn, false },
    [FAULT_LATER_REPLUG] = { do_replug, true },
    [FAULT_LATER_CURRENT] = { do_current, true },
    [FAULT_LATER_READY] = { do_ready, true },
    [FAULT_LATER_HCRST] = { do_hcrst, true },
    [FAULT_LATER_BACK] = { do_back, true },
};

void fault_later_free(fault_later *item)
{
    g_free(item->text);
    g_free(item);
}

static void run_item(fault_engine *e, fault_later *item)
{
    kinds[item->kind].run(e, item);
    fault_later_free(item);
}

void fault_later_insert(fault_engine *e, fault_later *item)
{
    GList *l = e->later.tail;

    while (l && ((fault_later *)l->data)->ns > item->ns) {
        l = l->prev;
    }
    if (l) {
        g_queue_insert_after(&e->later, l, item);
    } else {
        g_queue_push_head(&e->later, item);
    }
}

bool fault_later_add(fault_engine *e, fault_later_kind kind, uint64_t uf,
                     const uint64_t *w, unsigned count, const char *text)
{
    fault_later *item;

    if (g_queue_get_length(&e->later) >= FAULT_LATER_MAX) {
        return false;
    }
    item = g_new0(fault_later, 1);
    item->kind = kind;
    item->ns =
        kind == FAULT_LATER_BEHIND
            ? INT64_MAX
            : qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (int64_t)uf * IXHCI_UF_NS;
    for (unsigned i = 0; i < count; i++) {
        item->w[i] = w[i];
    }
    item->text = g_strdup(text);
    fault_later_insert(e, item);
    fault_later_arm(e);
    return true;
}

/* The clock's next occurrence of a rule; from is a microframe since R/S. */
static uint64_t next_tick(const fault_rule *rule, uint64_t from)
{
    if (rule->seam != FAULT_CLOCK || fault_match_is_spent(rule)) {
        return IXHCI_UF_NEVER;
    }
    if (!FAULT_HAS(rule->given, FAULT_MICROFRAME)) {
        return from;
    }
    return rule->where[FAULT_MICROFRAME].last < from
               ? IXHCI_UF_NEVER
               : MAX(from, rule->where[FAULT_MICROFRAME].first);
}

static uint64_t next_tick_uf(const fault_engine *e)
{
    uint64_t next = IXHCI_UF_NEVER, begin = e->x->run_uf;
    uint64_t from = MAX(e->ticked_uf + 1, begin) - begin;

    if (!e->plan || !ixhci_is_running(e->x)) {
        return next;
    }
    for (unsigned i = 0; i < e->plan->rule_count; i++) {
        next = MIN(next, next_tick(&e->plan->rules[i], from));
    }
    return next == IXHCI_UF_NEVER ? next : begin + next;
}

void fault_later_arm(fault_engine *e)
{
    fault_later *first = g_queue_peek_head(&e->later);
    uint64_t uf;
    int64_t ns = first ? first->ns : INT64_MAX;

    if (!e->timer) {
        return;
    }
    uf = next_tick_uf(e);
    if (uf != IXHCI_UF_NEVER) {
        ns = MIN(ns, (int64_t)(uf * IXHCI_UF_NS));
    }
    if (ns == INT64_MAX) {
        timer_del(e->timer);
    } else {
        timer_mod_ns(e->timer, ns);
    }
}

/* A timer may be late; the microframes before it are occurrences, too. */
static void tick(fault_engine *e, uint64_t now_uf)
{
    uint64_t due;

    for (unsigned n = 0; n < TICKS_AT_ONCE; n++) {
        fault_site site = { .seam = FAULT_CLOCK };

        due = next_tick_uf(e);
        if (due > now_uf) {
            return;
        }
        e->ticked_uf = due;
        fault_site_set(&site, FAULT_MICROFRAME, due - e->x->run_uf);
        fault_fire(e, &site); /* its actions are on the side */
    }
    e->ticked_uf = now_uf;
}

static void later_timer(void *opaque)
{
    fault_engine *e = opaque;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    fault_later *item;
    unsigned limit = FAULT_LATER_MAX;

    ixhci_service_sync(e->x);
    fault_later_check_reset(e);
    tick(e, now / IXHCI_UF_NS);
    /* what they put off for now waits for another call, but not for ever */
    while (limit-- && (item = g_queue_peek_head(&e->later)) &&
           item->ns <= now) {
        run_item(e, g_queue_pop_head(&e->later));
    }
    fault_later_arm(e);
}

void fault_later_init(fault_engine *e)
{
    g_queue_init(&e->later);
    e->eps = g_hash_table_new(NULL, NULL);
    e->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, later_timer, e);
}

void fault_later_forget_all(fault_engine *e)
{
    while (!g_queue_is_empty(&e->later)) {
        fault_later_free(g_queue_pop_head(&e->later));
    }
    fault_ep_forget_all(e);
}

void fault_later_exit(fault_engine *e)
{
    fault_later_forget_all(e);
    timer_free(e->timer);
    e->timer = NULL;
}

/* In the order in which it would have come. */
void fault_later_flush(fault_engine *e)
{
    unsigned count = g_queue_get_length(&e->later);

    while (count-- && !g_queue_is_empty(&e->later)) {
        run_item(e, g_queue_pop_head(&e->later));
    }
}

void fault_later_forget(fault_engine *e)
{
    GList *l = e->later.head;

    while (l) {
        GList *next = l->next;
        fault_later *item = l->data;

        if (!kinds[item->kind].outlives_reset) {
            g_queue_delete_link(&e->later, l);
            fault_later_free(item);
        }
        l = next;
    }
    fault_ep_forget_all(e);
    e->level_lost = false;
    fault_later_arm(e);
}

/* Each reset of the controller begins a new MFINDEX. */
void fault_later_check_reset(fault_engine *e)
{
    if (e->base_uf != e->x->base_uf) {
        e->base_uf = e->x->base_uf;
        fault_later_forget(e);
    }
}
