/*
 * Names of numbers. See names.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "names.h"

#include <stddef.h>

#include "isolab/xhci.h"

/* xHCI 1.2 Table 6-90, as the constants are called. */
static const char *const codes[IXHCI_CODES] = {
    [CC_INVALID] = "invalid",
    [CC_SUCCESS] = "success",
    [CC_DATA_BUFFER_ERROR] = "data-buffer-error",
    [CC_BABBLE_DETECTED] = "babble-detected",
    [CC_USB_TRANSACTION_ERROR] = "usb-transaction-error",
    [CC_TRB_ERROR] = "trb-error",
    [CC_STALL_ERROR] = "stall-error",
    [CC_RESOURCE_ERROR] = "resource-error",
    [CC_BANDWIDTH_ERROR] = "bandwidth-error",
    [CC_NO_SLOTS_AVAILABLE] = "no-slots-available",
    [CC_INVALID_STREAM_TYPE] = "invalid-stream-type",
    [CC_SLOT_NOT_ENABLED] = "slot-not-enabled",
    [CC_ENDPOINT_NOT_ENABLED] = "endpoint-not-enabled",
    [CC_SHORT_PACKET] = "short-packet",
    [CC_RING_UNDERRUN] = "ring-underrun",
    [CC_RING_OVERRUN] = "ring-overrun",
    [CC_VF_EVENT_RING_FULL] = "vf-event-ring-full",
    [CC_PARAMETER_ERROR] = "parameter-error",
    [CC_BANDWIDTH_OVERRUN] = "bandwidth-overrun",
    [CC_CONTEXT_STATE_ERROR] = "context-state-error",
    [CC_NO_PING_RESPONSE] = "no-ping-response",
    [CC_EVENT_RING_FULL] = "event-ring-full",
    [CC_INCOMPATIBLE_DEVICE] = "incompatible-device",
    [CC_MISSED_SERVICE] = "missed-service",
    [CC_COMMAND_RING_STOPPED] = "command-ring-stopped",
    [CC_COMMAND_ABORTED] = "command-aborted",
    [CC_STOPPED] = "stopped",
    [CC_STOPPED_LENGTH_INVALID] = "stopped-length-invalid",
    [CC_STOPPED_SHORT_PACKET] = "stopped-short-packet",
    [CC_MAX_EXIT_LATENCY_TOO_LARGE] = "max-exit-latency-too-large",
    [CC_ISOCH_BUFFER_OVERRUN] = "isoch-buffer-overrun",
    [CC_EVENT_LOST] = "event-lost",
    [CC_UNDEFINED] = "undefined",
    [CC_INVALID_STREAM_ID] = "invalid-stream-id",
    [CC_SECONDARY_BANDWIDTH] = "secondary-bandwidth",
    [CC_SPLIT_TRANSACTION] = "split-transaction",
};

static const char *const ep_types[] = {
    [EP_TYPE_INVALID] = "invalid", [EP_TYPE_ISOCH_OUT] = "isoch",
    [EP_TYPE_BULK_OUT] = "bulk",   [EP_TYPE_INTERRUPT_OUT] = "interrupt",
    [EP_TYPE_CONTROL] = "control", [EP_TYPE_ISOCH_IN] = "isoch",
    [EP_TYPE_BULK_IN] = "bulk",    [EP_TYPE_INTERRUPT_IN] = "interrupt",
};

static const char *const ep_states[] = {
    [EP_STATE_DISABLED] = "disabled", [EP_STATE_RUNNING] = "running",
    [EP_STATE_HALTED] = "halted",     [EP_STATE_STOPPED] = "stopped",
    [EP_STATE_ERROR] = "error",
};

static const char *const speeds[] = {
    [SPEED_FULL] = "full",
    [SPEED_LOW] = "low",
    [SPEED_HIGH] = "high",
    [SPEED_SUPER] = "super",
};

static const char *const links[] = {
    [PLS_U0] = "U0",
    [PLS_U1] = "U1",
    [PLS_U2] = "U2",
    [PLS_U3] = "U3",
    [PLS_DISABLED] = "disabled",
    [PLS_RX_DETECT] = "rx-detect",
    [PLS_INACTIVE] = "inactive",
    [PLS_POLLING] = "polling",
    [PLS_RECOVERY] = "recovery",
    [PLS_HOT_RESET] = "hot-reset",
    [PLS_COMPLIANCE] = "compliance",
    [PLS_TEST] = "test",
    [PLS_RESUME] = "resume",
};

static const char *name_of(const char *const *names, size_t count,
                           unsigned number)
{
    return number < count && names[number] ? names[number] : "undefined";
}

#define NAME_OF(names, number) \
    name_of(names, sizeof(names) / sizeof((names)[0]), number)

const char *ixhci_name_code(unsigned cc)
{
    return NAME_OF(codes, cc);
}

const char *ixhci_name_ep_type(unsigned type)
{
    return NAME_OF(ep_types, type);
}

const char *ixhci_name_ep_state(unsigned state)
{
    return NAME_OF(ep_states, state);
}

const char *ixhci_name_speed(unsigned speed)
{
    return NAME_OF(speeds, speed);
}

const char *ixhci_name_link(unsigned pls)
{
    return NAME_OF(links, pls);
}
