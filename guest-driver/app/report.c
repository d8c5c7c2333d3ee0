/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>

#include "usbdname.h"

bool report_is_perfect(const report *r)
{
    return !r->trouble && r->frames->complete == r->frames->wanted &&
           account_is_perfect(r->packets);
}

/* A row for each counter that is not a status: JSON key, text, value. */
typedef struct {
    const char *key;
    const char *text;
    uint64_t value;
} counter;

#define COUNTERS 10

static void list_counters(const account *a, counter out[COUNTERS])
{
    const counter rows[COUNTERS] = {
        { "lost", "lost", a->lost },
        { "duplicated", "duplicated", a->duplicated },
        { "out_of_order", "out of order", a->out_of_order },
        { "late", "late", a->late },
        { "early", "early", a->early },
        { "bad_crc", "bad CRC", a->bad_crc },
        { "bad_header", "bad header", a->bad_header },
        { "silent", "silent", a->silent },
        { "overflow", "overflow", a->overflow },
        { "restarts", "restarts", a->restarts },
    };
    int i;

    for (i = 0; i < COUNTERS; i++) {
        out[i] = rows[i];
    }
}

void report_text(FILE *to, const report *r)
{
    const frame_assembler *f = r->frames;
    const account *a = r->packets;
    uint64_t rate = frame_rate_milli(f);
    counter rows[COUNTERS];
    char status[32];
    uint32_t i;

    fprintf(to,
            "%" PRIu32 "x%" PRIu32 " YUY2, %" PRIu32
            " frames/s asked; alternate %" PRIu32 ", up to %" PRIu32
            " bytes every %" PRIu32 " microframe(s)\n",
            f->width, f->height, r->fps, r->alternate, r->packet_bytes,
            r->period_uf);
    fprintf(to,
            "frames   %" PRIu32 " asked, %" PRIu64 " complete, %" PRIu64
            " damaged (%" PRIu64 " with wrong content), %" PRIu64 " missing\n",
            f->wanted, f->complete, f->damaged, f->mismatched, f->missing);
    fprintf(to, "rate     %" PRIu64 ".%03" PRIu64 " frames/s\n", rate / 1000,
            rate % 1000);
    fprintf(to, "packets  %" PRIu64 ", %" PRIu64 " bytes of video\n",
            a->packets, a->bytes);
    for (i = 0; i < a->statuses; i++) {
        usbd_status_text(status, a->status[i].status);
        fprintf(to, "  %-24s %12" PRIu64 "  %s\n", status, a->status[i].packets,
                usbd_status_meaning(a->status[i].status));
    }
    if (a->other_statuses) {
        fprintf(to, "  %-24s %12" PRIu64 "\n", "(others)", a->other_statuses);
    }
    list_counters(a, rows);
    for (i = 0; i < COUNTERS; i++) {
        fprintf(to, "  %-24s %12" PRIu64 "\n", rows[i].text, rows[i].value);
    }
    if (r->trouble) {
        fprintf(to, "stopped  %s\n", r->trouble);
    }
    fprintf(to, "result   %s\n",
            report_is_perfect(r) ? "perfect" : "not perfect");
}

void report_statuses(char text[REPORT_STATUSES_BYTES], const account *a)
{
    char status[32];
    size_t at = 0;
    uint32_t i;

    snprintf(text, REPORT_STATUSES_BYTES, "none yet");
    for (i = 0; i < a->statuses && at < REPORT_STATUSES_BYTES; i++) {
        usbd_status_text(status, a->status[i].status);
        at += (size_t)snprintf(text + at, REPORT_STATUSES_BYTES - at,
                               "%s%s %" PRIu64, i ? ", " : "", status,
                               a->status[i].packets);
    }
}

void report_json_string(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            fprintf(to, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(to, "\\u%04x", c);
        } else {
            fputc(c, to);
        }
    }
    fputc('"', to);
}

static void json_statuses(FILE *to, const account *a)
{
    char status[32];
    uint32_t i;

    fprintf(to, "    \"status\": {");
    for (i = 0; i < a->statuses; i++) {
        usbd_status_text(status, a->status[i].status);
        fprintf(to, "%s\"%s\": %" PRIu64, i ? ", " : "", status,
                a->status[i].packets);
    }
    if (a->other_statuses) {
        fprintf(to, ", \"other\": %" PRIu64, a->other_statuses);
    }
    fprintf(to, "},\n");
}

void report_json(FILE *to, const report *r)
{
    const frame_assembler *f = r->frames;
    const account *a = r->packets;
    uint64_t rate = frame_rate_milli(f);
    counter rows[COUNTERS];
    uint32_t i;

    fprintf(to,
            "{\n  \"format\": {\"width\": %" PRIu32 ", \"height\": %" PRIu32
            ", \"fps\": %" PRIu32 "},\n"
            "  \"alternate\": {\"number\": %" PRIu32
            ", \"packet_bytes\": %" PRIu32 ", \"period_uf\": %" PRIu32 "},\n",
            f->width, f->height, r->fps, r->alternate, r->packet_bytes,
            r->period_uf);
    fprintf(to,
            "  \"frames\": {\"asked\": %" PRIu32 ", \"complete\": %" PRIu64
            ", \"damaged\": %" PRIu64 ", \"mismatched\": %" PRIu64
            ", \"missing\": %" PRIu64 "},\n",
            f->wanted, f->complete, f->damaged, f->mismatched, f->missing);
    fprintf(to, "  \"frames_per_second\": %" PRIu64 ".%03" PRIu64 ",\n",
            rate / 1000, rate % 1000);
    fprintf(to,
            "  \"packets\": {\n    \"total\": %" PRIu64
            ",\n    \"video_bytes\": %" PRIu64 ",\n",
            a->packets, a->bytes);
    json_statuses(to, a);
    list_counters(a, rows);
    for (i = 0; i < COUNTERS; i++) {
        fprintf(to, "    \"%s\": %" PRIu64 "%s\n", rows[i].key, rows[i].value,
                i + 1 < COUNTERS ? "," : "");
    }
    fprintf(to, "  },\n");
    if (r->trouble) {
        fprintf(to, "  \"stopped\": ");
        report_json_string(to, r->trouble);
        fprintf(to, ",\n");
    }
    fprintf(to, "  \"perfect\": %s\n}\n",
            report_is_perfect(r) ? "true" : "false");
}
