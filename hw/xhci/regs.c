/*
 * BAR 0 (xHCI 1.2 §5.3 to §5.6, §7).
 *
 *  1. A register is a row: its offset, how it is read, how it is written. A
 *     row without a write function ignores writes; an offset without a row
 *     reads 0.
 *  2. Registers are 32 bits wide. A wider access is two, low half first; a
 *     narrower read is cut out, a narrower write is ignored, so that it never
 *     damages its neighbours (§5.1); the extended capabilities take both.
 *  3. Port and interrupter sets repeat: the row is found by the offset within
 *     the set, and n is the set's index from 0.
 *  4. Accesses that the controller's own memory traffic causes are dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

typedef struct {
    uint16_t offset;
    uint32_t (*read)(IxhciState *x, unsigned n);
    void (*write)(IxhciState *x, unsigned n, uint32_t value);
} reg_row;

/* Capability registers (§5.3). */

static uint32_t read_caplength(IxhciState *x, unsigned n)
{
    return (uint32_t)x->caps.hciversion << 16 | IXHCI_CAP_BYTES;
}

static uint32_t read_hcsparams1(IxhciState *x, unsigned n)
{
    uint32_t value = xhci_set(0, HCSPARAMS1_MAXSLOTS, x->num_slots);

    value = xhci_set(value, HCSPARAMS1_MAXINTRS, x->num_intrs);
    return xhci_set(value, HCSPARAMS1_MAXPORTS, x->num_ports);
}

static uint32_t read_hcsparams2(IxhciState *x, unsigned n)
{
    uint32_t value = xhci_set(0, HCSPARAMS2_IST, IXHCI_IST_UF);

    value = xhci_set(value, HCSPARAMS2_ERSTMAX, IXHCI_ERST_MAX_LOG2);
    value = xhci_set(value, HCSPARAMS2_PADS_HI, x->scratchpads >> 5);
    value = xhci_set(value, HCSPARAMS2_PADS_LO, x->scratchpads & 0x1f);
    return value | (x->scratchpads ? HCSPARAMS2_SPR : 0);
}

static uint32_t read_zero(IxhciState *x, unsigned n)
{
    return 0;
}

static uint32_t read_hccparams1(IxhciState *x, unsigned n)
{
    return xhci_set(x->caps.hcc1, HCC1_XECP, IXHCI_XECP_OFFSET / 4);
}

static uint32_t read_dboff(IxhciState *x, unsigned n)
{
    return IXHCI_DOORBELL_OFFSET;
}

static uint32_t read_rtsoff(IxhciState *x, unsigned n)
{
    return IXHCI_RUNTIME_OFFSET;
}

static uint32_t read_hccparams2(IxhciState *x, unsigned n)
{
    return x->caps.hcc2;
}

static const reg_row cap_rows[] = {
    { XHCI_CAPLENGTH, read_caplength, NULL },
    { XHCI_HCSPARAMS1, read_hcsparams1, NULL },
    { XHCI_HCSPARAMS2, read_hcsparams2, NULL },
    { XHCI_HCSPARAMS3, read_zero, NULL },
    { XHCI_HCCPARAMS1, read_hccparams1, NULL },
    { XHCI_DBOFF, read_dboff, NULL },
    { XHCI_RTSOFF, read_rtsoff, NULL },
    { XHCI_HCCPARAMS2, read_hccparams2, NULL },
};

/* Operational registers (§5.4). */

static uint32_t read_usbcmd(IxhciState *x, unsigned n)
{
    return x->usbcmd;
}

static void write_usbcmd(IxhciState *x, unsigned n, uint32_t value)
{
    ixhci_power_write_usbcmd(x, value);
}

static uint32_t read_usbsts(IxhciState *x, unsigned n)
{
    return x->usbsts;
}

static void write_usbsts(IxhciState *x, unsigned n, uint32_t value)
{
    x->usbsts &=
        ~(value & (USBSTS_HSE | USBSTS_EINT | USBSTS_PCD | USBSTS_SRE));
}

static uint32_t read_pagesize(IxhciState *x, unsigned n)
{
    return 1; /* 4 KiB */
}

static uint32_t read_dnctrl(IxhciState *x, unsigned n)
{
    return x->dnctrl;
}

static void write_dnctrl(IxhciState *x, unsigned n, uint32_t value)
{
    x->dnctrl = value & 0xffff;
}

static uint32_t read_crcr(IxhciState *x, unsigned n)
{
    return x->crr ? CRCR_CRR : 0;
}

static void write_crcr_lo(IxhciState *x, unsigned n, uint32_t value)
{
    ixhci_command_write_crcr_lo(x, value);
}

static void write_crcr_hi(IxhciState *x, unsigned n, uint32_t value)
{
    ixhci_command_write_crcr_hi(x, value);
}

static uint32_t read_dcbaap_lo(IxhciState *x, unsigned n)
{
    return (uint32_t)x->dcbaap;
}

static uint32_t read_dcbaap_hi(IxhciState *x, unsigned n)
{
    return x->dcbaap >> 32;
}

static void write_dcbaap_lo(IxhciState *x, unsigned n, uint32_t value)
{
    x->dcbaap = deposit64(x->dcbaap, 0, 32, value & ~0x3fu);
}

static void write_dcbaap_hi(IxhciState *x, unsigned n, uint32_t value)
{
    x->dcbaap = deposit64(x->dcbaap, 32, 32, value);
}

static uint32_t read_config(IxhciState *x, unsigned n)
{
    return x->config;
}

/* xHCI 1.2 §5.3.9: U3E and CIE exist with their capabilities only. */
static void write_config(IxhciState *x, unsigned n, uint32_t value)
{
    uint32_t kept = xhci_field_mask(CONFIG_MAXSLOTSEN);

    kept |= x->caps.hcc2 & HCC2_U3C ? CONFIG_U3E : 0;
    kept |= x->caps.hcc2 & HCC2_CIC ? CONFIG_CIE : 0;
    x->config = value & kept;
}

static const reg_row op_rows[] = {
    { XHCI_USBCMD, read_usbcmd, write_usbcmd },
    { XHCI_USBSTS, read_usbsts, write_usbsts },
    { XHCI_PAGESIZE, read_pagesize, NULL },
    { XHCI_DNCTRL, read_dnctrl, write_dnctrl },
    { XHCI_CRCR_LO, read_crcr, write_crcr_lo },
    { XHCI_CRCR_HI, read_zero, write_crcr_hi },
    { XHCI_DCBAAP_LO, read_dcbaap_lo, write_dcbaap_lo },
    { XHCI_DCBAAP_HI, read_dcbaap_hi, write_dcbaap_hi },
    { XHCI_CONFIG, read_config, write_config },
};

/* Runtime registers (§5.5). */

static uint32_t read_mfindex(IxhciState *x, unsigned n)
{
    return (ixhci_now_uf() - x->base_uf) & MFINDEX_MASK;
}

static const reg_row runtime_rows[] = {
    { XHCI_MFINDEX, read_mfindex, NULL },
};

static uint32_t read_iman(IxhciState *x, unsigned n)
{
    return x->intrs[n].iman;
}

static uint32_t read_imod(IxhciState *x, unsigned n)
{
    return ixhci_intr_imod(x, n);
}

static uint32_t read_erstsz(IxhciState *x, unsigned n)
{
    return x->intrs[n].erstsz;
}

static void write_erstsz(IxhciState *x, unsigned n, uint32_t value)
{
    x->intrs[n].erstsz = xhci_get(value, ERSTSZ_SIZE);
    /* xHCI 1.2 §5.5.2.3.1: 0 disables the ring */
    if (x->intrs[n].erstsz == 0) {
        ixhci_event_close(x, n);
    }
}

static uint32_t read_erstba_lo(IxhciState *x, unsigned n)
{
    return (uint32_t)x->intrs[n].erstba;
}

static uint32_t read_erstba_hi(IxhciState *x, unsigned n)
{
    return x->intrs[n].erstba >> 32;
}

/*
 * §5.5.2.3.2: the ring starts when the register is written; a 64-bit pointer is
 * complete with its high half, and a driver with 32-bit pointers writes that
 * half too.
 */
static void write_erstba_lo(IxhciState *x, unsigned n, uint32_t value)
{
    x->intrs[n].erstba = deposit64(x->intrs[n].erstba, 0, 32, value & ~0x3fu);
}

static void write_erstba_hi(IxhciState *x, unsigned n, uint32_t value)
{
    x->intrs[n].erstba = deposit64(x->intrs[n].erstba, 32, 32, value);
    ixhci_event_open(x, n);
}

static uint32_t read_erdp_lo(IxhciState *x, unsigned n)
{
    const ixhci_intr *intr = &x->intrs[n];

    return (uint32_t)intr->erdp | (intr->ehb ? ERDP_EHB : 0) | intr->desi;
}

static uint32_t read_erdp_hi(IxhciState *x, unsigned n)
{
    return x->intrs[n].erdp >> 32;
}

static void write_erdp_lo(IxhciState *x, unsigned n, uint32_t value)
{
    x->intrs[n].erdp = deposit64(x->intrs[n].erdp, 0, 32, value & ~0xfu);
    x->intrs[n].desi = xhci_get(value, ERDP_DESI);
    ixhci_event_drain(x, n, value & ERDP_EHB);
}

static void write_erdp_hi(IxhciState *x, unsigned n, uint32_t value)
{
    if (value != x->intrs[n].erdp >> 32) {
        x->intrs[n].erdp = deposit64(x->intrs[n].erdp, 32, 32, value);
        ixhci_event_drain(x, n, false);
    }
}

static const reg_row intr_rows[] = {
    { XHCI_IMAN, read_iman, ixhci_intr_write_iman },
    { XHCI_IMOD, read_imod, ixhci_intr_write_imod },
    { XHCI_ERSTSZ, read_erstsz, write_erstsz },
    { XHCI_ERSTBA_LO, read_erstba_lo, write_erstba_lo },
    { XHCI_ERSTBA_HI, read_erstba_hi, write_erstba_hi },
    { XHCI_ERDP_LO, read_erdp_lo, write_erdp_lo },
    { XHCI_ERDP_HI, read_erdp_hi, write_erdp_hi },
};

/* A window of BAR 0 with rows, once or as `count` sets of `stride` bytes. */
typedef struct {
    const reg_row *rows;
    size_t row_count;
    uint32_t base;
    uint32_t stride;
    unsigned count;
} window;

static const reg_row *find_row(const window *w, hwaddr addr, unsigned *n)
{
    uint32_t within = addr - w->base;

    if (addr < w->base || within >= w->stride * w->count) {
        return NULL;
    }
    *n = within / w->stride;
    for (size_t i = 0; i < w->row_count; i++) {
        if (w->rows[i].offset == within % w->stride) {
            return &w->rows[i];
        }
    }
    return NULL;
}

#define ROWS(rows) rows, ARRAY_SIZE(rows)

static const reg_row *find(IxhciState *x, hwaddr addr, unsigned *n)
{
    const window windows[] = {
        { ROWS(cap_rows), 0, IXHCI_CAP_BYTES, 1 },
        { ROWS(op_rows), IXHCI_CAP_BYTES, XHCI_PORT_SET, 1 },
        { ROWS(runtime_rows), IXHCI_RUNTIME_OFFSET, XHCI_INTR_SET, 1 },
        { ROWS(intr_rows), IXHCI_RUNTIME_OFFSET + XHCI_INTR_SET,
          XHCI_INTR_STRIDE, x->num_intrs },
    };

    for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
        const reg_row *row = find_row(&windows[i], addr, n);

        if (row) {
            return row;
        }
    }
    return NULL;
}

/* Extended capabilities: xcap.c. */
static bool is_xecp(IxhciState *x, hwaddr addr, unsigned *word)
{
    *word = (addr - IXHCI_XECP_OFFSET) / 4;
    return addr >= IXHCI_XECP_OFFSET && *word < x->xecp_words;
}

/* Port registers: their meaning is port.c's. */
static bool is_port(IxhciState *x, hwaddr addr, unsigned *port_id,
                    unsigned *reg)
{
    hwaddr base = IXHCI_CAP_BYTES + XHCI_PORT_SET;

    if (addr < base || addr >= base + x->num_ports * XHCI_PORT_STRIDE) {
        return false;
    }
    *port_id = (addr - base) / XHCI_PORT_STRIDE + 1;
    *reg = (addr - base) % XHCI_PORT_STRIDE;
    return true;
}

static uint32_t read_word(IxhciState *x, uint32_t addr)
{
    const reg_row *row;
    unsigned n, reg;

    if (is_port(x, addr, &n, &reg)) {
        return ixhci_port_read(x, n, reg);
    }
    if (is_xecp(x, addr, &n)) {
        return ixhci_xcap_read(x, n);
    }
    row = find(x, addr, &n);
    return row ? row->read(x, n) : 0;
}

static void write_word(IxhciState *x, uint32_t addr, uint32_t value)
{
    const reg_row *row;
    unsigned n, reg;

    if (addr >= IXHCI_DOORBELL_OFFSET &&
        addr < IXHCI_DOORBELL_OFFSET + 4 * (x->num_slots + 1)) {
        ixhci_doorbell_write(x, (addr - IXHCI_DOORBELL_OFFSET) / 4, value);
        return;
    }
    if (is_port(x, addr, &n, &reg)) {
        ixhci_port_write(x, n, reg, value);
        return;
    }
    row = find(x, addr, &n);
    if (row && row->write) {
        row->write(x, n, value);
    }
}

const ixhci_reg_ops ixhci_regs_model = {
    .read = read_word,
    .write = write_word,
};

static uint64_t bar_read(void *opaque, hwaddr addr, unsigned size)
{
    IxhciState *x = opaque;
    uint32_t word;

    if (ixhci_pci_sleeps(x)) {
        return UINT64_MAX; /* PCI PM 1.2 §5.4: no answer but in D0 */
    }
    ixhci_service_sync(x);
    word = x->regs->read(x, addr & ~(hwaddr)3);
    trace_ixhci_reg_read(addr, word, size);
    return word >> (8 * (addr & 3));
}

static void bar_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    IxhciState *x = opaque;
    unsigned shift = 8 * (addr & 3), word;

    trace_ixhci_reg_write(addr, value, size);
    if (ixhci_pci_sleeps(x)) {
        return;
    }
    if (x->dma_depth) {
        trace_ixhci_reg_echo(addr, value);
        return; /* rule 4 */
    }
    if (is_xecp(x, addr, &word)) {
        ixhci_xcap_write(x, word, (uint32_t)value << shift,
                         MAKE_64BIT_MASK(shift, 8 * size));
        return;
    }
    if (size != 4 || (addr & 3)) {
        if (x->strict) {
            ixhci_strict_narrow(x, addr, size);
        }
        qemu_log_mask(LOG_GUEST_ERROR,
                      "ixhci: %u-byte write at 0x%" HWADDR_PRIx " ignored\n",
                      size, addr);
        return; /* rule 2 */
    }
    if (x->strict && addr >= IXHCI_CAP_BYTES) {
        ixhci_strict_op(x, addr - IXHCI_CAP_BYTES, value);
    }
    ixhci_service_sync(x);
    x->regs->write(x, addr, value);
}

const MemoryRegionOps ixhci_regs_ops = {
    .read = bar_read,
    .write = bar_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};
