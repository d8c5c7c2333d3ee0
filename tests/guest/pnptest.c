/*
 * What Windows sends a driver at any point, and Wine never: power, PnP's
 * questions, a removal without notice, a clean-up; each while nothing streams,
 * in mid-stream in and out, in the middle of a stop, and while the device
 * sleeps. The requests are orders to the bridge's verifier
 * (guest-driver/bridge/verify.h). Then every allocation of a program's requests
 * fails in turn.
 *
 * pnptest.exe PORT: runs in the guest on the device at the USB port PORT
 * ("1-1"). TAP on standard output.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "device.h"
#include "isoav_ioctl.h"
#include "isolab/isoav.h"
#include "ntname.h"

#define ORDER 0x222400 /* VERIFY_IOCTL_ORDER */
#define PATIENCE_MS 1000

/* A write, two of which fill the FIFO: 24 ms of packets. */
#define OUT_PACKETS 24u
#define OUT_BYTES 1000u

/* What Win32 makes of the driver's answers. */
#define ANSWERS_CANCELLED ERROR_OPERATION_ABORTED
#define ANSWERS_REMOVED ERROR_DEVICE_REMOVED
#define ANSWERS_END ERROR_HANDLE_EOF

static const char *port;
static char device_path[DEVICE_PATH_BYTES];
static HANDLE bridge;

/* --- TAP ------------------------------------------------------------------ */

static unsigned cases, failures;
static char why[1000];

/* The case fails; it goes on. */
static void __attribute__((format(printf, 1, 2))) fault(const char *format, ...)
{
    size_t at = strlen(why);
    va_list args;

    va_start(args, format);
    vsnprintf(why + at, sizeof(why) - at, format, args);
    va_end(args);
}

static void end_case(const char *name)
{
    cases++;
    failures += why[0] != 0;
    printf("%sok %u - %s\n", why[0] ? "not " : "", cases, name);
    if (why[0]) {
        printf("# %s\n", why);
    }
    fflush(stdout);
    why[0] = 0;
}

static void expect(const char *what, DWORD got, DWORD wanted)
{
    if (got != wanted) {
        fault("%s: %lu, expected %lu; ", what, got, wanted);
    }
}

/* --- orders --------------------------------------------------------------- */

/* The order's NTSTATUS. */
static uint32_t order(const char *text)
{
    uint32_t status = 0;
    DWORD error = device_control(bridge, ORDER, text, (uint32_t)strlen(text),
                                 &status, sizeof(status));

    if (error) {
        fault("the order %s: error %lu; ", text, error);
    }
    return status;
}

static void obey(const char *text)
{
    uint32_t status = order(text);

    if (status) {
        fault("%s: %08x; ", text, (unsigned)status);
    }
}

/* NULL: it does not open. */
static HANDLE open_device(void)
{
    HANDLE device = CreateFileA(device_path, GENERIC_READ | GENERIC_WRITE,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);

    return device == INVALID_HANDLE_VALUE ? NULL : device;
}

static void wait_until_there(bool wanted)
{
    DWORD begin = GetTickCount();
    HANDLE device;

    while (((device = open_device()) != NULL) != wanted) {
        if (device) {
            CloseHandle(device);
        }
        if (GetTickCount() - begin > PATIENCE_MS) {
            fault("the device does not %s; ", wanted ? "come" : "go");
            return;
        }
        Sleep(20);
    }
    if (device) {
        CloseHandle(device);
    }
}

/* Linux takes the device from the bus, or gives it back. */
static void authorize(bool yes)
{
    char path[100];
    HANDLE file;
    DWORD done;

    snprintf(path, sizeof(path),
             "\\\\?\\unix\\sys\\bus\\usb\\devices\\%s\\authorized", port);
    file = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE ||
        !WriteFile(file, yes ? "1" : "0", 1, &done, NULL)) {
        fault("%s: error %lu; ", path, GetLastError());
    }
    CloseHandle(file);
    wait_until_there(yes);
}

/* --- a file and its stream ------------------------------------------------ */

enum { IN_FILE, OUT_FILE, FILES };

typedef struct {
    HANDLE device;
    HANDLE thread;
    HANDLE event;
    bool sends;
    volatile LONG transfers; /* that ended well */
    volatile DWORD ended;    /* the error of the one that did not; 0: none */
    char data[64 << 10];
} flow;

static flow flows[FILES];

static DWORD start_stream(unsigned i)
{
    const isoav_start starts[FILES] = {
        { .interface_number = ISOAV_IFACE_VIDEO,
          .alternate = 1,
          .endpoint = ISOAV_EP_VIDEO_IN,
          .urbs = 3,
          .packets = 32, /* 4 ms */
          .fifo_bytes = ISOAV_FIFO_MIN },
        { .interface_number = ISOAV_IFACE_TEST,
          .alternate = 4, /* a packet in 1 ms */
          .endpoint = ISOAV_EP_TEST_OUT,
          .urbs = 3,
          .packets = 4,
          .fifo_bytes = ISOAV_FIFO_MIN },
    };
    isoav_started started;

    return device_control(flows[i].device, ISOAV_IOCTL_STREAM_START, &starts[i],
                          sizeof(starts[i]), &started, sizeof(started));
}

static DWORD stop_stream(unsigned i)
{
    return device_control(flows[i].device, ISOAV_IOCTL_STREAM_STOP, NULL, 0,
                          NULL, 0);
}

static DWORD transfer(flow *f)
{
    OVERLAPPED overlapped = { .hEvent = f->event };
    const DWORD bytes = OUT_PACKETS * ISOAV_RECORD_BYTES(OUT_BYTES);
    DWORD done;
    BOOL is_done =
        f->sends
            ? WriteFile(f->device, f->data, bytes, NULL, &overlapped)
            : ReadFile(f->device, f->data, sizeof(f->data), NULL, &overlapped);

    if (!is_done && GetLastError() != ERROR_IO_PENDING) {
        return GetLastError();
    }
    return GetOverlappedResult(f->device, &overlapped, &done, TRUE)
               ? 0
               : GetLastError();
}

/* Reads, or writes, until that fails. */
static DWORD WINAPI run_flow(void *context)
{
    flow *f = context;
    DWORD error;

    while ((error = transfer(f)) == 0) {
        InterlockedIncrement(&f->transfers);
    }
    f->ended = error;
    return 0;
}

static void begin_flow(unsigned i)
{
    const isoav_record record = { .record_bytes = ISOAV_RECORD_BYTES(OUT_BYTES),
                                  .length = OUT_BYTES };
    flow *f = &flows[i];
    unsigned n;

    f->sends = i == OUT_FILE;
    for (n = 0; f->sends && n < OUT_PACKETS; n++) {
        memcpy(f->data + n * record.record_bytes, &record, sizeof(record));
    }
    f->transfers = 0;
    f->ended = 0;
    f->event = CreateEventA(NULL, TRUE, FALSE, NULL);
    f->thread = CreateThread(NULL, 0, run_flow, f, 0, NULL);
}

/* Why it ended. */
static DWORD join_flow(unsigned i)
{
    flow *f = &flows[i];

    if (!f->thread) {
        return 0;
    }
    if (WaitForSingleObject(f->thread, PATIENCE_MS) == WAIT_TIMEOUT) {
        fault("a transfer of file %u does not end; ", i);
        CancelIoEx(f->device, NULL);
        WaitForSingleObject(f->thread, PATIENCE_MS);
    }
    CloseHandle(f->thread);
    CloseHandle(f->event);
    f->thread = NULL;
    return f->ended;
}

static isoav_stats stats_of(unsigned i)
{
    isoav_stats stats = { 0 };

    device_control(flows[i].device, ISOAV_IOCTL_STREAM_STATS, NULL, 0, &stats,
                   sizeof(stats));
    return stats;
}

/* Packets go by, and a program that reads gets its part. */
static void check_flows(unsigned i)
{
    uint64_t packets = stats_of(i).packets;
    LONG transfers = flows[i].transfers;
    DWORD begin = GetTickCount();

    while (stats_of(i).packets == packets ||
           (i == IN_FILE && flows[i].transfers == transfers)) {
        if (flows[i].ended || GetTickCount() - begin > PATIENCE_MS) {
            fault("file %u does not stream (state %u, error %lu); ", i,
                  (unsigned)stats_of(i).state, flows[i].ended);
            return;
        }
        Sleep(4);
    }
}

static void open_files(void)
{
    unsigned i;

    for (i = 0; i < FILES; i++) {
        flows[i].device = open_device();
        if (!flows[i].device) {
            fault("file %u does not open; ", i);
        }
    }
}

static void close_files(void)
{
    unsigned i;

    for (i = 0; i < FILES; i++) {
        if (flows[i].device) {
            CloseHandle(flows[i].device);
        }
        flows[i].device = NULL;
        join_flow(i);
    }
}

/* The device takes a format only while alternate 0 is selected. */
static void check_format(void)
{
    const isoav_format format = { 64, 48, 333333 };

    expect("a format",
           device_control(flows[IN_FILE].device, ISOAV_IOCTL_SET_FORMAT,
                          &format, sizeof(format), NULL, 0),
           0);
}

/* --- the matrix ----------------------------------------------------------- */

/* What goes on when the order comes. */
typedef struct {
    const char *name;
    bool streams[FILES];
    bool stops;  /* the IN stream is being stopped */
    bool sleeps; /* the device is in D3 */
} point;

static const point points[] = {
    { "idle", { false, false }, false, false },
    { "in mid-stream, IN", { true, false }, false, false },
    { "in mid-stream, OUT", { false, true }, false, false },
    { "in mid-stream, both", { true, true }, false, false },
    { "in the middle of a stop", { true, true }, true, false },
    { "asleep", { true, true }, false, true },
};

/* It runs still, or again, and can be stopped. */
static void check_streams(const point *p)
{
    unsigned i;

    for (i = 0; i < FILES; i++) {
        bool is_stopped = p->stops && i == IN_FILE;

        if (!p->streams[i]) {
            continue;
        }
        if (!is_stopped) {
            check_flows(i);
            expect("restarts", (DWORD)stats_of(i).restarts, 1);
            expect("a stop", stop_stream(i), 0);
        }
        expect("the end of a stream", join_flow(i), ANSWERS_END);
    }
    check_format();
}

static void check_queried(const point *p)
{
    obey("pnp cancel-remove");
    if (p->sleeps) {
        obey("power D0");
    }
    check_streams(p);
    close_files();
}

static void check_woken(const point *p)
{
    obey("power D0");
    check_streams(p);
    close_files();
}

/* Who waits hears of it; nothing goes any more, but closing. */
static void check_surprised(const point *p)
{
    DWORD error;
    unsigned i;

    for (i = 0; i < FILES; i++) {
        if (p->streams[i]) {
            error = join_flow(i);
            expect("the end of a stream", error,
                   p->stops && i == IN_FILE && error == ANSWERS_END
                       ? ANSWERS_END
                       : ANSWERS_REMOVED);
        }
        expect("a start after it", start_stream(i), ANSWERS_REMOVED);
    }
    close_files();
    authorize(false);
    authorize(true);
}

/* The files do nothing any more; others do. */
static void check_cleaned(const point *p)
{
    DWORD error;
    unsigned i;

    if (p->sleeps) {
        obey("power D0");
    }
    for (i = 0; i < FILES; i++) {
        if (p->streams[i]) {
            error = join_flow(i);
            expect("the end of a stream", error,
                   error == ANSWERS_END && p->stops && i == IN_FILE
                       ? ANSWERS_END
                   : error == ERROR_INVALID_HANDLE ? ERROR_INVALID_HANDLE
                                                   : ANSWERS_CANCELLED);
        }
        if (!start_stream(i)) {
            fault("a stream starts after the clean-up; ");
        }
    }
    close_files();
}

typedef struct {
    const char *name;
    const char *first;
    void (*check)(const point *p);
} request;

static const request requests[] = {
    { "power", "power D3", check_woken },
    { "query-remove", "pnp query-remove", check_queried },
    { "clean-up", "cleanup", check_cleaned },
    { "surprise-removal", "pnp surprise-removal", check_surprised },
};

static void begin_point(const point *p)
{
    unsigned i;

    open_files();
    for (i = 0; i < FILES; i++) {
        if (p->streams[i]) {
            expect("a start", start_stream(i), 0);
            begin_flow(i);
            check_flows(i);
        }
    }
    if (p->sleeps) {
        obey("power D3");
    }
}

static void run_case(const point *p, const request *r)
{
    char text[80];

    begin_point(p);
    if (p->stops) {
        snprintf(text, sizeof(text), "during-abort %s", r->first);
        obey(text);
        expect("a stop", stop_stream(IN_FILE), 0);
        obey("result");
    } else if (!p->sleeps || r->check != check_woken) {
        obey(r->first);
    }
    r->check(p);
    /* As if nothing had been. */
    open_files();
    check_format();
    expect("another start", start_stream(IN_FILE), 0);
    expect("another stop", stop_stream(IN_FILE), 0);
    close_files();
    snprintf(text, sizeof(text), "%s %s", r->name, p->name);
    end_case(text);
}

/* --- memory --------------------------------------------------------------- */

static void run_sweep(void)
{
    unsigned i;

    obey("sweep on");
    open_files();
    check_format();
    for (i = 0; i < FILES; i++) {
        expect("a start", start_stream(i), 0);
    }
    obey("sweep off");
    for (i = 0; i < FILES; i++) {
        begin_flow(i);
        check_flows(i);
        expect("a stop", stop_stream(i), 0);
        expect("the end of a stream", join_flow(i), ANSWERS_END);
    }
    check_format();
    close_files();
    end_case("requests whose allocations fail in turn");
}

int main(int argc, char **argv)
{
    unsigned p, r;

    port = argc > 1 ? argv[1] : "1-1";
    bridge = CreateFileA("\\\\.\\UsbBridge", GENERIC_READ | GENERIC_WRITE, 0,
                         NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (bridge == INVALID_HANDLE_VALUE) {
        printf("Bail out! no \\\\.\\UsbBridge: error %lu\n", GetLastError());
        return 1;
    }
    if (!device_find(0, device_path)) {
        printf("Bail out! no device\n");
        return 1;
    }
    run_sweep();
    for (r = 0; r < ARRAYSIZE(requests); r++) {
        for (p = 0; p < ARRAYSIZE(points); p++) {
            run_case(&points[p], &requests[r]);
        }
    }
    printf("1..%u\n", cases);
    return failures != 0;
}
