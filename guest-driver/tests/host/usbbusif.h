/* SPDX-License-Identifier: MIT */
#ifndef HOST_USBBUSIF_H
#define HOST_USBBUSIF_H

#include <ntddk.h>

#define USB_BUSIF_USBDI_VERSION_1 1

typedef struct {
    USHORT Size;
    USHORT Version;
    PVOID BusContext;
    PINTERFACE_REFERENCE InterfaceReference;
    PINTERFACE_DEREFERENCE InterfaceDereference;
    PVOID GetUSBDIVersion;
    PVOID QueryBusTime;
    PVOID SubmitIsoOutUrb;
    PVOID QueryBusInformation;
    BOOLEAN (*IsDeviceHighSpeed)(PVOID Context);
} USB_BUS_INTERFACE_USBDI_V1, *PUSB_BUS_INTERFACE_USBDI_V1;

#endif
