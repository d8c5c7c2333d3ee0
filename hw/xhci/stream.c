/*
 * Streams of a bulk endpoint: many transfer rings, one pipe (xHCI 1.2 §4.12).
 *
 *  1. A stream that has work is an ixhci_ep of its own: a ring, a TD, a packet
 *     and a turn. Slot, DCI and configuration are those of its endpoint
 *     (ep->of), and so is the state: all streams run, stop and halt together.
 *  2. A stream is opened by its doorbell, from its Stream Context. What the
 *     endpoint does with it is in memory whenever the endpoint is not Running
 *     (§6.2.4), so that one with nothing to do can be closed at any doorbell.
 *  3. How many are open is bounded: one that finds no room is a Resource
 *     Error, and the driver may ring again.
 *  4. A Stream ID that leads nowhere is told and changes nothing: the other
 *     streams go on. A Stream Context that cannot be what it says halts the
 *     endpoint (§4.12.2.1). Neither has a TRB to point at: the pointer is 0.
 *  5. Packets carry a Stream ID only to a device that has streams: one without
 *     has one packet of an endpoint at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "stream-context.h"
#include "trace-hw_xhci.h"

static ixhci_stream_arrays arrays_of(const ixhci_ep *ep)
{
    return (ixhci_stream_arrays){
        .array_gpa = ep->cfg.dequeue & ~UINT64_C(0xf),
        .max_pstreams = ep->cfg.max_pstreams,
        .lsa = ep->cfg.lsa,
    };
}

static unsigned locate(ixhci_ep *ep, unsigned stream_id,
                       ixhci_stream_place *place)
{
    ixhci_stream_arrays arrays = arrays_of(ep);
    unsigned cc =
        ixhci_stream_find(place, &arrays, stream_id, ixhci_dma_load_trb, ep->x);

    if (cc == CC_UNDEFINED) {
        ixhci_power_host_error(ep->x, IXHCI_HSE_CONTEXT);
    }
    return cc;
}

static ixhci_ep *find_open(const ixhci_ep *ep, unsigned stream_id)
{
    ixhci_ep *stream;

    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        if (stream->stream_id == stream_id) {
            return stream;
        }
    }
    return NULL;
}

bool ixhci_stream_is_open(const ixhci_ep *ep, unsigned stream_id)
{
    return find_open(ep, stream_id);
}

/* Rule 3; NULL: there is no room. */
ixhci_ep *ixhci_stream_new(ixhci_ep *ep, unsigned stream_id, uint64_t gpa,
                           unsigned sct)
{
    ixhci_ep *stream;

    if (ep->x->open_streams >= IXHCI_MAX_STREAMS) {
        return NULL;
    }
    stream = ixhci_endpoint_new(ep->x, ep->slot, ep->dci, &ep->cfg);
    stream->of = ep;
    stream->streams_allocated = false;
    stream->state = ep->state;
    stream->stream_id = stream_id;
    stream->stream_gpa = gpa;
    stream->sct = sct;
    QTAILQ_INSERT_TAIL(&ep->streams, stream, sibling);
    ep->x->open_streams++;
    return stream;
}

static void close_stream(ixhci_ep *stream)
{
    QTAILQ_REMOVE(&stream->of->streams, stream, sibling);
    stream->x->open_streams--;
    ixhci_endpoint_free(stream);
}

void ixhci_stream_close_all(ixhci_ep *ep)
{
    ixhci_ep *stream, *next;

    QTAILQ_FOREACH_SAFE (stream, &ep->streams, sibling, next) {
        close_stream(stream);
    }
}

static bool is_idle(const ixhci_ep *stream)
{
    return stream->wait == IXHCI_WAIT_NOTHING &&
           stream->due_uf == IXHCI_UF_NEVER;
}

/* Rule 2. */
static void close_idle(ixhci_ep *ep)
{
    ixhci_ep *stream, *next;

    QTAILQ_FOREACH_SAFE (stream, &ep->streams, sibling, next) {
        if (is_idle(stream)) {
            ixhci_stream_store(stream);
            close_stream(stream);
        }
    }
}

/* xHCI 1.2 §6.2.4.1. A TD that stops has moved nothing: Stopped EDTLA is 0. */
static bool store_context(ixhci_ep *ep, uint64_t gpa, const ixhci_ring *ring,
                          unsigned sct)
{
    uint64_t pointer = ixhci_ring_pack(ring);
    const uint32_t words[4] = { xhci_set((uint32_t)pointer, STREAM_SCT, sct),
                                (uint32_t)(pointer >> 32) };

    if (!ixhci_dma_store_words(ep->x, gpa, words, ARRAY_SIZE(words))) {
        ixhci_power_host_error(ep->x, IXHCI_HSE_CONTEXT);
        return false;
    }
    return true;
}

bool ixhci_stream_store(ixhci_ep *stream)
{
    return store_context(stream, stream->stream_gpa, &stream->ring,
                         stream->sct);
}

/* Rule 4. */
static void report(ixhci_ep *ep, unsigned cc)
{
    if (cc == CC_INVALID_STREAM_TYPE) {
        ixhci_endpoint_set_state(ep, EP_STATE_HALTED);
    }
    ixhci_event_post_transfer(ep->x, ep, 0, 0, cc, ep->slot->cfg.intr);
}

static ixhci_ep *open_stream(ixhci_ep *ep, unsigned stream_id)
{
    ixhci_stream_place place;
    unsigned cc = locate(ep, stream_id, &place);
    ixhci_ep *stream = NULL;

    if (cc == CC_SUCCESS && !ixhci_stream_type_is_ring(&place, place.sct)) {
        cc = CC_INVALID_STREAM_TYPE;
    }
    if (cc == CC_SUCCESS) {
        close_idle(ep);
        stream = ixhci_stream_new(ep, stream_id, place.gpa, place.sct);
        cc = stream ? CC_SUCCESS : CC_RESOURCE_ERROR;
    }
    trace_ixhci_stream_open(ep->slot->slot_id, ep->dci, stream_id, cc);
    if (stream) {
        stream->ring = place.ring;
    } else if (cc != CC_UNDEFINED) {
        report(ep, cc);
    }
    return stream;
}

/* The stream of a doorbell; NULL: there is none, and the driver was told. */
ixhci_ep *ixhci_stream_rung(ixhci_ep *ep, unsigned stream_id)
{
    ixhci_ep *stream = find_open(ep, stream_id);

    if (stream || !ixhci_endpoint_start(ep)) {
        return stream;
    }
    return open_stream(ep, stream_id);
}

/* xHCI 1.2 §4.6.10: the Stream Context, and not the Endpoint Context. */
unsigned ixhci_stream_set_dequeue(ixhci_ep *ep, unsigned stream_id,
                                  unsigned sct, uint64_t pointer)
{
    ixhci_ring ring = ixhci_ring_at(pointer);
    ixhci_ep *stream = find_open(ep, stream_id);
    ixhci_stream_place place;
    unsigned cc = locate(ep, stream_id, &place);

    if (cc == CC_UNDEFINED) {
        return cc;
    }
    if (cc == CC_SUCCESS && !ixhci_stream_type_is_ring(&place, sct)) {
        cc = CC_INVALID_STREAM_TYPE;
    }
    if (cc != CC_SUCCESS) {
        return cc;
    }
    if (stream) {
        stream->ring = ring;
        stream->sct = sct;
    }
    return store_context(ep, place.gpa, &ring, sct) ? CC_SUCCESS : CC_UNDEFINED;
}

/* The device's endpoint of one of ours, if it has streams; else NULL. */
static USBEndpoint *device_endpoint(const ixhci_slot *slot, unsigned dci)
{
    USBDevice *dev = slot->uport ? slot->uport->dev : NULL;
    USBEndpoint *usb_ep;

    if (!dev) {
        return NULL;
    }
    usb_ep = usb_ep_get(dev, dci & 1 ? USB_TOKEN_IN : USB_TOKEN_OUT, dci >> 1);
    return usb_ep->max_streams ? usb_ep : NULL;
}

/* Rule 5. False: the device has no such stream, and will not answer. */
bool ixhci_stream_is_known(const ixhci_ep *ep, const USBEndpoint *usb_ep)
{
    return !usb_ep->max_streams ||
           ep->stream_id <= (unsigned)usb_ep->max_streams;
}

/* The device prepares for streams: one that is not emulated may say that it
 * cannot. It is asked for no more than it has. */
bool ixhci_stream_alloc(const ixhci_slot *slot, unsigned dci,
                        const ixhci_ep_config *cfg)
{
    USBEndpoint *usb_ep = device_endpoint(slot, dci);
    int streams = ixhci_stream_primaries(cfg->max_pstreams);

    return !cfg->max_pstreams || !usb_ep ||
           usb_device_alloc_streams(usb_ep->dev, &usb_ep, 1,
                                    MIN(streams, usb_ep->max_streams)) >= 0;
}

/* And is told, once, that they are over. */
void ixhci_stream_release(ixhci_ep *ep)
{
    USBEndpoint *usb_ep = device_endpoint(ep->slot, ep->dci);

    if (ep->streams_allocated && usb_ep) {
        ixhci_endpoint_idle(ep);
        usb_device_free_streams(usb_ep->dev, &usb_ep, 1);
    }
    ep->streams_allocated = false;
}
