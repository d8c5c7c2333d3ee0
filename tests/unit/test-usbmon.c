/*
 * The records of a capture, to the byte, and the file that they go into.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/capture/file.h"
#include "hw/capture/usbmon.h"
#include "isolab/xhci.h"

static void test_file_header(void)
{
    static const uint8_t ideal[] = {
        0xd4, 0xc3, 0xb2, 0xa1, /* magic: microseconds, little-endian */
        0x02, 0x00, 0x04, 0x00, /* version 2.4 */
        0,    0,    0,    0,    0, 0, 0, 0, /* time zone, accuracy */
        0x00, 0x00, 0x04, 0x00,             /* snap length 262144 */
        0xdc, 0x00, 0x00, 0x00,             /* LINKTYPE_USB_LINUX_MMAPPED */
    };
    uint8_t header[USBMON_FILE_HEADER_BYTES];

    usbmon_store_file_header(header, USBMON_SNAPLEN_MAX);
    g_assert_cmpmem(header, sizeof(header), ideal, sizeof(ideal));
}

static void expect(const usbmon_record *r, const uint8_t *ideal, size_t bytes)
{
    uint8_t head[USBMON_HEAD_MAX];

    memset(head, 0xee, sizeof(head));
    g_assert_cmpmem(head, usbmon_store(head, r), ideal, bytes);
}

/* An isochronous IN TD that was missed, at 3.000125 s. */
static void test_isoch(void)
{
    static const uint8_t ideal[] = {
        0x03, 0x00, 0x00, 0x00,                         /* pcap: seconds */
        0x7d, 0x00, 0x00, 0x00,                         /*   microseconds */
        0x50, 0x00, 0x00, 0x00,                         /*   bytes here */
        0x50, 0x00, 0x00, 0x00,                         /*   bytes there were */
        0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* id */
        'C',                                            /* type */
        0x00,                                           /* isochronous */
        0x82,                                           /* endpoint */
        0x05,                                           /* device */
        0x01, 0x00,                                     /* bus */
        '-',  0x00, /* no setup; data would be here */
        0x03, 0,    0,    0,    0,    0,    0,    0, /* seconds */
        0x7d, 0x00, 0x00, 0x00,                      /* microseconds */
        0x00, 0x00, 0x00, 0x00,                      /* the URB's status */
        0x00, 0x00, 0x00, 0x00,                      /* length */
        0x10, 0x00, 0x00, 0x00, /* captured: the descriptor */
        0x01, 0x00, 0x00, 0x00, /* errors */
        0x01, 0x00, 0x00, 0x00, /* descriptors */
        0x08, 0x00, 0x00, 0x00, /* interval */
        0xc1, 0x1d, 0x00, 0x00, /* start frame */
        0x02, 0x02, 0x00, 0x00, /* ISO_ASAP, DIR_IN */
        0x01, 0x00, 0x00, 0x00, /* descriptors */
        0xee, 0xff, 0xff, 0xff, /* -EXDEV */
        0x00, 0x00, 0x00, 0x00, /* offset */
        0x00, 0x00, 0x00, 0x00, /* length */
        0x00, 0x00, 0x00, 0x00,
    };
    usbmon_record r = {
        .id = UINT64_C(0x0102030405060708),
        .time_us = 3000125,
        .is_end = true,
        .is_in = true,
        .xfer = USBMON_ISOCH,
        .ep = 2,
        .dev = 5,
        .bus = 1,
        .status = USBMON_EXDEV,
        .interval = 8,
        .start_frame = 0x1dc1,
        .is_asap = true,
    };

    expect(&r, ideal, sizeof(ideal));
}

/* A GET_DESCRIPTOR begins. */
static void test_control(void)
{
    static const uint8_t setup[] = { 0x80, 6, 0, 1, 0, 0, 18, 0 };
    static const uint8_t ideal[] = {
        0,    0,    0,    0,    0,    0, 0,  0,
        0x40, 0,    0,    0,    0x40, 0, 0,  0, /* pcap */
        0x01, 0,    0,    0,    0,    0, 0,  0, /* id */
        'S',  0x02, 0x80, 0x00,                 /* control, IN, address 0 */
        0x02, 0x00, 0x00, '<', /* bus; setup; data is to come */
        0,    0,    0,    0,    0,    0, 0,  0, /* seconds */
        0,    0,    0,    0,                    /* microseconds */
        0x8d, 0xff, 0xff, 0xff,                 /* -EINPROGRESS */
        0x12, 0x00, 0x00, 0x00,                 /* length */
        0x00, 0x00, 0x00, 0x00,                 /* captured */
        0x80, 6,    0,    1,    0,    0, 18, 0, /* setup */
        0,    0,    0,    0,    0,    0, 0,  0, /* interval, start frame */
        0x00, 0x02, 0x00, 0x00,                 /* DIR_IN */
        0,    0,    0,    0,                    /* descriptors */
    };
    usbmon_record r = {
        .id = 1,
        .is_in = true,
        .xfer = USBMON_CONTROL,
        .bus = 2,
        .setup = setup,
        .bytes = 18,
    };

    expect(&r, ideal, sizeof(ideal));
}

static uint32_t word(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* What is cut off is told: the length there was is larger. */
static void test_cut(void)
{
    uint8_t head[USBMON_HEAD_MAX];
    usbmon_record r = { .xfer = USBMON_BULK, .bytes = 1000000 };

    r.captured = usbmon_room(USBMON_SNAPLEN_MAX, r.xfer, r.bytes);
    g_assert_cmpuint(r.captured, ==, 262144 - 64);
    g_assert_cmpuint(usbmon_store(head, &r), ==, 16 + 64);
    g_assert_cmpuint(word(head + 8), ==, 262144);
    g_assert_cmpuint(word(head + 12), ==, 1000064);
    g_assert_cmpuint(word(head + 16 + 32), ==, 1000000);
    g_assert_cmpuint(word(head + 16 + 36), ==, 262144 - 64);
    g_assert_cmpuint(usbmon_room(128, USBMON_ISOCH, 1000), ==, 48);
    g_assert_cmpuint(usbmon_room(128, USBMON_ISOCH, 47), ==, 47);
}

static void test_status(void)
{
    static const struct {
        unsigned cc;
        int isoch, other;
    } rows[] = {
        { CC_SUCCESS, 0, 0 },
        { CC_SHORT_PACKET, 0, 0 },
        { CC_MISSED_SERVICE, -18, -18 },
        { CC_STALL_ERROR, -71, -32 },
        { CC_BABBLE_DETECTED, -75, -75 },
        { CC_ISOCH_BUFFER_OVERRUN, -75, -75 },
        { CC_BANDWIDTH_OVERRUN, -70, -70 },
        { CC_DATA_BUFFER_ERROR, -63, -63 },
        { CC_USB_TRANSACTION_ERROR, -71, -71 },
        { CC_SPLIT_TRANSACTION, -71, -71 },
        { 255, -71, -71 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(usbmon_status(USBMON_ISOCH, rows[i].cc), ==,
                        rows[i].isoch);
        g_assert_cmpint(usbmon_status(USBMON_BULK, rows[i].cc), ==,
                        rows[i].other);
    }
}

static void test_file(void)
{
    g_autofree char *folder = g_dir_make_tmp("isolab-usbmon-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "capture", NULL);
    g_autofree char *bytes = g_strnfill(50000, 'x'), *read = NULL;
    char *error = NULL;
    size_t count;
    isolab_capture_file *f = isolab_capture_file_open(path, &error);

    g_assert_cmpstr(error, ==, NULL);
    for (unsigned i = 0; i < 5; i++) {
        g_assert_true(isolab_capture_file_add(f, bytes, 50000));
    }
    g_assert_null(isolab_capture_file_error(f));
    g_assert_true(isolab_capture_file_close(f));
    g_assert_true(g_file_get_contents(path, &read, &count, NULL));
    g_assert_cmpuint(count, ==, 250000);
    g_unlink(path);
    g_rmdir(folder);
}

/* A device that is always full: the first piece is the last one. */
static void test_full(void)
{
    g_autofree char *why = NULL;
    uint8_t bytes[4096] = { 0 };
    char *error = NULL;
    isolab_capture_file *f = isolab_capture_file_open("/dev/full", &error);
    unsigned added = 0;

    g_assert_cmpstr(error, ==, NULL);
    while (isolab_capture_file_add(f, bytes, sizeof(bytes))) {
        added++;
    }
    g_assert_cmpuint(added, ==, 15);
    why = isolab_capture_file_error(f);
    g_assert_cmpstr(why, ==,
                    "the capture into /dev/full has ended: No space left on "
                    "device");
    g_assert_false(isolab_capture_file_add(f, bytes, 1));
    g_assert_false(isolab_capture_file_close(f));
}

static void refuse(const char *path, const char *why)
{
    char *error = NULL;

    g_assert_null(isolab_capture_file_open(path, &error));
    g_assert_cmpstr(error, ==, why);
    g_free(error);
}

/* A pipe: without a reader, and with one that does not read. */
static void test_pipe(void)
{
    g_autofree char *folder = g_dir_make_tmp("isolab-usbmon-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "pipe", NULL);
    g_autofree char *sentence =
        g_strdup_printf("%s cannot be a capture: nobody reads this pipe", path);
    g_autofree char *why = NULL;
    uint8_t bytes[4096] = { 0 };
    char *error = NULL;
    isolab_capture_file *f;
    int fd;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    refuse(path, sentence);
    fd = open(path, O_RDONLY | O_NONBLOCK);
    f = isolab_capture_file_open(path, &error);
    while (isolab_capture_file_add(f, bytes, sizeof(bytes))) {
    }
    why = isolab_capture_file_error(f);
    g_assert_nonnull(strstr(why, "its reader is too slow"));
    isolab_capture_file_close(f);
    close(fd);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_refused(void)
{
    refuse("/nowhere/capture",
           "/nowhere/capture cannot be a capture: No such file or directory");
    refuse("/", "/ cannot be a capture: Is a directory");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usbmon/file-header", test_file_header);
    g_test_add_func("/usbmon/isoch", test_isoch);
    g_test_add_func("/usbmon/control", test_control);
    g_test_add_func("/usbmon/cut", test_cut);
    g_test_add_func("/usbmon/status", test_status);
    g_test_add_func("/usbmon/file", test_file);
    g_test_add_func("/usbmon/full", test_full);
    g_test_add_func("/usbmon/pipe", test_pipe);
    g_test_add_func("/usbmon/refused", test_refused);
    return g_test_run();
}
