/*
 * Mutexes. Wine makes one of its own for a KMUTEX when a thread first waits,
 * and KeReleaseMutex does nothing with it while another thread waits: that one
 * waits for ever. Here they are as in NT, in the KMUTEX itself:
 *
 *  1. Header.SignalState is 1 while nobody owns it, 0 with an owner, and one
 *     less for each time that the owner has acquired it again.
 *  2. The last release hands it to the thread that has waited longest, before
 *     anybody else can take it.
 *  3. Its owner releases it, and at APC_LEVEL at most waits for it. Who ends
 *     what the kernel called for has released what it acquired there: on
 *     Windows a thread that goes back to user mode with one, or ends with one,
 *     stops the machine.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shim.h"

#define MUTEX_TYPE 2 /* Header.Type, of NT and of Wine */

typedef struct Waiter {
    struct Waiter *next;
    KMUTEX *mutex;
    struct _KTHREAD *thread;
    bool has_it;
} Waiter;

static CRITICAL_SECTION lock; /* mutexes and waiters */
static CONDITION_VARIABLE changed;
static Waiter *waiters; /* the oldest first */
static unsigned waits;  /* that have begun, modulo 2^32 */

/* Acquired by the thread and not released, recursions included. */
static __thread unsigned owned __attribute__((tls_model("initial-exec")));

unsigned shim_owned_mutexes(void)
{
    return owned;
}

void shim_check_mutexes(const char *what, unsigned before)
{
    if (owned != before) {
        bridge_log("verifier: %s with %u mutexes owned, began with %u", what,
                   owned, before);
        owned = before;
    }
}

bool shim_is_mutex(const void *object)
{
    return ((const DISPATCHER_HEADER *)object)->Type == MUTEX_TYPE;
}

static struct _KTHREAD *this_thread(void)
{
    return (struct _KTHREAD *)(ULONG_PTR)GetCurrentThreadId();
}

static void WINAPI initialize_mutex(KMUTEX *mutex, ULONG level)
{
    *mutex = (KMUTEX){ .Header = { .Type = MUTEX_TYPE, .SignalState = 1 } };
}

static LONG WINAPI read_mutex(KMUTEX *mutex)
{
    return mutex->Header.SignalState;
}

/* FALSE: somebody else has it. The lock is held. */
static bool take(KMUTEX *mutex, struct _KTHREAD *thread)
{
    if (mutex->Header.SignalState != 1 && mutex->OwnerThread != thread) {
        return false;
    }
    mutex->Header.SignalState--;
    mutex->OwnerThread = thread;
    return true;
}

/* NULL: for ever. Absolute times are in units of 100 ns since 1601. */
static DWORD milliseconds(const LARGE_INTEGER *timeout)
{
    LARGE_INTEGER now;
    LONGLONG units;

    if (!timeout) {
        return INFINITE;
    }
    units = -timeout->QuadPart;
    if (units < 0) {
        GetSystemTimeAsFileTime((FILETIME *)&now);
        units = timeout->QuadPart - now.QuadPart;
    }
    return units <= 0 ? 0 : (DWORD)((units + 9999) / 10000);
}

static void add_waiter(Waiter *waiter)
{
    Waiter **at = &waiters;

    while (*at) {
        at = &(*at)->next;
    }
    *at = waiter;
    waits++;
    WakeAllConditionVariable(&changed);
}

static void drop_waiter(const Waiter *waiter)
{
    Waiter **at = &waiters;

    while (*at && *at != waiter) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = waiter->next;
    }
}

NTSTATUS shim_mutex_wait(KMUTEX *mutex, const LARGE_INTEGER *timeout)
{
    Waiter waiter = { NULL, mutex, this_thread(), false };
    DWORD left = milliseconds(timeout), begin = GetTickCount(), waited = 0;

    EnterCriticalSection(&lock);
    waiter.has_it = take(mutex, waiter.thread);
    if (!waiter.has_it && left) {
        add_waiter(&waiter);
        while (!waiter.has_it && waited < left) {
            SleepConditionVariableCS(&changed, &lock,
                                     left == INFINITE ? left : left - waited);
            waited = GetTickCount() - begin;
        }
        drop_waiter(&waiter);
    }
    LeaveCriticalSection(&lock);
    owned += waiter.has_it;
    return waiter.has_it ? STATUS_SUCCESS : STATUS_TIMEOUT;
}

unsigned shim_mutex_waits(void)
{
    unsigned now;

    EnterCriticalSection(&lock);
    now = waits;
    LeaveCriticalSection(&lock);
    return now;
}

bool shim_mutex_await_waiter(unsigned before, DWORD patience)
{
    DWORD begin = GetTickCount(), waited = 0;
    bool found;

    EnterCriticalSection(&lock);
    while (waits == before && waited < patience) {
        SleepConditionVariableCS(&changed, &lock, patience - waited);
        waited = GetTickCount() - begin;
    }
    found = waits != before;
    LeaveCriticalSection(&lock);
    return found;
}

/* Rule 2. The lock is held. */
static void hand_over(KMUTEX *mutex)
{
    Waiter *waiter = waiters;

    while (waiter && (waiter->mutex != mutex || waiter->has_it)) {
        waiter = waiter->next;
    }
    if (waiter) {
        waiter->has_it = take(mutex, waiter->thread);
        WakeAllConditionVariable(&changed);
    }
}

static LONG WINAPI release_mutex(KMUTEX *mutex, BOOLEAN wait)
{
    LONG before;

    EnterCriticalSection(&lock);
    before = mutex->Header.SignalState;
    if (!shim_is_mutex(mutex) || mutex->OwnerThread != this_thread()) {
        bridge_log("verifier: a mutex released by a thread that does not "
                   "own it");
    } else {
        owned -= owned > 0; /* 0: it was reported as kept */
        if (++mutex->Header.SignalState == 1) {
            mutex->OwnerThread = NULL;
            hand_over(mutex);
        }
    }
    LeaveCriticalSection(&lock);
    return before;
}

void shim_mutex_install(void)
{
    InitializeCriticalSection(&lock);
    InitializeConditionVariable(&changed);
}

const ShimImport shim_mutex_imports[] = {
    { "KeInitializeMutex", initialize_mutex },
    { "KeReadStateMutex", read_mutex },
    { "KeReleaseMutex", release_mutex },
    { NULL, NULL },
};
