/*
 * isoav capture: format, stream, check, summary.
 *
 * One read is in flight at a time; the driver keeps what arrives meanwhile.
 * Five seconds without a packet, or without a good one, end the capture, and so
 * does Ctrl-C: the summary is of what came until then.
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <direct.h>
#include <errno.h>
#include <inttypes.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "choose.h"
#include "device.h"
#include "frame.h"
#include "png.h"
#include "report.h"
#include "usbdname.h"
#include "wav.h"
#include "isolab/isoav.h"
#include "isolab/pattern.h"

#define READ_BYTES (256u << 10)
#define SILENCE_MS 5000
#define PROGRESS_MS 500

typedef struct {
    args_options *options;
    HANDLE device;
    isoav_info info;
    isoav_started started;
    uint32_t alternate;
    account packets;
    frame_assembler frames;
    uint64_t written; /* pictures */
    FILE *video;      /* Y4M; NULL: none */
    bool shows_progress;
    ULONGLONG begin_ms, shown_ms; /* of the progress line alone */
    double jitter_ms;             /* the same; of frames, smoothed */
    LONGLONG frame_ticks;         /* when the last one came */
    uint64_t good_bytes;          /* of packets, when that last grew, */
    ULONGLONG good_ms;            /* which was then */
    /* why it ended early; empty: it did not */
    char trouble[DEVICE_TROUBLE_BYTES];
} capture;

static HANDLE interrupted;

static BOOL WINAPI on_interrupt(DWORD event)
{
    (void)event;
    SetEvent(interrupted);
    return TRUE;
}

static void trouble(capture *c, const char *what, DWORD error)
{
    device_trouble(c->trouble, what, error);
}

/* --- pictures ------------------------------------------------------------ */

static void write_picture(capture *c, const frame_picture *picture)
{
    char path[MAX_PATH];
    uint8_t *png;
    size_t bytes;
    FILE *file;

    snprintf(path, sizeof(path), "%s/frame-%06" PRIu32 "%s.png",
             c->options->out, picture->number,
             picture->is_complete ? "" : "-damaged");
    png = png_encode(picture->pixels, c->options->width, c->options->height,
                     &bytes);
    file = png ? fopen(path, "wb") : NULL;
    if (!file || fwrite(png, 1, bytes, file) != bytes) {
        snprintf(c->trouble, sizeof(c->trouble), "%s cannot be written", path);
    } else {
        c->written++;
    }
    if (file && fclose(file) != 0) {
        snprintf(c->trouble, sizeof(c->trouble), "%s cannot be written", path);
    }
    free(png);
}

static void show_progress(capture *c, bool is_last)
{
    ULONGLONG now = GetTickCount64();
    double seconds = (double)(now - c->begin_ms) / 1000;
    const frame_assembler *f = &c->frames;
    const account *a = &c->packets;
    char statuses[REPORT_STATUSES_BYTES];

    if (!c->shows_progress || (!is_last && now - c->shown_ms < PROGRESS_MS)) {
        return;
    }
    c->shown_ms = now;
    report_statuses(statuses, a);
    fprintf(stderr,
            "%s%" PRIu64 " of %" PRIu32 " frames, %.1f a second, jitter "
            "%.1f ms; damaged %" PRIu64 ", missing %" PRIu64
            "; packets lost %" PRIu64 ", late %" PRIu64 ", %s%s",
            c->options->progress ? "isoav: " : "\r", f->complete, f->wanted,
            seconds > 0 ? (double)f->complete / seconds : 0.0, c->jitter_ms,
            f->damaged, f->missing, a->lost, a->late, statuses,
            c->options->progress || is_last ? "\n" : "   ");
}

/* How much later or earlier than its interval a frame comes, on average. */
static void measure_jitter(capture *c)
{
    LARGE_INTEGER now, frequency;
    double off;

    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    if (c->frame_ticks) {
        off = (double)(now.QuadPart - c->frame_ticks) * 1000 /
                  (double)frequency.QuadPart -
              1000.0 / c->options->fps;
        c->jitter_ms += ((off < 0 ? -off : off) - c->jitter_ms) / 16;
    }
    c->frame_ticks = now.QuadPart;
}

static void frame_done(void *context, const frame_picture *picture)
{
    capture *c = context;

    measure_jitter(c);
    if (c->video && !c->trouble[0] &&
        !y4m_picture(c->video, picture->pixels, c->options->width,
                     c->options->height)) {
        trouble(c, "the video cannot be written", 0);
    }

    if (c->options->out && picture->number % c->options->every == 0 &&
        !c->trouble[0]) {
        write_picture(c, picture);
    }
    show_progress(c, false);
}

/* --- the stream ------------------------------------------------------------
 */

/* What the USB stack said, where it said something. */
static void name_refusal(capture *c)
{
    isoav_stats stats;
    char status[32];

    if (device_control(c->device, ISOAV_IOCTL_STREAM_STATS, NULL, 0, &stats,
                       sizeof(stats)) == 0 &&
        stats.usbd_status) {
        usbd_status_text(status, stats.usbd_status);
        snprintf(c->trouble, sizeof(c->trouble),
                 "the stream does not start: %s (USBD_STATUS_%s)",
                 usbd_status_meaning(stats.usbd_status), status);
    }
}

/* What was asked for cannot be; c->trouble says what can. */
static void refuse_format(capture *c, uint32_t bytes)
{
    const args_options *o = c->options;
    uint32_t most = choose_most_fps(&c->info, bytes);

    if (most == 0) {
        snprintf(c->trouble, sizeof(c->trouble),
                 "%" PRIu32 "x%" PRIu32 " does not go through this bus even "
                 "once a second: take a smaller --width and --height",
                 o->width, o->height);
    } else {
        snprintf(c->trouble, sizeof(c->trouble),
                 "no alternate setting carries %" PRIu32 "x%" PRIu32
                 " at %" PRIu32
                 " frames a second: the largest does --fps %" PRIu32
                 "; or take a smaller --width and --height",
                 o->width, o->height, o->fps, most);
    }
}

/* Selects the alternate; tries larger ones when the bus has no room. */
static bool start_stream(capture *c)
{
    const args_options *o = c->options;
    uint32_t interval = 10000000 / o->fps;
    uint32_t bytes = isolab_pattern_frame_bytes(o->width, o->height);
    const isoav_alternate *alternate =
        o->alternate ? choose_number(&c->info, o->alternate)
                     : choose_alternate(&c->info, bytes, interval, NULL);
    isoav_start start = { .interface_number = ISOAV_IFACE_VIDEO,
                          .endpoint = ISOAV_EP_VIDEO_IN,
                          .urbs = o->urbs,
                          .packets = o->packets };
    char text[160];
    DWORD error = 0;

    if (!alternate && !o->alternate) {
        refuse_format(c, bytes);
    } else if (!alternate) {
        trouble(c, "the device has no such alternate setting; see isoav info",
                0);
    } else if (choose_refuse_packets(text, c->info.speed, alternate,
                                     o->packets)) {
        trouble(c, text, 0);
    }
    if (c->trouble[0]) {
        return false;
    }
    while (alternate) {
        start.alternate = alternate->alternate;
        c->alternate = alternate->alternate;
        error = device_control(c->device, ISOAV_IOCTL_STREAM_START, &start,
                               sizeof(start), &c->started, sizeof(c->started));
        if (error != ERROR_NO_SYSTEM_RESOURCES || o->alternate) {
            break;
        }
        alternate = choose_alternate(&c->info, bytes, interval, alternate);
    }
    if (error) {
        name_refusal(c);
        trouble(c, "the stream does not start: ", error);
        return false;
    }
    return true;
}

static bool prepare(capture *c)
{
    args_options *o = c->options;
    isoav_format format = { .interval_100ns = 10000000 / o->fps };
    DWORD error;

    error = device_control(c->device, ISOAV_IOCTL_GET_INFO, NULL, 0, &c->info,
                           sizeof(c->info));
    if (error) {
        trouble(c, "the device cannot be asked: ", error);
        return false;
    }
    if (c->info.abi_version != ISOAV_ABI_VERSION) {
        trouble(c, "program and driver are not of one version", 0);
        return false;
    }
    choose_size(c->info.speed, &o->width, &o->height);
    format.width = (uint16_t)o->width;
    format.height = (uint16_t)o->height;
    error = device_control(c->device, ISOAV_IOCTL_SET_FORMAT, &format,
                           sizeof(format), NULL, 0);
    if (error) {
        trouble(c, "the format cannot be set: ", error);
        return false;
    }
    if (o->out && _mkdir(o->out) != 0 && errno != EEXIST) {
        trouble(c, "the folder for pictures cannot be made", 0);
        return false;
    }
    if (o->y4m) {
        c->video = fopen(o->y4m, "wb");
        if (!c->video) {
            trouble(c, "the file for the video cannot be made", 0);
            return false;
        }
        y4m_header(c->video, o->width, o->height, format.interval_100ns);
    }
    if (!frame_init(&c->frames, o->width, o->height, format.interval_100ns,
                    o->frames)) {
        trouble(c, "no memory", 0);
        return false;
    }
    c->frames.done = frame_done;
    c->frames.context = c;
    return true;
}

/* Records of one read. False: a record is not what it must be. */
static bool take_records(capture *c, const uint8_t *buffer, DWORD bytes)
{
    isoav_record record;
    isoav_packet packet;
    DWORD at = 0;

    while (at < bytes && !frame_is_done(&c->frames)) {
        const uint8_t *data = buffer + at + sizeof(record);

        if (bytes - at < sizeof(record)) {
            return false;
        }
        memcpy(&record, buffer + at, sizeof(record));
        if (record.record_bytes > bytes - at ||
            record.length > c->started.packet_bytes ||
            record.record_bytes != ISOAV_RECORD_BYTES(record.length)) {
            return false;
        }
        if (account_record(&c->packets, &record, data, &packet)) {
            frame_packet(&c->frames, &packet, data + ISOAV_HEADER_BYTES);
        }
        at += record.record_bytes;
    }
    return true;
}

/* One read, until it ends, is interrupted or has been waited for too long. */
static bool read_once(capture *c, uint8_t *buffer, OVERLAPPED *overlapped)
{
    HANDLE events[2] = { overlapped->hEvent, interrupted };
    DWORD bytes = 0, wait;

    if (!ReadFile(c->device, buffer, READ_BYTES, NULL, overlapped) &&
        GetLastError() != ERROR_IO_PENDING) {
        trouble(c, "", device_failed());
        return false;
    }
    wait = WaitForMultipleObjects(2, events, FALSE, SILENCE_MS);
    if (wait != WAIT_OBJECT_0) {
        CancelIo(c->device);
        trouble(c,
                wait == WAIT_TIMEOUT ? "no packets for five seconds"
                                     : "interrupted",
                0);
    }
    if (!GetOverlappedResult(c->device, overlapped, &bytes, TRUE)) {
        trouble(c, "", device_failed());
        return false;
    }
    if (!take_records(c, buffer, bytes)) {
        trouble(c, "the driver's records make no sense", 0);
    }
    return !c->trouble[0];
}

/* Packets that come and are all bad are as good as none. */
static bool is_silent(capture *c)
{
    ULONGLONG now = GetTickCount64();

    if (c->packets.bytes != c->good_bytes) {
        c->good_bytes = c->packets.bytes;
        c->good_ms = now;
    } else if (now - c->good_ms >= SILENCE_MS) {
        trouble(c, "no good packet for five seconds", 0);
    }
    return c->trouble[0];
}

static void receive(capture *c)
{
    OVERLAPPED overlapped = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    uint8_t *buffer = malloc(READ_BYTES);

    if (!buffer || !overlapped.hEvent) {
        trouble(c, "no memory", 0);
    } else {
        c->begin_ms = c->shown_ms = c->good_ms = GetTickCount64();
        while (!frame_is_done(&c->frames) &&
               read_once(c, buffer, &overlapped) && !is_silent(c)) {
        }
        show_progress(c, true);
    }
    free(buffer);
    if (overlapped.hEvent) {
        CloseHandle(overlapped.hEvent);
    }
}

static int summarise(const capture *c)
{
    report r = { .packets = &c->packets,
                 .frames = &c->frames,
                 .fps = c->options->fps,
                 .alternate = c->alternate,
                 .packet_bytes = c->started.packet_bytes,
                 .period_uf = c->started.period_uf,
                 .trouble = c->trouble[0] ? c->trouble : NULL };

    if (c->options->json) {
        report_json(stdout, &r);
    } else {
        report_text(stdout, &r);
        if (c->options->out) {
            printf("pictures %" PRIu64 " in %s\n", c->written, c->options->out);
        }
    }
    return report_is_perfect(&r) ? 0 : 1;
}

static void run(capture *c)
{
    DWORD error;

    account_init(&c->packets, ISOAV_STREAM_VIDEO, c->started.period_uf);
    receive(c);
    error =
        device_control(c->device, ISOAV_IOCTL_STREAM_STOP, NULL, 0, NULL, 0);
    if (error) {
        trouble(c, "the stream does not stop: ", error);
    }
}

int app_capture(const args_options *options)
{
    static args_options settled;
    static capture c;
    int status = 1;

    if (options->wav) {
        return app_record(options);
    }
    settled = *options;
    c.options = &settled;
    c.shows_progress = options->progress || _isatty(_fileno(stderr));
    c.device = device_open(options->device);
    if (!c.device) {
        return 1;
    }
    interrupted = CreateEventA(NULL, TRUE, FALSE, NULL);
    SetConsoleCtrlHandler(on_interrupt, TRUE);
    if (prepare(&c) && start_stream(&c)) {
        run(&c);
        if (c.video && fclose(c.video) != 0) {
            trouble(&c, "the video cannot be written", 0);
        }
        status = summarise(&c);
    } else {
        fprintf(stderr, "isoav: %s\n", c.trouble);
    }
    frame_free(&c.frames);
    CloseHandle(c.device);
    return status;
}
