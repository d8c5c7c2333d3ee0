/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driverlog.h"

#include <string.h>

#include "bus.h"
#include "command.h"
#include "json.h"
#include "lines.h"
#include "startframe.h"

witness *witness_new(const char *name, bool every_packet)
{
    witness *w = g_new0(witness, 1);

    w->name = g_strdup(name);
    w->rows = g_array_new(FALSE, FALSE, sizeof(observation));
    w->every_packet = every_packet;
    return w;
}

void witness_free(witness *w)
{
    if (w) {
        g_free(w->name);
        g_array_unref(w->rows);
        g_free(w);
    }
}

/* While the lines of one log are read. */
typedef struct {
    witness *w;
    GArray *urbs; /* startframe_urb */
    int64_t next_sequence;
} reading;

/* "c0000011": eight digits, no prefix. False: no such member. */
static bool get_status(JsonObject *o, const char *name, uint32_t *status)
{
    const char *text = isolab_json_text(o, name);
    guint64 value;

    if (!text || strlen(text) != 8 ||
        !g_ascii_string_to_unsigned(text, 16, 0, UINT32_MAX, &value, NULL)) {
        return false;
    }
    *status = (uint32_t)value;
    return true;
}

/*
 * An URB that was taken back is the driver's own doing, and its packets say
 * ISO_NOT_ACCESSED_BY_HW. One that the stack refused (ordinal 0) says why in
 * the URB's status alone.
 */
static void judge(observation *row, uint32_t packet, uint32_t urb)
{
    uint32_t of_urb = effect_of_usbd(urb);
    bool whole =
        row->ordinal == 0 ||
        (packet &&
         (of_urb & (EFFECT_BIT(EFFECT_CANCELLED) | EFFECT_BIT(EFFECT_GONE))));

    row->effects = whole ? of_urb : effect_of_usbd(packet);
    row->text = effect_usbd_text(whole ? urb : packet);
    row->requested = row->effects == EFFECT_BIT(EFFECT_CANCELLED);
}

static void take_start(reading *r, JsonObject *o, const observation *row)
{
    startframe_urb urb = { .row = r->w->rows->len,
                           .start_frame =
                               (uint32_t)lines_int(o, "start_frame", 0) };

    if (row->ordinal && lines_int(o, "packet", -1) == 0) {
        g_array_append_val(r->urbs, urb);
    }
}

static bool take_entry(JsonObject *o, uint32_t line, void *opaque,
                       GError **error)
{
    reading *r = opaque;
    int64_t sequence = lines_int(o, "sequence", -1);
    int64_t endpoint = lines_int(o, "endpoint", -1);
    int64_t ordinal = lines_int(o, "ordinal", -1);
    observation row = { .uf = lines_int(o, "uf", -1),
                        .ordinal = (uint64_t)MAX(ordinal, 0),
                        .selection = (uint32_t)lines_int(o, "selection", 0),
                        .length = lines_int(o, "length", -1),
                        .line = line };
    uint32_t packet, urb;

    if (sequence < 0 || ordinal < 0 || endpoint < 0 || endpoint > 15 ||
        !get_status(o, "status_code", &packet) ||
        !get_status(o, "urb_status_code", &urb)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "not a line of `isoav log --json`: it needs sequence, "
                    "ordinal, endpoint, status_code and urb_status_code");
        return false;
    }
    row.address = (uint8_t)endpoint |
                  (g_str_equal(lines_text(o, "direction"), "in") ? 0x80 : 0);
    judge(&row, packet, urb);
    if (sequence != r->next_sequence && r->w->rows->len) {
        r->w->every_packet = false; /* isoav log --errors */
    } else if (sequence != r->next_sequence) {
        r->w->forgotten = (uint64_t)sequence;
    }
    r->next_sequence = sequence == INT64_MAX ? sequence : sequence + 1;
    take_start(r, o, &row);
    g_array_append_val(r->w->rows, row);
    return true;
}

witness *driverlog_parse(const char *text, gsize bytes, const char *name,
                         GError **error)
{
    gsize at = 0;
    reading r = { NULL };

    while (at < bytes && g_ascii_isspace(text[at])) {
        at++;
    }
    if (at < bytes && text[at] != '{') {
        return messages_parse(text, bytes, name);
    }
    r.w = witness_new("isoav.sys", true);
    r.urbs = g_array_new(FALSE, FALSE, sizeof(startframe_urb));
    if (!lines_parse(text, bytes, name, take_entry, &r, error)) {
        g_clear_pointer(&r.w, witness_free);
    } else if (r.w->every_packet) {
        startframe_mark(r.w, r.urbs);
    }
    g_array_unref(r.urbs);
    return r.w;
}

static witness *read_capture(const char *text, gsize bytes, const char *path,
                             GError **error)
{
    g_autoptr(GBytes) all = g_bytes_new_static(text, bytes);
    g_autoptr(pcap) file = pcap_new(all, path, error);
    g_autoptr(bus) seen = file ? bus_read(file, error) : NULL;

    return seen ? bus_witness(seen, false) : NULL;
}

witness *driverlog_read(const char *path, GError **error)
{
    gsize bytes;
    g_autofree char *text = lines_load(path, &bytes, error);
    g_autofree char *base = NULL;
    witness *w;

    if (!text) {
        return NULL;
    }
    w = pcap_is_magic(text, bytes) ? read_capture(text, bytes, path, error)
                                   : driverlog_parse(text, bytes, path, error);
    if (w) {
        base = g_path_get_basename(path);
        g_free(w->name);
        w->name = g_steal_pointer(&base);
    }
    return w;
}
