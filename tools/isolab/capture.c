/*
 * isolab capture: what is on the bus of a guest that runs, as pcap.
 *
 * The controller writes the file (hw/capture); this only says when it begins
 * and ends. Seconds are the guest's, and looked at ten times a second of ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "json.h"
#include "vm.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>

#define LOOK_EVERY_MS 100
#define UF_PER_SECOND 8000.0

typedef struct {
    char *out;
    double seconds;
    bool background;
    bool stop;
} capture_options;

typedef struct {
    const isolab_call *call;
    const capture_options *options;
    isolab_call guest; /* with its socket */
    GMainLoop *loop;
    int64_t began_uf;
    bool gone; /* the guest has ended */
} capture;

static bool set(const isolab_call *guest, const char *value, int64_t *uf,
                GError **error)
{
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = isolab_vm_connect(guest, &controller, error);
    g_autoptr(JsonObject) stats = NULL;

    if (!q || !isolab_qmp_set_text(q, controller, "capture", value, error)) {
        return false;
    }
    stats = isolab_qmp_get_object(q, controller, "stats", error);
    if (stats && uf) {
        *uf = isolab_json_int(stats, "uf", 0);
    }
    return stats;
}

static int64_t now_uf(const isolab_call *guest)
{
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = isolab_vm_connect(guest, &controller, NULL);
    g_autoptr(JsonObject) stats =
        q ? isolab_qmp_get_object(q, controller, "stats", NULL) : NULL;

    return stats ? isolab_json_int(stats, "uf", 0) : -1;
}

static gboolean look(gpointer opaque)
{
    capture *c = opaque;
    int64_t uf = now_uf(&c->guest);

    c->gone = uf < 0;
    if (c->gone || (c->options->seconds &&
                    uf - c->began_uf >= c->options->seconds * UF_PER_SECOND)) {
        g_main_loop_quit(c->loop);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean stop(gpointer opaque)
{
    g_main_loop_quit(((capture *)opaque)->loop);
    return G_SOURCE_CONTINUE;
}

static void wait_for_the_end(capture *c)
{
    c->loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGINT, stop, c);
    g_unix_signal_add(SIGTERM, stop, c);
    g_timeout_add(LOOK_EVERY_MS, look, c);
    if (!c->call->quiet) {
        fprintf(stderr, "isolab: capturing to %s; Ctrl-C ends it.\n",
                c->options->out);
    }
    g_main_loop_run(c->loop);
    g_main_loop_unref(c->loop);
}

static void report(const capture *c, const char *path, int64_t uf)
{
    g_autoptr(JsonObject) report = json_object_new();
    double seconds = (uf - c->began_uf) / UF_PER_SECOND;
    GStatBuf st;
    gint64 bytes = g_stat(path, &st) == 0 ? st.st_size : 0;

    if (c->call->json) {
        json_object_set_string_member(report, "file", path);
        json_object_set_int_member(report, "bytes", bytes);
        if (!c->gone) {
            json_object_set_double_member(report, "seconds", seconds);
        }
        isolab_json_print(report);
    } else if (!c->call->quiet) {
        fprintf(stderr, "isolab: %s has %" G_GINT64_FORMAT " bytes%s\n", path,
                bytes, c->gone ? "; the guest has ended." : ".");
    }
}

static int refused(GError **error)
{
    return (*error)->domain == ISOLAB_ERROR ? (*error)->code : ISOLAB_FAILED;
}

static int run(const isolab_call *call, GError **error)
{
    const capture_options *o = call->options;
    capture c = { .call = call, .options = o };
    g_autofree char *socket = NULL;
    g_autofree char *path = NULL;
    int64_t uf = 0;

    if (!o->out == !o->stop) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Name a file with --out, or end a capture with --stop.");
        return ISOLAB_USAGE;
    }
    socket = isolab_vm_socket(call, error);
    if (!socket) {
        return ISOLAB_NO_GUEST;
    }
    c.guest.qmp = socket;
    /* QEMU may be in another folder */
    path = g_canonicalize_filename(o->stop ? "." : o->out, NULL);
    if (!set(&c.guest, o->stop ? "" : path, &c.began_uf, error)) {
        return refused(error);
    }
    if (o->stop || o->background) {
        return ISOLAB_OK;
    }
    wait_for_the_end(&c);
    if (!c.gone && !set(&c.guest, "", &uf, error)) {
        return refused(error);
    }
    report(&c, path, uf);
    return ISOLAB_OK;
}

#define AT(field) offsetof(capture_options, field)

static const isolab_option options[] = {
    { "out", 'o', ISOLAB_FILE, AT(out), "FILE", "the pcap file to write",
      NULL },
    { "seconds", 's', ISOLAB_SECONDS, AT(seconds), "SECONDS",
      "so long by the guest's clock; else until Ctrl-C", NULL },
    { "background", 'b', ISOLAB_FLAG, AT(background), NULL,
      "begin, and do not wait", NULL },
    { "stop", 0, ISOLAB_FLAG, AT(stop), NULL, "end a capture", NULL },
    { .name = NULL },
};

const isolab_command isolab_capture = {
    .name = "capture",
    .summary = "write down what is on the bus, for Wireshark",
    .about =
        "Writes each USB packet of a guest that runs to a pcap file, in the\n"
        "format of Linux's usbmon, with the guest's time. A file that is\n"
        "there is written anew. `isolab run --capture` begins with the first\n"
        "instruction.",
    .examples = "  $ isolab capture --out stream.pcap --seconds 2\n"
                "  $ wireshark stream.pcap\n"
                "  $ isolab capture --out long.pcap --background\n"
                "  $ isolab capture --stop\n",
    .talks = true,
    .options = options,
    .options_bytes = sizeof(capture_options),
    .run = run,
};
