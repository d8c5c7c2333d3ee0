/*
 * isoav capture --wav: the test stream as sound.
 *
 * What 82h sends, rule 6 of isolab/isoav.h, is a sawtooth of 256 samples when
 * its bytes are taken for 8-bit PCM. The file has as many samples a second as
 * the alternate setting carries bytes, so that it lasts as long as the stream
 * did: what can be heard is when packets came. A packet that was lost or
 * damaged is silence of its length (80h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "choose.h"
#include "report.h"
#include "stream.h"
#include "device.h"
#include "testdata.h"
#include "wav.h"

#define SILENCE 0x80

typedef struct {
    const args_options *options;
    stream s;
    account packets;
    wav_format format;
    uint32_t payload; /* bytes of a packet */
    uint32_t next;    /* sequence number that has no place in the file yet */
    uint64_t damaged; /* packets with another payload than the pattern */
    FILE *file;
    char trouble[DEVICE_TROUBLE_BYTES]; /* why it ended early, or empty */
} recorder;

static bool fail(recorder *r, const char *what, DWORD error)
{
    return device_trouble(r->trouble, what, error);
}

/* NULL: --packets fits, or there is no such alternate, as the driver will say.
 */
static const char *refuse_packets(recorder *r, const isoav_start *s,
                                  char text[160])
{
    const char *why = NULL;
    isoav_info info;
    uint32_t i;

    if (device_control(r->s.device, ISOAV_IOCTL_GET_INFO, NULL, 0, &info,
                       sizeof(info))) {
        return NULL;
    }
    for (i = 0; i < info.alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        if (info.alternate[i].endpoint == s->endpoint &&
            info.alternate[i].alternate == s->alternate) {
            why = choose_refuse_packets(text, info.speed, &info.alternate[i],
                                        s->packets);
        }
    }
    return why;
}

static bool start(recorder *r)
{
    const args_options *o = r->options;
    isoav_start s = { .interface_number = ISOAV_IFACE_TEST,
                      .alternate = (uint8_t)(o->alternate ? o->alternate : 1),
                      .endpoint = ISOAV_EP_TEST_IN,
                      .urbs = o->urbs,
                      .packets = o->packets };
    isoav_mode mode = { ISOAV_MODE_SOURCE_SINK };
    DWORD error = stream_open(&r->s, o->device);
    char text[160];

    if (error) {
        return fail(r, "the device does not open: ", error);
    }
    if (refuse_packets(r, &s, text)) {
        return fail(r, text, 0);
    }
    error = device_control(r->s.device, ISOAV_IOCTL_SET_MODE, &mode,
                           sizeof(mode), NULL, 0);
    if (error) {
        return fail(r, "the device's mode: ", error);
    }
    error = stream_start(&r->s, &s);
    return error ? fail(r, "the stream does not start: ", error) : true;
}

/* The file is as long as all packets are, from the beginning. */
static bool open_file(recorder *r)
{
    const isoav_started *s = &r->s.started;
    uint8_t header[WAV_HEADER_BYTES];
    uint64_t bytes;

    r->payload = s->packet_bytes - ISOAV_HEADER_BYTES;
    bytes = (uint64_t)r->payload * r->options->count;
    if (r->payload > ISOAV_PACKET_MAX) {
        return fail(r, "the driver's packets are larger than any", 0);
    }
    if (bytes > INT32_MAX) {
        return fail(r,
                    "a WAV file has less than 2 GiB: take fewer packets, or "
                    "a smaller alternate",
                    0);
    }
    r->format = (wav_format){ .rate = r->payload * 8000 / s->period_uf,
                              .channels = 1,
                              .bits = 8,
                              .data_bytes = (uint32_t)bytes };
    wav_header(header, &r->format);
    r->file = fopen(r->options->wav, "wb");
    if (!r->file ||
        fwrite(header, 1, sizeof(header), r->file) != sizeof(header)) {
        return fail(r, "the WAV file cannot be written", 0);
    }
    return true;
}

/* `count` packets of silence, or of the payload at data. */
static bool write_packets(recorder *r, const uint8_t *data, uint32_t count)
{
    uint8_t silence[ISOAV_PACKET_MAX];

    memset(silence, SILENCE, sizeof(silence));
    for (; count; count--) {
        if (fwrite(data ? data : silence, 1, r->payload, r->file) !=
            r->payload) {
            return fail(r, "the WAV file cannot be written", 0);
        }
        r->next++;
    }
    return true;
}

/* A packet that has come; one that is out of its order has had its silence. */
static bool take_packet(recorder *r, const uint8_t *wire, uint32_t bytes,
                        const isoav_packet *packet)
{
    uint32_t end = packet->sequence, count = r->options->count;
    isoav_packet again;

    if (packet->sequence < r->next) {
        return true;
    }
    if (!write_packets(r, NULL, (end < count ? end : count) - r->next)) {
        return false;
    }
    if (packet->length != r->payload ||
        !testdata_is_right(wire, bytes, &again)) {
        r->damaged++;
        return true;
    }
    return end >= count || write_packets(r, wire + ISOAV_HEADER_BYTES, 1);
}

static bool take_records(recorder *r, const uint8_t *data, DWORD bytes)
{
    isoav_record record;
    isoav_packet packet;
    DWORD at;

    for (at = 0; at < bytes && r->next < r->options->count;
         at += record.record_bytes) {
        const uint8_t *wire = data + at + sizeof(record);

        if (bytes - at < sizeof(record)) {
            return fail(r, "the driver's records make no sense", 0);
        }
        memcpy(&record, data + at, sizeof(record));
        if (record.record_bytes > bytes - at ||
            record.record_bytes != ISOAV_RECORD_BYTES(record.length)) {
            return fail(r, "the driver's records make no sense", 0);
        }
        if (account_record(&r->packets, &record, wire, &packet) &&
            !take_packet(r, wire, record.length, &packet)) {
            return false;
        }
    }
    return true;
}

static void receive(recorder *r)
{
    uint8_t *data = malloc(STREAM_READ_BYTES);
    uint64_t most = 2ull * r->options->count + 8192;
    DWORD error, bytes;

    if (!data) {
        fail(r, "no memory", 0);
    }
    while (!r->trouble[0] && r->next < r->options->count) {
        error = stream_read(&r->s, data, STREAM_READ_BYTES, &bytes);
        if (error) {
            fail(r, "reading: ", error);
        } else if (take_records(r, data, bytes) && r->packets.packets > most) {
            fail(r, "too few of the packets are good", 0);
        }
    }
    free(data);
}

/* Where it ended early, the header says how much there is. */
static void close_file(recorder *r)
{
    uint8_t header[WAV_HEADER_BYTES];
    bool good;

    if (!r->file) {
        return;
    }
    r->format.data_bytes = r->next * r->payload;
    wav_header(header, &r->format);
    good = fseek(r->file, 0, SEEK_SET) == 0 &&
           fwrite(header, 1, sizeof(header), r->file) == sizeof(header);
    if (fclose(r->file) != 0 || !good) {
        fail(r, "the WAV file cannot be written", 0);
    }
}

static bool summarise(const recorder *r)
{
    const account *a = &r->packets;
    bool good = !r->trouble[0] && !r->damaged && account_is_perfect(a);
    char status[REPORT_STATUSES_BYTES];

    report_statuses(status, a);
    if (!r->options->json) {
        printf("sound    %" PRIu32 " packets, %" PRIu32 " bytes at %" PRIu32
               " a second, in %s\npackets  %s\n",
               r->next, r->format.data_bytes, r->format.rate, r->options->wav,
               status);
        printf("  lost %" PRIu64 ", damaged %" PRIu64 ", late %" PRIu64 "\n",
               a->lost, r->damaged + a->bad_crc + a->bad_header, a->late);
        if (r->trouble[0]) {
            printf("stopped  %s\n", r->trouble);
        }
        printf("result   %s\n", good ? "perfect" : "not perfect");
        return good;
    }
    printf("{\"packets\": %" PRIu32 ", \"bytes\": %" PRIu32
           ", \"rate\": %" PRIu32 ", \"status\": ",
           r->next, r->format.data_bytes, r->format.rate);
    report_json_string(stdout, status);
    printf(", \"lost\": %" PRIu64 ", \"damaged\": %" PRIu64
           ", \"late\": %" PRIu64 ", ",
           a->lost, r->damaged + a->bad_crc + a->bad_header, a->late);
    if (r->trouble[0]) {
        printf("\"stopped\": ");
        report_json_string(stdout, r->trouble);
        printf(", ");
    }
    printf("\"perfect\": %s}\n", good ? "true" : "false");
    return good;
}

int app_record(const args_options *options)
{
    static recorder r;

    r.options = options;
    if (start(&r) && open_file(&r)) {
        account_init(&r.packets, ISOAV_STREAM_TEST_IN, r.s.started.period_uf);
        receive(&r);
    }
    stream_close(&r.s);
    close_file(&r);
    if (!r.packets.packets) {
        fprintf(stderr, "isoav: %s\n", r.trouble);
        return 1;
    }
    return summarise(&r) ? 0 : 1;
}
