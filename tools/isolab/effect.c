/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "effect.h"

#include <errno.h>

#include "isolab/xhci.h"

static const char *const names[EFFECTS] = {
    [EFFECT_SHORT] = "short",         [EFFECT_OVERRUN] = "overrun",
    [EFFECT_XACT] = "transaction",    [EFFECT_STALL] = "stall",
    [EFFECT_MISSED] = "missed",       [EFFECT_BUFFER] = "buffer",
    [EFFECT_BANDWIDTH] = "bandwidth", [EFFECT_CANCELLED] = "cancelled",
    [EFFECT_GONE] = "gone",           [EFFECT_OTHER] = "other",
    [EFFECT_DAMAGED] = "damaged",     [EFFECT_LOST] = "lost",
    [EFFECT_RESET] = "reset",         [EFFECT_REFUSED] = "refused",
};

typedef struct {
    uint32_t value;
    uint32_t mask;
    const char *text;
} meaning;

#define IS(e) EFFECT_BIT(EFFECT_##e)

/* USBD_STATUS, usb.h of the WDK; the names without "USBD_STATUS_" */
static const meaning usbd[] = {
    { 0x00000000, EFFECT_NONE, "SUCCESS" },
    { 0x40000000, EFFECT_NONE, "PENDING" },
    { 0xc0000001, IS(XACT), "CRC" },
    { 0xc0000002, IS(XACT), "BTSTUFF" },
    { 0xc0000003, IS(XACT), "DATA_TOGGLE_MISMATCH" },
    { 0xc0000004, IS(STALL), "STALL_PID" },
    { 0xc0000005, IS(XACT), "DEV_NOT_RESPONDING" },
    { 0xc0000006, IS(XACT), "PID_CHECK_FAILURE" },
    { 0xc0000007, IS(XACT), "UNEXPECTED_PID" },
    { 0xc0000008, IS(OVERRUN), "DATA_OVERRUN" },
    { 0xc0000009, IS(SHORT), "DATA_UNDERRUN" },
    { 0xc000000c, IS(OVERRUN), "BUFFER_OVERRUN" },
    { 0xc000000d, IS(BUFFER), "BUFFER_UNDERRUN" },
    { 0xc000000f, IS(MISSED), "NOT_ACCESSED" },
    { 0xc0000010, IS(BUFFER), "FIFO" },
    { 0xc0000011, IS(XACT), "XACT_ERROR" },
    { 0xc0000012, IS(OVERRUN), "BABBLE_DETECTED" },
    { 0xc0000013, IS(BUFFER), "DATA_BUFFER_ERROR" },
    { 0xc0000014, IS(XACT), "NO_PING_RESPONSE" },
    { 0xc0000030, IS(STALL), "ENDPOINT_HALTED" },
    { 0x80000300, IS(REFUSED), "INVALID_PARAMETER" },
    { 0x80000400, IS(REFUSED), "ERROR_BUSY" },
    { 0x80000600, IS(REFUSED), "INVALID_PIPE_HANDLE" },
    { 0x80000700, IS(REFUSED), "NO_BANDWIDTH" },
    { 0x80000800, IS(OTHER), "INTERNAL_HC_ERROR" },
    { 0x80000900, IS(SHORT), "ERROR_SHORT_TRANSFER" },
    { 0xc0000a00, IS(REFUSED), "BAD_START_FRAME" },
    { 0xc0000b00, IS(OTHER), "ISOCH_REQUEST_FAILED" },
    { 0xc0001000, IS(REFUSED), "INSUFFICIENT_RESOURCES" },
    { 0xc0002000, IS(REFUSED), "SET_CONFIG_FAILED" },
    { 0xc0006000, IS(XACT), "TIMEOUT" },
    { 0xc0007000, IS(GONE), "DEVICE_GONE" },
    { 0xc0010000, IS(CANCELLED), "CANCELED" },
    { 0xc0020000, IS(MISSED), "ISO_NOT_ACCESSED_BY_HW" },
    { 0xc0030000, IS(OTHER), "ISO_TD_ERROR" },
    { 0xc0040000, IS(MISSED), "ISO_NA_LATE_USBPORT" },
    { 0xc0050000, IS(MISSED), "ISO_NOT_ACCESSED_LATE" },
};

/* Linux, Documentation/driver-api/usb/error-codes.rst; -EPERM is what
 * xhci_hcd says of an isochronous TD whose code it has no case for */
static const meaning linux_errno[] = {
    { 0, EFFECT_NONE, "0" },
    { EREMOTEIO, IS(SHORT), "EREMOTEIO" },
    { EOVERFLOW, IS(OVERRUN), "EOVERFLOW" },
    { EPROTO, IS(XACT), "EPROTO" },
    { EILSEQ, IS(XACT), "EILSEQ" },
    { ETIME, IS(XACT), "ETIME" },
    { ETIMEDOUT, IS(XACT), "ETIMEDOUT" },
    { EPIPE, IS(STALL), "EPIPE" },
    { EXDEV, IS(MISSED), "EXDEV" },
    { EINPROGRESS, EFFECT_NONE, "EINPROGRESS" },
    { ENOSR, IS(BUFFER), "ENOSR" },
    { ECOMM, IS(BUFFER) | IS(BANDWIDTH), "ECOMM" },
    { ENOSPC, IS(REFUSED), "ENOSPC" },
    { EINVAL, IS(REFUSED), "EINVAL" },
    { ENOMEM, IS(REFUSED), "ENOMEM" },
    { EAGAIN, IS(REFUSED), "EAGAIN" },
    { EFBIG, IS(REFUSED), "EFBIG" },
    { ENOENT, IS(CANCELLED), "ENOENT" },
    { ECONNRESET, IS(CANCELLED), "ECONNRESET" },
    { ESHUTDOWN, IS(GONE), "ESHUTDOWN" },
    { ENODEV, IS(GONE), "ENODEV" },
    { EHOSTUNREACH, IS(GONE), "EHOSTUNREACH" },
    { EPERM, IS(OTHER), "EPERM" },
    { EIO, IS(OTHER), "EIO" },
};

/* xHCI 1.2 table 6-90 */
static const meaning codes[] = {
    { CC_INVALID, IS(OTHER), "Invalid" },
    { CC_SUCCESS, EFFECT_NONE, "Success" },
    { CC_DATA_BUFFER_ERROR, IS(BUFFER), "Data Buffer Error" },
    { CC_BABBLE_DETECTED, IS(OVERRUN), "Babble Detected Error" },
    { CC_USB_TRANSACTION_ERROR, IS(XACT), "USB Transaction Error" },
    { CC_TRB_ERROR, IS(OTHER), "TRB Error" },
    { CC_STALL_ERROR, IS(STALL), "Stall Error" },
    { CC_RESOURCE_ERROR, IS(REFUSED), "Resource Error" },
    { CC_BANDWIDTH_ERROR, IS(REFUSED), "Bandwidth Error" },
    { CC_NO_SLOTS_AVAILABLE, IS(REFUSED), "No Slots Available Error" },
    { CC_SHORT_PACKET, EFFECT_NONE, "Short Packet" },
    { CC_RING_UNDERRUN, EFFECT_NONE, "Ring Underrun" },
    { CC_RING_OVERRUN, EFFECT_NONE, "Ring Overrun" },
    { CC_PARAMETER_ERROR, IS(REFUSED), "Parameter Error" },
    { CC_BANDWIDTH_OVERRUN, IS(BANDWIDTH), "Bandwidth Overrun Error" },
    { CC_CONTEXT_STATE_ERROR, IS(REFUSED), "Context State Error" },
    { CC_NO_PING_RESPONSE, IS(XACT), "No Ping Response Error" },
    { CC_EVENT_RING_FULL, IS(LOST), "Event Ring Full Error" },
    { CC_INCOMPATIBLE_DEVICE, IS(OTHER), "Incompatible Device Error" },
    { CC_MISSED_SERVICE, IS(MISSED), "Missed Service Error" },
    { CC_STOPPED, IS(CANCELLED), "Stopped" },
    { CC_STOPPED_LENGTH_INVALID, IS(CANCELLED), "Stopped - Length Invalid" },
    { CC_STOPPED_SHORT_PACKET, IS(CANCELLED), "Stopped - Short Packet" },
    { CC_ISOCH_BUFFER_OVERRUN, IS(OVERRUN), "Isoch Buffer Overrun" },
    { CC_EVENT_LOST, IS(LOST), "Event Lost Error" },
    { CC_UNDEFINED, IS(OTHER), "Undefined Error" },
    { CC_SECONDARY_BANDWIDTH, IS(REFUSED), "Secondary Bandwidth Error" },
    { CC_SPLIT_TRANSACTION, IS(XACT), "Split Transaction Error" },
};

static const meaning *look_up(const meaning *table, size_t rows, uint32_t value)
{
    for (size_t i = 0; i < rows; i++) {
        if (table[i].value == value) {
            return &table[i];
        }
    }
    return NULL;
}

#define LOOK_UP(table, value) look_up(table, G_N_ELEMENTS(table), value)

static uint32_t mask_of(const meaning *row)
{
    return row ? row->mask : EFFECT_BIT(EFFECT_OTHER);
}

/* One copy of each text that is not in a table, for good. */
static const char *text_of(const meaning *row, const char *format,
                           uint32_t value)
{
    g_autofree char *text = NULL;

    if (row) {
        return row->text;
    }
    text = g_strdup_printf("%s%" G_GUINT32_FORMAT, format, value);
    return g_intern_string(text);
}

const char *effect_name(effect e)
{
    return e < EFFECTS ? names[e] : "ok";
}

effect effect_first(uint32_t mask)
{
    for (effect e = 0; e < EFFECTS; e++) {
        if (mask & EFFECT_BIT(e)) {
            return e;
        }
    }
    return EFFECTS;
}

char *effect_names(uint32_t mask)
{
    GString *text = g_string_new(NULL);

    for (effect e = 0; e < EFFECTS; e++) {
        if (mask & EFFECT_BIT(e)) {
            g_string_append_printf(text, "%s%s", text->len ? ", " : "",
                                   names[e]);
        }
    }
    return g_string_free(text->len ? text : g_string_append(text, "ok"), FALSE);
}

uint32_t effect_of_usbd(uint32_t usbd_status)
{
    return mask_of(LOOK_UP(usbd, usbd_status));
}

/* A usbmon record's status is chosen by whoever wrote the file. */
static uint32_t magnitude(int negative_errno)
{
    return negative_errno < 0 ? -(uint32_t)negative_errno
                              : (uint32_t)negative_errno;
}

uint32_t effect_of_errno(int negative_errno)
{
    return mask_of(LOOK_UP(linux_errno, magnitude(negative_errno)));
}

uint32_t effect_of_code(unsigned completion_code)
{
    return mask_of(LOOK_UP(codes, completion_code));
}

const char *effect_usbd_text(uint32_t usbd_status)
{
    const meaning *row = LOOK_UP(usbd, usbd_status);
    g_autofree char *text = NULL;

    if (row) {
        return row->text;
    }
    text = g_strdup_printf("0x%08x", usbd_status);
    return g_intern_string(text);
}

const char *effect_errno_text(int negative_errno)
{
    return text_of(LOOK_UP(linux_errno, magnitude(negative_errno)), "-",
                   magnitude(negative_errno));
}

const char *effect_code_text(unsigned completion_code)
{
    return text_of(LOOK_UP(codes, completion_code), "code ", completion_code);
}
