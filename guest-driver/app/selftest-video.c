/*
 * Self-tests of the video stream: a pipe from the device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "selftest.h"

#include <string.h>

#include "isolab/isoav.h"

static const char *start(selftest *t, unsigned n, isoav_start start,
                         DWORD expected)
{
    TRY(selftest_open(t, n));
    return selftest_error(t, "start", stream_start(&t->s[n], &start), expected);
}

static const char *start_video(selftest *t)
{
    return start(t, 0, (isoav_start){ .alternate = 1 }, 0);
}

static const char *every_alternate(selftest *t)
{
    uint32_t i;

    for (i = 0; i < t->info.alternates; i++) {
        const isoav_alternate *a = &t->info.alternate[i];

        if (a->endpoint != ISOAV_EP_VIDEO_IN) {
            continue;
        }
        TRY(start(t, 0, (isoav_start){ .alternate = a->alternate }, 0));
        CHECK(t->s[0].started.packet_bytes == a->packet_bytes,
              "alternate %u has packets of %u bytes, and a pipe of %u",
              a->alternate, a->packet_bytes, t->s[0].started.packet_bytes);
        TRY(selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 256));
        stream_close(&t->s[0]);
    }
    return NULL;
}

static const char *with_ring(selftest *t, uint32_t urbs, uint32_t packets,
                             uint8_t flags)
{
    isoav_start s = {
        .alternate = 1, .urbs = urbs, .packets = packets, .flags = flags
    };

    TRY(start(t, 0, s, 0));
    return selftest_receive(t, 0, ISOAV_STREAM_VIDEO, urbs * packets + 1);
}

static const char *many_urbs(selftest *t)
{
    return with_ring(t, ISOAV_URBS_MAX, 8, 0);
}

static const char *short_urbs(selftest *t)
{
    return with_ring(t, 8, t->info.speed == ISOAV_SPEED_FULL ? 1 : 8, 0);
}

static const char *long_urbs(selftest *t)
{
    return with_ring(t, 3, t->info.speed == ISOAV_SPEED_FULL ? 255 : 1024, 0);
}

static const char *named_frames(selftest *t)
{
    return with_ring(t, 4, 64, ISOAV_START_FRAMES);
}

static const char *largest(selftest *t)
{
    isoav_start s = { .flags = ISOAV_START_FALL_BACK };
    uint32_t i, most = 0;

    for (i = 0; i < t->info.alternates; i++) {
        const isoav_alternate *a = &t->info.alternate[i];

        if (a->endpoint == ISOAV_EP_VIDEO_IN && a->packet_bytes > most) {
            most = a->packet_bytes;
        }
    }
    TRY(start(t, 0, s, 0));
    CHECK(t->s[0].started.packet_bytes == most,
          "alternate %u of %u bytes was selected, the largest has %u",
          t->s[0].started.alternate, t->s[0].started.packet_bytes, most);
    return NULL;
}

/* Two reads of one stream: numbers and frames go on from one to the next. */
static const char *records(selftest *t)
{
    uint64_t number = 0;
    uint32_t frame = 0, packets, frames;
    isoav_record record;
    DWORD bytes, at;
    int i;

    TRY(start_video(t));
    packets = t->s[0].started.packets;
    frames = packets * t->s[0].started.period_uf / 8;
    for (i = 0; i < 2; i++) {
        TRY(selftest_error(
            t, "read", stream_read(&t->s[0], t->in, STREAM_READ_BYTES, &bytes),
            0));
        for (at = 0; at < bytes; at += record.record_bytes) {
            memcpy(&record, t->in + at, sizeof(record));
            CHECK(record.packet_number == number,
                  "packet %llu is followed by packet %llu",
                  (unsigned long long)number - 1,
                  (unsigned long long)record.packet_number);
            CHECK(record.packet_index == number % packets,
                  "packet %llu has index %u", (unsigned long long)number,
                  record.packet_index);
            CHECK(number == 0 || record.start_frame ==
                                     frame + (record.packet_index ? 0 : frames),
                  "an URB at frame %u is followed by one at %u", frame,
                  record.start_frame);
            frame = record.start_frame;
            number++;
        }
    }
    return NULL;
}

static const char *small_read(selftest *t)
{
    DWORD bytes;

    TRY(start_video(t));
    return selftest_error(
        t, "a read without room for a record",
        stream_read(&t->s[0], t->in, t->s[0].started.record_bytes - 1, &bytes),
        ERROR_INSUFFICIENT_BUFFER);
}

static const char *write_refused(selftest *t)
{
    TRY(start_video(t));
    t->s[0].started.write_bytes = 4096;
    memset(t->out, 0, 64);
    t->out[0] = 64;
    return selftest_error(t, "a write to an IN stream",
                          stream_write(&t->s[0], t->out, 64),
                          ERROR_INVALID_FUNCTION);
}

static const char *second_file(selftest *t)
{
    TRY(start_video(t));
    TRY(start(t, 1, (isoav_start){ .alternate = 1 }, ERROR_SHARING_VIOLATION));
    return selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 256);
}

static const char *start_twice(selftest *t)
{
    isoav_start s = { .alternate = 1 };

    TRY(start_video(t));
    TRY(selftest_error(t, "a second start", stream_start(&t->s[0], &s),
                       ERROR_BAD_COMMAND));
    return selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 256);
}

static const char *format_stays(selftest *t)
{
    isoav_format format = { 640, 360, 333333 };

    TRY(start_video(t));
    return selftest_error(t, "format",
                          device_control(t->s[0].device, ISOAV_IOCTL_SET_FORMAT,
                                         &format, sizeof(format), NULL, 0),
                          ERROR_BAD_COMMAND);
}

static const char *end_of_file(selftest *t)
{
    DWORD bytes, error;

    TRY(start_video(t));
    TRY(selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 64));
    TRY(selftest_error(t, "stop", stream_stop(&t->s[0]), 0));
    do {
        error = stream_read(&t->s[0], t->in, STREAM_READ_BYTES, &bytes);
    } while (!error && bytes);
    TRY(selftest_error(t, "the last read", error, ERROR_HANDLE_EOF));
    return selftest_error(t, "a second stop", stream_stop(&t->s[0]),
                          ERROR_BAD_COMMAND);
}

static const char *restarts(selftest *t)
{
    isoav_start s = { .alternate = 1 };
    int i;

    TRY(start_video(t));
    for (i = 0; i < 10; i++) {
        TRY(selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 64));
        TRY(selftest_error(t, "stop", stream_stop(&t->s[0]), 0));
        TRY(selftest_error(t, "start", stream_start(&t->s[0], &s), 0));
    }
    return selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 64);
}

/* A read that waits is cancelled; the stream does not care. */
static const char *cancelled_read(selftest *t)
{
    stream *s = &t->s[0];
    DWORD bytes = 0, error = 0;
    int i;

    TRY(start_video(t));
    for (i = 0; i < 10; i++) {
        OVERLAPPED overlapped = { .hEvent = s->event };

        ResetEvent(s->event);
        if (!ReadFile(s->device, t->in, STREAM_READ_BYTES, NULL, &overlapped)) {
            error = GetLastError();
        }
        CHECK(!error || error == ERROR_IO_PENDING, "read: error %lu", error);
        CancelIo(s->device);
        if (!GetOverlappedResult(s->device, &overlapped, &bytes, TRUE)) {
            TRY(selftest_error(t, "the cancelled read", GetLastError(),
                               ERROR_OPERATION_ABORTED));
        }
    }
    TRY(selftest_error(t, "read",
                       stream_read(s, t->in, STREAM_READ_BYTES, &bytes), 0));
    CHECK(bytes != 0, "the stream has stopped");
    return NULL;
}

static const char *close_with_read(selftest *t)
{
    OVERLAPPED overlapped;
    int i;

    for (i = 0; i < 10; i++) {
        TRY(start_video(t));
        memset(&overlapped, 0, sizeof(overlapped));
        overlapped.hEvent = t->s[0].event;
        ReadFile(t->s[0].device, t->in, STREAM_READ_BYTES, NULL, &overlapped);
        CloseHandle(t->s[0].device);
        t->s[0].device = NULL;
        CHECK(WaitForSingleObject(t->s[0].event, STREAM_SILENCE_MS) ==
                  WAIT_OBJECT_0,
              "the read does not end");
        stream_close(&t->s[0]);
    }
    return NULL;
}

static const char *stats_add_up(selftest *t)
{
    uint64_t packets = 0;
    isoav_stats stats;
    uint32_t i;

    TRY(start_video(t));
    TRY(selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 640));
    TRY(selftest_error(t, "stop", stream_stop(&t->s[0]), 0));
    TRY(selftest_error(t, "stats", stream_stats(&t->s[0], &stats), 0));
    for (i = 0; i < stats.statuses; i++) {
        packets += stats.status[i].packets;
    }
    CHECK(stats.packets >= 640 && packets == stats.packets,
          "%llu packets, %llu by status", (unsigned long long)stats.packets,
          (unsigned long long)packets);
    CHECK(stats.urbs * t->s[0].started.packets ==
              stats.packets + stats.urbs_failed * t->s[0].started.packets,
          "%llu URBs, %llu of them failed, %llu packets",
          (unsigned long long)stats.urbs, (unsigned long long)stats.urbs_failed,
          (unsigned long long)stats.packets);
    CHECK(stats.state == ISOAV_STATE_IDLE, "state %u", stats.state);
    return NULL;
}

/* The log of a stream: its ordinals have no hole, its statuses are good. */
static const char *log_is_complete(selftest *t)
{
    isoav_log_from from = { 0 };
    isoav_log_entry entry = { 0 };
    isoav_log_part part;
    uint64_t last = 0;
    DWORD bytes;
    uint32_t i;

    TRY(start_video(t));
    TRY(selftest_error(t, "log",
                       device_query(t->s[0].device, ISOAV_IOCTL_LOG_READ, &from,
                                    sizeof(from), t->in, sizeof(part), &bytes),
                       0));
    memcpy(&part, t->in, sizeof(part));
    from.sequence = part.end;
    TRY(selftest_receive(t, 0, ISOAV_STREAM_VIDEO, 640));
    TRY(selftest_error(t, "log",
                       device_query(t->s[0].device, ISOAV_IOCTL_LOG_READ, &from,
                                    sizeof(from), t->in, SELFTEST_DATA_BYTES,
                                    &bytes),
                       0));
    memcpy(&part, t->in, sizeof(part));
    CHECK(part.entries > 0, "it is empty");
    for (i = 0; i < part.entries; i++) {
        memcpy(&entry, t->in + sizeof(part) + i * sizeof(entry), sizeof(entry));
        CHECK(i == 0 || entry.ordinal == last + 1,
              "ordinal %llu is followed by %llu", (unsigned long long)last,
              (unsigned long long)entry.ordinal);
        CHECK(entry.packet_status == 0 && entry.urb_status == 0 &&
                  entry.length >= ISOAV_HEADER_BYTES &&
                  entry.endpoint == ISOAV_EP_VIDEO_IN,
              "packet %llu: status %08x, %u bytes",
              (unsigned long long)entry.ordinal, entry.packet_status,
              entry.length);
        last = entry.ordinal;
    }
    return NULL;
}

const selftest_case selftest_video[] = {
    { "video: every alternate streams", every_alternate },
    { "video: with 32 URBs in flight", many_urbs },
    { "video: with URBs of a millisecond", short_urbs },
    { "video: with URBs as long as they get", long_urbs },
    { "video: with URBs that name their frame, or fall back", named_frames },
    { "video: the largest alternate, when none is named", largest },
    { "video: records follow each other", records },
    { "video: a read without room for a record is refused", small_read },
    { "video: a write is refused", write_refused },
    { "video: one file at a time", second_file },
    { "video: one start at a time", start_twice },
    { "video: the format stays while it streams", format_stays },
    { "video: after the stop comes the end of the file", end_of_file },
    { "video: stopped and started ten times", restarts },
    { "video: a cancelled read ends, the stream does not", cancelled_read },
    { "video: a close ends the read that waits", close_with_read },
    { "video: the statistics add up", stats_add_up },
    { "log: each packet is in it, once", log_is_complete },
    { NULL, NULL },
};
