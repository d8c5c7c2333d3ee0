/*
 * The fault engine of one controller: a plan, and filters before the seams of
 * hw/xhci/core.h that its rules need.
 *
 *  1. Without a plan the tables of the controller are its own. With one, a
 * filter finds what it wraps in `inner`, does what a rule says, or hands on.
 *  2. A filter acts through the controller's ordinary path. A packet gets
 *     another status or verdict, and CErr, halts and retirement follow from
 *     that; nothing here writes a ring or an endpoint's state.
 *  3. What happens to a port or to the controller is never done from within
 *     somebody's call: it is put off to the timer, at the same time on the
 *     virtual clock.
 *  4. What is put off is in one list, ordered by time, bounded, of plain data:
 *     slots, numbers, TRBs and paths. It goes away with a reset, and travels in
 *     migration. What finds its list full is done at once.
 *  5. While a plan is armed each ESIT is served by itself, so that a fault
 *     is seen in the microframe in which it happens; and packets pass through
 *     buffers of the controller, never through lent guest memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FAULT_ENGINE_H
#define FAULT_ENGINE_H

#include "hw/xhci/core.h"

#include "log.h"

#define FAULT_LATER_MAX 4096
#define FAULT_STASH_MAX (64u << 20) /* bytes of packets that are late */

/* Rule 4: what is to be done at a time. */
typedef enum {
    FAULT_LATER_WAKE,    /* w: slot, dci, stream */
    FAULT_LATER_EVENT,   /* an event */
    FAULT_LATER_BEHIND,  /* an event; w[3]: events that go first */
    FAULT_LATER_SIGNAL,  /* w: interrupter */
    FAULT_LATER_LEVEL,   /* w: level */
    FAULT_LATER_COMMAND, /* w: serial */
    FAULT_LATER_SIDE,    /* w: rule, port, slot */
    FAULT_LATER_RING,    /* w: interrupter, whose ring is let go */
    FAULT_LATER_TORN,    /* w: address, TRB */
    FAULT_LATER_REPLUG,  /* text: path of the device */
    FAULT_LATER_CURRENT, /* w: port without over-current again */
    FAULT_LATER_READY,   /* CNR is 0 again */
    FAULT_LATER_HCRST,   /* the reset is done */
    FAULT_LATER_BACK,    /* the function is there again */
    FAULT_LATERS,
} fault_later_kind;

typedef struct {
    fault_later_kind kind;
    int64_t ns; /* virtual clock; INT64_MAX: not by time */
    uint64_t w[5];
    char *text;
} fault_later;

/* What is remembered of an endpoint, or a stream. */
typedef struct {
    uint8_t slot_id, dci;
    uint16_t stream;
    fault_rule *flight;   /* the rule of the packet that is on the bus */
    fault_site site;      /* and its occurrence */
    fault_rule *held;     /* the rule that keeps the TD back */
    uint64_t td, trb_gpa; /* which TD that is */
    uint64_t until_uf;
    bool is_late; /* the device has answered: */
    int status;
    uint8_t *bytes;
    uint32_t count;
    fault_rule *carried; /* `flight`, of a machine that was moved */
    fault_rule *misses;  /* ESITs before that one are missed, too */
    uint64_t misses_until_uf;
} fault_ep;

typedef struct fault_engine {
    IxhciState *x;
    fault_plan *plan; /* NULL: none */
    fault_log log;
    char *log_name;
    FILE *log_file;
    uint32_t wrapped; /* bits: seams whose tables are ours */
    bool is_realized;
    bool coalesce; /* the controller's own, rule 5 */
    struct {
        const ixhci_dma_ops *dma;
        const ixhci_bus_ops *usb;
        const ixhci_sched_ops *sched;
        const ixhci_event_ops *event;
        const ixhci_intr_ops *irq;
        const ixhci_command_ops *commands;
        const ixhci_link_ops *link;
        const ixhci_reg_ops *regs;
    } inner;
    QEMUTimer *timer;
    GQueue later;    /* fault_later *, by time */
    GHashTable *eps; /* fault_ep * */
    size_t stashed;
    unsigned late;      /* packets whose answer is kept */
    uint64_t base_uf;   /* of the controller: another one after a reset */
    uint64_t ticked_uf; /* the clock's last occurrence */
    bool all_ones, not_ready, hcrst_hangs, halt_hangs;
    bool level, level_lost;
} fault_engine;

fault_engine *fault_engine_of(IxhciState *x);
void fault_engine_install(fault_engine *e); /* e->plan is new */
void fault_engine_remove(fault_engine *e);  /* and is NULL then */
void fault_engine_unwrap(fault_engine *e);  /* what is no longer needed */

/* Occurrences. */
void fault_site_of_setup(fault_site *site, const uint8_t *setup);
void fault_site_of_ep(fault_site *site, fault_seam seam, const ixhci_ep *ep);
fault_rule *fault_fire(fault_engine *e, fault_site *site);
void fault_note(fault_engine *e, const fault_rule *rule, const fault_site *site,
                const fault_done *done);
bool fault_is_side(const fault_rule *rule);

/* later.c */
void fault_later_init(fault_engine *e);
void fault_later_exit(fault_engine *e);
bool fault_later_add(fault_engine *e, fault_later_kind kind, uint64_t uf,
                     const uint64_t *w, unsigned count, const char *text);
void fault_later_insert(fault_engine *e, fault_later *item); /* takes it */
void fault_later_free(fault_later *item);
void fault_later_arm(fault_engine *e);
void fault_later_flush(fault_engine *e);      /* the plan goes: all of it now */
void fault_later_forget(fault_engine *e);     /* the controller was reset */
void fault_later_forget_all(fault_engine *e); /* whatever it is */
void fault_later_check_reset(fault_engine *e);

/* endpoint.c */
fault_ep *fault_ep_get(fault_engine *e, const ixhci_ep *ep, bool create);
fault_ep *fault_ep_new(fault_engine *e, unsigned slot_id, unsigned dci,
                       unsigned stream);
void fault_ep_drop_stash(fault_engine *e, fault_ep *fe);
void fault_ep_wake(fault_engine *e, unsigned slot_id, unsigned dci,
                   unsigned stream);
void fault_ep_forget_all(fault_engine *e);
void fault_ep_wake_all(fault_engine *e);

/* side.c: ports and the controller */
void fault_side_do(fault_engine *e, const fault_rule *rule, unsigned port_id,
                   unsigned slot_id);
void fault_side_put_off(fault_engine *e, const fault_rule *rule,
                        const fault_site *site);

/* The filters, a file each. */
extern const ixhci_bus_ops fault_packet_ops;
extern const ixhci_sched_ops fault_schedule_ops;
extern const ixhci_event_ops fault_event_ops;
extern const ixhci_intr_ops fault_intr_ops;
extern const ixhci_dma_ops fault_dma_ops;
extern const ixhci_command_ops fault_command_ops;
extern const ixhci_link_ops fault_port_ops;
extern const ixhci_reg_ops fault_register_ops;

/* For later.c. */
void fault_event_pack(const ixhci_event *event, uint64_t *w);
void fault_event_post_packed(fault_engine *e, const uint64_t *w);
void fault_intr_level(fault_engine *e, bool level);
void fault_command_finish(fault_engine *e, uint32_t serial);
void fault_register_reset(fault_engine *e);

/* vmstate.c */
extern const VMStateDescription fault_vmstate;

#endif
