/*
 * Periodic bandwidth. The rules are in bandwidth.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bandwidth.h"

#include <string.h>

/* Rule 3: an ESIT of more units is taken for one of so many. */
#define UNITS_LOG2 5
#define UNITS IXHCI_BANDWIDTH_UNITS
_Static_assert(UNITS == 1u << UNITS_LOG2, "a row of units");

/* Rule 4. */
#define TT_BYTES_PER_UF 188

/* Low-speed bits are eight times as long (USB 2.0 §5.11.3). */
#define LOW_SPEED_FACTOR 8

typedef struct {
    uint32_t total;     /* bytes in a unit */
    uint32_t percent;   /* periodic share */
    uint32_t isoch;     /* protocol bytes of an isochronous packet */
    uint32_t interrupt; /* and of an interrupt packet */
    uint8_t frames;     /* 2^that many microframes are a unit */
} bus;

/*
 * USB 2.0 §5.6.3, §5.6.4, §5.7.3, §5.7.4: 1500 bytes in a frame, 187 at low
 * speed, 7500 in a microframe, and what a transaction costs besides its data.
 * USB 3.2: 5 Gb/s in 8b/10b is 62500 bytes a microframe, a data packet has 20
 * bytes of header and framing.
 */
static const bus buses[] = {
    [SPEED_FULL] = { 1500, 90, 9, 13, 3 },
    [SPEED_LOW] = { 187, 90, 19, 19, 3 },
    [SPEED_HIGH] = { 7500, 80, 38, 55, 0 },
    [SPEED_SUPER] = { 62500, 90, 20, 20, 0 },
};

/* USB 2.0 §8.4.2, §7.1.18.2: a SPLIT token is a packet of 4 bytes with SYNC
 * and EOP (5 bytes) and a gap of 88 bit times behind it. */
#define SPLIT_TOKEN_BYTES (4 + 5 + 11)

/* What an endpoint takes of a bus, and of which units. */
typedef struct {
    uint32_t bytes;
    uint8_t period_log2; /* units */
    bool fixed;          /* from unit 0 on, or from where there is room */
} cost;

typedef struct {
    uint32_t unit[UNITS];
} load;

static const bus *bus_of(unsigned speed)
{
    return &buses[speed <= SPEED_SUPER ? speed : SPEED_SUPER];
}

static bool is_isoch(const ixhci_share *s)
{
    return s->cfg->type == EP_TYPE_ISOCH_IN ||
           s->cfg->type == EP_TYPE_ISOCH_OUT;
}

static bool is_periodic(const ixhci_share *s)
{
    return is_isoch(s) || s->cfg->type == EP_TYPE_INTERRUPT_IN ||
           s->cfg->type == EP_TYPE_INTERRUPT_OUT;
}

static uint32_t overhead(const bus *b, const ixhci_share *s)
{
    return is_isoch(s) ? b->isoch : b->interrupt;
}

static uint32_t packets(const ixhci_share *s)
{
    uint32_t size = s->cfg->max_packet_size;

    return size ? (s->cfg->max_esit_payload + size - 1) / size : 0;
}

static uint8_t period_of(const bus *b, const ixhci_share *s)
{
    unsigned log2 =
        s->cfg->interval > b->frames ? s->cfg->interval - b->frames : 0;

    return log2 < UNITS_LOG2 ? log2 : UNITS_LOG2;
}

/* On the bus that the device itself is on, be it a root port's or a TT's. */
static cost direct_cost(const ixhci_share *s, unsigned bus_speed)
{
    bool slow = bus_speed == SPEED_FULL && s->speed == SPEED_LOW;
    const bus *b = bus_of(slow ? SPEED_LOW : bus_speed);
    uint32_t bytes = s->cfg->max_esit_payload + packets(s) * overhead(b, s);

    return (cost){
        .bytes = slow ? bytes * LOW_SPEED_FACTOR : bytes,
        .period_log2 = period_of(b, s),
        .fixed = is_isoch(s),
    };
}

static bool same_tt(const ixhci_domain *a, const ixhci_domain *b)
{
    return a->root_port == b->root_port && a->tt_hub == b->tt_hub &&
           a->tt_port == b->tt_port;
}

static uint32_t capped(uint32_t bytes)
{
    return bytes < TT_BYTES_PER_UF ? bytes : TT_BYTES_PER_UF;
}

/* Rule 4: what endpoint i adds to the data that its TT moves in a microframe,
 * given those before it. */
static uint32_t split_data(const ixhci_share *all, size_t i)
{
    uint32_t before = 0;

    for (size_t k = 0; k < i; k++) {
        if (is_isoch(&all[k]) && all[k].in == all[i].in &&
            same_tt(&all[k].domain, &all[i].domain)) {
            before += all[k].cfg->max_esit_payload;
        }
    }
    return capped(before + all[i].cfg->max_esit_payload) - capped(before);
}

/*
 * On the high-speed bus before a TT. An isochronous endpoint has a start or a
 * complete split in any microframe; an interrupt endpoint's two are counted in
 * one.
 */
static cost split_cost(const ixhci_share *all, size_t i)
{
    const bus *b = &buses[SPEED_HIGH];
    uint32_t token = SPLIT_TOKEN_BYTES + overhead(b, &all[i]);

    if (is_isoch(&all[i])) {
        return (cost){ split_data(all, i) + token, 0, true };
    }
    return (cost){ all[i].cfg->max_esit_payload + 2 * token,
                   period_of(b, &all[i]), false };
}

static uint32_t fullest(const load *l, unsigned from, unsigned period)
{
    uint32_t most = 0;

    for (unsigned i = from; i < UNITS; i += period) {
        most = l->unit[i] > most ? l->unit[i] : most;
    }
    return most;
}

/* Rule 3. */
static void put(load *l, const cost *c)
{
    unsigned period = 1u << c->period_log2, best = 0;

    for (unsigned from = 1; from < period && !c->fixed; from++) {
        if (fullest(l, from, period) < fullest(l, best, period)) {
            best = from;
        }
    }
    for (unsigned i = best; i < UNITS; i += period) {
        l->unit[i] += c->bytes;
    }
}

/* The order of putting: those without a choice, then the most frequent. */
static unsigned rank(const cost *c)
{
    return c->fixed ? 0 : 1 + c->period_log2;
}

#define RANKS (2 + UNITS_LOG2)

static load bus_load(const ixhci_share *all, size_t count, unsigned root_port,
                     unsigned bus_speed, bool in)
{
    load l = { { 0 } };

    for (unsigned r = 0; r < RANKS; r++) {
        for (size_t i = 0; i < count; i++) {
            const ixhci_share *s = &all[i];
            cost c;

            if (!is_periodic(s) || s->domain.root_port != root_port ||
                (bus_speed >= SPEED_SUPER && s->in != in)) {
                continue;
            }
            c = s->domain.tt_hub ? split_cost(all, i)
                                 : direct_cost(s, bus_speed);
            if (rank(&c) == r) {
                put(&l, &c);
            }
        }
    }
    return l;
}

uint32_t ixhci_bandwidth_bus_load(const ixhci_share *all, size_t count,
                                  unsigned root_port, unsigned bus_speed,
                                  bool in)
{
    load l = bus_load(all, count, root_port, bus_speed, in);

    return fullest(&l, 0, 1);
}

void ixhci_bandwidth_bus_units(const ixhci_share *all, size_t count,
                               unsigned root_port, unsigned bus_speed, bool in,
                               uint32_t units[IXHCI_BANDWIDTH_UNITS])
{
    load l = bus_load(all, count, root_port, bus_speed, in);

    memcpy(units, l.unit, sizeof(l.unit));
}

uint32_t ixhci_bandwidth_tt_load(const ixhci_share *all, size_t count,
                                 const ixhci_domain *domain)
{
    load l = { { 0 } };

    for (unsigned r = 0; r < RANKS; r++) {
        for (size_t i = 0; i < count; i++) {
            const ixhci_share *s = &all[i];
            cost c;

            if (!is_periodic(s) || !same_tt(&s->domain, domain)) {
                continue;
            }
            c = direct_cost(s, SPEED_FULL);
            c.bytes += packets(s) * domain->think_bytes;
            if (rank(&c) == r) {
                put(&l, &c);
            }
        }
    }
    return fullest(&l, 0, 1);
}

uint32_t ixhci_bandwidth_limit(unsigned bus_speed)
{
    return bus_of(bus_speed)->total * bus_of(bus_speed)->percent / 100;
}

unsigned ixhci_bandwidth_free(unsigned bus_speed, uint32_t load_bytes)
{
    uint32_t limit = ixhci_bandwidth_limit(bus_speed);
    uint32_t room = load_bytes < limit ? limit - load_bytes : 0;

    return room * UINT64_C(100) / bus_of(bus_speed)->total;
}

unsigned ixhci_bandwidth_judge(const ixhci_share *all, size_t count,
                               const ixhci_domain *domain, unsigned bus_speed)
{
    uint32_t limit = ixhci_bandwidth_limit(bus_speed);

    for (unsigned in = 0; in < 2; in++) {
        if (ixhci_bandwidth_bus_load(all, count, domain->root_port, bus_speed,
                                     in) > limit) {
            return CC_BANDWIDTH_ERROR;
        }
    }
    if (domain->tt_hub && ixhci_bandwidth_tt_load(all, count, domain) >
                              ixhci_bandwidth_limit(SPEED_FULL)) {
        return CC_SECONDARY_BANDWIDTH;
    }
    return CC_SUCCESS;
}
