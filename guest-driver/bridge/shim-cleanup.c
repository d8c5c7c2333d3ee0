/*
 * IRP_MJ_CLEANUP, which Windows sends when the last handle to a file is
 * closed and Wine never sends. When a device of the bus is started, the create
 * and close routines of the driver on top of it are replaced by those below.
 *
 *  1. Each file gets one clean-up, and before its close.
 *  2. On Windows the two are apart: whoever refers to the file still sends it
 *     requests in between, and requests can be pending at the clean-up. So the
 *     clean-up is sent on demand, too (verify.h), in the middle of whatever
 *     the file does; the close then comes when its program closes it.
 *  3. A close waits until a clean-up of its file that is under way has ended.
 *  4. A file that the driver did not create is not closed either: Wine sends
 *     IRP_MJ_CLOSE after an IRP_MJ_CREATE that failed, Windows does not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#define MAX_DRIVERS 4
#define MAX_FILES 16

static struct {
    DRIVER_OBJECT *driver;
    PDRIVER_DISPATCH create, close;
} hooked[MAX_DRIVERS];

static CRITICAL_SECTION lock; /* the files; rule 3 */
static struct {
    FILE_OBJECT *file; /* NULL: free */
    DEVICE_OBJECT *object;
    bool is_clean;
} files[MAX_FILES];

static void send_cleanup(DEVICE_OBJECT *object, FILE_OBJECT *file)
{
    IRP *irp = IoAllocateIrp(object->StackSize, FALSE);
    IO_STACK_LOCATION *stack;

    if (!irp) {
        return;
    }
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    irp->RequestorMode = KernelMode;
    irp->Tail.Overlay.OriginalFileObject = file;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_CLEANUP;
    stack->FileObject = file;
    verify_call(object, irp, PASSIVE_LEVEL);
    IoFreeIrp(irp);
}

/* Rule 1. The lock is held. */
static void clean(int i)
{
    if (!files[i].is_clean &&
        files[i].object->DriverObject->MajorFunction[IRP_MJ_CLEANUP]) {
        files[i].is_clean = true;
        send_cleanup(files[i].object, files[i].file);
    }
}

/* The entry of a file, or with NULL a free one; -1: none. The lock is held. */
static int find_file(const FILE_OBJECT *file)
{
    int i;

    for (i = 0; i < MAX_FILES && files[i].file != file; i++) {
    }
    return i < MAX_FILES ? i : -1;
}

/* The same of a driver. */
static int find_hook(const DRIVER_OBJECT *driver)
{
    int i;

    for (i = 0; i < MAX_DRIVERS && hooked[i].driver != driver; i++) {
    }
    return i < MAX_DRIVERS ? i : -1;
}

static NTSTATUS WINAPI create_and_note(DEVICE_OBJECT *object, IRP *irp)
{
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    PDRIVER_DISPATCH create = hooked[find_hook(object->DriverObject)].create;
    NTSTATUS status;
    bool is_known;
    int i;

    EnterCriticalSection(&lock);
    is_known = find_file(file) >= 0; /* another try, see verify-sweep.c */
    i = is_known ? -1 : find_file(NULL);
    if (i >= 0) {
        files[i].file = file;
        files[i].object = object;
        files[i].is_clean = true; /* not before it has been created */
    }
    LeaveCriticalSection(&lock);
    if (is_known) {
        return create(object, irp);
    }
    if (i < 0) {
        bridge_log("more than %d files", MAX_FILES);
        return bridge_complete(irp, STATUS_TOO_MANY_OPENED_FILES);
    }
    status = create(object, irp);
    EnterCriticalSection(&lock);
    files[i].is_clean = false;
    if (!NT_SUCCESS(status)) {
        files[i].file = NULL;
    }
    LeaveCriticalSection(&lock);
    return status;
}

static NTSTATUS WINAPI close_after_cleanup(DEVICE_OBJECT *object, IRP *irp)
{
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    NTSTATUS status;
    int i;

    EnterCriticalSection(&lock);
    i = find_file(file);
    if (i >= 0) {
        clean(i);
    }
    LeaveCriticalSection(&lock);
    if (i < 0) {
        return bridge_complete(irp, STATUS_SUCCESS); /* rule 4 */
    }
    status = hooked[find_hook(object->DriverObject)].close(object, irp);
    EnterCriticalSection(&lock);
    files[i].file = NULL;
    LeaveCriticalSection(&lock);
    return status;
}

NTSTATUS shim_cleanup_now(void)
{
    NTSTATUS status = STATUS_NO_SUCH_FILE;
    int i;

    EnterCriticalSection(&lock);
    for (i = 0; i < MAX_FILES; i++) {
        if (files[i].file && !files[i].is_clean) {
            clean(i);
            status = STATUS_SUCCESS;
        }
    }
    LeaveCriticalSection(&lock);
    return status;
}

bool shim_has_files(const DRIVER_OBJECT *driver)
{
    bool found = false;
    int i;

    EnterCriticalSection(&lock);
    for (i = 0; i < MAX_FILES && !found; i++) {
        found = files[i].file && files[i].object->DriverObject == driver;
    }
    LeaveCriticalSection(&lock);
    return found;
}

void shim_cleanup_attach(DEVICE_OBJECT *pdo)
{
    DEVICE_OBJECT *top = pdo->AttachedDevice;
    DRIVER_OBJECT *driver = top ? top->DriverObject : NULL;
    int i = find_hook(driver);

    if (!driver || driver->MajorFunction[IRP_MJ_CLOSE] == close_after_cleanup) {
        return;
    }
    if (i < 0 && (i = find_hook(NULL)) < 0) {
        bridge_log("more than %d drivers: no clean-up", MAX_DRIVERS);
        return;
    }
    hooked[i].driver = driver;
    hooked[i].create = driver->MajorFunction[IRP_MJ_CREATE];
    hooked[i].close = driver->MajorFunction[IRP_MJ_CLOSE];
    driver->MajorFunction[IRP_MJ_CREATE] = create_and_note;
    driver->MajorFunction[IRP_MJ_CLOSE] = close_after_cleanup;
}

void shim_cleanup_install(void)
{
    InitializeCriticalSection(&lock);
}
