/*
 * isolab run: the course of a run.
 *
 *  1. QEMU starts stopped. What the options ask for is set over QMP, before
 *     the guest's first instruction, so that a mistake is said in our words;
 *     then the guest is announced (vm.h) and runs.
 *  2. It ends when the guest shuts down, when QEMU ends, at a limit of time,
 *     or by Ctrl-C, SIGTERM or SIGHUP. Whichever it is, what QEMU has counted
 *     is fetched before it is told to quit, and the folder of results is
 *     complete.
 *  3. The exit status says how it ended: the job's own verdict (0 or 1), 3 for
 *     a guest that did not come to an end, 130 or 143 for one that was ended.
 *  4. --timeout is of the guest's time and looked at four times a second of
 *     ours; --host-timeout is the safety net below.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "run.h"

#include "fault-check.h"
#include "json.h"
#include "library.h"
#include "vm.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONTROLLER "/machine/peripheral/xhci"
#define UF_PER_SECOND 8000.0
/* A QEMU that was told to quit. */
#define QUIT_PATIENCE_S 10
/* One that starts, on a machine that has much to do. */
#define START_PATIENCE_MS 60000
#define LOOK_EVERY_MS 250

typedef enum {
    GOES_ON,
    GUEST_ENDED,
    QEMU_ENDED,
    OUT_OF_TIME,      /* the guest's */
    OUT_OF_HOST_TIME, /* ours */
    SIGNALLED,
} end;

typedef struct {
    isolab_guest guest;
    isolab_vm *vm;
    isolab_process *process;
    isolab_qmp *qmp;
    isolab_console *console;
    GMainLoop *loop;
    GArray *sources; /* guint */
    JsonObject *summary;
    char *plan; /* of faults; NULL: none */
    end end;
    int signal;
    bool panicked; /* the guest said so to QEMU */
    bool quiet;
} course;

static void finish(course *c, end how)
{
    if (c->end == GOES_ON) {
        c->end = how;
    }
    g_main_loop_quit(c->loop);
}

static void process_ended(void *opaque)
{
    finish(opaque, QEMU_ENDED);
}

static gboolean got_signal(course *c, int number)
{
    if (c->end != GOES_ON) {
        return G_SOURCE_CONTINUE; /* it is on its way */
    }
    c->signal = number;
    finish(c, SIGNALLED);
    return G_SOURCE_CONTINUE;
}

static gboolean got_sigint(gpointer opaque)
{
    return got_signal(opaque, SIGINT);
}

static gboolean got_sigterm(gpointer opaque)
{
    return got_signal(opaque, SIGTERM);
}

/* False: QEMU says no more. */
static bool take_events(course *c)
{
    g_autoptr(GError) error = NULL;
    JsonObject *event;

    while ((event = isolab_qmp_next_event(c->qmp, &error))) {
        const char *name = isolab_json_text(event, "event");

        if (g_strcmp0(name, "SHUTDOWN") == 0) {
            finish(c, GUEST_ENDED);
        } else if (g_strcmp0(name, "GUEST_PANICKED") == 0) {
            c->panicked = true;
        }
        json_object_unref(event);
    }
    return !error;
}

static gboolean qmp_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    return take_events(opaque) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Rule 4. */
static gboolean look(gpointer opaque)
{
    course *c = opaque;
    g_autoptr(JsonObject) stats =
        isolab_qmp_get_object(c->qmp, CONTROLLER, "stats", NULL);

    take_events(c);
    if (stats && isolab_json_int(stats, "uf", 0) >=
                     c->guest.options->timeout * UF_PER_SECOND) {
        finish(c, OUT_OF_TIME);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean host_time_is_up(gpointer opaque)
{
    finish(opaque, OUT_OF_HOST_TIME);
    return G_SOURCE_CONTINUE;
}

static void keep_source(course *c, guint source)
{
    g_array_append_val(c->sources, source);
}

/* The job, and the variables before it. */
static bool write_job(const isolab_guest *g, GError **error)
{
    g_autofree char *path = isolab_results_path(g, "job");
    g_autofree char *job = NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (!g->is_ours) {
        return true;
    }
    if (!g_file_get_contents(g->job, &job, NULL, error)) {
        return false;
    }
    for (char **set = g->options->set; set && *set; set++) {
        g_string_append_printf(text, "%s\n", *set);
    }
    g_string_append(text, job);
    return g_file_set_contents(path, text->str, -1, error);
}

/* Linux takes archives one behind the other. */
static bool write_initrd(const isolab_guest *g, GError **error)
{
    g_autofree char *path = isolab_results_path(g, "initramfs.img");
    g_autofree char *base = NULL;
    g_autofree char *more = NULL;
    g_autoptr(GByteArray) all = g_byte_array_new();
    gsize base_bytes, more_bytes;

    if (!g->options->add) {
        return true;
    }
    if (!g_file_get_contents(g->files.initrd, &base, &base_bytes, error) ||
        !g_file_get_contents(g->options->add, &more, &more_bytes, error)) {
        return false;
    }
    g_byte_array_append(all, (guint8 *)base, base_bytes);
    g_byte_array_append(all, (guint8 *)more, more_bytes);
    return g_file_set_contents(path, (char *)all->data, all->len, error);
}

static bool start_qemu(course *c, char *const *rest, GError **error)
{
    g_auto(GStrv) arguments = isolab_guest_arguments(&c->guest, rest);
    g_autofree char *log = isolab_results_path(&c->guest, "qemu.err");
    isolab_start_plan start = {
        .vm = c->vm,
        .program = c->guest.files.qemu,
        .arguments = arguments,
        .log = log,
        .patience_ms = START_PATIENCE_MS,
        .ended = process_ended,
        .opaque = c,
    };
    bool started = isolab_start(&start, error);

    c->process = start.process;
    c->qmp = start.qmp;
    return started;
}

/* The plan of the file, with another seed if --seed says so. */
static char *read_plan(const isolab_guest *g, const char *file, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonObject) plan = NULL;

    if (!g_file_get_contents(file, &text, NULL, error)) {
        g_clear_error(error);
        isolab_library_refuse(file, error);
        return NULL;
    }
    plan = isolab_fault_check(file, text, error);
    if (!plan) {
        return NULL;
    }
    if (g->options->seed) {
        json_object_set_int_member(plan, "seed", g->seed);
    }
    return isolab_json_line(plan);
}

static bool set_fault_plan(course *c, GError **error)
{
    return !c->plan || isolab_qmp_set_text(c->qmp, CONTROLLER, "fault-plan",
                                           c->plan, error);
}

/* Rule 1. */
static bool set_up(course *c, GError **error)
{
    const isolab_run_options *o = c->guest.options;
    JsonObject *about = json_object_new();
    g_autofree char *out = g_canonicalize_filename(c->guest.out, NULL);
    g_autoptr(JsonNode) answer = NULL;
    bool announced;

    json_object_set_string_member(about, "guest", c->guest.kind);
    json_object_set_string_member(about, "out", out);
    json_object_set_int_member(about, "qemu-pid",
                               isolab_process_id(c->process));
    if (!set_fault_plan(c, error) ||
        (o->capture && !isolab_qmp_set_text(c->qmp, CONTROLLER, "capture",
                                            o->capture, error))) {
        json_object_unref(about);
        return false;
    }
    announced = isolab_vm_announce(c->vm, about, error);
    json_object_unref(about);
    answer = announced ? isolab_qmp_execute(c->qmp, "cont", NULL, error) : NULL;
    if (answer && !c->quiet) {
        fprintf(stderr, "isolab: %s runs; `isolab watch` shows it.\n",
                isolab_vm_name(c->vm));
    }
    return answer;
}

static void watch_for_the_end(course *c)
{
    const isolab_run_options *o = c->guest.options;

    keep_source(c, g_unix_fd_add(isolab_qmp_fd(c->qmp), G_IO_IN | G_IO_HUP,
                                 qmp_readable, c));
    if (o->timeout) {
        keep_source(c, g_timeout_add(LOOK_EVERY_MS, look, c));
    }
    if (o->host_timeout) {
        keep_source(c, g_timeout_add(MIN(o->host_timeout * 1000, 2e9),
                                     host_time_is_up, c));
    }
    /* the answer to `cont` may have brought events with it */
    take_events(c);
}

/* Rule 2. */
static void end_qemu(course *c)
{
    JsonNode *answer;

    if (!isolab_process_has_ended(c->process)) {
        isolab_results_collect(&c->guest, c->qmp, c->summary);
        answer = isolab_qmp_execute(c->qmp, "quit", NULL, NULL);
        g_clear_pointer(&answer, json_node_unref);
    }
    isolab_process_stop(c->process, QUIT_PATIENCE_S);
}

static int no_end(GError **error, const char *console, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static int no_end(GError **error, const char *console, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    va_start(ap, format);
    why = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_END, "%s: see %s.", why,
                console);
    return ISOLAB_NO_END;
}

/* Rule 3. */
static int judge(course *c, GError **error)
{
    const isolab_run_options *o = c->guest.options;
    g_autofree char *console = isolab_results_path(&c->guest, "guest.log");
    g_autofree char *log = isolab_results_path(&c->guest, "qemu.err");
    g_autofree char *text = NULL;
    g_autofree char *panic = NULL;
    g_autofree char *how = isolab_process_end(c->process);
    g_autofree char *said = NULL;
    int status = -1;

    if (g_file_get_contents(console, &text, NULL, NULL)) {
        status = isolab_console_end(text);
        panic = isolab_console_panic(text);
    }
    switch (c->end) {
    case SIGNALLED:
        return c->signal == SIGINT ? ISOLAB_INTERRUPTED : ISOLAB_TERMINATED;
    case OUT_OF_TIME:
        return no_end(error, console,
                      "the guest did not end in %g seconds of its time",
                      o->timeout);
    case OUT_OF_HOST_TIME:
        return no_end(error, console, "the guest did not end in %g seconds",
                      o->host_timeout);
    case QEMU_ENDED:
        said = isolab_start_said(log);
        return no_end(error, console, "%s%s%s", how, said ? ": " : "",
                      said ? said : "");
    default:
        break;
    }
    if (panic || c->panicked) {
        return no_end(error, console, "%s",
                      panic ? panic : "the guest crashed");
    }
    if (c->guest.is_ours && status < 0) {
        return no_end(error, console, "the guest ended without a result");
    }
    if (c->guest.is_ours && status > 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "The job failed in the guest: see %s.", console);
        return ISOLAB_FAILED;
    }
    return ISOLAB_OK;
}

static char *base_name(const char *path)
{
    return path ? g_path_get_basename(path) : NULL;
}

static void set_text(JsonObject *object, const char *name, const char *text)
{
    if (text) {
        json_object_set_string_member(object, name, text);
    }
}

static void begin_summary(course *c)
{
    const isolab_guest *g = &c->guest;
    g_autofree char *job = base_name(g->job);
    g_autofree char *plan = base_name(g->options->fault_plan);
    JsonArray *devices = json_array_new();

    set_text(c->summary, "guest", g->kind);
    set_text(c->summary, "job", job);
    set_text(c->summary, "controller", g->controller);
    for (char **d = g->options->devices; d && *d; d++) {
        json_array_add_string_element(devices, *d);
    }
    json_object_set_array_member(c->summary, "devices", devices);
    json_object_set_int_member(c->summary, "seed", g->seed);
    set_text(c->summary, "icount", g->icount ? g->icount : "off");
    set_text(c->summary, "fault-plan", plan);
}

static const char *const results[] = {
    [ISOLAB_OK] = "passed",
    [ISOLAB_FAILED] = "failed",
    [ISOLAB_USAGE] = "not started",
    [ISOLAB_NO_END] = "no end",
};

static void close_summary(course *c, int status, const GError *error)
{
    const char *result = status < (int)G_N_ELEMENTS(results) && results[status]
                             ? results[status]
                             : "ended";

    json_object_set_int_member(c->summary, "status", status);
    set_text(c->summary, "result", result);
    isolab_results_write(&c->guest, c->summary, NULL);
}

static bool prepare(course *c, GError **error)
{
    const char *name = c->guest.options->fault_plan;
    g_autofree char *plan = name ? isolab_library_plan(name) : NULL;
    g_autofree char *console = NULL;

    if (plan) {
        c->plan = read_plan(&c->guest, plan, error);
        if (!c->plan) {
            return false;
        }
    }
    if (!isolab_results_prepare(c->guest.out, error) ||
        !write_job(&c->guest, error) || !write_initrd(&c->guest, error)) {
        return false;
    }
    console = isolab_results_path(&c->guest, "guest.log");
    if (!g_file_set_contents(console, "", 0, error)) {
        return false;
    }
    c->console = c->quiet ? NULL : isolab_console_follow(console);
    c->vm = isolab_vm_create(c->guest.kind, error);
    return c->vm;
}

/* From the start of QEMU to its end. */
static int carry_out(course *c, char *const *rest, GError **error)
{
    int status;

    if (!prepare(c, error)) {
        return ISOLAB_USAGE;
    }
    begin_summary(c);
    if (!start_qemu(c, rest, error)) {
        status = ISOLAB_NO_END;
    } else if (!set_up(c, error)) {
        status =
            (*error)->domain == ISOLAB_ERROR ? (*error)->code : ISOLAB_FAILED;
        end_qemu(c);
    } else {
        watch_for_the_end(c);
        if (c->end == GOES_ON) {
            g_main_loop_run(c->loop);
        }
        end_qemu(c);
        g_clear_pointer(&c->console, isolab_console_free);
        status = isolab_results_unpack(&c->guest, error) ? judge(c, error)
                                                         : ISOLAB_FAILED;
    }
    close_summary(c, status, *error);
    return status;
}

static void clean_up(course *c)
{
    g_autofree char *initrd = isolab_results_path(&c->guest, "initramfs.img");

    unlink(initrd);
    isolab_console_free(c->console);
    isolab_sources_free(c->sources);
    isolab_qmp_free(c->qmp);
    isolab_process_free(c->process);
    isolab_vm_remove(c->vm);
    g_main_loop_unref(c->loop);
    json_object_unref(c->summary);
    g_free(c->plan);
}

static int run(const isolab_call *call, GError **error)
{
    course c = {
        .loop = g_main_loop_new(NULL, FALSE),
        .sources = g_array_new(FALSE, FALSE, sizeof(guint)),
        .summary = json_object_new(),
        .quiet = call->quiet,
    };
    int status = ISOLAB_USAGE;

    keep_source(&c, g_unix_signal_add(SIGINT, got_sigint, &c));
    keep_source(&c, g_unix_signal_add(SIGTERM, got_sigterm, &c));
    keep_source(&c, g_unix_signal_add(SIGHUP, got_sigterm, &c));
    if (isolab_guest_init(&c.guest, call, error)) {
        status = carry_out(&c, call->rest, error);
        if (call->json) {
            isolab_json_print(c.summary);
        } else if (!call->quiet && status == ISOLAB_OK) {
            fprintf(stderr, "isolab: done; the results are in %s.\n",
                    c.guest.out);
        }
        clean_up(&c);
    }
    isolab_guest_clear(&c.guest);
    return status;
}

#define AT(field) offsetof(isolab_run_options, field)

static const isolab_option options[] = {
    { "disk", 0, ISOLAB_FILE, AT(disk), "FILE",
      "a guest of your own: its disk's image", NULL },
    { "snapshot", 0, ISOLAB_FLAG, AT(snapshot), NULL,
      "with --disk: what it writes is thrown away", NULL },
    { "job", 0, ISOLAB_FILE, AT(job), "NAME",
      "what the guest does; a name, or a script's path", NULL },
    { "set", 0, ISOLAB_TEXTS, AT(set), "NAME=VALUE",
      "a variable of the job; may be repeated", NULL },
    { "device", 0, ISOLAB_TEXTS, AT(devices), "DEVICE",
      "a USB device as QEMU's -device takes it (usb-isoav); 'none'; may be "
      "repeated",
      NULL },
    { "controller", 0, ISOLAB_TEXT, AT(controller), "DEVICE",
      "the USB controller, with its properties (ixhci)", NULL },
    { "fault-plan", 0, ISOLAB_FILE, AT(fault_plan), "PLAN",
      "faults, from the first instruction on: a file, or a name of the "
      "library",
      NULL },
    { "seed", 0, ISOLAB_NUMBER, AT(seed), "N",
      "of the guest's random numbers and of the plan's (1)", NULL },
    { "capture", 0, ISOLAB_FILE, AT(capture), "FILE",
      "what is on the bus, as pcap for Wireshark", NULL },
    { "icount", 0, ISOLAB_TEXT, AT(icount), "N",
      "an instruction takes 2^N ns, so that runs repeat; 'off'", NULL },
    { "out", 'o', ISOLAB_FOLDER, AT(out), "DIR",
      "where the results go (isolab-run)", NULL },
    { "timeout", 0, ISOLAB_SECONDS, AT(timeout), "SECONDS",
      "end it after so long by the guest's clock", NULL },
    { "host-timeout", 0, ISOLAB_SECONDS, AT(host_timeout), "SECONDS",
      "the same by the host's", NULL },
    { "qemu", 0, ISOLAB_TEXTS, AT(qemu), "ARGUMENT",
      "one more word for QEMU's command line; may be repeated", NULL },
    { "build", 0, ISOLAB_FOLDER, AT(build), "DIR",
      "the build folder to take QEMU and guest from", NULL },
    { "add", 0, ISOLAB_FILE, AT(add), "ARCHIVE", "files for the guest (cpio)",
      NULL },
    { "monitor", 0, ISOLAB_FLAG, AT(monitor), NULL,
      "the job can give commands to QEMU's monitor", NULL },
    { "disks", 0, ISOLAB_FLAG, AT(disks), NULL,
      "the guest has disks of the host: its clock does not jump over the time "
      "that they take",
      NULL },
    { .name = NULL },
};

const isolab_command isolab_run = {
    .name = "run",
    .summary = "run a guest on ixhci and collect what comes of it",
    .operands = "linux|windows-driver|--disk FILE",
    .about =
        "Boots a guest whose USB controller is ixhci and whose device is\n"
        "usb-isoav, waits for its end, and leaves all that came of it in one\n"
        "folder: console, results, counters, faults, and summary.json.\n"
        "\n"
        "  linux           Linux and libusb; reads the device's test stream\n"
        "  windows-driver  the same with Wine's NT kernel: isoav.sys streams\n"
        "  --disk FILE     a machine of yours, with its display\n"
        "\n"
        "The first two keep time by counting instructions: two runs give the\n"
        "same files, byte for byte. Ctrl-C ends the guest, in order. While it\n"
        "runs, `isolab watch`, `fault` and `capture` find it by themselves.",
    .examples =
        "  $ isolab run linux\n"
        "  # reads 300 frames; the folder isolab-run has the results\n"
        "  $ isolab run windows-driver --fault-plan loose-cable --seed 7\n"
        "  # the Windows driver, with faults of share/plans; another seed, "
        "others\n"
        "  $ isolab run linux --job ./my-job --set FRAMES=30 --timeout 60\n"
        "  # a script of your own in the guest, for at most 60 of its seconds\n"
        "  $ isolab run --disk win11.qcow2 --device usb-isoav,profile=av \\\n"
        "      -- -m 8G -smp 4\n"
        "  # a machine of your own; what follows \"--\" goes on to QEMU\n",
    .choices = "linux windows-driver",
    .takes_rest = true,
    .max_operands = 1,
    .options = options,
    .options_bytes = sizeof(isolab_run_options),
    .run = run,
};
