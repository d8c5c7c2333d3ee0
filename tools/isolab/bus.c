/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus.h"

#include <errno.h>

enum { REQ_SET_CONFIGURATION = 9, REQ_SET_INTERFACE = 11 };

/* Packets that a submitted URB has made, until it comes back. */
typedef struct {
    uint32_t first, count;
} pending;

typedef struct {
    bus *b;
    pcap *p;
    GHashTable *pending; /* id of the URB, pending */
    GHashTable *lanes;   /* key of the endpoint, index + 1 */
} reader;

/* A control endpoint is one, whichever way its data goes. */
static uint8_t lane_address(const usbmon_record *r)
{
    return r->type == USBMON_CONTROL ? r->address & 0x0f : r->address;
}

static uint32_t lane_key(const usbmon_record *r)
{
    return (uint32_t)r->bus << 16 | (uint32_t)r->device << 8 | lane_address(r);
}

/* NULL: there are more endpoints than a file of this world has. */
static bus_lane *find_lane(reader *rd, const usbmon_record *r, unsigned *index)
{
    gpointer key = GUINT_TO_POINTER(lane_key(r));
    unsigned at = GPOINTER_TO_UINT(g_hash_table_lookup(rd->lanes, key));

    if (!at) {
        bus_lane lane = { .bus = r->bus,
                          .device = r->device,
                          .address = lane_address(r),
                          .type = r->type,
                          .shortest = UINT64_MAX,
                          .next_ordinal = 1,
                          .selection = 1 };

        if (rd->b->lanes->len >= BUS_ENDPOINTS_MAX) {
            return NULL;
        }
        g_array_append_val(rd->b->lanes, lane);
        at = rd->b->lanes->len;
        g_hash_table_insert(rd->lanes, key, GUINT_TO_POINTER(at));
    }
    *index = at - 1;
    return &g_array_index(rd->b->lanes, bus_lane, at - 1);
}

static void restart(bus_lane *lane)
{
    lane->is_selected = false;
    if (lane->next_ordinal > 1) {
        lane->next_ordinal = 1;
        lane->selection++;
    }
}

/* Rule 2 */
static void take_request(reader *rd, const usbmon_record *r)
{
    uint8_t request = r->setup[1];

    if (r->setup[0] & 0x60) {
        return;
    }
    for (unsigned i = 0; i < rd->b->lanes->len; i++) {
        bus_lane *lane = &g_array_index(rd->b->lanes, bus_lane, i);

        if (lane->bus != r->bus || lane->device != r->device ||
            !(lane->address & 0x0f)) {
            continue;
        }
        if (request == REQ_SET_CONFIGURATION) {
            restart(lane);
        }
        lane->is_selected |= request == REQ_SET_INTERFACE;
    }
}

/* Rule 1: the rows of a record; how many there are. */
static uint32_t add_rows(reader *rd, const usbmon_record *r, uint32_t *first)
{
    uint32_t count = MAX(r->packets, 1);
    unsigned index;
    bus_lane *lane = find_lane(rd, r, &index);

    *first = rd->b->packets->len;
    if (!lane || count > BUS_PACKETS_MAX - *first) {
        rd->b->dropped += count;
        return 0;
    }
    lane->interval = r->interval;
    if (lane->is_selected && r->ns - lane->seen_ns >= QUIET_NS) {
        restart(lane);
    }
    lane->is_selected = false;
    lane->seen_ns = r->ns;
    for (uint32_t i = 0; i < count; i++) {
        bus_packet packet = { .submit_ns = r->event == 'C' ? -1 : r->ns,
                              .complete_ns = -1,
                              .ordinal = lane->next_ordinal++,
                              .selection = lane->selection,
                              .lane = (uint16_t)index };

        g_array_append_val(rd->b->packets, packet);
    }
    return count;
}

static void count_packet(bus_lane *lane, const bus_packet *packet)
{
    uint32_t mask = effect_of_errno(packet->status);

    lane->packets++;
    lane->bytes += packet->bytes;
    lane->shortest = MIN(lane->shortest, packet->bytes);
    lane->longest = MAX(lane->longest, packet->bytes);
    if (mask) {
        lane->failed++;
        lane->by_effect[effect_first(mask)]++;
    }
    if (lane->packets == 1) {
        lane->first_ns = packet->complete_ns;
    }
    lane->last_ns = packet->complete_ns;
}

/* Rule 3 */
static int64_t back_ns(const usbmon_record *r, uint32_t from_the_end)
{
    int64_t step = CLAMP(r->interval, 0, 32768);

    return r->ns - step * UF_NS * (int64_t)from_the_end;
}

static void complete_rows(reader *rd, const usbmon_record *r, uint32_t first,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bus_packet *packet =
            &g_array_index(rd->b->packets, bus_packet, first + i);

        packet->complete_ns = back_ns(r, count - 1 - i);
        packet->status = r->status;
        packet->bytes = count == 1 ? r->length : 0;
        if (i < r->packets) {
            usbmon_packet descriptor = pcap_packet(rd->p, i);

            /* a transfer that was taken back says so only as a whole */
            packet->status = descriptor.status == -EXDEV && r->status
                                 ? r->status
                                 : descriptor.status;
            packet->bytes = descriptor.length;
        }
        count_packet(&g_array_index(rd->b->lanes, bus_lane, packet->lane),
                     packet);
    }
    if (count) {
        uint16_t lane = g_array_index(rd->b->packets, bus_packet, first).lane;

        g_array_index(rd->b->lanes, bus_lane, lane).seen_ns = r->ns;
    }
}

static void take_record(reader *rd, const usbmon_record *r)
{
    pending *open = g_hash_table_lookup(rd->pending, &r->id);
    uint32_t first, count;

    if (r->event == 'S') {
        if (r->setup) {
            take_request(rd, r);
        }
        count = add_rows(rd, r, &first);
        if (count) {
            open = g_new(pending, 1);
            *open = (pending){ first, count };
            g_hash_table_insert(rd->pending, g_memdup2(&r->id, sizeof(r->id)),
                                open);
        }
    } else if (open) {
        complete_rows(rd, r, open->first, open->count);
        g_hash_table_remove(rd->pending, &r->id);
    } else {
        count = add_rows(rd, r, &first);
        complete_rows(rd, r, first, count);
    }
}

bus *bus_read(pcap *p, GError **error)
{
    bus *b = g_new0(bus, 1);
    reader rd = { b, p,
                  g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        g_free),
                  g_hash_table_new(NULL, NULL) };
    GError *failed = NULL;
    usbmon_record record;

    b->packets = g_array_new(FALSE, FALSE, sizeof(bus_packet));
    b->lanes = g_array_new(FALSE, FALSE, sizeof(bus_lane));
    while (pcap_next(p, &record, &failed)) {
        b->first_ns = b->records++ ? MIN(b->first_ns, record.ns) : record.ns;
        b->last_ns = MAX(b->last_ns, record.ns);
        take_record(&rd, &record);
    }
    b->truncated = pcap_is_truncated(p);
    g_hash_table_destroy(rd.pending);
    g_hash_table_destroy(rd.lanes);
    if (failed) {
        g_propagate_error(error, failed);
        bus_free(b);
        return NULL;
    }
    return b;
}

void bus_free(bus *b)
{
    if (b) {
        g_array_unref(b->packets);
        g_array_unref(b->lanes);
        g_free(b);
    }
}

char *bus_lane_name(const bus_lane *lane)
{
    static const char *const types[] = { "isochronous", "interrupt", "control",
                                         "bulk" };

    return g_strdup_printf(
        "%u.%u EP %u%s %s", lane->bus, lane->device, lane->address & 0x0f,
        lane->address & 0x0f ? lane->address & 0x80 ? " IN" : " OUT" : "",
        lane->type < G_N_ELEMENTS(types) ? types[lane->type] : "unknown");
}

witness *bus_witness(const bus *b, bool from_bus)
{
    witness *w = witness_new("capture", true);

    w->is_bus = from_bus;

    for (unsigned i = 0; i < b->packets->len; i++) {
        const bus_packet *packet = bus_at(b, i);
        const bus_lane *lane = bus_lane_at(b, packet->lane);
        uint32_t effects = effect_of_errno(packet->status);
        observation row = { .uf = from_bus ? packet->complete_ns / UF_NS : -1,
                            .device = lane->device,
                            .ordinal = packet->ordinal,
                            .selection = packet->selection,
                            .effects = effects,
                            .line = i + 1,
                            .address = lane->address,
                            .requested = effects & EFFECT_BIT(EFFECT_CANCELLED),
                            .length = packet->bytes,
                            .text = effect_errno_text(packet->status) };

        if (lane->type == USBMON_ISOCH && packet->complete_ns >= 0) {
            g_array_append_val(w->rows, row);
        }
    }
    return w;
}
