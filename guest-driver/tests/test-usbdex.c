/*
 * usbdex, argument by argument: what its documentation promises
 * (include/usbdex.h) and the sizes that Windows expects.
 *
 * SPDX-License-Identifier: MIT
 */
#include "host/host.h"

#include <usbbusif.h>

#include "usbdex.h"

#define TAG 0x74736554u

static DEVICE_OBJECT self = { .StackSize = 2 };
static DEVICE_OBJECT target = { .StackSize = 1 };
static URB dirty; /* what a failed call must replace by NULL */

static USBD_HANDLE open_handle(void)
{
    USBD_HANDLE handle;

    g_assert_cmphex(USBD_CreateHandle(&self, &target,
                                      USBD_CLIENT_CONTRACT_VERSION_602, TAG,
                                      &handle),
                    ==, STATUS_SUCCESS);
    g_assert_nonnull(handle);
    return handle;
}

static void assert_zero(const void *memory, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++) {
        g_assert_cmphex(((const uint8_t *)memory)[i], ==, 0);
    }
}

/* --- layout --------------------------------------------------------------- */

static void test_layout(void)
{
    g_assert_cmpuint(sizeof(URB), ==, 152);
    g_assert_cmpuint(sizeof(struct _URB_HEADER), ==, 24);
    g_assert_cmpuint(sizeof(struct _URB_ISOCH_TRANSFER), ==, 152);
    g_assert_cmphex(offsetof(struct _URB_ISOCH_TRANSFER, StartFrame), ==, 0x80);
    g_assert_cmphex(offsetof(struct _URB_ISOCH_TRANSFER, NumberOfPackets), ==,
                    0x84);
    g_assert_cmphex(offsetof(struct _URB_ISOCH_TRANSFER, ErrorCount), ==, 0x88);
    g_assert_cmphex(offsetof(struct _URB_ISOCH_TRANSFER, IsoPacket), ==, 0x8c);
    g_assert_cmpuint(sizeof(USBD_ISO_PACKET_DESCRIPTOR), ==, 12);
    g_assert_cmpuint(sizeof(USBD_PIPE_INFORMATION), ==, 24);
    g_assert_cmpuint(GET_ISO_URB_SIZE(1024), ==, 12440);
}

/* --- handles ---------------------------------------------------------------
 */

static void test_create_bad_arguments(void)
{
    USBD_HANDLE handle;
    unsigned i;
    struct {
        PDEVICE_OBJECT self, target;
        ULONG version, tag;
    } bad[] = {
        { NULL, &target, USBD_CLIENT_CONTRACT_VERSION_602, TAG },
        { &self, NULL, USBD_CLIENT_CONTRACT_VERSION_602, TAG },
        { &self, &target, USBD_CLIENT_CONTRACT_VERSION_602, 0 },
        { &self, &target, USBD_CLIENT_CONTRACT_VERSION_INVALID, TAG },
        { &self, &target, 0, TAG },
        { &self, &target, 0x600, TAG },
        { &self, &target, 0x603, TAG },
    };

    host_reset();
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        handle = (USBD_HANDLE)&dirty;
        g_assert_cmphex(USBD_CreateHandle(bad[i].self, bad[i].target,
                                          bad[i].version, bad[i].tag, &handle),
                        ==, STATUS_INVALID_PARAMETER);
        g_assert_null(handle);
    }
    g_assert_cmphex(USBD_CreateHandle(&self, &target,
                                      USBD_CLIENT_CONTRACT_VERSION_602, TAG,
                                      NULL),
                    ==, STATUS_INVALID_PARAMETER);
    host_check_clean();
}

static void test_create_irql(void)
{
    USBD_HANDLE handle = (USBD_HANDLE)&dirty;

    host_reset();
    host.irql = DISPATCH_LEVEL;
    g_assert_cmphex(USBD_CreateHandle(&self, &target,
                                      USBD_CLIENT_CONTRACT_VERSION_602, TAG,
                                      &handle),
                    ==, STATUS_INVALID_LEVEL);
    g_assert_null(handle);
    host.irql = PASSIVE_LEVEL;
    host_check_clean();
}

static void test_create_no_memory(void)
{
    USBD_HANDLE handle = (USBD_HANDLE)&dirty;

    host_reset();
    host.fail_after = 1;
    g_assert_cmphex(USBD_CreateHandle(&self, &target,
                                      USBD_CLIENT_CONTRACT_VERSION_602, TAG,
                                      &handle),
                    ==, STATUS_INSUFFICIENT_RESOURCES);
    g_assert_null(handle);
    host_check_clean();
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

static void test_close_reports_leak(void)
{
    USBD_HANDLE handle;
    PURB urb[2], more;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(USBD_UrbAllocate(handle, &urb[0]), ==, STATUS_SUCCESS);
    g_assert_cmphex(USBD_UrbAllocate(handle, &urb[1]), ==, STATUS_SUCCESS);
    USBD_CloseHandle(handle);
    g_assert_nonnull(strstr(host.log->str, "2 URB(s) were not freed"));
    g_assert_cmpuint(host.allocations, ==, 3);

    /* The closed handle does nothing more, and late frees do no harm. */
    g_assert_cmphex(USBD_UrbAllocate(handle, &more), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_null(more);
    USBD_UrbFree(handle, urb[1]);
    g_assert_cmpuint(host.allocations, ==, 2);
    USBD_UrbFree(handle, urb[0]);
    host_check_clean();
}

static void test_close_silent_when_clean(void)
{
    USBD_HANDLE handle;
    PURB urb;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(USBD_UrbAllocate(handle, &urb), ==, STATUS_SUCCESS);
    USBD_UrbFree(handle, urb);
    USBD_CloseHandle(handle);
    USBD_CloseHandle(NULL);
    g_assert_cmpstr(host.log->str, ==, "");
    host_check_clean();
}

static void test_interface_version(void)
{
    USBD_HANDLE handle;

    host_reset();
    handle = open_handle();
    g_assert_true(USBD_IsInterfaceVersionSupported(handle, 0x500));
    g_assert_true(
        USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_600));
    g_assert_false(
        USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_602));
    g_assert_false(
        USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_603));
    g_assert_false(
        USBD_IsInterfaceVersionSupported(NULL, USBD_INTERFACE_VERSION_600));
    USBD_CloseHandle(handle);
    host_check_clean();
}

/* --- URBs ------------------------------------------------------------------
 */

static void test_urb_allocate(void)
{
    USBD_HANDLE handle;
    PURB urb;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(USBD_UrbAllocate(handle, &urb), ==, STATUS_SUCCESS);
    assert_zero(urb, sizeof(URB));
    g_assert_cmpuint((uintptr_t)urb % 16, ==, 0);
    USBD_UrbFree(handle, urb);

    g_assert_cmphex(USBD_UrbAllocate(handle, NULL), ==,
                    STATUS_INVALID_PARAMETER);
    urb = &dirty;
    g_assert_cmphex(USBD_UrbAllocate(NULL, &urb), ==, STATUS_INVALID_PARAMETER);
    g_assert_null(urb);
    urb = &dirty;
    host.fail_after = 1;
    g_assert_cmphex(USBD_UrbAllocate(handle, &urb), ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    g_assert_null(urb);
    USBD_CloseHandle(handle);
    g_assert_cmpstr(host.log->str, ==, "");
    host_check_clean();
}

static void test_isoch_sizes(void)
{
    static const ULONG counts[] = { 1, 2, 8, 64, 255, 1023, 1024 };
    USBD_HANDLE handle;
    unsigned i;
    PURB urb;

    host_reset();
    handle = open_handle();
    for (i = 0; i < G_N_ELEMENTS(counts); i++) {
        ULONG bytes = 152 + 12 * counts[i];

        host.irql = i % 2 ? DISPATCH_LEVEL : PASSIVE_LEVEL;
        g_assert_cmphex(USBD_IsochUrbAllocate(handle, counts[i], &urb), ==,
                        STATUS_SUCCESS);
        g_assert_cmpuint(host.last_bytes, >=, bytes);
        g_assert_cmpuint(host.last_bytes, <, bytes + 64);
        assert_zero(urb, bytes);
        g_assert_cmpuint((uintptr_t)urb % 16, ==, 0);
        /* As the caller fills it; freeing checks the bytes behind. */
        urb->UrbHeader.Length = (USHORT)bytes;
        urb->UrbIsochronousTransfer.IsoPacket[counts[i] - 1].Status = -1;
        USBD_UrbFree(handle, urb);
    }
    host.irql = PASSIVE_LEVEL;
    USBD_CloseHandle(handle);
    host_check_clean();
}

static void test_isoch_limits(void)
{
    static const ULONG bad[] = { 0,          1025,       0x10000,
                                 0x15555556, 0x7fffffff, 0xffffffff };
    USBD_HANDLE handle;
    unsigned i;
    PURB urb;

    host_reset();
    handle = open_handle();
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        urb = &dirty;
        g_assert_cmphex(USBD_IsochUrbAllocate(handle, bad[i], &urb), ==,
                        STATUS_INVALID_PARAMETER);
        g_assert_null(urb);
    }
    g_assert_cmphex(USBD_IsochUrbAllocate(handle, 8, NULL), ==,
                    STATUS_INVALID_PARAMETER);
    urb = &dirty;
    g_assert_cmphex(USBD_IsochUrbAllocate(NULL, 8, &urb), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_null(urb);
    urb = &dirty;
    host.fail_after = 1;
    g_assert_cmphex(USBD_IsochUrbAllocate(handle, 8, &urb), ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    g_assert_null(urb);
    USBD_CloseHandle(handle);
    host_check_clean();
}

static void test_free_foreign(void)
{
    struct {
        UCHAR before[64];
        URB urb;
    } stack = { { 0 }, { { { 0 } } } };
    USBD_HANDLE one, two;
    PURB urb;

    host_reset();
    one = open_handle();
    two = open_handle();
    USBD_UrbFree(one, NULL);
    g_assert_cmpstr(host.log->str, ==, "");
    USBD_UrbFree(one, &stack.urb);
    g_assert_nonnull(strstr(host.log->str, "is not an URB of handle"));
    g_string_truncate(host.log, 0);
    g_assert_cmphex(USBD_UrbAllocate(one, &urb), ==, STATUS_SUCCESS);
    USBD_UrbFree(two, urb);
    g_assert_nonnull(strstr(host.log->str, "is not an URB of handle"));
    g_string_truncate(host.log, 0);
    USBD_UrbFree(one, urb);
    USBD_CloseHandle(one);
    USBD_CloseHandle(two);
    g_assert_cmpstr(host.log->str, ==, "");
    host_check_clean();
}

static void test_assign(void)
{
    IO_STACK_LOCATION stack, before;
    USBD_HANDLE handle;
    PURB urb;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(USBD_IsochUrbAllocate(handle, 8, &urb), ==, 0);
    memset(&stack, 0x5a, sizeof(stack));
    before = stack;
    USBD_AssignUrbToIoStackLocation(handle, &stack, urb);
    g_assert_true(stack.Parameters.Others.Argument1 == urb);
    /* and nothing else, FileObject least of all */
    stack.Parameters.Others.Argument1 = before.Parameters.Others.Argument1;
    g_assert_cmpmem(&stack, sizeof(stack), &before, sizeof(before));
    USBD_UrbFree(handle, urb);
    USBD_CloseHandle(handle);
    host_check_clean();
}

/* --- builders --------------------------------------------------------------
 */

static void test_select_config(void)
{
    USB_CONFIGURATION_DESCRIPTOR config = { .bLength = 9,
                                            .bDescriptorType = 2,
                                            .bNumInterfaces = 3 };
    USB_INTERFACE_DESCRIPTOR d[3] = {
        { 9, 4, 0, 0, 0, 0xff, 1, 2, 0 },
        { 9, 4, 1, 0, 2, 0xff, 3, 4, 0 },
        { 9, 4, 2, 0, 1, 0xff, 5, 6, 0 },
    };
    USBD_INTERFACE_LIST_ENTRY list[4] = {
        { &d[0], NULL }, { &d[1], NULL }, { &d[2], NULL }, { NULL, NULL }
    };
    USBD_HANDLE handle;
    PURB urb;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, list, &urb), ==,
        STATUS_SUCCESS);
    g_assert_cmphex(urb->UrbHeader.Function, ==, 0);
    g_assert_cmpuint(urb->UrbHeader.Length, ==, 40 + 24 + 72 + 48);
    g_assert_true(urb->UrbSelectConfiguration.ConfigurationDescriptor ==
                  &config);
    g_assert_null(urb->UrbSelectConfiguration.ConfigurationHandle);
    g_assert_true(list[0].Interface == &urb->UrbSelectConfiguration.Interface);
    g_assert_cmpuint((PUCHAR)list[1].Interface - (PUCHAR)list[0].Interface, ==,
                     24);
    g_assert_cmpuint((PUCHAR)list[2].Interface - (PUCHAR)list[1].Interface, ==,
                     72);
    g_assert_cmpuint(list[0].Interface->Length, ==, 24);
    g_assert_cmpuint(list[0].Interface->NumberOfPipes, ==, 0);
    g_assert_cmpuint(list[1].Interface->Length, ==, 72);
    g_assert_cmpuint(list[1].Interface->InterfaceNumber, ==, 1);
    g_assert_cmpuint(list[1].Interface->Class, ==, 0xff);
    g_assert_cmpuint(list[1].Interface->SubClass, ==, 3);
    g_assert_cmpuint(list[1].Interface->Protocol, ==, 4);
    g_assert_cmpuint(list[1].Interface->NumberOfPipes, ==, 2);
    g_assert_null(list[1].Interface->Pipes[1].PipeHandle);
    USBD_UrbFree(handle, urb);
    USBD_CloseHandle(handle);
    host_check_clean();
}

static void test_select_config_bad(void)
{
    USB_CONFIGURATION_DESCRIPTOR config = { .bNumInterfaces = 1 };
    USB_INTERFACE_DESCRIPTOR d = { .bNumEndpoints = 255 };
    USBD_INTERFACE_LIST_ENTRY none[1] = { { NULL, NULL } };
    USBD_INTERFACE_LIST_ENTRY two[3] = { { &d, NULL }, { &d, NULL }, { 0 } };
    USBD_INTERFACE_LIST_ENTRY many[13];
    USBD_HANDLE handle;
    unsigned i;
    PURB urb = &dirty;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, none, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_null(urb);
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, two, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_null(two[0].Interface);
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(NULL, &config, two, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, NULL, two, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, NULL, &urb), ==,
        STATUS_INVALID_PARAMETER);
    config.bNumInterfaces = 2;
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, two, NULL), ==,
        STATUS_INVALID_PARAMETER);
    /* 12 x (24 + 255 x 24) bytes do not fit 16 bits */
    config.bNumInterfaces = 12;
    memset(many, 0, sizeof(many));
    for (i = 0; i < 12; i++) {
        many[i].InterfaceDescriptor = &d;
    }
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, many, &urb), ==,
        STATUS_INVALID_PARAMETER);
    config.bNumInterfaces = 2;
    host.fail_after = 1;
    g_assert_cmphex(
        USBD_SelectConfigUrbAllocateAndBuild(handle, &config, two, &urb), ==,
        STATUS_INSUFFICIENT_RESOURCES);
    g_assert_null(urb);
    g_assert_null(two[0].Interface);
    USBD_CloseHandle(handle);
    g_assert_cmpstr(host.log->str, ==, "");
    host_check_clean();
}

static void test_select_interface(void)
{
    USB_INTERFACE_DESCRIPTOR d = { 9, 4, 1, 3, 2, 0xff, 7, 8, 0 };
    USBD_INTERFACE_LIST_ENTRY entry = { &d, NULL };
    USBD_INTERFACE_LIST_ENTRY empty = { NULL, NULL };
    PVOID config = &d;
    USBD_HANDLE handle;
    PURB urb;

    host_reset();
    handle = open_handle();
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, config, &entry, &urb),
        ==, STATUS_SUCCESS);
    g_assert_cmphex(urb->UrbHeader.Function, ==, 1);
    g_assert_cmpuint(urb->UrbHeader.Length, ==, 80 + 24);
    g_assert_true(urb->UrbSelectInterface.ConfigurationHandle == config);
    g_assert_true(entry.Interface == &urb->UrbSelectInterface.Interface);
    g_assert_cmpuint(entry.Interface->AlternateSetting, ==, 3);
    g_assert_cmpuint(entry.Interface->NumberOfPipes, ==, 2);
    USBD_UrbFree(handle, urb);

    d.bNumEndpoints = 0;
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, config, &entry, &urb),
        ==, STATUS_SUCCESS);
    g_assert_cmpuint(urb->UrbHeader.Length, ==, 80 - 24);
    g_assert_cmpuint(host.last_bytes, >=, sizeof(URB)); /* may be copied */
    g_assert_cmpuint(entry.Interface->Length, ==, 24);
    USBD_UrbFree(handle, urb);

    urb = &dirty;
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(NULL, config, &entry, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_null(urb);
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, NULL, &entry, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, config, NULL, &urb), ==,
        STATUS_INVALID_PARAMETER);
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, config, &empty, &urb),
        ==, STATUS_INVALID_PARAMETER);
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, config, &entry, NULL),
        ==, STATUS_INVALID_PARAMETER);
    host.fail_after = 1;
    urb = &dirty;
    g_assert_cmphex(
        USBD_SelectInterfaceUrbAllocateAndBuild(handle, config, &entry, &urb),
        ==, STATUS_INSUFFICIENT_RESOURCES);
    g_assert_null(urb);
    USBD_CloseHandle(handle);
    host_check_clean();
}

/* --- capabilities -----------------------------------------------------------
 */

static BOOLEAN is_high_speed;
static int bus_references;

static BOOLEAN answer_high_speed(PVOID context)
{
    g_assert_true(context == &bus_references);
    return is_high_speed;
}

static void drop_bus(PVOID context)
{
    g_assert_true(context == &bus_references);
    bus_references--;
}

static NTSTATUS bus_driver(PIRP irp)
{
    USB_BUS_INTERFACE_USBDI_V1 *bus =
        (PVOID)irp->Next.Parameters.QueryInterface.Interface;

    g_assert_cmphex(irp->Next.MajorFunction, ==, IRP_MJ_PNP);
    g_assert_cmphex(irp->Next.MinorFunction, ==, IRP_MN_QUERY_INTERFACE);
    g_assert_cmphex(irp->IoStatus.Status, ==, STATUS_NOT_SUPPORTED);
    g_assert_cmpuint(irp->Next.Parameters.QueryInterface.Version, ==, 1);
    bus->BusContext = &bus_references;
    bus->InterfaceDereference = drop_bus;
    bus->IsDeviceHighSpeed = answer_high_speed;
    bus_references++;
    host_complete_below(irp, STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

static void test_capability(void)
{
    const GUID *high =
        &GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE;
    const GUID *others[] = {
        &GUID_USB_CAPABILITY_CHAINED_MDLS,
        &GUID_USB_CAPABILITY_STATIC_STREAMS,
        &GUID_USB_CAPABILITY_SELECTIVE_SUSPEND,
        &GUID_USB_CAPABILITY_FUNCTION_SUSPEND,
        &GUID_USB_CAPABILITY_HIGH_BANDWIDTH_ISOCH,
        &GUID_USB_CAPABILITY_DEVICE_CONNECTION_SUPER_SPEED_COMPATIBLE,
        &GUID_USB_CAPABILITY_TIME_SYNC,
    };
    USBD_HANDLE handle;
    UCHAR buffer[4];
    ULONG got;
    unsigned i;

    host_reset();
    handle = open_handle();
    for (i = 0; i < G_N_ELEMENTS(others); i++) {
        got = 99;
        g_assert_cmphex(
            USBD_QueryUsbCapability(handle, others[i], 4, buffer, &got), ==,
            STATUS_NOT_IMPLEMENTED);
        g_assert_cmpuint(got, ==, 0);
    }
    g_assert_cmphex(USBD_QueryUsbCapability(NULL, high, 0, NULL, NULL), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_cmphex(USBD_QueryUsbCapability(handle, NULL, 0, NULL, NULL), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_cmphex(USBD_QueryUsbCapability(handle, high, 4, NULL, NULL), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_cmphex(USBD_QueryUsbCapability(handle, high, 0, buffer, NULL), ==,
                    STATUS_INVALID_PARAMETER);

    /* A bus without the interface leaves the IRP as it is. */
    g_assert_cmphex(USBD_QueryUsbCapability(handle, high, 0, NULL, NULL), ==,
                    STATUS_NOT_IMPLEMENTED);
    host.lower = bus_driver;
    is_high_speed = TRUE;
    g_assert_cmphex(USBD_QueryUsbCapability(handle, high, 0, NULL, NULL), ==,
                    STATUS_SUCCESS);
    is_high_speed = FALSE;
    g_assert_cmphex(USBD_QueryUsbCapability(handle, high, 0, NULL, NULL), ==,
                    STATUS_NOT_SUPPORTED);
    g_assert_cmpint(bus_references, ==, 0);
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
    g_test_add_func("/usbdex/layout", test_layout);
    g_test_add_func("/usbdex/create/bad-arguments", test_create_bad_arguments);
    g_test_add_func("/usbdex/create/irql", test_create_irql);
    g_test_add_func("/usbdex/create/no-memory", test_create_no_memory);
    g_test_add_func("/usbdex/create/pool-type", test_pool_type);
    g_test_add_func("/usbdex/close/leak", test_close_reports_leak);
    g_test_add_func("/usbdex/close/clean", test_close_silent_when_clean);
    g_test_add_func("/usbdex/interface-version", test_interface_version);
    g_test_add_func("/usbdex/urb/allocate", test_urb_allocate);
    g_test_add_func("/usbdex/isoch/sizes", test_isoch_sizes);
    g_test_add_func("/usbdex/isoch/limits", test_isoch_limits);
    g_test_add_func("/usbdex/urb/free-foreign", test_free_foreign);
    g_test_add_func("/usbdex/urb/assign", test_assign);
    g_test_add_func("/usbdex/select-config", test_select_config);
    g_test_add_func("/usbdex/select-config/bad", test_select_config_bad);
    g_test_add_func("/usbdex/select-interface", test_select_interface);
    g_test_add_func("/usbdex/capability", test_capability);
    g_test_add_func("/usbdex/guids", test_guids);
    return g_test_run();
}
