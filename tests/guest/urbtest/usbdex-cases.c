/*
 * usbdex on a kernel: the rows of the table in guest-driver/include/usbdex.h,
 * as a driver meets them. The unit test (test-usbdex.c) has the same rows, and
 * sees more of what is inside.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "usbdex.h"

#include "urbtest.h"

static PDEVICE_OBJECT self, target;

static void expect(NTSTATUS got, NTSTATUS expected, const char *name)
{
    check(got == expected, name, got, expected);
}

/* The verifier lets the next allocation fail (bridge/shim-print.c). */
static void fail_next_allocation(void)
{
    DbgPrint("verifier: fail 1\n");
}

static NTSTATUS create(USBD_HANDLE *handle)
{
    return USBD_CreateHandle(self, target, USBD_CLIENT_CONTRACT_VERSION_602,
                             TAG, handle);
}

static void create_cases(void)
{
    USBD_HANDLE handle = (USBD_HANDLE)&self;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    expect(create(&handle), STATUS_INVALID_LEVEL,
           "USBD_CreateHandle above PASSIVE_LEVEL");
    KeLowerIrql(irql);
    expect(USBD_CreateHandle(NULL, target, USBD_CLIENT_CONTRACT_VERSION_602,
                             TAG, &handle),
           STATUS_INVALID_PARAMETER, "USBD_CreateHandle without a device");
    check(handle == NULL, "and no handle comes out", 0, 1);
    expect(USBD_CreateHandle(self, NULL, USBD_CLIENT_CONTRACT_VERSION_602, TAG,
                             &handle),
           STATUS_INVALID_PARAMETER, "without a target");
    expect(USBD_CreateHandle(self, target, USBD_CLIENT_CONTRACT_VERSION_602,
                             TAG, NULL),
           STATUS_INVALID_PARAMETER, "without a place for the handle");
    expect(USBD_CreateHandle(self, target, 0x600, TAG, &handle),
           STATUS_INVALID_PARAMETER, "with another contract");
    expect(USBD_CreateHandle(self, target, USBD_CLIENT_CONTRACT_VERSION_602, 0,
                             &handle),
           STATUS_INVALID_PARAMETER, "without a tag");
    fail_next_allocation();
    expect(create(&handle), STATUS_INSUFFICIENT_RESOURCES, "without memory");
    check(handle == NULL, "and no handle comes out", 0, 1);
}

static BOOLEAN is_zero(const void *memory, SIZE_T bytes)
{
    SIZE_T i;

    for (i = 0; i < bytes; i++) {
        if (((const UCHAR *)memory)[i]) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The verifier fills fresh memory, so that zeroes are the library's. */
static void isoch_case(USBD_HANDLE handle, ULONG packets, NTSTATUS expected)
{
    PURB urb = (PURB)&self;
    NTSTATUS status = USBD_IsochUrbAllocate(handle, packets, &urb);

    expect(status, expected, "USBD_IsochUrbAllocate");
    if (NT_SUCCESS(status)) {
        SIZE_T bytes = GET_ISO_URB_SIZE((SIZE_T)packets);

        check(is_zero(urb, bytes), "all of it is zero", (LONG)packets, 0);
        /* the guard behind it is looked at when it is freed */
        RtlFillMemory(urb, bytes, 0x5a);
        USBD_UrbFree(handle, urb);
    } else {
        check(urb == NULL, "no URB comes out", (LONG)packets, 0);
    }
}

static void allocate_cases(USBD_HANDLE handle)
{
    static const ULONG good[] = { 1, 8, 255, 1024 };
    static const ULONG bad[] = { 0, 1025, 0xffffffff };
    PURB urb = (PURB)&self;
    KIRQL irql;
    ULONG i;

    for (i = 0; i < ARRAYSIZE(good); i++) {
        isoch_case(handle, good[i], STATUS_SUCCESS);
    }
    for (i = 0; i < ARRAYSIZE(bad); i++) {
        isoch_case(handle, bad[i], STATUS_INVALID_PARAMETER);
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    isoch_case(handle, 64, STATUS_SUCCESS);
    KeLowerIrql(irql);
    expect(USBD_IsochUrbAllocate(handle, 8, NULL), STATUS_INVALID_PARAMETER,
           "USBD_IsochUrbAllocate without a place for the URB");
    isoch_case(NULL, 8, STATUS_INVALID_PARAMETER);
    fail_next_allocation();
    isoch_case(handle, 8, STATUS_INSUFFICIENT_RESOURCES);

    expect(USBD_UrbAllocate(handle, NULL), STATUS_INVALID_PARAMETER,
           "USBD_UrbAllocate without a place for the URB");
    expect(USBD_UrbAllocate(NULL, &urb), STATUS_INVALID_PARAMETER,
           "USBD_UrbAllocate without a handle");
    fail_next_allocation();
    expect(USBD_UrbAllocate(handle, &urb), STATUS_INSUFFICIENT_RESOURCES,
           "USBD_UrbAllocate without memory");
    check(urb == NULL, "and no URB comes out", 0, 1);
    expect(USBD_UrbAllocate(handle, &urb), STATUS_SUCCESS, "USBD_UrbAllocate");
    check(is_zero(urb, sizeof(*urb)), "all of it is zero", 0, 1);
    USBD_UrbFree(handle, urb);
}

static void select_cases(USBD_HANDLE handle)
{
    USB_CONFIGURATION_DESCRIPTOR configuration = { .bLength = 9,
                                                   .bDescriptorType = 2,
                                                   .bNumInterfaces = 1 };
    USB_INTERFACE_DESCRIPTOR alternate = { .bLength = 9,
                                           .bDescriptorType = 4,
                                           .bNumEndpoints = 2 };
    USBD_INTERFACE_LIST_ENTRY list[2] = { { &alternate, NULL },
                                          { NULL, NULL } };
    PURB urb;

    expect(
        USBD_SelectConfigUrbAllocateAndBuild(NULL, &configuration, list, &urb),
        STATUS_INVALID_PARAMETER, "select configuration without a handle");
    expect(USBD_SelectConfigUrbAllocateAndBuild(handle, NULL, list, &urb),
           STATUS_INVALID_PARAMETER, "without a descriptor");
    expect(USBD_SelectConfigUrbAllocateAndBuild(handle, &configuration, NULL,
                                                &urb),
           STATUS_INVALID_PARAMETER, "without a list");
    expect(USBD_SelectConfigUrbAllocateAndBuild(handle, &configuration, list,
                                                NULL),
           STATUS_INVALID_PARAMETER, "without a place for the URB");
    expect(USBD_SelectConfigUrbAllocateAndBuild(handle, &configuration, list,
                                                &urb),
           STATUS_SUCCESS, "select configuration");
    check(list[0].Interface == &urb->UrbSelectConfiguration.Interface &&
              list[0].Interface->NumberOfPipes == 2,
          "its interface is described", 0, 1);
    USBD_UrbFree(handle, urb);

    expect(USBD_SelectInterfaceUrbAllocateAndBuild(handle, NULL, list, &urb),
           STATUS_INVALID_PARAMETER,
           "select interface without a configuration");
    expect(USBD_SelectInterfaceUrbAllocateAndBuild(handle, &urb, NULL, &urb),
           STATUS_INVALID_PARAMETER, "without an interface");
    fail_next_allocation();
    expect(USBD_SelectInterfaceUrbAllocateAndBuild(handle, &urb, list, &urb),
           STATUS_INSUFFICIENT_RESOURCES, "without memory");
    expect(USBD_SelectInterfaceUrbAllocateAndBuild(handle, &self, list, &urb),
           STATUS_SUCCESS, "select interface");
    check(urb->UrbHeader.Length ==
              FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface) +
                  GET_USBD_INTERFACE_SIZE(2),
          "its length is that of two pipes", urb->UrbHeader.Length, 0);
    USBD_UrbFree(handle, urb);
}

static void other_cases(USBD_HANDLE handle)
{
    const GUID *high =
        &GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE;
    IO_STACK_LOCATION stack;
    KIRQL irql = PASSIVE_LEVEL;

    check(USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_600),
          "version 600 is supported", 0, 1);
    check(!USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_602),
          "version 602 is not", 0, 1);
    RtlZeroMemory(&stack, sizeof(stack));
    USBD_AssignUrbToIoStackLocation(handle, &stack, (PURB)&irql);
    check(stack.Parameters.Others.Argument1 == &irql &&
              stack.FileObject == NULL,
          "an URB is assigned, and nothing else", 0, 1);
    expect(USBD_QueryUsbCapability(handle, high, 0, NULL, NULL), STATUS_SUCCESS,
           "the bus says that the device is at high speed");
    expect(USBD_QueryUsbCapability(handle, &GUID_USB_CAPABILITY_STATIC_STREAMS,
                                   0, NULL, NULL),
           STATUS_NOT_IMPLEMENTED, "static streams are not implemented");
    expect(USBD_QueryUsbCapability(handle, NULL, 0, NULL, NULL),
           STATUS_INVALID_PARAMETER, "a capability without its number");
    expect(USBD_QueryUsbCapability(NULL, high, 0, NULL, NULL),
           STATUS_INVALID_PARAMETER, "a capability without a handle");
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    expect(USBD_QueryUsbCapability(handle, &GUID_USB_CAPABILITY_STATIC_STREAMS,
                                   0, NULL, NULL),
           STATUS_INVALID_LEVEL, "a capability above PASSIVE_LEVEL");
    KeLowerIrql(irql);
}

void usbdex_cases(Device *device, PDEVICE_OBJECT object)
{
    USBD_HANDLE handle;
    NTSTATUS status;

    self = object;
    target = device->lower;
    create_cases();
    status = create(&handle);
    expect(status, STATUS_SUCCESS, "USBD_CreateHandle");
    if (NT_SUCCESS(status)) {
        allocate_cases(handle);
        select_cases(handle);
        other_cases(handle);
        USBD_CloseHandle(handle);
    }
}
