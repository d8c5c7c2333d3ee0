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
