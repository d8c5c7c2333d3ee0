/*
 * Extended capabilities: a list of small structures in BAR 0 (xHCI 1.2 §7).
 *
 *  1. The list is made once, from the properties: USB Legacy Support, then a
 *     Supported Protocol for each kind of port, and at the end the Debug
 *     Capability, whose words are dbc.c's. It is a row of words; each
 *     header says how far the next one is.
 *  2. A protocol that names no speeds has all the default ones of its revision
 *     (§7.2.2.1.1). From USB 3.1 on these are faster than our ports, so that
 *     the one speed they have is then named.
 *  3. Legacy Support is how firmware that drives the controller from system
 *     management mode hands it over (§4.22.1). There is none here: we answer
 *     in its place, and let go of the controller as soon as the operating
 *     system asks. What would cause an SMI is recorded, and causes none.
 *  4. The two semaphores are in bytes of their own so that each side writes
 *     its own: these words, unlike other registers, are written by the byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* Words of the list that software can write; the legacy structure is first. */
enum { USBLEGSUP, USBLEGCTLSTS, LEGACY_WORDS };

static uint32_t *append(IxhciState *x, unsigned words)
{
    uint32_t *at = &x->xecp[x->xecp_words];

    g_assert(x->xecp_words + words <= IXHCI_XECP_WORDS);
    if (x->xecp_words) {
        uint32_t *last = &x->xecp[x->xecp_last];

        *last = xhci_set(*last, XECP_NEXT, x->xecp_words - x->xecp_last);
    }
    x->xecp_last = x->xecp_words;
    x->xecp_words += words;
    return at;
}

/* xHCI 1.2 §7.2. Rule 2. */
static void append_protocol(IxhciState *x, unsigned revision, unsigned first,
                            unsigned count, uint32_t flags)
{
    bool named = revision > 0x300;
    uint32_t *at;

    if (!count) {
        return;
    }
    at = append(x, named ? 5 : 4);
    at[0] = xhci_set(XECP_SUPPORTED_PROTOCOL, XECP_REVISION, revision);
    at[1] = XECP_NAME_USB;
    at[2] =
        xhci_set(xhci_set(0, XECP_PORT_OFFSET, first), XECP_PORT_COUNT, count);
    at[2] |= flags;
    if (named) {
        at[2] = xhci_set(at[2], XECP_PSIC, 1);
        at[4] = xhci_set(0, PSI_VALUE, SPEED_SUPER);
        at[4] = xhci_set(at[4], PSI_EXPONENT, PSI_GIGABITS);
        at[4] = xhci_set(at[4], PSI_MANTISSA, 5) | PSI_FULL_DUPLEX;
    }
}

/* xHCI 1.2 §7.6.8.1. */
static void append_debug(IxhciState *x)
{
    uint32_t *at = append(x, XHCI_DEBUG_BYTES / 4);

    at[0] = xhci_set(XECP_DEBUG, DCID_ERSTMAX, IXHCI_ERST_MAX_LOG2);
    x->xecp_dbc = x->xecp_last;
}

static bool is_debug(const IxhciState *x, unsigned word)
{
    return x->xecp_dbc && word > x->xecp_dbc;
}

void ixhci_xcap_init(IxhciState *x)
{
    memset(x->xecp, 0, sizeof(x->xecp));
    x->xecp_words = 0;
    if (x->legacy) {
        *append(x, LEGACY_WORDS) = XECP_LEGACY_SUPPORT;
    }
    append_protocol(x, 0x200, 1, x->num_usb2, x->caps.usb2_protocol);
    append_protocol(x, 0x300 | x->caps.usb3_minor, x->num_usb2 + 1, x->num_usb3,
                    0);
    if (ixhci_dbc_is_there(x)) {
        append_debug(x);
    }
}

/* A chip reset; HCRST leaves the semaphores alone (xHCI 1.2 §7.1). */
void ixhci_xcap_reset(IxhciState *x)
{
    if (x->legacy) {
        x->xecp[USBLEGSUP] &= ~(LEGSUP_BIOS_OWNED | LEGSUP_OS_OWNED);
        x->xecp[USBLEGCTLSTS] = 0;
    }
}

/* Of what came in, only what software can write may differ from our list. */
void ixhci_xcap_check(IxhciState *x)
{
    uint32_t legsup = x->xecp[USBLEGSUP], legctlsts = x->xecp[USBLEGCTLSTS];

    ixhci_xcap_init(x);
    if (x->legacy) {
        x->xecp[USBLEGSUP] |= legsup & (LEGSUP_BIOS_OWNED | LEGSUP_OS_OWNED);
        x->xecp[USBLEGCTLSTS] = legctlsts & (LEGCTL_ENABLES | LEGCTL_RW1C);
    }
}

uint32_t ixhci_xcap_read(const IxhciState *x, unsigned word)
{
    uint32_t value = x->xecp[word];

    if (is_debug(x, word)) {
        return ixhci_dbc_read_word(x, word - x->xecp_dbc);
    }
    if (x->legacy && word == USBLEGCTLSTS) {
        value |= x->usbsts & USBSTS_EINT ? LEGCTL_EINT : 0;
        value |= x->usbsts & USBSTS_HSE ? LEGCTL_HSE : 0;
    }
    return value;
}

void ixhci_xcap_note(IxhciState *x, uint32_t status)
{
    if (x->legacy) {
        x->xecp[USBLEGCTLSTS] |= status & LEGCTL_RW1C;
    }
}

/* Rule 3. */
static void write_legsup(IxhciState *x, uint32_t value, uint32_t lanes)
{
    uint32_t kept = (LEGSUP_BIOS_OWNED | LEGSUP_OS_OWNED) & lanes;
    uint32_t before = x->xecp[USBLEGSUP];
    uint32_t after = (before & ~kept) | (value & kept);

    if (after & LEGSUP_OS_OWNED) {
        after &= ~LEGSUP_BIOS_OWNED;
    }
    if ((before ^ after) & LEGSUP_OS_OWNED) {
        ixhci_xcap_note(x, LEGCTL_OWNER_CHANGED);
    }
    trace_ixhci_owner(after & LEGSUP_OS_OWNED, after & LEGSUP_BIOS_OWNED);
    x->xecp[USBLEGSUP] = after;
}

static void write_legctlsts(IxhciState *x, uint32_t value, uint32_t lanes)
{
    uint32_t *word = &x->xecp[USBLEGCTLSTS];

    *word &= ~(value & LEGCTL_RW1C & lanes);
    *word =
        (*word & ~(LEGCTL_ENABLES & lanes)) | (value & LEGCTL_ENABLES & lanes);
}

/* Rule 4: value is in place, lanes says which of its bits are written. */
void ixhci_xcap_write(IxhciState *x, unsigned word, uint32_t value,
                      uint32_t lanes)
{
    if (is_debug(x, word)) {
        if (lanes == UINT32_MAX) {
            ixhci_dbc_write_word(x, word - x->xecp_dbc, value);
        }
        return;
    }
    if (!x->legacy) {
        return;
    }
    if (word == USBLEGSUP) {
        write_legsup(x, value, lanes);
    } else if (word == USBLEGCTLSTS) {
        write_legctlsts(x, value, lanes);
    }
}
