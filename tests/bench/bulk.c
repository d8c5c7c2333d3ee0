/*
 * Bulk: Linux reads 256 MiB from a USB disk that costs its host nothing
 * (null-co). Two guests have booted and wait for a line on their serial ports;
 * each in turn reads, and says how many it got.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"

#include <gio/gio.h>

#define READ_MIB 256
#define READS 8 /* to a sample */

/* Runs in the guest, see tests/guest/init: a line in, 256 MiB, a line out. */
static const char job_format[] =
    "load_drivers usb-storage sd_mod\n"
    "has_disk() { [ -b /dev/sda ]; }\n"
    "wait_until 'disk is there' has_disk || return 1\n"
    "stty -echo </dev/ttyS0\n"
    "say ready\n"
    "while read -r line </dev/ttyS0; do\n"
    "    say \"read $(dd if=/dev/sda of=/dev/null bs=1M iflag=direct "
    "count=%u 2>&1 | head -n 1)\"\n"
    "done\n";

typedef struct {
    GSubprocess *qemu;
    GDataInputStream *says;
    GOutputStream *hears;
    clockid_t clock;
} Guest;

/* What follows "isolab: WORD " on the first line that has it. */
static char *wait_for(Guest *g, const char *word)
{
    g_autofree char *prefix = g_strdup_printf("isolab: %s", word);

    for (;;) {
        g_autofree char *line =
            g_data_input_stream_read_line(g->says, NULL, NULL, NULL);
        const char *at;

        if (!line) {
            hcd_check(false, "a guest has ended before it said: %s", word);
            return NULL;
        }
        at = strstr(line, prefix);
        if (at) {
            return g_strdup(at + strlen(prefix));
        }
        hcd_check(!strstr(line, "isolab: error") && !strstr(line, "panic"),
                  "a guest complains: %s", line);
    }
}

static Guest *start(const char *controller, const char *files, const char *job)
{
    g_autofree char *command = g_strdup_printf(
        "%s -no-user-config -nodefaults -display none -machine q35,vmport=off "
        "-bios qboot.rom -cpu qemu64 -smp 1 -m 384 -accel tcg -no-reboot "
        "-kernel %s/vmlinux -initrd %s/initramfs.img "
        "-append 'console=ttyS0 rdinit=/init panic=-1 nokaslr loglevel=4 "
        "mitigations=off' -serial stdio "
        "-fw_cfg name=opt/org.isolab/job,file=%s -device virtio-serial-pci "
        "-device %s,id=xhci -drive if=none,id=disk,driver=null-co,"
        "size=512M,read-zeroes=off -device usb-storage,bus=xhci.0,drive=disk",
        g_getenv("QTEST_QEMU_BINARY"), files, files, job, controller);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) error = NULL;
    Guest *g = g_new0(Guest, 1);

    hcd_check(g_shell_parse_argv(command, NULL, &argv, NULL), "%s", command);
    g->qemu = g_subprocess_newv(
        (const char *const *)argv,
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    hcd_check(g->qemu != NULL, "%s", error ? error->message : "no QEMU");
    g->says = g_data_input_stream_new(g_subprocess_get_stdout_pipe(g->qemu));
    g->hears = g_subprocess_get_stdin_pipe(g->qemu);
    hcd_check(clock_getcpuclockid(atoi(g_subprocess_get_identifier(g->qemu)),
                                  &g->clock) == 0,
              "QEMU has no CPU-time clock");
    g_free(wait_for(g, "ready"));
    return g;
}

static double cpu_s(const Guest *g)
{
    struct timespec t;

    hcd_check(clock_gettime(g->clock, &t) == 0, "the CPU time cannot be read");
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void read_once(Guest *g)
{
    g_autofree char *said = NULL;

    hcd_check(g_output_stream_write_all(g->hears, "\n", 1, NULL, NULL, NULL),
              "a guest does not listen");
    said = wait_for(g, "read ");
    hcd_check(g_ascii_strtoull(said, NULL, 10) == READ_MIB,
              "a guest was to read %u MiB, and says: %s", READ_MIB, said);
}

/* MiB for a second of the host's CPU, the guest's own work included. */
static double measure(Guest *g)
{
    double began = cpu_s(g);

    for (unsigned i = 0; i < READS; i++) {
        read_once(g);
    }
    return READS * READ_MIB / (cpu_s(g) - began);
}

static void finish(Guest *g)
{
    g_subprocess_force_exit(g->qemu);
    g_subprocess_wait(g->qemu, NULL, NULL);
    g_object_unref(g->says);
    g_object_unref(g->qemu);
    g_free(g);
}

void bench_bulk(Bench *b)
{
    const char *files = g_getenv("ISOLAB_GUEST");
    g_autofree char *text = g_strdup_printf(job_format, READ_MIB);
    g_autofree char *job = g_strdup("/tmp/isolab-bench-job-XXXXXX");
    Guest *g[BENCH_SIDES];
    BenchRow *row;

    if (!files) {
        bench_say("bulk: left out, this build has no guest");
        return;
    }
    bench_say("bulk");
    row = bench_row(b, "bulk", "MiB/s",
                    "A Linux guest reads %u MiB, per second of host CPU",
                    READ_MIB);
    bench_row_target(row, BENCH_RATIO_AT_LEAST, 1.0);
    close(g_mkstemp(job));
    hcd_check(g_file_set_contents(job, text, -1, NULL), "%s cannot be written",
              job);
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        g[i] = start(bench_controllers[i], files, job);
        measure(g[i]); /* the first one fills the caches */
    }
    unlink(job);
    for (int n = 0; n < b->pairs; n++) {
        for (unsigned i = 0; i < BENCH_SIDES; i++) {
            bench_add(row, i, measure(g[i]));
        }
    }
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        finish(g[i]);
    }
}
