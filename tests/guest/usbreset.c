/*
 * usbreset NODE: has Linux reset the device /dev/bus/usb/BUS/DEVICE, whoever
 * uses it (USBDEVFS_RESET).
 *
 * Exit status 1 when it cannot be, with one sentence on standard error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
    int fd;

    if (argc != 2) {
        fputs("usage: usbreset NODE\n", stderr);
        return 2;
    }
    fd = open(argv[1], O_WRONLY);
    if (fd < 0 || ioctl(fd, USBDEVFS_RESET, NULL) < 0) {
        fprintf(stderr, "usbreset: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    return 0;
}
