/*
 * testusb: has Linux's usbtest module run its cases on a device, and says in
 * TAP how each ended.
 *
 *   testusb DEVICE SPEED GROUP [TIMES]
 *
 *   DEVICE  its file in /dev/bus/usb
 *   SPEED   as sysfs has it: 12, 480, 5000
 *   GROUP   of the table below: bulk, isoch, interrupt or stream
 *   TIMES   how often the iterations of the table (default: 1)
 *
 * usbtest runs a case in the kernel while its ioctl is under way; its result
 * is that of the ioctl. A case that the present alternate has no endpoints for
 * is refused with EOPNOTSUPP, and that is a failure here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* The argument of usbtest's ioctl, in its form of 32 bits. */
typedef struct {
    uint32_t test_num;
    uint32_t iterations;
    uint32_t length;
    uint32_t vary;
    uint32_t sglen;
    int32_t duration_sec;
    int32_t duration_usec;
} usbtest_param;

#define USBTEST_REQUEST _IOWR('U', 100, usbtest_param)

typedef enum { BULK, ISOCH, INTERRUPT, STREAM, GROUPS } group;

static const char *const group_names[GROUPS] = { "bulk", "isoch", "interrupt",
                                                 "stream" };

/* Of isochronous cases, length is in packets. */
typedef struct {
    group group;
    unsigned number, iterations, length, vary, sglen;
    const char *name;
} row;

static const row rows[] = {
    { BULK, 0, 1, 0, 0, 0, "nothing" },
    { BULK, 1, 50, 4096, 0, 0, "bulk writes" },
    { BULK, 2, 50, 4096, 0, 0, "bulk reads" },
    { BULK, 3, 50, 2048, 421, 0, "bulk writes of many lengths" },
    { BULK, 4, 50, 2048, 421, 0, "bulk reads of many lengths" },
    { BULK, 5, 10, 1024, 0, 16, "scattered writes" },
    { BULK, 6, 10, 1024, 0, 16, "scattered reads" },
    { BULK, 7, 10, 2048, 512, 16, "scattered writes of many lengths" },
    { BULK, 8, 10, 2048, 512, 16, "scattered reads of many lengths" },
    { BULK, 9, 20, 0, 0, 0, "standard requests" },
    { BULK, 10, 20, 0, 0, 32, "queued control transfers" },
    { BULK, 11, 20, 4096, 0, 0, "reads taken back" },
    { BULK, 12, 20, 4096, 0, 0, "writes taken back" },
    { BULK, 13, 20, 0, 0, 0, "halts set and cleared" },
    { BULK, 14, 50, 1024, 73, 0, "control writes" },
    { BULK, 17, 20, 4096, 0, 0, "writes from odd addresses" },
    { BULK, 18, 20, 4096, 0, 0, "reads to odd addresses" },
    { BULK, 19, 20, 4096, 0, 0, "writes from odd addresses, coherent" },
    { BULK, 20, 20, 4096, 0, 0, "reads to odd addresses, coherent" },
    { BULK, 21, 50, 1024, 73, 0, "control writes from odd addresses" },
    { BULK, 24, 20, 2048, 0, 16, "writes taken out of a queue" },
    { BULK, 29, 20, 0, 0, 0, "toggles cleared between writes" },
    { ISOCH, 15, 4, 8, 0, 8, "isochronous writes" },
    { ISOCH, 16, 4, 8, 0, 8, "isochronous reads" },
    { ISOCH, 22, 4, 8, 0, 8, "isochronous writes from odd addresses" },
    { ISOCH, 23, 4, 8, 0, 8, "isochronous reads to odd addresses" },
    { INTERRUPT, 25, 20, 64, 0, 0, "interrupt writes" },
    { INTERRUPT, 26, 20, 64, 0, 0, "interrupt reads" },
    { STREAM, 27, 4, 32768, 0, 8, "a stream of writes" },
    { STREAM, 28, 4, 32768, 0, 8, "a stream of reads" },
};

/* Gadget Zero's isochronous packets (hw/av/zero-descriptors.c). */
static unsigned isoch_bytes(const char *speed)
{
    return strcmp(speed, "12") == 0 ? 512 : 1024;
}

static int run(int fd, const row *r, const char *speed, unsigned times)
{
    usbtest_param param = {
        .test_num = r->number,
        .iterations = r->iterations * times,
        .length =
            r->group == ISOCH ? r->length * isoch_bytes(speed) : r->length,
        .vary = r->vary,
        .sglen = r->sglen,
    };
    struct usbdevfs_ioctl request = {
        .ifno = 0,
        .ioctl_code = (int)USBTEST_REQUEST,
        .data = &param,
    };

    return ioctl(fd, USBDEVFS_IOCTL, &request) < 0 ? errno : 0;
}

static int run_group(int fd, group group, const char *speed, unsigned times)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int error;

        if (rows[i].group != group) {
            continue;
        }
        error = run(fd, &rows[i], speed, times);
        printf("%sok - %s Mbit/s, case %u: %s\n", error ? "not " : "", speed,
               rows[i].number, rows[i].name);
        if (error) {
            printf("# %s\n", strerror(error));
            failed = 1;
        }
        fflush(stdout);
    }
    return failed;
}

static int find_group(const char *name)
{
    int i = 0;

    while (i < GROUPS && strcmp(group_names[i], name) != 0) {
        i++;
    }
    return i;
}

int main(int argc, char **argv)
{
    int group = argc > 3 ? find_group(argv[3]) : GROUPS;
    int times = argc > 4 ? atoi(argv[4]) : 1;
    int fd;

    if (argc < 4 || argc > 5 || group == GROUPS || times < 1) {
        fprintf(stderr, "usage: testusb DEVICE SPEED GROUP [TIMES], a group "
                        "is bulk, isoch, interrupt or stream\n");
        return 2;
    }
    fd = open(argv[1], O_RDWR);
    if (fd < 0) {
        perror(argv[1]);
        return 2;
    }
    return run_group(fd, (int)group, argv[2], times);
}
