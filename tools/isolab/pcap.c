/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcap.h"

#include <string.h>

#include "command.h"

enum {
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    MON_HEADER_189 = 48,
    MON_HEADER_220 = 64,
    DESCRIPTOR = 16,
    LINK_USB_LINUX = 189,
    LINK_USB_LINUX_MMAPPED = 220,
    RECORD_MAX = 64 << 20, /* an URB that long is no URB */
};

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define MAGIC_NG 0x0a0d0d0au /* pcapng, the same in either order */

struct pcap {
    GBytes *bytes;
    const uint8_t *data;
    size_t size, at;
    bool swapped, truncated;
    int64_t tick_ns;
    uint32_t header;      /* bytes of a usbmon header */
    const uint8_t *descs; /* of the last record */
    char *name;
};

static uint32_t get32(const pcap *p, const uint8_t *from)
{
    uint32_t v;

    memcpy(&v, from, sizeof(v));
    return p->swapped ? GUINT32_SWAP_LE_BE(v) : v;
}

static uint16_t get16(const pcap *p, const uint8_t *from)
{
    uint16_t v;

    memcpy(&v, from, sizeof(v));
    return p->swapped ? GUINT16_SWAP_LE_BE(v) : v;
}

static uint64_t get64(const pcap *p, const uint8_t *from)
{
    uint64_t v;

    memcpy(&v, from, sizeof(v));
    return p->swapped ? GUINT64_SWAP_LE_BE(v) : v;
}

bool pcap_is_magic(const void *data, size_t bytes)
{
    uint32_t magic;

    if (bytes < sizeof(magic)) {
        return false;
    }
    memcpy(&magic, data, sizeof(magic));
    return magic == MAGIC_US || magic == GUINT32_SWAP_LE_BE(MAGIC_US) ||
           magic == MAGIC_NS || magic == GUINT32_SWAP_LE_BE(MAGIC_NS) ||
           magic == MAGIC_NG;
}

static bool read_file_header(pcap *p, GError **error)
{
    uint32_t magic, link;

    if (p->size < FILE_HEADER || !pcap_is_magic(p->data, p->size)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s is no pcap file.",
                    p->name);
        return false;
    }
    memcpy(&magic, p->data, sizeof(magic));
    if (magic == MAGIC_NG) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is a pcapng file; editcap -F pcap makes a pcap "
                    "file of it.",
                    p->name);
        return false;
    }
    p->swapped = magic != MAGIC_US && magic != MAGIC_NS;
    p->tick_ns = get32(p, p->data) == MAGIC_NS ? 1 : 1000;
    link = get32(p, p->data + 20) & 0x0fffffff;
    p->header = link == LINK_USB_LINUX_MMAPPED ? MON_HEADER_220
                : link == LINK_USB_LINUX       ? MON_HEADER_189
                                               : 0;
    if (!p->header) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is a capture of link type %u, and not of USB by "
                    "usbmon (220 or 189).",
                    p->name, link);
        return false;
    }
    p->at = FILE_HEADER;
    return true;
}

pcap *pcap_new(GBytes *bytes, const char *name, GError **error)
{
    pcap *p = g_new0(pcap, 1);

    p->bytes = g_bytes_ref(bytes);
    p->data = g_bytes_get_data(bytes, &p->size);
    p->name = g_strdup(name);
    if (!read_file_header(p, error)) {
        pcap_free(p);
        return NULL;
    }
    return p;
}

pcap *pcap_open(const char *path, GError **error)
{
    GMappedFile *map = g_mapped_file_new(path, FALSE, NULL);
    GBytes *bytes;
    pcap *p;

    if (!map) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Cannot read the capture %s.", path);
        return NULL;
    }
    bytes = g_mapped_file_get_bytes(map);
    g_mapped_file_unref(map);
    p = pcap_new(bytes, path, error);
    g_bytes_unref(bytes);
    return p;
}

void pcap_free(pcap *p)
{
    if (p) {
        g_bytes_unref(p->bytes);
        g_free(p->name);
        g_free(p);
    }
}

/* Rule 2: of what the header says, what the record holds. */
static uint32_t count_packets(const pcap *p, const uint8_t *mon, uint32_t room)
{
    uint32_t said;

    if (p->header != MON_HEADER_220 || mon[9] != USBMON_ISOCH) {
        return 0;
    }
    said = get32(p, mon + 60);
    return MIN(said, room / DESCRIPTOR);
}

static void decode(pcap *p, const uint8_t *mon, uint32_t bytes,
                   usbmon_record *r)
{
    memset(r, 0, sizeof(*r));
    r->id = get64(p, mon);
    r->event = (char)mon[8];
    r->type = mon[9];
    r->address = mon[10];
    r->device = mon[11];
    r->bus = get16(p, mon + 12);
    r->setup = mon[14] == 0 && r->type == USBMON_CONTROL ? mon + 40 : NULL;
    r->status = (int32_t)get32(p, mon + 28);
    r->length = get32(p, mon + 32);
    if (p->header == MON_HEADER_220) {
        r->interval = (int32_t)get32(p, mon + 48);
        r->start_frame = (int32_t)get32(p, mon + 52);
    }
    r->packets = count_packets(p, mon, bytes - p->header);
    p->descs = mon + p->header;
}

bool pcap_next(pcap *p, usbmon_record *record, GError **error)
{
    const uint8_t *head = p->data + p->at;
    uint32_t bytes;

    if (p->size - p->at < RECORD_HEADER) {
        p->truncated = p->at != p->size;
        return false;
    }
    bytes = get32(p, head + 8);
    if (bytes < p->header || bytes > RECORD_MAX) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s: the record at byte %" G_GSIZE_FORMAT
                    " has %u bytes, which a usbmon record cannot have.",
                    p->name, p->at, bytes);
        return false;
    }
    if (bytes > p->size - p->at - RECORD_HEADER) {
        p->truncated = true;
        return false;
    }
    decode(p, head + RECORD_HEADER, bytes, record);
    record->ns = (int64_t)get32(p, head) * 1000000000 +
                 (int64_t)get32(p, head + 4) * p->tick_ns;
    p->at += RECORD_HEADER + bytes;
    return true;
}

usbmon_packet pcap_packet(const pcap *p, unsigned i)
{
    const uint8_t *from = p->descs + (size_t)i * DESCRIPTOR;

    return (usbmon_packet){ .status = (int32_t)get32(p, from),
                            .offset = get32(p, from + 4),
                            .length = get32(p, from + 8) };
}

bool pcap_is_truncated(const pcap *p)
{
    return p->truncated;
}
