/*
 * Faults of interrupts (xHCI 1.2 §4.17): a message of MSI-X, or the rising edge
 * of the pin, that does not come, comes late, or comes twice. The event is in
 * its ring all the time, and IP and EHB are what they are without a fault.
 *
 * A second message to the same address, and a second edge, leave nothing that a
 * guest could look at later; QEMU's trace counts them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/fault.h"
#include "lib/trace.h"

#define PCI_STATUS_INTERRUPT (1u << 19) /* of the dword at 04h */

typedef struct {
    Hcd *h;
    bool pin;
    char *log;
} Line;

static unsigned take_all(Hcd *h)
{
    unsigned n = 0;
    HcdEvent event;

    while (hcd_event_take(h, &event)) {
        n++;
    }
    return n;
}

static void no_op(Line *line)
{
    hcd_cmd_post(line->h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(line->h, 0, 0);
}

/* xHCI 1.2 §5.5.2.1: of a message the controller clears IP itself. */
static void look(Line *line)
{
    take_all(line->h);
    if (line->pin) {
        hcd_intr_write(line->h, XHCI_IMAN, IMAN_IP | IMAN_IE);
    }
}

/* There is a message since the last call, or the pin is asserted. */
static bool has_come(Line *line)
{
    return line->pin ? hcd_pci_read(line->h, 4) & PCI_STATUS_INTERRUPT
                     : hcd_msix_take(line->h, 0);
}

/* Messages so far; of the pin, edges that the IOAPIC has seen on its PCI
 * inputs. */
static unsigned signals(Line *line)
{
    unsigned count = 0;

    for (unsigned input = 16; line->pin && input < 24; input++) {
        g_autofree char *word =
            g_strdup_printf("ioapic_set_irq vector: %u level: 1", input);

        count += hcd_trace_count(line->log, word);
    }
    return line->pin ? count : hcd_trace_count(line->log, "ixhci_intr_signal ");
}

/* Nothing is pending, and the next interrupt meets the rule. */
static Line start(const void *pin, const char *action)
{
    Line line = { .pin = GPOINTER_TO_UINT(pin) };
    g_autofree char *args = hcd_trace_args(
        "", line.pin ? "ioapic_set_irq" : "ixhci_intr_signal", &line.log);

    line.h = hcd_start(.args = args, .no_msix = line.pin);
    hcd_step_uf(line.h, 80);
    look(&line);
    hcd_step_uf(line.h, 80);
    has_come(&line);
    fault_rule(line.h, "'when': {'nth': 1}, 'action': %s", action);
    return line;
}

static void finish(Line *line)
{
    g_unlink(line->log);
    g_free(line->log);
    hcd_finish(line->h);
}

static void comes_again(Line *line)
{
    unsigned before;

    look(line);
    hcd_step_uf(line->h, 80);
    hcd_check(!line->pin || !has_come(line), "the pin is still asserted");
    before = signals(line);
    no_op(line);
    hcd_step_uf(line->h, 80);
    hcd_check(has_come(line), "no interrupt afterwards");
    hcd_check(signals(line) == before + 1, "%u interrupts for one event",
              signals(line) - before);
    finish(line);
}

/* xHCI 1.2 §4.17.2: the event is there, and nobody says so; EHB is set, so
 * that nobody will until software looks. */
static void lost(const void *pin)
{
    Line line = start(pin, "'lose-interrupt'");
    Hcd *h = line.h;

    h->keep_erdp = true;
    no_op(&line);
    hcd_step_uf(h, 80);
    hcd_check(!has_come(&line), "there was an interrupt");
    hcd_check(!(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP) == !line.pin,
              "IMAN is %08x", hcd_intr_read(h, XHCI_IMAN));
    no_op(&line);
    hcd_step_uf(h, 80);
    hcd_check(!has_come(&line), "there was an interrupt while EHB was 1");
    hcd_check(take_all(h) == 2, "the events are not there");
    h->keep_erdp = false;
    hcd_event_ack(h);
    fault_expect(h, "'seam':'interrupt','interrupter':0", 1);
    comes_again(&line);
}

static void late(const void *pin)
{
    Line line = start(pin, "'delay-interrupt', 'with': {'microframes': 16}");

    no_op(&line);
    hcd_step_uf(line.h, 15);
    hcd_check(!has_come(&line), "it came early");
    hcd_step_uf(line.h, 2);
    hcd_check(has_come(&line), "it did not come");
    comes_again(&line);
}

/* Software has looked meanwhile: a message comes all the same and finds
 * nothing, a level that is gone does not. */
static void late_and_looked(const void *pin)
{
    Line line = start(pin, "'delay-interrupt', 'with': {'microframes': 16}");

    no_op(&line);
    hcd_step_uf(line.h, 8);
    look(&line);
    hcd_step_uf(line.h, 16);
    hcd_check(has_come(&line) == !line.pin, "it %s",
              line.pin ? "came" : "did not come");
    comes_again(&line);
}

/* The second one finds the ring empty, as a spurious one does. */
static void twice(const void *pin)
{
    Line line = start(pin, "'double-interrupt'");
    unsigned before = signals(&line);

    no_op(&line);
    hcd_step_uf(line.h, 1);
    hcd_check(has_come(&line), "no interrupt");
    hcd_check(signals(&line) == before + 2, "it came %u times",
              signals(&line) - before);
    fault_expect(line.h, "'seam':'interrupt','interrupter':0", 1);
    comes_again(&line);
}

/* Another interrupter is meant. */
static void other(const void *pin)
{
    Line line = start(pin, "'lose-interrupt'");

    fault_rule(line.h,
               "'where': {'interrupter': 1}, 'action': 'lose-interrupt'");
    no_op(&line);
    hcd_step_uf(line.h, 1);
    hcd_check(has_come(&line), "no interrupt");
    fault_expect(line.h, "'seam':'interrupt'", 0);
    comes_again(&line);
}

static const struct {
    const char *name;
    void (*run)(const void *pin);
} cases[] = {
    { "lost", lost },
    { "late", late },
    { "late-and-looked", late_and_looked },
    { "double", twice },
    { "another-interrupter", other },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *msix = g_strdup_printf("EVT-06/%s", cases[i].name);
        g_autofree char *pin = g_strdup_printf("EVT-08/%s", cases[i].name);

        hcd_test_add_data(msix, cases[i].run, GUINT_TO_POINTER(false));
        hcd_test_add_data(pin, cases[i].run, GUINT_TO_POINTER(true));
    }
    return hcd_test_main(argc, argv);
}
