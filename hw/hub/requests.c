/*
 * Requests to the hub (USB 2.0 §11.24).
 *
 *  1. A request is a row: bmRequestType and bRequest, and the function that
 *     does it. What has no row, or is refused, is a STALL (§9.2.7).
 *  2. Features of ports that are events or change bits are rows, too.
 *  3. Requests to ports of a hub that is not configured are refused. Requests
 *     that make no sense in the port's state are accepted and do nothing
 *     (§11.24.2.7, §11.24.2.13).
 *  4. The translators keep nothing that could be cleared or stopped: their
 *     requests are checked and done. Test modes are refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/hub/hub.h"

#include "hw/usb/desc.h"
#include "trace-hw_hub.h"

#include "hw/hub/descriptors.h"

/* USB 2.0 §11.24.2, Table 11-15: type in the upper byte. */
#define HUB_OUT 0x2000
#define HUB_IN 0xa000
#define PORT_OUT 0x2300
#define PORT_IN 0xa300

/* USB 2.0 Table 11-16. */
enum {
    REQ_CLEAR_TT_BUFFER = 8,
    REQ_RESET_TT = 9,
    REQ_GET_TT_STATE = 10,
    REQ_STOP_TT = 11,
};

/* USB 2.0 Table 11-17. */
enum {
    HUB_FEATURES = 2, /* C_HUB_LOCAL_POWER, C_HUB_OVER_CURRENT */
    PORT_ENABLE = 1,
    PORT_SUSPEND = 2,
    PORT_RESET = 4,
    PORT_POWER = 8,
    C_PORT_FIRST = 16, /* C_PORT_CONNECTION; bit n of the change bits is 16+n */
    C_PORT_LAST = 20,
    PORT_INDICATOR = 22,
    INDICATORS = 4,
    ENDPOINT_HALT = 0,
};

#define REFUSED (-1)

typedef struct {
    int request;
    int value;
    int index;
    int length;
    uint8_t *data;
} setup;

/* Rule 2. */
typedef struct {
    uint8_t feature;
    uint8_t event; /* isohub_event */
} feature_row;

static const feature_row set_features[] = {
    { PORT_RESET, ISOHUB_RESET },
    { PORT_SUSPEND, ISOHUB_SUSPEND },
    { PORT_POWER, ISOHUB_POWER_ON },
};

static const feature_row clear_features[] = {
    { PORT_ENABLE, ISOHUB_DISABLE },
    { PORT_SUSPEND, ISOHUB_RESUME },
    { PORT_POWER, ISOHUB_POWER_OFF },
};

/* The port that wIndex names, or NULL (rule 3). */
static isohub_port *port_of(ISOHub *s, const setup *r)
{
    unsigned number = r->index & 0xff;

    if (!s->is_configured || number < 1 || number > s->num_ports) {
        return NULL;
    }
    return &s->ports[number - 1];
}

static int do_feature(ISOHub *s, const setup *r, const feature_row *rows,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].feature == r->value) {
            isohub_happen(s, (r->index & 0xff) - 1, rows[i].event);
            return 0;
        }
    }
    return REFUSED;
}

static int set_port_feature(ISOHub *s, const setup *r)
{
    isohub_port *port = port_of(s, r);
    unsigned selector = r->index >> 8;

    if (!port) {
        return REFUSED;
    }
    if (r->value == PORT_INDICATOR && selector < INDICATORS) {
        port->indicator = selector;
        return 0;
    }
    return do_feature(s, r, set_features, ARRAY_SIZE(set_features));
}

static int clear_port_feature(ISOHub *s, const setup *r)
{
    isohub_port *port = port_of(s, r);

    if (!port) {
        return REFUSED;
    }
    if (r->value >= C_PORT_FIRST && r->value <= C_PORT_LAST) {
        port->change &= ~(1u << (r->value - C_PORT_FIRST));
        return 0;
    }
    if (r->value == PORT_INDICATOR) {
        port->indicator = 0;
        return 0;
    }
    return do_feature(s, r, clear_features, ARRAY_SIZE(clear_features));
}

static int get_port_status(ISOHub *s, const setup *r)
{
    const isohub_port *port = port_of(s, r);

    if (!port) {
        return REFUSED;
    }
    stw_le_p(r->data, isohub_port_status(port));
    stw_le_p(r->data + 2, port->change);
    return 4;
}

/* USB 2.0 §11.24.2.6: local power is good, no over-current. */
static int get_hub_status(ISOHub *s, const setup *r)
{
    stw_le_p(r->data, 0);
    stw_le_p(r->data + 2, s->change);
    return 4;
}

/* USB 2.0 §11.24.2.12: a change can be set, to test the driver. */
static int set_hub_feature(ISOHub *s, const setup *r)
{
    if (r->value >= HUB_FEATURES || !s->is_configured) {
        return REFUSED;
    }
    s->change |= 1u << r->value;
    isohub_notify(s);
    return 0;
}

static int clear_hub_feature(ISOHub *s, const setup *r)
{
    if (r->value >= HUB_FEATURES) {
        return REFUSED;
    }
    s->change &= ~(1u << r->value);
    return 0;
}

static int get_hub_descriptor(ISOHub *s, const setup *r)
{
    uint8_t bytes[ISOHUB_DESCRIPTOR_BYTES_MAX];
    unsigned length = isohub_descriptor(s->num_ports, bytes);
    unsigned type = r->value >> 8;

    if (type != ISOHUB_DESCRIPTOR_TYPE && type != 0) {
        return REFUSED;
    }
    memcpy(r->data, bytes, length);
    return length;
}

/* Rule 4. wIndex names the port of a TT, and 1 where there is one for all. */
static int do_tt(ISOHub *s, const setup *r)
{
    bool each = s->is_configured && s->alternate;

    if (s->dev.speed != USB_SPEED_HIGH || !port_of(s, r) ||
        (!each && (r->index & 0xff) != 1)) {
        return REFUSED;
    }
    return 0;
}

/* The translator's state is the vendor's business, and empty. */
static int get_tt_state(ISOHub *s, const setup *r)
{
    return do_tt(s, r);
}

/* USB 2.0 §9.4.7, §9.4.10: QEMU's descriptor code does the work. */
static int set_configuration(ISOHub *s, const setup *r)
{
    USBPacket none = { 0 };

    if (r->value != 0 && r->value != ISOHUB_CONFIGURATION) {
        return REFUSED;
    }
    usb_desc_handle_control(&s->dev, &none, r->request, r->value, r->index,
                            r->length, r->data);
    if (s->is_configured != (r->value != 0)) {
        isohub_configure(s, r->value != 0);
    }
    s->alternate = 0;
    s->is_halted = false;
    return 0;
}

static int set_interface(ISOHub *s, const setup *r)
{
    USBPacket none = { 0 };

    if (r->index != 0 || !s->is_configured ||
        usb_desc_handle_control(&s->dev, &none, r->request, r->value, r->index,
                                r->length, r->data) < 0) {
        return REFUSED;
    }
    s->alternate = r->value;
    s->is_halted = false;
    return 0;
}

static bool is_status_endpoint(ISOHub *s, const setup *r)
{
    return s->is_configured &&
           r->index == (USB_DIR_IN | ISOHUB_STATUS_ENDPOINT);
}

/* USB 2.0 §9.4.5: endpoint 0 never halts. */
static int get_endpoint_status(ISOHub *s, const setup *r)
{
    bool is_control = (r->index & 0x7f) == 0;

    if (!is_control && !is_status_endpoint(s, r)) {
        return REFUSED;
    }
    stw_le_p(r->data, !is_control && s->is_halted);
    return 2;
}

static int get_interface_status(ISOHub *s, const setup *r)
{
    if (!s->is_configured || r->index != 0) {
        return REFUSED;
    }
    stw_le_p(r->data, 0);
    return 2;
}

static int change_halt(ISOHub *s, const setup *r)
{
    bool set = (r->request & 0xff) == USB_REQ_SET_FEATURE;

    if (r->value != ENDPOINT_HALT || !is_status_endpoint(s, r)) {
        return REFUSED;
    }
    s->is_halted = set;
    isohub_notify(s);
    return 0;
}

/* Rule 1. */
typedef struct {
    int request;
    int (*run)(ISOHub *s, const setup *r);
} request_row;

static const request_row rows[] = {
    { DeviceOutRequest | USB_REQ_SET_CONFIGURATION, set_configuration },
    { InterfaceOutRequest | USB_REQ_SET_INTERFACE, set_interface },
    { InterfaceRequest | USB_REQ_GET_STATUS, get_interface_status },
    { EndpointRequest | USB_REQ_GET_STATUS, get_endpoint_status },
    { EndpointOutRequest | USB_REQ_CLEAR_FEATURE, change_halt },
    { EndpointOutRequest | USB_REQ_SET_FEATURE, change_halt },
    { HUB_IN | USB_REQ_GET_STATUS, get_hub_status },
    { HUB_IN | USB_REQ_GET_DESCRIPTOR, get_hub_descriptor },
    { HUB_OUT | USB_REQ_SET_FEATURE, set_hub_feature },
    { HUB_OUT | USB_REQ_CLEAR_FEATURE, clear_hub_feature },
    { PORT_IN | USB_REQ_GET_STATUS, get_port_status },
    { PORT_OUT | USB_REQ_SET_FEATURE, set_port_feature },
    { PORT_OUT | USB_REQ_CLEAR_FEATURE, clear_port_feature },
    { PORT_OUT | REQ_CLEAR_TT_BUFFER, do_tt },
    { PORT_OUT | REQ_RESET_TT, do_tt },
    { PORT_OUT | REQ_STOP_TT, do_tt },
    { PORT_IN | REQ_GET_TT_STATE, get_tt_state },
};

static int run_row(ISOHub *s, const setup *r, bool *found)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].request == r->request) {
            *found = true;
            return rows[i].run(s, r);
        }
    }
    *found = false;
    return REFUSED;
}

void isohub_handle_control(USBDevice *dev, USBPacket *p, int request, int value,
                           int index, int length, uint8_t *data)
{
    ISOHub *s = ISOHUB(dev);
    setup r = { request, value, index, length, data };
    bool found;
    int result = run_row(s, &r, &found);

    if (!found && usb_desc_handle_control(dev, p, request, value, index, length,
                                          data) >= 0) {
        return;
    }
    trace_isohub_request(dev->port->path, request, value, index, result);
    if (result < 0) {
        p->status = USB_RET_STALL;
    } else {
        p->actual_length = MIN(result, length);
    }
}
