/*
 * The shim: routines that replace entries in the import table of the driver
 * above, because Wine's kernel has them as empty functions, aborts in them or
 * keeps no IRQL. It doubles as a small verifier: a routine that is called at
 * an IRQL at which Windows forbids it is reported on a line that begins
 * "usbbridge: verifier:". Which IRQL that is says driver/imports.txt, for
 * shim-gate.c, for replaced routines and others alike.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USBBRIDGE_SHIM_H
#define USBBRIDGE_SHIM_H

#include "bridge.h"

/* Wine's wdm.h has the type KIRQL but no levels. */
#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2

typedef struct ShimImport {
    const char *name;
    void *routine;
} ShimImport;

/* One table per file, ended by a NULL name. */
extern const ShimImport shim_irql_imports[];
extern const ShimImport shim_dpc_imports[];
extern const ShimImport shim_mdl_imports[];
extern const ShimImport shim_mutex_imports[];
extern const ShimImport shim_print_imports[];
extern const ShimImport shim_cancel_imports[];

/* The calling thread's IRQL. */
KIRQL shim_irql(void);
KIRQL shim_raise_irql(KIRQL irql);
void shim_lower_irql(KIRQL irql);

/*
 * What a driver is to import for a routine: the routine, behind a gate if there
 * is a row of facts for that name.
 */
void *shim_gate(const char *name, void *routine);

/* Reports when the IRQL is not what the row "Routine:case", or "Routine", says.
 */
void shim_check_case(const char *routine_and_case);

/* Reports when the calling thread holds a spin lock. */
void shim_check_no_lock(const char *what);

/* What the calling thread owns; reports when that is not what it was before. */
unsigned shim_owned_mutexes(void);
void shim_check_mutexes(const char *what, unsigned before);

bool shim_is_mutex(const void *object);

/* KeWaitForSingleObject for a mutex. */
NTSTATUS shim_mutex_wait(KMUTEX *mutex, const LARGE_INTEGER *timeout);

/* How many waits for one have begun; and until there is another than those
 * `before`, milliseconds at most; false: there is none. */
unsigned shim_mutex_waits(void);
bool shim_mutex_await_waiter(unsigned before, DWORD patience);

void shim_irql_install(void);
void shim_dpc_install(void);
void shim_mutex_install(void);

void shim_cleanup_install(void);

/* A cancel routine, as Windows calls it. Wine's cancel spin lock is held. */
void shim_run_cancel(PDRIVER_CANCEL routine, DEVICE_OBJECT *object, IRP *irp);

/* Gives the driver above pdo the IRP_MJ_CLEANUP that Wine does not send. */
void shim_cleanup_attach(DEVICE_OBJECT *pdo);

/* Sends it to each file that is open now and has not had it. */
NTSTATUS shim_cleanup_now(void);

/* A file of the driver is open. */
bool shim_has_files(const DRIVER_OBJECT *driver);

#endif
