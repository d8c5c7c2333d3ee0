/*
 * Which devices are on the bus.
 *
 * sysfs is the list, and the kernel's uevents (a netlink socket, no udevd
 * needed) say when to read it again. A device is opened through its usbfs
 * node and handed to libusb; from then on it is a Device with a physical
 * device object that PnP learns of through IoInvalidateDeviceRelations.
 *
 * A device leaves in one of two ways, whichever is noticed first: a uevent
 * after which sysfs no longer lists it, or a transfer that libusb ends with
 * "no device". Both wake this file's thread, the only one that reports to
 * PnP: Wine sends the removal requests from inside
 * IoInvalidateDeviceRelations, and they wait for URBs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* <linux/netlink.h> and the Windows headers disagree about names. */
#define NETLINK_KOBJECT_UEVENT 15
struct uevent_address {
    unsigned short family, pad;
    unsigned int pid, groups;
};

#define SYSFS_DEVICES "/sys/bus/usb/devices"

/* The number in a sysfs attribute, or -1 when it is absent or empty. */
static long read_attribute(const char *name, const char *attribute, int base)
{
    char path[128], text[32];
    ssize_t got;
    int fd;
    char *end;
    long value;

    snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/%s", name, attribute);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0) {
        return -1;
    }
    text[got] = 0;
    value = strtol(text, &end, base);
    return end == text ? -1 : value;
}

static bool open_device(Bus *bus, Device *device)
{
    char path[64];
    int ret;

    snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", device->busnum,
             device->devnum);
    device->fd = open(path, O_RDWR | O_CLOEXEC);
    if (device->fd < 0) {
        bridge_log("%s does not open: %s", path, strerror(errno));
        return false;
    }
    ret = libusb_wrap_sys_device(bus->usb, device->fd, &device->handle);
    if (ret) {
        bridge_log("libusb refuses %s: %s", path, libusb_error_name(ret));
        close(device->fd);
        return false;
    }
    libusb_get_device_descriptor(libusb_get_device(device->handle),
                                 &device->descriptor);
    device->speed = libusb_get_device_speed(libusb_get_device(device->handle));
    return true;
}

/* A free slot gets a device object for the device that sysfs calls name. */
static bool add_device(Bus *bus, const char *name, unsigned devnum)
{
    Device *device;
    int i;

    for (i = 0; i < BRIDGE_MAX_DEVICES && bus->devices[i]; i++) {
        continue;
    }
    if (i == BRIDGE_MAX_DEVICES) {
        bridge_log("%s: more than %d devices", name, BRIDGE_MAX_DEVICES);
        return false;
    }
    if (pnp_create(bus, &device)) {
        return false;
    }
    snprintf(device->name, sizeof(device->name), "%.31s", name);
    device->busnum = (unsigned)read_attribute(name, "busnum", 10);
    device->devnum = devnum;
    if (!open_device(bus, device)) {
        pnp_destroy(device);
        return false;
    }
    bridge_log("device %s arrives (bus %u, address %u, %s speed)", name,
               device->busnum, device->devnum,
               device->speed == LIBUSB_SPEED_SUPER  ? "super"
               : device->speed == LIBUSB_SPEED_HIGH ? "high"
                                                    : "full");
    bus->devices[i] = device;
    return true;
}

static Device *find_device(Bus *bus, const char *name, unsigned devnum)
{
    int i;

    for (i = 0; i < BRIDGE_MAX_DEVICES; i++) {
        Device *device = bus->devices[i];

        if (device && !device->gone && device->devnum == devnum &&
            !strcmp(device->name, name)) {
            return device;
        }
    }
    return NULL;
}

/* Compares sysfs with what is known; true if anything changed. */
static bool scan(Bus *bus)
{
    bool seen[BRIDGE_MAX_DEVICES] = { false };
    bool changed = false;
    struct dirent *entry;
    DIR *dir = opendir(SYSFS_DEVICES);
    int i;

    if (!dir) {
        bridge_log(SYSFS_DEVICES ": %s", strerror(errno));
        return false;
    }
    EnterCriticalSection(&bus->lock);
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        long devnum = read_attribute(name, "devnum", 10);
        Device *device;

        /* Without a configuration the kernel is not done with it yet. */
        if (read_attribute(name, "idVendor", 16) != bus->vendor ||
            read_attribute(name, "idProduct", 16) != bus->product ||
            read_attribute(name, "bConfigurationValue", 10) < 0) {
            continue;
        }
        device = find_device(bus, name, (unsigned)devnum);
        if (!device && add_device(bus, name, (unsigned)devnum)) {
            changed = true;
            device = find_device(bus, name, (unsigned)devnum);
        }
        for (i = 0; device && i < BRIDGE_MAX_DEVICES; i++) {
            seen[i] = seen[i] || bus->devices[i] == device;
        }
    }
    closedir(dir);
    for (i = 0; i < BRIDGE_MAX_DEVICES; i++) {
        Device *device = bus->devices[i];

        if (device && !seen[i] && !device->gone) {
            bridge_log("device %s has left", device->name);
            device->gone = true;
        }
        changed = changed || (device && device->gone && device->reported);
    }
    LeaveCriticalSection(&bus->lock);
    return changed;
}

void enumerate_gone(Device *device)
{
    char byte = 0;

    if (!device->gone) {
        bridge_log("device %s no longer answers", device->name);
        device->gone = true;
    }
    if (write(device->bus->wake[1], &byte, 1) != 1) {
        bridge_log("the enumeration thread cannot be woken");
    }
}

/* Devices that come or go, interfaces that a configuration brings. */
static bool is_about_usb(const char *event, ssize_t length)
{
    static const char wanted[] = "DEVTYPE=usb_";
    ssize_t i = 0;

    while (i < length) {
        if (!strncmp(event + i, wanted, sizeof(wanted) - 1)) {
            return true;
        }
        i += (ssize_t)strlen(event + i) + 1;
    }
    return false;
}

static DWORD WINAPI run_uevents(void *context)
{
    Bus *bus = context;
    char event[4096];
    ssize_t length;

    if (scan(bus)) {
        IoInvalidateDeviceRelations(bus->pdo, BusRelations);
    } else {
        bridge_log("no USB device %04x:%04x is there; waiting for it",
                   bus->vendor, bus->product);
    }
    while (!bus->stop) {
        struct pollfd fds[2] = { { bus->uevent_fd, POLLIN, 0 },
                                 { bus->wake[0], POLLIN, 0 } };
        bool again = false;

        if (poll(fds, 2, -1) < 0) {
            continue;
        }
        if (fds[0].revents) {
            length = recv(bus->uevent_fd, event, sizeof(event) - 1, 0);
            if (length > 0) {
                event[length] = 0;
                again = is_about_usb(event, length);
            }
        }
        if (fds[1].revents) {
            again = read(bus->wake[0], event, 1) == 1;
        }
        if (!bus->stop && again && scan(bus)) {
            IoInvalidateDeviceRelations(bus->pdo, BusRelations);
        }
    }
    return 0;
}

bool enumerate_start(Bus *bus)
{
    struct uevent_address address = { AF_NETLINK, 0, 0, 1 };

    bus->uevent_fd =
        socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    if (bus->uevent_fd < 0 ||
        bind(bus->uevent_fd, (struct sockaddr *)&address, sizeof(address)) ||
        pipe2(bus->wake, O_CLOEXEC)) {
        bridge_log("no uevents from the kernel: %s", strerror(errno));
        return false;
    }
    bus->uevent_thread = CreateThread(NULL, 0, run_uevents, bus, 0, NULL);
    return bus->uevent_thread != NULL;
}

void enumerate_stop(Bus *bus)
{
    char byte = 0;
    int i;

    if (bus->uevent_thread && write(bus->wake[1], &byte, 1) == 1) {
        WaitForSingleObject(bus->uevent_thread, INFINITE);
        CloseHandle(bus->uevent_thread);
        bus->uevent_thread = NULL;
        close(bus->uevent_fd);
        close(bus->wake[0]);
        close(bus->wake[1]);
    }
    for (i = 0; i < BRIDGE_MAX_DEVICES; i++) {
        if (bus->devices[i]) {
            pnp_destroy(bus->devices[i]);
            bus->devices[i] = NULL;
        }
    }
}
