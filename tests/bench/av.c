/*
 * The camera and the headset, profile "av" of usb-isoav: what they cost when
 * nobody uses them, and what a stream costs beside a plain copy of its bytes.
 * A sound packet has 192 bytes: what is seen there is the cost of a TD.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../qtest/lib/uac.h"
#include "../qtest/lib/uvc.h"
#include "bench.h"
#include "qemu/bswap.h"

enum {
    VIDEO_UF = HCD_UF_PER_SECOND / 2, /* 15 frames */
    SOUND_UF = 4 * HCD_UF_PER_SECOND,
    IDLE_SECONDS = 10,
};

/* Bytes of an interval, its packets, and the ring that goes round by itself
 * (stream.c). */
typedef struct {
    unsigned dci, mps, packets, interval;
    uint32_t bytes;
} Pipe;

static void put_trb(uint8_t *at, uint64_t pointer, uint32_t dw2, uint32_t dw3)
{
    stq_le_p(at, pointer);
    stl_le_p(at + 8, dw2);
    stl_le_p(at + 12, dw3 | TRB_C);
}

static void open_pipe(Hcd *h, HcdDev *dev, Pipe p)
{
    uint64_t stride = bench_buffer_stride(p.bytes);
    uint64_t buffers = hcd_alloc(h, BENCH_STREAM_TDS * stride, 65536);
    uint8_t wire[(BENCH_STREAM_TDS + 1) * XHCI_TRB_BYTES];

    hcd_ep_add(h, dev, .dci = p.dci, .type = EP_TYPE_ISOCH_IN, .mps = p.mps,
               .burst = MIN(p.packets, 16) - 1, .mult = (p.packets - 1) / 16,
               .interval = p.interval, .esit = p.bytes, .trbs = 256);
    for (unsigned i = 0; i < BENCH_STREAM_TDS; i++) {
        bool last = i == BENCH_STREAM_TDS - 1;

        put_trb(wire + i * XHCI_TRB_BYTES, buffers + i * stride,
                xhci_set(0, TRB_LENGTH, p.bytes),
                xhci_set(TRB_SIA | (last ? TRB_IOC : 0), TRB_TYPE, TRB_ISOCH));
    }
    put_trb(wire + BENCH_STREAM_TDS * XHCI_TRB_BYTES, dev->ring[p.dci].base, 0,
            xhci_set(0, TRB_TYPE, TRB_LINK));
    qtest_bufwrite(h->qts, dev->ring[p.dci].base, wire, sizeof(wire));
}

/* As many bytes, a payload at a time, out of a frame into as many buffers. */
static double copy_ns(uint64_t bytes, uint32_t frame_bytes, uint32_t payload)
{
    uint64_t stride = bench_buffer_stride(payload);
    size_t all = BENCH_STREAM_TDS * stride;
    g_autofree uint8_t *from = g_malloc(frame_bytes + payload);
    uint8_t *to = aligned_alloc(2 << 20, ROUND_UP(all, 2 << 20));
    uint32_t at = 0;
    uint64_t began;

    memset(from, 1, frame_bytes + payload);
    memset(to, 1, all);
    began = bench_own_cpu_ns();
    for (uint64_t i = 0; i < bytes / payload; i++) {
        memcpy(to + i % BENCH_STREAM_TDS * stride, from + at, payload);
        __asm__ volatile("" ::"r"(to) : "memory");
        at = at + payload < frame_bytes ? at + payload : 0;
    }
    began = bench_own_cpu_ns() - began;
    free(to);
    return began;
}

/* A stream of the camera, by what it is made of. */
typedef struct {
    const char *id, *what, *speed, *suffix;
    unsigned format, frame;
    bool is_file;  /* a picture that is there; else one that is drawn */
    bool is_large; /* most packets are full: what is seen is their bytes */
} Video;

/* The first picture of the pattern, as a file that the camera repeats. */
static char *write_picture(const Video *v, const isoav_vformat *format)
{
    g_autofree char *name =
        g_strdup_printf("isolab-bench-%d_%ux%u.%s", getpid(), format->width,
                        format->height, v->suffix);
    char *file = g_build_filename(g_get_tmp_dir(), name, NULL), *error;
    isoav_vsource *source = isoav_vsource_open("pattern", &error);
    const uint8_t *picture;
    uint32_t bytes;
    bool repeated;

    hcd_check(isoav_vsource_start(source, format), "no such picture");
    picture = isoav_vsource_frame(source, 1, &uvc_neutral, &bytes, &repeated);
    hcd_check(g_file_set_contents(file, (const char *)picture, bytes, NULL),
              "%s cannot be written", file);
    isoav_vsource_close(source);
    return file;
}

static void open_video(Uvc *u, const Video *v)
{
    unsigned packets, alternate = 1;

    uvc_commit(u, v->format, v->frame, 333333);
    while (isoav_uvc_alternate_bytes(u->speed, alternate) < u->payload_bytes) {
        alternate++;
    }
    packets = DIV_ROUND_UP(u->payload_bytes, 1024);
    open_pipe(u->h, u->dev,
              (Pipe){ .dci = UVC_VIDEO,
                      .mps = u->payload_bytes / packets,
                      .packets = packets,
                      .bytes = u->payload_bytes });
    hcd_expect_cc(uvc_select_interface(u, alternate), CC_SUCCESS);
}

static uint64_t stepped_ns(BenchMachine *m)
{
    uint64_t began;

    hcd_event_drain(m->h);
    began = bench_cpu_ns(m);
    hcd_step_uf(m->h, VIDEO_UF);
    return bench_cpu_ns(m) - began;
}

static void measure_video(Bench *b, const Video *v)
{
    BenchRow *row = bench_row(b, v->id, "ns/KiB",
                              "%s, beside memcpy (second figure)", v->what);
    bool is_super = g_str_equal(v->speed, "super");
    const isoav_uvc_frame *frame = isoav_uvc_frame_of(
        &isoav_uvc_speed_of(is_super ? 2 : 1)->formats[v->format - 1],
        v->frame);
    isoav_vformat format = { frame->width, frame->height, 333333,
                             v->format == ISOAV_UVC_YUY2 ? ISOAV_VIDEO_YUY2
                                                         : ISOAV_VIDEO_MJPEG };
    g_autofree char *file = v->is_file ? write_picture(v, &format) : NULL;
    g_autofree char *args =
        g_strdup_printf(UVC_ARGS(",speed=%s,video-source=%s%s"), v->speed,
                        file ? "loop:" : "pattern", file ? file : "");
    BenchMachine *m = bench_machine_start((HcdOptions){
        .args = args, .controller = "ixhci", .event_trbs = 4096 });
    Uvc *u = uvc_open(m->h);
    double quiet;

    row->against = "memcpy";
    if (v->is_large) {
        bench_row_target(row, BENCH_RATIO_AT_MOST, 2);
    }
    open_video(u, v);
    quiet = stepped_ns(m);
    hcd_ring_ep(m->h, u->dev, UVC_VIDEO);
    hcd_step_uf(m->h, HCD_UF_PER_SECOND / 4);
    for (int i = 0; i < b->pairs; i++) {
        uint64_t bytes = uvc_counter(u, "bytes");
        uint64_t frames = uvc_counter(u, "frames");
        double busy = stepped_ns(m);

        bytes = uvc_counter(u, "bytes") - bytes;
        frames = uvc_counter(u, "frames") - frames;
        hcd_check(frames >= 14 && frames <= 16, "%" PRIu64 " frames", frames);
        bench_add(row, BENCH_IXHCI, (busy - quiet) * 1024 / bytes);
        bench_add(row, BENCH_QEMU,
                  copy_ns(bytes, u->frame_bytes, u->payload_bytes) * 1024 /
                      bytes);
    }
    uvc_close(u);
    g_free(m);
    if (file) {
        unlink(file);
    }
}

static void measure_sound(Bench *b)
{
    BenchRow *row = bench_row(b, "av-sound", "ns",
                              "host CPU per packet of the microphone, 48 kHz");
    BenchMachine *m = bench_machine_start((HcdOptions){
        .args = UAC_ARGS(""), .controller = "ixhci", .event_trbs = 4096 });
    Uac *u = uac_open(m->h, hcd_dev_open(m->h, hcd_port_connected(m->h, 0)));
    double quiet = bench_cpu_ns(m);

    hcd_step_uf(m->h, SOUND_UF);
    quiet = bench_cpu_ns(m) - quiet;
    open_pipe(
        m->h, u->dev,
        (Pipe){ .dci = UAC_IN,
                .mps = ISOAV_UAC_PACKET_FRAMES * ISOAV_UAC_FRAME_BYTES(1),
                .packets = 1,
                .interval = 3,
                .bytes = ISOAV_UAC_PACKET_FRAMES * ISOAV_UAC_FRAME_BYTES(1) });
    hcd_expect_cc(uac_select(u, ISOAV_UAC_CAPTURE, 1), CC_SUCCESS);
    hcd_ring_ep(m->h, u->dev, UAC_IN);
    hcd_step_uf(m->h, HCD_UF_PER_SECOND);
    for (int i = 0; i < b->pairs; i++) {
        int64_t packets = uac_counter(u, "capture", "packets");
        uint64_t began;

        hcd_event_drain(m->h);
        began = bench_cpu_ns(m);
        hcd_step_uf(m->h, SOUND_UF);
        began = bench_cpu_ns(m) - began;
        packets = uac_counter(u, "capture", "packets") - packets;
        hcd_check(ABS(packets - SOUND_UF / 8) <= 8, "%" PRId64 " packets",
                  packets);
        bench_add(row, BENCH_IXHCI, (began - quiet) / packets);
    }
    uac_close(u);
    g_free(m);
}

/* Configured, each control at its alternate 0, and a sound card there. */
static void measure_idle(Bench *b)
{
    BenchRow *row = bench_row(b, "av-idle", "1/s",
                              "timer callbacks per second, camera and headset "
                              "configured and idle");

    bench_row_target(row, BENCH_VALUE_AT_MOST, 0);
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        BenchMachine *m = bench_machine_start(
            (HcdOptions){ .controller = bench_controllers[i],
                          .args = "-machine pit=off " UAC_ARGS("") });
        HcdDev *dev = hcd_dev_open(m->h, hcd_port_connected(m->h, 0));

        hcd_set_configuration(m->h, dev, 1);
        hcd_step_uf(m->h, HCD_UF_PER_SECOND);
        bench_add(row, i,
                  (double)bench_count_wakeups(m->h, IDLE_SECONDS *
                                                        HCD_UF_PER_SECOND) /
                      IDLE_SECONDS);
        bench_machine_finish(m);
    }
}

static const Video videos[] = {
    { "av-yuy2", "1080p YUY2 at 30 a second, SuperSpeed, from a file", "super",
      "yuv", ISOAV_UVC_YUY2, 5, true, true },
    { "av-mjpeg", "720p MJPEG at 30 a second, high speed, from a file", "high",
      "jpg", ISOAV_UVC_MJPEG, 4, true, false },
    { "av-yuy2-drawn", "the same YUY2, each picture drawn", "super", "",
      ISOAV_UVC_YUY2, 5, false, false },
    { "av-mjpeg-drawn", "the same MJPEG, each picture drawn and compressed",
      "high", "", ISOAV_UVC_MJPEG, 4, false, false },
};

void bench_av(Bench *b)
{
    bench_say("camera and headset");
    measure_idle(b);
    for (size_t i = 0; i < ARRAY_SIZE(videos); i++) {
        measure_video(b, &videos[i]);
    }
    measure_sound(b);
}
