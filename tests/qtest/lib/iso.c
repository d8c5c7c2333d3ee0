/*
 * Streams for the isochronous tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "iso.h"

IsoFrame iso_frame_now(Hcd *h)
{
    unsigned mfindex = hcd_mfindex(h);

    return (IsoFrame){ mfindex >> 3, hcd_now_uf(h) - (mfindex & 7) };
}

/* xHCI 1.2 §4.11.2.5: Frame IDs are modulo 2048. */
unsigned iso_frame_id(IsoFrame frame, int distance)
{
    return (frame.id + distance) & 0x7ff;
}

uint64_t iso_frame_uf(IsoFrame frame, int distance)
{
    return frame.start_uf + 8 * (int64_t)distance;
}

IsoIn *iso_in_open(Hcd *h, unsigned alternate)
{
    IsoIn *in = g_new0(IsoIn, 1);

    in->h = h;
    in->dev = alternate == 3 ? hcd_isoav_open_one(h, 3, ISOAV_IN)
                             : hcd_isoav_open(h, alternate);
    in->bytes = hcd_isoav_packet_bytes(alternate);
    in->esit_uf = alternate == 4 ? 8 : 1;
    return in;
}

static void queue(IsoIn *in, HcdTd td)
{
    unsigned i = in->count++;

    g_assert_cmpuint(i, <, ARRAY_SIZE(in->buf));
    in->buf[i] = hcd_alloc_filled(in->h, in->bytes, 0xaa);
    td.type = TRB_ISOCH;
    td.buf = in->buf[i];
    td.len = in->bytes;
    td.ioc = true;
    in->trb[i] = hcd_td(in->h, in->dev, ISOAV_IN, td);
}

void iso_in_queue_frame(IsoIn *in, unsigned frame_id)
{
    queue(in, (HcdTd){ .frame_id = frame_id });
}

void iso_in_queue_sia(IsoIn *in, unsigned n)
{
    while (n--) {
        queue(in, (HcdTd){ .sia = true });
    }
}

void iso_in_doorbell(IsoIn *in)
{
    hcd_ring_ep(in->h, in->dev, ISOAV_IN);
}

uint64_t iso_in_expect_at(IsoIn *in, unsigned i, const char *file, int line)
{
    HcdEvent event = hcd_expect_te_at(in->h, file, line,
                                      (HcdExpect){ .dev = in->dev,
                                                   .dci = ISOAV_IN,
                                                   .cc = CC_SUCCESS,
                                                   .ptr = in->trb[i],
                                                   .len = HCD_LEN_0 });
    uint64_t uf = hcd_isoav_microframe(in->h, in->buf[i], in->bytes);

    if (event.uf < uf || event.uf > uf + 1) {
        hcd_fail(file, line,
                 "TD %u was served in microframe %" PRIu64
                 ", its event came at %" PRIu64,
                 i, uf, event.uf);
    }
    return uf;
}

void iso_in_expect_missed_at(IsoIn *in, unsigned i, const char *file, int line)
{
    hcd_expect_te_at(in->h, file, line,
                     (HcdExpect){ .dev = in->dev,
                                  .dci = ISOAV_IN,
                                  .cc = CC_MISSED_SERVICE,
                                  .ptr = in->trb[i],
                                  .limit_uf = 80 });
    if (!hcd_mem_is(in->h, in->buf[i], in->bytes, 0xaa)) {
        hcd_fail(file, line, "TD %u was missed and its buffer was written", i);
    }
}
