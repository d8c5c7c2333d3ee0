/*
 * What a person at the host does to the controller: things that happen to a
 * root port and that no device of QEMU's can bring about.
 *
 *   qom-set /machine/peripheral/xhci port-event "3 over-current"
 *
 * The property takes a root port, 1-based, and a word of the table; it says
 * what is wrong when there is no such port or word, or when that cannot happen
 * there now. A guest has no way to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"

typedef struct {
    const char *word;
    bool (*happen)(IxhciState *x, unsigned port_id);
    const char *needs;
} event_row;

static bool over_current(IxhciState *x, unsigned port_id)
{
    return ixhci_port_over_current(x, port_id, true);
}

static bool over_current_gone(IxhciState *x, unsigned port_id)
{
    return ixhci_port_over_current(x, port_id, false);
}

static const event_row events[] = {
    { "over-current", over_current, "a port without over-current" },
    { "over-current-gone", over_current_gone, "a port with over-current" },
    { "link-error", ixhci_port_link_error, "an enabled USB3 port" },
    { "config-error", ixhci_port_config_error,
      "a USB3 port with a device connected" },
    { "function-wake", ixhci_port_function_wake,
      "a running controller with DNCTRL bit 1 set, and an addressed device" },
};

static char *get_port_event(Object *obj, Error **errp)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        g_string_append_printf(words, "%s%s", i ? " " : "", events[i].word);
    }
    return g_strdup(words->str);
}

static void set_port_event(Object *obj, const char *value, Error **errp)
{
    IxhciState *x = IXHCI(obj);
    char *word;
    guint64 port_id = g_ascii_strtoull(value, &word, 10);

    if (word == value || *word != ' ' || port_id < 1 ||
        port_id > x->num_ports) {
        error_setg(errp,
                   "port-event must be a root port, 1 to %u, and an event, "
                   "not '%s'",
                   x->num_ports, value);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        if (!g_str_equal(events[i].word, word + 1)) {
            continue;
        }
        ixhci_service_sync(x);
        if (!events[i].happen(x, port_id)) {
            error_setg(errp, "port %u: %s needs %s", (unsigned)port_id,
                       word + 1, events[i].needs);
        }
        return;
    }
    error_setg(errp, "port-event knows no '%s'; it reads as what it knows",
               word + 1);
}

static char *get_dbc_device(Object *obj, Error **errp)
{
    return g_strdup(IXHCI(obj)->dbc.device ? IXHCI(obj)->dbc.device : "");
}

void ixhci_host_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "dbc-device", get_dbc_device, NULL);
    object_class_property_set_description(
        klass, "dbc-device", "what the debug host has read of the device");
    object_class_property_add_str(klass, "port-event", get_port_event,
                                  set_port_event);
    object_class_property_set_description(
        klass, "port-event", "makes something happen: \"PORT EVENT\"");
}
