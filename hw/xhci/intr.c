/*
 * Interrupters: from an event that may interrupt to a message or a level.
 *
 *  1. IPE (Interrupt Pending Enable) is set by an event without BEI. IP is set
 *     when IPE is set, EHB is clear and the moderation interval has passed;
 *     that sets EHB and EINT and clears IPE (xHCI 1.2 §4.17.2).
 *  2. While EHB is set IP is not set again, however many events arrive.
 *  3. The moderation counter starts when IP is cleared, and is a time on the
 *     virtual clock: IMODC is derived from it when read (§5.5.2.2).
 *  4. An interrupt needs IP, IE and INTE. With MSI and MSI-X the controller
 *     clears IP when it sends the message; the pin follows the level (§4.17.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* xHCI 1.2 §5.5.2.2: IMODI resets to 1 ms. */
#define IMODI_RESET 4000
#define IMOD_UNIT_NS 250

static bool has_message(IxhciState *x)
{
    PCIDevice *pci = PCI_DEVICE(x);

    return msix_enabled(pci) || msi_enabled(pci);
}

/* Sends the message. The address is the guest's choice: rule 5 of core.h. */
static void pci_signal(IxhciState *x, unsigned i)
{
    PCIDevice *pci = PCI_DEVICE(x);

    trace_ixhci_intr_signal(i);
    x->dma_depth++;
    if (msix_enabled(pci)) {
        msix_notify(pci, i);
    } else if (msi_enabled(pci)) {
        msi_notify(pci, i % msi_nr_vectors_allocated(pci));
    }
    x->dma_depth--;
}

static void pci_level(IxhciState *x, bool level)
{
    pci_set_irq(PCI_DEVICE(x), level);
}

const ixhci_intr_ops ixhci_intr_pci = {
    .signal = pci_signal,
    .level = pci_level,
};

static bool is_asserted(const IxhciState *x, const ixhci_intr *intr)
{
    return (x->usbcmd & USBCMD_INTE) && (intr->iman & IMAN_IP) &&
           (intr->iman & IMAN_IE);
}

static void update_pin(IxhciState *x)
{
    bool level = false;

    for (unsigned i = 0; i < x->num_intrs; i++) {
        level |= is_asserted(x, &x->intrs[i]);
    }
    x->irq->level(x, level);
}

static void clear_ip(ixhci_intr *intr)
{
    intr->iman &= ~IMAN_IP;
    intr->moderate_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                        (uint64_t)intr->imodi * IMOD_UNIT_NS;
}

void ixhci_intr_update(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];

    if (i >= x->num_intrs) {
        return; /* the Debug Capability's ring interrupts nobody */
    }
    if (intr->ipe && !intr->ehb) {
        if (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) <
            (int64_t)intr->moderate_ns) {
            ixhci_service_arm(x);
        } else {
            intr->ipe = false;
            intr->ehb = true;
            intr->iman |= IMAN_IP;
            x->usbsts |= USBSTS_EINT;
        }
    }
    if (!has_message(x)) {
        update_pin(x);
    } else if (is_asserted(x, intr)) {
        clear_ip(intr);
        x->irq->signal(x, i);
    }
}

void ixhci_intr_reset(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];

    intr->iman = 0;
    intr->imodi = IMODI_RESET;
    intr->ehb = false;
    intr->ipe = false;
    intr->moderate_ns = 0;
    if (!has_message(x)) {
        update_pin(x);
    }
}

void ixhci_intr_write_iman(IxhciState *x, unsigned i, uint32_t value)
{
    ixhci_intr *intr = &x->intrs[i];

    intr->iman = (intr->iman & IMAN_IP) | (value & IMAN_IE);
    if ((value & IMAN_IP) && (intr->iman & IMAN_IP)) {
        clear_ip(intr);
    }
    ixhci_intr_update(x, i);
}

uint32_t ixhci_intr_imod(const IxhciState *x, unsigned i)
{
    const ixhci_intr *intr = &x->intrs[i];
    uint64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    uint64_t left = intr->moderate_ns > now ? intr->moderate_ns - now : 0;
    uint32_t value = xhci_set(0, IMOD_IMODI, intr->imodi);

    return xhci_set(value, IMOD_IMODC, MIN(left / IMOD_UNIT_NS, 0xffff));
}

void ixhci_intr_write_imod(IxhciState *x, unsigned i, uint32_t value)
{
    ixhci_intr *intr = &x->intrs[i];

    intr->imodi = xhci_get(value, IMOD_IMODI);
    intr->moderate_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                        (uint64_t)xhci_get(value, IMOD_IMODC) * IMOD_UNIT_NS;
    ixhci_intr_update(x, i);
}
