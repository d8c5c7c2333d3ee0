/*
 * usbdex on the small kernel in host/: its rules (usbdex-rules.h), and what
 * only this kernel lets a test do or see: another Windows, another bus, and how
 * much is allocated.
 *
 * SPDX-License-Identifier: MIT
 */
#include "host/host.h"

#include <usbbusif.h>

#include "usbdex-rules.h"

#define TAG RULE_TAG

static DEVICE_OBJECT self = { .StackSize = 2 };
static DEVICE_OBJECT target = { .StackSize = 1 };

/* --- the bus -------------------------------------------------------------- */

static struct {
    BOOLEAN is_high_speed;
    BOOLEAN is_old;  /* it knows version 0 only */
    BOOLEAN is_slow; /* it answers when it is waited for */
    BOOLEAN has_no_dereference;
    int references;
    PIRP pending;
} bus;

static BOOLEAN answer_high_speed(PVOID context)
{
    g_assert_true(context == &bus);
    g_assert_cmpint(bus.references, ==, 1);
    return bus.is_high_speed;
}

static void drop_bus(PVOID context)
{
    g_assert_true(context == &bus);
    bus.references--;
}

static void answer_query(PIRP irp)
{
    USB_BUS_INTERFACE_USBDI_V1 *answer =
        (PVOID)irp->Next.Parameters.QueryInterface.Interface;

    answer->BusContext = &bus;
    answer->InterfaceDereference = bus.has_no_dereference ? NULL : drop_bus;
    answer->IsDeviceHighSpeed = bus.is_old ? NULL : answer_high_speed;
    bus.references++;
    host_complete_below(irp, STATUS_SUCCESS);
}

/* USB_BUS_INTERFACE_USBDI_GUID, as text in the documentation */
static const GUID usbdi = { 0xb1a96a13,
                            0x3de0,
                            0x4574,
                            { 0x9b, 0x01, 0xc0, 0x8f, 0xea, 0xb3, 0x18,
                              0xd6 } };

static NTSTATUS bus_driver(PIRP irp)
{
    g_assert_cmphex(irp->Next.MajorFunction, ==, IRP_MJ_PNP);
    g_assert_cmphex(irp->Next.MinorFunction, ==, IRP_MN_QUERY_INTERFACE);
    g_assert_cmphex(irp->IoStatus.Status, ==, STATUS_NOT_SUPPORTED);
    g_assert_cmpmem(irp->Next.Parameters.QueryInterface.InterfaceType,
                    sizeof(GUID), &usbdi, sizeof(GUID));
    g_assert_cmpuint(irp->Next.Parameters.QueryInterface.Version, ==, 1);
    g_assert_cmpuint(irp->Next.Parameters.QueryInterface.Size, ==,
                     sizeof(USB_BUS_INTERFACE_USBDI_V1));
    if (bus.is_slow) {
        bus.pending = irp;
        return STATUS_PENDING;
    }
    answer_query(irp);
    return STATUS_SUCCESS;
}

static void answer_late(void)
{
    g_assert_nonnull(bus.pending);
    answer_query(bus.pending);
    bus.pending = NULL;
}

static void make_bus(void)
{
    memset(&bus, 0, sizeof(bus));
    host_reset();
    host.lower = bus_driver;
    host.idle = answer_late;
}

/* --- the rules ------------------------------------------------------------ */

VOID RuleCheck(BOOLEAN Holds, const char *What, ULONG Got, ULONG Wanted)
{
    if (!Holds) {
        g_test_message("%s: %x, wanted %x", What, Got, Wanted);
        g_test_fail();
    }
}

VOID RuleFailAllocation(VOID)
{
    host.fail_after = 1;
}

ULONG RuleBlocks(VOID)
{
    return host.allocations;
}

BOOLEAN RuleSaid(const char *Text)
{
    gsize at = host.log->len;

    while (at > 0 && (at == host.log->len || host.log->str[at - 1] != '\n')) {
        at--;
    }
    if (!strstr(host.log->str + at, Text)) {
        return FALSE;
    }
    g_string_truncate(host.log, at);
    return TRUE;
}

static void run_rule(gconstpointer data)
{
    const RULE_STAGE stage = { &self, &target };
    const USBDEX_RULE *rule = data;

    make_bus();
    bus.is_high_speed = TRUE;
    rule->Run(&stage, rule->Argument);
    g_assert_cmpstr(host.log->str, ==, "");
    g_assert_cmpuint(host.fail_after, ==, 0);
    host_check_clean();
}

static void add_rules(const USBDEX_RULE *rules)
{
    for (; rules->Name; rules++) {
        g_test_add_data_func(rules->Name, rules, run_rule);
    }
}

/* --- only here ------------------------------------------------------------ */

static USBD_HANDLE open_handle(void)
{
    USBD_HANDLE handle;

    g_assert_cmphex(USBD_CreateHandle(&self, &target,
                                      USBD_CLIENT_CONTRACT_VERSION_602, TAG,
                                      &handle),
                    ==, STATUS_SUCCESS);
    return handle;
}

/* Non-executable pool exists from Windows 8 (6.2) on. */
static void test_pool_type(void)
{
    static const struct {
        ULONG major, minor;
        unsigned pool;
    } windows[] = { { 6, 0, 0 },   { 6, 1, 0 },    { 6, 2, 512 },
                    { 6, 3, 512 }, { 10, 0, 512 }, { 5, 2, 0 } };
    USBD_HANDLE handle;
    unsigned i;
    PURB urb;

    for (i = 0; i < G_N_ELEMENTS(windows); i++) {
        host_reset();
        host.major = windows[i].major;
        host.minor = windows[i].minor;
        handle = open_handle();
        g_assert_cmpuint(host.last_pool, ==, windows[i].pool);
        g_assert_cmphex(host.last_tag, ==, TAG);
        g_assert_cmphex(USBD_IsochUrbAllocate(handle, 8, &urb), ==, 0);
        g_assert_cmpuint(host.last_pool, ==, windows[i].pool);
        g_assert_cmphex(host.last_tag, ==, TAG);
        USBD_UrbFree(handle, urb);
        USBD_CloseHandle(handle);
        host_check_clean();
    }
}

/* As many bytes as the packets need, and not many more. */
static void test_isoch_bytes(void)
{
    static const ULONG counts[] = { 1, 2, 8, 64, 255, 1023, 1024 };
    USBD_HANDLE handle;
    unsigned i;
    PURB urb;

    host_reset();
    handle = open_handle();
    for (i = 0; i < G_N_ELEMENTS(counts); i++) {
        ULONG bytes = 152 + 12 * counts[i];

        g_assert_cmphex(USBD_IsochUrbAllocate(handle, counts[i], &urb), ==,
                        STATUS_SUCCESS);
        g_assert_cmpuint(host.last_bytes, >=, bytes);
        g_assert_cmpuint(host.last_bytes, <, bytes + 64);
        USBD_UrbFree(handle, urb);
    }
    USBD_CloseHandle(handle);
    host_check_clean();
}

static NTSTATUS ask_high_speed(USBD_HANDLE handle)
{
    return USBD_QueryUsbCapability(
        handle, &GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE, 0,
        NULL, NULL);
}

/* What high speed is on each bus; the reference to its interface is dropped. */
static void test_buses(void)
{
    USBD_HANDLE handle;

    make_bus();
    handle = open_handle();
    g_assert_cmphex(ask_high_speed(handle), ==, STATUS_NOT_SUPPORTED);
    g_assert_cmpint(bus.references, ==, 0);
    bus.is_high_speed = TRUE;
    bus.is_slow = TRUE;
    g_assert_cmphex(ask_high_speed(handle), ==, STATUS_SUCCESS);
    g_assert_null(bus.pending);
    g_assert_cmpint(bus.references, ==, 0);
    bus.has_no_dereference = TRUE;
    g_assert_cmphex(ask_high_speed(handle), ==, STATUS_SUCCESS);
    bus.references = 0;
    bus.has_no_dereference = FALSE;
    bus.is_old = TRUE;
    g_assert_cmphex(ask_high_speed(handle), ==, STATUS_NOT_IMPLEMENTED);
    g_assert_cmpint(bus.references, ==, 0);
    host.lower = NULL; /* a bus without the interface */
    g_assert_cmphex(ask_high_speed(handle), ==, STATUS_NOT_IMPLEMENTED);
    host.fail_after = 1;
    g_assert_cmphex(ask_high_speed(handle), ==, STATUS_INSUFFICIENT_RESOURCES);
    USBD_CloseHandle(handle);
    host_check_clean();
}

/* The numbers of the capabilities, as registry-style text. */
static void test_guids(void)
{
    static const struct {
        const GUID *guid;
        const char *text;
    } guids[] = {
        { &GUID_USB_CAPABILITY_CHAINED_MDLS,
          "f5ceeb23-ad90-458c-979a-d59b3ad6884f" },
        { &GUID_USB_CAPABILITY_STATIC_STREAMS,
          "09051e1f-0dc9-4e6b-8b12-960cbd81aa8f" },
        { &GUID_USB_CAPABILITY_SELECTIVE_SUSPEND,
          "755c630d-c8a0-4765-946f-90cc703856a4" },
        { &GUID_USB_CAPABILITY_FUNCTION_SUSPEND,
          "f4563183-d66e-42bd-bd53-1ac7b04cd59d" },
        { &GUID_USB_CAPABILITY_HIGH_BANDWIDTH_ISOCH,
          "9c8a8a27-15f9-42e3-a356-cda6ae97a8c8" },
        { &GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE,
          "81a885a6-f239-42a2-8397-a5d95bea6953" },
        { &GUID_USB_CAPABILITY_DEVICE_CONNECTION_SUPER_SPEED_COMPATIBLE,
          "8a2f776c-9bd0-4f29-9771-c7a38846d4c7" },
        { &GUID_USB_CAPABILITY_TIME_SYNC,
          "bb6e6472-4be5-44a3-9641-345e56ac3485" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(guids); i++) {
        const GUID *g = guids[i].guid;
        char *text = g_strdup_printf(
            "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", g->Data1,
            g->Data2, g->Data3, g->Data4[0], g->Data4[1], g->Data4[2],
            g->Data4[3], g->Data4[4], g->Data4[5], g->Data4[6], g->Data4[7]);

        g_assert_cmpstr(text, ==, guids[i].text);
        g_free(text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_rules(UsbdexUrbRules);
    add_rules(UsbdexSelectRules);
    g_test_add_func("/usbdex/create/pool-type", test_pool_type);
    g_test_add_func("/usbdex/isoch/bytes", test_isoch_bytes);
    g_test_add_func("/usbdex/capability/buses", test_buses);
    g_test_add_func("/usbdex/capability/guids", test_guids);
    return g_test_run();
}
