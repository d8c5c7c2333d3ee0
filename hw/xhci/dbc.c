/*
 * The Debug Capability: a serial line through a USB cable, that software can
 * use before and without an xHCI driver (xHCI 1.2 §7.6).
 *
 *  1. The controller is the device here: a debug host, another machine, is at
 *     the other end of a cable in one of the USB3 root ports, enumerates it and
 *     moves data through two bulk pipes. `dbc=ID` names the chardev that stands
 *     for what a program at the host reads and writes there, and gives the last
 *     USB3 root port to it. Without it there is no such capability.
 *  2. The cable is plugged while the chardev is open. The debug host is a row
 *     of steps with a time each (virtual clock): it sees the connection, resets
 *     the port, reads descriptors, sets a configuration. A port state is
 *     entered by one function, which sets all bits.
 *  3. The Debug Capability has registers, an event ring and endpoints of its
 *     own. Run, stop, reset and errors of the controller do not touch it; only
 *     a chip reset does. It interrupts nobody: its driver polls.
 *  4. The event ring is one more ring of event.c. Events name it by a number
 *     that no TRB and no context can say.
 *  5. Memory that cannot be accessed ends it: DCE is 0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* Offsets in words, from the header (§7.6.8). */
enum {
    DCID,
    DCDB,
    DCERSTSZ,
    DCERSTBA_LO = 4,
    DCERSTBA_HI,
    DCERDP_LO,
    DCERDP_HI,
    DCCTRL,
    DCST,
    DCPORTSC,
    DCCP_LO = 12,
    DCCP_HI,
    DCDDI1,
    DCDDI2,
};

#define CHANGES (PORTSC_CSC | PORTSC_PRC | PORTSC_PLC | PORTSC_CEC)
#define DEVICE_ADDRESS 1
#define INFO_WORDS 16
#define STRINGS 3
#define STRING_BYTES_MAX 254

/* Rule 2: what the debug host does next, and how long that takes. */
typedef struct {
    uint8_t to;
    uint16_t after_uf;
} host_step;

static const host_step host_steps[IXHCI_DBC_STATES] = {
    [IXHCI_DBC_DISCONNECTED] = { IXHCI_DBC_ATTACHED, 8 },
    [IXHCI_DBC_ATTACHED] = { IXHCI_DBC_RESETTING, 8 },
    [IXHCI_DBC_RESETTING] = { IXHCI_DBC_ENABLED, 80 }, /* USB 3.2 §7.5.12 */
    [IXHCI_DBC_ENABLED] = { IXHCI_DBC_CONFIGURED, 8 },
};

/* Rule 2: DCPORTSC in each state, but for its change bits (§7.6.4). */
static const struct {
    uint32_t bits;
    uint8_t pls;
    uint8_t speed;
} ports[IXHCI_DBC_STATES] = {
    [IXHCI_DBC_OFF] = { 0, PLS_RX_DETECT, 0 },
    [IXHCI_DBC_DISABLED] = { 0, PLS_DISABLED, 0 },
    [IXHCI_DBC_DISCONNECTED] = { 0, PLS_RX_DETECT, 0 },
    [IXHCI_DBC_ATTACHED] = { PORTSC_CCS | PORTSC_PED, PLS_U0, SPEED_SUPER },
    [IXHCI_DBC_RESETTING] = { PORTSC_CCS | PORTSC_PR, PLS_HOT_RESET,
                              SPEED_SUPER },
    [IXHCI_DBC_ENABLED] = { PORTSC_CCS | PORTSC_PED, PLS_U0, SPEED_SUPER },
    [IXHCI_DBC_CONFIGURED] = { PORTSC_CCS | PORTSC_PED, PLS_U0, SPEED_SUPER },
};

static bool is_plugged(ixhci_dbc *dbc)
{
    return qemu_chr_fe_backend_open(&dbc->chr);
}

/* xHCI 1.2 §7.6.8.6: an event when the first of the change bits is set. */
static void change(IxhciState *x, uint32_t bits)
{
    ixhci_event event = { .intr = IXHCI_EVENT_DBC };
    bool first = bits && !(x->dbc.portsc & CHANGES);

    x->dbc.portsc |= bits;
    if (first) {
        event.trb.dw[0] = xhci_set(0, EVT_PORT_ID, x->num_ports);
        event.trb.dw[2] = xhci_set(0, EVT_CC, CC_SUCCESS);
        event.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_PORT_STATUS_CHANGE);
        x->event->post(x, &event);
    }
}

/* Rule 2. */
static void enter(IxhciState *x, ixhci_dbc_state to)
{
    ixhci_dbc *dbc = &x->dbc;
    ixhci_dbc_state from = dbc->state;
    uint32_t before = dbc->portsc;
    uint32_t bits = ports[to].bits | (before & CHANGES);
    uint32_t changed = (before ^ bits) & PORTSC_CCS ? PORTSC_CSC : 0;

    trace_ixhci_dbc_state(from, to);
    bits = xhci_set(bits, PORTSC_PLS, ports[to].pls);
    dbc->portsc = xhci_set(bits, PORTSC_SPEED, ports[to].speed);
    dbc->state = to;
    dbc->next_uf = IXHCI_UF_NEVER;
    if (from == IXHCI_DBC_CONFIGURED) {
        ixhci_dbc_close(x);
        dbc->ctrl |= DCCTRL_DRC;
    }
    if (host_steps[to].to && is_plugged(dbc)) {
        dbc->next_uf = ixhci_now_uf() + host_steps[to].after_uf;
    }
    change(x, changed | (from == IXHCI_DBC_RESETTING && to == IXHCI_DBC_ENABLED
                             ? PORTSC_PRC
                             : 0));
    ixhci_service_arm(x);
}

static void switch_off(IxhciState *x)
{
    ixhci_event_close(x, IXHCI_DBC_RING);
    enter(x, IXHCI_DBC_OFF);
    x->dbc.ctrl = 0;
    x->dbc.portsc &= ~CHANGES;
}

/* Rule 5. */
void ixhci_dbc_error(IxhciState *x, const char *what)
{
    trace_ixhci_dbc_error(what);
    qemu_log_mask(LOG_GUEST_ERROR, "ixhci: Debug Capability: %s\n", what);
    switch_off(x);
}

/* One of the strings that the DbC Info Context points to (§7.6.9.1). */
static char *load_string(IxhciState *x, const uint32_t *info, unsigned i)
{
    uint64_t gpa = info[2 * i] | (uint64_t)info[2 * i + 1] << 32;
    unsigned bytes = MIN(info[8] >> (8 * i) & 0xff, STRING_BYTES_MAX);
    gunichar2 units[STRING_BYTES_MAX / 2];
    uint8_t raw[STRING_BYTES_MAX];
    glong count = (long)bytes / 2 - 1; /* without bLength and its type */
    g_autofree char *text = NULL;

    if (count < 1 || !x->dma->load(x, gpa, raw, bytes)) {
        return g_strdup("");
    }
    for (glong k = 0; k < count; k++) {
        units[k] = lduw_le_p(raw + 2 + 2 * k);
    }
    text = g_utf16_to_utf8(units, count, NULL, NULL, NULL);
    return g_strescape(text ? text : "?", NULL);
}

/* What a debug host would list of it: `qom-get ... dbc-device`. */
static void describe(IxhciState *x, const uint32_t *info)
{
    ixhci_dbc *dbc = &x->dbc;
    g_autofree char *manufacturer = load_string(x, info, 1);
    g_autofree char *product = load_string(x, info, 2);
    g_autofree char *serial = load_string(x, info, 3);

    g_free(dbc->device);
    dbc->device = g_strdup_printf(
        "%04x:%04x release %04x protocol %02x \"%s\" \"%s\" \"%s\"",
        dbc->ddi[0] >> 16, dbc->ddi[1] & 0xffff, dbc->ddi[1] >> 16,
        dbc->ddi[0] & 0xff, manufacturer, product, serial);
}

/* The host has the descriptors, and sets the configuration. */
static void configure(IxhciState *x)
{
    uint32_t info[INFO_WORDS];

    if (!ixhci_dma_load_words(x, x->dbc.dccp, info, INFO_WORDS) ||
        !ixhci_dbc_open(x)) {
        ixhci_dbc_error(x, "its contexts are not accessible, or no bulk pipes");
        return;
    }
    describe(x, info);
    enter(x, IXHCI_DBC_CONFIGURED);
}

uint64_t ixhci_dbc_next_uf(const IxhciState *x)
{
    const ixhci_dbc *dbc = &x->dbc;

    return MIN(MIN(dbc->next_uf, dbc->work_uf),
               MIN(dbc->eps[IXHCI_DBC_OUT].unhalt_uf,
                   dbc->eps[IXHCI_DBC_IN].unhalt_uf));
}

/* Rule 2: of the port, and then of the endpoints. */
void ixhci_dbc_service(IxhciState *x, uint64_t now_uf)
{
    ixhci_dbc *dbc = &x->dbc;

    if (dbc->next_uf <= now_uf) {
        dbc->next_uf = IXHCI_UF_NEVER;
        if (!is_plugged(dbc)) {
            enter(x, MIN(dbc->state, IXHCI_DBC_DISCONNECTED));
        } else if (host_steps[dbc->state].to == IXHCI_DBC_CONFIGURED) {
            configure(x);
        } else if (host_steps[dbc->state].to) {
            enter(x, host_steps[dbc->state].to);
        }
    }
    ixhci_dbc_serve_due(x, now_uf);
}

/* The cable: the other end of the chardev has come or gone. */
static void chardev_event(void *opaque, QEMUChrEvent event)
{
    IxhciState *x = opaque;
    ixhci_dbc *dbc = &x->dbc;

    if (event == CHR_EVENT_OPENED && dbc->state == IXHCI_DBC_DISCONNECTED) {
        enter(x, IXHCI_DBC_DISCONNECTED);
    } else if (event == CHR_EVENT_CLOSED &&
               dbc->state > IXHCI_DBC_DISCONNECTED) {
        /* not from here: we may be in the middle of a write to it */
        dbc->next_uf = ixhci_now_uf();
        ixhci_service_arm(x);
    }
}

void ixhci_dbc_init(IxhciState *x)
{
    ixhci_dbc *dbc = &x->dbc;

    dbc->next_uf = dbc->work_uf = IXHCI_UF_NEVER;
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        dbc->eps[i].unhalt_uf = IXHCI_UF_NEVER;
        ixhci_td_init(&dbc->eps[i].td);
    }
    dbc->portsc = xhci_set(0, PORTSC_PLS, PLS_RX_DETECT);
    if (ixhci_dbc_is_there(x)) {
        qemu_chr_fe_set_handlers(&dbc->chr, ixhci_dbc_can_read, ixhci_dbc_read,
                                 chardev_event, NULL, x, NULL, true);
    }
}

void ixhci_dbc_exit(IxhciState *x)
{
    ixhci_dbc *dbc = &x->dbc;

    if (ixhci_dbc_is_there(x)) {
        ixhci_dbc_close(x);
        qemu_chr_fe_deinit(&dbc->chr, false);
    }
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        ixhci_td_clear(&dbc->eps[i].td);
        ixhci_retired_clear(&dbc->eps[i].retired);
    }
    g_free(dbc->device);
    dbc->device = NULL;
}

/* Rule 3: a chip reset. */
void ixhci_dbc_reset(IxhciState *x)
{
    ixhci_dbc *dbc = &x->dbc;

    if (!ixhci_dbc_is_there(x)) {
        return;
    }
    switch_off(x);
    ixhci_event_reset(x, IXHCI_DBC_RING);
    dbc->dccp = 0;
    dbc->ddi[0] = dbc->ddi[1] = 0;
}

/* After a migration the other end may be another one, or not be there. */
bool ixhci_dbc_load(IxhciState *x)
{
    ixhci_dbc *dbc = &x->dbc;

    if (dbc->state >= IXHCI_DBC_STATES ||
        (dbc->state != IXHCI_DBC_OFF) != !!(dbc->ctrl & DCCTRL_DCE)) {
        return false;
    }
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        if (dbc->eps[i].state > EP_STATE_ERROR ||
            (dbc->eps[i].state != EP_STATE_DISABLED &&
             dbc->state != IXHCI_DBC_CONFIGURED)) {
            return false;
        }
        dbc->eps[i].ready = false;
    }
    if (dbc->state > IXHCI_DBC_DISCONNECTED && !is_plugged(dbc)) {
        dbc->next_uf = ixhci_now_uf();
    }
    dbc->work_uf = ixhci_now_uf();
    return true;
}

/* xHCI 1.2 §7.6.8.4. */
static void write_ctrl(IxhciState *x, uint32_t value)
{
    ixhci_dbc *dbc = &x->dbc;
    uint32_t changed = (dbc->ctrl ^ value) & DCCTRL_DCE;

    dbc->ctrl &= ~(value & DCCTRL_DRC);
    dbc->ctrl = (dbc->ctrl & ~DCCTRL_LSE) | (value & DCCTRL_LSE);
    if (changed && (value & DCCTRL_DCE)) {
        dbc->ctrl |= DCCTRL_DCE;
        ixhci_event_open(x, IXHCI_DBC_RING);
        if (dbc->ctrl & DCCTRL_DCE) {
            enter(x, IXHCI_DBC_DISCONNECTED);
        }
    } else if (changed) {
        switch_off(x);
    }
    if (dbc->state == IXHCI_DBC_CONFIGURED) {
        for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
            if (value & DCCTRL_HOT << i) {
                ixhci_dbc_halt(x, i);
            }
        }
    }
}

static uint32_t read_ctrl(const ixhci_dbc *dbc)
{
    uint32_t value = dbc->ctrl; /* Debug Max Burst Size: 0, of one packet */

    if (dbc->state == IXHCI_DBC_CONFIGURED) {
        value = xhci_set(value | DCCTRL_DCR, DCCTRL_ADDRESS, DEVICE_ADDRESS);
    }
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        value |= dbc->eps[i].state == EP_STATE_HALTED ? DCCTRL_HOT << i : 0;
    }
    return value;
}

/* xHCI 1.2 §7.6.8.6: PED and the change bits are the driver's. */
static void write_portsc(IxhciState *x, uint32_t value)
{
    ixhci_dbc *dbc = &x->dbc;

    dbc->portsc &= ~(value & CHANGES);
    if (dbc->state > IXHCI_DBC_DISCONNECTED && !(value & PORTSC_PED) &&
        (dbc->portsc & PORTSC_PED)) {
        enter(x, IXHCI_DBC_DISABLED);
    } else if (dbc->state == IXHCI_DBC_DISABLED && (value & PORTSC_PED)) {
        enter(x, IXHCI_DBC_DISCONNECTED);
    }
}

uint32_t ixhci_dbc_read_word(const IxhciState *x, unsigned word)
{
    const ixhci_dbc *dbc = &x->dbc;
    const ixhci_intr *ring = &x->intrs[IXHCI_DBC_RING];
    uint32_t connected = dbc->portsc & PORTSC_CCS ? x->num_ports : 0;

    switch (word) {
    case DCERSTSZ:
        return ring->erstsz;
    case DCERSTBA_LO:
        return (uint32_t)ring->erstba;
    case DCERSTBA_HI:
        return ring->erstba >> 32;
    case DCERDP_LO:
        return (uint32_t)ring->erdp | ring->desi;
    case DCERDP_HI:
        return ring->erdp >> 32;
    case DCCTRL:
        return read_ctrl(dbc);
    case DCST:
        return xhci_set(ixhci_event_is_pending(x, IXHCI_DBC_RING) ? DCST_ER : 0,
                        DCST_PORT, connected);
    case DCPORTSC:
        return dbc->portsc;
    case DCCP_LO:
        return (uint32_t)dbc->dccp;
    case DCCP_HI:
        return dbc->dccp >> 32;
    case DCDDI1:
    case DCDDI2:
        return dbc->ddi[word - DCDDI1];
    default:
        return 0; /* DCDB, reserved */
    }
}

void ixhci_dbc_write_word(IxhciState *x, unsigned word, uint32_t value)
{
    ixhci_dbc *dbc = &x->dbc;
    ixhci_intr *ring = &x->intrs[IXHCI_DBC_RING];

    switch (word) {
    case DCDB:
        ixhci_dbc_doorbell(x, xhci_get(value, DCDB_TARGET));
        break;
    case DCERSTSZ:
        ring->erstsz = xhci_get(value, ERSTSZ_SIZE);
        break;
    case DCERSTBA_LO:
        ring->erstba = deposit64(ring->erstba, 0, 32, value & ~0xfu);
        break;
    case DCERSTBA_HI:
        ring->erstba = deposit64(ring->erstba, 32, 32, value);
        break;
    case DCERDP_LO:
        ring->erdp = deposit64(ring->erdp, 0, 32, value & ~0xfu);
        ring->desi = xhci_get(value, ERDP_DESI);
        ixhci_event_drain(x, IXHCI_DBC_RING, false);
        break;
    case DCERDP_HI:
        ring->erdp = deposit64(ring->erdp, 32, 32, value);
        ixhci_event_drain(x, IXHCI_DBC_RING, false);
        break;
    case DCCTRL:
        write_ctrl(x, value);
        break;
    case DCPORTSC:
        write_portsc(x, value);
        break;
    case DCCP_LO:
        dbc->dccp = deposit64(dbc->dccp, 0, 32, value & ~0xfu);
        break;
    case DCCP_HI:
        dbc->dccp = deposit64(dbc->dccp, 32, 32, value);
        break;
    case DCDDI1:
        dbc->ddi[0] = value & 0xffff00ff;
        break;
    case DCDDI2:
        dbc->ddi[1] = value;
        break;
    default:
        break;
    }
}
