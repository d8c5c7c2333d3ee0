/*
 * The controller as a PCI function: configuration space by ports CF8h/CFCh,
 * BAR 0, and MSI-X. A message is a memory write, so a vector that is aimed
 * at guest RAM leaves its data there: the test reads it and knows that the
 * interrupt was sent, with no interrupt controller in between.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define BAR0_ADDRESS 0xe0000000u /* in q35's 32-bit PCI hole */

#define PCI_COMMAND_REG 0x04
#define PCI_CLASS_REG 0x08
#define PCI_BAR0_REG 0x10
#define PCI_CAP_REG 0x34
#define PCI_COMMAND_MEM (1u << 1)
#define PCI_COMMAND_MASTER (1u << 2)
#define CAP_MSIX 0x11
#define MSIX_ENABLE (1u << 31) /* in the dword of the capability's header */
#define MESSAGE_DATA 0x4d534900u

uint32_t hcd_pci_read(Hcd *h, unsigned offset)
{
    qtest_outl(h->qts, CONFIG_ADDRESS,
               1u << 31 | h->devfn << 8 | (offset & 0xfc));
    return qtest_inl(h->qts, CONFIG_DATA);
}

void hcd_pci_write(Hcd *h, unsigned offset, uint32_t value)
{
    qtest_outl(h->qts, CONFIG_ADDRESS,
               1u << 31 | h->devfn << 8 | (offset & 0xfc));
    qtest_outl(h->qts, CONFIG_DATA, value);
}

unsigned hcd_pci_find_cap(Hcd *h, unsigned id)
{
    unsigned offset = hcd_pci_read(h, PCI_CAP_REG) & 0xfc;

    for (unsigned n = 0; offset && n < 48; n++) {
        uint32_t header = hcd_pci_read(h, offset);

        if ((header & 0xff) == id) {
            return offset;
        }
        offset = header >> 8 & 0xfc;
    }
    return 0;
}

/* xHCI 1.2 §5.2.1: class code 0C0330h; BAR 0 holds all registers. */
void hcd_pci_enable(Hcd *h)
{
    uint32_t class_code = hcd_pci_read(h, PCI_CLASS_REG) >> 8;
    uint32_t bar;

    hcd_check(class_code == 0x0c0330, "class code %06x, expected 0c0330",
              class_code);
    bar = hcd_pci_read(h, PCI_BAR0_REG);
    hcd_pci_write(h, PCI_BAR0_REG, 0xffffffffu);
    h->bar_size = (uint32_t) - (hcd_pci_read(h, PCI_BAR0_REG) & ~0xfu);
    hcd_check(h->bar_size >= 0x1000 && !(bar & 1), "BAR 0 is no memory BAR");
    h->bar = BAR0_ADDRESS;
    hcd_pci_write(h, PCI_BAR0_REG, BAR0_ADDRESS);
    if ((bar & 6) == 4) {
        hcd_pci_write(h, PCI_BAR0_REG + 4, 0);
    }
    hcd_pci_set_bus_master(h, true);
}

void hcd_pci_set_bus_master(Hcd *h, bool on)
{
    hcd_pci_write(h, PCI_COMMAND_REG,
                  PCI_COMMAND_MEM | (on ? PCI_COMMAND_MASTER : 0));
}

/* PCI 3.0 §6.8.2: table in the BAR that the low three bits name. */
void hcd_pci_enable_msix(Hcd *h)
{
    uint32_t table;
    unsigned vectors;

    h->msix_cap = hcd_pci_find_cap(h, CAP_MSIX);
    hcd_check(h->msix_cap, "there is no MSI-X capability");
    vectors = (hcd_pci_read(h, h->msix_cap) >> 16 & 0x7ff) + 1;
    table = hcd_pci_read(h, h->msix_cap + 4);
    hcd_check((table & 7) == 0, "the MSI-X table is not in BAR 0");
    for (unsigned i = 0; i < MIN(vectors, HCD_MAX_VECTORS); i++) {
        uint64_t entry = h->bar + (table & ~7u) + 16 * i;

        h->msix_word[i] = hcd_alloc(h, 4, 4);
        qtest_writel(h->qts, entry, h->msix_word[i]);
        qtest_writel(h->qts, entry + 4, 0);
        qtest_writel(h->qts, entry + 8, MESSAGE_DATA | i);
        qtest_writel(h->qts, entry + 12, 0);
    }
    hcd_pci_write(h, h->msix_cap, hcd_pci_read(h, h->msix_cap) | MSIX_ENABLE);
}

/* Whether vector sent a message since the last call. */
bool hcd_msix_take(Hcd *h, unsigned vector)
{
    uint32_t word = qtest_readl(h->qts, h->msix_word[vector]);

    if (word == 0) {
        return false;
    }
    hcd_check(word == (MESSAGE_DATA | vector), "vector %u sent %08x", vector,
              word);
    qtest_writel(h->qts, h->msix_word[vector], 0);
    return true;
}
