/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "report.h"
#include "testdata.h"

#define LOOP_PACKETS 32 /* of an URB, and on their way at a time */

static bool fail(loop *l, const char *what, DWORD error)
{
    return device_trouble(l->trouble, what, error);
}

static bool set_mode(loop *l, uint32_t value)
{
    isoav_mode mode = { value };
    DWORD error = device_control(l->out.device, ISOAV_IOCTL_SET_MODE, &mode,
                                 sizeof(mode), NULL, 0);

    return error ? fail(l, "the device's mode: ", error) : true;
}

static bool start(loop *l, const args_options *options)
{
    isoav_start s = { .interface_number = ISOAV_IFACE_TEST,
                      .alternate = (uint8_t)options->alternate,
                      .endpoint = ISOAV_EP_TEST_OUT,
                      .urbs = options->urbs,
                      .packets = LOOP_PACKETS };
    DWORD error = stream_open(&l->out, options->device);

    if (error) {
        return fail(l, "the device does not open: ", error);
    }
    if (!set_mode(l, ISOAV_MODE_LOOPBACK)) {
        return false;
    }
    error = stream_start(&l->out, &s);
    if (!error) {
        error = stream_open(&l->in, options->device);
    }
    if (!error) {
        s.endpoint = ISOAV_EP_TEST_IN;
        error = stream_start(&l->in, &s);
    }
    return error ? fail(l, "the streams do not start: ", error) : true;
}

static bool send_ring(loop *l, uint8_t *buffer)
{
    uint32_t most = l->out.started.packet_bytes - ISOAV_HEADER_BYTES;
    uint8_t payload[ISOAV_PACKET_MAX];
    uint32_t at = 0, i;
    DWORD error;

    for (i = 0; i < LOOP_PACKETS; i++) {
        uint32_t bytes = l->fill(l->context, payload, most);

        at = testdata_put(buffer, at, (uint32_t)(l->sent + i), payload, bytes);
    }
    l->sent += LOOP_PACKETS;
    error = stream_write(&l->out, buffer, at);
    return error ? fail(l, "writing: ", error) : true;
}

static void take_record(loop *l, const isoav_record *record,
                        const uint8_t *data)
{
    isoav_packet packet;

    if (record->packet_status ||
        isoav_packet_load(&packet, data, record->length) != ISOAV_PACKET_OK) {
        l->damaged++;
        return;
    }
    if (packet.stream != ISOAV_STREAM_TEST_OUT) {
        return; /* a filler */
    }
    if (packet.sequence < (uint32_t)l->returned) {
        l->damaged++;
        return;
    }
    l->lost += packet.sequence - (uint32_t)l->returned;
    l->returned = (uint64_t)packet.sequence + 1;
    if (!testdata_has_crc(data, &packet) ||
        !l->take(l->context, data + ISOAV_HEADER_BYTES, packet.length)) {
        l->damaged++;
    }
}

static bool read_some(loop *l, uint8_t *buffer)
{
    isoav_record record;
    DWORD error, bytes, at;

    error = stream_read(&l->in, buffer, STREAM_READ_BYTES, &bytes);
    if (error) {
        return fail(l, "reading: ", error);
    }
    for (at = 0; at < bytes; at += record.record_bytes) {
        if (bytes - at < sizeof(record)) {
            return fail(l, "the driver's records make no sense", 0);
        }
        memcpy(&record, buffer + at, sizeof(record));
        if (record.record_bytes > bytes - at ||
            record.record_bytes != ISOAV_RECORD_BYTES(record.length)) {
            return fail(l, "the driver's records make no sense", 0);
        }
        take_record(l, &record, buffer + at + sizeof(record));
    }
    return true;
}

/* Packets that were lost do not come: a ring is given up after some time. */
static bool go_around(loop *l, uint8_t *buffer)
{
    uint32_t idle = 0;
    uint64_t before;

    while (l->returned < l->packets) {
        before = l->returned;
        if (l->returned == l->sent && !send_ring(l, buffer)) {
            return false;
        }
        if (!read_some(l, buffer)) {
            return false;
        }
        idle = l->returned == before ? idle + 1 : 0;
        if (idle == 1000) {
            return fail(l, "packets do not come back", 0);
        }
    }
    return true;
}

bool loop_run(loop *l, const args_options *options)
{
    uint8_t *buffer = malloc(STREAM_READ_BYTES);
    bool good = buffer && start(l, options) && go_around(l, buffer);

    if (!buffer) {
        fail(l, "no memory", 0);
    }
    stream_close(&l->in);
    if (l->out.device) {
        stream_stop(&l->out);
        set_mode(l, ISOAV_MODE_SOURCE_SINK);
    }
    stream_close(&l->out);
    free(buffer);
    return good && !l->trouble[0] && !l->lost && !l->damaged;
}

void loop_report(const loop *l, const args_options *options, const char *what)
{
    bool good = !l->trouble[0] && !l->lost && !l->damaged;

    if (options->json) {
        printf("{\"alternate\": %" PRIu32 ", \"sent\": %" PRIu64
               ", \"returned\": %" PRIu64 ", \"lost\": %" PRIu64
               ", \"damaged\": %" PRIu64 ", ",
               options->alternate, l->sent, l->returned, l->lost, l->damaged);
        if (l->trouble[0]) {
            printf("\"stopped\": ");
            report_json_string(stdout, l->trouble);
            printf(", ");
        }
        printf("\"perfect\": %s}\n", good ? "true" : "false");
        return;
    }
    printf("%s: %" PRIu64 " packets sent, %" PRIu64 " came back, %" PRIu64
           " lost, %" PRIu64 " damaged\n",
           what, l->sent, l->returned, l->lost, l->damaged);
    if (l->trouble[0]) {
        printf("stopped: %s\n", l->trouble);
    }
    printf("result: %s\n", good ? "perfect" : "not perfect");
}
