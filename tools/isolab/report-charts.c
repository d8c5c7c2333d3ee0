/*
 * The numbers behind the charts.
 *
 *  1. x is in microframes from the first that is shown (`base`), so that
 *     numbers stay short.
 *  2. The timeline shows single packets as long as there are few
 *     (ITEMS_MAX). Beyond that good packets are summed up in bins, but for
 *     those near a fault; failed packets stay single (FAILED_MAX). Endpoints
 *     beyond LANES_MAX are in the tables only.
 *  3. Other charts over time have BINS bins.
 *
 * Lists of numbers are columns, each an array: a fifth of the bytes that rows
 * of objects would take.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "html.h"
#include "histogram.h"
#include "report.h"

enum {
    ITEMS_MAX = 40000,
    FAILED_MAX = 10000,
    NEAR_UF = 64, /* to a fault */
    NEAR_MAX = 10000,
    BINS = 800,
    HISTOGRAM_BINS = 40,
    FINEST_NS = 1000,
    LANES_MAX = 64,
    FAULTS_MAX = 2000,
};

/* A packet, or several good ones of one bin. */
typedef struct {
    int64_t uf;
    uint32_t width, packets;
    uint64_t bytes; /* of the largest packet */
    uint16_t lane;
    uint8_t effect; /* EFFECTS: none */
} item;

typedef struct {
    const report *r;
    int64_t base, end; /* microframes */
    GArray *items;
} charts;

static int64_t packet_uf(const bus_packet *packet)
{
    int64_t ns =
        packet->complete_ns >= 0 ? packet->complete_ns : packet->submit_ns;

    return ns / UF_NS;
}

static uint8_t packet_effect(const bus_packet *packet)
{
    return (uint8_t)effect_first(effect_of_errno(packet->status));
}

static void find_range(charts *c)
{
    const report *r = c->r;

    c->base = INT64_MAX;
    c->end = INT64_MIN;
    if (r->bus && r->bus->records) {
        c->base = r->bus->first_ns / UF_NS;
        c->end = r->bus->last_ns / UF_NS;
    }
    for (unsigned i = 0; i < r->faults->len; i++) {
        int64_t uf = g_array_index(r->faults, fault, i).uf;

        c->base = MIN(c->base, uf);
        c->end = MAX(c->end, uf);
    }
    if (c->end < c->base) {
        c->base = c->end = 0;
    }
}

static bool is_near_fault(const report *r, int64_t uf)
{
    unsigned low = 0, high = r->faults->len;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        int64_t at = g_array_index(r->faults, fault, middle).uf;

        if (ABS(at - uf) <= NEAR_UF) {
            return true;
        }
        if (at < uf) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static void add_item(charts *c, const bus_packet *packet, int64_t uf,
                     uint32_t width)
{
    item new = { .uf = uf,
                 .width = width,
                 .packets = 1,
                 .bytes = packet->bytes,
                 .lane = packet->lane,
                 .effect = packet_effect(packet) };

    if (packet->lane < LANES_MAX) {
        g_array_append_val(c->items, new);
    }
}

static int compare_items(const void *a, const void *b)
{
    const item *x = a, *y = b;

    return x->uf < y->uf ? -1 : x->uf > y->uf;
}

/* Rule 2. `open`: of each lane and effect the bin that is being filled. */
static void sum_up(charts *c, unsigned budget)
{
    const bus *b = c->r->bus;
    unsigned lanes = b->lanes->len, failed = 0, near = 0;
    int64_t bins = budget / MIN(lanes, LANES_MAX);
    uint32_t width = (uint32_t)CLAMP((c->end - c->base) / bins + 1, 1, 1 << 30);
    int64_t *open = g_new(int64_t, (gsize)lanes * (EFFECTS + 1));

    for (gsize i = 0; i < (gsize)lanes * (EFFECTS + 1); i++) {
        open[i] = -1;
    }
    for (unsigned i = 0; i < b->packets->len; i++) {
        const bus_packet *packet = bus_at(b, i);
        int64_t uf = packet_uf(packet);
        uint8_t effect = packet_effect(packet);
        int64_t *bin = &open[packet->lane * (EFFECTS + 1) + effect];
        int64_t start = uf - (uf - c->base) % width;
        item *last = *bin < 0 ? NULL : &g_array_index(c->items, item, *bin);

        if (effect < EFFECTS && failed++ < FAILED_MAX) {
            add_item(c, packet, uf, 1);
        } else if (effect == EFFECTS && near < NEAR_MAX &&
                   is_near_fault(c->r, uf)) {
            near++;
            add_item(c, packet, uf, 1);
        } else if (last && last->uf == start) {
            last->packets++;
            last->bytes = MAX(last->bytes, packet->bytes);
        } else {
            *bin = packet->lane < LANES_MAX ? (int64_t)c->items->len : -1;
            add_item(c, packet, start, width);
        }
    }
    g_free(open);
}

static void collect_items(charts *c)
{
    const bus *b = c->r->bus;

    if (b->packets->len <= ITEMS_MAX) {
        for (unsigned i = 0; i < b->packets->len; i++) {
            add_item(c, bus_at(b, i), packet_uf(bus_at(b, i)), 1);
        }
    } else {
        sum_up(c, ITEMS_MAX / 2);
    }
    g_array_sort(c->items, compare_items);
}

/* A column: "name":[...], */
#define COLUMN(out, name, list, type, expression)                             \
    do {                                                                      \
        g_string_append_printf(out, "\"%s\":[", name);                        \
        for (unsigned i_ = 0; i_ < (list)->len; i_++) {                       \
            const type *at = &g_array_index(list, type, i_);                  \
            g_string_append_printf(out, "%s%" G_GINT64_FORMAT, i_ ? "," : "", \
                                   (gint64)(expression));                     \
        }                                                                     \
        g_string_append(out, "],");                                           \
    } while (0)

static void end_object(GString *out)
{
    if (out->str[out->len - 1] == ',') {
        g_string_truncate(out, out->len - 1);
    }
    g_string_append(out, "},");
}

static void put_timeline(GString *out, const charts *c)
{
    const bus *b = c->r->bus;

    g_string_append(out, "\"timeline\":{\"lanes\":[");
    for (unsigned i = 0; i < MIN(b->lanes->len, LANES_MAX); i++) {
        g_autofree char *name = bus_lane_name(bus_lane_at(b, i));

        g_string_append(out, i ? "," : "");
        html_json_text(out, name);
    }
    g_string_append(out, "],");
    COLUMN(out, "x", c->items, item, at->uf - c->base);
    COLUMN(out, "w", c->items, item, at->width);
    COLUMN(out, "n", c->items, item, at->packets);
    COLUMN(out, "bytes", c->items, item, at->bytes);
    COLUMN(out, "lane", c->items, item, at->lane);
    COLUMN(out, "effect", c->items, item, at->effect);
    end_object(out);
}

/* Bytes of each microframe that has any, in order. */
typedef struct {
    int64_t uf;
    uint64_t bytes;
} load;

static int compare_loads(const void *a, const void *b)
{
    const load *x = a, *y = b;

    return x->uf < y->uf ? -1 : x->uf > y->uf;
}

static GArray *loads_of(const bus *b)
{
    GArray *loads =
        g_array_sized_new(FALSE, FALSE, sizeof(load), b->packets->len);
    unsigned kept = 0;

    for (unsigned i = 0; i < b->packets->len; i++) {
        const bus_packet *packet = bus_at(b, i);
        load new = { packet_uf(packet), packet->bytes };

        if (packet->complete_ns >= 0 && packet->bytes) {
            g_array_append_val(loads, new);
        }
    }
    g_array_sort(loads, compare_loads);
    for (unsigned i = 0; i < loads->len; i++) {
        load *at = &g_array_index(loads, load, i);

        if (kept && g_array_index(loads, load, kept - 1).uf == at->uf) {
            g_array_index(loads, load, kept - 1).bytes += at->bytes;
        } else {
            g_array_index(loads, load, kept++) = *at;
        }
    }
    g_array_set_size(loads, kept);
    return loads;
}

typedef struct {
    int64_t x;
    uint64_t sum, most;
} load_bin;

static void put_bandwidth(GString *out, const charts *c)
{
    g_autoptr(GArray) loads = loads_of(c->r->bus);
    g_autoptr(GArray) bins = g_array_new(FALSE, TRUE, sizeof(load_bin));
    int64_t width = (c->end - c->base) / BINS + 1;

    g_array_set_size(bins, (guint)((c->end - c->base) / width + 1));
    for (unsigned i = 0; i < bins->len; i++) {
        g_array_index(bins, load_bin, i).x = i * width;
    }
    for (unsigned i = 0; i < loads->len; i++) {
        const load *at = &g_array_index(loads, load, i);
        int64_t index = CLAMP((at->uf - c->base) / width, 0, bins->len - 1);
        load_bin *bin = &g_array_index(bins, load_bin, index);

        bin->sum += at->bytes;
        bin->most = MAX(bin->most, at->bytes);
    }
    g_string_append_printf(
        out, "\"bandwidth\":{\"width\":%" G_GINT64_FORMAT ",", width);
    COLUMN(out, "x", bins, load_bin, at->x);
    COLUMN(out, "mean", bins, load_bin, at->sum / (uint64_t)width);
    COLUMN(out, "most", bins, load_bin, at->most);
    end_object(out);
}

/* Failed packets over time, of each effect that there is. */
static void put_status(GString *out, const charts *c)
{
    const bus *b = c->r->bus;
    int64_t width = (c->end - c->base) / (BINS / 4) + 1;
    gsize bins = (gsize)((c->end - c->base) / width + 1);
    uint32_t *count = g_new0(uint32_t, bins * EFFECTS);

    for (unsigned i = 0; i < b->packets->len; i++) {
        const bus_packet *packet = bus_at(b, i);
        uint8_t effect = packet_effect(packet);
        int64_t bin = (packet_uf(packet) - c->base) / width;

        if (effect < EFFECTS) {
            count[CLAMP(bin, 0, (int64_t)bins - 1) * EFFECTS + effect]++;
        }
    }
    g_string_append_printf(
        out, "\"status\":{\"width\":%" G_GINT64_FORMAT ",\"rows\":[", width);
    for (gsize i = 0; i < bins * EFFECTS; i++) {
        if (count[i]) {
            g_string_append_printf(out, "[%" G_GINT64_FORMAT ",%u,%u],",
                                   (int64_t)(i / EFFECTS) * width,
                                   (unsigned)(i % EFFECTS), count[i]);
        }
    }
    if (out->str[out->len - 1] == ',') {
        g_string_truncate(out, out->len - 1);
    }
    g_string_append(out, "]},");
    g_free(count);
}

GArray *report_jitter_ns(const bus *b, unsigned lane)
{
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(int64_t));
    const bus_lane *l = bus_lane_at(b, lane);
    int64_t ideal = CLAMP(l->interval, 1, 32768) * (int64_t)UF_NS;
    const bus_packet *last = NULL;

    for (unsigned i = 0; i < b->packets->len; i++) {
        const bus_packet *packet = bus_at(b, i);

        if (packet->lane != lane || packet->complete_ns < 0) {
            continue;
        }
        if (last && last->selection == packet->selection &&
            last->ordinal + 1 == packet->ordinal) {
            int64_t off = packet->complete_ns - last->complete_ns - ideal;

            g_array_append_val(samples, off);
        }
        last = packet;
    }
    return samples;
}

GArray *report_latency_ns(const bus *b, unsigned lane)
{
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(int64_t));

    for (unsigned i = 0; i < b->packets->len; i++) {
        const bus_packet *packet = bus_at(b, i);

        if (packet->lane == lane && packet->complete_ns >= 0 &&
            packet->submit_ns >= 0) {
            int64_t took = packet->complete_ns - packet->submit_ns;

            g_array_append_val(samples, took);
        }
    }
    return samples;
}

static void put_histogram(GString *out, const char *name, GArray *samples)
{
    g_autoptr(histogram) h = NULL;

    histogram_summarise(samples);
    h = histogram_new(samples, HISTOGRAM_BINS, FINEST_NS, 2);
    if (!h) {
        return;
    }
    g_string_append_printf(out,
                           "\"%s\":{\"first\":%" G_GINT64_FORMAT
                           ",\"width\":%" G_GINT64_FORMAT
                           ",\"below\":%" G_GUINT64_FORMAT
                           ",\"above\":%" G_GUINT64_FORMAT ",\"count\":[",
                           name, h->first, h->width, h->below, h->above);
    for (unsigned i = 0; i < h->bins; i++) {
        g_string_append_printf(out, "%s%" G_GUINT64_FORMAT, i ? "," : "",
                               h->count[i]);
    }
    g_string_append(out, "]},");
}

static void put_histograms(GString *out, const bus *b)
{
    g_string_append(out, "\"histograms\":[");
    for (unsigned i = 0; i < MIN(b->lanes->len, LANES_MAX); i++) {
        g_autoptr(GArray) jitter = report_jitter_ns(b, i);
        g_autoptr(GArray) latency = report_latency_ns(b, i);

        if (bus_lane_at(b, i)->type == USBMON_ISOCH && jitter->len) {
            g_string_append_printf(out, "{\"lane\":%u,", i);
            put_histogram(out, "jitter", jitter);
            put_histogram(out, "latency", latency);
            end_object(out);
        }
    }
    if (out->str[out->len - 1] == ',') {
        g_string_truncate(out, out->len - 1);
    }
    g_string_append(out, "],");
}

static void put_faults(GString *out, const charts *c)
{
    unsigned count = MIN(c->r->faults->len, FAULTS_MAX);

    g_string_append(out, "\"faults\":[");
    for (unsigned i = 0; i < count; i++) {
        const fault *f = &g_array_index(c->r->faults, fault, i);
        g_autofree char *what = report_fault_text(f);
        g_autofree char *where = report_fault_place(f);
        g_autofree char *text =
            g_strdup_printf("%s: %s, %s", f->rule, what, where);

        g_string_append_printf(out, "%s[%" G_GINT64_FORMAT ",", i ? "," : "",
                               f->uf - c->base);
        html_json_text(out, text);
        g_string_append_c(out, ']');
    }
    g_string_append(out, "],");
}

void report_chart_data(GString *out, const report *r)
{
    charts c = { .r = r };

    find_range(&c);
    c.items = g_array_new(FALSE, FALSE, sizeof(item));
    g_string_append_printf(out,
                           "{\"base\":%" G_GINT64_FORMAT
                           ",\"end\":%" G_GINT64_FORMAT ",\"effects\":[",
                           c.base, c.end - c.base);
    for (effect e = 0; e <= EFFECTS; e++) {
        g_string_append(out, e ? "," : "");
        html_json_text(out, effect_name(e));
    }
    g_string_append(out, "],");
    put_faults(out, &c);
    if (r->bus && r->bus->packets->len) {
        collect_items(&c);
        put_timeline(out, &c);
        put_bandwidth(out, &c);
        put_status(out, &c);
        put_histograms(out, r->bus);
    }
    g_array_unref(c.items);
    end_object(out);
    g_string_truncate(out, out->len - 1);
}
