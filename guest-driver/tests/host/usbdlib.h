/* SPDX-License-Identifier: MIT */
#ifndef HOST_USBDLIB_H
#define HOST_USBDLIB_H

#include <usb.h>

typedef struct {
    PUSB_INTERFACE_DESCRIPTOR InterfaceDescriptor;
    PUSBD_INTERFACE_INFORMATION Interface;
} USBD_INTERFACE_LIST_ENTRY, *PUSBD_INTERFACE_LIST_ENTRY;

#define GET_ISO_URB_SIZE(n)               \
    (sizeof(struct _URB_ISOCH_TRANSFER) + \
     sizeof(USBD_ISO_PACKET_DESCRIPTOR) * (n))

#endif
