/*
 * Which guest: its files, and the command line that makes QEMU run it.
 *
 *  1. Our guest's time is the number of instructions it has run, not the
 *     host's clock (-icount), and jumps to the next timer while it is idle;
 *     nothing that differs between two runs gets in. Two runs of one job give
 *     the same files, byte for byte, on a fast host and on a slow one.
 *  2. It boots by qboot and the PVH entry of vmlinux: no BIOS menus, no
 *     decompression. Its init takes a job from the firmware's configuration
 *     device and gives the results to a virtio port (tests/guest/init).
 *  3. A guest of the user's own (--disk) is an ordinary machine, with KVM if
 *     there is any, unless --icount asks for a time that can be repeated.
 *  4. QEMU begins stopped and does not end with its guest: what has to be set
 *     is set before the first instruction, and what was counted is fetched
 *     after the last.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "run.h"

#include "line.h"
#include "place.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * What the kernel leaves out: self-tests of its ciphers, certificates, tables
 * for tracing, the calibration of a timer that the guest then does not use.
 * Together they would take three times as long as all the rest.
 */
#define KERNEL_ARGUMENTS                                                  \
    "console=ttyS0 rdinit=/init panic=-1 loglevel=4 nokaslr tsc=reliable" \
    " nolapic_timer mitigations=off rodata=off random.trust_cpu=on"       \
    " cryptomgr.notests initcall_blacklist=load_system_certificate_list," \
    "crypto_kdf108_init,init_blk_tracer,slab_sysfs_init"

typedef struct {
    const char *kind;
    const char *job; /* unless --job says another */
} kind_row;

static const kind_row kinds[] = {
    { "linux", "usbread" },
    { "windows-driver", "capture" },
};

static bool find_files(isolab_guest *g, GError **error)
{
    const char *build = g->options->build;

    g->files.jobs = isolab_place(ISOLAB_PLACE_JOBS, build);
    g->files.qemu = isolab_place_find(ISOLAB_PLACE_LAUNCHER, build, error);
    if (!g->files.qemu || !g->is_ours) {
        return g->files.qemu;
    }
    g->files.kernel = isolab_place_find(ISOLAB_PLACE_KERNEL, build, error);
    g->files.initrd = g->files.kernel
                          ? isolab_place_find(ISOLAB_PLACE_INITRD, build, error)
                          : NULL;
    return g->files.initrd;
}

static bool is_disk_there(const char *path, GError **error)
{
    if (access(path, R_OK) == 0) {
        return true;
    }
    g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                "Cannot read the disk %s: %s.", path, g_strerror(errno));
    return false;
}

/* A job is a name in the folder of jobs, or a file anywhere. */
static bool find_job(isolab_guest *g, const char *fallback, GError **error)
{
    const char *name = g->options->job ? g->options->job : fallback;

    g->job = strchr(name, '/') ? g_strdup(name)
                               : g_build_filename(g->files.jobs, name, NULL);
    if (access(g->job, R_OK) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "There is no job %s; --job takes a name in %s, or a path "
                    "with a '/' in it.",
                    name, g->files.jobs);
        return false;
    }
    return true;
}

static const kind_row *find_kind(const char *name)
{
    for (size_t i = 0; name && i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i].kind, name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool refuse(GError **error, const char *why)
{
    g_set_error_literal(error, ISOLAB_ERROR, ISOLAB_USAGE, why);
    return false;
}

static bool is_icount_good(const char *text)
{
    char *end;
    guint64 shift = g_ascii_strtoull(text, &end, 10);

    return g_str_equal(text, "off") ||
           (g_ascii_isdigit(*text) && !*end && shift <= 10);
}

static bool choose_time(isolab_guest *g, GError **error)
{
    const isolab_run_options *o = g->options;

    if (o->icount && !is_icount_good(o->icount)) {
        return refuse(error, "--icount must be 0 to 10 or off.");
    }
    g->icount = o->icount ? o->icount : g->is_ours ? "0" : NULL;
    if (g->icount && g_str_equal(g->icount, "off")) {
        g->icount = NULL;
    }
    g->timed = g_str_has_prefix(g->controller, "ixhci") &&
               strchr(",", g->controller[strlen("ixhci")]);
    if (o->timeout && !g->timed) {
        return refuse(error, "--timeout counts the guest's time, which only "
                             "ixhci tells; use --host-timeout.");
    }
    return true;
}

static bool choose_kind(isolab_guest *g, const char *name, GError **error)
{
    const kind_row *row = find_kind(name);

    if (!name == !g->options->disk) {
        return refuse(error, "Say which guest: linux, windows-driver, or "
                             "--disk FILE for one of your own.");
    }
    if (name && !row) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "There is no guest '%s'; there are linux and "
                    "windows-driver, and --disk FILE.",
                    name);
        return false;
    }
    g->kind = row ? row->kind : "disk";
    g->is_ours = row;
    if (!g->is_ours && (g->options->job || g->options->set || g->options->add ||
                        g->options->monitor)) {
        return refuse(error, "--job, --set, --add and --monitor are for the "
                             "guests linux and windows-driver.");
    }
    if (!find_files(g, error)) {
        return false;
    }
    return row ? find_job(g, row->job, error)
               : is_disk_there(g->options->disk, error);
}

bool isolab_guest_init(isolab_guest *g, const isolab_call *call, GError **error)
{
    const isolab_run_options *o = call->options;

    *g = (isolab_guest){
        .options = o,
        .controller = o->controller ? o->controller : "ixhci",
        .out = g_strdup(o->out ? o->out : "isolab-run"),
        .seed = o->seed ? o->seed : 1,
    };
    if (strstr(g->controller, ",id=")) {
        return refuse(error, "Leave id= out of --controller; it is xhci.");
    }
    return choose_kind(g, call->operands[0], error) && choose_time(g, error);
}

void isolab_guest_clear(isolab_guest *g)
{
    g_free(g->files.qemu);
    g_free(g->files.kernel);
    g_free(g->files.initrd);
    g_free(g->files.jobs);
    g_free(g->job);
    g_free(g->out);
}

/* Rule 2. */
static void add_our_guest(GPtrArray *line, const isolab_guest *g)
{
    g_autofree char *initrd =
        g->options->add ? g_build_filename(g->out, "initramfs.img", NULL)
                        : g_strdup(g->files.initrd);

    isolab_line_add(line, "-no-user-config", "-nodefaults", "-display", "none",
                    "-machine", "q35,hpet=on,vmport=off", "-bios", "qboot.rom",
                    "-cpu", "qemu64", "-smp", "1", "-m", "384", "-accel", "tcg",
                    "-rtc", "base=2024-01-01,clock=vm", "-no-reboot", "-kernel",
                    g->files.kernel, "-initrd", initrd, "-append",
                    KERNEL_ARGUMENTS);
    isolab_line_add_file(line, "-fw_cfg",
                         "name=opt/org.isolab/job,file=", g->out, "job");
    isolab_line_add(line, "-device", "virtio-serial-pci,ioeventfd=off");
    isolab_line_add_file(line, "-chardev", "file,id=results,path=", g->out,
                         "results.tar");
    isolab_line_add(line, "-device",
                    "virtserialport,chardev=results,name=results");
}

/* Rule 3. */
static void add_own_guest(GPtrArray *line, const isolab_guest *g)
{
    g_autofree char *disk = isolab_line_quote(g->options->disk);

    isolab_line_add(line, "-machine", g->icount ? "q35" : "q35,accel=kvm:tcg",
                    "-cpu", "max", "-m", "4G");
    if (g->icount) {
        isolab_line_add(line, "-accel", "tcg");
    }
    isolab_line_add_format(line, "-drive", "media=disk,file=%s", disk);
    if (g->options->snapshot) {
        isolab_line_add(line, "-snapshot");
    }
}

/* Both ends of the socket are in the same QEMU. */
static void add_monitor(GPtrArray *line)
{
    g_autofree char *path =
        g_strdup_printf("socket,path=isolab-guest-%d,abstract=on", getpid());

    isolab_line_add_format(line, "-chardev", "%s,id=mon,server=on,wait=off",
                           path);
    isolab_line_add(line, "-mon", "chardev=mon");
    isolab_line_add_format(line, "-chardev", "%s,id=to-mon", path);
    isolab_line_add(line, "-device",
                    "virtserialport,chardev=to-mon,name=monitor");
}

static void add_devices(GPtrArray *line, char *const *devices)
{
    static char *const standard[] = { "usb-isoav", NULL };

    for (devices = devices ? devices : standard; *devices; devices++) {
        if (g_str_equal(*devices, "none")) {
            continue;
        }
        isolab_line_add_format(line, "-device", "%s%s", *devices,
                               strstr(*devices, ",bus=") ? "" : ",bus=xhci.0");
    }
}

char **isolab_guest_arguments(const isolab_guest *g, char *const *rest)
{
    GPtrArray *line = g_ptr_array_new();
    const isolab_run_options *o = g->options;

    if (g->is_ours) {
        add_our_guest(line, g);
    } else {
        add_own_guest(line, g);
    }
    if (g->icount) {
        isolab_line_add_format(line, "-icount", "shift=%s,sleep=%s", g->icount,
                               o->disks || !g->is_ours ? "on" : "off");
    }
    isolab_line_add_format(line, "-seed", "%" PRId64, g->seed);
    isolab_line_add_file(line, "-chardev",
                         "file,id=isolab-console,path=", g->out, "guest.log");
    isolab_line_add(line, "-serial", "chardev:isolab-console");
    isolab_line_add_control(line);
    isolab_line_add_format(line, "-device", "%s,id=xhci", g->controller);
    add_devices(line, o->devices);
    if (o->monitor) {
        add_monitor(line);
    }
    for (char *const *word = o->qemu; word && *word; word++) {
        isolab_line_add(line, *word);
    }
    for (; rest && *rest; rest++) {
        isolab_line_add(line, *rest);
    }
    g_ptr_array_add(line, NULL);
    return (char **)g_ptr_array_free(line, FALSE);
}
