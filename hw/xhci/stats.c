/*
 * What the controller has counted, and how it stands: the property `stats`,
 * for people and programs at the host. A guest has no way to it.
 *
 *   qom-get /machine/peripheral/xhci stats
 *
 *  1. A TD costs two additions, where it is retired (ixhci_stats_retired);
 *     everything else is worked out by whoever asks.
 *  2. An endpoint counts from the command that configured it; a stream counts
 *     for its endpoint. What endpoints counted that are gone is in "gone".
 *  3. ESITs that passed in silence are served before the answer: it is exact.
 *  4. Counters are not part of the machine: they begin anew after a restore
 *     or a migration.
 *
 * "buses" says what periodic endpoints may take of each of eight units in a
 * row, microframes or, at full and low speed, frames: the account by which
 * bandwidth is granted (bandwidth.h), not what was sent. A SuperSpeed port has
 * one for each direction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"

#include "names.h"
#include "qapi/visitor.h"

/* What is shown of a row of units. */
#define SHOWN_UNITS 8

static QDict *counts_dict(const ixhci_counts *counts)
{
    QDict *dict = qdict_new(), *codes = qdict_new();
    uint64_t tds = 0;

    for (unsigned cc = 0; cc < IXHCI_CODES; cc++) {
        tds += counts->codes[cc];
        if (counts->codes[cc]) {
            qdict_put_int(codes, ixhci_name_code(cc), counts->codes[cc]);
        }
    }
    qdict_put_int(dict, "tds", tds);
    qdict_put_int(dict, "bytes", counts->bytes);
    qdict_put_int(dict, "missed", counts->codes[CC_MISSED_SERVICE]);
    qdict_put_int(dict, "xruns", counts->xruns);
    qdict_put(dict, "codes", codes);
    return dict;
}

void ixhci_stats_add(ixhci_counts *sum, const ixhci_counts *part)
{
    for (unsigned cc = 0; cc < IXHCI_CODES; cc++) {
        sum->codes[cc] += part->codes[cc];
    }
    sum->bytes += part->bytes;
    sum->xruns += part->xruns;
}

static const char *direction_of(const ixhci_ep *ep)
{
    return ep->cfg.type == EP_TYPE_CONTROL ? "both"
           : ep->dci & 1                   ? "in"
                                           : "out";
}

static QDict *ep_dict(const ixhci_ep *ep)
{
    const ixhci_ep_config *cfg = &ep->cfg;
    QDict *dict = counts_dict(&ep->counts);

    qdict_put_int(dict, "slot", ep->slot->slot_id);
    qdict_put_int(dict, "port", ep->slot->cfg.root_port);
    qdict_put_int(dict, "route", ep->slot->cfg.route);
    qdict_put_int(dict, "dci", ep->dci);
    qdict_put_int(dict, "endpoint", ep->dci >> 1);
    qdict_put_str(dict, "direction", direction_of(ep));
    qdict_put_str(dict, "type", ixhci_name_ep_type(cfg->type));
    qdict_put_str(dict, "state", ixhci_name_ep_state(ep->state));
    qdict_put_int(dict, "mps", cfg->max_packet_size);
    if (ixhci_ep_is_periodic(cfg->type)) {
        qdict_put_int(dict, "interval", INT64_C(1) << cfg->interval);
        qdict_put_int(dict, "payload", cfg->max_esit_payload);
    }
    return dict;
}

static QDict *port_dict(const ixhci_port *port)
{
    QDict *dict = qdict_new();
    uint32_t portsc = port->portsc;

    qdict_put_int(dict, "port", port->port_id);
    qdict_put_int(dict, "usb", port->is_usb3 ? 3 : 2);
    qdict_put_bool(dict, "connected", portsc & PORTSC_CCS);
    qdict_put_bool(dict, "enabled", portsc & PORTSC_PED);
    qdict_put_bool(dict, "over-current", portsc & PORTSC_OCA);
    qdict_put_str(dict, "link", ixhci_name_link(xhci_get(portsc, PORTSC_PLS)));
    if (xhci_get(portsc, PORTSC_SPEED)) { /* USB2: after a reset */
        qdict_put_str(dict, "speed",
                      ixhci_name_speed(xhci_get(portsc, PORTSC_SPEED)));
    }
    return dict;
}

static QDict *bus_dict(IxhciState *x, unsigned port_id, bool in)
{
    unsigned speed = ixhci_port_bus_speed(x, port_id);
    QList *reserved = qlist_new();
    QDict *dict = qdict_new();
    uint32_t units[IXHCI_BANDWIDTH_UNITS];

    ixhci_command_bus_units(x, port_id, in, units);
    for (unsigned i = 0; i < SHOWN_UNITS; i++) {
        uint32_t most = 0;

        for (unsigned k = i; k < IXHCI_BANDWIDTH_UNITS; k += SHOWN_UNITS) {
            most = MAX(most, units[k]);
        }
        qlist_append_int(reserved, most);
    }
    qdict_put_int(dict, "port", port_id);
    qdict_put_str(dict, "speed", ixhci_name_speed(speed));
    qdict_put_str(dict, "direction",
                  speed < SPEED_SUPER ? "both"
                  : in                ? "in"
                                      : "out");
    qdict_put_str(dict, "unit", speed < SPEED_HIGH ? "frame" : "microframe");
    qdict_put_int(dict, "limit", ixhci_bandwidth_limit(speed));
    qdict_put(dict, "reserved", reserved);
    return dict;
}

static void add_ports(IxhciState *x, QDict *stats)
{
    QList *ports = qlist_new(), *buses = qlist_new();

    for (unsigned i = 0; i < x->num_ports; i++) {
        const ixhci_port *port = &x->ports[i];

        qlist_append(ports, port_dict(port));
        if (!(port->portsc & PORTSC_CCS)) {
            continue;
        }
        qlist_append(buses, bus_dict(x, port->port_id, true));
        if (ixhci_port_bus_speed(x, port->port_id) >= SPEED_SUPER) {
            qlist_append(buses, bus_dict(x, port->port_id, false));
        }
    }
    qdict_put(stats, "ports", ports);
    qdict_put(stats, "buses", buses);
}

static void add_endpoints(IxhciState *x, QDict *stats)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < x->num_slots; i++) {
        for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
            if (x->slots[i].eps[dci]) {
                qlist_append(list, ep_dict(x->slots[i].eps[dci]));
            }
        }
    }
    qdict_put(stats, "endpoints", list);
}

static void get_stats(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    IxhciState *x = IXHCI(obj);
    QDict *stats = qdict_new();
    QObject *any = QOBJECT(stats);
    uint64_t now_uf = ixhci_now_uf();

    if (DEVICE(obj)->realized) {
        ixhci_service_sync(x); /* rule 3 */
        qdict_put_int(stats, "uf", now_uf);
        qdict_put_int(stats, "mfindex", (now_uf - x->base_uf) & MFINDEX_MASK);
        qdict_put_bool(stats, "running", ixhci_is_running(x));
        add_ports(x, stats);
        add_endpoints(x, stats);
        qdict_put(stats, "gone", counts_dict(&x->gone));
    }
    visit_type_any(v, name, &any, errp);
    qobject_unref(stats);
}

void ixhci_stats_class_init(ObjectClass *klass)
{
    object_class_property_add(klass, "stats", "object", get_stats, NULL, NULL,
                              NULL);
    object_class_property_set_description(klass, "stats",
                                          "how it stands, and what it counted");
}
