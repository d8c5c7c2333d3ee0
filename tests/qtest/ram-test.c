/*
 * The controller reaches guest RAM without asking QEMU's memory map each time
 * (hw/xhci/ram.h). What could go wrong then: memory moves and the controller
 * goes on using the old place, and what it writes is not noticed by those who
 * must notice it.
 *
 * The memory that moves is a BAR: ivshmem has one that is plain RAM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#include "qemu/bswap.h"

#define SHM_ARGS                                          \
    "-object memory-backend-ram,id=mem,size=1M,share=on " \
    "-device ivshmem-plain,id=shm,memdev=mem,addr=5 " KBD_ARGS
#define SHM_DEVFN (5 << 3)
#define SHM_BAR2_REG 0x18
#define PLACE_1 0xd0000000u
#define PLACE_2 0xd8000000u
#define BYTES 18 /* of a Device Descriptor */

static void move_memory(Hcd *h, uint32_t place)
{
    unsigned devfn = h->devfn;

    h->devfn = SHM_DEVFN;
    hcd_pci_write(h, SHM_BAR2_REG, place);
    hcd_pci_write(h, SHM_BAR2_REG + 4, 0);
    hcd_pci_set_bus_master(h, true); /* and memory decoding */
    h->devfn = devfn;
}

static void read_descriptor(Hcd *h, HcdDev *dev, uint64_t buf)
{
    HcdSetup get_descriptor = {
        .type = 0x80, .request = 6, .value = 0x0100, .length = BYTES
    };

    hcd_expect_cc(hcd_control(h, dev, get_descriptor, buf), CC_SUCCESS);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112,
              "there is no Device Descriptor at %" PRIx64, buf);
}

static void expect_host_error(Hcd *h)
{
    uint32_t status = hcd_op_read(h, XHCI_USBSTS);

    hcd_check((status & (USBSTS_HSE | USBSTS_HCH)) == (USBSTS_HSE | USBSTS_HCH),
              "USBSTS is %08x, expected HSE and HCH", status);
    h->may_be_dead = true;
}

/* Where a buffer's memory was there is nothing now: a failed access. */
static void memory_moves(void)
{
    Hcd *h = hcd_start(.args = SHM_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    move_memory(h, PLACE_1);
    read_descriptor(h, dev, PLACE_1 + 0x40);
    move_memory(h, PLACE_2);
    read_descriptor(h, dev, PLACE_2 + 0x80);
    qtest_memset(h->qts, PLACE_2, 0xaa, 4096);

    td_setup(
        h, dev,
        (HcdSetup){
            .type = 0x80, .request = 6, .value = 0x0100, .length = BYTES });
    td_data(h, dev, .buf = PLACE_1 + 0x40, .len = BYTES, .in = true);
    td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_step_uf(h, 8);
    expect_host_error(h);
    hcd_check(hcd_mem_is(h, PLACE_2, 4096, 0xaa),
              "memory was written that is somewhere else now");
    hcd_finish(h);
}

/* The same of a ring, which moves while it is in use. */
static void ring_moves(void)
{
    Hcd *h = hcd_start(.args = SHM_ARGS);
    xhci_trb noop = hcd_trb_ptr(CMD_NOOP, 0, 0, TRB_C);
    HcdEvent event;

    move_memory(h, PLACE_1);
    qtest_memset(h->qts, PLACE_1, 0, 4096);
    hcd_halt(h);
    hcd_op_write(h, XHCI_CRCR_LO, PLACE_1 | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_event_drain(h);
    hcd_trb_store(h, PLACE_1, noop);
    hcd_doorbell(h, 0, 0);
    event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_check(event.ptr == PLACE_1, "a completion of %" PRIx64, event.ptr);

    move_memory(h, PLACE_2);
    hcd_trb_store(h, PLACE_2 + 16, noop);
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 8);
    expect_host_error(h);
    hcd_finish(h);
}

/*
 * A guest that runs code which the controller then writes over, in real mode:
 * the ROM waits for the byte at FLAG and jumps to CODE. There stands a loop
 * that counts, in the place of an event; an Event Data TRB brings eight bytes
 * of the driver's choice there, which set the byte at DONE. QEMU has translated
 * the loop and goes on with it unless it is told of the write.
 */
#define FLAG 0x9000
#define DONE 0x9001
#define COUNT 0x9004
#define CODE 0x20000
#define ROM_BYTES 65536
#define RESET_VECTOR 0xfff0

static const uint8_t rom_code[] = {
    0x80, 0x3e, 0x00, 0x90, 0x00, /* cmp byte [FLAG], 0 */
    0x74, 0xf9,                   /* je back to it */
    0xea, 0x00, 0x00, 0x00, 0x20, /* jmp 2000h:0000h, which is CODE */
};
static const uint8_t old_code[] = {
    0xff, 0x06, 0x04, 0x90, /* inc word [COUNT] */
    0xeb, 0xfa,             /* jmp back to it */
};
static const uint8_t new_code[8] = {
    0xc6, 0x06, 0x01, 0x90, 0x55, /* mov byte [DONE], 55h */
    0xeb, 0xfe,                   /* jmp to itself */
};

static char *write_rom(void)
{
    g_autofree uint8_t *rom = g_malloc0(ROM_BYTES);
    char *path;
    int fd = g_file_open_tmp("isolab-rom-XXXXXX", &path, NULL);

    memcpy(rom + RESET_VECTOR, rom_code, sizeof(rom_code));
    hcd_check(fd >= 0 && write(fd, rom, ROM_BYTES) == ROM_BYTES,
              "there is no place for a file of 64 KiB");
    close(fd);
    return path;
}

/* The guest gets there in its own time; the bound is for one that does not. */
static bool becomes_set(Hcd *h, uint64_t gpa)
{
    for (unsigned n = 0; n < 100000; n++) {
        if (qtest_readb(h->qts, gpa)) {
            return true;
        }
    }
    return false;
}

static void code_is_overwritten(void)
{
    g_autofree char *rom = write_rom();
    g_autofree char *args =
        g_strdup_printf("-accel tcg -bios %s " KBD_ARGS, rom);
    Hcd *h = hcd_start(.args = args, .own_clock = true);
    HcdDev *dev = hcd_kbd_open(h);

    unlink(rom);
    hcd_event_drain(h);
    /* an event ring that begins where the code is */
    hcd_halt(h);
    h->evt.base = CODE;
    h->evt.size = 16;
    h->evt.dequeue = 0;
    h->evt.ccs = true;
    qtest_memset(h->qts, CODE, 0, 256);
    qtest_bufwrite(h->qts, CODE, old_code, sizeof(old_code));
    qtest_writeq(h->qts, h->evt.erst, CODE);
    qtest_writel(h->qts, h->evt.erst + 8, h->evt.size);
    hcd_intr_write(h, XHCI_ERSTSZ, 1);
    hcd_intr_write(h, XHCI_ERDP_LO, CODE);
    hcd_intr_write(h, XHCI_ERSTBA_LO, h->evt.erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    hcd_run(h);
    qtest_writeb(h->qts, FLAG, 1);
    hcd_check(becomes_set(h, COUNT), "the CPU does not run the loop");

    td_noop(h, dev, KBD_IN, .ch = true);
    td_event_data(h, dev, KBD_IN, .buf = ldq_le_p(new_code), .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_check(becomes_set(h, DONE),
              "the CPU still runs the code that the event has replaced");
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("OP-18/memory-moves", memory_moves);
    hcd_test_add("PCI-01/ring-moves", ring_moves);
    hcd_test_add("EVT-02/code-is-overwritten", code_is_overwritten);
    return hcd_test_main(argc, argv);
}
