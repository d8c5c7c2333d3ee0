/*
 * isolab report: what happened in a run, on one page. The page is written
 * aside and renamed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "report.h"

#include <stdio.h>

#include "command.h"
#include "json.h"

typedef struct {
    report_files files;
    char *out;
    bool strict;
    bool findings_pass;
} report_options;

static char *choose_out(const report_options *o, const char *dir, bool json)
{
    return o->out ? g_strdup(o->out)
           : json ? NULL
           : dir  ? g_build_filename(dir, "report.html", NULL)
                  : g_strdup("report.html");
}

static void say(const report *r, const report_options *o,
                const isolab_call *call, const char *out)
{
    g_autofree char *verdict = report_verdict(r, o->strict);

    if (call->json) {
        g_autoptr(JsonObject) loop = report_loop_json(r, o->strict);

        isolab_json_print(loop);
    } else if (!call->quiet) {
        printf("%s\n%s\n", verdict, out);
    }
}

static int run(const isolab_call *call, GError **error)
{
    const report_options *o = call->options;
    const char *dir = call->operands ? call->operands[0] : NULL;
    g_autofree char *out = choose_out(o, dir, call->json);
    report r;
    int status = ISOLAB_USAGE;

    if (report_read(&r, &o->files, dir, error)) {
        status = ISOLAB_FAILED;
        if (!out || report_write(&r, o->strict, out, error)) {
            say(&r, o, call, out);
            status = report_findings(&r, o->strict) && !o->findings_pass
                         ? ISOLAB_FAILED
                         : ISOLAB_OK;
        }
    }
    report_clear(&r);
    return status;
}

#define AT(field) offsetof(report_options, field)

static const isolab_option options[] = {
    { "capture", 0, ISOLAB_FILE, AT(files.capture), "FILE",
      "what was on the bus: a pcap file of ixhci or of usbmon", NULL },
    { "fault-log", 0, ISOLAB_FILE, AT(files.fault_log), "FILE",
      "what was injected: the lines of a fault log", NULL },
    { "driver-log", 0, ISOLAB_TEXTS, AT(files.driver_logs), "FILE",
      "what a driver saw: `isoav log --json`, a pcap file, or the kernel's "
      "messages; may be repeated",
      NULL },
    { "frames", 0, ISOLAB_FOLDER, AT(files.frames), "DIR",
      "captured frames, as PNG files", NULL },
    { "out", 'o', ISOLAB_FILE, AT(out), "FILE",
      "the page (DIR/report.html; none with --json)", NULL },
    { "title", 0, ISOLAB_TEXT, AT(files.title), "TEXT", "heading of the page",
      NULL },
    { "strict", 0, ISOLAB_FLAG, AT(strict), NULL,
      "a fault that no log reaches is a finding, too", NULL },
    { "findings-pass", 0, ISOLAB_FLAG, AT(findings_pass), NULL,
      "exit status 0 whatever is found", NULL },
    { .name = NULL },
};

const isolab_command isolab_report = {
    .name = "report",
    .summary = "show a run on one page, and what its faults led to",
    .operands = "[DIR]",
    .about =
        "Makes one HTML file of a run: packets by microframe, bandwidth,\n"
        "jitter, latency, failed packets, faults, frames. It needs no "
        "network,\n"
        "and says the same in tables where there is no JavaScript.\n"
        "\n"
        "Each fault that was injected is held against what the driver "
        "recorded\n"
        "of that packet, and each error that it recorded against the faults:\n"
        "a fault without the consequence that it must have, and an error that\n"
        "no fault explains, are findings. The exit status is 1 if there is "
        "one.\n"
        "\n"
        "DIR is the folder of `isolab run`. In it are looked for: "
        "faults.jsonl,\n"
        "capture.pcap, log.json (`isoav log --json`), dmesg.log or guest.log,\n"
        "frames/*.png or *.png, summary.json and capture.json.",
    .examples = "  $ isolab report isolab-run\n"
                "  # writes isolab-run/report.html\n"
                "  $ isolab report --json isolab-run\n"
                "  # only the closed loop, for a program\n"
                "  $ isolab report --capture usb.pcap --driver-log dmesg.txt\n"
                "  # of files from elsewhere; writes report.html\n",
    .takes_files = true,
    .max_operands = 1,
    .options = options,
    .options_bytes = sizeof(report_options),
    .run = run,
};
