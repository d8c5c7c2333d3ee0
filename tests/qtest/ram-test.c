/*
 * The controller reaches guest RAM without asking QEMU's memory map each time
 * (hw/xhci/ram.h). What could go wrong then: memory moves and the controller
 * goes on using the old place, and what it writes is not noticed by those who
 * must notice it.
 *
 * The memory that moves is a BAR: ivshmem has one that is plain RAM. What is
 * lent to a device (hw/xhci/buffer.c) is large TDs: here, of LARGE bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#include "compat.h"
#include "qemu/bswap.h"

#define SHM_ARGS                                          \
    "-object memory-backend-ram,id=mem,size=1M,share=on " \
    "-device ivshmem-plain,id=shm,memdev=mem,addr=5 "
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
    Hcd *h = hcd_start(.args = SHM_ARGS KBD_ARGS);
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

#define LARGE 20000
#define SERIAL_OUT 4 /* 02h */

/* Bytes of usb-puppet, which count on, from `first`. */
static void expect_counting(Hcd *h, uint64_t gpa, unsigned bytes,
                            unsigned first)
{
    g_autofree uint8_t *copy = g_malloc(bytes);

    qtest_bufread(h->qts, gpa, copy, bytes);
    for (unsigned i = 0; i < bytes; i++) {
        hcd_check(copy[i] == (uint8_t)(first + i),
                  "byte %u at %" PRIx64 " is %02x, expected %02x", i, gpa,
                  copy[i], (uint8_t)(first + i));
    }
}

/* A TD in pieces of every kind; what surrounds them is left alone. */
static void pieces_in(void)
{
    static const unsigned sizes[] = { 4096, 1, 0, 15000, 7, 896 };
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf[ARRAY_SIZE(sizes)], last = 0;
    unsigned first = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        bool more = i + 1 < ARRAY_SIZE(sizes);

        buf[i] = hcd_alloc_filled(h, sizes[i], 0xaa);
        last = td_normal(h, dev, PUPPET_IN, .buf = buf[i], .len = sizes[i],
                         .ch = more, .ioc = !more);
    }
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS,
                  .ptr = last, .len = HCD_LEN_0);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (sizes[i]) {
            expect_counting(h, buf[i], sizes[i], first);
        }
        hcd_check(hcd_mem_is(h, buf[i] - 64, 64, 0xaa) &&
                      hcd_mem_is(h, buf[i] + sizes[i], 64, 0xaa),
                  "something was written beside piece %u", i);
        first += sizes[i];
    }
    hcd_finish(h);
}

/* The other way, to a serial line that ends in a buffer. */
static void pieces_out(void)
{
    static const unsigned sizes[] = { 3, 5000, 1, 2188 };
    Hcd *h = hcd_start(.args = "-chardev ringbuf,id=line,size=8192 "
                               "-device usb-serial,bus=xhci.0,chardev=line");
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    g_autofree char *sent = g_malloc0(7192 + 1);
    unsigned at = 0;
    QDict *reply;

    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = SERIAL_OUT, .type = EP_TYPE_BULK_OUT, .mps = 64);
    for (unsigned i = 0; i < 7192; i++) {
        sent[i] = 'a' + i % 23;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        bool more = i + 1 < ARRAY_SIZE(sizes);
        uint64_t buf = hcd_alloc(h, sizes[i], 64);

        qtest_bufwrite(h->qts, buf, sent + at, sizes[i]);
        td_normal(h, dev, SERIAL_OUT, .buf = buf, .len = sizes[i], .ch = more,
                  .ioc = !more);
        at += sizes[i];
    }
    hcd_ring_ep(h, dev, SERIAL_OUT);
    hcd_expect_te(h, .dev = dev, .dci = SERIAL_OUT, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    reply = qtest_qmp(h->qts, "{'execute': 'ringbuf-read', 'arguments':"
                              " {'device': 'line', 'size': 8192}}");
    hcd_check(g_str_equal(qdict_get_str(reply, "return"), sent),
              "the serial line got something else");
    qobject_unref(reply);
    hcd_finish(h);
}

/* A packet in the device's hands keeps its memory, wherever that goes. */
static void held_packet_moves(void)
{
    Hcd *h = hcd_start(.args = SHM_ARGS, .puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t trb;

    move_memory(h, PLACE_1);
    qtest_memset(h->qts, PLACE_1, 0xaa, 65536);
    hcd_puppet_answer(h, "hold");
    trb = td_normal(h, dev, PUPPET_IN, .buf = PLACE_1 + 4096, .len = LARGE,
                    .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_check(hcd_puppet_holds(h), "the packet is not with the device");
    move_memory(h, PLACE_2);
    hcd_puppet_do(h, "release");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    expect_counting(h, PLACE_2 + 4096, LARGE, 0);
    hcd_check(hcd_mem_is(h, PLACE_2 + 4096 + LARGE, 4096, 0xaa),
              "something was written behind the buffer");
    hcd_finish(h);
}

/* A packet that is taken back has lent its memory in vain. */
static void held_packet_stops(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc_filled(h, LARGE, 0xaa), trb;

    hcd_puppet_answer(h, "hold");
    trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = LARGE, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_IN), CC_SUCCESS);
    hcd_event_drain(h);
    hcd_check(!hcd_puppet_holds(h) && hcd_mem_is(h, buf, LARGE, 0xaa),
              "a packet that was taken back has moved data");
    hcd_puppet_answer(h, "success");
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    expect_counting(h, buf, LARGE, 0);
    hcd_finish(h);
}

/* One piece is not in RAM: the TD takes the other way, and fails there. */
static void piece_nowhere(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc(h, LARGE, 64);

    td_normal(h, dev, PUPPET_IN, .buf = buf, .len = LARGE, .ch = true);
    td_normal(h, dev, PUPPET_IN, .buf = PLACE_1, .len = LARGE, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, 8);
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

/* The guest's CPU runs the loop when this returns. */
static Hcd *start_loop(void)
{
    g_autofree char *rom = hcd_rom_file(rom_code, sizeof(rom_code));
    g_autofree char *args = g_strdup_printf("-accel tcg -bios %s", rom);
    Hcd *h = hcd_start(.args = args, .own_clock = true, .puppet = true);

    unlink(rom);
    h->options.args = NULL;
    qtest_memset(h->qts, CODE, 0, 256);
    qtest_bufwrite(h->qts, CODE, old_code, sizeof(old_code));
    qtest_writeb(h->qts, FLAG, 1);
    hcd_check(becomes_set(h, COUNT), "the CPU does not run the loop");
    return h;
}

/* An event ring that begins where the code is. */
static void event_over_code(void)
{
    Hcd *h = start_loop();
    HcdDev *dev = hcd_puppet_open(h);

    hcd_event_drain(h);
    hcd_halt(h);
    h->evt.base = CODE;
    h->evt.size = 16;
    h->evt.dequeue = 0;
    h->evt.ccs = true;
    qtest_writeq(h->qts, h->evt.erst, CODE);
    qtest_writel(h->qts, h->evt.erst + 8, h->evt.size);
    hcd_intr_write(h, XHCI_ERSTSZ, 1);
    hcd_intr_write(h, XHCI_ERDP_LO, CODE);
    hcd_intr_write(h, XHCI_ERSTBA_LO, h->evt.erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    hcd_run(h);
    td_noop(h, dev, PUPPET_IN, .ch = true);
    td_event_data(h, dev, PUPPET_IN, .buf = ldq_le_p(new_code), .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_check(becomes_set(h, DONE),
              "the CPU still runs the code that the event has replaced");
    hcd_finish(h);
}

static bool becomes_halted(Hcd *h)
{
    bool halted = false;

    for (unsigned n = 0; n < 1000 && !halted; n++) {
        g_autofree char *registers = qtest_hmp(h->qts, "info registers");

        halted = strstr(registers, "HLT=1");
    }
    return halted;
}

/* Data of a device over the code: with byte F4h, which is HLT, at CODE. */
static void data_over_code(const void *data)
{
    unsigned bytes = GPOINTER_TO_UINT(data);
    Hcd *h = start_loop();
    HcdDev *dev = hcd_puppet_open(h);

    td_normal(h, dev, PUPPET_IN, .buf = CODE - 0xf4, .len = bytes, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    hcd_check(becomes_halted(h),
              "the CPU still runs the code that the data replaced");
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("OP-18/memory-moves", memory_moves);
    hcd_test_add("PCI-01/ring-moves", ring_moves);
    hcd_test_add("RING-01/pieces-in", pieces_in);
    hcd_test_add("RING-01/pieces-out", pieces_out);
    hcd_test_add("RING-01/held-packet-moves", held_packet_moves);
    hcd_test_add("RING-01/held-packet-stops", held_packet_stops);
    hcd_test_add("OP-18/piece-nowhere", piece_nowhere);
    hcd_test_add("EVT-02/event-over-code", event_over_code);
    hcd_test_add_data("RING-01/data-over-code", data_over_code,
                      GUINT_TO_POINTER(512));
    hcd_test_add_data("RING-01/lent-data-over-code", data_over_code,
                      GUINT_TO_POINTER(LARGE));
    return hcd_test_main(argc, argv);
}
