/*
 * A producer-side xHCI driver for qtests: what a guest's driver would do,
 * said in the words of the specification, one step at a time.
 *
 * The rules that it keeps:
 *
 *  1. The specification decides, not the model: registers are found through
 *     CAPLENGTH, RTSOFF and DBOFF, ports through the Supported Protocol
 *     capabilities, the context size through CSZ. Nothing is assumed.
 *  2. Time is the virtual clock, and only hcd_step_uf moves it. The clock
 *     stands on a microframe boundary whenever a test looks: at MFINDEX m
 *     the transfers of microframe m - 1 are done and reported, those of m
 *     may be, those of m + 1 are not.
 *  3. Reading the event ring is reading guest memory, which a model cannot
 *     notice. HcdEvent.uf is the microframe at which the test first saw it.
 *  4. A check that fails ends the test (hcd_fail), says what was expected
 *     and what was there, and takes QEMU with it. Each test runs in a process
 *     of its own under a time limit, so that one that hangs or kills QEMU is
 *     one failed row and not the end of the run.
 *  5. Arguments are named: td_isoch(h, dev, 5, .frame_id = f, .len = 192).
 *
 * The controller is ixhci; IXHCI_TEST_CONTROLLER names another one, which is
 * how the tests are shown to fail where a model differs from the text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_HCD_H
#define TESTS_QTEST_LIB_HCD_H

#include "qemu/osdep.h"
#include "libqtest.h"

#include "isolab/xhci.h"

#define HCD_UF_NS 125000
#define HCD_UF_PER_SECOND 8000
#define HCD_MAX_VECTORS 16

/* A ring that software fills: one segment, closed by a Link TRB with TC. */
typedef struct {
    uint64_t base;
    unsigned size; /* TRBs, the Link included */
    unsigned enqueue;
    bool pcs;
} HcdRing;

/* An event ring of one segment. */
typedef struct {
    uint64_t erst;
    uint64_t base;
    unsigned size;
    unsigned dequeue;
    bool ccs;
} HcdEventRing;

/* An event, decoded. */
typedef struct {
    xhci_trb trb;
    unsigned type;
    unsigned cc;
    uint64_t ptr;
    uint32_t len;
    unsigned slot_id;
    unsigned dci;
    unsigned port_id;
    bool ed;
    uint64_t uf; /* when the test saw it */
} HcdEvent;

typedef struct {
    const char *controller; /* -device; NULL: as hcd_controller_name() says */
    const char *args;       /* more of QEMU's command line */
    const char *props;      /* of the controller: "p2=2,p3=0" */
    bool halted;            /* no INIT: the controller as it comes from reset */
    bool no_msix;
    bool own_clock;           /* args have another accelerator than qtest */
    void (*wait)(int64_t ns); /* for such a machine; NULL: ask it the time */
    unsigned slots_en;        /* CONFIG.MaxSlotsEn; 0: as many as there are */
    unsigned event_trbs;      /* in the event ring's segment; 0: 256 */
    unsigned usbcmd;          /* more bits to set with R/S */
    bool puppet;              /* with usb-puppet on its bus */
    bool puppet_in_args;      /* args say where */
    const char *machine;      /* NULL: q35 */
} HcdOptions;

typedef struct {
    QTestState *qts;
    uint64_t now_ns; /* the virtual clock, which only the test moves */
    HcdOptions options;
    uint64_t bar, bar_size;
    unsigned devfn;
    uint32_t op, rt, db, xecp;
    unsigned max_slots, max_intrs, max_ports;
    unsigned ctx_bytes; /* 32 or 64 */
    bool cfc;
    unsigned ist_uf;
    uint64_t heap;
    uint64_t dcbaa;
    HcdRing cmd;
    HcdEventRing evt;
    GQueue stash;     /* HcdEvent *: seen while something else was awaited */
    bool keep_erdp;   /* the test writes ERDP itself */
    bool takes_zero;  /* an event with code 0 is no failure */
    bool may_be_dead; /* HSE or HCE is no failure at the end */
    unsigned msix_cap;
    uint64_t msix_word[HCD_MAX_VECTORS]; /* where vector n's message lands */
} Hcd;

/* A device behind a slot. */
typedef struct {
    unsigned slot_id;
    unsigned port_id;
    unsigned speed;
    uint32_t route;           /* behind a hub */
    unsigned tt_hub, tt_port; /* behind a transaction translator */
    uint64_t in_ctx;
    uint64_t out_ctx;
    HcdRing ring[32]; /* by DCI */
} HcdDev;

/* harness.c: a test is a name that begins with a conformance ID. */
void hcd_test_add(const char *name, void (*fn)(void));
void hcd_test_add_data(const char *name, void (*fn)(const void *),
                       const void *data);
int hcd_test_main(int argc, char **argv);
G_NORETURN void hcd_fail(const char *file, int line, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
#define hcd_check(cond, ...)                           \
    do {                                               \
        if (!(cond)) {                                 \
            hcd_fail(__FILE__, __LINE__, __VA_ARGS__); \
        }                                              \
    } while (0)
const char *hcd_controller_name(void);

/* guest.c: start and end, guest memory, time. */
Hcd *hcd_start_with(HcdOptions options);
#define hcd_start(...) hcd_start_with((HcdOptions){ __VA_ARGS__ })
void hcd_finish(Hcd *h);
QTestState *hcd_launch(const HcdOptions *options, const char *more);
char *hcd_rom_file(const uint8_t *code, size_t bytes);
char *hcd_rom_halt(void);
uint64_t hcd_alloc(Hcd *h, uint64_t bytes, uint64_t align);
uint64_t hcd_alloc_filled(Hcd *h, uint64_t bytes, uint8_t value);
void hcd_trb_store(Hcd *h, uint64_t gpa, xhci_trb trb);
xhci_trb hcd_trb_load(Hcd *h, uint64_t gpa);
bool hcd_mem_is(Hcd *h, uint64_t gpa, uint64_t bytes, uint8_t value);
uint64_t hcd_now_uf(Hcd *h);
void hcd_step_uf(Hcd *h, uint64_t microframes);
void hcd_step_to_uf(Hcd *h, uint64_t microframe);
void hcd_plug(Hcd *h, const char *driver, const char *id);
void hcd_unplug(Hcd *h, const char *id);

/* migrate.c: the test goes on in another QEMU. hcd_load: NULL, and nothing
 * worse, when the file is refused. */
void hcd_migrate(Hcd *h);
void hcd_save(Hcd *h, const char *file);
QTestState *hcd_load(Hcd *h, const char *file);

/* pci.c */
uint32_t hcd_pci_read(Hcd *h, unsigned offset);
void hcd_pci_write(Hcd *h, unsigned offset, uint32_t value);
unsigned hcd_pci_find_cap(Hcd *h, unsigned id);
void hcd_pci_enable(Hcd *h);
void hcd_pci_set_bus_master(Hcd *h, bool on);
void hcd_pci_enable_msix(Hcd *h);
bool hcd_msix_take(Hcd *h, unsigned vector);

/* regs.c: registers by their offsets in isolab/xhci.h, and INIT. */
uint32_t hcd_cap_read(Hcd *h, unsigned offset);
void hcd_cap_write(Hcd *h, unsigned offset, uint32_t value);
uint32_t hcd_op_read(Hcd *h, unsigned offset);
void hcd_op_write(Hcd *h, unsigned offset, uint32_t value);
uint32_t hcd_rt_read(Hcd *h, unsigned offset);
void hcd_rt_write(Hcd *h, unsigned offset, uint32_t value);
uint32_t hcd_intr_read(Hcd *h, unsigned offset);
void hcd_intr_write(Hcd *h, unsigned offset, uint32_t value);
void hcd_doorbell(Hcd *h, unsigned slot_id, unsigned target);
void hcd_ring_ep(Hcd *h, HcdDev *dev, unsigned dci);
unsigned hcd_mfindex(Hcd *h);
unsigned hcd_frame(Hcd *h);
void hcd_read_capabilities(Hcd *h);
void hcd_reset(Hcd *h);
void hcd_init(Hcd *h);
void hcd_run(Hcd *h);
void hcd_halt(Hcd *h);

/* port.c: port_id is 1-based. */
uint32_t hcd_portsc(Hcd *h, unsigned port_id);
void hcd_portsc_write(Hcd *h, unsigned port_id, uint32_t set);
void hcd_portsc_clear(Hcd *h, unsigned port_id, uint32_t changes);
unsigned hcd_port_protocol(Hcd *h, unsigned port_id);
unsigned hcd_port_connected(Hcd *h, unsigned nth);
void hcd_port_reset(Hcd *h, unsigned port_id);

/* ring.c */
HcdRing hcd_ring_new(Hcd *h, unsigned size);
uint64_t hcd_ring_put(Hcd *h, HcdRing *ring, xhci_trb trb);
uint64_t hcd_ring_next(const HcdRing *ring);
xhci_trb hcd_trb_ptr(unsigned type, uint64_t ptr, uint32_t dw2, uint32_t dw3);

/* event.c */
HcdEventRing hcd_event_ring_new(Hcd *h, unsigned trbs);
bool hcd_event_ring_take(Hcd *h, HcdEventRing *ring, HcdEvent *event);
void hcd_event_ring_init(Hcd *h, unsigned trbs);
bool hcd_event_take(Hcd *h, HcdEvent *event);
void hcd_event_ack(Hcd *h);
uint64_t hcd_event_dequeue(Hcd *h);
bool hcd_event_wait(Hcd *h, uint64_t limit_uf, HcdEvent *event);
void hcd_event_drain(Hcd *h);
char *hcd_event_text(const HcdEvent *event);
void hcd_expect_quiet_at(Hcd *h, uint64_t microframes, const char *file,
                         int line);
#define hcd_expect_quiet(h, microframes) \
    hcd_expect_quiet_at(h, microframes, __FILE__, __LINE__)

/* intr.c: interrupter n and its ring. */
HcdEventRing hcd_intr_n_open(Hcd *h, unsigned n, unsigned trbs);
void hcd_intr_n_ack(Hcd *h, unsigned n, const HcdEventRing *ring);
uint32_t hcd_intr_n_read(Hcd *h, unsigned n, unsigned offset);
void hcd_intr_n_write(Hcd *h, unsigned n, unsigned offset, uint32_t value);

/* What a Transfer Event must say; a field left out is not looked at, except
 * that ED is 0 unless asked for. `cc2` is a second code that is also right. */
typedef struct {
    HcdDev *dev;
    unsigned dci;
    unsigned cc, cc2;
    uint64_t ptr;
    int64_t len; /* -1: 0 is expected */
    bool ed;
    uint64_t limit_uf; /* 0: one second */
} HcdExpect;
HcdEvent hcd_expect_te_at(Hcd *h, const char *file, int line, HcdExpect want);
#define hcd_expect_te(h, ...) \
    hcd_expect_te_at(h, __FILE__, __LINE__, (HcdExpect){ __VA_ARGS__ })
#define HCD_LEN_0 (-1)
HcdEvent hcd_expect_type_at(Hcd *h, unsigned type, const char *file, int line);
#define hcd_expect_type(h, type) hcd_expect_type_at(h, type, __FILE__, __LINE__)

/* command.c: hcd_cmd_post only queues; hcd_cmd rings and waits for the CCE. */
uint64_t hcd_cmd_post(Hcd *h, xhci_trb trb);
HcdEvent hcd_cmd(Hcd *h, xhci_trb trb);
unsigned hcd_cmd_simple(Hcd *h, unsigned type, unsigned slot_id, unsigned dci,
                        uint32_t flags);
xhci_trb hcd_cmd_trb(unsigned type, unsigned slot_id, unsigned dci,
                     uint32_t flags);
unsigned hcd_cmd_enable_slot(Hcd *h);
unsigned hcd_cmd_address(Hcd *h, HcdDev *dev, uint32_t flags);
unsigned hcd_cmd_configure(Hcd *h, HcdDev *dev, uint32_t add, uint32_t drop);
unsigned hcd_cmd_evaluate(Hcd *h, HcdDev *dev, uint32_t add);
unsigned hcd_cmd_stop(Hcd *h, HcdDev *dev, unsigned dci);
unsigned hcd_cmd_reset_ep(Hcd *h, HcdDev *dev, unsigned dci);
unsigned hcd_cmd_set_dequeue(Hcd *h, HcdDev *dev, unsigned dci, uint64_t ptr,
                             bool dcs);
void hcd_cmd_skip_all(Hcd *h, HcdDev *dev, unsigned dci);
#define hcd_expect_cc(got, want)                                               \
    do {                                                                       \
        unsigned got_ = (got);                                                 \
        hcd_check(got_ == (want), "%s: completion code %u, expected %u", #got, \
                  got_, (unsigned)(want));                                     \
    } while (0)

/* slot.c: contexts and devices. */
typedef struct {
    unsigned dci;
    unsigned type;
    unsigned mps;
    unsigned burst;
    unsigned mult;
    unsigned interval;
    unsigned esit; /* Max ESIT Payload, 24 bits */
    unsigned cerr;
    unsigned trbs; /* of its ring; 0: 64 */
} HcdEp;
uint32_t hcd_in_read(Hcd *h, HcdDev *dev, unsigned index, unsigned dw);
void hcd_in_write(Hcd *h, HcdDev *dev, unsigned index, unsigned dw,
                  uint32_t value);
uint32_t hcd_out_read(Hcd *h, HcdDev *dev, unsigned index, unsigned dw);
unsigned hcd_slot_state(Hcd *h, HcdDev *dev);
unsigned hcd_ep_state(Hcd *h, HcdDev *dev, unsigned dci);
uint64_t hcd_ep_dequeue(Hcd *h, HcdDev *dev, unsigned dci);
HcdDev *hcd_dev_new(Hcd *h, unsigned port_id);
void hcd_dev_prepare_address(Hcd *h, HcdDev *dev);
HcdDev *hcd_dev_ready(Hcd *h, unsigned port_id);
HcdDev *hcd_dev_open(Hcd *h, unsigned port_id);
void hcd_ep_prepare(Hcd *h, HcdDev *dev, HcdEp ep);
void hcd_ep_add_with(Hcd *h, HcdDev *dev, HcdEp ep);
#define hcd_ep_add(h, dev, ...) hcd_ep_add_with(h, dev, (HcdEp){ __VA_ARGS__ })

/* td.c: each call queues one TRB and returns its address; no doorbell. */
typedef struct {
    unsigned type;
    uint64_t buf; /* or the immediate data, or an Event Data parameter */
    uint32_t len;
    unsigned td_size;
    unsigned target; /* Interrupter Target */
    bool isp, ch, ioc, idt, ent, bei, ns;
    bool sia; /* Isoch */
    unsigned frame_id;
    unsigned tbc, tlbpc;
    bool ete;     /* TBC is where TD Size is */
    unsigned trt; /* Setup Stage */
    bool in;      /* Data and Status Stage */
} HcdTd;
uint64_t hcd_td(Hcd *h, HcdDev *dev, unsigned dci, HcdTd td);
#define td_normal(h, dev, dci, ...) \
    hcd_td(h, dev, dci, (HcdTd){ .type = TRB_NORMAL, __VA_ARGS__ })
#define td_isoch(h, dev, dci, ...) \
    hcd_td(h, dev, dci, (HcdTd){ .type = TRB_ISOCH, __VA_ARGS__ })
#define td_event_data(h, dev, dci, ...) \
    hcd_td(h, dev, dci, (HcdTd){ .type = TRB_EVENT_DATA, __VA_ARGS__ })
#define td_noop(h, dev, dci, ...) \
    hcd_td(h, dev, dci, (HcdTd){ .type = TRB_NOOP, __VA_ARGS__ })
#define td_data(h, dev, ...) \
    hcd_td(h, dev, 1, (HcdTd){ .type = TRB_DATA_STAGE, __VA_ARGS__ })
#define td_status(h, dev, ...) \
    hcd_td(h, dev, 1, (HcdTd){ .type = TRB_STATUS_STAGE, __VA_ARGS__ })

typedef struct {
    uint8_t type, request;
    uint16_t value, index, length;
} HcdSetup;
uint64_t hcd_setup_bytes(HcdSetup setup);
uint64_t td_setup(Hcd *h, HcdDev *dev, HcdSetup setup);
/* A control transfer; the code of the event that ended it. */
unsigned hcd_control(Hcd *h, HcdDev *dev, HcdSetup setup, uint64_t buf);
void hcd_set_configuration(Hcd *h, HcdDev *dev, unsigned value);

/* msd.c: usb-storage with a null drive, as a source of bulk transfers. */
enum { MSD_IN = 3, MSD_OUT = 4 }; /* DCIs of 81h and 02h */
#define MSD_ARGS                                                            \
    "-blockdev driver=null-co,node-name=disk,size=16777216,read-zeroes=on " \
    "-device usb-storage,id=msd,bus=xhci.0,drive=disk "
HcdDev *hcd_msd_open(Hcd *h);
uint64_t hcd_msd_cbw(Hcd *h, uint8_t opcode, uint32_t data_bytes);
void hcd_msd_command(Hcd *h, HcdDev *dev, uint8_t opcode, uint32_t data_bytes);
unsigned hcd_msd_status(Hcd *h, HcdDev *dev);
#define MSD_CBW_BYTES 31
#define MSD_CSW_BYTES 13
#define MSD_TEST_UNIT_READY 0x00
#define MSD_INQUIRY 0x12
#define MSD_READ10 0x28
#define MSD_WRITE10 0x2a

/* kbd.c: usb-kbd, which NAKs until a key changes. */
enum { KBD_IN = 3, KBD_INTERVAL = 3, KBD_REPORT_BYTES = 8 };
#define KBD_ARGS "-device usb-kbd,id=kbd,bus=xhci.0 "
HcdDev *hcd_kbd_open(Hcd *h);
void hcd_kbd_key(Hcd *h, bool down);

/* puppet.c: usb-puppet, bulk on 81h and 02h, isochronous on 83h and 04h,
 * interrupt on 85h and 06h; its answers are those of puppet/puppet.c. */
enum {
    PUPPET_IN = 3,
    PUPPET_OUT = 4,
    PUPPET_ISOCH_IN = 7,
    PUPPET_ISOCH_OUT = 8,
    PUPPET_INT = 11,
    PUPPET_INT_OUT = 12
};

/* One endpoint of each type and direction; endpoint 0 is two, by its data
 * stage: GET_DESCRIPTOR of the device, and the vendor request that takes data.
 * TDs of `bytes` are done in one packet, a service interval each. */
enum {
    PUPPET_EP_CONTROL_IN,
    PUPPET_EP_CONTROL_OUT,
    PUPPET_EP_BULK_IN,
    PUPPET_EP_BULK_OUT,
    PUPPET_EP_INTERRUPT_IN,
    PUPPET_EP_INTERRUPT_OUT,
    PUPPET_EP_ISOCH_IN,
    PUPPET_EP_ISOCH_OUT,
    PUPPET_EPS
};
typedef struct {
    const char *name; /* "bulk-in" */
    HcdEp ep;
    bool in;
    unsigned bytes;
} HcdPuppetEp;
extern const HcdPuppetEp hcd_puppet_eps[PUPPET_EPS];

/* A TD of that size, with IOC, in a buffer of AAh and PUPPET_BEYOND more. */
#define PUPPET_BEYOND 64
typedef struct {
    uint64_t buf;
    uint64_t data;        /* the TRB that has the buffer, and ISP */
    uint64_t first, last; /* that or, of a control transfer, Setup and Status */
} HcdPuppetTd;
HcdPuppetTd hcd_puppet_queue(Hcd *h, HcdDev *dev, unsigned ep);
/* The device is configured, the endpoint too. */
HcdDev *hcd_puppet_open_ep(Hcd *h, unsigned ep);

HcdDev *hcd_puppet_configured(Hcd *h);
HcdDev *hcd_puppet_open(Hcd *h);
void hcd_puppet_answer(Hcd *h, const char *word);
void hcd_puppet_do(Hcd *h, const char *what); /* "release", "wake" */
uint64_t hcd_puppet_count(Hcd *h, const char *counter);
bool hcd_puppet_holds(Hcd *h);

/* isoav.c: usb-isoav, its test interface. */
enum { ISOAV_VIDEO = 3, ISOAV_IN = 5, ISOAV_OUT = 4 }; /* 81h, 82h, 02h */
#define ISOAV_ARGS "-device usb-isoav,id=av,bus=xhci.0 "
#define ISOAV_SUPER_ARGS "-device usb-isoav,id=av,bus=xhci.0,speed=super "
HcdDev *hcd_isoav_configured(Hcd *h);
void hcd_isoav_select(Hcd *h, HcdDev *dev, unsigned alternate);
/* With both endpoints, or with one: 3 x 1024 bytes in each microframe both
 * ways is more than a high-speed bus has (USB 2.0 §5.6.4). */
HcdDev *hcd_isoav_open(Hcd *h, unsigned alternate);
HcdDev *hcd_isoav_open_one(Hcd *h, unsigned alternate, unsigned dci);
void hcd_isoav_add_ep(Hcd *h, HcdDev *dev, unsigned alternate, unsigned dci);
unsigned hcd_isoav_packet_bytes(unsigned alternate);
uint64_t hcd_isoav_microframe(Hcd *h, uint64_t buf, uint32_t bytes);
uint32_t hcd_isoav_sequence(Hcd *h, uint64_t buf, uint32_t bytes);
uint64_t hcd_isoav_out_packet(Hcd *h, uint32_t sequence, uint32_t bytes);
uint64_t hcd_isoav_counter(Hcd *h, HcdDev *dev, unsigned counter);

#endif
