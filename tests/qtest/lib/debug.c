/*
 * A driver of the Debug Capability, and the host at the other end of its cable
 * (debug.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "debug.h"

#define CHANGES (PORTSC_CSC | PORTSC_PRC | PORTSC_PLC | PORTSC_CEC)
#define PATIENCE 20000 /* turns of QEMU's main loop */

uint32_t dbg_reg(Debug *d, unsigned offset)
{
    return qtest_readl(d->h->qts, d->base + offset);
}

void dbg_set_reg(Debug *d, unsigned offset, uint32_t value)
{
    qtest_writel(d->h->qts, d->base + offset, value);
}

void dbg_set_reg64(Debug *d, unsigned offset, uint64_t value)
{
    dbg_set_reg(d, offset, (uint32_t)value);
    dbg_set_reg(d, offset + 4, value >> 32);
}

uint64_t dbg_find(Hcd *h)
{
    uint32_t offset = h->xecp;

    for (unsigned n = 0; n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);

        if (xhci_get(header, XECP_ID) == XECP_DEBUG) {
            return h->bar + offset;
        }
        if (!xhci_get(header, XECP_NEXT)) {
            break;
        }
        offset += 4 * xhci_get(header, XECP_NEXT);
    }
    return 0;
}

Debug *dbg_start_with(Cable cable)
{
    Debug *d = g_new0(Debug, 1);
    g_autofree char *args = NULL;

    d->dir = g_dir_make_tmp("ixhci-dbc-XXXXXX", NULL);
    d->path = g_build_filename(d->dir, "end", NULL);
    args = cable.socket
               ? g_strdup_printf("-chardev socket,id=dbc,path=%s,server=on,"
                                 "wait=off %s",
                                 d->path, cable.args ? cable.args : "")
               : g_strdup_printf("-chardev file,id=dbc,path=%s,append=on %s",
                                 d->path, cable.args ? cable.args : "");
    d->peer = -1;
    d->h = hcd_start(.props = "dbc=dbc", .args = g_steal_pointer(&args),
                     .machine = cable.machine);
    d->base = dbg_find(d->h);
    hcd_check(d->base, "there is no Debug Capability");
    d->evt =
        hcd_event_ring_new(d->h, cable.event_trbs ? cable.event_trbs : 256);
    return d;
}

void dbg_clear(Debug *d)
{
    if (d->peer >= 0) {
        close(d->peer);
    }
    g_unlink(d->path);
    g_rmdir(d->dir);
    g_free(d->path);
    g_free(d->dir);
    g_free(d);
}

void dbg_finish(Debug *d)
{
    hcd_finish(d->h);
    dbg_clear(d);
}

static void put_context(Debug *d, unsigned i, unsigned type)
{
    uint64_t gpa = d->contexts + 64 * (i + 1);

    d->ring[i] = hcd_ring_new(d->h, DBG_RING_TRBS);
    qtest_writel(d->h->qts, gpa + 4, xhci_set(0, EP_TYPE, type) | 1024u << 16);
    qtest_writeq(d->h->qts, gpa + 8, d->ring[i].base | 1);
}

static uint64_t put_string(Debug *d, const char *text)
{
    uint64_t gpa = hcd_alloc(d->h, 64, 64);
    unsigned bytes = 2 + 2 * strlen(text);

    qtest_writeb(d->h->qts, gpa, bytes);
    qtest_writeb(d->h->qts, gpa + 1, 3);
    for (unsigned i = 0; text[i]; i++) {
        qtest_writew(d->h->qts, gpa + 2 + 2 * i, (uint8_t)text[i]);
    }
    return gpa;
}

/* xHCI 1.2 §7.6.9: what a driver prepares before DCE. */
void dbg_prepare(Debug *d)
{
    static const char *const strings[] = { "\x09", "IsoLab", "Bench", "0001" };
    uint32_t lengths = 0;

    d->contexts = hcd_alloc(d->h, 192, 64);
    qtest_memset(d->h->qts, d->contexts, 0, 192);
    for (unsigned i = 0; i < 4; i++) {
        qtest_writeq(d->h->qts, d->contexts + 8 * i, put_string(d, strings[i]));
        lengths |= (2 + 2 * strlen(strings[i])) << (8 * i);
    }
    qtest_writel(d->h->qts, d->contexts + 32, lengths);
    put_context(d, OUT, EP_TYPE_BULK_OUT);
    put_context(d, IN, EP_TYPE_BULK_IN);
    dbg_set_reg(d, XHCI_DCERSTSZ, 1);
    dbg_set_reg64(d, XHCI_DCERSTBA_LO, d->evt.erst);
    dbg_set_reg64(d, XHCI_DCERDP_LO, d->evt.base);
    dbg_set_reg64(d, XHCI_DCCP_LO, d->contexts);
    dbg_set_reg(d, XHCI_DCDDI1, 0x1d6b0001);
    dbg_set_reg(d, XHCI_DCDDI2, 0x00100010);
}

void dbg_enable(Debug *d)
{
    dbg_prepare(d);
    dbg_set_reg(d, XHCI_DCCTRL, DCCTRL_DCE | DCCTRL_LSE);
}

/* A chardev is served between two commands of the test, and not at a known
 * one: ask often enough. The clock moves on only if `step` says so. */
bool dbg_becomes(Debug *d, unsigned offset, uint32_t mask, uint32_t value,
                 unsigned step)
{
    for (unsigned n = 0; n < PATIENCE; n++) {
        if ((dbg_reg(d, offset) & mask) == value) {
            return true;
        }
        if (step) {
            hcd_step_uf(d->h, step);
        }
    }
    return false;
}

void dbg_configured(Debug *d)
{
    hcd_check(dbg_becomes(d, XHCI_DCCTRL, DCCTRL_DCR, DCCTRL_DCR, 8),
              "it is not configured: DCCTRL %08x, DCPORTSC %08x",
              dbg_reg(d, XHCI_DCCTRL), dbg_reg(d, XHCI_DCPORTSC));
    dbg_set_reg(d, XHCI_DCPORTSC, CHANGES | PORTSC_PED);
    dbg_set_reg(d, XHCI_DCCTRL, DCCTRL_DCE | DCCTRL_LSE | DCCTRL_DRC);
}

void dbg_ack(Debug *d)
{
    dbg_set_reg64(d, XHCI_DCERDP_LO,
                  d->evt.base + d->evt.dequeue * XHCI_TRB_BYTES);
}

HcdEvent dbg_next_event(Debug *d)
{
    HcdEvent event;

    for (unsigned n = 0; n < PATIENCE; n++) {
        if (hcd_event_ring_take(d->h, &d->evt, &event)) {
            dbg_ack(d);
            return event;
        }
        dbg_reg(d, XHCI_DCST);
    }
    hcd_fail(__FILE__, __LINE__, "there is no event of the Debug Capability");
}

bool dbg_is_quiet(Debug *d)
{
    HcdEvent event;

    hcd_step_uf(d->h, 800);
    return !hcd_event_ring_take(d->h, &d->evt, &event);
}

void dbg_drain(Debug *d)
{
    HcdEvent event;

    while (hcd_event_ring_take(d->h, &d->evt, &event)) {
    }
    dbg_ack(d);
}

uint64_t dbg_put(Debug *d, unsigned i, uint64_t buf, uint32_t len,
                 uint32_t flags)
{
    return hcd_ring_put(d->h, &d->ring[i],
                        hcd_trb_ptr(TRB_NORMAL, buf, len, flags));
}

void dbg_ring(Debug *d, unsigned i)
{
    dbg_set_reg(d, XHCI_DCDB, xhci_set(0, DCDB_TARGET, i));
}

void dbg_expect_te(Debug *d, unsigned dci, uint64_t ptr, unsigned cc,
                   uint32_t len)
{
    HcdEvent event = dbg_next_event(d);

    hcd_check(event.type == EVT_TRANSFER && event.slot_id == 0 &&
                  event.dci == dci && event.ptr == ptr && event.cc == cc &&
                  event.len == len,
              "the event is: %s", hcd_event_text(&event));
}

/* How much the host has by now. */
size_t dbg_file_bytes(Debug *d)
{
    g_autofree char *text = NULL;
    size_t length = 0;

    hcd_check(g_file_get_contents(d->path, &text, &length, NULL),
              "%s cannot be read", d->path);
    return length;
}

void dbg_check_file(Debug *d, const char *want, size_t bytes)
{
    g_autofree char *text = NULL;
    size_t length = 0;

    for (unsigned n = 0; n < PATIENCE && length < bytes; n++) {
        g_free(text);
        hcd_check(g_file_get_contents(d->path, &text, &length, NULL),
                  "%s cannot be read", d->path);
        dbg_reg(d, XHCI_DCST);
    }
    hcd_check(length == bytes && memcmp(text, want, bytes) == 0,
              "the host has %zu bytes, '%.32s', and not '%.32s'", length, text,
              want);
}

uint64_t dbg_put_text(Debug *d, const char *text)
{
    uint64_t gpa = hcd_alloc(d->h, strlen(text) + 1, 16);

    qtest_memwrite(d->h->qts, gpa, text, strlen(text));
    return gpa;
}

void dbg_plug(Debug *d)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_strlcpy(address.sun_path, d->path, sizeof(address.sun_path));
    d->peer = socket(AF_UNIX, SOCK_STREAM, 0);
    hcd_check(connect(d->peer, (struct sockaddr *)&address, sizeof(address)) ==
                  0,
              "%s does not answer", d->path);
}

void dbg_unplug(Debug *d)
{
    close(d->peer);
    d->peer = -1;
}
