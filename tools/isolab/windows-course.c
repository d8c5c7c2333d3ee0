/*
 * isolab windows: the course of it, from the start of QEMU to its end.
 *
 *  1. The guest speaks on COM1, a file that QEMU writes and that is read four
 *     times a second; what it says is taken apart by windows-report.c. How far
 *     it has come is written down at once (windows-state.c), because we may be
 *     ended at any time.
 *  2. Progress is what comes on COM1, and, while Windows installs itself, what
 *     it writes to its disk: setup says nothing. Without any for --timeout, or
 *     after --host-timeout in all, its screen is kept and the machine ended.
 *  3. After the report the machine is asked to shut down, as by its button.
 *  4. Ctrl-C saves the machine in its disk, and the same command goes on with
 *     it. A second Ctrl-C does without.
 *  5. QEMU pauses a machine whose disk finds no room on the host. Nothing comes
 *     of waiting then: the course ends, and says so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows.h"

#include "json.h"
#include "run.h"
#include "terminal.h"
#include "vm.h"
#include "windows-report.h"
#include "windows-saved.h"
#include "windows-verdict.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONTROLLER "/machine/peripheral/xhci"
#define LOOK_EVERY_MS 250
/* Looks between two questions about the disk. */
#define DISK_EVERY 8
#define START_PATIENCE_MS 120000
#define QUIT_PATIENCE_S 30
/* For Windows to shut down. */
#define SHUTDOWN_PATIENCE_S 180
#define IDLE_KVM_S 1800.0
#define IDLE_TCG_S 7200.0
#define COM1_MAX (G_GINT64_CONSTANT(1) << 30)
#define COM1 "com1.txt"
#define RESULTS "results"

typedef enum {
    GOES_ON,
    REPORTED,
    GUEST_ENDED, /* before it reported */
    QEMU_ENDED,
    IDLE,
    OUT_OF_TIME,
    DISK_FAILED,
    SIGNALLED,
} end;

typedef struct {
    const isolab_call *call;
    const windows_options *options;
    const windows_machine *machine;
    windows_bench *bench;
    char *results; /* a folder */
    isolab_vm *vm;
    isolab_process *process;
    isolab_qmp *qmp;
    windows_report *report;
    JsonObject *summary;
    GMainLoop *loop;
    GArray *sources; /* guint */
    int com1;
    gint64 com1_bytes;
    gint64 began_us, progress_us, closing_us; /* of the host's clock; 0: no */
    int64_t written;                          /* to the disk, bytes */
    unsigned looks;
    char *disk_failure; /* what could not be done, for DISK_FAILED */
    end end;
    int signal;
    unsigned signals;
    bool replays; /* what is read was said to an earlier isolab */
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
    course *c = opaque;

    finish(c, c->report->done ? REPORTED : QEMU_ENDED);
}

static gboolean got_signal(course *c, int number)
{
    c->signals++;
    if (c->end == GOES_ON) {
        c->signal = number;
        finish(c, SIGNALLED);
    }
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

static bool shows_progress(const course *c)
{
    return !c->call->quiet && isolab_terminal_is(STDERR_FILENO);
}

static const char *where(const course *c)
{
    return c->report->step                    ? c->report->step
           : c->report->done                  ? "shutting down"
           : c->report->installed             ? "between two steps"
           : c->bench->phase == WINDOWS_SETUP ? "Windows' setup"
                                              : "waiting for the report";
}

/* One line, over and over, for who looks on. */
static void show_progress(const course *c)
{
    int width = isolab_terminal_width(STDERR_FILENO, 80);
    gint64 s = (g_get_monotonic_time() - c->began_us) / G_USEC_PER_SEC;
    g_autofree char *text = g_strdup_printf(
        "%" PRId64 ":%02d:%02d %s, %" PRId64 " MB to the disk; COM1: %s",
        (int64_t)(s / 3600), (int)(s / 60 % 60), (int)(s % 60), where(c),
        c->written / 1000000, c->report->line);

    fprintf(stderr, "\r%.*s\033[K", width - 1, text);
    fflush(stderr);
}

static void say(const course *c, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(const course *c, const char *format, ...)
{
    va_list ap;

    if (c->call->quiet || c->replays) {
        return;
    }
    fprintf(stderr, "%sisolab: ", shows_progress(c) ? "\r\033[K" : "");
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void keep_phase(course *c, windows_phase phase)
{
    g_autoptr(GError) error = NULL;

    c->bench->phase = phase;
    if (!windows_bench_write(c->bench, &error)) {
        fprintf(stderr, "isolab: %s\n", error->message);
    }
}

/* The bus, during the capture only: the file is of its size. */
static void record_the_bus(course *c)
{
    bool wanted = g_strcmp0(c->report->step, "capture") == 0;
    g_autofree char *path =
        wanted ? g_build_filename(c->results, "capture.pcap", NULL)
               : g_strdup("");

    if (wanted || windows_report_ended(c->report, "capture", NULL)) {
        isolab_qmp_set_text(c->qmp, CONTROLLER, "capture", path, NULL);
    }
}

static void close_down(course *c)
{
    g_autoptr(JsonNode) answer = NULL;

    if (c->closing_us) {
        return;
    }
    c->closing_us = g_get_monotonic_time();
    say(c, "the report is there; the machine shuts down.");
    answer = isolab_qmp_execute(c->qmp, "system_powerdown", NULL, NULL);
}

/* Rule 1. */
static void take_mark(const windows_report *r, void *opaque)
{
    course *c = opaque;

    if (r->last == WINDOWS_REPORT_BEGINS && c->bench->phase < WINDOWS_DESKTOP) {
        keep_phase(c, WINDOWS_DESKTOP);
    }
    if (r->last == WINDOWS_STEP_BEGINS) {
        say(c, "the guest begins: %s", r->step);
    } else if (r->last == WINDOWS_STEP_ENDS) {
        const windows_step *step = r->ended->pdata[r->ended->len - 1];

        say(c, "the guest ends: %s, with %d", step->name, step->code);
    } else if (r->last == WINDOWS_RESTARTS) {
        say(c, "the guest restarts, for test signing.");
    }
    if (!c->replays &&
        (r->last == WINDOWS_STEP_BEGINS || r->last == WINDOWS_STEP_ENDS)) {
        record_the_bus(c);
    }
}

static void read_com1(course *c)
{
    char text[65536];
    ssize_t n;

    while (c->com1_bytes < COM1_MAX &&
           (n = read(c->com1, text, sizeof(text))) > 0) {
        c->com1_bytes += n;
        c->progress_us = g_get_monotonic_time();
        windows_report_feed(c->report, text, n, take_mark, c);
    }
}

/* What all its disks have been given to write. */
static int64_t ask_written(isolab_qmp *q)
{
    g_autoptr(JsonNode) all =
        isolab_qmp_execute(q, "query-blockstats", NULL, NULL);
    JsonArray *list =
        all && JSON_NODE_HOLDS_ARRAY(all) ? json_node_get_array(all) : NULL;
    int64_t sum = 0;

    for (unsigned i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *stats =
            isolab_json_object(isolab_json_element(list, i), "stats");

        sum += isolab_json_int(stats, "wr_bytes", 0);
    }
    return sum;
}

static void look_at_disk(course *c)
{
    int64_t written = ask_written(c->qmp);

    if (written > c->written && c->bench->phase == WINDOWS_SETUP) {
        c->progress_us = g_get_monotonic_time();
    }
    c->written = written;
}

static void take_shutdown(course *c, JsonObject *data)
{
    read_com1(c);
    finish(c, c->report->done ? REPORTED : GUEST_ENDED);
}

/* Rule 5. Other errors QEMU reports to the guest (action "report"). */
static void take_disk_error(course *c, JsonObject *data)
{
    const char *reason = isolab_json_text(data, "reason");
    const char *node = isolab_json_text(data, "node-name");
    const char *operation = isolab_json_text(data, "operation");
    bool reads = g_strcmp0(operation, "read") == 0;
    g_autofree char *disk = windows_bench_path(c->bench, WINDOWS_DISK);

    if (c->disk_failure ||
        g_strcmp0(isolab_json_text(data, "action"), "stop") != 0) {
        return;
    }
    c->disk_failure = g_strdup_printf(
        "%s could not be %s (%s): %s",
        !node || g_str_equal(node, WINDOWS_DISK_NODE) ? disk : node,
        reads ? "read" : "written", reason ? reason : "QEMU gives no reason",
        isolab_json_bool(data, "nospace") ? "make room" : "mend that");
    finish(c, DISK_FAILED);
}

static const struct {
    const char *name;
    void (*take)(course *c, JsonObject *data); /* data may be NULL */
} events[] = {
    { "SHUTDOWN", take_shutdown },
    { "BLOCK_IO_ERROR", take_disk_error },
};

static bool take_events(course *c)
{
    g_autoptr(GError) error = NULL;
    JsonObject *event;

    while ((event = isolab_qmp_next_event(c->qmp, &error))) {
        const char *name = isolab_json_text(event, "event");

        for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
            if (g_strcmp0(name, events[i].name) == 0) {
                events[i].take(c, isolab_json_object(event, "data"));
            }
        }
        json_object_unref(event);
    }
    return !error;
}

static gboolean qmp_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    return take_events(opaque) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static double idle_limit(const course *c)
{
    return c->options->timeout ? c->options->timeout
           : c->machine->kvm   ? IDLE_KVM_S
                               : IDLE_TCG_S;
}

/* Rule 2. */
static gboolean look(gpointer opaque)
{
    course *c = opaque;
    gint64 now;

    if (c->end != GOES_ON) {
        return G_SOURCE_CONTINUE;
    }
    read_com1(c);
    if (c->looks++ % DISK_EVERY == 0) {
        look_at_disk(c);
        take_events(c);
    }
    if (c->report->done) {
        close_down(c);
    }
    now = g_get_monotonic_time();
    if (c->closing_us) {
        if (now - c->closing_us >= SHUTDOWN_PATIENCE_S * G_USEC_PER_SEC) {
            say(c, "it does not shut down; it is ended.");
            finish(c, REPORTED);
        }
    } else if (now - c->progress_us >= idle_limit(c) * G_USEC_PER_SEC) {
        finish(c, IDLE);
    } else if (c->com1_bytes >= COM1_MAX ||
               (c->options->host_timeout &&
                now - c->began_us >=
                    c->options->host_timeout * G_USEC_PER_SEC)) {
        finish(c, OUT_OF_TIME);
    }
    if (shows_progress(c)) {
        show_progress(c);
    }
    return G_SOURCE_CONTINUE;
}

static void keep_source(course *c, guint source)
{
    g_array_append_val(c->sources, source);
}

/* A saved machine goes on in the middle of what it said. */
static bool open_com1(course *c, GError **error)
{
    g_autofree char *path = windows_bench_path(c->bench, COM1);

    if (!c->bench->saved && !g_file_set_contents(path, "", 0, error)) {
        return false;
    }
    c->com1 = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
    if (c->com1 < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "Cannot read %s.", path);
        return false;
    }
    c->replays = true;
    read_com1(c);
    c->replays = false;
    return true;
}

static bool has_display(void)
{
    return g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY");
}

/* A saved machine has the drives that it had. */
static bool has_iso(const windows_bench *b)
{
    return b->saved ? b->medium_in
                    : !b->from_disk && b->phase < WINDOWS_DESKTOP;
}

static bool start_qemu(course *c, GError **error)
{
    g_auto(GStrv) arguments = windows_machine_arguments(
        c->machine, c->bench, has_iso(c->bench), has_display(), c->call->rest);
    g_autofree char *log = windows_bench_path(c->bench, "qemu.err");
    isolab_start_plan start = {
        .vm = c->vm,
        .program = c->machine->qemu,
        .arguments = arguments,
        .log = log,
        .patience_ms = START_PATIENCE_MS,
        .ended = process_ended,
        .opaque = c,
    };
    bool started;

    g_unlink(log);
    started = isolab_start(&start, error);
    c->process = start.process;
    c->qmp = start.qmp;
    return started;
}

/* Who waits for QEMU asks it; the main loop takes the signals meanwhile. */
static bool is_enough(void *opaque)
{
    course *c = opaque;

    while (g_main_context_iteration(NULL, FALSE)) {
    }
    return c->signals > 1;
}

/* What is to be known if we are ended from now on: a saved machine is none any
 * more once it runs, and only then taken out of the disk. */
static bool keep_start(course *c, GError **error)
{
    windows_bench *b = c->bench;
    bool was_saved = b->saved;

    b->medium_in = has_iso(b);
    b->saved = false;
    if (b->phase == WINDOWS_NEW) {
        b->phase = WINDOWS_SETUP;
    } else if (b->phase == WINDOWS_DONE) {
        b->phase = WINDOWS_DESKTOP; /* --again */
    }
    if (!windows_bench_write(b, error)) {
        return false;
    }
    if (was_saved) {
        windows_saved_remove(c->qmp, is_enough, c, NULL);
    }
    return true;
}

static bool set_going(course *c, GError **error)
{
    JsonObject *about = json_object_new();
    g_autofree char *out = g_canonicalize_filename(c->bench->folder, NULL);
    g_autoptr(JsonNode) answer = NULL;
    bool announced;

    json_object_set_string_member(about, "guest", "windows");
    json_object_set_string_member(about, "out", out);
    json_object_set_int_member(about, "qemu-pid",
                               isolab_process_id(c->process));
    announced = isolab_vm_announce(c->vm, about, error);
    json_object_unref(about);
    if (!announced || !keep_start(c, error)) {
        return false;
    }
    record_the_bus(c); /* a saved one may be in the middle of the capture */
    answer = isolab_qmp_execute(c->qmp, "cont", NULL, error);
    if (answer) {
        say(c, "%s runs; `isolab watch` shows its controller.",
            isolab_vm_name(c->vm));
    }
    return answer;
}

static void wait_for_the_end(course *c)
{
    GArray *sources = g_array_new(FALSE, FALSE, sizeof(guint));
    guint looks[] = {
        g_unix_fd_add(isolab_qmp_fd(c->qmp), G_IO_IN | G_IO_HUP, qmp_readable,
                      c),
        g_timeout_add(LOOK_EVERY_MS, look, c),
    };

    g_array_append_vals(sources, looks, G_N_ELEMENTS(looks));
    c->began_us = c->progress_us = g_get_monotonic_time();
    take_events(c);
    if (c->end == GOES_ON) {
        g_main_loop_run(c->loop);
    }
    isolab_sources_free(sources); /* from now on nobody else uses QMP */
    if (shows_progress(c)) {
        fputs("\r\033[K", stderr);
    }
}

/* What it saw last. */
static void keep_screen(course *c)
{
    g_autofree char *path = windows_bench_path(c->bench, "screen.png");
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) answer = NULL;

    json_object_set_string_member(arguments, "filename", whole);
    json_object_set_string_member(arguments, "format", "png");
    answer = isolab_qmp_execute(c->qmp, "screendump", arguments, NULL);
}

/* Rule 4. */
static void save_machine(course *c)
{
    g_autoptr(GError) error = NULL;

    say(c, "saving the machine; Ctrl-C once more does without.");
    c->bench->saved = windows_saved_write(c->qmp, is_enough, c, &error);
    if (c->bench->saved && windows_bench_write(c->bench, &error)) {
        say(c, "saved; the same command goes on from here.");
        return;
    }
    c->bench->saved = false;
    fprintf(stderr, "isolab: the machine could not be saved (%s).\n",
            error->message);
}

/* As in `run`: the controller's counters, while QEMU still answers. To one that
 * may be writing its memory nothing is said. */
static void end_qemu(course *c)
{
    const isolab_run_options none = { NULL };
    const isolab_guest guest = {
        .kind = "windows",
        .options = &none,
        .out = c->results,
        .timed = true,
    };
    g_autoptr(JsonNode) answer = NULL;
    bool gives_up;

    if (c->end == SIGNALLED && !isolab_process_has_ended(c->process)) {
        save_machine(c);
    }
    gives_up = c->signals > 1 && !c->bench->saved;
    if (!gives_up && !isolab_process_has_ended(c->process)) {
        isolab_results_collect(&guest, c->qmp, c->summary);
        if (c->end == IDLE || c->end == OUT_OF_TIME) {
            keep_screen(c);
        }
        answer = isolab_qmp_execute(c->qmp, "quit", NULL, NULL);
    }
    isolab_process_stop(c->process, gives_up ? 0 : QUIT_PATIENCE_S);
    read_com1(c);
}

/* Names that the host writes under; the guest's come second. */
static const char *const own_names[] = {
    "summary.json", "stats.json",   "fault-plan.json",
    "faults.jsonl", "capture.pcap", NULL,
};

static void keep_files(course *c)
{
    GHashTableIter at;
    gpointer name, file;

    g_hash_table_iter_init(&at, c->report->files);
    while (g_hash_table_iter_next(&at, &name, &file)) {
        g_autofree char *path = g_build_filename(c->results, name, NULL);
        g_autoptr(GError) error = NULL;
        gsize bytes;
        const char *data = g_bytes_get_data(file, &bytes);

        if (!g_strv_contains(own_names, name) &&
            !g_file_set_contents(path, data ? data : "", bytes, &error)) {
            fprintf(stderr, "isolab: %s\n", error->message);
        }
    }
}

static int no_end(const course *c, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static int no_end(const course *c, GError **error, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    va_start(ap, format);
    why = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_END,
                "%s; step: %s; COM1 said last: \"%s\"; see %s.", why, where(c),
                c->report->line, c->bench->folder);
    return ISOLAB_NO_END;
}

static int keep_verdict(course *c)
{
    JsonObject *verdict = windows_verdict(c->report);

    g_clear_pointer(&c->bench->verdict, json_object_unref);
    c->bench->verdict = verdict;
    keep_phase(c, WINDOWS_DONE);
    json_object_set_object_member(c->summary, "windows",
                                  json_object_ref(verdict));
    return g_str_equal(isolab_json_text(verdict, "verdict"), "passed")
               ? ISOLAB_OK
               : ISOLAB_FAILED;
}

static int judge(course *c, GError **error)
{
    g_autofree char *how = isolab_process_end(c->process);

    switch (c->end) {
    case REPORTED:
        return keep_verdict(c);
    case SIGNALLED:
        return c->signal == SIGINT ? ISOLAB_INTERRUPTED : ISOLAB_TERMINATED;
    case IDLE:
        return no_end(c, error,
                      "No progress in %g seconds%s; screen.png is the screen",
                      idle_limit(c),
                      c->machine->kvm ? " (--accel tcg does without KVM)" : "");
    case OUT_OF_TIME:
        if (c->com1_bytes >= COM1_MAX) {
            return no_end(c, error, "The guest writes to COM1 without an end");
        }
        return no_end(c, error,
                      "No end in %g seconds; screen.png is the screen",
                      c->options->host_timeout);
    case DISK_FAILED:
        return no_end(c, error, "%s, and the same command %s", c->disk_failure,
                      c->bench->phase < WINDOWS_DESKTOP
                          ? "begins setup anew"
                          : "starts this Windows again");
    case GUEST_ENDED:
        return no_end(c, error, "The machine was shut down before its report");
    default:
        return no_end(c, error, "%s", how);
    }
}

static bool prepare(course *c, GError **error)
{
    g_autofree char *screen = windows_bench_path(c->bench, "screen.png");

    if (!isolab_results_prepare(c->results, error)) {
        return false;
    }
    g_unlink(screen);
    c->vm = isolab_vm_create("windows", error);
    return c->vm && open_com1(c, error);
}

static int carry_out(course *c, GError **error)
{
    const isolab_guest guest = { .out = c->results };
    int status;

    if (!prepare(c, error)) {
        return ISOLAB_USAGE;
    }
    if (!start_qemu(c, error)) {
        status = ISOLAB_NO_END;
    } else if (!set_going(c, error)) {
        c->end = QEMU_ENDED; /* a saved one stays as it is saved */
        end_qemu(c);
        status = ISOLAB_NO_END;
    } else {
        wait_for_the_end(c);
        end_qemu(c);
        keep_files(c);
        status = judge(c, error);
    }
    json_object_set_int_member(c->summary, "status", status);
    isolab_results_write(&guest, c->summary, NULL);
    return status;
}

static void clean_up(course *c)
{
    isolab_sources_free(c->sources);
    isolab_qmp_free(c->qmp);
    isolab_process_free(c->process);
    isolab_vm_remove(c->vm);
    windows_report_free(c->report);
    g_main_loop_unref(c->loop);
    json_object_unref(c->summary);
    if (c->com1 >= 0) {
        close(c->com1);
    }
    g_free(c->results);
    g_free(c->disk_failure);
}

int windows_course(const isolab_call *call, windows_bench *b,
                   const windows_machine *m, GError **error)
{
    course c = {
        .call = call,
        .options = call->options,
        .machine = m,
        .bench = b,
        .results = windows_bench_path(b, RESULTS),
        .report = windows_report_new(),
        .summary = json_object_new(),
        .loop = g_main_loop_new(NULL, FALSE),
        .sources = g_array_new(FALSE, FALSE, sizeof(guint)),
        .com1 = -1,
    };
    int status;

    keep_source(&c, g_unix_signal_add(SIGINT, got_sigint, &c));
    keep_source(&c, g_unix_signal_add(SIGTERM, got_sigterm, &c));
    keep_source(&c, g_unix_signal_add(SIGHUP, got_sigterm, &c));
    json_object_set_string_member(c.summary, "guest", "windows");
    status = carry_out(&c, error);
    clean_up(&c);
    return status;
}
