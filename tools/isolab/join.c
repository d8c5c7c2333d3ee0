/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "join.h"

#include "isolab/xhci.h"

enum {
    RUN_FOLLOWING = 1, /* good packets that end a reach */
    RUN_STREAM = 256,
    RUN_BUS = 1024,
    NEAR_UF = 16,  /* a fault and its packet, in the same time */
    FAR_UF = 8000, /* the same, if the ordinal fits */
};

/* While a join is made. */
typedef struct {
    const GArray *faults;
    const witness *w;
    join *j;
    GArray *of_address[256]; /* indices of rows, in order; NULL: none */
    GHashTable *by_packet;   /* address and ordinal, index of the first row */
    uint32_t *next;          /* the next row of the same, or 0 */
    uint32_t *place;         /* of a row in of_address */
    bool *explained;
    uint32_t selection[256]; /* rule 3: the last that was taken */
} joining;

static const fault *fault_at(const joining *in, unsigned i)
{
    return &g_array_index(in->faults, fault, i);
}

static uint64_t packet_key(uint8_t address, uint64_t ordinal)
{
    return (uint64_t)address << 56 ^ ordinal;
}

static void index_rows(joining *in)
{
    unsigned rows = in->w->rows->len;

    in->by_packet =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    in->next = g_new0(uint32_t, rows + 1);
    in->place = g_new0(uint32_t, rows + 1);
    in->explained = g_new0(bool, rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        GArray **list = &in->of_address[witness_row(in->w, i)->address];

        if (!*list) {
            *list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        }
        in->place[i] = (*list)->len;
        g_array_append_val(*list, i);
    }
    /* from the end, so that a chain begins with its first */
    for (uint32_t i = rows; i-- > 0;) {
        const observation *row = witness_row(in->w, i);
        uint64_t key = packet_key(row->address, row->ordinal);
        gpointer after = g_hash_table_lookup(in->by_packet, &key);

        if (row->ordinal) {
            in->next[i] = GPOINTER_TO_UINT(after);
            g_hash_table_insert(in->by_packet, g_memdup2(&key, sizeof(key)),
                                GUINT_TO_POINTER(i + 1));
        }
    }
}

static bool is_of_device(const observation *row, const fault *f)
{
    return !row->device || f->slot < 0 || row->device == f->slot;
}

/* Rule 3, without a time in common. */
static int64_t find_by_ordinal(joining *in, const fault *f,
                               const expectation *e, uint32_t at)
{
    int64_t best = -1;
    bool fits = false;

    for (; at; at = in->next[at - 1]) {
        const observation *row = witness_row(in->w, at - 1);

        if (row->selection >= in->selection[f->address] &&
            (best < 0 || (!fits && (row->effects & e->legal)))) {
            best = at - 1;
            fits = row->effects & e->legal;
        }
    }
    if (best >= 0) {
        in->selection[f->address] =
            witness_row(in->w, (unsigned)best)->selection;
    }
    return best;
}

/* The row of the list whose time is this one, or -1. */
static int64_t row_at(const joining *in, const fault *f)
{
    const GArray *list = in->of_address[f->address];
    unsigned low = 0, high = list ? list->len : 0;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint32_t at = g_array_index(list, uint32_t, middle);

        if (witness_row(in->w, at)->uf < f->uf) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; list && low < list->len; low++) {
        uint32_t at = g_array_index(list, uint32_t, low);
        const observation *row = witness_row(in->w, at);

        if (row->uf != f->uf) {
            break;
        }
        if (is_of_device(row, f)) {
            return at;
        }
    }
    return -1;
}

/* Rule 3, with one: the capture may have begun in mid-stream, and its ordinals
 * be others. */
static int64_t find_by_time(const joining *in, const fault *f, uint32_t at)
{
    int64_t best = -1, distance = FAR_UF, exact;

    for (; at; at = in->next[at - 1]) {
        const observation *row = witness_row(in->w, at - 1);

        if (ABS(row->uf - f->uf) <= distance && is_of_device(row, f)) {
            best = at - 1;
            distance = ABS(row->uf - f->uf);
        }
    }
    exact = distance > NEAR_UF || best < 0 ? row_at(in, f) : -1;
    return exact >= 0 ? exact : best;
}

/* The row of a fault's packet, or -1. */
static int64_t find_packet(joining *in, const fault *f, const expectation *e)
{
    uint64_t key = packet_key(f->address, f->td);
    uint32_t at = GPOINTER_TO_UINT(g_hash_table_lookup(in->by_packet, &key));

    return in->w->is_bus ? find_by_time(in, f, at)
                         : find_by_ordinal(in, f, e, at);
}

static void explain(joining *in, join_seen *seen, uint32_t row)
{
    in->explained[row] = true;
    seen->effects |= witness_row(in->w, row)->effects;
    if (seen->row < 0) {
        seen->row = row;
    }
    seen->rows++;
}

/*
 * Rows of one list from a place on, until `run` good ones in a row have ended
 * the reach, or `span` rows.
 */
static void walk(joining *in, join_seen *seen, const GArray *list,
                 unsigned from, uint32_t legal, unsigned run, int64_t span)
{
    unsigned good = 0;

    for (unsigned i = from; i < list->len && good < run && span != 0;
         i++, span--) {
        uint32_t at = g_array_index(list, uint32_t, i);
        const observation *row = witness_row(in->w, at);

        if (!row->effects) {
            good++;
        } else if ((row->effects & legal) &&
                   (i == from || !in->explained[at])) {
            explain(in, seen, at);
            good = 0;
        }
    }
}

/* Packets from the first bad one of a list's place to the next good one. */
static int64_t count_recovery(const joining *in, uint32_t row)
{
    const GArray *list = in->of_address[witness_row(in->w, row)->address];

    for (unsigned i = in->place[row]; i < list->len; i++) {
        if (!witness_row(in->w, g_array_index(list, uint32_t, i))->effects) {
            return i - in->place[row];
        }
    }
    return -1;
}

static void finish(joining *in, join_seen *seen)
{
    if (seen->outcome == JOIN_SEEN && seen->effects) {
        seen->recovered = count_recovery(in, (uint32_t)seen->row);
    }
    in->j->outcome[seen->outcome]++;
}

/* A packet that is not in the log. */
static join_outcome judge_absent(const joining *in, const fault *f,
                                 const expectation *e)
{
    const GArray *list = in->of_address[f->address];

    if (in->w->is_bus && f->code == CC_TRB_ERROR) {
        return JOIN_UNRECORDED; /* it was never on the bus */
    }
    if (!in->w->every_packet && list) {
        return e->silent ? JOIN_UNNOTICED : JOIN_MISSING;
    }
    if (!list || in->w->forgotten) {
        return JOIN_UNRECORDED;
    }
    return JOIN_MISSING;
}

/* A short packet is no error; its length tells. */
static bool has_length(const fault *f, const observation *row)
{
    return g_str_equal(f->action, "short") && f->bytes >= 0 &&
           row->length >= 0 && !row->effects;
}

static void judge_quiet(const joining *in, const fault *f, const expectation *e,
                        uint32_t at, join_seen *seen)
{
    const observation *row = witness_row(in->w, at);

    seen->row = at;
    if (has_length(f, row)) {
        seen->rows = row->length == f->bytes;
        seen->outcome = seen->rows ? JOIN_SEEN : JOIN_MISSING;
    } else if (row->requested) {
        /* a packet that the driver took back says nothing of what it was */
        seen->outcome = JOIN_UNRECORDED;
    } else {
        seen->outcome = e->silent ? JOIN_UNNOTICED : JOIN_MISSING;
    }
}

static void join_packet(joining *in, const fault *f, join_seen *seen)
{
    expectation e = expect_of(f, in->w->is_bus);
    int64_t at = find_packet(in, f, &e);
    const observation *row;
    const GArray *list;

    if (at < 0) {
        seen->outcome = judge_absent(in, f, &e);
        return;
    }
    row = witness_row(in->w, (unsigned)at);
    list = in->of_address[row->address];
    if (e.reach == REACH_PACKET) {
        walk(in, seen, list, in->place[at], e.legal, 1, 1);
    } else {
        walk(in, seen, list, in->place[at], e.legal,
             e.reach == REACH_FOLLOWING ? RUN_FOLLOWING : RUN_STREAM,
             e.reach == REACH_FOLLOWING && f->span > 0 ? f->span : -1);
    }
    if (seen->rows) {
        seen->outcome = JOIN_SEEN;
    } else if (row->effects && !row->requested && !in->explained[at]) {
        explain(in, seen, (uint32_t)at);
        seen->outcome = JOIN_WRONG;
    } else {
        judge_quiet(in, f, &e, (uint32_t)at, seen);
    }
}

/* No log has the packets of endpoint 0; a refusal may be in one all the same.
 */
static bool is_of_control(const fault *f)
{
    return f->td && f->endpoint == 0;
}

/* With the device a driver's log of it goes; that of the next may begin after
 * the fault. Only one that tells times would show that. */
static bool is_of_next_device(const joining *in, const expectation *e)
{
    return (e->legal & EFFECT_BIT(EFFECT_GONE)) && in->w->rows->len &&
           witness_row(in->w, 0)->uf < 0;
}

/* Rule 4: bad rows from `from` on, of all endpoints. */
static void join_bus(joining *in, const fault *f, uint32_t from,
                     join_seen *seen)
{
    expectation e = expect_of(f, in->w->is_bus);
    bool unrecorded = in->w->partial || !in->w->rows->len || is_of_control(f) ||
                      is_of_next_device(in, &e);
    unsigned good = 0;

    for (uint32_t i = from; i < in->w->rows->len && good < RUN_BUS; i++) {
        const observation *row = witness_row(in->w, i);

        if (row->uf >= 0 && row->uf + 1 < f->uf) {
            continue;
        }
        if ((row->effects & e.legal) && !in->explained[i]) {
            explain(in, seen, i);
            good = 0;
        } else if (!row->effects && seen->rows) {
            good++;
        }
    }
    seen->outcome = seen->rows   ? JOIN_SEEN
                    : e.silent   ? JOIN_UNNOTICED
                    : unrecorded ? JOIN_UNRECORDED
                                 : JOIN_MISSING;
}

static bool is_of_packet(const fault *f)
{
    return f->td && f->address;
}

/* Faults of packets have their place; the others come after, and take what is
 * left. */
static void join_all(joining *in)
{
    uint32_t from = 0;

    for (unsigned i = 0; i < in->faults->len; i++) {
        join_seen *seen = &g_array_index(in->j->seen, join_seen, i);

        seen->row = -1;
        if (is_of_packet(fault_at(in, i)) &&
            expect_of(fault_at(in, i), in->w->is_bus).reach != REACH_BUS) {
            join_packet(in, fault_at(in, i), seen);
            finish(in, seen);
        }
    }
    for (unsigned i = 0; i < in->faults->len; i++) {
        join_seen *seen = &g_array_index(in->j->seen, join_seen, i);

        if (!is_of_packet(fault_at(in, i)) ||
            expect_of(fault_at(in, i), in->w->is_bus).reach == REACH_BUS) {
            join_bus(in, fault_at(in, i), from, seen);
            finish(in, seen);
        } else if (seen->row >= 0) {
            from = MAX(from, (uint32_t)seen->row);
        }
    }
}

static bool goes_on(const joining *in, const join_orphan *last, uint32_t at)
{
    const observation *row = witness_row(in->w, at);
    const observation *before = witness_row(in->w, at - 1);

    return last->row + last->rows == at && row->address == before->address &&
           row->effects == before->effects &&
           (row->ordinal || row->text == before->text);
}

/* Rule 2 */
static void find_orphans(joining *in)
{
    GArray *orphans = in->j->orphans;

    for (uint32_t i = 0; i < in->w->rows->len; i++) {
        const observation *row = witness_row(in->w, i);
        join_orphan *last = orphans->len ? &g_array_index(orphans, join_orphan,
                                                          orphans->len - 1)
                                         : NULL;

        if (!row->effects || row->requested || in->explained[i]) {
            continue;
        }
        in->j->orphan_rows++;
        if (last && goes_on(in, last, i)) {
            last->rows++;
        } else {
            join_orphan orphan = { i, 1 };

            g_array_append_val(orphans, orphan);
        }
    }
}

/* The kernel may complain of whatever has to be noticed. */
static uint32_t legal_messages(const expectation *e)
{
    return e->legal | (e->silent ? 0 : EFFECT_BIT(EFFECT_OTHER));
}

/* A line is given to the first fault that it may be about; of how many others
 * it may be as well is said with it. `masks`: how many faults have one. */
static void count_others(joining *in, GHashTable *masks)
{
    for (unsigned f = 0; f < in->faults->len; f++) {
        join_seen *seen = &g_array_index(in->j->seen, join_seen, f);
        uint32_t effects =
            seen->row < 0 ? 0
                          : witness_row(in->w, (unsigned)seen->row)->effects;
        GHashTableIter at;
        gpointer legal, faults;

        g_hash_table_iter_init(&at, masks);
        while (effects && g_hash_table_iter_next(&at, &legal, &faults)) {
            if (effects & GPOINTER_TO_UINT(legal)) {
                seen->others += GPOINTER_TO_UINT(faults);
            }
        }
        seen->others -= effects != 0; /* itself */
    }
}

/* A log of messages has no packets: any fault may be what a line is about. */
static void join_messages(joining *in)
{
    g_autoptr(GHashTable) masks = g_hash_table_new(NULL, NULL);

    for (unsigned f = 0; f < in->faults->len; f++) {
        join_seen *seen = &g_array_index(in->j->seen, join_seen, f);
        expectation e = expect_of(fault_at(in, f), in->w->is_bus);
        bool of_packet =
            is_of_packet(fault_at(in, f)) || is_of_control(fault_at(in, f));
        uint32_t legal = legal_messages(&e);
        gpointer key = GUINT_TO_POINTER(legal);
        guint same = GPOINTER_TO_UINT(g_hash_table_lookup(masks, key));

        g_hash_table_insert(masks, key, GUINT_TO_POINTER(same + 1));
        seen->row = -1;
        for (uint32_t i = 0; i < in->w->rows->len; i++) {
            const observation *row = witness_row(in->w, i);

            if ((row->effects & legal) && !in->explained[i]) {
                explain(in, seen, i);
                if (e.reach == REACH_PACKET) {
                    break;
                }
            }
        }
        seen->outcome = seen->rows                    ? JOIN_SEEN
                        : of_packet || in->w->partial ? JOIN_UNRECORDED
                        : e.silent                    ? JOIN_UNNOTICED
                                                      : JOIN_MISSING;
        in->j->outcome[seen->outcome]++;
    }
    count_others(in, masks);
}

static bool has_packets(const witness *w)
{
    for (unsigned i = 0; i < w->rows->len; i++) {
        if (witness_row(w, i)->ordinal) {
            return true;
        }
    }
    return w->every_packet;
}

join *join_new(const GArray *faults, const witness *w)
{
    joining in = { .faults = faults, .w = w, .j = g_new0(join, 1) };

    in.j->seen = g_array_sized_new(FALSE, TRUE, sizeof(join_seen), faults->len);
    in.j->orphans = g_array_new(FALSE, FALSE, sizeof(join_orphan));
    g_array_set_size(in.j->seen, faults->len);
    index_rows(&in);
    if (has_packets(w)) {
        join_all(&in);
    } else {
        join_messages(&in);
    }
    find_orphans(&in);
    for (unsigned a = 0; a < G_N_ELEMENTS(in.of_address); a++) {
        if (in.of_address[a]) {
            g_array_unref(in.of_address[a]);
        }
    }
    g_hash_table_destroy(in.by_packet);
    g_free(in.next);
    g_free(in.place);
    g_free(in.explained);
    return in.j;
}

void join_free(join *j)
{
    if (j) {
        g_array_unref(j->seen);
        g_array_unref(j->orphans);
        g_free(j);
    }
}

static const struct {
    const char *name, *text;
} outcomes[JOIN_OUTCOMES] = {
    [JOIN_SEEN] = { "seen", "seen, as it may be" },
    [JOIN_UNNOTICED] = { "unnoticed", "rightly unnoticed" },
    [JOIN_UNRECORDED] = { "unrecorded", "the log does not reach there" },
    [JOIN_MISSING] = { "missing", "not noticed, and it must be" },
    [JOIN_WRONG] = { "wrong", "noticed as something else" },
};

const char *join_outcome_name(join_outcome outcome)
{
    return outcomes[outcome].name;
}

const char *join_outcome_text(join_outcome outcome)
{
    return outcomes[outcome].text;
}

unsigned join_findings(const join *j, bool strict)
{
    return j->outcome[JOIN_MISSING] + j->outcome[JOIN_WRONG] +
           (strict ? j->outcome[JOIN_UNRECORDED] : 0) + j->orphans->len;
}
