/*
 * The machine around the controller: QEMU's start and end, guest memory that
 * is handed out and never taken back, and the virtual clock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"
#include "compat.h"
#include "qemu/bswap.h"

#define RAM_BYTES (64u << 20)
#define HEAP_START (1u << 20)
#define PCI_SLOT 4
#define PUPPET_ARGS "-device usb-puppet,id=puppet,bus=xhci.0 "

/* The puppet is in a shared object of the tests, for QEMU and no other. */
QTestState *hcd_launch(const HcdOptions *options, const char *more)
{
    const char *puppet = g_getenv("ISOLAB_PUPPET");
    g_autofree char *before = g_strdup(g_getenv("LD_PRELOAD"));
    QTestState *qts;

    if (options->puppet || options->puppet_in_args) {
        hcd_check(puppet, "ISOLAB_PUPPET must name isolab-puppet.so");
        g_autofree char *both =
            g_strjoin(":", puppet, before ? before : "", NULL);

        g_setenv("LD_PRELOAD", both, true);
    }
    qts = qtest_initf(
        "-machine %s -nodefaults -m %u -device %s,id=xhci,addr=%u%s%s %s%s %s",
        options->machine ? options->machine : "q35", RAM_BYTES >> 20,
        options->controller ? options->controller : hcd_controller_name(),
        PCI_SLOT, options->props ? "," : "",
        options->props ? options->props : "",
        options->puppet ? PUPPET_ARGS : "", options->args ? options->args : "",
        more);
    if (before) {
        g_setenv("LD_PRELOAD", before, true);
    } else {
        g_unsetenv("LD_PRELOAD");
    }
    return qts;
}

/* A machine with a clock of its own says itself how late it is: by MFINDEX,
 * which counts while the controller runs. A halted one has nothing to wait
 * for. */
static void follow_clock(Hcd *h, int64_t ns)
{
    uint64_t want = DIV_ROUND_UP(ns, HCD_UF_NS), passed = 0;
    unsigned last = hcd_mfindex(h), now;

    while (passed < want && !(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH)) {
        now = hcd_mfindex(h);
        passed += (now - last) & MFINDEX_MASK;
        last = now;
    }
    h->now_ns += ns;
}

static void move_clock(Hcd *h, int64_t ns)
{
    if (!h->options.own_clock) {
        h->now_ns = qtest_clock_step(h->qts, ns);
    } else if (h->options.wait) {
        h->options.wait(ns);
        h->now_ns += ns;
    } else {
        follow_clock(h, ns);
    }
}

Hcd *hcd_start_with(HcdOptions options)
{
    Hcd *h = g_new0(Hcd, 1);

    h->options = options;
    h->heap = HEAP_START;
    h->devfn = PCI_SLOT << 3;
    g_queue_init(&h->stash);
    h->qts = hcd_launch(&options, "");
    hcd_pci_enable(h);
    hcd_read_capabilities(h);
    if (!options.no_msix) {
        hcd_pci_enable_msix(h);
    }
    hcd_step_uf(h, 1);
    if (!options.halted) {
        hcd_init(h);
    }
    return h;
}

/* Whatever the test did, the controller must not have died of it. */
void hcd_finish(Hcd *h)
{
    uint32_t status = hcd_op_read(h, XHCI_USBSTS);

    hcd_check(h->may_be_dead || !(status & (USBSTS_HSE | USBSTS_HCE)),
              "at the end of the test USBSTS is %08x: the controller gave up",
              status);
    qtest_quit(h->qts);
    while (!g_queue_is_empty(&h->stash)) {
        g_free(g_queue_pop_head(&h->stash));
    }
    g_free(h);
}

uint64_t hcd_alloc(Hcd *h, uint64_t bytes, uint64_t align)
{
    uint64_t gpa = ROUND_UP(h->heap, align);

    h->heap = gpa + bytes;
    hcd_check(h->heap <= RAM_BYTES, "the test used up guest memory");
    return gpa;
}

/* A buffer between two guards that hold the same value as itself. */
uint64_t hcd_alloc_filled(Hcd *h, uint64_t bytes, uint8_t value)
{
    uint64_t gpa = hcd_alloc(h, bytes + 128, 64) + 64;

    qtest_memset(h->qts, gpa - 64, value, bytes + 128);
    return gpa;
}

void hcd_trb_store(Hcd *h, uint64_t gpa, xhci_trb trb)
{
    uint32_t wire[4];

    for (unsigned i = 0; i < 4; i++) {
        wire[i] = cpu_to_le32(trb.dw[i]);
    }
    qtest_bufwrite(h->qts, gpa, wire, sizeof(wire));
}

xhci_trb hcd_trb_load(Hcd *h, uint64_t gpa)
{
    uint32_t wire[4];
    xhci_trb trb;

    qtest_bufread(h->qts, gpa, wire, sizeof(wire));
    for (unsigned i = 0; i < 4; i++) {
        trb.dw[i] = le32_to_cpu(wire[i]);
    }
    return trb;
}

bool hcd_mem_is(Hcd *h, uint64_t gpa, uint64_t bytes, uint8_t value)
{
    g_autofree uint8_t *copy = g_malloc(bytes);

    qtest_bufread(h->qts, gpa, copy, bytes);
    for (uint64_t i = 0; i < bytes; i++) {
        if (copy[i] != value) {
            return false;
        }
    }
    return true;
}

uint64_t hcd_now_uf(Hcd *h)
{
    return h->now_ns / HCD_UF_NS;
}

void hcd_step_to_uf(Hcd *h, uint64_t microframe)
{
    uint64_t target_ns = microframe * HCD_UF_NS;

    if (target_ns > h->now_ns) {
        move_clock(h, target_ns - h->now_ns);
    }
}

void hcd_step_uf(Hcd *h, uint64_t microframes)
{
    hcd_step_to_uf(h, hcd_now_uf(h) + microframes);
}

void hcd_plug(Hcd *h, const char *driver, const char *id)
{
    qtest_qmp_device_add(h->qts, driver, id, "{'bus': 'xhci.0'}");
}

#define ROM_BYTES 65536
#define RESET_VECTOR 0xfff0 /* from the ROM's start; its end is at 4 GiB */

/* For -bios: code in 16 bytes at the reset vector. The caller unlinks it. */
char *hcd_rom_file(const uint8_t *code, size_t bytes)
{
    g_autofree uint8_t *rom = g_malloc0(ROM_BYTES);
    char *path;
    int fd = g_file_open_tmp("isolab-rom-XXXXXX", &path, NULL);

    g_assert_cmpuint(bytes, <=, ROM_BYTES - RESET_VECTOR);
    memcpy(rom + RESET_VECTOR, code, bytes);
    hcd_check(fd >= 0 && write(fd, rom, ROM_BYTES) == ROM_BYTES,
              "there is no place for a file of 64 KiB");
    close(fd);
    return path;
}

/* One for a CPU that stands still: cli; hlt; jmp back to it, should an NMI
 * wake it. */
char *hcd_rom_halt(void)
{
    static const uint8_t code[] = { 0xfa, 0xf4, 0xeb, 0xfd };

    return hcd_rom_file(code, sizeof(code));
}

/* USB devices go at once; the event DEVICE_DELETED confirms it. */
void hcd_unplug(Hcd *h, const char *id)
{
    qtest_qmp_device_del(h->qts, id);
}
