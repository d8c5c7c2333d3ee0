/*
 * The virtual machine that Windows gets: an ordinary one, whose USB controller
 * is ixhci. What the answer file says of disks is for its BIOS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows.h"

#include "line.h"
#include "place.h"
#include "run.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CPUS_MAX 4u

/* Not only that the file is there: that a machine can be made. */
static bool has_kvm(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int machine = -1;

    if (fd >= 0 && ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION) {
        machine = ioctl(fd, KVM_CREATE_VM, 0);
    }
    if (machine >= 0) {
        close(machine);
    }
    if (fd >= 0) {
        close(fd);
    }
    return machine >= 0;
}

static bool choose_accel(windows_machine *m, const windows_options *o,
                         GError **error)
{
    m->kvm = g_strcmp0(o->accel, "tcg") != 0 && has_kvm();
    if (g_strcmp0(o->accel, "kvm") == 0 && !m->kvm) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "There is no KVM that this user can use (/dev/kvm); "
                    "without --accel kvm the machine is emulated.");
        return false;
    }
    return true;
}

bool windows_machine_init(windows_machine *m, const windows_options *o,
                          GError **error)
{
    *m = (windows_machine){
        .cpus = MIN(g_get_num_processors(), CPUS_MAX),
        .qemu = isolab_place_find(ISOLAB_PLACE_LAUNCHER, o->build, error),
    };
    if (m->qemu) {
        m->disc = isolab_place_find(ISOLAB_PLACE_DISC, o->build, error);
    }
    return m->disc && choose_accel(m, o, error);
}

void windows_machine_clear(windows_machine *m)
{
    g_free(m->qemu);
    g_free(m->disc);
}

static void add_disc(GPtrArray *line, const char *path)
{
    g_autofree char *quoted = isolab_line_quote(path);

    isolab_line_add_format(
        line, "-drive", "media=cdrom,readonly=on,format=raw,file=%s", quoted);
}

char **windows_machine_arguments(const windows_machine *m,
                                 const windows_bench *b, bool has_iso,
                                 bool has_display, char *const *rest)
{
    GPtrArray *line = g_ptr_array_new();

    isolab_line_add(line, "-machine", "q35", "-accel", m->kvm ? "kvm" : "tcg",
                    "-cpu", m->kvm ? "host" : "Nehalem", "-m", "4G", "-rtc",
                    "base=localtime");
    isolab_line_add_format(line, "-smp", "%u", m->cpus);
    if (!has_display) {
        isolab_line_add(line, "-display", "none");
    }
    isolab_line_add_file(line, "-drive",
                         "media=disk,format=qcow2,node-name=" WINDOWS_DISK_NODE
                         ",file=",
                         b->folder, WINDOWS_DISK);
    if (has_iso) {
        add_disc(line, b->medium);
    }
    add_disc(line, m->disc);
    isolab_line_add(line, "-nic", "user,model=e1000e", "-device",
                    "ixhci,id=xhci,capture-snaplen=128", "-device",
                    "usb-isoav,id=isoav,bus=xhci.0");
    isolab_line_add_file(line, "-chardev",
                         "file,id=isolab-com1,append=on,path=", b->folder,
                         "com1.txt");
    isolab_line_add(line, "-serial", "chardev:isolab-com1");
    isolab_line_add_control(line);
    if (b->saved) {
        isolab_line_add(line, "-loadvm", "isolab");
    }
    for (; rest && *rest; rest++) {
        isolab_line_add(line, *rest);
    }
    g_ptr_array_add(line, NULL);
    return (char **)g_ptr_array_free(line, FALSE);
}
