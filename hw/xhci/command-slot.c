/*
 * Commands on slots and contexts (xHCI 1.2 §4.6.3 to §4.6.7, §4.6.11).
 *
 *  1. The Input Context is read once, checked in full, and never written.
 *  2. A command that fails changes nothing: not the Output Context, not a
 *     running endpoint, not the bandwidth in use (§4.6.6).
 *  3. The slot state decides first (§4.5.3, Context State Error), then the
 *     control flags, then the contexts (Parameter Error), then bandwidth.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* An Input Context: control words, then contexts by index (§6.2.5). */
typedef struct {
    uint32_t drop;
    uint32_t add;
    uint32_t information; /* INPUT_CONFIGURATION and so on */
    uint32_t slot[IXHCI_CONTEXT_WORDS];
    uint32_t eps[IXHCI_MAX_DCI + 1][IXHCI_CONTEXT_WORDS]; /* by DCI */
} input_context;

static bool load_context(IxhciState *x, uint64_t gpa, unsigned index,
                         uint32_t *words)
{
    return ixhci_dma_load_words(x, gpa + index * x->context_bytes, words,
                                IXHCI_CONTEXT_WORDS);
}

/* Rule 1: the control words and each context that an Add flag names. */
static bool load_input(IxhciState *x, const ixhci_command *c,
                       input_context *input)
{
    uint64_t gpa = ixhci_trb_pointer(&c->trb) & ~UINT64_C(0xf);
    uint32_t control[IXHCI_CONTEXT_WORDS];
    bool done = ixhci_dma_load_words(x, gpa, control, ARRAY_SIZE(control));

    input->drop = control[0];
    input->add = control[1];
    input->information = control[7];
    if (input->add & 1) {
        done = done && load_context(x, gpa, 1, input->slot);
    }
    for (unsigned dci = 1; done && dci <= IXHCI_MAX_DCI; dci++) {
        if (input->add & (UINT32_C(1) << dci)) {
            done = load_context(x, gpa, dci + 1, input->eps[dci]);
        }
    }
    if (!done) {
        ixhci_power_host_error(x, IXHCI_HSE_CONTEXT);
    }
    return done;
}

static bool state_is(const ixhci_slot *slot, unsigned a, unsigned b)
{
    return slot->state == a || slot->state == b;
}

unsigned ixhci_command_enable_slot(IxhciState *x, ixhci_command *c)
{
    unsigned enabled = xhci_get(x->config, CONFIG_MAXSLOTSEN);

    for (unsigned i = 0; i < MIN(enabled, x->num_slots); i++) {
        if (!x->slots[i].enabled) {
            x->slots[i].slot_id = i + 1;
            x->slots[i].enabled = true;
            x->slots[i].state = SLOT_STATE_ENABLED;
            c->slot_id = i + 1;
            return CC_SUCCESS;
        }
    }
    return CC_NO_SLOTS_AVAILABLE;
}

unsigned ixhci_command_disable_slot(IxhciState *x, ixhci_command *c)
{
    ixhci_slot_disable(ixhci_slot_get(x, c->slot_id));
    return CC_SUCCESS;
}

static bool has_other_slot(IxhciState *x, const ixhci_slot *slot,
                           const USBPort *uport)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        const ixhci_slot *other = &x->slots[i];

        if (other != slot && other->enabled && other->uport == uport) {
            return true;
        }
    }
    return false;
}

/* The Device Context that DCBAA names for the slot (§6.1). */
static bool load_context_gpa(IxhciState *x, const ixhci_slot *slot,
                             uint64_t *gpa)
{
    uint32_t words[2];

    if (!ixhci_dma_load_words(x, x->dcbaap + 8 * slot->slot_id, words,
                              ARRAY_SIZE(words))) {
        ixhci_power_host_error(x, IXHCI_HSE_CONTEXT);
        return false;
    }
    *gpa = (words[0] | (uint64_t)words[1] << 32) & ~UINT64_C(0x3f);
    return true;
}

/* What Address Device gives a slot, before it is known to succeed. */
static unsigned parse_address(IxhciState *x, const ixhci_slot *slot,
                              const input_context *input, ixhci_slot *next,
                              ixhci_ep_config *ep0)
{
    unsigned cc = ixhci_context_parse_slot(&next->cfg, input->slot,
                                           x->num_ports, x->num_intrs);

    if (cc == CC_SUCCESS) {
        cc = ixhci_context_parse_ep(ep0, input->eps[1], 1, next->cfg.speed,
                                    &x->caps);
    }
    if (cc != CC_SUCCESS) {
        return cc;
    }
    if (!ixhci_context_ep0_size_is_legal(next->cfg.speed,
                                         ep0->max_packet_size)) {
        return CC_PARAMETER_ERROR;
    }
    if (next->cfg.tt_hub && !ixhci_slot_tt(x, &next->cfg)) {
        return CC_PARAMETER_ERROR;
    }
    next->uport = ixhci_slot_find_uport(x, &next->cfg);
    if (!next->uport) {
        return CC_USB_TRANSACTION_ERROR;
    }
    return has_other_slot(x, slot, next->uport) ? CC_PARAMETER_ERROR
                                                : CC_SUCCESS;
}

/* xHCI 1.2 §4.5.4.1, §6.2.2.1: contexts of a slot that has been addressed. */
static void store_addressed(IxhciState *x, ixhci_slot *slot,
                            const input_context *input)
{
    ixhci_ep *ep0 = slot->eps[1];

    memcpy(slot->words, input->slot, sizeof(slot->words));
    /* §6.2.2.2: only Configure Endpoint makes a hub */
    slot->words[0] &= ~(SLOT_HUB | SLOT_MTT);
    slot->words[1] = xhci_set(slot->words[1], SLOT_NUM_PORTS, 0);
    slot->words[2] = xhci_set(slot->words[2], SLOT_TTT, 0);
    memcpy(ep0->words, input->eps[1], sizeof(ep0->words));
    ixhci_slot_store(x, slot);
    ixhci_endpoint_set_state(ep0, EP_STATE_RUNNING);
}

unsigned ixhci_command_address_device(IxhciState *x, ixhci_command *c)
{
    ixhci_slot *slot = ixhci_slot_get(x, c->slot_id);
    bool bsr = c->trb.dw[3] & TRB_BSR;
    ixhci_slot before = *slot, next = *slot;
    ixhci_ep_config ep0;
    input_context input;
    unsigned cc;

    if (slot->state != SLOT_STATE_ENABLED &&
        (bsr || slot->state != SLOT_STATE_DEFAULT)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (!load_input(x, c, &input) ||
        !load_context_gpa(x, slot, &next.context_gpa)) {
        return CC_UNDEFINED;
    }
    if (input.drop || input.add != 3) {
        return CC_PARAMETER_ERROR;
    }
    cc = parse_address(x, slot, &input, &next, &ep0);
    if (cc != CC_SUCCESS) {
        return cc;
    }
    *slot = next;
    slot->eps[1] = ixhci_endpoint_new(x, slot, 1, &ep0);
    if (!bsr) {
        cc = ixhci_packet_set_address(x, slot, slot->slot_id);
        if (cc != CC_SUCCESS) {
            ixhci_endpoint_free(slot->eps[1]);
            *slot = before;
            return CC_USB_TRANSACTION_ERROR;
        }
    }
    ixhci_endpoint_free(before.eps[1]);
    slot->state = bsr ? SLOT_STATE_DEFAULT : SLOT_STATE_ADDRESSED;
    slot->address = bsr ? 0 : slot->slot_id;
    store_addressed(x, slot, &input);
    return CC_SUCCESS;
}

/* What the command would change, parsed and not yet done (rule 2). */
typedef struct {
    uint32_t drop;
    uint32_t add;
    ixhci_ep_config eps[IXHCI_MAX_DCI + 1];
} change;

static unsigned parse_change(IxhciState *x, const ixhci_slot *slot,
                             const input_context *input, change *ch)
{
    ch->drop = input->drop & ~UINT32_C(3);
    ch->add = input->add & ~UINT32_C(3);
    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        uint32_t flag = UINT32_C(1) << dci;

        if (!(ch->add & flag)) {
            continue;
        }
        if (slot->eps[dci] && !(ch->drop & flag)) {
            return CC_PARAMETER_ERROR;
        }
        if (ixhci_context_parse_ep(&ch->eps[dci], input->eps[dci], dci,
                                   slot->cfg.speed, &x->caps) != CC_SUCCESS) {
            return CC_PARAMETER_ERROR;
        }
    }
    return CC_SUCCESS;
}

/* The device gives up streams, and prepares for others. */
static bool change_streams(ixhci_slot *slot, const change *ch)
{
    bool done = true;

    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        if (slot->eps[dci] && (ch->drop & (UINT32_C(1) << dci))) {
            ixhci_stream_release(slot->eps[dci]);
        }
    }
    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        if (ch->add & (UINT32_C(1) << dci)) {
            done = done && ixhci_stream_alloc(slot, dci, &ch->eps[dci]);
        }
    }
    return done;
}

static void perform_change(IxhciState *x, ixhci_slot *slot,
                           const input_context *input, const change *ch)
{
    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        uint32_t flag = UINT32_C(1) << dci;

        if ((ch->drop & flag) && slot->eps[dci]) {
            ixhci_endpoint_set_state(slot->eps[dci], EP_STATE_DISABLED);
            ixhci_endpoint_free(slot->eps[dci]);
            slot->eps[dci] = NULL;
        }
        if (ch->add & flag) {
            ixhci_ep *ep = ixhci_endpoint_new(x, slot, dci, &ch->eps[dci]);

            slot->eps[dci] = ep;
            memcpy(ep->words, input->eps[dci], sizeof(ep->words));
            ixhci_endpoint_set_state(ep, EP_STATE_RUNNING);
        }
    }
}

/* xHCI 1.2 §6.2.2.2: Context Entries, and what makes the device a hub. */
static void take_hub_fields(ixhci_slot *slot, const uint32_t *input)
{
    uint32_t hub = SLOT_HUB | SLOT_MTT;

    slot->words[0] = (slot->words[0] & ~hub) | (input[0] & hub);
    slot->words[0] = xhci_set(slot->words[0], SLOT_CONTEXT_ENTRIES,
                              xhci_get(input[0], SLOT_CONTEXT_ENTRIES));
    slot->words[1] = xhci_set(slot->words[1], SLOT_NUM_PORTS,
                              xhci_get(input[1], SLOT_NUM_PORTS));
    slot->words[2] =
        xhci_set(slot->words[2], SLOT_TTT, xhci_get(input[2], SLOT_TTT));
}

static unsigned deconfigure(IxhciState *x, ixhci_slot *slot)
{
    ixhci_slot_drop_endpoints(slot);
    slot->words[0] = xhci_set(slot->words[0], SLOT_CONTEXT_ENTRIES, 1);
    slot->state = SLOT_STATE_ADDRESSED;
    ixhci_slot_store(x, slot);
    return CC_SUCCESS;
}

/* xHCI 1.2 §4.23.5.2: a link that wakes too late for a periodic endpoint. */
static bool is_too_late(const ixhci_ep_config *ep, uint32_t latency_us)
{
    return ixhci_ep_is_periodic(ep->type) &&
           latency_us > (UINT32_C(125) << ep->interval);
}

static bool latency_fits(const ixhci_slot *slot, uint32_t latency_us)
{
    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        if (slot->eps[dci] && is_too_late(&slot->eps[dci]->cfg, latency_us)) {
            return false;
        }
    }
    return true;
}

/* xHCI 1.2 §4.23.5.2.2: the endpoints that are added, if CME says so. */
static bool added_latency_fits(IxhciState *x, const ixhci_slot *slot,
                               const change *ch)
{
    uint32_t latency_us = xhci_get(slot->words[1], SLOT_MAX_EXIT_LATENCY);

    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        if ((x->usbcmd & USBCMD_CME) && (ch->add & (UINT32_C(1) << dci)) &&
            is_too_late(&ch->eps[dci], latency_us)) {
            return false;
        }
    }
    return true;
}

/* xHCI 1.2 §6.2.5.1: with CIE the driver says what it configures. */
static void trace_information(IxhciState *x, const ixhci_slot *slot,
                              uint32_t information)
{
    if (x->config & CONFIG_CIE) {
        trace_ixhci_configuration(slot->slot_id,
                                  xhci_get(information, INPUT_CONFIGURATION),
                                  xhci_get(information, INPUT_INTERFACE),
                                  xhci_get(information, INPUT_ALTERNATE));
    }
}

unsigned ixhci_command_configure_endpoint(IxhciState *x, ixhci_command *c)
{
    ixhci_slot *slot = ixhci_slot_get(x, c->slot_id);
    input_context input;
    change ch;
    unsigned cc;

    if (!state_is(slot, SLOT_STATE_ADDRESSED, SLOT_STATE_CONFIGURED)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (c->trb.dw[3] & TRB_DC) {
        return deconfigure(x, slot);
    }
    if (!load_input(x, c, &input)) {
        return CC_UNDEFINED;
    }
    /* xHCI 1.2 §6.2.5.1: A0 is set; A1, D0 and D1 are clear */
    if ((input.add & 3) != 1 || (input.drop & 3)) {
        return CC_TRB_ERROR;
    }
    cc = parse_change(x, slot, &input, &ch);
    if (cc != CC_SUCCESS) {
        return cc;
    }
    if (!added_latency_fits(x, slot, &ch)) {
        return CC_MAX_EXIT_LATENCY_TOO_LARGE;
    }
    cc = ixhci_command_judge_bandwidth(x, slot, ch.drop, ch.add, ch.eps);
    if (cc != CC_SUCCESS) {
        return cc;
    }
    if (!change_streams(slot, &ch)) {
        return CC_RESOURCE_ERROR;
    }
    perform_change(x, slot, &input, &ch);
    trace_information(x, slot, input.information);
    take_hub_fields(slot, input.slot);
    slot->state = SLOT_STATE_CONFIGURED;
    ixhci_slot_store(x, slot);
    return CC_SUCCESS;
}

/* xHCI 1.2 §4.6.7, §6.2.2.3, §6.2.3.3: three fields, and no other. */
unsigned ixhci_command_evaluate_context(IxhciState *x, ixhci_command *c)
{
    ixhci_slot *slot = ixhci_slot_get(x, c->slot_id);
    uint32_t size, intr;
    input_context input;

    if (slot->state == SLOT_STATE_ENABLED) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (!load_input(x, c, &input)) {
        return CC_UNDEFINED;
    }
    size = xhci_get(input.eps[1][1], EP_MAX_PACKET_SIZE);
    intr = xhci_get(input.slot[2], SLOT_INTR);
    if ((input.add & 1) && intr >= x->num_intrs) {
        return CC_PARAMETER_ERROR;
    }
    if ((input.add & 2) &&
        !ixhci_context_ep0_size_is_legal(slot->cfg.speed, size)) {
        return CC_PARAMETER_ERROR;
    }
    if ((input.add & 1) &&
        !latency_fits(slot, xhci_get(input.slot[1], SLOT_MAX_EXIT_LATENCY))) {
        return CC_MAX_EXIT_LATENCY_TOO_LARGE;
    }
    if (input.add & 1) {
        slot->cfg.intr = intr;
        slot->words[1] =
            xhci_set(slot->words[1], SLOT_MAX_EXIT_LATENCY,
                     xhci_get(input.slot[1], SLOT_MAX_EXIT_LATENCY));
        slot->words[2] = xhci_set(slot->words[2], SLOT_INTR, intr);
        ixhci_slot_store(x, slot);
    }
    if (input.add & 2) {
        ixhci_ep *ep0 = slot->eps[1];

        ep0->cfg.max_packet_size = size;
        ep0->words[1] = xhci_set(ep0->words[1], EP_MAX_PACKET_SIZE, size);
        ixhci_endpoint_store(ep0);
    }
    return CC_SUCCESS;
}

unsigned ixhci_command_reset_device(IxhciState *x, ixhci_command *c)
{
    ixhci_slot *slot = ixhci_slot_get(x, c->slot_id);

    if (!state_is(slot, SLOT_STATE_ADDRESSED, SLOT_STATE_CONFIGURED)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    ixhci_slot_drop_endpoints(slot);
    slot->words[0] = xhci_set(slot->words[0], SLOT_CONTEXT_ENTRIES, 1);
    slot->state = SLOT_STATE_DEFAULT;
    slot->address = 0;
    ixhci_slot_store(x, slot);
    return CC_SUCCESS;
}
