/*
 * A capture of an ixhci: watches what its bus carries (core.h) and writes it
 * down as usbmon would (usbmon.h), for every device on it.
 *
 *  1. A TD is a transfer. It begins when it goes on the bus for the first time
 *     - what the device answers with NAK, and what is tried again, is still the
 *     same one - and ends with its completion code, or with -ENOENT when it is
 *     taken off: Stop Endpoint, a reset. What ends without ever having been on
 *     the bus, a missed TD above all, has both records then.
 *  2. Time is the microframe on the virtual clock, of a TD in a batch
 *     (service.c) its own.
 *  3. Nobody watches while there is no capture.
 *  4. A file that can take no more ends the capture with one sentence. What is
 *     waiting to be written is written when the capture or QEMU ends, and
 *     whenever the machine stops. The capture does not travel in migration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/capture/capture.h"

#include "hw/capture/file.h"
#include "hw/capture/usbmon.h"
#include "qemu/error-report.h"

enum { UF_US = 125 };

struct ixhci_capture {
    isolab_capture_file *file;
    uint32_t snaplen;
    uint64_t first_id;
    GByteArray *data; /* of the record at hand */
    VMChangeStateEntry *stops;
    Notifier exits;
};

/* Transfers of all controllers, so that files can be merged. */
static uint64_t last_id;

static void free_capture(IxhciState *x)
{
    ixhci_capture *c = x->capture;

    x->watch = NULL;
    x->capture = NULL;
    qemu_del_vm_change_state_handler(c->stops);
    qemu_remove_exit_notifier(&c->exits);
    g_byte_array_unref(c->data);
    g_free(c);
    g_clear_pointer(&x->capture_file, g_free);
}

/* Rule 4. */
static void give_up(IxhciState *x)
{
    g_autofree char *why = isolab_capture_file_error(x->capture->file);

    error_report("ixhci: %s", why);
    isolab_capture_file_close(x->capture->file);
    free_capture(x);
}

static void stop(IxhciState *x)
{
    if (!isolab_capture_file_flush(x->capture->file)) {
        give_up(x);
        return;
    }
    isolab_capture_file_close(x->capture->file);
    free_capture(x);
}

static void machine_changes(void *opaque, bool running, RunState state)
{
    IxhciState *x = opaque;

    if (!running && !isolab_capture_file_flush(x->capture->file)) {
        give_up(x);
    }
}

/* Without a sentence: it is too late for one. */
static void qemu_ends(Notifier *n, void *data)
{
    ixhci_capture *c = container_of(n, ixhci_capture, exits);

    isolab_capture_file_flush(c->file);
}

static usbmon_xfer xfer_of(const ixhci_ep *ep)
{
    switch (ep->cfg.type) {
    case EP_TYPE_ISOCH_IN:
    case EP_TYPE_ISOCH_OUT:
        return USBMON_ISOCH;
    case EP_TYPE_INTERRUPT_IN:
    case EP_TYPE_INTERRUPT_OUT:
        return USBMON_INTERRUPT;
    case EP_TYPE_CONTROL:
        return USBMON_CONTROL;
    default:
        return USBMON_BULK;
    }
}

static uint32_t setup_length(const uint8_t *setup)
{
    return lduw_le_p(setup + 6);
}

/* Rule 2. */
static uint64_t uf_of(const IxhciState *x)
{
    return x->serving ? x->at_uf : ixhci_now_uf();
}

/* Linux counts frames below high speed. */
static void say_when(const ixhci_ep *ep, uint64_t uf, usbmon_record *r)
{
    unsigned speed = ep->slot->cfg.speed;
    bool in_frames = speed == SPEED_FULL || speed == SPEED_LOW;
    unsigned interval = ep->cfg.interval;

    if (!ixhci_ep_is_periodic(ep->cfg.type)) {
        return;
    }
    r->interval = 1u << (in_frames ? MAX(interval, 3) - 3 : interval);
    if (r->xfer == USBMON_ISOCH) {
        r->start_frame =
            ((uf - ep->flow.base_uf) & MFINDEX_MASK) >> (in_frames ? 3 : 0);
        r->is_asap = ep->td.sia;
    }
}

static usbmon_record record_of(const IxhciState *x, const ixhci_ep *ep,
                               bool is_in)
{
    uint64_t uf = uf_of(x);
    usbmon_record r = {
        .id = ep->watched,
        .time_us = uf * UF_US,
        .xfer = xfer_of(ep),
        .is_in = is_in,
        .ep = ep->dci >> 1,
        .dev = ep->slot->address,
        .bus = x->bus.busnr + 1,
        .bytes = ep->td.bytes,
    };

    say_when(ep, uf, &r);
    return r;
}

static void write_record(IxhciState *x, usbmon_record *r)
{
    ixhci_capture *c = x->capture;
    uint8_t head[USBMON_HEAD_MAX];

    r->captured = c->data->len;
    if (!isolab_capture_file_add(c->file, head, usbmon_store(head, r)) ||
        !isolab_capture_file_add(c->file, c->data->data, c->data->len)) {
        give_up(x);
        return;
    }
    g_byte_array_set_size(c->data, 0);
}

/* The packet's bytes, as many as fit. */
static void take_data(IxhciState *x, const ixhci_ep *ep, uint32_t bytes)
{
    ixhci_capture *c = x->capture;
    uint32_t count =
        usbmon_room(c->snaplen, xfer_of(ep), MIN(bytes, ep->packet.iov.size));

    g_byte_array_set_size(c->data, count);
    iov_to_buf(ep->packet.iov.iov, ep->packet.iov.niov, 0, c->data->data,
               count);
}

static bool has_begun(const IxhciState *x, const ixhci_ep *ep)
{
    return ep->watched >= x->capture->first_id;
}

static void begin_record(IxhciState *x, ixhci_ep *ep, bool is_in,
                         const uint8_t *setup)
{
    usbmon_record r;

    ep->watched = ++last_id;
    r = record_of(x, ep, is_in);
    if (ep->cfg.type == EP_TYPE_CONTROL) {
        r.setup = setup;
        r.bytes = setup_length(setup);
    }
    write_record(x, &r);
}

static void end_record(IxhciState *x, ixhci_ep *ep, bool is_in, int32_t status,
                       uint32_t bytes)
{
    usbmon_record r = record_of(x, ep, is_in);

    ep->watched = 0;
    r.is_end = true;
    r.status = status;
    r.bytes = bytes;
    write_record(x, &r);
}

static bool packet_is_in(const ixhci_ep *ep)
{
    return ep->packet.pid == USB_TOKEN_IN;
}

/* Rule 1. */
static void watch_begin(IxhciState *x, ixhci_ep *ep)
{
    bool is_in = packet_is_in(ep);
    uint8_t setup[8];

    if (has_begun(x, ep)) {
        return;
    }
    stq_le_p(setup, ep->packet.parameter);
    if (!is_in) {
        take_data(x, ep,
                  ep->cfg.type == EP_TYPE_CONTROL ? setup_length(setup)
                                                  : ep->td.bytes);
    }
    begin_record(x, ep, is_in, setup);
}

static void watch_data(IxhciState *x, ixhci_ep *ep, uint32_t bytes)
{
    if (has_begun(x, ep) && packet_is_in(ep)) {
        take_data(x, ep, bytes);
    }
}

/* Rule 1. What had begun before the capture did ends without its data. */
static void watch_end(IxhciState *x, ixhci_ep *ep, const ixhci_outcome *how)
{
    bool is_in = packet_is_in(ep);

    if (!has_begun(x, ep)) {
        is_in = ixhci_ep_is_in(ep);
        begin_record(x, ep, is_in, ep->td.setup);
    }
    if (x->capture) {
        end_record(x, ep, is_in, usbmon_status(xfer_of(ep), how->cc),
                   how->bytes);
    }
}

static void watch_drop(IxhciState *x, ixhci_ep *ep)
{
    if (has_begun(x, ep)) {
        end_record(x, ep, packet_is_in(ep), USBMON_ENOENT, 0);
    }
}

static const ixhci_watch_ops watch = {
    .begin = watch_begin,
    .data = watch_data,
    .end = watch_end,
    .drop = watch_drop,
};

static bool start(IxhciState *x, const char *path, Error **errp)
{
    g_autofree char *why = NULL;
    uint8_t header[USBMON_FILE_HEADER_BYTES];
    isolab_capture_file *file = isolab_capture_file_open(path, &why);
    ixhci_capture *c;

    if (!file) {
        error_setg(errp, "ixhci: %s", why);
        return false;
    }
    usbmon_store_file_header(header, x->capture_snaplen);
    isolab_capture_file_add(file, header, sizeof(header));
    c = g_new0(ixhci_capture, 1);
    c->file = file;
    c->snaplen = x->capture_snaplen;
    c->first_id = last_id + 1;
    c->data = g_byte_array_new();
    c->stops = qemu_add_vm_change_state_handler(machine_changes, x);
    c->exits.notify = qemu_ends;
    qemu_add_exit_notifier(&c->exits);
    x->capture = c;
    x->capture_file = g_strdup(path);
    x->watch = &watch;
    return true;
}

static char *get_capture(Object *obj, Error **errp)
{
    const char *path = IXHCI(obj)->capture_file;

    return g_strdup(path ? path : "");
}

/* Before the device is there, the name is kept for realize. */
static void set_capture(Object *obj, const char *value, Error **errp)
{
    IxhciState *x = IXHCI(obj);

    if (!DEVICE(obj)->realized) {
        g_free(x->capture_file);
        x->capture_file = *value ? g_strdup(value) : NULL;
        return;
    }
    ixhci_service_sync(x);
    if (x->capture) {
        stop(x);
    }
    if (*value) {
        start(x, value, errp);
    }
}

bool ixhci_capture_realize(IxhciState *x, Error **errp)
{
    g_autofree char *path = g_steal_pointer(&x->capture_file);

    return !path || start(x, path, errp);
}

void ixhci_capture_exit(IxhciState *x)
{
    if (x->capture) {
        stop(x);
    }
}

void ixhci_capture_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "capture", get_capture, set_capture);
    object_class_property_set_description(
        klass, "capture",
        "a file for what passes over the bus, as Wireshark reads it; empty: "
        "none; may change at run time");
}
