/*
 * qemu-system-x86_64, with IsoLab's devices: starts the user's own QEMU with
 * the module isolab-qemu.so, which stands beside this program, preloaded.
 *
 *  1. Every argument, argv[0] included, reaches QEMU untouched, and QEMU
 *     takes this program's place and process id: libvirt's <emulator> or any
 *     script can name this file instead of QEMU.
 *  2. Which QEMU: the one that the module was built for, or what the
 *     environment variable ISOLAB_QEMU names (for a copy at another place).
 *  3. The stamp is checked first. In a wrong QEMU the dynamic loader would
 *     find symbols missing and die with a message that helps nobody, before
 *     any code of the module could speak.
 *  4. LD_PRELOAD keeps what the user has in it, behind our entry.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE "isolab-qemu.so"

static const char *progname;

static _Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", progname);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static char *format_string(const char *format, const char *a, const char *b)
{
    char *string;

    if (asprintf(&string, format, a, b) < 0) {
        die("out of memory");
    }
    return string;
}

/* The module's path: beside this program's file, wherever a link led from. */
static char *find_module(void)
{
    char exe[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    char *module;

    if (length < 0) {
        die("cannot read /proc/self/exe: %s.", strerror(errno));
    }
    exe[length] = '\0';
    *strrchr(exe, '/') = '\0';
    module = format_string("%s/%s", exe, MODULE);
    if (access(module, R_OK) < 0) {
        die("cannot read the module %s: %s.", module, strerror(errno));
    }
    return module;
}

/*
 * LD_PRELOAD cannot quote: spaces and colons separate its entries, and a
 * dollar sign begins a substitution. Such a path is handed over as an open
 * file, which the module closes.
 */
static char *preload_name(char *module)
{
    char number[16];
    int fd;

    if (!strpbrk(module, " :$")) {
        return module;
    }
    fd = open(module, O_RDONLY);
    if (fd < 0) {
        die("cannot open the module %s: %s.", module, strerror(errno));
    }
    snprintf(number, sizeof(number), "%d", fd);
    return format_string("%s%s", "/proc/self/fd/", number);
}

static bool is_this_program(const char *path)
{
    struct stat self, other;

    return stat("/proc/self/exe", &self) == 0 && stat(path, &other) == 0 &&
           self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* Rules 2 and 3. */
static const char *find_qemu(void)
{
    const char *qemu = getenv("ISOLAB_QEMU");

    if (!qemu || !*qemu) {
        qemu = ISOLAB_QEMU_BINARY;
    }
    if (is_this_program(qemu)) {
        die("ISOLAB_QEMU names this launcher, not a QEMU.");
    }
    switch (isolab_stamp_check(qemu)) {
    case ISOLAB_STAMP_SAME:
        break;
    case ISOLAB_STAMP_OTHER:
        isolab_stamp_refuse(progname, qemu);
    case ISOLAB_STAMP_UNREADABLE:
        die("built for QEMU %s, but %s cannot be read: %s.",
            ISOLAB_QEMU_VERSION, qemu, strerror(errno));
    }
    return qemu;
}

int main(int argc, char **argv)
{
    const char *before = getenv("LD_PRELOAD");
    const char *qemu;
    char *preload;

    progname = argc > 0 ? argv[0] : "qemu-system-x86_64";
    qemu = find_qemu();
    preload = preload_name(find_module());
    if (before && *before) {
        preload = format_string("%s:%s", preload, before);
    }
    if (setenv("LD_PRELOAD", preload, 1) < 0) {
        die("out of memory");
    }
    execv(qemu, argv);
    die("cannot start %s: %s.", qemu, strerror(errno));
}
