/*
 * isoav list and isoav info.
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <inttypes.h>

#include "choose.h"
#include "device.h"
#include "report.h"
#include "isolab/isoav.h"

int app_list(const args_options *options)
{
    char path[DEVICE_PATH_BYTES];
    uint32_t i;

    if (options->json) {
        printf("[");
    }
    for (i = 0; device_find(i, path); i++) {
        if (options->json) {
            printf("%s", i ? ", " : "");
            report_json_string(stdout, path);
        } else {
            printf("%" PRIu32 "  %s\n", i, path);
        }
    }
    if (options->json) {
        printf("]\n");
    }
    if (i == 0) {
        fprintf(stderr, "isoav: no device: is it plugged in, and is its "
                        "driver (isoav.inf) installed?\n");
    }
    return i == 0;
}

static const char *speed_name(uint32_t speed)
{
    static const char *const names[] = { "unknown", "full", "high", "super" };

    return names[speed <= ISOAV_SPEED_SUPER ? speed : 0];
}

static uint64_t bytes_per_second(const isoav_alternate *a)
{
    return a->period_uf ? (uint64_t)a->packet_bytes * 8000 / a->period_uf : 0;
}

typedef struct {
    isoav_info info;
    isoav_format format;
    isoav_counters counters;
    uint8_t descriptors[18 + 4096];
    DWORD descriptor_bytes;
} device_facts;

/* USB 3.2 table 9-6, as far as this device has them. */
static const char *descriptor_name(uint8_t type)
{
    switch (type) {
    case 1:
        return "device";
    case 2:
        return "configuration";
    case 4:
        return "interface";
    case 5:
        return "endpoint";
    case 0x0b:
        return "association";
    case 0x30:
        return "companion";
    default:
        return "other";
    }
}

/* A row for each descriptor of the chain; the lengths are the device's. */
static void print_descriptors(const device_facts *facts)
{
    const uint8_t *d = facts->descriptors;
    DWORD at, i;

    printf("descriptors\n");
    for (at = 0; at + 2 <= facts->descriptor_bytes && d[at] >= 2 &&
                 d[at] <= facts->descriptor_bytes - at;
         at += d[at]) {
        printf("  %-14s", descriptor_name(d[at + 1]));
        for (i = 0; i < d[at]; i++) {
            printf(" %02x", d[at + i]);
        }
        printf("\n");
    }
}

static void info_text(const device_facts *facts)
{
    const isoav_info *info = &facts->info;
    uint32_t i;

    printf("device    %04x:%04x, release %x.%02x, USB %x.%02x, %s speed\n",
           info->vendor, info->product, info->release >> 8,
           info->release & 0xff, info->usb_version >> 8,
           info->usb_version & 0xff, speed_name(info->speed));
    printf("driver    version %" PRIu32 ".%" PRIu32 ", ABI %" PRIu32
           ", USBD interface %" PRIx32 "\n",
           info->driver_version >> 16, info->driver_version & 0xffff,
           info->abi_version, info->usbd_version);
    printf("protocol  %" PRIu32 ", device clock at microframe %" PRIu64 "\n",
           info->protocol, info->microframe);
    printf("config    %u bytes, %u interfaces\n", info->configuration_bytes,
           info->interfaces);
    for (i = 0; i < info->alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        const isoav_alternate *a = &info->alternate[i];

        printf("  interface %u alternate %u endpoint %02x  %5" PRIu32
               " bytes every %" PRIu32 " microframe(s)  %9" PRIu64 " bytes/s\n",
               a->interface_number, a->alternate, a->endpoint, a->packet_bytes,
               a->period_uf, bytes_per_second(a));
    }
    printf("format    %ux%u YUY2, a frame every %" PRIu32 ".%04" PRIu32 " ms\n",
           facts->format.width, facts->format.height,
           facts->format.interval_100ns / 10000,
           facts->format.interval_100ns % 10000);
    printf("counters  %" PRIu64 " frames sent, %" PRIu64 " packets, %" PRIu64
           " bytes, %" PRIu64 " frames skipped\n",
           facts->counters.count[ISOAV_COUNT_FRAMES],
           facts->counters.count[ISOAV_COUNT_PACKETS_IN],
           facts->counters.count[ISOAV_COUNT_BYTES_IN],
           facts->counters.count[ISOAV_COUNT_SKIPPED]);
    print_descriptors(facts);
}

static void info_json(const device_facts *facts)
{
    const isoav_info *info = &facts->info;
    uint32_t i;

    printf("{\n  \"descriptors\": \"");
    for (i = 0; i < facts->descriptor_bytes; i++) {
        printf("%02x", facts->descriptors[i]);
    }
    printf("\",\n  \"vendor\": %u, \"product\": %u, \"release\": %u, "
           "\"usb_version\": %u,\n  \"speed\": \"%s\", \"protocol\": %" PRIu32
           ", \"driver_version\": %" PRIu32 ", \"usbd_version\": %" PRIu32
           ",\n  \"interfaces\": %u,\n  \"alternates\": [",
           info->vendor, info->product, info->release, info->usb_version,
           speed_name(info->speed), info->protocol, info->driver_version,
           info->usbd_version, info->interfaces);
    for (i = 0; i < info->alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        const isoav_alternate *a = &info->alternate[i];

        printf("%s\n    {\"interface\": %u, \"alternate\": %u, \"endpoint\": "
               "%u, \"packet_bytes\": %" PRIu32 ", \"period_uf\": %" PRIu32
               ", \"bytes_per_second\": %" PRIu64 "}",
               i ? "," : "", a->interface_number, a->alternate, a->endpoint,
               a->packet_bytes, a->period_uf, bytes_per_second(a));
    }
    printf("\n  ],\n  \"format\": {\"width\": %u, \"height\": %u, "
           "\"interval_100ns\": %" PRIu32 "}\n}\n",
           facts->format.width, facts->format.height,
           facts->format.interval_100ns);
}

/* Everything that the driver and the device say; 0 or a Win32 error. */
static DWORD ask(HANDLE device, device_facts *facts)
{
    isoav_interface video = { ISOAV_IFACE_VIDEO };
    DWORD error;

    error = device_control(device, ISOAV_IOCTL_GET_INFO, NULL, 0, &facts->info,
                           sizeof(facts->info));
    if (!error) {
        error = device_control(device, ISOAV_IOCTL_GET_FORMAT, NULL, 0,
                               &facts->format, sizeof(facts->format));
    }
    if (!error) {
        error = device_control(device, ISOAV_IOCTL_GET_COUNTERS, &video,
                               sizeof(video), &facts->counters,
                               sizeof(facts->counters));
    }
    if (!error) {
        error = device_query(device, ISOAV_IOCTL_GET_DESCRIPTORS, NULL, 0,
                             facts->descriptors, sizeof(facts->descriptors),
                             &facts->descriptor_bytes);
    }
    return error;
}

int app_info(const args_options *options)
{
    HANDLE device = device_open(options->device);
    static device_facts facts;
    char text[160];
    DWORD error;

    if (!device) {
        return 1;
    }
    error = ask(device, &facts);
    CloseHandle(device);
    if (error) {
        fprintf(stderr, "isoav: the device cannot be asked: %s\n",
                device_error(error, text));
        return 1;
    }
    if (options->json) {
        info_json(&facts);
    } else {
        info_text(&facts);
    }
    return 0;
}
