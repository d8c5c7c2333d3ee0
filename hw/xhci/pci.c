/*
 * ixhci on PCI: properties, realize, reset.
 *
 * Property names are those of qemu-xhci where the meaning is the same, so that
 * a command line changes the device's name and nothing else. `realize` checks
 * them, and puts the real functions behind the seams of core.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "hw/capture/capture.h"
#include "hw/capture/usbmon.h"
#include "trace-hw_xhci.h"

/* The identity of qemu-xhci is its own; drivers bind to the class code. */
#define IXHCI_PCI_VENDOR 0x1234
#define IXHCI_PCI_DEVICE 0x1c1d

/* PCI configuration space (xHCI 1.2 §5.2). */
enum {
    PCI_SBRN = 0x60,
    PCI_FLADJ = 0x61,
    PCI_CAP_MSI_OFFSET = 0x70,
    PCI_CAP_PM_OFFSET = 0x80,
    PCI_CAP_MSIX_OFFSET = 0x90,
    PCI_CAP_EXPRESS_OFFSET = 0xa0,
};

static bool check_range(Error **errp, const char *name, uint32_t value,
                        uint32_t first, uint32_t last)
{
    if (value < first || value > last) {
        error_setg(errp, "ixhci: %s must be %u to %u, not %u", name, first,
                   last, value);
        return false;
    }
    return true;
}

/* The revision, and what properties add to it. */
static bool check_revision(IxhciState *x, Error **errp)
{
    const char *name = x->hci_version ? x->hci_version : "1.2";

    if (!ixhci_caps_of_revision(&x->caps, name)) {
        error_setg(errp,
                   "ixhci: hci-version must be " IXHCI_REVISIONS ", not '%s'",
                   name);
        return false;
    }
    if (x->csz) {
        x->caps.hcc1 |= HCC1_CSZ;
    }
    if (x->streams) {
        x->caps.hcc1 =
            xhci_set(x->caps.hcc1, HCC1_MAXPSASIZE, IXHCI_MAX_PSA_SIZE);
    }
    x->context_bytes = x->csz ? 64 : 32;
    return true;
}

static bool check_properties(IxhciState *x, Error **errp)
{
    if (!check_range(errp, "p2", x->num_usb2, 0, IXHCI_MAX_PORTS / 2) ||
        !check_range(errp, "p3", x->num_usb3, 0, IXHCI_MAX_PORTS / 2) ||
        !check_range(errp, "slots", x->num_slots, 1, IXHCI_MAX_SLOTS) ||
        !check_range(errp, "intrs", x->num_intrs, 1, IXHCI_MAX_INTRS) ||
        !check_range(errp, "scratchpads", x->scratchpads, 0,
                     IXHCI_SCRATCHPADS_MAX) ||
        !check_range(errp, "capture-snaplen", x->capture_snaplen,
                     USBMON_SNAPLEN_MIN, USBMON_SNAPLEN_MAX)) {
        return false;
    }
    if (x->num_usb2 + x->num_usb3 == 0) {
        error_setg(errp, "ixhci: p2 and p3 are both 0: it needs a port");
        return false;
    }
    if (ixhci_dbc_is_there(x) && !x->num_usb3) {
        error_setg(errp, "ixhci: dbc needs a USB3 port, and p3 is 0");
        return false;
    }
    return check_revision(x, errp);
}

static void bus_wakeup_endpoint(USBBus *bus, USBEndpoint *usb_ep,
                                unsigned int stream)
{
    IxhciState *x = container_of(bus, IxhciState, bus);
    ixhci_ep *ep = ixhci_slot_find_endpoint(x, usb_ep);

    if (ep) {
        ixhci_port_device_wakes(x, ep->slot->cfg.root_port);
        ixhci_pipeline_wakeup(ep, stream);
    }
}

static USBBusOps bus_ops = {
    .wakeup_endpoint = bus_wakeup_endpoint,
};

/* Root ports 1..p2 are USB2, p2+1..p2+p3 USB3; connectors carry both. */
static void create_ports(IxhciState *x)
{
    unsigned connectors = MAX(x->num_usb2, x->num_usb3);

    usb_bus_new(&x->bus, sizeof(x->bus), &bus_ops, DEVICE(x));
    x->num_ports = x->num_usb2 + x->num_usb3;
    for (unsigned i = 0; i < x->num_ports; i++) {
        bool usb3 = i >= x->num_usb2;

        x->ports[i] = (ixhci_port){
            .port_id = i + 1,
            .is_usb3 = usb3,
            .done_uf = IXHCI_UF_NEVER,
            .uport = &x->uports[usb3 ? i - x->num_usb2 : i],
        };
    }
    for (unsigned i = 0; i < connectors; i++) {
        int speeds = 0;

        if (i < x->num_usb2) {
            speeds |=
                USB_SPEED_MASK_LOW | USB_SPEED_MASK_FULL | USB_SPEED_MASK_HIGH;
        }
        /* the last USB3 port is the debug cable's, if there is one */
        if (i < x->num_usb3 - ixhci_dbc_is_there(x)) {
            speeds |= USB_SPEED_MASK_SUPER;
        }
        usb_register_port(&x->bus, &x->uports[i], x, i, &ixhci_port_ops,
                          speeds);
    }
}

/* xHCI 1.2 §5.2.8, §4.17.1: a vector for each interrupter. */
static bool create_messages(IxhciState *x, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(x);
    Error *err = NULL;

    if (x->msi != ON_OFF_AUTO_OFF &&
        msi_init(pci, PCI_CAP_MSI_OFFSET, pow2floor(x->num_intrs), true, false,
                 &err) < 0) {
        if (x->msi == ON_OFF_AUTO_ON) {
            error_propagate(errp, err);
            return false;
        }
        error_free(err);
    }
    err = NULL;
    if (x->msix == ON_OFF_AUTO_OFF) {
        return true;
    }
    if (msix_init(pci, x->num_intrs, &x->bar, 0, IXHCI_MSIX_TABLE_OFFSET,
                  &x->bar, 0, IXHCI_MSIX_PBA_OFFSET, PCI_CAP_MSIX_OFFSET,
                  &err) < 0) {
        if (x->msix == ON_OFF_AUTO_ON) {
            error_propagate(errp, err);
            return false;
        }
        error_free(err);
        return true;
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        msix_vector_use(pci, i);
    }
    return true;
}

/* PCI PM 1.2 §3.2: D0 and D3hot, PME# from both, nothing lost in between. */
static void create_power_management(PCIDevice *pci)
{
    uint8_t *config = pci->config + PCI_CAP_PM_OFFSET;
    uint8_t *wmask = pci->wmask + PCI_CAP_PM_OFFSET;
    uint8_t *w1cmask = pci->w1cmask + PCI_CAP_PM_OFFSET;

    pci_set_word(config + PCI_PM_PMC,
                 3 | PCI_PM_CAP_PME_D0 | PCI_PM_CAP_PME_D3hot);
    pci_set_word(config + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(wmask + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_ENABLE);
    pci_set_word(w1cmask + PCI_PM_CTRL, PCI_PM_CTRL_PME_STATUS);
}

bool ixhci_pci_sleeps(const IxhciState *x)
{
    const uint8_t *config = x->parent_obj.config + PCI_CAP_PM_OFFSET;

    return pci_get_word(config + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
}

void ixhci_pci_wake(IxhciState *x)
{
    uint8_t *config = x->parent_obj.config + PCI_CAP_PM_OFFSET;

    if (ixhci_pci_sleeps(x)) {
        pci_word_test_and_set_mask(config + PCI_PM_CTRL,
                                   PCI_PM_CTRL_PME_STATUS);
    }
}

static bool create_config(IxhciState *x, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(x);

    pci->config[PCI_CLASS_PROG] = 0x30;
    pci->config[PCI_INTERRUPT_PIN] = 1;
    pci->config[PCI_CACHE_LINE_SIZE] = 0x10;
    pci->config[PCI_SBRN] = 0x30 | x->caps.usb3_minor >> 4;
    pci->config[PCI_FLADJ] = 0x20;
    /* behind the header QEMU makes every byte writable */
    pci->wmask[PCI_SBRN] = 0;
    pci->wmask[PCI_FLADJ] = 0x3f;
    pci_register_bar(
        pci, 0, PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64,
        &x->bar);
    if (pci_add_capability(pci, PCI_CAP_ID_PM, PCI_CAP_PM_OFFSET, PCI_PM_SIZEOF,
                           errp) < 0) {
        return false;
    }
    create_power_management(pci);
    if (pci_bus_is_express(pci_get_bus(pci)) &&
        pcie_endpoint_cap_init(pci, PCI_CAP_EXPRESS_OFFSET) < 0) {
        error_setg(errp, "ixhci: no room for a PCI Express capability");
        return false;
    }
    return create_messages(x, errp);
}

static void pci_exit(PCIDevice *pci)
{
    IxhciState *x = IXHCI(pci);

    ixhci_filter_unrealize(x);
    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot_disable(&x->slots[i]);
    }
    ixhci_dbc_exit(x);
    for (unsigned i = 0; i < IXHCI_EVENT_RINGS; i++) {
        ixhci_event_reset(x, i);
        g_queue_free(x->intrs[i].waiting);
    }
    for (unsigned i = 0; i < MAX(x->num_usb2, x->num_usb3); i++) {
        usb_unregister_port(&x->bus, &x->uports[i]);
    }
    timer_free(x->timer);
    ixhci_capture_exit(x);
    ixhci_strict_exit(x);
    ixhci_ram_exit(&x->ram);
    usb_bus_release(&x->bus);
    if (msix_present(pci)) {
        msix_uninit(pci, &x->bar, &x->bar);
    }
    msi_uninit(pci);
}

static void pci_realize(PCIDevice *pci, Error **errp)
{
    IxhciState *x = IXHCI(pci);

    if (!check_properties(x, errp)) {
        return;
    }
    x->dma = &ixhci_dma_guest;
    x->usb = &ixhci_bus_usb;
    x->sched = &ixhci_sched_clock;
    x->event = &ixhci_event_guest;
    x->irq = &ixhci_intr_pci;
    x->commands = &ixhci_command_table;
    x->link = &ixhci_link_model;
    x->regs = &ixhci_regs_model;

    memory_region_init_io(&x->bar, OBJECT(x), &ixhci_regs_ops, x, "ixhci",
                          IXHCI_BAR_BYTES);
    if (!ixhci_capture_realize(x, errp)) {
        return;
    }
    if (!create_config(x, errp)) {
        ixhci_capture_exit(x);
        return;
    }
    ixhci_ram_init(&x->ram, pci_get_address_space(pci));
    QTAILQ_INIT(&x->work);
    x->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, ixhci_service, x);
    for (unsigned i = 0; i < IXHCI_EVENT_RINGS; i++) {
        x->intrs[i].waiting = g_queue_new();
    }
    for (unsigned i = 0; i < IXHCI_MAX_SLOTS; i++) {
        x->slots[i].slot_id = i + 1;
    }
    ixhci_strict_init(x);
    create_ports(x);
    ixhci_xcap_init(x);
    ixhci_dbc_init(x);
    if (!ixhci_filter_realize(x, errp)) {
        pci_exit(pci);
    }
}

/* Bus Master Enable and the messages are things that the guest can change. */
static void pci_write_config(PCIDevice *pci, uint32_t addr, uint32_t value,
                             int bytes)
{
    ixhci_service_sync(IXHCI(pci));
    pci_default_write_config(pci, addr, value, bytes);
    if (ranges_overlap(addr, bytes, PCI_COMMAND, 2)) {
        ixhci_xcap_note(IXHCI(pci), LEGCTL_PCI_COMMAND);
    }
    if (ranges_overlap(addr, bytes, PCI_BASE_ADDRESS_0, 8)) {
        ixhci_xcap_note(IXHCI(pci), LEGCTL_BAR);
    }
}

static void pci_reset(DeviceState *dev)
{
    pci_set_word(PCI_DEVICE(dev)->config + PCI_CAP_PM_OFFSET + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    ixhci_xcap_reset(IXHCI(dev));
    ixhci_dbc_reset(IXHCI(dev));
    ixhci_power_chip_reset(IXHCI(dev));
}

static ISOLABProperty properties[] = {
    DEFINE_PROP_UINT32("p2", IxhciState, num_usb2, 4),
    DEFINE_PROP_UINT32("p3", IxhciState, num_usb3, 4),
    DEFINE_PROP_UINT32("slots", IxhciState, num_slots, 64),
    DEFINE_PROP_UINT32("intrs", IxhciState, num_intrs, IXHCI_MAX_INTRS),
    DEFINE_PROP_BOOL("streams", IxhciState, streams, true),
    DEFINE_PROP_BOOL("coalesce", IxhciState, coalesce, true),
    DEFINE_PROP_BOOL("strict", IxhciState, strict, false),
    DEFINE_PROP_STRING("hci-version", IxhciState, hci_version),
    DEFINE_PROP_BOOL("csz", IxhciState, csz, false),
    DEFINE_PROP_CHR("dbc", IxhciState, dbc.chr),
    DEFINE_PROP_BOOL("legacy", IxhciState, legacy, true),
    DEFINE_PROP_UINT32("scratchpads", IxhciState, scratchpads, 0),
    DEFINE_PROP_UINT32("capture-snaplen", IxhciState, capture_snaplen,
                       USBMON_SNAPLEN_MAX),
    DEFINE_PROP_ON_OFF_AUTO("msi", IxhciState, msi, ON_OFF_AUTO_OFF),
    DEFINE_PROP_ON_OFF_AUTO("msix", IxhciState, msix, ON_OFF_AUTO_AUTO),
    ISOLAB_PROPERTIES_END
};

/* What `-device ixhci,help` says of them. */
static const struct {
    const char *name;
    const char *text;
} descriptions[] = {
    { "p2", "USB2 root ports, 0 to 15" },
    { "p3", "USB3 root ports, 0 to 15" },
    { "slots", "device slots, 1 to 127" },
    { "intrs", "interrupters, 1 to 16" },
    { "hci-version", "revision of the specification: " IXHCI_REVISIONS },
    { "csz", "64-byte contexts" },
    { "scratchpads", "pages that the driver lends for saved state, 0 to 1023" },
    { "capture-snaplen", "bytes of a record in a capture, 128 to 262144" },
    { "legacy", "USB Legacy Support capability" },
    { "dbc", "Debug Capability: chardev at the other end of its cable" },
    { "strict", "say where a driver breaks the specification" },
    { "coalesce", "serve ESITs that nobody hears of in batches" },
};

static void ixhci_instance_init(Object *obj)
{
    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
}

static void ixhci_instance_finalize(Object *obj)
{
    g_free(IXHCI(obj)->capture_file);
    ixhci_filter_finalize(IXHCI(obj));
}

static void ixhci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->desc = "IsoLab xHCI 1.2 host controller";
    device_class_set_legacy_reset(dc, pci_reset);
    dc->vmsd = &ixhci_vmstate;
    ixhci_host_class_init(klass);
    ixhci_stats_class_init(klass);
    ixhci_strict_class_init(klass);
    ixhci_capture_class_init(klass);
    ixhci_filter_class_init(klass);
    device_class_set_props(dc, properties);
    for (size_t i = 0; i < ARRAY_SIZE(descriptions); i++) {
        object_class_property_set_description(klass, descriptions[i].name,
                                              descriptions[i].text);
    }
    set_bit(DEVICE_CATEGORY_USB, dc->categories);
    pc->realize = pci_realize;
    pc->exit = pci_exit;
    pc->config_write = pci_write_config;
    pc->vendor_id = IXHCI_PCI_VENDOR;
    pc->device_id = IXHCI_PCI_DEVICE;
    pc->class_id = PCI_CLASS_SERIAL_USB;
    pc->revision = 1;
}

static const TypeInfo ixhci_info = {
    .name = TYPE_IXHCI,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(IxhciState),
    .instance_init = ixhci_instance_init,
    .instance_finalize = ixhci_instance_finalize,
    .class_init = ixhci_class_init,
    .interfaces =
        (InterfaceInfo[]){
            { INTERFACE_PCIE_DEVICE },
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            {},
        },
};

static void ixhci_register_types(void)
{
    type_register_static(&ixhci_info);
}

type_init(ixhci_register_types)
