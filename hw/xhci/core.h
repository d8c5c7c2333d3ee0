/*
 * ixhci: the state of one controller, and the seams of its pipeline.
 *
 *   doorbell -> ring walk -> TD -> schedule -> packet -> retire -> event -> irq
 *
 *  1. Files call downward in that order. What comes from below comes back at
 *     two places only: an asynchronous packet at ixhci_packet_complete, time
 *     at ixhci_service. Both go to the front of the line, never into the
 *     middle of it.
 *  2. All work that is due at a time is on one list, and one timer on the
 *     virtual clock serves it. No work, no timer.
 *  3. The guest's view lives in guest memory and registers; what is cached
 *     here (endpoint state, dequeue pointer) is written out when it changes.
 *  4. The core reaches the world through small tables of functions, its seams.
 *     They are set when the device is realized; a filter (filter.c) may be put
 *     before each, and saves what it finds there, so that filters stack.
 *  5. While the controller itself accesses memory, accesses to its own
 *     registers are dropped: a ring, a buffer or an MSI address that points
 *     into BAR 0 does no harm.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_CORE_H
#define IXHCI_CORE_H

#include "compat.h"

#include "bandwidth.h"
#include "caps.h"
#include "context.h"
#include "dbc.h"
#include "names.h"
#include "ram.h"
#include "retire.h"
#include "sched.h"

#define TYPE_IXHCI "ixhci"
OBJECT_DECLARE_SIMPLE_TYPE(IxhciState, IXHCI)

/* Limits of the model; properties choose within them. */
#define IXHCI_MAX_SLOTS 127 /* a slot's number is its USB address */
#define IXHCI_MAX_PORTS 30  /* 15 USB2 and 15 USB3 */
#define IXHCI_MAX_INTRS 16
#define IXHCI_MAX_STREAMS 1024 /* with work at a time */
#define IXHCI_MAX_PSA_SIZE 7   /* 256 entries */
/* One event ring more than interrupters: that of the Debug Capability, which
 * an event names by a number that no Interrupter Target has. */
#define IXHCI_DBC_RING IXHCI_MAX_INTRS
#define IXHCI_EVENT_RINGS (IXHCI_MAX_INTRS + 1)
#define IXHCI_EVENT_DBC 0xffff
#define IXHCI_ERST_MAX_LOG2 4
#define IXHCI_ERST_MAX (1 << IXHCI_ERST_MAX_LOG2)

/* Event rings that are full stop all fetching, so that few events can be
 * waiting for one; this bounds what a guest can pile up in port registers. */
#define IXHCI_EVENTS_WAITING_MAX 65536

/* Room for the rules of strict.c. */
#define IXHCI_STRICT_RULES 32

/* Isochronous Scheduling Threshold, in microframes (xHCI 1.2 §5.3.4). */
#define IXHCI_IST_UF 1

/* BAR 0. */
#define IXHCI_BAR_BYTES 0x4000
#define IXHCI_CAP_BYTES 0x40
#define IXHCI_XECP_OFFSET 0x800
#define IXHCI_XECP_WORDS 32
#define IXHCI_RUNTIME_OFFSET 0x1000
#define IXHCI_DOORBELL_OFFSET 0x2000
#define IXHCI_MSIX_TABLE_OFFSET 0x3000
#define IXHCI_MSIX_PBA_OFFSET 0x3800

typedef struct ixhci_slot ixhci_slot;

/* What an endpoint waits for, besides time. */
typedef enum {
    IXHCI_WAIT_NOTHING,
    IXHCI_WAIT_DEVICE, /* it answered NAK: until it wakes the endpoint */
    IXHCI_WAIT_PACKET, /* a packet is in the device's hands */
} ixhci_wait;

/* What stats.c counts; tds are the sum of the codes. */
typedef struct {
    uint64_t bytes;
    uint64_t xruns;              /* Ring Overrun and Underrun events */
    uint64_t codes[IXHCI_CODES]; /* TDs by completion code; [0]: any other */
} ixhci_counts;

typedef struct ixhci_ep {
    ixhci_slot *slot;
    struct ixhci_ep *of; /* a stream: whose; NULL: an endpoint (stream.c) */
    uint16_t stream_id;
    uint8_t sct;
    uint8_t dci;
    uint8_t state; /* EP_STATE_* */
    ixhci_ep_config cfg;
    uint32_t words[IXHCI_CONTEXT_WORDS]; /* its Output Endpoint Context */
    ixhci_ring ring;
    ixhci_flow flow;  /* periodic endpoints */
    uint64_t due_uf;  /* IXHCI_UF_NEVER: not on the work list */
    uint64_t wake_uf; /* when the timer serves it; below due_uf: not known */
    QTAILQ_ENTRY(ixhci_ep) work;
    ixhci_wait wait;
    bool missed_told; /* retire.h, rule 4: one event for a row */
    uint8_t errors;   /* in a row, of the transaction at hand */
    uint64_t tds;     /* with data, retired since it was configured */
    ixhci_td td;
    ixhci_retired retired; /* scratch of the retire stage */
    USBPacket packet;
    uint64_t watched; /* the watcher's number of the TD at hand, 0: none */
    bool lent;        /* the packet's bytes are guest RAM (buffer.c) */
    uint8_t *buffer;  /* of the packet; grows, see buffer_bytes */
    size_t buffer_bytes;
    IxhciState *x;
    uint64_t stream_gpa; /* a stream: its Stream Context */
    QTAILQ_ENTRY(ixhci_ep) sibling;
    QTAILQ_HEAD(, ixhci_ep) streams; /* of an endpoint: those that are open */
    bool streams_allocated;          /* in the device, for it */
    ixhci_counts counts;
} ixhci_ep;

struct ixhci_slot {
    uint8_t slot_id; /* 1-based */
    bool enabled;
    uint8_t state; /* SLOT_STATE_* */
    uint8_t address;
    uint64_t context_gpa;
    ixhci_slot_config cfg;
    uint32_t words[IXHCI_CONTEXT_WORDS]; /* its Output Slot Context */
    USBPort *uport; /* where its device sits; NULL when it has left */
    ixhci_ep *eps[IXHCI_MAX_DCI + 1]; /* by DCI, 1-based */
};

typedef struct {
    uint8_t port_id; /* 1-based */
    bool is_usb3;
    uint32_t portsc;
    uint32_t portpmsc;
    uint32_t portli;
    uint32_t porthlpmc;
    uint64_t done_uf; /* end of a reset, of link training, of L1, or NEVER */
    bool warm;        /* that reset is a warm one */
    uint64_t used_uf; /* when the last packet passed */
    uint64_t up_uf;   /* link.c, rule 4: the end of its resume */
    USBPort *uport;
} ixhci_port;

/* An Event Ring segment, as read from the ERST. */
typedef struct {
    uint64_t base_gpa;
    uint32_t trbs;
} ixhci_segment;

typedef struct {
    uint32_t iman;
    uint32_t imodi; /* units of 250 ns */
    uint32_t erstsz;
    uint64_t erstba;
    uint64_t erdp; /* without EHB and DESI */
    uint32_t desi;
    bool ehb;
    /* the producer's side of the ring (§4.9.4) */
    ixhci_segment segments[IXHCI_ERST_MAX];
    uint32_t segment_count; /* 0: no ring */
    uint32_t segment;
    uint32_t index;
    bool pcs;
    uint64_t posted; /* events since the ring was opened */
    uint64_t loud;   /* `posted` after the last one without BEI */
    GQueue *waiting; /* ixhci_event: no room yet */
    /* the interrupt's side (§4.17) */
    bool ipe;             /* an event that may interrupt was posted */
    uint64_t moderate_ns; /* no interrupt before this virtual time */
} ixhci_intr;

/* Where an event ring goes on after a restore, if it is the same ring. */
typedef struct {
    uint64_t erstba;
    uint64_t erdp;
    uint32_t segment_count;
    uint32_t segment;
    uint32_t index;
    bool pcs;
    uint64_t posted;
    uint64_t loud;
} ixhci_event_place;

/* Slots and endpoints while the controller itself is away (records.c). */
typedef struct {
    uint8_t slot_id;
    uint8_t state;
    uint8_t address;
    bool has_device;
    uint64_t context_gpa;
    uint32_t words[IXHCI_CONTEXT_WORDS];
} ixhci_slot_record;

typedef struct {
    uint8_t slot_id;
    uint8_t dci;
    uint8_t state;
    bool waits;
    uint8_t errors;
    uint16_t stream_id; /* 0: an endpoint */
    uint8_t sct;
    bool ccs;
    bool in_flow;
    bool missed_told;
    uint64_t dequeue_gpa;
    uint64_t due_uf;
    uint64_t next_uf;
    uint64_t stale_uf;
    uint64_t tds;
    uint64_t stream_gpa;
    uint32_t words[IXHCI_CONTEXT_WORDS];
} ixhci_ep_record;

/* Streams are in the list, too. */
#define IXHCI_MAX_EPS (IXHCI_MAX_SLOTS * IXHCI_MAX_DCI + IXHCI_MAX_STREAMS)

typedef struct {
    ixhci_slot_record *slots;
    ixhci_ep_record *eps;
    int32_t slot_count;
    int32_t ep_count;
} ixhci_records;

/* What travels in migration and has no fixed place in the state. */
typedef struct {
    ixhci_records records;
    ixhci_event *events; /* those that wait for room in a ring */
    int32_t event_count;
} ixhci_travel;

/* A command in the controller's hands. */
typedef struct {
    xhci_trb trb;
    uint8_t slot_id; /* what the completion event names */
} ixhci_command;

/* The seams. Each function does one thing and says whether it could. */
typedef struct {
    bool (*load)(IxhciState *x, uint64_t gpa, void *buf, size_t bytes);
    bool (*store)(IxhciState *x, uint64_t gpa, const void *buf, size_t bytes);
    /* the guest's RAM itself, or NULL; with what the device has written */
    void *(*lend)(IxhciState *x, uint64_t gpa, size_t bytes);
    void (*give_back)(IxhciState *x, void *at, size_t bytes, size_t written);
} ixhci_dma_ops;

typedef struct {
    USBDevice *(*find)(IxhciState *x, const ixhci_slot *slot);
    void (*submit)(IxhciState *x, ixhci_ep *ep, USBDevice *dev);
    /* code and bytes of the packet that came back; false: it is not over, and
     * is submitted again when the endpoint is woken up */
    bool (*judge)(IxhciState *x, ixhci_ep *ep, ixhci_outcome *how);
} ixhci_bus_ops;

typedef struct {
    ixhci_due (*place)(IxhciState *x, const ixhci_ep *ep,
                       const ixhci_td_time *td, uint64_t now_uf,
                       uint64_t *due_uf);
} ixhci_sched_ops;

typedef struct {
    void (*post)(IxhciState *x, const ixhci_event *event);
} ixhci_event_ops;

typedef struct {
    void (*signal)(IxhciState *x, unsigned intr); /* a message */
    void (*level)(IxhciState *x, bool level);     /* the pin */
} ixhci_intr_ops;

/*
 * Who watches what the bus carries; it changes nothing. A TD begins to be on
 * the bus, perhaps more than once; what it received is in its packet; it ends
 * with a code, or is taken off without one.
 */
typedef struct {
    void (*begin)(IxhciState *x, ixhci_ep *ep);
    void (*data)(IxhciState *x, ixhci_ep *ep, uint32_t bytes);
    void (*end)(IxhciState *x, ixhci_ep *ep, const ixhci_outcome *how);
    void (*drop)(IxhciState *x, ixhci_ep *ep);
} ixhci_watch_ops;

typedef struct ixhci_capture ixhci_capture; /* hw/capture/ */

typedef struct {
    /* the completion code; CC_INVALID: it takes time, ixhci_command_end ends
     * it */
    unsigned (*run)(IxhciState *x, ixhci_command *c);
} ixhci_command_ops;

/* How a reset or a link training of a port ends. */
typedef enum {
    IXHCI_LINK_UP,
    IXHCI_LINK_FAILED,
    IXHCI_LINK_SILENT, /* not at all */
} ixhci_link_fate;

typedef struct {
    ixhci_link_fate (*end)(IxhciState *x, ixhci_port *port);
} ixhci_link_ops;

/* The registers of BAR 0 by the dword, without the extended capabilities'
 * narrow writes. */
typedef struct {
    uint32_t (*read)(IxhciState *x, uint32_t offset);
    void (*write)(IxhciState *x, uint32_t offset, uint32_t value);
} ixhci_reg_ops;

/*
 * A filter: something before one or more seams, from another folder. It is
 * known by a constructor before QEMU's main, adds properties to the class, and
 * keeps what it has of a controller in x->filter_data[slot].
 */
typedef struct {
    void (*class_init)(ObjectClass *klass);
    bool (*realize)(IxhciState *x, Error **errp); /* the seams are there */
    void (*unrealize)(IxhciState *x);
    void (*finalize)(IxhciState *x);
    const VMStateDescription *state; /* a subsection of the controller's */
    unsigned slot;                   /* set by ixhci_filter_register */
} ixhci_filter;

#define IXHCI_FILTERS_MAX 4

struct IxhciState {
    PCIDevice parent_obj;

    MemoryRegion bar;
    USBBus bus;
    USBPort uports[IXHCI_MAX_PORTS / 2];

    /* properties */
    uint32_t num_usb2;
    uint32_t num_usb3;
    uint32_t num_slots;
    uint32_t num_intrs;
    OnOffAuto msi;
    OnOffAuto msix;
    bool streams;
    bool coalesce; /* service.c, rule 2 */
    bool strict;   /* strict.c */
    char *hci_version;
    bool csz;
    bool legacy;
    uint32_t scratchpads; /* pages */
    char *capture_file;
    uint32_t capture_snaplen; /* bytes */

    ixhci_caps caps;
    uint32_t context_bytes;          /* 32, or 64 with CSZ */
    uint32_t xecp[IXHCI_XECP_WORDS]; /* the list, and its last header */
    unsigned xecp_words, xecp_last;
    unsigned xecp_dbc; /* where DCID is; 0: there is none */

    ixhci_ram ram;

    const ixhci_dma_ops *dma;
    const ixhci_bus_ops *usb;
    const ixhci_sched_ops *sched;
    const ixhci_event_ops *event;
    const ixhci_intr_ops *irq;
    const ixhci_watch_ops *watch; /* NULL: nobody */
    ixhci_capture *capture;       /* NULL: none */
    const ixhci_command_ops *commands;
    const ixhci_link_ops *link;
    const ixhci_reg_ops *regs;
    void *filter_data[IXHCI_FILTERS_MAX];

    /* operational registers */
    uint32_t usbcmd;
    uint32_t usbsts;
    uint32_t dnctrl;
    uint64_t dcbaap;
    uint32_t config;

    ixhci_ring command_ring;
    bool crr;
    bool command_waits;  /* the ring was left before it was empty */
    bool crcr_hi_is_old; /* its low dword stopped the ring (command.c) */
    bool command_runs;   /* command.c, rule 5 */
    bool command_stops;  /* CS was written meanwhile */
    uint32_t command_serial;
    uint64_t command_gpa;
    ixhci_command command;

    unsigned num_ports;
    ixhci_port ports[IXHCI_MAX_PORTS];
    ixhci_slot slots[IXHCI_MAX_SLOTS];
    ixhci_intr intrs[IXHCI_EVENT_RINGS];
    ixhci_dbc dbc;
    uint32_t full_rings; /* bit n: n's ring has its Event Ring Full Error */
    uint32_t held_rings; /* bit n: n's ring counts as full, whatever ERDP is */

    /* time */
    QEMUTimer *timer;
    uint64_t base_uf;  /* where MFINDEX is 0, modulo 2^64 */
    uint64_t run_uf;   /* when R/S was last set */
    uint64_t wrap_uf;  /* next MFINDEX wrap to report */
    uint64_t ports_uf; /* when a port is next due, or earlier; see arm */
    QTAILQ_HEAD(, ixhci_ep) work;
    bool serving;
    uint64_t at_uf; /* while it serves: the microframe that is served */
    ixhci_ep *turn; /* the endpoint that is being served, or NULL */
    unsigned open_streams;

    unsigned work_left; /* service.c, rule 5 */
    uint64_t pause_uf;  /* no fetching before this microframe */

    unsigned dma_depth; /* rule 5 */

    ixhci_counts gone; /* by endpoints that are no more */

    GString *strict_log;
    uint64_t strict_count;
    uint32_t strict_said[IXHCI_STRICT_RULES];

    ixhci_travel travel;

    /* save.c: what the driver had saved */
    uint8_t *kept; /* NULL: it is in the scratchpads */
    uint32_t kept_bytes;
    uint32_t kept_crc; /* 0: nothing was saved */
};

/* Why the controller gave up; the trace carries it (xHCI 1.2 §4.24.1). */
typedef enum {
    IXHCI_HSE_COMMAND_RING,
    IXHCI_HSE_TRANSFER_RING,
    IXHCI_HSE_DATA,
    IXHCI_HSE_CONTEXT,
    IXHCI_HSE_EVENT_RING,
    IXHCI_HSE_ERST,
    IXHCI_HCE_ERST_ENTRY,
    IXHCI_HCE_COMMAND_RING_LOOP,
    IXHCI_HSE_OUTSIDE,
    IXHCI_HCE_OUTSIDE,
} ixhci_host_error_reason;

/* filter.c */
void ixhci_filter_register(ixhci_filter *filter);
void ixhci_filter_class_init(ObjectClass *klass);
bool ixhci_filter_realize(IxhciState *x, Error **errp);
void ixhci_filter_unrealize(IxhciState *x);
void ixhci_filter_finalize(IxhciState *x);

/* dma.c: guest memory, in host byte order */
extern const ixhci_dma_ops ixhci_dma_guest;
bool ixhci_dma_load_words(IxhciState *x, uint64_t gpa, uint32_t *words,
                          size_t count);
bool ixhci_dma_store_words(IxhciState *x, uint64_t gpa, const uint32_t *words,
                           size_t count);
bool ixhci_dma_load_trb(void *opaque, uint64_t gpa, xhci_trb *trb);
bool ixhci_dma_store_trb(IxhciState *x, uint64_t gpa, const xhci_trb *trb);
bool ixhci_dma_peek(IxhciState *x, uint64_t gpa, xhci_trb *trbs, size_t count);

/* intr.c: interrupts and their moderation (§4.17) */
extern const ixhci_intr_ops ixhci_intr_pci;
void ixhci_intr_reset(IxhciState *x, unsigned intr);
void ixhci_intr_update(IxhciState *x, unsigned intr);
void ixhci_intr_write_iman(IxhciState *x, unsigned intr, uint32_t value);
uint32_t ixhci_intr_imod(const IxhciState *x, unsigned intr);
void ixhci_intr_write_imod(IxhciState *x, unsigned intr, uint32_t value);

/* event.c: event rings (§4.9.4) */
extern const ixhci_event_ops ixhci_event_guest;
void ixhci_event_reset(IxhciState *x, unsigned intr);
void ixhci_event_forget(IxhciState *x, unsigned intr);
void ixhci_event_close(IxhciState *x, unsigned intr);
void ixhci_event_open(IxhciState *x, unsigned intr); /* ERSTBA was written */
/* ERDP was written, with or without a 1 for EHB */
void ixhci_event_drain(IxhciState *x, unsigned intr, bool clears_ehb);
bool ixhci_event_has_room(const IxhciState *x); /* no ring is full */
bool ixhci_event_ring_has_room(const IxhciState *x, unsigned intr);
bool ixhci_event_is_pending(const IxhciState *x, unsigned intr);
/* From outside: a ring that counts as full until it is let go. */
void ixhci_event_hold(IxhciState *x, unsigned intr);
void ixhci_event_let_go(IxhciState *x, unsigned intr);
/* R/S is 1: what a restore has left in the ring interrupts */
void ixhci_event_resume(IxhciState *x, unsigned intr);
/* For save.c; is_place: false if a restored place cannot be. */
void ixhci_event_take_place(const IxhciState *x, unsigned intr,
                            ixhci_event_place *place);
bool ixhci_event_is_place(const IxhciState *x, unsigned intr,
                          const ixhci_event_place *place);
void ixhci_event_give_place(IxhciState *x, unsigned intr,
                            const ixhci_event_place *place);
void ixhci_event_post_command(IxhciState *x, uint64_t trb_gpa, unsigned cc,
                              unsigned slot_id);
void ixhci_event_post_transfer(IxhciState *x, const ixhci_ep *ep,
                               uint64_t pointer, uint32_t length, unsigned cc,
                               unsigned intr);

/* buffer.c: the memory of a packet, from its set-up to its end */
bool ixhci_buffer_attach(ixhci_ep *ep, uint32_t room, uint32_t send);
bool ixhci_buffer_detach(ixhci_ep *ep, uint32_t received);
/* Between memory and a TD's buffers from `offset` on; false: DMA failed. */
bool ixhci_buffer_copy(IxhciState *x, const ixhci_td *td, uint32_t offset,
                       uint8_t *at, uint32_t bytes, bool to_guest);

/* packet.c: one TD on the bus */
bool ixhci_ep_is_in(const ixhci_ep *ep);
typedef enum {
    IXHCI_PACKET_DONE,
    IXHCI_PACKET_NAK,
    IXHCI_PACKET_ASYNC,
} ixhci_packet_fate;
extern const ixhci_bus_ops ixhci_bus_usb;
ixhci_packet_fate ixhci_packet_submit(ixhci_ep *ep, uint64_t uf,
                                      ixhci_outcome *how);
bool ixhci_packet_finish(ixhci_ep *ep, ixhci_outcome *how);
void ixhci_packet_cancel(ixhci_ep *ep);
unsigned ixhci_packet_set_address(IxhciState *x, ixhci_slot *slot,
                                  unsigned address);
unsigned ixhci_packet_no_answer(const ixhci_ep *ep); /* the code of it */

/* endpoint.c: endpoint state (§4.8.3) and its context in memory */
ixhci_ep *ixhci_endpoint_new(IxhciState *x, ixhci_slot *slot, unsigned dci,
                             const ixhci_ep_config *cfg);
void ixhci_endpoint_free(ixhci_ep *ep);
void ixhci_endpoint_set_state(ixhci_ep *ep, unsigned state);
bool ixhci_endpoint_store(ixhci_ep *ep);
void ixhci_endpoint_idle(ixhci_ep *ep);
unsigned ixhci_endpoint_stop(ixhci_ep *ep);
unsigned ixhci_endpoint_unhalt(ixhci_ep *ep);
unsigned ixhci_endpoint_set_dequeue(ixhci_ep *ep, uint64_t pointer,
                                    unsigned stream_id, unsigned sct);
bool ixhci_endpoint_start(ixhci_ep *ep);

/* stream.c: streams of an endpoint (§4.12) */
ixhci_ep *ixhci_stream_new(ixhci_ep *ep, unsigned stream_id, uint64_t gpa,
                           unsigned sct);
bool ixhci_stream_is_open(const ixhci_ep *ep, unsigned stream_id);
void ixhci_stream_close_all(ixhci_ep *ep);
bool ixhci_stream_store(ixhci_ep *stream);
ixhci_ep *ixhci_stream_rung(ixhci_ep *ep, unsigned stream_id);
unsigned ixhci_stream_set_dequeue(ixhci_ep *ep, unsigned stream_id,
                                  unsigned sct, uint64_t pointer);
bool ixhci_stream_is_known(const ixhci_ep *ep, const USBEndpoint *usb_ep);
bool ixhci_stream_alloc(const ixhci_slot *slot, unsigned dci,
                        const ixhci_ep_config *cfg);
void ixhci_stream_release(ixhci_ep *ep);

/* pipeline.c: from doorbell to event */
extern const ixhci_sched_ops ixhci_sched_clock;
void ixhci_pipeline_doorbell(ixhci_ep *ep);
void ixhci_pipeline_wakeup(ixhci_ep *ep, unsigned stream_id);
void ixhci_pipeline_complete(ixhci_ep *ep);
void ixhci_pipeline_device_left(ixhci_ep *ep);
void ixhci_pipeline_serve(ixhci_ep *ep, uint64_t uf); /* one turn */

/* service.c: the work list and the one timer */
void ixhci_service_due(ixhci_ep *ep, uint64_t uf);
void ixhci_service_look_again(ixhci_ep *ep); /* its ring may have changed */
void ixhci_service_arm(IxhciState *x);
void ixhci_service_charge(IxhciState *x, unsigned units);
void ixhci_service_pause(IxhciState *x);
void ixhci_service(void *opaque);         /* the timer's callback */
void ixhci_service_sync(IxhciState *x);   /* the guest is about to look */
void ixhci_service_resume(IxhciState *x); /* an event ring has room again */

/* slot.c: device slots and their contexts (§4.5) */
ixhci_slot *ixhci_slot_get(IxhciState *x, unsigned slot_id);
void ixhci_slot_disable(ixhci_slot *slot);
bool ixhci_slot_store(IxhciState *x, ixhci_slot *slot);
void ixhci_slot_drop_endpoints(ixhci_slot *slot);
const ixhci_slot *ixhci_slot_tt(IxhciState *x, const ixhci_slot_config *cfg);
USBPort *ixhci_slot_find_uport(IxhciState *x, const ixhci_slot_config *cfg);
ixhci_slot *ixhci_slot_on_port(IxhciState *x, unsigned port_id);
void ixhci_slot_port_down(IxhciState *x, unsigned port_id);
void ixhci_slot_port_up(IxhciState *x, unsigned port_id);
void ixhci_slot_device_left(IxhciState *x, USBPort *uport);
ixhci_ep *ixhci_slot_find_endpoint(IxhciState *x, const USBEndpoint *usb_ep);

/* command.c, command-slot.c, command-bandwidth.c: the command ring (§4.6) */
void ixhci_command_doorbell(IxhciState *x);
void ixhci_command_write_crcr_lo(IxhciState *x, uint32_t value);
void ixhci_command_write_crcr_hi(IxhciState *x, uint32_t value);
extern const ixhci_command_ops ixhci_command_table;
void ixhci_command_end(IxhciState *x, unsigned cc);
unsigned ixhci_command_enable_slot(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_disable_slot(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_address_device(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_configure_endpoint(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_evaluate_context(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_reset_device(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_get_port_bandwidth(IxhciState *x, ixhci_command *c);
unsigned ixhci_command_negotiate_bandwidth(IxhciState *x, ixhci_command *c);
void ixhci_command_bus_units(IxhciState *x, unsigned root_port, bool in,
                             uint32_t units[IXHCI_BANDWIDTH_UNITS]);
unsigned ixhci_command_judge_bandwidth(IxhciState *x, const ixhci_slot *slot,
                                       uint32_t drop, uint32_t add,
                                       const ixhci_ep_config *eps);

/* port.c: root hub ports (§4.19) */
extern const ixhci_link_ops ixhci_link_model;
extern USBPortOps ixhci_port_ops;
void ixhci_port_reset_all(IxhciState *x);
uint32_t ixhci_port_read(IxhciState *x, unsigned port_id, unsigned reg);
void ixhci_port_write(IxhciState *x, unsigned port_id, unsigned reg,
                      uint32_t value);
void ixhci_port_announce_all(IxhciState *x);
void ixhci_port_service(IxhciState *x, uint64_t now_uf);
uint64_t ixhci_port_next_uf(const IxhciState *x);
/* From outside; false: it cannot happen there now. */
bool ixhci_port_over_current(IxhciState *x, unsigned port_id, bool active);
bool ixhci_port_link_error(IxhciState *x, unsigned port_id);
bool ixhci_port_config_error(IxhciState *x, unsigned port_id);
bool ixhci_port_error(IxhciState *x, unsigned port_id);
bool ixhci_port_compliance(IxhciState *x, unsigned port_id);
bool ixhci_port_function_wake(IxhciState *x, unsigned port_id);
bool ixhci_port_carries(const IxhciState *x, unsigned port_id);
unsigned ixhci_port_bus_speed(const IxhciState *x, unsigned port_id);

/* link.c: power states of a port's link (§4.23.5) */
void ixhci_port_used(IxhciState *x, unsigned port_id);
uint64_t ixhci_port_wake(IxhciState *x, unsigned port_id); /* a packet is due */
void ixhci_port_device_wakes(IxhciState *x, unsigned port_id);

/* power.c: run, stop, reset, errors */
void ixhci_power_write_usbcmd(IxhciState *x, uint32_t value);
void ixhci_power_chip_reset(IxhciState *x);
void ixhci_power_host_error(IxhciState *x, ixhci_host_error_reason reason);
void ixhci_power_jump(IxhciState *x, uint64_t microframes); /* of MFINDEX */

/* doorbell.c */
void ixhci_doorbell_write(IxhciState *x, unsigned index, uint32_t value);

/* xcap.c: extended capabilities (§7) */
void ixhci_xcap_init(IxhciState *x);
void ixhci_xcap_reset(IxhciState *x);
void ixhci_xcap_check(IxhciState *x); /* the list came in by migration */
uint32_t ixhci_xcap_read(const IxhciState *x, unsigned word);
void ixhci_xcap_write(IxhciState *x, unsigned word, uint32_t value,
                      uint32_t lanes);
void ixhci_xcap_note(IxhciState *x, uint32_t status); /* LEGCTL_* */

/* dbc.c: the Debug Capability (§7.6), its registers, port and debug host */
void ixhci_dbc_init(IxhciState *x);
void ixhci_dbc_exit(IxhciState *x);
void ixhci_dbc_reset(IxhciState *x);
void ixhci_dbc_error(IxhciState *x, const char *what);
uint64_t ixhci_dbc_next_uf(const IxhciState *x);
void ixhci_dbc_service(IxhciState *x, uint64_t now_uf);
bool ixhci_dbc_load(IxhciState *x); /* it came in; false: it makes no sense */
uint32_t ixhci_dbc_read_word(const IxhciState *x, unsigned word);
void ixhci_dbc_write_word(IxhciState *x, unsigned word, uint32_t value);

/* dbc-ring.c: its endpoints, and data */
bool ixhci_dbc_open(IxhciState *x);
void ixhci_dbc_close(IxhciState *x);
void ixhci_dbc_doorbell(IxhciState *x, unsigned target);
void ixhci_dbc_halt(IxhciState *x, unsigned i);
void ixhci_dbc_serve_due(IxhciState *x, uint64_t now_uf);
void ixhci_dbc_resume(IxhciState *x);
int ixhci_dbc_can_read(void *opaque);
void ixhci_dbc_read(void *opaque, const uint8_t *data, int bytes);

/* pci.c */
bool ixhci_pci_sleeps(const IxhciState *x); /* D1 to D3hot */
void ixhci_pci_wake(IxhciState *x);         /* PME, if it sleeps */

/* strict.c: called with strict=on only */
void ixhci_strict_init(IxhciState *x);
void ixhci_strict_exit(IxhciState *x);
void ixhci_strict_class_init(ObjectClass *klass);
void ixhci_strict_doorbell(IxhciState *x, unsigned index, uint32_t value);
void ixhci_strict_command(IxhciState *x, const xhci_trb *trb, uint64_t gpa);
void ixhci_strict_td(ixhci_ep *ep);                    /* it is about to run */
void ixhci_strict_frame_id(ixhci_ep *ep, uint64_t uf); /* placed at uf */
void ixhci_strict_narrow(IxhciState *x, uint64_t offset, unsigned bytes);
void ixhci_strict_op(IxhciState *x, unsigned offset, uint32_t value);

/* host.c: what a person at the host does to the controller */
void ixhci_host_class_init(ObjectClass *klass);

/* stats.c: what was counted */
void ixhci_stats_class_init(ObjectClass *klass);
void ixhci_stats_add(ixhci_counts *sum, const ixhci_counts *part);
static inline void ixhci_stats_retired(ixhci_ep *ep, const ixhci_outcome *how)
{
    ixhci_counts *counts = ep->of ? &ep->of->counts : &ep->counts;

    counts->codes[how->cc < IXHCI_CODES ? how->cc : 0]++;
    counts->bytes += how->bytes;
}

/* regs.c: BAR 0 */
extern const MemoryRegionOps ixhci_regs_ops;
extern const ixhci_reg_ops ixhci_regs_model;

/* records.c */
void ixhci_records_take(IxhciState *x, ixhci_records *r);
bool ixhci_records_give(IxhciState *x, const ixhci_records *r);
void ixhci_records_free(ixhci_records *r);

/* save.c: the driver's save and restore (§4.23.2); false: SRE */
#define IXHCI_SCRATCHPADS_MAX 1023
#define IXHCI_KEPT_MAX_BYTES (1u << 20)
bool ixhci_save_state(IxhciState *x);
bool ixhci_save_restore(IxhciState *x);
void ixhci_save_forget(IxhciState *x);

/* vmstate.c */
extern const VMStateDescription ixhci_vmstate;
void ixhci_vmstate_add(const VMStateDescription *subsection);

/* Time on the virtual clock, in microframes. */
static inline uint64_t ixhci_now_uf(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) / IXHCI_UF_NS;
}

/* Did the person who started the machine ask for a Debug Capability? */
static inline bool ixhci_dbc_is_there(const IxhciState *x)
{
    return qemu_chr_fe_backend_connected((CharBackend *)&x->dbc.chr);
}

/* May the controller execute anything? */
static inline bool ixhci_is_running(const IxhciState *x)
{
    return (x->usbcmd & USBCMD_RS) &&
           !(x->usbsts & (USBSTS_HCH | USBSTS_HCE | USBSTS_HSE));
}

#endif
