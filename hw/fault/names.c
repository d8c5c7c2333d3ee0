/*
 * The words of a plan: names of the specification, in lower case and with
 * hyphens, and the numbers that they stand for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan.h"

#include "isolab/xhci.h"

#define WORDS(name, ...)                                     \
    static const fault_word name##_rows[] = { __VA_ARGS__ }; \
    const fault_words name = { name##_rows, G_N_ELEMENTS(name##_rows) }

WORDS(fault_seam_words, { "packet", FAULT_PACKET },
      { "schedule", FAULT_SCHEDULE }, { "event", FAULT_EVENT },
      { "interrupt", FAULT_INTERRUPT }, { "dma", FAULT_DMA },
      { "command", FAULT_COMMAND }, { "port", FAULT_PORT },
      { "register", FAULT_REGISTER }, { "clock", FAULT_CLOCK });

WORDS(fault_direction_words, { "in", FAULT_IN }, { "out", FAULT_OUT });

WORDS(fault_type_words, { "control", FAULT_CONTROL }, { "isoch", FAULT_ISOCH },
      { "bulk", FAULT_BULK }, { "interrupt", FAULT_INTERRUPT_EP });

WORDS(fault_trb_words, { "normal", TRB_NORMAL }, { "setup", TRB_SETUP_STAGE },
      { "data", TRB_DATA_STAGE }, { "status", TRB_STATUS_STAGE },
      { "isoch", TRB_ISOCH }, { "event-data", TRB_EVENT_DATA });

WORDS(fault_command_words, { "enable-slot", CMD_ENABLE_SLOT },
      { "disable-slot", CMD_DISABLE_SLOT },
      { "address-device", CMD_ADDRESS_DEVICE },
      { "configure-endpoint", CMD_CONFIGURE_ENDPOINT },
      { "evaluate-context", CMD_EVALUATE_CONTEXT },
      { "reset-endpoint", CMD_RESET_ENDPOINT },
      { "stop-endpoint", CMD_STOP_ENDPOINT },
      { "set-tr-dequeue-pointer", CMD_SET_TR_DEQUEUE },
      { "reset-device", CMD_RESET_DEVICE },
      { "negotiate-bandwidth", CMD_NEGOTIATE_BANDWIDTH },
      { "get-port-bandwidth", CMD_GET_PORT_BANDWIDTH },
      { "force-header", CMD_FORCE_HEADER }, { "no-op", CMD_NOOP });

WORDS(fault_event_words, { "transfer", EVT_TRANSFER },
      { "command-completion", EVT_COMMAND_COMPLETION },
      { "port-status-change", EVT_PORT_STATUS_CHANGE },
      { "bandwidth-request", EVT_BANDWIDTH_REQUEST },
      { "host-controller", EVT_HOST_CONTROLLER },
      { "device-notification", EVT_DEVICE_NOTIFICATION },
      { "mfindex-wrap", EVT_MFINDEX_WRAP });

WORDS(fault_access_words, { "read", FAULT_READ }, { "write", FAULT_WRITE });

WORDS(fault_memory_words, { "command-ring", FAULT_COMMAND_RING },
      { "transfer-ring", FAULT_TRANSFER_RING },
      { "event-ring", FAULT_EVENT_RING }, { "context", FAULT_CONTEXT },
      { "data", FAULT_DATA });

#define IN 0x80
#define OUT 0
#define REQUEST(name, direction, number)              \
    {                                                 \
        name, FAULT_REQUEST_ID((direction), (number)) \
    }

/* USB 2.0 Tables 9-3 and 9-4, USB 3.2 Table 9-5. */
WORDS(fault_request_words, REQUEST("get-status", IN, 0),
      REQUEST("clear-feature", OUT, 1), REQUEST("set-feature", OUT, 3),
      REQUEST("set-address", OUT, 5), REQUEST("get-descriptor", IN, 6),
      REQUEST("set-descriptor", OUT, 7), REQUEST("get-configuration", IN, 8),
      REQUEST("set-configuration", OUT, 9), REQUEST("get-interface", IN, 10),
      REQUEST("set-interface", OUT, 11), REQUEST("synch-frame", IN, 12),
      REQUEST("set-sel", OUT, 48), REQUEST("set-isoch-delay", OUT, 49));

const char *fault_word_name(const fault_words *words, uint32_t value)
{
    for (unsigned i = 0; i < words->count; i++) {
        if (words->words[i].value == value) {
            return words->words[i].name;
        }
    }
    return NULL;
}

const fault_register fault_registers[] = {
    { "CAPLENGTH", FAULT_REG_CAP, XHCI_CAPLENGTH },
    { "HCSPARAMS1", FAULT_REG_CAP, XHCI_HCSPARAMS1 },
    { "HCSPARAMS2", FAULT_REG_CAP, XHCI_HCSPARAMS2 },
    { "HCCPARAMS1", FAULT_REG_CAP, XHCI_HCCPARAMS1 },
    { "HCCPARAMS2", FAULT_REG_CAP, XHCI_HCCPARAMS2 },
    { "USBCMD", FAULT_REG_OP, XHCI_USBCMD },
    { "USBSTS", FAULT_REG_OP, XHCI_USBSTS },
    { "PAGESIZE", FAULT_REG_OP, XHCI_PAGESIZE },
    { "DNCTRL", FAULT_REG_OP, XHCI_DNCTRL },
    { "CRCR", FAULT_REG_OP, XHCI_CRCR_LO },
    { "DCBAAP", FAULT_REG_OP, XHCI_DCBAAP_LO },
    { "CONFIG", FAULT_REG_OP, XHCI_CONFIG },
    { "PORTSC", FAULT_REG_PORT, XHCI_PORTSC },
    { "PORTPMSC", FAULT_REG_PORT, XHCI_PORTPMSC },
    { "PORTLI", FAULT_REG_PORT, XHCI_PORTLI },
    { "PORTHLPMC", FAULT_REG_PORT, XHCI_PORTHLPMC },
    { "MFINDEX", FAULT_REG_RUNTIME, XHCI_MFINDEX },
    { "IMAN", FAULT_REG_INTERRUPTER, XHCI_IMAN },
    { "IMOD", FAULT_REG_INTERRUPTER, XHCI_IMOD },
    { "ERSTSZ", FAULT_REG_INTERRUPTER, XHCI_ERSTSZ },
    { "ERSTBA", FAULT_REG_INTERRUPTER, XHCI_ERSTBA_LO },
    { "ERDP", FAULT_REG_INTERRUPTER, XHCI_ERDP_LO },
    { "DOORBELL", FAULT_REG_DOORBELL, 0 },
};
const unsigned fault_register_count = G_N_ELEMENTS(fault_registers);

/* Endpoint types as bits. */
#define CTL 1
#define ISO 2
#define BLK 4
#define INT 8
#define QUEUED (CTL | BLK | INT)
#define ALL (QUEUED | ISO)

/*
 * xHCI 1.2 Table 6-90. `types` is where §4.10.2, §4.10.3 and §6.4.5 let a TD
 * end with the code; 14, 15 and 23 are the schedule's to give.
 */
const fault_code fault_codes[] = {
    { 1, "success", "Success", ALL, -1, true, true },
    { 2, "data-buffer-error", "Data Buffer Error", ALL, -1, false, false },
    { 3, "babble-detected", "Babble Detected Error", ALL, FAULT_IN, false,
      false },
    { 4, "usb-transaction-error", "USB Transaction Error", ALL, -1, true,
      false },
    { 5, "trb-error", "TRB Error", ALL, -1, true, false },
    { 6, "stall-error", "Stall Error", QUEUED, -1, false, false },
    { 7, "resource-error", "Resource Error", 0, -1, true, false },
    { 8, "bandwidth-error", "Bandwidth Error", 0, -1, true, false },
    { 9, "no-slots-available", "No Slots Available Error", 0, -1, true, false },
    { 10, "invalid-stream-type", "Invalid Stream Type Error", BLK, -1, false,
      false },
    { 11, "slot-not-enabled", "Slot Not Enabled Error", 0, -1, true, false },
    { 12, "endpoint-not-enabled", "Endpoint Not Enabled Error", 0, -1, false,
      false },
    { 13, "short-packet", "Short Packet", ALL, FAULT_IN, false, true },
    { 14, "ring-underrun", "Ring Underrun", ISO, FAULT_OUT, false, false },
    { 15, "ring-overrun", "Ring Overrun", ISO, FAULT_IN, false, false },
    { 16, "vf-event-ring-full", "VF Event Ring Full Error", 0, -1, true,
      false },
    { 17, "parameter-error", "Parameter Error", 0, -1, true, false },
    { 18, "bandwidth-overrun", "Bandwidth Overrun Error", ISO, -1, false,
      true },
    { 19, "context-state-error", "Context State Error", 0, -1, true, false },
    { 20, "no-ping-response", "No Ping Response Error", ISO | INT, -1, false,
      false },
    { 21, "event-ring-full", "Event Ring Full Error", 0, -1, false, false },
    { 22, "incompatible-device", "Incompatible Device Error", ALL, -1, true,
      false },
    { 23, "missed-service", "Missed Service Error", ISO, -1, false, false },
    { 24, "command-ring-stopped", "Command Ring Stopped", 0, -1, false, false },
    { 25, "command-aborted", "Command Aborted", 0, -1, false, false },
    { 26, "stopped", "Stopped", 0, -1, false, false },
    { 27, "stopped-length-invalid", "Stopped - Length Invalid", 0, -1, false,
      false },
    { 28, "stopped-short-packet", "Stopped - Short Packet", 0, -1, false,
      false },
    { 29, "max-exit-latency-too-large", "Max Exit Latency Too Large Error", 0,
      -1, true, false },
    { 31, "isoch-buffer-overrun", "Isoch Buffer Overrun", ISO, FAULT_IN, false,
      true },
    { 32, "event-lost", "Event Lost Error", ALL, -1, false, false },
    { 33, "undefined", "Undefined Error", ALL, -1, true, false },
    { 34, "invalid-stream-id", "Invalid Stream ID Error", BLK, -1, false,
      false },
    { 35, "secondary-bandwidth", "Secondary Bandwidth Error", 0, -1, true,
      false },
    { 36, "split-transaction", "Split Transaction Error", ALL, -1, false,
      false },
};
const unsigned fault_code_count = G_N_ELEMENTS(fault_codes);

const fault_code *fault_code_find(unsigned code)
{
    for (unsigned i = 0; i < fault_code_count; i++) {
        if (fault_codes[i].code == code) {
            return &fault_codes[i];
        }
    }
    return NULL;
}

#define AT(seam) (1u << FAULT_##seam)
#define OF_ENDPOINT (AT(PACKET) | AT(SCHEDULE) | AT(EVENT))
#define OF_REQUEST (AT(PACKET) | AT(EVENT))
#define ANYWHERE ((1u << FAULT_SEAMS) - 1)

const fault_key_row fault_keys[FAULT_KEYS] = {
    [FAULT_SLOT] = { "slot", NULL, false, 1, 127,
                     OF_ENDPOINT | AT(COMMAND) | AT(DMA) | AT(REGISTER),
                     "device slot; of a doorbell, too" },
    [FAULT_PORT_ID] = { "port", NULL, false, 1, 30,
                        OF_ENDPOINT | AT(DMA) | AT(PORT) | AT(REGISTER) |
                            AT(CLOCK),
                        "root port, 1-based; of a port's action, which one" },
    [FAULT_ENDPOINT] = { "endpoint", NULL, false, 0, 15, OF_ENDPOINT | AT(DMA),
                         "endpoint number" },
    [FAULT_DIRECTION] = { "direction", &fault_direction_words, false, 0, 0,
                          OF_ENDPOINT | AT(DMA), "of the transfer" },
    [FAULT_TYPE] = { "type", &fault_type_words, false, 0, 0,
                     OF_ENDPOINT | AT(DMA), "of the endpoint" },
    [FAULT_STREAM] = { "stream", NULL, false, 1, 65533, AT(PACKET) | AT(DMA),
                       "Stream ID" },
    [FAULT_TRB] = { "trb", &fault_trb_words, false, 0, 0,
                    AT(PACKET) | AT(SCHEDULE),
                    "a TRB of that type is in the TD" },
    [FAULT_COMMAND_ID] = { "command", &fault_command_words, false, 0, 0,
                           AT(COMMAND), "type of the command" },
    [FAULT_EVENT_ID] = { "event", &fault_event_words, false, 0, 0, AT(EVENT),
                         "type of the event" },
    [FAULT_CODE] = { "code", NULL, false, 0, 255, AT(EVENT),
                     "completion code of the event, by name or number" },
    [FAULT_INTERRUPTER] = { "interrupter", NULL, false, 0, 15,
                            AT(EVENT) | AT(INTERRUPT) | AT(REGISTER),
                            "interrupter, 0-based" },
    [FAULT_REGISTER_ID] = { "register", NULL, false, 0, 0, AT(REGISTER),
                            "register, by its name in the specification" },
    [FAULT_ACCESS] = { "access", &fault_access_words, false, 0, 0,
                       AT(REGISTER) | AT(DMA), "read or write" },
    [FAULT_MEMORY] = { "memory", &fault_memory_words, false, 0, 0, AT(DMA),
                       "what the controller keeps at the address" },
    [FAULT_REQUEST] = { "name", &fault_request_words, false, 0, 0, OF_REQUEST,
                        "standard request, by its name in USB 2.0 Table 9-4",
                        true },
    [FAULT_BM_REQUEST_TYPE] = { "bmRequestType", NULL, false, 0, 255,
                                OF_REQUEST,
                                "direction, type and recipient, as one number",
                                true },
    [FAULT_B_REQUEST] = { "bRequest", NULL, false, 0, 255, OF_REQUEST,
                          "number of the request, of any type", true },
    [FAULT_W_VALUE] = { "wValue", NULL, true, 0, 65535, OF_REQUEST,
                        "number, or [first, last]", true },
    [FAULT_W_INDEX] = { "wIndex", NULL, true, 0, 65535, OF_REQUEST,
                        "number, or [first, last]", true },
    [FAULT_W_LENGTH] = { "wLength", NULL, true, 0, 65535, OF_REQUEST,
                         "number, or [first, last]", true },
    [FAULT_TD] = { "td", NULL, true, 1, UINT32_MAX, OF_ENDPOINT | AT(DMA),
                   "ordinal of the TD, or [first, last], since the endpoint "
                   "was configured; 1-based" },
    [FAULT_MICROFRAME] = { "microframe", NULL, true, 0, UINT32_MAX, ANYWHERE,
                           "microframe, or [first, last], since R/S was set" },
};

const fault_when_row fault_whens[FAULT_WHENS] = {
    [FAULT_W_NTH] = { "nth", 1, UINT32_MAX,
                      "the nth occurrence; with `every`, the first of them" },
    [FAULT_W_EVERY] = { "every", 1, UINT32_MAX, "each nth occurrence" },
    [FAULT_W_COUNT] = { "count", 1, UINT32_MAX, "so often and no more" },
    [FAULT_W_PROBABILITY] = { "probability", 0, 1,
                              "with that chance, 0.0 to 1.0" },
    [FAULT_W_STATE] = { "state", 0, 0,
                        "while the plan is in that state, or "
                        "one of a list" },
    [FAULT_W_AFTER] = { "after", 0, 0, "once the rule of that name has fired" },
};
