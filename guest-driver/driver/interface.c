/*
 * The alternate setting of an interface, which its streams share.
 *
 * An alternate setting reserves bandwidth for all of its endpoints and gives
 * each a pipe. The first stream selects it, others join it while it stays,
 * and the last to leave selects alternate 0, which costs nothing. A second
 * selection in between would break the pipes of the others.
 *
 * Everything here runs at PASSIVE_LEVEL with DEVICE_EXTENSION.Lock held.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

static PPIPE_USE FindPipe(PINTERFACE_USE Use, UCHAR Address)
{
    ULONG i;

    for (i = 0; i < Use->Pipes; i++) {
        if (Use->Pipe[i].Information.EndpointAddress == Address) {
            return &Use->Pipe[i];
        }
    }
    return NULL;
}

VOID InterfaceRelease(PDEVICE_EXTENSION Device, UCHAR Interface)
{
    PINTERFACE_USE use = &Device->Interface[Interface];
    USBD_STATUS usbd;

    if (--use->Streams != 0) {
        return;
    }
    use->Pipes = 0;
    if (Device->State != DeviceGone && Device->State != DeviceRemoved) {
        DeviceSelectAlternate(Device, Interface, 0, NULL, &usbd);
    }
}

NTSTATUS InterfaceAcquire(PDEVICE_EXTENSION Device, const isoav_start *Start,
                          PPIPE_USE *Pipe, USBD_STATUS *UsbdStatus)
{
    PINTERFACE_USE use = &Device->Interface[Start->interface_number];
    NTSTATUS status = STATUS_SUCCESS;
    USBD_STATUS ignored;
    ULONG i;

    *UsbdStatus = USBD_STATUS_SUCCESS;
    if (use->Streams == 0) {
        status = DeviceSelectAlternate(Device, Start->interface_number,
                                       Start->alternate, use, UsbdStatus);
        use->Alternate = Start->alternate;
        use->Selection = ++Device->Selections;
        if (!NT_SUCCESS(status)) {
            DeviceSelectAlternate(Device, Start->interface_number, 0, NULL,
                                  &ignored);
            return status;
        }
        for (i = 0; i < use->Pipes; i++) {
            use->Pipe[i].Next = 1;
        }
    } else if (use->Alternate != Start->alternate) {
        return STATUS_SHARING_VIOLATION;
    }
    use->Streams++;
    *Pipe = FindPipe(use, Start->endpoint);
    if (*Pipe == NULL || (*Pipe)->Information.MaximumPacketSize == 0) {
        InterfaceRelease(Device, Start->interface_number);
        return STATUS_DEVICE_DATA_ERROR;
    }
    return STATUS_SUCCESS;
}
