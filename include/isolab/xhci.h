/*
 * xHCI 1.2: registers, TRBs, contexts and codes, as numbers. Shared by the
 * controller model and by the qtests that drive it, so that both sides speak
 * of a field by the same name. C99, no QEMU types; nothing here depends on
 * byte order: a TRB or a context is a row of 32-bit words in host form.
 *
 * A field is named once, by shift and length (XHCI_FIELD), never by a C
 * bitfield: the layout of bitfields is the compiler's choice, that of guest
 * memory is not. xhci_get and xhci_set move a field in and out of a word:
 *
 *     type = xhci_get(trb.dw[3], TRB_TYPE);
 *     word = xhci_set(word, EP_STATE, EP_STATE_RUNNING);
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_XHCI_H
#define ISOLAB_XHCI_H

#include <stdint.h>

/* A field is one number: its shift in bits 7:0, its length in bits 15:8. */
#define XHCI_FIELD(shift, length) ((length) << 8 | (shift))

static inline uint32_t xhci_field_mask(unsigned field)
{
    unsigned length = field >> 8;

    return length >= 32 ? UINT32_MAX : (UINT32_C(1) << length) - 1;
}

static inline uint32_t xhci_get(uint32_t word, unsigned field)
{
    return word >> (field & 0xff) & xhci_field_mask(field);
}

static inline uint32_t xhci_set(uint32_t word, unsigned field, uint32_t value)
{
    uint32_t mask = xhci_field_mask(field);

    return (word & ~(mask << (field & 0xff))) | (value & mask)
                                                    << (field & 0xff);
}

/* xHCI 1.2 §5.3: Capability Registers, offsets from the base of BAR 0. */
enum {
    XHCI_CAPLENGTH = 0x00,
    XHCI_HCSPARAMS1 = 0x04,
    XHCI_HCSPARAMS2 = 0x08,
    XHCI_HCSPARAMS3 = 0x0c,
    XHCI_HCCPARAMS1 = 0x10,
    XHCI_DBOFF = 0x14,
    XHCI_RTSOFF = 0x18,
    XHCI_HCCPARAMS2 = 0x1c,
};

enum {
    HCSPARAMS1_MAXSLOTS = XHCI_FIELD(0, 8),
    HCSPARAMS1_MAXINTRS = XHCI_FIELD(8, 11),
    HCSPARAMS1_MAXPORTS = XHCI_FIELD(24, 8),
    HCSPARAMS2_IST = XHCI_FIELD(0, 3),
    HCSPARAMS2_IST_FRAMES = XHCI_FIELD(3, 1),
    HCSPARAMS2_ERSTMAX = XHCI_FIELD(4, 4),
    HCSPARAMS2_PADS_HI = XHCI_FIELD(21, 5), /* Max Scratchpad Buffers */
    HCSPARAMS2_PADS_LO = XHCI_FIELD(27, 5),
};

#define HCSPARAMS2_SPR (1u << 26) /* Scratchpad Restore */

/* xHCI 1.2 §5.3.6: HCCPARAMS1. */
#define HCC1_AC64 (1u << 0)
#define HCC1_BNC (1u << 1)
#define HCC1_CSZ (1u << 2)
#define HCC1_PPC (1u << 3)
#define HCC1_PIND (1u << 4)
#define HCC1_LHRC (1u << 5)
#define HCC1_LTC (1u << 6)
#define HCC1_NSS (1u << 7)
#define HCC1_PAE (1u << 8)
#define HCC1_SPC (1u << 9)
#define HCC1_SEC (1u << 10)
#define HCC1_CFC (1u << 11)
enum {
    HCC1_MAXPSASIZE = XHCI_FIELD(12, 4),
    HCC1_XECP = XHCI_FIELD(16, 16),
};

/* xHCI 1.2 §5.3.9: HCCPARAMS2. */
#define HCC2_U3C (1u << 0)
#define HCC2_CMC (1u << 1)
#define HCC2_FSC (1u << 2)
#define HCC2_CTC (1u << 3)
#define HCC2_LEC (1u << 4)
#define HCC2_CIC (1u << 5)
#define HCC2_ETC (1u << 6)
#define HCC2_ETC_TSC (1u << 7)
#define HCC2_GSC (1u << 8)
#define HCC2_VTC (1u << 9)

/* xHCI 1.2 §5.4: Operational Registers, offsets from base + CAPLENGTH. */
enum {
    XHCI_USBCMD = 0x00,
    XHCI_USBSTS = 0x04,
    XHCI_PAGESIZE = 0x08,
    XHCI_DNCTRL = 0x14,
    XHCI_CRCR_LO = 0x18,
    XHCI_CRCR_HI = 0x1c,
    XHCI_DCBAAP_LO = 0x30,
    XHCI_DCBAAP_HI = 0x34,
    XHCI_CONFIG = 0x38,
    XHCI_PORT_SET = 0x400, /* port n at PORT_SET + 10h * (n - 1) */
    XHCI_PORT_STRIDE = 0x10,
    XHCI_PORTSC = 0x0, /* within a port's set */
    XHCI_PORTPMSC = 0x4,
    XHCI_PORTLI = 0x8,
    XHCI_PORTHLPMC = 0xc,
};

/* xHCI 1.2 §5.4.1: USBCMD. */
#define USBCMD_RS (1u << 0)
#define USBCMD_HCRST (1u << 1)
#define USBCMD_INTE (1u << 2)
#define USBCMD_HSEE (1u << 3)
#define USBCMD_LHCRST (1u << 7)
#define USBCMD_CSS (1u << 8)
#define USBCMD_CRS (1u << 9)
#define USBCMD_EWE (1u << 10)
#define USBCMD_EU3S (1u << 11)
#define USBCMD_CME (1u << 13)
#define USBCMD_ETE (1u << 14)
#define USBCMD_TSC_EN (1u << 15)
#define USBCMD_VTIOE (1u << 16)

/* xHCI 1.2 §5.4.2: USBSTS. */
#define USBSTS_HCH (1u << 0)
#define USBSTS_HSE (1u << 2)
#define USBSTS_EINT (1u << 3)
#define USBSTS_PCD (1u << 4)
#define USBSTS_SSS (1u << 8)
#define USBSTS_RSS (1u << 9)
#define USBSTS_SRE (1u << 10)
#define USBSTS_CNR (1u << 11)
#define USBSTS_HCE (1u << 12)

/* xHCI 1.2 §5.4.5: CRCR, low word. */
#define CRCR_RCS (1u << 0)
#define CRCR_CS (1u << 1)
#define CRCR_CA (1u << 2)
#define CRCR_CRR (1u << 3)

/* xHCI 1.2 §5.4.7: CONFIG. */
enum { CONFIG_MAXSLOTSEN = XHCI_FIELD(0, 8) };
#define CONFIG_U3E (1u << 8)
#define CONFIG_CIE (1u << 9)

/* xHCI 1.2 §5.4.8: PORTSC. */
#define PORTSC_CCS (1u << 0)
#define PORTSC_PED (1u << 1)
#define PORTSC_OCA (1u << 3)
#define PORTSC_PR (1u << 4)
#define PORTSC_PP (1u << 9)
#define PORTSC_LWS (1u << 16)
#define PORTSC_CSC (1u << 17)
#define PORTSC_PEC (1u << 18)
#define PORTSC_WRC (1u << 19)
#define PORTSC_OCC (1u << 20)
#define PORTSC_PRC (1u << 21)
#define PORTSC_PLC (1u << 22)
#define PORTSC_CEC (1u << 23)
#define PORTSC_CAS (1u << 24)
#define PORTSC_WCE (1u << 25)
#define PORTSC_WDE (1u << 26)
#define PORTSC_WOE (1u << 27)
#define PORTSC_DR (1u << 30)
#define PORTSC_WPR (1u << 31)
#define PORTSC_CHANGES 0x00fe0000u /* CSC PEC WRC OCC PRC PLC CEC */
enum {
    PORTSC_PLS = XHCI_FIELD(5, 4),
    PORTSC_SPEED = XHCI_FIELD(10, 4),
    PORTSC_PIC = XHCI_FIELD(14, 2),
};

/* xHCI 1.2 §5.4.9: PORTPMSC of USB3 and of USB2 ports. */
enum {
    PORTPMSC_U1_TIMEOUT = XHCI_FIELD(0, 8),
    PORTPMSC_U2_TIMEOUT = XHCI_FIELD(8, 8),
    PORTPMSC_L1S = XHCI_FIELD(0, 3),
    PORTPMSC_BESL = XHCI_FIELD(4, 4), /* HIRD where BLC is 0 */
    PORTPMSC_L1DS = XHCI_FIELD(8, 8), /* L1 Device Slot */
};
#define PORTPMSC_RWE (1u << 3)
#define PORTPMSC_HLE (1u << 16)

/* xHCI 1.2 §5.4.9.2: L1S, how the last LPM transaction ended. */
enum {
    L1S_INVALID = 0,
    L1S_SUCCESS = 1,
    L1S_NOT_YET = 2,
    L1S_NOT_SUPPORTED = 3,
    L1S_TIMEOUT = 4,
};

/* xHCI 1.2 §5.4.10.1: PORTLI of a USB3 port. */
enum { PORTLI_ERRORS = XHCI_FIELD(0, 16) };

/* xHCI 1.2 §5.4.11.2: PORTHLPMC of a USB2 port. */
enum {
    PORTHLPMC_HIRDM = XHCI_FIELD(0, 2),
    PORTHLPMC_L1_TIMEOUT = XHCI_FIELD(2, 8),
    PORTHLPMC_BESLD = XHCI_FIELD(10, 4),
};

/* Port Link State, the PLS field. */

enum {
    PLS_U0 = 0,
    PLS_U1 = 1,
    PLS_U2 = 2,
    PLS_U3 = 3,
    PLS_DISABLED = 4,
    PLS_RX_DETECT = 5,
    PLS_INACTIVE = 6,
    PLS_POLLING = 7,
    PLS_RECOVERY = 8,
    PLS_HOT_RESET = 9,
    PLS_COMPLIANCE = 10,
    PLS_TEST = 11,
    PLS_RESUME = 15,
};

/* xHCI 1.2 §7.2.2.1.1: default Protocol Speed IDs. */
enum {
    SPEED_FULL = 1,
    SPEED_LOW = 2,
    SPEED_HIGH = 3,
    SPEED_SUPER = 4,
};

/* xHCI 1.2 §5.5: Runtime Registers, offsets from base + RTSOFF. */
enum {
    XHCI_MFINDEX = 0x00,
    XHCI_INTR_SET = 0x20, /* interrupter n at INTR_SET + 20h * n */
    XHCI_INTR_STRIDE = 0x20,
    XHCI_IMAN = 0x00, /* within an interrupter's set */
    XHCI_IMOD = 0x04,
    XHCI_ERSTSZ = 0x08,
    XHCI_ERSTBA_LO = 0x10,
    XHCI_ERSTBA_HI = 0x14,
    XHCI_ERDP_LO = 0x18,
    XHCI_ERDP_HI = 0x1c,
};

#define IMAN_IP (1u << 0)
#define IMAN_IE (1u << 1)
#define ERDP_EHB (1u << 3)
#define MFINDEX_MASK 0x3fffu

enum {
    IMOD_IMODI = XHCI_FIELD(0, 16), /* units of 250 ns */
    IMOD_IMODC = XHCI_FIELD(16, 16),
    ERSTSZ_SIZE = XHCI_FIELD(0, 16),
    ERDP_DESI = XHCI_FIELD(0, 3),
};

/* xHCI 1.2 §5.6: Doorbell Registers, base + DBOFF + 4 * slot_id. */
enum {
    DB_TARGET = XHCI_FIELD(0, 8),
    DB_STREAM_ID = XHCI_FIELD(16, 16),
};

/* xHCI 1.2 §7: Extended Capabilities. */
enum {
    XECP_ID = XHCI_FIELD(0, 8),
    XECP_NEXT = XHCI_FIELD(8, 8),
    XECP_LEGACY_SUPPORT = 1,
    XECP_SUPPORTED_PROTOCOL = 2,
};

/* xHCI 1.2 §7.1: USB Legacy Support: USBLEGSUP, then USBLEGCTLSTS. */
#define LEGSUP_BIOS_OWNED (1u << 16)
#define LEGSUP_OS_OWNED (1u << 24)
#define LEGCTL_ENABLES 0x0000e011u /* SMI on: event, HSE, owner, PCI, BAR */
#define LEGCTL_EINT (1u << 16)
#define LEGCTL_HSE (1u << 20)
#define LEGCTL_OWNER_CHANGED (1u << 29)
#define LEGCTL_PCI_COMMAND (1u << 30)
#define LEGCTL_BAR (1u << 31)
#define LEGCTL_RW1C (LEGCTL_OWNER_CHANGED | LEGCTL_PCI_COMMAND | LEGCTL_BAR)

/* xHCI 1.2 §7.2: Supported Protocol, and its Protocol Speed IDs (§7.2.1). */
#define XECP_NAME_USB 0x20425355u /* DW1 */
#define XECP_HLC (1u << 19)       /* DW2 of USB2: Hardware LPM Capability */
#define XECP_BLC (1u << 20)       /* DW2 of USB2: BESL LPM Capability */
#define PSI_FULL_DUPLEX (1u << 8)
enum {
    XECP_REVISION = XHCI_FIELD(16, 16),  /* DW0, BCD */
    XECP_PORT_OFFSET = XHCI_FIELD(0, 8), /* DW2, 1-based */
    XECP_PORT_COUNT = XHCI_FIELD(8, 8),  /* DW2 */
    XECP_PSIC = XHCI_FIELD(28, 4),       /* DW2; that many PSIs from DW4 on */
    XECP_SLOT_TYPE = XHCI_FIELD(0, 5),   /* DW3 */
    PSI_VALUE = XHCI_FIELD(0, 4),        /* as in PORTSC, Port Speed */
    PSI_EXPONENT = XHCI_FIELD(4, 2),
    PSI_TYPE = XHCI_FIELD(6, 2),
    PSI_LINK_PROTOCOL = XHCI_FIELD(14, 2),
    PSI_MANTISSA = XHCI_FIELD(16, 16),
    PSI_GIGABITS = 3, /* an exponent */
};

/* xHCI 1.2 §7.6.8: the Debug Capability, its words by their offset. */
enum {
    XECP_DEBUG = 10,
    XHCI_DCID = 0x00,
    XHCI_DCDB = 0x04,
    XHCI_DCERSTSZ = 0x08,
    XHCI_DCERSTBA_LO = 0x10,
    XHCI_DCERSTBA_HI = 0x14,
    XHCI_DCERDP_LO = 0x18,
    XHCI_DCERDP_HI = 0x1c,
    XHCI_DCCTRL = 0x20,
    XHCI_DCST = 0x24,
    XHCI_DCPORTSC = 0x28,
    XHCI_DCCP_LO = 0x30,
    XHCI_DCCP_HI = 0x34,
    XHCI_DCDDI1 = 0x38,
    XHCI_DCDDI2 = 0x3c,
    XHCI_DEBUG_BYTES = 0x40,
    DCID_ERSTMAX = XHCI_FIELD(16, 5),
    DCDB_TARGET = XHCI_FIELD(8, 8), /* 0: OUT, 1: IN */
    DCCTRL_MAX_BURST = XHCI_FIELD(16, 8),
    DCCTRL_ADDRESS = XHCI_FIELD(24, 7),
    DCST_PORT = XHCI_FIELD(24, 8),
};
#define DCCTRL_DCR (1u << 0)
#define DCCTRL_LSE (1u << 1)
#define DCCTRL_HOT (1u << 2)
#define DCCTRL_HIT (1u << 3)
#define DCCTRL_DRC (1u << 4)
#define DCCTRL_DCE (1u << 31)
#define DCST_ER (1u << 0)

/* A TRB: four words in host form; 16 bytes in memory. */
typedef struct {
    uint32_t dw[4];
} xhci_trb;

#define XHCI_TRB_BYTES 16

/* xHCI 1.2 §6.4: fields of DW2 and DW3 that transfer TRBs share. */
enum {
    TRB_LENGTH = XHCI_FIELD(0, 17),  /* DW2 */
    TRB_TD_SIZE = XHCI_FIELD(17, 5), /* DW2 */
    TRB_INTR = XHCI_FIELD(22, 10),   /* DW2: Interrupter Target */
    TRB_TYPE = XHCI_FIELD(10, 6),    /* DW3 */
};
#define TRB_C (1u << 0)
#define TRB_ENT (1u << 1)
#define TRB_TC (1u << 1) /* Link TRB */
#define TRB_ISP (1u << 2)
#define TRB_ED (1u << 2) /* Transfer Event */
#define TRB_NS (1u << 3)
#define TRB_CH (1u << 4)
#define TRB_IOC (1u << 5)
#define TRB_IDT (1u << 6)
#define TRB_BEI (1u << 9)
#define TRB_BSR (1u << 9)  /* Address Device */
#define TRB_DC (1u << 9)   /* Configure Endpoint */
#define TRB_TSP (1u << 9)  /* Reset Endpoint */
#define TRB_SP (1u << 23)  /* Stop Endpoint */
#define TRB_DIR (1u << 16) /* Data and Status Stage: 1 = IN */

/* xHCI 1.2 §6.4.1.2.1: Setup Stage TRB, DW3. */
enum {
    TRB_TRT = XHCI_FIELD(16, 2),
    TRT_NONE = 0,
    TRT_OUT = 2,
    TRT_IN = 3,
};

/* xHCI 1.2 §6.4.1.3: Isoch TRB, DW3 (and DW2 21:17 when ETE is set). */
enum {
    TRB_TBC = XHCI_FIELD(7, 2),
    TRB_TLBPC = XHCI_FIELD(16, 4),
    TRB_FRAME_ID = XHCI_FIELD(20, 11),
};
#define TRB_SIA (1u << 31)

/* xHCI 1.2 §6.4.3, §6.4.2: fields of command and event TRBs. */
enum {
    TRB_SLOT_ID = XHCI_FIELD(24, 8),    /* DW3 */
    TRB_EP_ID = XHCI_FIELD(16, 5),      /* DW3: the DCI */
    TRB_STREAM_ID = XHCI_FIELD(16, 16), /* DW2 of Set TR Dequeue Pointer */
    TRB_SCT = XHCI_FIELD(1, 3),         /* DW0 of Set TR Dequeue Pointer */
    TRB_DEV_SPEED = XHCI_FIELD(16, 4),  /* DW3 of Get Port Bandwidth */
    TRB_ROOT_PORT = XHCI_FIELD(24, 8),  /* DW3 of Force Header, 1-based */
    TRB_PACKET_TYPE = XHCI_FIELD(0, 5), /* DW0 of Force Header */
    EVT_LENGTH = XHCI_FIELD(0, 24),     /* DW2 */
    EVT_CC = XHCI_FIELD(24, 8),         /* DW2 */
    EVT_NOTIFICATION_TYPE = XHCI_FIELD(4, 4), /* DW0 */
    EVT_PORT_ID = XHCI_FIELD(24, 8),          /* DW0 of Port Status Change */
};

/* xHCI 1.2 Table 6-91: TRB types. */
enum {
    TRB_NORMAL = 1,
    TRB_SETUP_STAGE = 2,
    TRB_DATA_STAGE = 3,
    TRB_STATUS_STAGE = 4,
    TRB_ISOCH = 5,
    TRB_LINK = 6,
    TRB_EVENT_DATA = 7,
    TRB_NOOP = 8,
    CMD_ENABLE_SLOT = 9,
    CMD_DISABLE_SLOT = 10,
    CMD_ADDRESS_DEVICE = 11,
    CMD_CONFIGURE_ENDPOINT = 12,
    CMD_EVALUATE_CONTEXT = 13,
    CMD_RESET_ENDPOINT = 14,
    CMD_STOP_ENDPOINT = 15,
    CMD_SET_TR_DEQUEUE = 16,
    CMD_RESET_DEVICE = 17,
    CMD_FORCE_EVENT = 18,
    CMD_NEGOTIATE_BANDWIDTH = 19,
    CMD_SET_LTV = 20,
    CMD_GET_PORT_BANDWIDTH = 21,
    CMD_FORCE_HEADER = 22,
    CMD_NOOP = 23,
    CMD_GET_EXTENDED_PROPERTY = 24,
    CMD_SET_EXTENDED_PROPERTY = 25,
    EVT_TRANSFER = 32,
    EVT_COMMAND_COMPLETION = 33,
    EVT_PORT_STATUS_CHANGE = 34,
    EVT_BANDWIDTH_REQUEST = 35,
    EVT_HOST_CONTROLLER = 37,
    EVT_DEVICE_NOTIFICATION = 38,
    EVT_MFINDEX_WRAP = 39,
};

/* xHCI 1.2 Table 6-90: completion codes. */
enum {
    CC_INVALID = 0,
    CC_SUCCESS = 1,
    CC_DATA_BUFFER_ERROR = 2,
    CC_BABBLE_DETECTED = 3,
    CC_USB_TRANSACTION_ERROR = 4,
    CC_TRB_ERROR = 5,
    CC_STALL_ERROR = 6,
    CC_RESOURCE_ERROR = 7,
    CC_BANDWIDTH_ERROR = 8,
    CC_NO_SLOTS_AVAILABLE = 9,
    CC_INVALID_STREAM_TYPE = 10,
    CC_SLOT_NOT_ENABLED = 11,
    CC_ENDPOINT_NOT_ENABLED = 12,
    CC_SHORT_PACKET = 13,
    CC_RING_UNDERRUN = 14,
    CC_RING_OVERRUN = 15,
    CC_VF_EVENT_RING_FULL = 16,
    CC_PARAMETER_ERROR = 17,
    CC_BANDWIDTH_OVERRUN = 18,
    CC_CONTEXT_STATE_ERROR = 19,
    CC_NO_PING_RESPONSE = 20,
    CC_EVENT_RING_FULL = 21,
    CC_INCOMPATIBLE_DEVICE = 22,
    CC_MISSED_SERVICE = 23,
    CC_COMMAND_RING_STOPPED = 24,
    CC_COMMAND_ABORTED = 25,
    CC_STOPPED = 26,
    CC_STOPPED_LENGTH_INVALID = 27,
    CC_STOPPED_SHORT_PACKET = 28,
    CC_MAX_EXIT_LATENCY_TOO_LARGE = 29,
    CC_ISOCH_BUFFER_OVERRUN = 31,
    CC_EVENT_LOST = 32,
    CC_UNDEFINED = 33,
    CC_INVALID_STREAM_ID = 34,
    CC_SECONDARY_BANDWIDTH = 35,
    CC_SPLIT_TRANSACTION = 36,
};

/* xHCI 1.2 §6.2.5.1: Input Control Context, DW7, with CIE. */
enum {
    INPUT_CONFIGURATION = XHCI_FIELD(0, 8),
    INPUT_INTERFACE = XHCI_FIELD(8, 8),
    INPUT_ALTERNATE = XHCI_FIELD(16, 8),
};

/* USB 3.2 §8.3.1.2: packet types of a header. */
enum {
    USB3_LINK_MANAGEMENT = 0,
    USB3_TRANSACTION = 4,
    USB3_DATA = 8,
    USB3_ISOCH_TIMESTAMP = 12,
};

/* xHCI 1.2 §6.2.2: Slot Context. */
#define SLOT_HUB (1u << 26) /* DW0 */
#define SLOT_MTT (1u << 25) /* DW0 */
enum {
    SLOT_ROUTE = XHCI_FIELD(0, 20),            /* DW0 */
    SLOT_SPEED = XHCI_FIELD(20, 4),            /* DW0 */
    SLOT_CONTEXT_ENTRIES = XHCI_FIELD(27, 5),  /* DW0 */
    SLOT_MAX_EXIT_LATENCY = XHCI_FIELD(0, 16), /* DW1 */
    SLOT_ROOT_PORT = XHCI_FIELD(16, 8),        /* DW1, 1-based */
    SLOT_NUM_PORTS = XHCI_FIELD(24, 8),        /* DW1 */
    SLOT_TT_HUB = XHCI_FIELD(0, 8),            /* DW2 */
    SLOT_TT_PORT = XHCI_FIELD(8, 8),           /* DW2 */
    SLOT_TTT = XHCI_FIELD(16, 2),              /* DW2 */
    SLOT_INTR = XHCI_FIELD(22, 10),            /* DW2 */
    SLOT_ADDRESS = XHCI_FIELD(0, 8),           /* DW3 */
    SLOT_STATE = XHCI_FIELD(27, 5),            /* DW3 */
    SLOT_STATE_ENABLED = 0, /* and Disabled: memory cannot tell them apart */
    SLOT_STATE_DEFAULT = 1,
    SLOT_STATE_ADDRESSED = 2,
    SLOT_STATE_CONFIGURED = 3,
};

/* xHCI 1.2 §6.2.3: Endpoint Context. */
#define EP_LSA (1u << 15) /* DW0 */
#define EP_HID (1u << 7)  /* DW1 */
#define EP_DCS (1u << 0)  /* DW2 */
enum {
    EP_STATE = XHCI_FIELD(0, 3),                 /* DW0 */
    EP_MULT = XHCI_FIELD(8, 2),                  /* DW0 */
    EP_MAX_PSTREAMS = XHCI_FIELD(10, 5),         /* DW0 */
    EP_INTERVAL = XHCI_FIELD(16, 8),             /* DW0 */
    EP_MAX_ESIT_PAYLOAD_HI = XHCI_FIELD(24, 8),  /* DW0 */
    EP_CERR = XHCI_FIELD(1, 2),                  /* DW1 */
    EP_TYPE = XHCI_FIELD(3, 3),                  /* DW1 */
    EP_MAX_BURST = XHCI_FIELD(8, 8),             /* DW1 */
    EP_MAX_PACKET_SIZE = XHCI_FIELD(16, 16),     /* DW1 */
    EP_AVERAGE_TRB_LENGTH = XHCI_FIELD(0, 16),   /* DW4 */
    EP_MAX_ESIT_PAYLOAD_LO = XHCI_FIELD(16, 16), /* DW4 */
    EP_STATE_DISABLED = 0,
    EP_STATE_RUNNING = 1,
    EP_STATE_HALTED = 2,
    EP_STATE_STOPPED = 3,
    EP_STATE_ERROR = 4,
    EP_TYPE_INVALID = 0,
    EP_TYPE_ISOCH_OUT = 1,
    EP_TYPE_BULK_OUT = 2,
    EP_TYPE_INTERRUPT_OUT = 3,
    EP_TYPE_CONTROL = 4,
    EP_TYPE_ISOCH_IN = 5,
    EP_TYPE_BULK_IN = 6,
    EP_TYPE_INTERRUPT_IN = 7,
};

/* xHCI 1.2 §6.2.4.1: Stream Context; USB 3.2 §8.12.1.4.2: Stream IDs. */
enum {
    STREAM_SCT = XHCI_FIELD(1, 3), /* DW0 */
    SCT_SECONDARY_RING = 0,
    SCT_PRIMARY_RING = 1,
    SCT_SECONDARY_8 = 2, /* an array of 8, 3: of 16, ... 7: of 256 */
    STREAM_ID_PRIME = 0xfffe,
};

/* xHCI 1.2 §4.5.1: DCI of an endpoint number and direction. */
static inline unsigned xhci_dci(unsigned ep_number, int is_in)
{
    return ep_number == 0 ? 1 : ep_number * 2 + (is_in ? 1 : 0);
}

#endif
