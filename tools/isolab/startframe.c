/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "startframe.h"

#include "effect.h"

/* From one URB to the next of the same stream. */
typedef struct {
    uint32_t row, before; /* the next one's first packet, the last of this */
    uint32_t packets;
    int32_t frames; /* of 2^32, the shorter way */
} step;

typedef struct {
    bool is_in, has_urb;
    startframe_urb urb; /* the last */
    uint32_t row;       /* the last */
    GArray *steps;
} stream;

static void stream_free(gpointer data)
{
    stream *s = data;

    g_array_unref(s->steps);
    g_free(s);
}

static stream *find_stream(GHashTable *streams, const observation *row)
{
    gint64 key = (gint64)row->selection << 8 | row->address;
    stream *s = g_hash_table_lookup(streams, &key);

    if (!s) {
        s = g_new0(stream, 1);
        s->is_in = row->address & 0x80;
        s->steps = g_array_new(FALSE, FALSE, sizeof(step));
        g_hash_table_insert(streams, g_memdup2(&key, sizeof(key)), s);
    }
    return s;
}

/* An URB that was taken back has no place on the bus. */
static void add_urb(stream *s, const witness *w, const startframe_urb *urb)
{
    const observation *from = witness_row(w, s->urb.row);
    const observation *to = witness_row(w, urb->row);
    step next = { urb->row, s->row, (uint32_t)(to->ordinal - from->ordinal),
                  (int32_t)(urb->start_frame - s->urb.start_frame) };

    if (s->has_urb && !from->requested && !to->requested && next.packets) {
        g_array_append_val(s->steps, next);
    }
    s->urb = *urb;
    s->has_urb = true;
}

static void collect(GHashTable *streams, const witness *w, const GArray *urbs)
{
    unsigned at = 0;

    for (uint32_t i = 0; i < w->rows->len; i++) {
        stream *s = find_stream(streams, witness_row(w, i));

        if (at < urbs->len &&
            g_array_index(urbs, startframe_urb, at).row == i) {
            add_urb(s, w, &g_array_index(urbs, startframe_urb, at++));
        }
        s->row = i;
    }
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const step *x = a, *y = b;

    return x->frames != y->frames     ? (x->frames < y->frames ? -1 : 1)
           : x->packets != y->packets ? (x->packets < y->packets ? -1 : 1)
                                      : 0;
}

/* Rule 1. */
static step usual_of(const GArray *steps)
{
    g_autoptr(GArray) sorted = g_array_copy((GArray *)steps);
    unsigned run = 0, most = 0;
    step usual = { 0 };

    g_array_sort(sorted, compare);
    for (unsigned i = 0; i < sorted->len; i++) {
        const step *s = &g_array_index(sorted, step, i);

        run = i && compare(s - 1, s) == 0 ? run + 1 : 1;
        if (run > most && s->frames > 0) {
            most = run;
            usual = *s;
        }
    }
    return usual;
}

static void mark(witness *w, const step *s, int64_t frames)
{
    observation *row = &g_array_index(w->rows, observation, s->row);
    g_autofree char *text =
        g_strdup_printf("StartFrame %s by %" G_GINT64_FORMAT " frames",
                        frames > 0 ? "jumps" : "goes back", ABS(frames));

    if (!row->effects) {
        row->text = g_intern_string(text);
        row->requested = witness_row(w, s->before)->effects; /* rule 3 */
    }
    row->effects |= EFFECT_BIT(EFFECT_LOST);
}

static void mark_stream(witness *w, const GArray *steps)
{
    step usual = usual_of(steps);

    for (unsigned i = 0; i < steps->len && usual.packets; i++) {
        const step *s = &g_array_index(steps, step, i);
        int64_t frames =
            s->frames - (int64_t)usual.frames * s->packets / usual.packets;

        if (frames) {
            mark(w, s, frames);
        }
    }
}

void startframe_mark(witness *w, const GArray *urbs)
{
    g_autoptr(GHashTable) streams =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, stream_free);
    GHashTableIter iter;
    gpointer value;

    collect(streams, w, urbs);
    g_hash_table_iter_init(&iter, streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const stream *s = value;

        if (s->is_in) { /* rule 2 */
            mark_stream(w, s->steps);
        }
    }
}
