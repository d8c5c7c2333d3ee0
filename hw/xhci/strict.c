/*
 * strict=on: what a driver does that the specification does not allow, said
 * with the section that says so. A lint for people who write drivers.
 *
 *  1. Nothing here changes what the controller does: it answers a mistake in
 *     the way that the specification gives, strict or not.
 *  2. A report names a rule of the table, where it was broken, and the words
 *     that were found. Only what the text forbids in so many words is a rule.
 *  3. Each rule is said REPORTS_EACH times, and then counted only: a mistake
 *     in a stream is made 8000 times a second.
 *  4. Reports go to standard error as QEMU's warnings do, and are kept for the
 *     properties strict-log and strict-count.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

#include "isoch.h"
#include "stream-context.h"
#include "qemu/error-report.h"

#define REPORTS_EACH 8

typedef struct {
    const char *section;
    const char *text;
} rule_row;

enum {
    DOORBELL_HALTED,
    DOORBELL_COMMAND_TARGET,
    DOORBELL_TARGET,
    DOORBELL_SLOT,
    DOORBELL_ENDPOINT,
    DOORBELL_STATE,
    DOORBELL_STREAM,
    DOORBELL_NO_STREAM,
    DOORBELL_RESERVED,
    COMMAND_RESERVED,
    TRB_RESERVED,
    TRB_BOUNDARY,
    TRB_INTERRUPTER,
    TD_PAYLOAD,
    TD_BURSTS,
    TD_FRAME_ID,
    REGISTER_NARROW,
    REGISTER_HCRST,
    REGISTER_CONFIG,
    REGISTER_CRCR,
    RULES,
};

static const rule_row rules[RULES] = {
    [DOORBELL_HALTED] = { "5.6", "a doorbell is rung while HCH is 1" },
    [DOORBELL_COMMAND_TARGET] = { "5.6", "doorbell 0 has a DB Target but 0" },
    [DOORBELL_TARGET] = { "5.6", "a DB Target is not 1 to 31" },
    [DOORBELL_SLOT] = { "4.7", "the slot of a doorbell is not enabled" },
    [DOORBELL_ENDPOINT] = { "4.7", "the endpoint of a doorbell is Disabled" },
    [DOORBELL_STATE] = { "4.8.3",
                         "the endpoint of a doorbell is Halted or in Error" },
    [DOORBELL_STREAM] = { "4.12", "a doorbell has no Stream ID that can be" },
    [DOORBELL_NO_STREAM] = { "5.6", "a doorbell has a Stream ID, and its "
                                    "endpoint no streams" },
    [DOORBELL_RESERVED] = { "5.6", "reserved bits of a doorbell are set" },
    [COMMAND_RESERVED] = { "6.4.3", "reserved bits of a Command TRB are set" },
    [TRB_RESERVED] = { "6.4.1", "reserved bits of a Transfer TRB are set" },
    [TRB_BOUNDARY] = { "6.4.1", "a TRB's data buffer crosses 64 KiB" },
    [TRB_INTERRUPTER] = { "6.4.1", "there is no such Interrupter Target" },
    [TD_PAYLOAD] = { "4.14.2.1", "a TD is larger than Max ESIT Payload" },
    [TD_BURSTS] = { "4.11.2.3", "TBC or TLBPC do not fit the TD's length" },
    [TD_FRAME_ID] = { "4.11.2.5",
                      "a Frame ID is not in the Valid Frame Window" },
    [REGISTER_NARROW] = { "5.1", "a register is not written by the dword" },
    [REGISTER_HCRST] = { "5.4.1", "HCRST is set while HCH is 0" },
    [REGISTER_CONFIG] = { "5.4.7", "MaxSlotsEn is changed while R/S is 1" },
    [REGISTER_CRCR] = { "5.4.5", "the Command Ring Pointer is written while "
                                 "CRR is 1" },
};

static void report(IxhciState *x, unsigned rule, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void report(IxhciState *x, unsigned rule, const char *format, ...)
{
    g_autofree char *where = NULL;
    g_autofree char *line = NULL;
    va_list ap;

    x->strict_count++;
    if (x->strict_said[rule]++ >= REPORTS_EACH) {
        return; /* rule 3 */
    }
    va_start(ap, format);
    where = g_strdup_vprintf(format, ap);
    va_end(ap);
    line = g_strdup_printf(
        "xHCI %s: %s: %s%s", rules[rule].section, rules[rule].text, where,
        x->strict_said[rule] == REPORTS_EACH ? " (from now on counted only)"
                                             : "");
    warn_report("ixhci: %s", line);
    trace_ixhci_strict(line);
    g_string_append_printf(x->strict_log, "%s\n", line);
}

void ixhci_strict_init(IxhciState *x)
{
    QEMU_BUILD_BUG_ON(RULES > IXHCI_STRICT_RULES);
    x->strict_log = g_string_new(NULL);
}

void ixhci_strict_exit(IxhciState *x)
{
    g_string_free(x->strict_log, true);
}

static unsigned endpoint_rule(const ixhci_ep *ep, unsigned stream_id)
{
    if (ep->state == EP_STATE_HALTED || ep->state == EP_STATE_ERROR) {
        return DOORBELL_STATE;
    }
    if (!ep->cfg.max_pstreams) {
        return stream_id ? DOORBELL_NO_STREAM : RULES;
    }
    return stream_id % ixhci_stream_primaries(ep->cfg.max_pstreams) == 0
               ? DOORBELL_STREAM
               : RULES;
}

static unsigned doorbell_rule(IxhciState *x, unsigned index, uint32_t value)
{
    unsigned target = xhci_get(value, DB_TARGET);
    ixhci_slot *slot = index ? ixhci_slot_get(x, index) : NULL;

    if (!ixhci_is_running(x)) {
        return DOORBELL_HALTED;
    }
    if (index == 0) {
        return target ? DOORBELL_COMMAND_TARGET : RULES;
    }
    if (target < 1 || target > IXHCI_MAX_DCI) {
        return DOORBELL_TARGET;
    }
    if (!slot) {
        return DOORBELL_SLOT;
    }
    if (!slot->eps[target]) {
        return DOORBELL_ENDPOINT;
    }
    return endpoint_rule(slot->eps[target], xhci_get(value, DB_STREAM_ID));
}

void ixhci_strict_doorbell(IxhciState *x, unsigned index, uint32_t value)
{
    unsigned rule = doorbell_rule(x, index, value);

    if (rule != RULES) {
        report(x, rule, "doorbell %u, DB Target %u", index,
               xhci_get(value, DB_TARGET));
    }
    if (value & 0xff00) {
        report(x, DOORBELL_RESERVED, "doorbell %u, value %08x", index, value);
    }
}

/* Bits that a TRB may have set, by type (xHCI 1.2 §6.4.1, §6.4.3, §6.4.4). */
typedef struct {
    uint8_t type;
    uint32_t dw[4];
} trb_row;

#define ALL UINT32_MAX
#define ADDRESS16 0xfffffff0u
#define SLOT 0xff000000u
#define EP 0x001f0000u
#define BASE (0x0000fc00u | TRB_C)
#define INTR 0xffc00000u

static const trb_row command_trbs[] = {
    { CMD_ENABLE_SLOT, { 0, 0, 0, BASE | EP } }, /* Slot Type */
    { CMD_DISABLE_SLOT, { 0, 0, 0, BASE | SLOT } },
    { CMD_ADDRESS_DEVICE, { ADDRESS16, ALL, 0, BASE | SLOT | TRB_BSR } },
    { CMD_CONFIGURE_ENDPOINT, { ADDRESS16, ALL, 0, BASE | SLOT | TRB_DC } },
    { CMD_EVALUATE_CONTEXT, { ADDRESS16, ALL, 0, BASE | SLOT | TRB_BSR } },
    { CMD_RESET_ENDPOINT, { 0, 0, 0, BASE | SLOT | EP | TRB_TSP } },
    { CMD_STOP_ENDPOINT, { 0, 0, 0, BASE | SLOT | EP | TRB_SP } },
    { CMD_SET_TR_DEQUEUE, { ALL, ALL, 0xffff0000u, BASE | SLOT | EP } },
    { CMD_RESET_DEVICE, { 0, 0, 0, BASE | SLOT } },
    { CMD_NOOP, { 0, 0, 0, BASE } },
};

static const trb_row transfer_trbs[] = {
    { TRB_NORMAL, { ALL, ALL, ALL, BASE | 0x27e } },
    { TRB_SETUP_STAGE, { ALL, ALL, INTR | 0x1ffff, BASE | 0x30060 } },
    { TRB_DATA_STAGE, { ALL, ALL, ALL, BASE | 0x1007e } },
    { TRB_STATUS_STAGE, { 0, 0, INTR, BASE | 0x10032 } },
    { TRB_ISOCH, { ALL, ALL, ALL, ALL } },
    { TRB_LINK, { ADDRESS16, ALL, INTR, BASE | 0x32 } },
    { TRB_EVENT_DATA, { ALL, ALL, INTR, BASE | 0x232 } },
    { TRB_NOOP, { 0, 0, INTR, BASE | 0x32 } },
};

static bool has_reserved(const trb_row *rows, size_t count, const xhci_trb *trb)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type != xhci_get(trb->dw[3], TRB_TYPE)) {
            continue;
        }
        for (unsigned k = 0; k < ARRAY_SIZE(trb->dw); k++) {
            if (trb->dw[k] & ~rows[i].dw[k]) {
                return true;
            }
        }
    }
    return false;
}

static void report_trb(IxhciState *x, unsigned rule, const ixhci_ep *ep,
                       uint64_t gpa, const xhci_trb *trb)
{
    report(x, rule, "slot %u DCI %u TRB %" PRIx64 ": %08x %08x %08x %08x",
           ep->slot->slot_id, ep->dci, gpa, trb->dw[0], trb->dw[1], trb->dw[2],
           trb->dw[3]);
}

void ixhci_strict_command(IxhciState *x, const xhci_trb *trb, uint64_t gpa)
{
    if (has_reserved(command_trbs, ARRAY_SIZE(command_trbs), trb)) {
        report(x, COMMAND_RESERVED, "TRB %" PRIx64 ": %08x %08x %08x %08x", gpa,
               trb->dw[0], trb->dw[1], trb->dw[2], trb->dw[3]);
    }
}

static void check_trb(ixhci_ep *ep, const ixhci_td_trb *at)
{
    IxhciState *x = ep->x;
    const xhci_trb *trb = &at->trb;
    uint32_t bytes = ixhci_td_trb_bytes(trb);
    uint64_t buffer = ixhci_trb_pointer(trb);

    if (has_reserved(transfer_trbs, ARRAY_SIZE(transfer_trbs), trb)) {
        report_trb(x, TRB_RESERVED, ep, at->gpa, trb);
    }
    if (bytes && !(trb->dw[3] & TRB_IDT) &&
        buffer >> 16 != (buffer + bytes - 1) >> 16) {
        report_trb(x, TRB_BOUNDARY, ep, at->gpa, trb);
    }
    if (xhci_get(trb->dw[2], TRB_INTR) >= x->num_intrs) {
        report_trb(x, TRB_INTERRUPTER, ep, at->gpa, trb);
    }
}

void ixhci_strict_td(ixhci_ep *ep)
{
    const ixhci_td *td = &ep->td;
    IxhciState *x = ep->x;

    for (unsigned i = 0; i < td->count; i++) {
        check_trb(ep, &td->trbs[i]);
    }
    if (!ixhci_ep_is_isoch(ep->cfg.type) || !td->count) {
        return;
    }
    if (td->bytes > ep->cfg.max_esit_payload) {
        report_trb(x, TD_PAYLOAD, ep, td->trbs[0].gpa, &td->trbs[0].trb);
    } else if (!ixhci_isoch_says_bursts(&ep->cfg, td, x->usbcmd & USBCMD_ETE)) {
        report_trb(x, TD_BURSTS, ep, td->trbs[0].gpa, &td->trbs[0].trb);
    }
}

void ixhci_strict_frame_id(ixhci_ep *ep, uint64_t uf)
{
    unsigned frame = ixhci_sched_frame(&ep->flow, uf);

    if (!ep->td.sia &&
        ((ep->td.frame_id - frame) & 0x7ff) > IXHCI_FRAME_WINDOW) {
        report(ep->x, TD_FRAME_ID,
               "slot %u DCI %u TRB %" PRIx64 ": Frame ID %u in frame %u",
               ep->slot->slot_id, ep->dci, ep->td.start.dequeue_gpa,
               ep->td.frame_id, frame);
    }
}

void ixhci_strict_narrow(IxhciState *x, uint64_t offset, unsigned bytes)
{
    report(x, REGISTER_NARROW, "%u bytes at %" PRIx64, bytes, offset);
}

/* A dword of the operational registers, before it is written. */
void ixhci_strict_op(IxhciState *x, unsigned offset, uint32_t value)
{
    bool runs = x->usbcmd & USBCMD_RS;

    if (offset == XHCI_USBCMD && (value & USBCMD_HCRST) &&
        !(x->usbsts & USBSTS_HCH)) {
        report(x, REGISTER_HCRST, "USBSTS is %08x", x->usbsts);
    }
    if (offset == XHCI_CONFIG && runs &&
        xhci_get(value, CONFIG_MAXSLOTSEN) !=
            xhci_get(x->config, CONFIG_MAXSLOTSEN)) {
        report(x, REGISTER_CONFIG, "from %08x to %08x", x->config, value);
    }
    if (offset == XHCI_CRCR_LO && x->crr && (value & ~0x3fu)) {
        report(x, REGISTER_CRCR, "%08x", value);
    }
}

static char *get_log(Object *obj, Error **errp)
{
    return g_strdup(IXHCI(obj)->strict_log ? IXHCI(obj)->strict_log->str : "");
}

void ixhci_strict_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "strict-log", get_log, NULL);
    object_class_property_set_description(
        klass, "strict-log", "what strict=on has reported, a line each");
}
