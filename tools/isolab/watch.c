/*
 * isolab watch: looks at the controller again and again.
 *
 *  1. For each look it connects anew, so that others come to the QMP socket
 *     between (qmp.h, rule 2).
 *  2. On a terminal the view is drawn over itself; elsewhere each look is a
 *     block of lines, or with --json a line.
 *  3. It ends by itself when the guest does: 0, or 4 if --count has not been
 *     reached.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "watch.h"

#include "command.h"
#include "json.h"
#include "terminal.h"
#include "vm.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
    double interval;
    int64_t count;
} watch_options;

typedef struct {
    const isolab_call *call;
    const watch_options *options;
    isolab_call guest; /* with the socket found at the first look */
    GMainLoop *loop;
    JsonObject *before;
    JsonObject *sample; /* the last one */
    int64_t looks;
    bool live;
    GError *error;
} watch;

static JsonObject *fetch(watch *w, JsonObject **plan, GError **error)
{
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = isolab_vm_connect(&w->guest, &controller, error);
    g_autofree char *text = NULL;

    if (!q) {
        return NULL;
    }
    text = isolab_qmp_get_text(q, controller, "fault-plan", NULL);
    *plan = text && *text ? isolab_json_parse(text, NULL) : NULL;
    return isolab_qmp_get_object(q, controller, "stats", error);
}

static void show(const watch *w)
{
    g_autofree char *text = NULL;

    if (w->call->json) {
        isolab_json_print(w->sample);
        return;
    }
    text =
        isolab_watch_view(w->sample, isolab_terminal_width(STDOUT_FILENO, 100),
                          g_get_charset(NULL));
    if (w->live) {
        isolab_terminal_draw(text);
        return;
    }
    printf("%s%s", w->looks ? "\n" : "", text);
    fflush(stdout);
}

/* False: there is nothing more to see. */
static bool look(watch *w)
{
    g_autoptr(JsonObject) plan = NULL;
    JsonObject *now = fetch(w, &plan, &w->error);

    if (!now) {
        return false;
    }
    g_clear_pointer(&w->sample, json_object_unref);
    w->sample = isolab_watch_sample(now, w->before, plan);
    g_clear_pointer(&w->before, json_object_unref);
    w->before = now;
    show(w);
    w->looks++;
    return !ferror(stdout) &&
           !(w->options->count && w->looks >= w->options->count);
}

static gboolean again(gpointer opaque)
{
    watch *w = opaque;

    if (!look(w)) {
        g_main_loop_quit(w->loop);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static gboolean stop(gpointer opaque)
{
    g_main_loop_quit(((watch *)opaque)->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean resized(gpointer opaque)
{
    watch *w = opaque;

    if (w->live && w->sample) {
        show(w);
    }
    return G_SOURCE_CONTINUE;
}

static void go_on(watch *w)
{
    double interval = w->options->interval ? w->options->interval : 1;

    w->loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGINT, stop, w);
    g_unix_signal_add(SIGTERM, stop, w);
    g_unix_signal_add(SIGWINCH, resized, w);
    g_timeout_add(CLAMP(interval * 1000, 10, 1e9), again, w);
    g_main_loop_run(w->loop);
    g_main_loop_unref(w->loop);
}

/* Rule 3. */
static int judge(watch *w, GError **error)
{
    bool ended = w->error && w->error->domain == ISOLAB_ERROR &&
                 w->error->code == ISOLAB_NO_GUEST && w->looks;

    if (ended && !w->options->count) {
        if (!w->call->quiet) {
            fprintf(stderr, "isolab: the guest has ended.\n");
        }
        return ISOLAB_OK;
    }
    if (w->error) {
        g_propagate_error(error, g_steal_pointer(&w->error));
        return ISOLAB_NO_GUEST;
    }
    return ISOLAB_OK;
}

static int run(const isolab_call *call, GError **error)
{
    watch w = {
        .call = call,
        .options = call->options,
        .live = !call->json && isolab_terminal_is(STDOUT_FILENO),
    };
    bool more;
    int status;

    w.guest.qmp = isolab_vm_socket(call, error);
    if (!w.guest.qmp) {
        return ISOLAB_NO_GUEST;
    }
    if (w.live) {
        isolab_terminal_begin();
    }
    more = look(&w);
    if (more) {
        go_on(&w);
    }
    if (w.live) {
        isolab_terminal_end();
    }
    status = judge(&w, error);
    g_clear_error(&w.error);
    g_clear_pointer(&w.before, json_object_unref);
    g_clear_pointer(&w.sample, json_object_unref);
    g_free(w.guest.qmp);
    return status;
}

static const isolab_option options[] = {
    { "interval", 'n', ISOLAB_SECONDS, offsetof(watch_options, interval),
      "SECONDS", "between two looks (1)", NULL },
    { "count", 'c', ISOLAB_NUMBER, offsetof(watch_options, count), "N",
      "end after N looks", NULL },
    { .name = NULL },
};

const isolab_command isolab_watch = {
    .name = "watch",
    .summary = "see live what the controller does",
    .about =
        "Shows, once a second, the controller's time and ports; the bytes "
        "that\n"
        "periodic endpoints have reserved of each microframe; each endpoint\n"
        "with its TDs and bytes per second of the guest's time, TDs that were\n"
        "missed, rings that ran dry (xruns), completion codes other than\n"
        "success; and the rules of a fault plan with their hits.\n"
        "\n"
        "UF is the service interval in microframes, PAYLOAD the Max ESIT\n"
        "Payload in bytes. Ctrl-C ends it, the guest goes on.",
    .examples =
        "  $ isolab watch\n"
        "  $ isolab watch --count 1\n"
        "  # how it stands now\n"
        "  $ isolab watch --json --count 10 --interval 0.5 >looks.jsonl\n"
        "  $ isolab watch --qmp /run/user/1000/my-qemu.sock\n",
    .talks = true,
    .options = options,
    .options_bytes = sizeof(watch_options),
    .run = run,
};
