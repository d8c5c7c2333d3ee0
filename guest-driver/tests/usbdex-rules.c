/*
 * The rules of handles and URBs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "usbdex-rules.h"

/* What a failed call must replace by NULL. */
static URB Dirty;

static BOOLEAN IsZero(const VOID *Memory, SIZE_T Bytes)
{
    SIZE_T i;

    for (i = 0; i < Bytes; i++) {
        if (((const UCHAR *)Memory)[i] != 0) {
            return FALSE;
        }
    }
    return TRUE;
}

static BOOLEAN IsSame(const VOID *A, const VOID *B, SIZE_T Bytes)
{
    return RtlCompareMemory(A, B, Bytes) == Bytes;
}

USBD_HANDLE RuleOpen(const RULE_STAGE *Stage)
{
    USBD_HANDLE handle = NULL;

    RULE_STATUS(USBD_CreateHandle(Stage->Self, Stage->Target,
                                  USBD_CLIENT_CONTRACT_VERSION_602, RULE_TAG,
                                  &handle),
                STATUS_SUCCESS);
    RULE(handle != NULL);
    return handle;
}

/* --- layout: what the sizes in the table of the documentation rest on ----- */

static VOID Layout(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Stage);
    UNREFERENCED_PARAMETER(Argument);
    RULE_IS(sizeof(URB), 152u);
    RULE_IS(sizeof(struct _URB_HEADER), 24u);
    RULE_IS(sizeof(struct _URB_ISOCH_TRANSFER), 152u);
    RULE_IS(FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, StartFrame), 0x80);
    RULE_IS(FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, NumberOfPackets), 0x84);
    RULE_IS(FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, ErrorCount), 0x88);
    RULE_IS(FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, IsoPacket), 0x8c);
    RULE_IS(sizeof(USBD_ISO_PACKET_DESCRIPTOR), 12u);
    RULE_IS(sizeof(USBD_PIPE_INFORMATION), 24u);
    RULE_IS(GET_ISO_URB_SIZE(1024), 12440u);
}

/* Numbers that the driver and the stack must agree on. */
static VOID Numbers(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Stage);
    UNREFERENCED_PARAMETER(Argument);
    RULE_IS(URB_FUNCTION_SELECT_CONFIGURATION, 0x00u);
    RULE_IS(URB_FUNCTION_SELECT_INTERFACE, 0x01u);
    RULE_IS(URB_FUNCTION_ABORT_PIPE, 0x02u);
    RULE_IS(URB_FUNCTION_ISOCH_TRANSFER, 0x0au);
    RULE_IS(USBD_TRANSFER_DIRECTION_IN, 1u);
    RULE_IS(USBD_START_ISO_TRANSFER_ASAP, 4u);
    RULE_IS(USBD_CLIENT_CONTRACT_VERSION_INVALID, 0xffffffffu);
    RULE_IS(USBD_CLIENT_CONTRACT_VERSION_602, 0x602u);
    RULE_IS(USBD_INTERFACE_VERSION_600, 0x600u);
    RULE_IS(USBD_INTERFACE_VERSION_602, 0x602u);
    RULE_IS(USBD_INTERFACE_VERSION_603, 0x603u);
}

/* --- USBD_CreateHandle ---------------------------------------------------- */

static VOID CreateAndClose(const RULE_STAGE *Stage, ULONG Argument)
{
    ULONG blocks = RuleBlocks();
    USBD_HANDLE handle = RuleOpen(Stage);

    UNREFERENCED_PARAMETER(Argument);
    RULE_IS(RuleBlocks(), blocks + 1);
    USBD_CloseHandle(handle);
    RULE_IS(RuleBlocks(), blocks);
    RULE(!RuleSaid("usbdex: "));
}

static VOID Refused(PDEVICE_OBJECT Self, PDEVICE_OBJECT Target, ULONG Version,
                    ULONG Tag, NTSTATUS Wanted)
{
    USBD_HANDLE handle = (USBD_HANDLE)&Dirty;
    ULONG blocks = RuleBlocks();

    RULE_STATUS(USBD_CreateHandle(Self, Target, Version, Tag, &handle), Wanted);
    RULE(handle == NULL);
    RULE_IS(RuleBlocks(), blocks);
}

static VOID CreateNoDevice(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Argument);
    Refused(NULL, Stage->Target, USBD_CLIENT_CONTRACT_VERSION_602, RULE_TAG,
            STATUS_INVALID_PARAMETER);
}

static VOID CreateNoTarget(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Argument);
    Refused(Stage->Self, NULL, USBD_CLIENT_CONTRACT_VERSION_602, RULE_TAG,
            STATUS_INVALID_PARAMETER);
}

static VOID CreateNoHandle(const RULE_STAGE *Stage, ULONG Argument)
{
    ULONG blocks = RuleBlocks();

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_CreateHandle(Stage->Self, Stage->Target,
                                  USBD_CLIENT_CONTRACT_VERSION_602, RULE_TAG,
                                  NULL),
                STATUS_INVALID_PARAMETER);
    RULE_IS(RuleBlocks(), blocks);
}

static VOID CreateVersion(const RULE_STAGE *Stage, ULONG Argument)
{
    Refused(Stage->Self, Stage->Target, Argument, RULE_TAG,
            STATUS_INVALID_PARAMETER);
}

static VOID CreateNoTag(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Argument);
    Refused(Stage->Self, Stage->Target, USBD_CLIENT_CONTRACT_VERSION_602, 0,
            STATUS_INVALID_PARAMETER);
}

static VOID CreateIrql(const RULE_STAGE *Stage, ULONG Argument)
{
    KIRQL irql;

    KeRaiseIrql((KIRQL)Argument, &irql);
    Refused(Stage->Self, Stage->Target, USBD_CLIENT_CONTRACT_VERSION_602,
            RULE_TAG, STATUS_INVALID_LEVEL);
    RULE_STATUS(USBD_CreateHandle(Stage->Self, Stage->Target,
                                  USBD_CLIENT_CONTRACT_VERSION_602, RULE_TAG,
                                  NULL),
                STATUS_INVALID_LEVEL);
    KeLowerIrql(irql);
}

static VOID CreateNoMemory(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Argument);
    RuleFailAllocation();
    Refused(Stage->Self, Stage->Target, USBD_CLIENT_CONTRACT_VERSION_602,
            RULE_TAG, STATUS_INSUFFICIENT_RESOURCES);
}

/* --- USBD_CloseHandle ----------------------------------------------------- */

static VOID CloseNull(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Stage);
    UNREFERENCED_PARAMETER(Argument);
    USBD_CloseHandle(NULL);
    RULE(!RuleSaid("usbdex: "));
}

/* URBs that are left are counted, and can be freed still; nothing else can. */
static VOID CloseLeak(const RULE_STAGE *Stage, ULONG Argument)
{
    ULONG blocks = RuleBlocks();
    USBD_HANDLE handle = RuleOpen(Stage);
    PURB freed, left[2], more = &Dirty;

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_UrbAllocate(handle, &left[0]), STATUS_SUCCESS);
    RULE_STATUS(USBD_UrbAllocate(handle, &freed), STATUS_SUCCESS);
    RULE_STATUS(USBD_IsochUrbAllocate(handle, 8, &left[1]), STATUS_SUCCESS);
    USBD_UrbFree(handle, freed);
    USBD_CloseHandle(handle);
    RULE(RuleSaid("2 URB(s) were not freed"));
    RULE_STATUS(USBD_UrbAllocate(handle, &more), STATUS_INVALID_PARAMETER);
    RULE(more == NULL);
    USBD_CloseHandle(handle);
    RULE(RuleSaid("is not an open handle"));
    USBD_UrbFree(handle, left[1]);
    RULE_IS(RuleBlocks(), blocks + 2);
    USBD_UrbFree(handle, left[0]);
    RULE_IS(RuleBlocks(), blocks);
    RULE(!RuleSaid("usbdex: "));
}

/* --- USBD_IsInterfaceVersionSupported ------------------------------------- */

static VOID Version600(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);

    UNREFERENCED_PARAMETER(Argument);
    RULE(USBD_IsInterfaceVersionSupported(handle, 0x500));
    RULE(USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_600));
    USBD_CloseHandle(handle);
}

static VOID Version602(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);

    UNREFERENCED_PARAMETER(Argument);
    RULE(!USBD_IsInterfaceVersionSupported(handle, 0x601));
    RULE(!USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_602));
    RULE(!USBD_IsInterfaceVersionSupported(handle, USBD_INTERFACE_VERSION_603));
    USBD_CloseHandle(handle);
}

static VOID VersionNoHandle(const RULE_STAGE *Stage, ULONG Argument)
{
    UNREFERENCED_PARAMETER(Stage);
    UNREFERENCED_PARAMETER(Argument);
    RULE(!USBD_IsInterfaceVersionSupported(NULL, USBD_INTERFACE_VERSION_600));
}

/* --- USBD_UrbAllocate, USBD_IsochUrbAllocate ------------------------------ */

/* Packets: 0 for an URB of USBD_UrbAllocate */
static NTSTATUS Allocate(USBD_HANDLE Handle, ULONG Packets, PURB *Urb)
{
    return Packets != 0 ? USBD_IsochUrbAllocate(Handle, Packets, Urb)
                        : USBD_UrbAllocate(Handle, Urb);
}

/* All of it zero, all of it the caller's: the kernels guard what is behind. */
static VOID UseAndFree(USBD_HANDLE Handle, PURB Urb, SIZE_T Bytes)
{
    RULE(((ULONG_PTR)Urb & 15) == 0);
    RULE(IsZero(Urb, Bytes));
    RtlFillMemory(Urb, Bytes, 0x5a);
    USBD_UrbFree(Handle, Urb);
    RULE(!RuleSaid("usbdex: "));
}

static VOID AllocateZeroed(const RULE_STAGE *Stage, ULONG Packets)
{
    ULONG blocks = RuleBlocks();
    USBD_HANDLE handle = RuleOpen(Stage);
    PURB urb = NULL;

    RULE_STATUS(Allocate(handle, Packets, &urb), STATUS_SUCCESS);
    if (urb != NULL) {
        RULE_IS(RuleBlocks(), blocks + 2);
        UseAndFree(handle, urb,
                   Packets ? GET_ISO_URB_SIZE((SIZE_T)Packets) : sizeof(URB));
        RULE_IS(RuleBlocks(), blocks + 1);
    }
    USBD_CloseHandle(handle);
    RULE_IS(RuleBlocks(), blocks);
}

static VOID AllocateAtDispatch(const RULE_STAGE *Stage, ULONG Packets)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    PURB urb = NULL;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    RULE_STATUS(Allocate(handle, Packets, &urb), STATUS_SUCCESS);
    USBD_UrbFree(handle, urb);
    KeLowerIrql(irql);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

static VOID AllocateNoHandle(const RULE_STAGE *Stage, ULONG Packets)
{
    PURB urb = &Dirty;

    UNREFERENCED_PARAMETER(Stage);
    RULE_STATUS(Allocate(NULL, Packets, &urb), STATUS_INVALID_PARAMETER);
    RULE(urb == NULL);
}

static VOID AllocateNoUrb(const RULE_STAGE *Stage, ULONG Packets)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();

    RULE_STATUS(Allocate(handle, Packets, NULL), STATUS_INVALID_PARAMETER);
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
}

static VOID AllocateNoMemory(const RULE_STAGE *Stage, ULONG Packets)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    PURB urb = &Dirty;

    RuleFailAllocation();
    RULE_STATUS(Allocate(handle, Packets, &urb), STATUS_INSUFFICIENT_RESOURCES);
    RULE(urb == NULL);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: ")); /* it is no URB that was not freed */
}

static VOID IsochRefused(const RULE_STAGE *Stage, ULONG Packets)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();
    PURB urb = &Dirty;

    RULE_STATUS(USBD_IsochUrbAllocate(handle, Packets, &urb),
                STATUS_INVALID_PARAMETER);
    RULE(urb == NULL);
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
}

/* --- USBD_UrbFree --------------------------------------------------------- */

static VOID FreeNull(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);

    UNREFERENCED_PARAMETER(Argument);
    USBD_UrbFree(handle, NULL);
    USBD_UrbFree(NULL, NULL);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

/*
 * Memory that is not the library's is left alone, even if it holds what stands
 * before an URB of this handle: its address, if by chance.
 */
static VOID FreeForeign(const RULE_STAGE *Stage, ULONG Argument)
{
    struct {
        USBD_HANDLE Before[8];
        URB Urb;
    } memory, before;
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks(), i, pass;

    UNREFERENCED_PARAMETER(Argument);
    RtlZeroMemory(&memory, sizeof(memory));
    for (pass = 0; pass < 2; pass++) {
        before = memory;
        USBD_UrbFree(handle, &memory.Urb);
        RULE(RuleSaid("is not an URB of handle"));
        RULE_IS(RuleBlocks(), blocks);
        RULE(IsSame(&memory, &before, sizeof(memory)));
        for (i = 0; i < 8; i++) {
            memory.Before[i] = handle;
        }
    }
    USBD_CloseHandle(handle);
}

static VOID FreeOther(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE one = RuleOpen(Stage), two = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();
    PURB urb;

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_UrbAllocate(one, &urb), STATUS_SUCCESS);
    USBD_UrbFree(two, urb);
    RULE(RuleSaid("is not an URB of handle"));
    USBD_UrbFree(NULL, urb);
    RULE(RuleSaid("is not an URB of handle"));
    RULE_IS(RuleBlocks(), blocks + 1);
    USBD_UrbFree(one, urb);
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(one);
    USBD_CloseHandle(two);
    RULE(!RuleSaid("usbdex: "));
}

static VOID FreeTwice(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    ULONG blocks = RuleBlocks();
    PURB urb;

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_UrbAllocate(handle, &urb), STATUS_SUCCESS);
    USBD_UrbFree(handle, urb);
    USBD_UrbFree(handle, urb);
    RULE(RuleSaid("is not an URB of handle"));
    RULE_IS(RuleBlocks(), blocks);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

/* --- USBD_AssignUrbToIoStackLocation -------------------------------------- */

static VOID Assign(const RULE_STAGE *Stage, ULONG Irql)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    IO_STACK_LOCATION stack, before;
    KIRQL irql;
    PURB urb;

    RULE_STATUS(USBD_IsochUrbAllocate(handle, 8, &urb), STATUS_SUCCESS);
    RtlFillMemory(&stack, sizeof(stack), 0x5a);
    before = stack;
    KeRaiseIrql((KIRQL)Irql, &irql);
    USBD_AssignUrbToIoStackLocation(handle, &stack, urb);
    KeLowerIrql(irql);
    RULE(stack.Parameters.Others.Argument1 == urb);
    /* and nothing else, FileObject least of all */
    stack.Parameters.Others.Argument1 = before.Parameters.Others.Argument1;
    RULE(IsSame(&stack, &before, sizeof(stack)));
    USBD_UrbFree(handle, urb);
    USBD_CloseHandle(handle);
    RULE(!RuleSaid("usbdex: "));
}

static VOID AssignNull(const RULE_STAGE *Stage, ULONG Argument)
{
    USBD_HANDLE handle = RuleOpen(Stage);
    IO_STACK_LOCATION stack, before;
    PURB urb;

    UNREFERENCED_PARAMETER(Argument);
    RULE_STATUS(USBD_UrbAllocate(handle, &urb), STATUS_SUCCESS);
    RtlFillMemory(&stack, sizeof(stack), 0x5a);
    before = stack;
    USBD_AssignUrbToIoStackLocation(NULL, &stack, urb);
    RULE(RuleSaid("USBD_AssignUrbToIoStackLocation"));
    USBD_AssignUrbToIoStackLocation(handle, NULL, urb);
    RULE(RuleSaid("USBD_AssignUrbToIoStackLocation"));
    USBD_AssignUrbToIoStackLocation(handle, &stack, NULL);
    RULE(RuleSaid("USBD_AssignUrbToIoStackLocation"));
    RULE(IsSame(&stack, &before, sizeof(stack)));
    USBD_UrbFree(handle, urb);
    USBD_CloseHandle(handle);
}

/* An URB from elsewhere is assigned, but not in silence. */
static VOID AssignForeign(const RULE_STAGE *Stage, ULONG Argument)
{
    struct {
        UCHAR Before[64];
        URB Urb;
    } memory;
    USBD_HANDLE handle = RuleOpen(Stage);
    IO_STACK_LOCATION stack;

    UNREFERENCED_PARAMETER(Argument);
    RtlZeroMemory(&memory, sizeof(memory));
    RtlZeroMemory(&stack, sizeof(stack));
    USBD_AssignUrbToIoStackLocation(handle, &stack, &memory.Urb);
    RULE(RuleSaid("is not an URB of handle"));
    RULE(stack.Parameters.Others.Argument1 == &memory.Urb);
    USBD_CloseHandle(handle);
}

const USBDEX_RULE UsbdexUrbRules[] = {
    { "/usbdex/layout", Layout, 0 },
    { "/usbdex/numbers", Numbers, 0 },
    { "/usbdex/create/success", CreateAndClose, 0 },
    { "/usbdex/create/no-device", CreateNoDevice, 0 },
    { "/usbdex/create/no-target", CreateNoTarget, 0 },
    { "/usbdex/create/no-handle", CreateNoHandle, 0 },
    { "/usbdex/create/version-0", CreateVersion, 0 },
    { "/usbdex/create/version-600", CreateVersion, 0x600 },
    { "/usbdex/create/version-603", CreateVersion, 0x603 },
    { "/usbdex/create/version-invalid", CreateVersion,
      USBD_CLIENT_CONTRACT_VERSION_INVALID },
    { "/usbdex/create/no-tag", CreateNoTag, 0 },
    { "/usbdex/create/apc-level", CreateIrql, APC_LEVEL },
    { "/usbdex/create/dispatch-level", CreateIrql, DISPATCH_LEVEL },
    { "/usbdex/create/no-memory", CreateNoMemory, 0 },
    { "/usbdex/close/null", CloseNull, 0 },
    { "/usbdex/close/leak", CloseLeak, 0 },
    { "/usbdex/version/600", Version600, 0 },
    { "/usbdex/version/602", Version602, 0 },
    { "/usbdex/version/no-handle", VersionNoHandle, 0 },
    { "/usbdex/urb/zeroed", AllocateZeroed, 0 },
    { "/usbdex/urb/dispatch-level", AllocateAtDispatch, 0 },
    { "/usbdex/urb/no-handle", AllocateNoHandle, 0 },
    { "/usbdex/urb/no-urb", AllocateNoUrb, 0 },
    { "/usbdex/urb/no-memory", AllocateNoMemory, 0 },
    { "/usbdex/isoch/packets-1", AllocateZeroed, 1 },
    { "/usbdex/isoch/packets-8", AllocateZeroed, 8 },
    { "/usbdex/isoch/packets-255", AllocateZeroed, 255 },
    { "/usbdex/isoch/packets-1024", AllocateZeroed, 1024 },
    { "/usbdex/isoch/packets-0", IsochRefused, 0 },
    { "/usbdex/isoch/packets-1025", IsochRefused, 1025 },
    { "/usbdex/isoch/packets-15555556", IsochRefused, 0x15555556 },
    { "/usbdex/isoch/packets-ffffffff", IsochRefused, 0xffffffff },
    { "/usbdex/isoch/dispatch-level", AllocateAtDispatch, 64 },
    { "/usbdex/isoch/no-handle", AllocateNoHandle, 8 },
    { "/usbdex/isoch/no-urb", AllocateNoUrb, 8 },
    { "/usbdex/isoch/no-memory", AllocateNoMemory, 8 },
    { "/usbdex/free/null", FreeNull, 0 },
    { "/usbdex/free/foreign", FreeForeign, 0 },
    { "/usbdex/free/other-handle", FreeOther, 0 },
    { "/usbdex/free/twice", FreeTwice, 0 },
    { "/usbdex/assign/argument-1", Assign, PASSIVE_LEVEL },
    { "/usbdex/assign/dispatch-level", Assign, DISPATCH_LEVEL },
    { "/usbdex/assign/null", AssignNull, 0 },
    { "/usbdex/assign/foreign", AssignForeign, 0 },
    { NULL, NULL, 0 },
};
