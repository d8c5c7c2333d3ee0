/*
 * Context parsing. The rules are in context.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "context.h"

/* Bursts that TBC can count where it has 5 bits (§6.4.1.3). */
#define MAX_BURSTS 32

/* xHCI 1.2 §6.2.3, Table 6-12: legal values of Interval by speed. */
typedef struct {
    uint8_t first;
    uint8_t last;
} interval_range;

static bool is_isoch(unsigned type)
{
    return type == EP_TYPE_ISOCH_IN || type == EP_TYPE_ISOCH_OUT;
}

static bool is_interrupt(unsigned type)
{
    return type == EP_TYPE_INTERRUPT_IN || type == EP_TYPE_INTERRUPT_OUT;
}

static interval_range legal_interval(unsigned type, unsigned speed)
{
    if (speed != SPEED_FULL && speed != SPEED_LOW) {
        return (interval_range){ 0, 15 };
    }
    return is_isoch(type) ? (interval_range){ 3, 18 }
                          : (interval_range){ 3, 10 };
}

/*
 * xHCI 1.2 §4.5.1: even DCIs are OUT, odd ones IN, DCI 1 is control. No USB
 * device class has a second control endpoint, and QEMU's core knows none.
 */
static bool type_fits_dci(unsigned type, unsigned dci)
{
    if (type == EP_TYPE_INVALID) {
        return false;
    }
    if (dci == 1 || type == EP_TYPE_CONTROL) {
        return dci == 1 && type == EP_TYPE_CONTROL;
    }
    return !!(type & 4) == !!(dci & 1);
}

/* USB 2.0 §5.5.3, §5.6.3, §5.7.3, §5.8.3; USB 3.2 §8.12: packet sizes. */
static unsigned largest_packet(unsigned type, unsigned speed)
{
    switch (speed) {
    case SPEED_LOW:
        return 8;
    case SPEED_FULL:
        return is_isoch(type) ? 1023 : 64;
    default:
        return 1024;
    }
}

bool ixhci_context_ep0_size_is_legal(unsigned speed, unsigned bytes)
{
    switch (speed) {
    case SPEED_LOW:
        return bytes == 8;
    case SPEED_FULL:
        return bytes == 8 || bytes == 16 || bytes == 32 || bytes == 64;
    case SPEED_HIGH:
        return bytes == 64;
    default:
        return bytes == 512;
    }
}

/*
 * Max Burst counts only where the speed has it: additional transactions of a
 * high-speed periodic endpoint (§6.2.3.4), packets of a burst at SuperSpeed.
 */
static bool parse_burst(ixhci_ep_config *out, const uint32_t *words,
                        unsigned speed)
{
    unsigned burst = xhci_get(words[1], EP_MAX_BURST);
    bool periodic = is_isoch(out->type) || is_interrupt(out->type);

    if (speed >= SPEED_SUPER) {
        out->max_burst = (uint8_t)burst;
        return burst <= 15;
    }
    if (speed == SPEED_HIGH && periodic) {
        out->max_burst = (uint8_t)burst;
        return burst <= 2;
    }
    return true;
}

static bool parse_interval(ixhci_ep_config *out, const uint32_t *words,
                           unsigned speed)
{
    unsigned interval = xhci_get(words[0], EP_INTERVAL);
    interval_range legal = legal_interval(out->type, speed);

    if (!is_isoch(out->type) && !is_interrupt(out->type)) {
        return true;
    }
    out->interval = (uint8_t)interval;
    return interval >= legal.first && interval <= legal.last;
}

static uint32_t burst_bytes(const ixhci_ep_config *ep)
{
    return (uint32_t)ep->max_packet_size * (ep->max_burst + 1u);
}

/*
 * xHCI 1.2 §6.2.3, Mult: more bursts than one are a matter of SuperSpeed
 * isochronous endpoints. Without LEC software says how many, 3 at most, which
 * makes 48 KiB; with LEC they follow from the payload.
 */
static bool parse_mult(ixhci_ep_config *out, const uint32_t *words,
                       uint32_t payload, unsigned speed, const ixhci_caps *caps)
{
    uint32_t mult = xhci_get(words[0], EP_MULT), most = 2;

    if (speed < SPEED_SUPER || !is_isoch(out->type)) {
        return true;
    }
    if (caps->hcc2 & HCC2_LEC) {
        most = MAX_BURSTS - 1;
        mult =
            payload && burst_bytes(out) ? (payload - 1) / burst_bytes(out) : 0;
    }
    out->mult = (uint8_t)mult;
    return mult <= most;
}

/* xHCI 1.2 §6.2.3.8: with LEC the payload has 24 bits. */
static uint32_t payload_of(const uint32_t *words, const ixhci_caps *caps)
{
    uint32_t payload = xhci_get(words[4], EP_MAX_ESIT_PAYLOAD_LO);

    if (caps->hcc2 & HCC2_LEC) {
        payload |= xhci_get(words[0], EP_MAX_ESIT_PAYLOAD_HI) << 16;
    }
    return payload;
}

/* Rule 3: 0 means what one service interval can carry. */
static bool parse_payload(ixhci_ep_config *out, const uint32_t *words,
                          unsigned speed, const ixhci_caps *caps)
{
    uint32_t payload = payload_of(words, caps), most;

    if (!parse_mult(out, words, payload, speed, caps)) {
        return false;
    }
    most = burst_bytes(out) * (out->mult + 1u);

    if (is_isoch(out->type) && payload > most) {
        return false;
    }
    out->max_esit_payload = payload && payload <= most ? payload : most;
    return true;
}

/* xHCI 1.2 §6.2.3, MaxPStreams: of SuperSpeed bulk endpoints, and no more than
 * MaxPSASize allows. */
static bool parse_streams(ixhci_ep_config *out, const uint32_t *words,
                          unsigned speed, const ixhci_caps *caps)
{
    unsigned max = xhci_get(words[0], EP_MAX_PSTREAMS);
    bool is_bulk =
        out->type == EP_TYPE_BULK_IN || out->type == EP_TYPE_BULK_OUT;

    out->max_pstreams = (uint8_t)max;
    out->lsa = words[0] & EP_LSA;
    return max == 0 || (is_bulk && speed >= SPEED_SUPER &&
                        max <= xhci_get(caps->hcc1, HCC1_MAXPSASIZE));
}

unsigned ixhci_context_parse_ep(ixhci_ep_config *out, const uint32_t *words,
                                unsigned dci, unsigned speed,
                                const ixhci_caps *caps)
{
    *out = (ixhci_ep_config){
        .type = (uint8_t)xhci_get(words[1], EP_TYPE),
        .max_packet_size = (uint16_t)xhci_get(words[1], EP_MAX_PACKET_SIZE),
        .cerr = (uint8_t)xhci_get(words[1], EP_CERR),
        .dequeue = (words[2] & ~UINT32_C(0xe)) | (uint64_t)words[3] << 32,
    };
    if (!type_fits_dci(out->type, dci) ||
        out->max_packet_size > largest_packet(out->type, speed) ||
        (out->max_packet_size == 0 && !is_isoch(out->type)) ||
        !parse_interval(out, words, speed) || !parse_burst(out, words, speed) ||
        !parse_payload(out, words, speed, caps) ||
        !parse_streams(out, words, speed, caps) ||
        (out->dequeue & ~UINT64_C(1)) == 0) {
        return CC_PARAMETER_ERROR;
    }
    return CC_SUCCESS;
}

unsigned ixhci_context_parse_slot(ixhci_slot_config *out, const uint32_t *words,
                                  unsigned ports, unsigned intrs)
{
    *out = (ixhci_slot_config){
        .route = xhci_get(words[0], SLOT_ROUTE),
        .speed = (uint8_t)xhci_get(words[0], SLOT_SPEED),
        .entries = (uint8_t)xhci_get(words[0], SLOT_CONTEXT_ENTRIES),
        .root_port = (uint8_t)xhci_get(words[1], SLOT_ROOT_PORT),
        .intr = (uint16_t)xhci_get(words[2], SLOT_INTR),
    };
    if (out->root_port < 1 || out->root_port > ports || out->entries < 1 ||
        out->speed < SPEED_FULL || out->speed > SPEED_SUPER ||
        out->intr >= intrs) {
        return CC_PARAMETER_ERROR;
    }
    if (out->speed == SPEED_FULL || out->speed == SPEED_LOW) {
        out->tt_hub = (uint8_t)xhci_get(words[2], SLOT_TT_HUB);
        out->tt_port = (uint8_t)xhci_get(words[2], SLOT_TT_PORT);
    }
    return CC_SUCCESS;
}

unsigned ixhci_context_hub_port(uint32_t route, unsigned tier)
{
    return route >> (4 * tier) & 0xf;
}

unsigned ixhci_context_tiers(uint32_t route)
{
    unsigned tiers = 0;

    while (tiers < IXHCI_MAX_TIERS && ixhci_context_hub_port(route, tiers)) {
        tiers++;
    }
    return tiers;
}

/* USB 3.2 §8.9: a Route String says 15 for port 15 and all above it. */
bool ixhci_context_tt_is_legal(const ixhci_slot_config *dev,
                               const ixhci_slot_config *hub)
{
    unsigned tiers = ixhci_context_tiers(hub->route);
    uint32_t above = (UINT32_C(1) << (4 * tiers)) - 1;

    return hub->speed == SPEED_HIGH && hub->root_port == dev->root_port &&
           (dev->route & above) == (hub->route & above) &&
           ixhci_context_tiers(dev->route) > tiers &&
           ixhci_context_hub_port(dev->route, tiers) ==
               (dev->tt_port < 15 ? dev->tt_port : 15);
}
