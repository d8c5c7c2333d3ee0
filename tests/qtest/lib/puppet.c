/*
 * usb-puppet (puppet/puppet.c): the device that answers as the test wants. It
 * comes from a shared object beside the module, which QEMU is given when
 * `.puppet` is set.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"
#include "compat.h"

#define PUPPET_PATH "/machine/peripheral/puppet"

#define BULK(dci_, direction)                                       \
    {                                                               \
        .dci = (dci_), .type = EP_TYPE_BULK_##direction, .mps = 512 \
    }
#define PERIODIC(dci_, type_, bytes)                                   \
    {                                                                  \
        .dci = (dci_), .type = (type_), .mps = (bytes), .interval = 3, \
        .esit = (bytes)                                                \
    }
#define EP0                                          \
    {                                                \
        .dci = 1, .type = EP_TYPE_CONTROL, .mps = 64 \
    }

enum { DEVICE_DESCRIPTOR_BYTES = 18, BYTES = 64, ISOCH_BYTES = 192 };

const HcdPuppetEp hcd_puppet_eps[PUPPET_EPS] = {
    [PUPPET_EP_CONTROL_IN] = { "control-in", EP0, true,
                               DEVICE_DESCRIPTOR_BYTES },
    [PUPPET_EP_CONTROL_OUT] = { "control-out", EP0, false, BYTES },
    [PUPPET_EP_BULK_IN] = { "bulk-in", BULK(PUPPET_IN, IN), true, BYTES },
    [PUPPET_EP_BULK_OUT] = { "bulk-out", BULK(PUPPET_OUT, OUT), false, BYTES },
    [PUPPET_EP_INTERRUPT_IN] = { "interrupt-in",
                                 PERIODIC(PUPPET_INT, EP_TYPE_INTERRUPT_IN,
                                          BYTES),
                                 true, BYTES },
    [PUPPET_EP_INTERRUPT_OUT] = { "interrupt-out",
                                  PERIODIC(PUPPET_INT_OUT,
                                           EP_TYPE_INTERRUPT_OUT, BYTES),
                                  false, BYTES },
    [PUPPET_EP_ISOCH_IN] = { "isoch-in",
                             PERIODIC(PUPPET_ISOCH_IN, EP_TYPE_ISOCH_IN,
                                      ISOCH_BYTES),
                             true, ISOCH_BYTES },
    [PUPPET_EP_ISOCH_OUT] = { "isoch-out",
                              PERIODIC(PUPPET_ISOCH_OUT, EP_TYPE_ISOCH_OUT,
                                       ISOCH_BYTES),
                              false, ISOCH_BYTES },
};

/* Setup, Data and Status Stage. */
static HcdPuppetTd queue_control(Hcd *h, HcdDev *dev, const HcdPuppetEp *pe,
                                 uint64_t buf)
{
    HcdSetup get = { .type = 0x80, .request = 6, .value = 0x100 };
    HcdSetup take = { .type = 0x40, .request = 0x51 };
    HcdSetup setup = pe->in ? get : take;
    HcdPuppetTd td = { .buf = buf };

    setup.length = pe->bytes;
    td.first = td_setup(h, dev, setup);
    td.data = td_data(h, dev, .buf = buf, .len = pe->bytes, .in = pe->in,
                      .isp = pe->in);
    td.last = td_status(h, dev, .in = !pe->in, .ioc = true);
    return td;
}

HcdPuppetTd hcd_puppet_queue(Hcd *h, HcdDev *dev, unsigned ep)
{
    const HcdPuppetEp *pe = &hcd_puppet_eps[ep];
    uint64_t buf = hcd_alloc_filled(h, pe->bytes + PUPPET_BEYOND, 0xaa);
    bool isoch = (pe->ep.type & 3) == EP_TYPE_ISOCH_OUT;
    HcdPuppetTd td = { .buf = buf };

    if (pe->ep.dci == 1) {
        return queue_control(h, dev, pe, buf);
    }
    td.data = hcd_td(h, dev, pe->ep.dci,
                     (HcdTd){ .type = isoch ? TRB_ISOCH : TRB_NORMAL,
                              .buf = buf,
                              .len = pe->bytes,
                              .sia = isoch,
                              .isp = pe->in,
                              .ioc = true });
    td.first = td.last = td.data;
    return td;
}

HcdDev *hcd_puppet_open_ep(Hcd *h, unsigned ep)
{
    const HcdPuppetEp *pe = &hcd_puppet_eps[ep];
    HcdDev *dev = hcd_puppet_configured(h);

    if (pe->ep.dci != 1) {
        hcd_ep_add_with(h, dev, pe->ep);
    }
    return dev;
}

HcdDev *hcd_puppet_configured(Hcd *h)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_set_configuration(h, dev, 1);
    return dev;
}

HcdDev *hcd_puppet_open(Hcd *h)
{
    HcdDev *dev = hcd_puppet_configured(h);

    hcd_ep_add(h, dev, .dci = PUPPET_IN, .type = EP_TYPE_BULK_IN, .mps = 512);
    hcd_ep_add(h, dev, .dci = PUPPET_OUT, .type = EP_TYPE_BULK_OUT, .mps = 512);
    return dev;
}

void hcd_puppet_answer(Hcd *h, const char *word)
{
    qtest_qmp_assert_success(h->qts,
                             "{'execute': 'qom-set', 'arguments': {'path': %s,"
                             " 'property': 'answer', 'value': %s}}",
                             PUPPET_PATH, word);
}

void hcd_puppet_do(Hcd *h, const char *what)
{
    qtest_qmp_assert_success(
        h->qts,
        "{'execute': 'qom-set', 'arguments': {'path': %s, 'property': %s,"
        " 'value': true}}",
        PUPPET_PATH, what);
}

static QDict *get(Hcd *h, const char *property)
{
    return qtest_qmp(
        h->qts,
        "{'execute': 'qom-get', 'arguments': {'path': %s, 'property': %s}}",
        PUPPET_PATH, property);
}

uint64_t hcd_puppet_count(Hcd *h, const char *counter)
{
    QDict *reply = get(h, counter);
    uint64_t value = qdict_get_int(reply, "return");

    qobject_unref(reply);
    return value;
}

bool hcd_puppet_holds(Hcd *h)
{
    QDict *reply = get(h, "held");
    bool value = qdict_get_bool(reply, "return");

    qobject_unref(reply);
    return value;
}
