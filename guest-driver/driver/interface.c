/*
 * The alternate setting of an interface, which its streams share.
 *
 * An alternate setting reserves bandwidth for all of its endpoints and gives
 * each a pipe. The first stream selects it, others join it while it stays,
 * and the last to leave selects alternate 0, which costs nothing. A second
 * selection in between would break the pipes of the others. The request for
 * alternate 0 is there before anything else has been selected: an alternate
 * setting that nobody uses must not stay for want of memory.
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

    if (--use->Streams != 0) {
        return;
    }
    use->Pipes = 0;
    if (Device->State != DeviceGone && Device->State != DeviceRemoved) {
        UsbSendPrepared(Device, &use->Release);
    } else {
        UsbForget(Device, &use->Release);
    }
}

NTSTATUS InterfaceAcquire(PDEVICE_EXTENSION Device, const isoav_start *Start,
                          PPIPE_USE *Pipe, USBD_STATUS *UsbdStatus)
{
    PINTERFACE_USE use = &Device->Interface[Start->interface_number];
    NTSTATUS status;
    ULONG i;

    *UsbdStatus = USBD_STATUS_SUCCESS;
    if (use->Streams == 0) {
        status = DevicePrepareAlternate0(Device, Start->interface_number,
                                         &use->Release);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        status = DeviceSelectAlternate(Device, Start->interface_number,
                                       Start->alternate, use, UsbdStatus);
        use->Alternate = Start->alternate;
        use->Selection = ++Device->Selections;
        if (!NT_SUCCESS(status)) {
            UsbSendPrepared(Device, &use->Release);
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
