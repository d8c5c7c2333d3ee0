/*
 * Just enough of the Windows kernel to run the driver's files on this
 * machine, single-threaded, under a unit test. Types have the sizes that they
 * have on 64-bit Windows. What a test can see and steer is in host.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOST_NTDDK_H
#define HOST_NTDDK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NTAPI
#define VOID void
#ifndef TRUE /* GLib has them too */
#define TRUE 1
#define FALSE 0
#endif
#define UNREFERENCED_PARAMETER(p) ((void)(p))
#define DECLARE_HANDLE(name) \
    struct name##__ {        \
        int unused;          \
    };                       \
    typedef struct name##__ *name
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field) \
    ((type *)((PUCHAR)(address)-offsetof(type, field)))
#define C_ASSERT(e) _Static_assert(e, #e)

typedef void *PVOID;
typedef uint8_t UCHAR, *PUCHAR, BOOLEAN, KIRQL, *PKIRQL;
typedef char CHAR, CCHAR;
typedef uint16_t USHORT, WCHAR, *PWSTR;
typedef int32_t LONG, NTSTATUS;
typedef uint32_t ULONG, *PULONG;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG;
typedef uintptr_t ULONG_PTR, KSPIN_LOCK, *PKSPIN_LOCK;
typedef size_t SIZE_T;

typedef union {
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef struct {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

typedef struct {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

/* --- status codes (Microsoft's [MS-ERREF]) -------------------------------- */

#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_CONTINUE_COMPLETION STATUS_SUCCESS
#define STATUS_TIMEOUT ((NTSTATUS)0x00000102)
#define STATUS_PENDING ((NTSTATUS)0x00000103)
#define STATUS_OBJECT_NAME_EXISTS ((NTSTATUS)0x40000000)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xc0000001)
#define STATUS_NOT_IMPLEMENTED ((NTSTATUS)0xc0000002)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xc000000d)
#define STATUS_NO_SUCH_DEVICE ((NTSTATUS)0xc000000e)
#define STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xc0000010)
#define STATUS_END_OF_FILE ((NTSTATUS)0xc0000011)
#define STATUS_MORE_PROCESSING_REQUIRED ((NTSTATUS)0xc0000016)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xc0000023)
#define STATUS_OBJECT_NAME_NOT_FOUND ((NTSTATUS)0xc0000034)
#define STATUS_SHARING_VIOLATION ((NTSTATUS)0xc0000043)
#define STATUS_DELETE_PENDING ((NTSTATUS)0xc0000056)
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xc000009a)
#define STATUS_DEVICE_DATA_ERROR ((NTSTATUS)0xc000009c)
#define STATUS_DEVICE_NOT_CONNECTED ((NTSTATUS)0xc000009d)
#define STATUS_DEVICE_NOT_READY ((NTSTATUS)0xc00000a3)
#define STATUS_IO_TIMEOUT ((NTSTATUS)0xc00000b5)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xc00000bb)
#define STATUS_CANCELLED ((NTSTATUS)0xc0000120)
#define STATUS_FILE_CLOSED ((NTSTATUS)0xc0000128)
#define STATUS_INVALID_LEVEL ((NTSTATUS)0xc0000148)
#define STATUS_INVALID_DEVICE_STATE ((NTSTATUS)0xc0000184)
#define STATUS_DEVICE_REMOVED ((NTSTATUS)0xc00002b6)

/* --- memory, IRQL, version ------------------------------------------------ */

#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2

typedef enum { NonPagedPool = 0, PagedPool = 1 } POOL_TYPE;

typedef struct {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
} RTL_OSVERSIONINFOW;

KIRQL KeGetCurrentIrql(void);
void KeRaiseIrql(KIRQL Irql, PKIRQL Old);
void KeLowerIrql(KIRQL Irql);
NTSTATUS RtlGetVersion(RTL_OSVERSIONINFOW *Version);
PVOID ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Bytes, ULONG Tag);
void ExFreePoolWithTag(PVOID Memory, ULONG Tag);
ULONG DbgPrint(const char *Format, ...) __attribute__((format(printf, 1, 2)));
SIZE_T RtlCompareMemory(const void *A, const void *B, SIZE_T Bytes);
#define RtlZeroMemory(p, bytes) memset(p, 0, bytes)
#define RtlFillMemory(p, bytes, value) memset(p, value, bytes)
#define RtlCopyMemory(to, from, bytes) memcpy(to, from, bytes)

#define InterlockedIncrement(p) __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST)
#define InterlockedDecrement(p) __atomic_sub_fetch(p, 1, __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd64(p, v) InterlockedExchangeAdd(p, v)
#define InterlockedExchange(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
static inline LONG InterlockedCompareExchange(LONG *p, LONG v, LONG if_this)
{
    __atomic_compare_exchange_n(p, &if_this, v, 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    return if_this; /* what was there */
}

/* --- lists ---------------------------------------------------------------- */

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink, *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

static inline void InitializeListHead(PLIST_ENTRY head)
{
    head->Flink = head->Blink = head;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *head)
{
    return head->Flink == head;
}

static inline void RemoveEntryList(PLIST_ENTRY entry)
{
    entry->Flink->Blink = entry->Blink;
    entry->Blink->Flink = entry->Flink;
}

static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY head)
{
    PLIST_ENTRY entry = head->Flink;

    RemoveEntryList(entry);
    return entry;
}

static inline void InsertHeadList(PLIST_ENTRY head, PLIST_ENTRY entry)
{
    entry->Flink = head->Flink;
    entry->Blink = head;
    head->Flink->Blink = entry;
    head->Flink = entry;
}

static inline void InsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry)
{
    entry->Flink = head;
    entry->Blink = head->Blink;
    head->Blink->Flink = entry;
    head->Blink = entry;
}

/* --- locks and events ------------------------------------------------------
 */

typedef enum { NotificationEvent, SynchronizationEvent } EVENT_TYPE;
typedef enum { Executive } KWAIT_REASON;
typedef enum { KernelMode, UserMode } KPROCESSOR_MODE;

/* A mutex is free while it is signalled. */
typedef struct {
    LONG Signalled;
    LONG IsMutex;
} KEVENT, *PKEVENT, KMUTEX, *PKMUTEX;

typedef struct {
    LONG Count;
    LONG Removed;
} IO_REMOVE_LOCK;

#define IO_NO_INCREMENT 0

void KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN Signalled);
LONG KeSetEvent(PKEVENT Event, LONG Increment, BOOLEAN Wait);
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason,
                               KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout);
void KeInitializeMutex(PKMUTEX Mutex, ULONG Level);
LONG KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait);
void KeAcquireSpinLockHost(PKSPIN_LOCK Lock, PKIRQL Old);
void KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL Old);
#define KeAcquireSpinLock(lock, old) KeAcquireSpinLockHost(lock, old)
#define KeInitializeSpinLock(lock) (*(lock) = 0)
NTSTATUS IoAcquireRemoveLock(IO_REMOVE_LOCK *Lock, PVOID Tag);
void IoReleaseRemoveLock(IO_REMOVE_LOCK *Lock, PVOID Tag);
void IoReleaseRemoveLockAndWait(IO_REMOVE_LOCK *Lock, PVOID Tag);
#define IoInitializeRemoveLock(lock, tag, minutes, high) \
    memset(lock, 0, sizeof(*(lock)))

/* --- devices and IRPs ------------------------------------------------------
 */

/* A test gives the mapped address itself as the MDL. */
#define MmGetSystemAddressForMdlSafe(mdl, priority) \
    ((void)(priority), host_map_fails ? NULL : (mdl))
extern BOOLEAN host_map_fails;
#define NormalPagePriority 16

#define IRP_MJ_CREATE 0x00
#define IRP_MJ_CLOSE 0x02
#define IRP_MJ_READ 0x03
#define IRP_MJ_WRITE 0x04
#define IRP_MJ_DEVICE_CONTROL 0x0e
#define IRP_MJ_INTERNAL_DEVICE_CONTROL 0x0f
#define IRP_MJ_CLEANUP 0x12
#define IRP_MJ_POWER 0x16
#define IRP_MJ_SYSTEM_CONTROL 0x17
#define IRP_MJ_PNP 0x1b
#define IRP_MJ_MAXIMUM_FUNCTION 0x1b

#define IRP_MN_START_DEVICE 0x00
#define IRP_MN_QUERY_REMOVE_DEVICE 0x01
#define IRP_MN_REMOVE_DEVICE 0x02
#define IRP_MN_CANCEL_REMOVE_DEVICE 0x03
#define IRP_MN_STOP_DEVICE 0x04
#define IRP_MN_QUERY_STOP_DEVICE 0x05
#define IRP_MN_CANCEL_STOP_DEVICE 0x06
#define IRP_MN_QUERY_INTERFACE 0x08
#define IRP_MN_QUERY_CAPABILITIES 0x09
#define IRP_MN_SURPRISE_REMOVAL 0x17
#define IRP_MN_SET_POWER 0x02
#define IRP_MN_QUERY_POWER 0x03

#define DO_DIRECT_IO 0x00000010
#define DO_DEVICE_INITIALIZING 0x00000080
#define DO_POWER_PAGABLE 0x00002000
#define FILE_DEVICE_UNKNOWN 0x22
#define FILE_AUTOGENERATED_DEVICE_NAME 0x00000080
#define FILE_DEVICE_SECURE_OPEN 0x00000100

typedef struct _DRIVER_OBJECT DRIVER_OBJECT, *PDRIVER_OBJECT;

typedef struct _DEVICE_OBJECT {
    PDRIVER_OBJECT DriverObject;
    struct _DEVICE_OBJECT *AttachedDevice;
    CCHAR StackSize;
    ULONG Flags;
    PVOID DeviceExtension;
} DEVICE_OBJECT, *PDEVICE_OBJECT;

NTSTATUS IoCreateDevice(PDRIVER_OBJECT Driver, ULONG ExtensionBytes,
                        PUNICODE_STRING Name, ULONG Type, ULONG Flags,
                        BOOLEAN Exclusive, PDEVICE_OBJECT *Device);
void IoDeleteDevice(PDEVICE_OBJECT Device);
PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT Source,
                                           PDEVICE_OBJECT Target);
void IoDetachDevice(PDEVICE_OBJECT Target);
NTSTATUS IoRegisterDeviceInterface(PDEVICE_OBJECT Pdo, const GUID *Class,
                                   PUNICODE_STRING Reference,
                                   PUNICODE_STRING Link);
NTSTATUS IoSetDeviceInterfaceState(PUNICODE_STRING Link, BOOLEAN Enable);
void RtlFreeUnicodeString(PUNICODE_STRING String);

/* Work items run when the test calls host_run_work(). */
typedef VOID IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef struct _IO_WORKITEM {
    PDEVICE_OBJECT Object;
    IO_WORKITEM_ROUTINE *Routine; /* NULL: not queued */
    PVOID Context;
} IO_WORKITEM, *PIO_WORKITEM;
typedef enum { DelayedWorkQueue } WORK_QUEUE_TYPE;
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject);
void IoFreeWorkItem(PIO_WORKITEM Item);
void IoQueueWorkItem(PIO_WORKITEM Item, IO_WORKITEM_ROUTINE *Routine,
                     WORK_QUEUE_TYPE Queue, PVOID Context);

typedef struct {
    PVOID FsContext;
} FILE_OBJECT, *PFILE_OBJECT;

/* --- power -----------------------------------------------------------------
 */

typedef enum { SystemPowerState, DevicePowerState } POWER_STATE_TYPE;
typedef enum {
    PowerSystemUnspecified,
    PowerSystemWorking,
    PowerSystemSleeping3 = 4,
} SYSTEM_POWER_STATE;
typedef enum {
    PowerDeviceUnspecified,
    PowerDeviceD0,
    PowerDeviceD3 = 4,
} DEVICE_POWER_STATE;
typedef union {
    SYSTEM_POWER_STATE SystemState;
    DEVICE_POWER_STATE DeviceState;
} POWER_STATE;

typedef struct {
    NTSTATUS Status;
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

typedef VOID REQUEST_POWER_COMPLETE(PDEVICE_OBJECT Device, UCHAR Minor,
                                    POWER_STATE State, PVOID Context,
                                    PIO_STATUS_BLOCK Status);

POWER_STATE PoSetPowerState(PDEVICE_OBJECT Device, POWER_STATE_TYPE Type,
                            POWER_STATE State);

/* --- IRPs ------------------------------------------------------------------
 */

typedef struct _IRP IRP, *PIRP;
NTSTATUS PoRequestPowerIrp(PDEVICE_OBJECT Pdo, UCHAR Minor, POWER_STATE State,
                           REQUEST_POWER_COMPLETE *Done, PVOID Context,
                           PIRP *Irp);
typedef VOID (*PDRIVER_CANCEL)(PDEVICE_OBJECT DeviceObject, PIRP Irp);
typedef NTSTATUS IO_COMPLETION_ROUTINE(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                       PVOID Context);
typedef NTSTATUS DRIVER_DISPATCH(PDEVICE_OBJECT DeviceObject, PIRP Irp);
typedef NTSTATUS DRIVER_INITIALIZE(PDRIVER_OBJECT Driver, PUNICODE_STRING Path);

typedef struct {
    NTSTATUS (*AddDevice)(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo);
} DRIVER_EXTENSION;

struct _DRIVER_OBJECT {
    DRIVER_EXTENSION *DriverExtension;
    VOID (*DriverUnload)(PDRIVER_OBJECT Driver);
    DRIVER_DISPATCH *MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1];
};

typedef struct {
    USHORT Size;
    USHORT Version;
    PVOID Context;
} INTERFACE, *PINTERFACE;
typedef VOID (*PINTERFACE_REFERENCE)(PVOID Context);
typedef VOID (*PINTERFACE_DEREFERENCE)(PVOID Context);

typedef struct {
    UCHAR MajorFunction;
    UCHAR MinorFunction;
    union {
        struct {
            ULONG Length;
        } Read, Write;
        struct {
            ULONG OutputBufferLength;
            ULONG Align0;
            ULONG InputBufferLength;
            ULONG Align1;
            ULONG IoControlCode;
        } DeviceIoControl;
        struct {
            const GUID *InterfaceType;
            USHORT Size;
            USHORT Version;
            PINTERFACE Interface;
            PVOID InterfaceSpecificData;
        } QueryInterface;
        struct {
            ULONG SystemContext;
            POWER_STATE_TYPE Type;
            POWER_STATE State;
        } Power;
        struct {
            PVOID Argument1;
            PVOID Argument2;
            PVOID Argument3;
            PVOID Argument4;
        } Others;
    } Parameters;
    PDEVICE_OBJECT DeviceObject;
    PFILE_OBJECT FileObject;
    IO_COMPLETION_ROUTINE *CompletionRoutine;
    PVOID Context;
} IO_STACK_LOCATION, *PIO_STACK_LOCATION;

struct _IRP {
    IO_STATUS_BLOCK IoStatus;
    union {
        PVOID SystemBuffer;
    } AssociatedIrp;
    PVOID MdlAddress;
    BOOLEAN Cancel;
    KIRQL CancelIrql;
    BOOLEAN PendingReturned;
    PDRIVER_CANCEL CancelRoutine;
    struct {
        struct {
            PVOID DriverContext[4];
            LIST_ENTRY ListEntry;
        } Overlay;
    } Tail;
    IO_STACK_LOCATION Current; /* of the driver under test */
    IO_STACK_LOCATION Next;    /* of the driver below */
    BOOLEAN IsSkipped;         /* ... which gets Current instead */
    BOOLEAN IsCompleted;
};

PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota);
void IoFreeIrp(PIRP Irp);
void IoReuseIrp(PIRP Irp, NTSTATUS Status);
BOOLEAN IoCancelIrp(PIRP Irp);
NTSTATUS IoCallDriver(PDEVICE_OBJECT Target, PIRP Irp);
void IoCompleteRequest(PIRP Irp, CCHAR Increment);
void IoReleaseCancelSpinLock(KIRQL Irql);

static inline PIO_STACK_LOCATION IoGetCurrentIrpStackLocation(PIRP Irp)
{
    return &Irp->Current;
}

static inline PIO_STACK_LOCATION IoGetNextIrpStackLocation(PIRP Irp)
{
    return &Irp->Next;
}

static inline void IoSkipCurrentIrpStackLocation(PIRP Irp)
{
    Irp->IsSkipped = TRUE;
}

static inline void IoCopyCurrentIrpStackLocationToNext(PIRP Irp)
{
    Irp->Next = Irp->Current;
    Irp->Next.CompletionRoutine = NULL;
}

static inline void IoMarkIrpPending(PIRP Irp)
{
    Irp->PendingReturned = TRUE;
}

static inline PDRIVER_CANCEL IoSetCancelRoutine(PIRP Irp, PDRIVER_CANCEL r)
{
    return __atomic_exchange_n(&Irp->CancelRoutine, r, __ATOMIC_SEQ_CST);
}

static inline void IoSetCompletionRoutine(PIRP Irp,
                                          IO_COMPLETION_ROUTINE *Routine,
                                          PVOID Context, BOOLEAN Success,
                                          BOOLEAN Error, BOOLEAN Cancel)
{
    Irp->Next.CompletionRoutine = Routine;
    Irp->Next.Context = Context;
    (void)Success;
    (void)Error;
    (void)Cancel;
}

#endif
