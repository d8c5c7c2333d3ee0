/*
 * The rules of the two builders and of the capabilities.
 *
 * SPDX-License-Identifier: MIT
 */
#include "usbdex-rules.h"

/* What a failed call must replace by NULL; also a configuration handle. */
static URB Dirty;

#define CONFIG_FIXED FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface)
#define SELECT_FIXED FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface)

/*
 * A configuration of three interfaces, without an endpoint, with two and with
 * one, and the list for it.
 */
typedef struct _CONFIG {
    USB_CONFIGURATION_DESCRIPTOR Configuration;
    USB_INTERFACE_DESCRIPTOR Interface[3];
    USBD_INTERFACE_LIST_ENTRY List[4];
} CONFIG;

static VOID MakeConfig(CONFIG *Config)
{
    static const UCHAR endpoints[3] = { 0, 2, 1 };
    UCHAR i;

    RtlZeroMemory(Config, sizeof(*Config));
    Config->Configuration.bLength = 9;
    Config->Configuration.bDescriptorType = 2;
    Config->Configuration.bNumInterfaces = 3;
    for (i = 0; i < 3; i++) {
        USB_INTERFACE_DESCRIPTOR *d = &Config->Interface[i];

        d->bLength = 9;
        d->bDescriptorType = 4;
        d->bInterfaceNumber = 10 + i;
        d->bAlternateSetting = 20 + i;
        d->bNumEndpoints = endpoints[i];
        d->bInterfaceClass = 30 + i;
        d->bInterfaceSubClass = 40 + i;
        d->bInterfaceProtocol = 50 + i;
        Config->List[i].InterfaceDescriptor = d;
    }
}

/* What the stack goes by, of an interface of n endpoints: all but the pipes. */
static VOID CheckInterface(PUSBD_INTERFACE_INFORMATION Information,
                           const USB_INTERFACE_DESCRIPTOR *Descriptor)
{
    ULONG i, endpoints = Descriptor->bNumEndpoints;

    RULE_IS(Information->Length, 24u + 24u * endpoints);
    RULE_IS(Information->InterfaceNumber, Descriptor->bInterfaceNumber);
    RULE_IS(Information->AlternateSetting, Descriptor->bAlternateSetting);
    RULE_IS(Information->Class, Descriptor->bInterfaceClass);
    RULE_IS(Information->SubClass, Descriptor->bInterfaceSubClass);
    RULE_IS(Information->Protocol, Descriptor->bInterfaceProtocol);
    RULE(Information->InterfaceHandle == NULL);
    RULE_IS(Information->NumberOfPipes, endpoints);
    for (i = 0; i < endpoints; i++) {
        RULE_IS(Information->Pipes[i].MaximumTransferSize,
                USBD_DEFAULT_MAXIMUM_TRANSFER_SIZE);
        RULE_IS(Information->Pipes[i].PipeFlags, 0u);
        RULE(Information->Pipes[i].PipeHandle == NULL);
    }
}

/* --- USBD_SelectConfigUrbAllocateAndBuild --------------------------------- */

static VOID ConfigBuilt(const RULE_STAGE *Stage, ULONG Irql)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks(), i;
    CONFIG config;
    PURB urb = NULL;
    PUCHAR at;
    KIRQL irql;

    MakeConfig(&config);
    KeRaiseIrql((KIRQL)Irql, &irql);
    RULE_STATUS(USBD_SelectConfigUrbAllocateAndBuild(
                    handle, &config.Configuration, config.List, &urb),
                STATUS_SUCCESS);
    KeLowerIrql(irql);
    if (urb != NULL) {
        RULE_IS(urb->UrbHeader.Function, URB_FUNCTION_SELECT_CONFIGURATION);
        RULE_IS(urb->UrbHeader.Length, 40u + 24u + 72u + 48u);
        RULE(urb->UrbSelectConfiguration.ConfigurationDescriptor ==
             &config.Configuration);
        RULE(urb->UrbSelectConfiguration.ConfigurationHandle == NULL);
        at = (PUCHAR)&urb->UrbSelectConfiguration.Interface;
        for (i = 0; i < 3; i++) {
            RULE((PUCHAR)config.List[i].Interface == at);
            CheckInterface((PUSBD_INTERFACE_INFORMATION)at,
                           &config.Interface[i]);
            at += ((PUSBD_INTERFACE_INFORMATION)at)->Length;
        }
        RULE(config.List[3].Interface == NULL);
        USBD_UrbFree(handle, urb);
    }
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

/* A URB is never smaller than the type: whoever copies one may count on it. */
static VOID ConfigSmall(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    CONFIG config;
    PURB urb = NULL;

    UNREFERENCED_PARAMETER(Argument);
    MakeConfig(&config);
    config.List[1].InterfaceDescriptor = NULL;
    RULE_STATUS(USBD_SelectConfigUrbAllocateAndBuild(
                    handle, &config.Configuration, config.List, &urb),
                STATUS_SUCCESS);
    if (urb != NULL) {
        RULE_IS(urb->UrbHeader.Length, CONFIG_FIXED + 24);
        RtlFillMemory(urb, sizeof(*urb), 0x5a);
        USBD_UrbFree(handle, urb);
    }
    USBD_CloseHandle(handle);
}

/* Refuses, hands out no URB, keeps none, and leaves the list as it was. */
static VOID ConfigRefused(USBD_HANDLE Handle,
                          PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                          PUSBD_INTERFACE_LIST_ENTRY List, NTSTATUS Wanted)
{
    ULONG blocks = RuleBlocks();
    PURB urb = &Dirty;

    RULE_STATUS(
        USBD_SelectConfigUrbAllocateAndBuild(Handle, Configuration, List, &urb),
        Wanted);
    RULE(urb == NULL);
    RULE_IS(RuleBlocks(), blocks);
    RULE(List == NULL || List[0].Interface == NULL);
}

enum { NO_HANDLE, NO_DESCRIPTOR, NO_LIST, EMPTY, TOO_LONG, NO_MEMORY };

static VOID ConfigBad(const RULE_STAGE *Stage, ULONG What)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    NTSTATUS wanted = STATUS_INVALID_PARAMETER;
    CONFIG config;

    MakeConfig(&config);
    if (What == EMPTY) {
        config.List[0].InterfaceDescriptor = NULL;
    } else if (What == TOO_LONG) {
        config.Configuration.bNumInterfaces = 2;
    } else if (What == NO_MEMORY) {
        RuleFailAllocation();
        wanted = STATUS_INSUFFICIENT_RESOURCES;
    }
    ConfigRefused(What == NO_HANDLE ? NULL : handle,
                  What == NO_DESCRIPTOR ? NULL : &config.Configuration,
                  What == NO_LIST ? NULL : config.List, wanted);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

static VOID ConfigNoUrb(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();
    CONFIG config;

    UNREFERENCED_PARAMETER(Argument);
    MakeConfig(&config);
    RULE_STATUS(USBD_SelectConfigUrbAllocateAndBuild(
                    handle, &config.Configuration, config.List, NULL),
                STATUS_INVALID_PARAMETER);
    RULE_IS(RuleBlocks(), blocks);
    RULE(config.List[0].Interface == NULL);
    USBD_CloseHandle(handle);
}

/* 40 + 10 x (24 + 255 x 24) bytes fit into 16 bits, of 11 they do not. */
static VOID ConfigLarge(const RULE_STAGE *Stage, ULONG Interfaces)
{
    USB_CONFIGURATION_DESCRIPTOR configuration = { 0 };
    USB_INTERFACE_DESCRIPTOR descriptor = { 0 };
    USBD_INTERFACE_LIST_ENTRY list[12];
    USBD_HANDLE handle = RuleOpen(Stage);
    PURB urb = NULL;
    ULONG i;

    RtlZeroMemory(list, sizeof(list));
    descriptor.bNumEndpoints = 255;
    configuration.bNumInterfaces = (UCHAR)Interfaces;
    for (i = 0; i < Interfaces; i++) {
        list[i].InterfaceDescriptor = &descriptor;
    }
    if (Interfaces == 11) {
        ConfigRefused(handle, &configuration, list, STATUS_INVALID_PARAMETER);
    } else {
        RULE_STATUS(USBD_SelectConfigUrbAllocateAndBuild(handle, &configuration,
                                                         list, &urb),
                    STATUS_SUCCESS);
        if (urb != NULL) {
            RULE_IS(urb->UrbHeader.Length, 40u + 10u * 6144u);
            CheckInterface(list[9].Interface, &descriptor);
            USBD_UrbFree(handle, urb);
        }
    }
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

/* --- USBD_SelectInterfaceUrbAllocateAndBuild ------------------------------ */

static VOID InterfaceBuilt(const RULE_STAGE *Stage, ULONG Endpoints)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();
    CONFIG config;
    PURB urb = NULL;
    KIRQL irql;

    MakeConfig(&config);
    config.Interface[0].bNumEndpoints = (UCHAR)Endpoints;
    if (Endpoints == 255) { /* what was there is replaced */
        config.List[0].Interface = (PUSBD_INTERFACE_INFORMATION)&Dirty;
    }
    KeRaiseIrql(Endpoints == 1 ? DISPATCH_LEVEL : PASSIVE_LEVEL, &irql);
    RULE_STATUS(USBD_SelectInterfaceUrbAllocateAndBuild(handle, &Dirty,
                                                        config.List, &urb),
                STATUS_SUCCESS);
    KeLowerIrql(irql);
    if (urb != NULL) {
        RULE_IS(urb->UrbHeader.Function, URB_FUNCTION_SELECT_INTERFACE);
        RULE_IS(urb->UrbHeader.Length, SELECT_FIXED +
                                           sizeof(USBD_INTERFACE_INFORMATION) +
                                           24u * Endpoints - 24u);
        RULE(urb->UrbSelectInterface.ConfigurationHandle == &Dirty);
        RULE(config.List[0].Interface == &urb->UrbSelectInterface.Interface);
        CheckInterface(&urb->UrbSelectInterface.Interface,
                       &config.Interface[0]);
        RtlFillMemory(urb, sizeof(*urb), 0x5a); /* never less than the type */
        USBD_UrbFree(handle, urb);
    }
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

enum { NO_CONFIGURATION = NO_MEMORY + 1, NO_ENTRY };

static VOID InterfaceBad(const RULE_STAGE *Stage, ULONG What)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    NTSTATUS wanted = STATUS_INVALID_PARAMETER;
    ULONG blocks = RuleBlocks();
    PURB urb = &Dirty;
    CONFIG config;

    MakeConfig(&config);
    if (What == NO_DESCRIPTOR) {
        config.List[0].InterfaceDescriptor = NULL;
    } else if (What == NO_MEMORY) {
        RuleFailAllocation();
        wanted = STATUS_INSUFFICIENT_RESOURCES;
    }
    RULE_STATUS(USBD_SelectInterfaceUrbAllocateAndBuild(
                    What == NO_HANDLE ? NULL : handle,
                    What == NO_CONFIGURATION ? NULL : &Dirty,
                    What == NO_ENTRY ? NULL : config.List, &urb),
                wanted);
    RULE(urb == NULL);
    RULE(config.List[0].Interface == NULL);
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

static VOID InterfaceNoUrb(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();
    CONFIG config;

    UNREFERENCED_PARAMETER(Argument);
    MakeConfig(&config);
    RULE_STATUS(USBD_SelectInterfaceUrbAllocateAndBuild(handle, &Dirty,
                                                        config.List, NULL),
                STATUS_INVALID_PARAMETER);
    RULE(config.List[0].Interface == NULL);
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
}

/* --- USBD_QueryUsbCapability ---------------------------------------------- */

#define HIGH_SPEED GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE

static VOID CapabilityHighSpeed(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG got = 99;

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_QueryUsbCapability(handle, &HIGH_SPEED, 0, NULL, &got),
                STATUS_SUCCESS);
    RULE_IS(got, 0u);
    RULE_STATUS(USBD_QueryUsbCapability(handle, &HIGH_SPEED, 0, NULL, NULL),
                STATUS_SUCCESS);
    USBD_CloseHandle(handle);
}

static VOID CapabilityUnknown(const RULE_STAGE *Stage, ULONG Argument)
{
    const GUID *guids[] = {
        &GUID_USB_CAPABILITY_CHAINED_MDLS,
        &GUID_USB_CAPABILITY_STATIC_STREAMS,
        &GUID_USB_CAPABILITY_SELECTIVE_SUSPEND,
        &GUID_USB_CAPABILITY_FUNCTION_SUSPEND,
        &GUID_USB_CAPABILITY_HIGH_BANDWIDTH_ISOCH,
        &GUID_USB_CAPABILITY_DEVICE_CONNECTION_SUPER_SPEED_COMPATIBLE,
        &GUID_USB_CAPABILITY_TIME_SYNC,
    };
    USBD_HANDLE handle = RuleOpen(Stage);
    UCHAR buffer[4];
    ULONG got, i;

    UNREFERENCED_PARAMETER(Argument);
    for (i = 0; i < sizeof(guids) / sizeof(guids[0]); i++) {
        got = 99;
        RULE_STATUS(USBD_QueryUsbCapability(handle, guids[i], sizeof(buffer),
                                            buffer, &got),
                    STATUS_NOT_IMPLEMENTED);
        RULE_IS(got, 0u);
        RULE_STATUS(USBD_QueryUsbCapability(handle, guids[i], 0, NULL, NULL),
                    STATUS_NOT_IMPLEMENTED);
    }
    USBD_CloseHandle(handle);
}

static VOID CapabilityNull(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_QueryUsbCapability(NULL, &HIGH_SPEED, 0, NULL, NULL),
                STATUS_INVALID_PARAMETER);
    RULE_STATUS(USBD_QueryUsbCapability(handle, NULL, 0, NULL, NULL),
                STATUS_INVALID_PARAMETER);
    USBD_CloseHandle(handle);
}

static VOID CapabilityBuffer(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    UCHAR buffer[4];
    ULONG got = 99;

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_QueryUsbCapability(handle, &HIGH_SPEED, 4, NULL, &got),
                STATUS_INVALID_PARAMETER);
    RULE_IS(got, 0u);
    RULE_STATUS(USBD_QueryUsbCapability(handle, &HIGH_SPEED, 0, buffer, NULL),
                STATUS_INVALID_PARAMETER);
    USBD_CloseHandle(handle);
}

static VOID CapabilityIrql(const RULE_STAGE *Stage, ULONG Irql)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    KIRQL irql;

    KeRaiseIrql((KIRQL)Irql, &irql);
    RULE_STATUS(USBD_QueryUsbCapability(handle, &HIGH_SPEED, 0, NULL, NULL),
                STATUS_INVALID_LEVEL);
    KeLowerIrql(irql);
    USBD_CloseHandle(handle);
}

const USBDEX_RULE UsbdexSelectRules[] = {
    { "/usbdex/config/built", ConfigBuilt, PASSIVE_LEVEL },
    { "/usbdex/config/dispatch-level", ConfigBuilt, DISPATCH_LEVEL },
    { "/usbdex/config/small", ConfigSmall, 0 },
    { "/usbdex/config/no-handle", ConfigBad, NO_HANDLE },
    { "/usbdex/config/no-descriptor", ConfigBad, NO_DESCRIPTOR },
    { "/usbdex/config/no-list", ConfigBad, NO_LIST },
    { "/usbdex/config/no-urb", ConfigNoUrb, 0 },
    { "/usbdex/config/empty-list", ConfigBad, EMPTY },
    { "/usbdex/config/list-too-long", ConfigBad, TOO_LONG },
    { "/usbdex/config/10-of-255", ConfigLarge, 10 },
    { "/usbdex/config/11-of-255", ConfigLarge, 11 },
    { "/usbdex/config/no-memory", ConfigBad, NO_MEMORY },
    { "/usbdex/interface/2-endpoints", InterfaceBuilt, 2 },
    { "/usbdex/interface/no-endpoint", InterfaceBuilt, 0 },
    { "/usbdex/interface/255-endpoints", InterfaceBuilt, 255 },
    { "/usbdex/interface/dispatch-level", InterfaceBuilt, 1 },
    { "/usbdex/interface/no-handle", InterfaceBad, NO_HANDLE },
    { "/usbdex/interface/no-configuration", InterfaceBad, NO_CONFIGURATION },
    { "/usbdex/interface/no-entry", InterfaceBad, NO_ENTRY },
    { "/usbdex/interface/no-descriptor", InterfaceBad, NO_DESCRIPTOR },
    { "/usbdex/interface/no-urb", InterfaceNoUrb, 0 },
    { "/usbdex/interface/no-memory", InterfaceBad, NO_MEMORY },
    { "/usbdex/capability/high-speed", CapabilityHighSpeed, 0 },
    { "/usbdex/capability/not-implemented", CapabilityUnknown, 0 },
    { "/usbdex/capability/null", CapabilityNull, 0 },
    { "/usbdex/capability/buffer", CapabilityBuffer, 0 },
    { "/usbdex/capability/apc-level", CapabilityIrql, APC_LEVEL },
    { "/usbdex/capability/dispatch-level", CapabilityIrql, DISPATCH_LEVEL },
    { NULL, NULL, 0 },
};
