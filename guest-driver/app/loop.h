/*
 * A stream out and a stream back: the device's test function in loopback.
 *
 * What is sent is cut into packets by `fill`; what comes back, byte for byte
 * the same, goes to `take`. The device keeps 64 packets at most, so that only
 * as many as one ring sends at a time are on their way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_LOOP_H
#define ISOAV_APP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "device.h"
#include "stream.h"

typedef struct loop {
    /* The payload of the next packet, up to `most` bytes at data. */
    uint32_t (*fill)(void *context, uint8_t *data, uint32_t most);
    /* Payload that came back, in order. False: it is not what was sent. */
    bool (*take)(void *context, const uint8_t *data, uint32_t bytes);
    void *context;
    uint64_t packets; /* to send; whole rings are sent */

    /* Results. */
    stream out, in;
    uint64_t sent, returned;
    uint64_t lost;    /* by their sequence numbers */
    uint64_t damaged; /* status, header, CRC or content */
    char trouble[DEVICE_TROUBLE_BYTES];
} loop;

/* Opens, starts, goes around, stops. True: all of it came back. */
bool loop_run(loop *l, const args_options *options);

void loop_report(const loop *l, const args_options *options, const char *what);

#endif
