/*
 * Migration of the UVC camera, in mid-stream as well. The picture does not
 * travel: it is fetched from the source again, by its number and the controls
 * that it was drawn with. A file is checked by uvc.c after loading.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/uvc.h"

static const VMStateDescription vmstate_probe = {
    .name = "usb-isoav/uvc-probe",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT16(bmHint, isoav_uvc_probe),
            VMSTATE_UINT8(bFormatIndex, isoav_uvc_probe),
            VMSTATE_UINT8(bFrameIndex, isoav_uvc_probe),
            VMSTATE_UINT32(dwFrameInterval, isoav_uvc_probe),
            VMSTATE_UINT32(dwMaxVideoFrameSize, isoav_uvc_probe),
            VMSTATE_UINT32(dwMaxPayloadTransferSize, isoav_uvc_probe),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_still_probe = {
    .name = "usb-isoav/uvc-still-probe",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT8(bFormatIndex, isoav_uvc_still_probe),
            VMSTATE_UINT8(bFrameIndex, isoav_uvc_still_probe),
            VMSTATE_UINT32(dwMaxVideoFrameSize, isoav_uvc_still_probe),
            VMSTATE_UINT32(dwMaxPayloadTransferSize, isoav_uvc_still_probe),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_status = {
    .name = "usb-isoav/uvc-status",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT8_2DARRAY(bytes, isoav_uvc_status, ISOAV_UVC_STATUS_MAX,
                                  ISOAV_UVC_STATUS_ROOM),
            VMSTATE_UINT8_ARRAY(lengths, isoav_uvc_status,
                                ISOAV_UVC_STATUS_MAX),
            VMSTATE_UINT8(first, isoav_uvc_status),
            VMSTATE_UINT8(count, isoav_uvc_status),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_model = {
    .name = "usb-isoav/uvc-model",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_INT32_ARRAY(values, isoav_uvc_model, ISOAV_UVC_CONTROLS),
            VMSTATE_STRUCT(probe, isoav_uvc_model, 1, vmstate_probe,
                           isoav_uvc_probe),
            VMSTATE_STRUCT(commit, isoav_uvc_model, 1, vmstate_probe,
                           isoav_uvc_probe),
            VMSTATE_STRUCT(still_probe, isoav_uvc_model, 1, vmstate_still_probe,
                           isoav_uvc_still_probe),
            VMSTATE_STRUCT(still_commit, isoav_uvc_model, 1,
                           vmstate_still_probe, isoav_uvc_still_probe),
            VMSTATE_BOOL(is_committed, isoav_uvc_model),
            VMSTATE_BOOL(is_still_committed, isoav_uvc_model),
            VMSTATE_UINT8(alternate, isoav_uvc_model),
            VMSTATE_UINT8(trigger, isoav_uvc_model),
            VMSTATE_UINT8(request_error, isoav_uvc_model),
            VMSTATE_UINT8(stream_error, isoav_uvc_model),
            VMSTATE_STRUCT(status, isoav_uvc_model, 1, vmstate_status,
                           isoav_uvc_status),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_stream = {
    .name = "usb-isoav/uvc-stream",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT64(epoch_uf, isoav_uvc_stream),
            VMSTATE_UINT32(interval_100ns, isoav_uvc_stream),
            VMSTATE_UINT32(payload_bytes, isoav_uvc_stream),
            VMSTATE_BOOL(is_started, isoav_uvc_stream),
            VMSTATE_BOOL(is_sending, isoav_uvc_stream),
            VMSTATE_BOOL(is_still, isoav_uvc_stream),
            VMSTATE_BOOL(is_damaged, isoav_uvc_stream),
            VMSTATE_BOOL(fid, isoav_uvc_stream),
            VMSTATE_UINT64(frame, isoav_uvc_stream),
            VMSTATE_UINT64(shown, isoav_uvc_stream),
            VMSTATE_UINT32(offset, isoav_uvc_stream),
            VMSTATE_UINT32(bytes, isoav_uvc_stream),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription isoav_uvc_vmstate = {
    .name = "usb-isoav/uvc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_STRUCT(model, isoav_uvc, 1, vmstate_model, isoav_uvc_model),
            VMSTATE_STRUCT(stream, isoav_uvc, 1, vmstate_stream,
                           isoav_uvc_stream),
            VMSTATE_INT32_ARRAY(shown, isoav_uvc, ISOAV_UVC_CONTROLS),
            VMSTATE_UINT64_ARRAY(counters, isoav_uvc, ISOAV_UVC_COUNTERS),
            VMSTATE_BOOL(wants_status, isoav_uvc),
            VMSTATE_END_OF_LIST(),
        },
};
