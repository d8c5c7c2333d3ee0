/*
 * The way into QEMU. The launcher has the dynamic loader put this shared
 * object into a stock QEMU before main; what is here only makes sure that it
 * is the right QEMU and leaves no trace in the environment.
 *
 *  1. The object types come in by themselves: each file that has one calls
 *     QEMU's type_init(), whose constructor queues it for QEMU's own
 *     start-up. The trace events' generated files do the same.
 *  2. The constructor here runs before those. It refuses a QEMU that this
 *     object was not compiled for, since everything later would read its
 *     structures at wrong places.
 *  3. QEMU starts programs (network scripts, pagers, helpers). They must not
 *     get this object, so its entry leaves LD_PRELOAD at once; the user's own
 *     entries stay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stamp.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LD_PRELOAD_SEPARATORS " :"

/* Before QEMU's constructors and type_init()'s, which have no priority. */
#define EARLY 101

/* Rule 3. */
static void leave_preload(const char *own)
{
    const char *preload = getenv("LD_PRELOAD");
    char *copy, *rest, *save, *entry;

    if (!preload) {
        return;
    }
    copy = strdup(preload);
    rest = calloc(1, strlen(preload) + 1);
    if (!copy || !rest) {
        abort();
    }
    for (entry = strtok_r(copy, LD_PRELOAD_SEPARATORS, &save); entry;
         entry = strtok_r(NULL, LD_PRELOAD_SEPARATORS, &save)) {
        if (strcmp(entry, own) != 0) {
            strcat(strcat(rest, *rest ? ":" : ""), entry);
        }
    }
    if (*rest) {
        setenv("LD_PRELOAD", rest, 1);
    } else {
        unsetenv("LD_PRELOAD");
    }
    free(rest);
    free(copy);
}

static void __attribute__((constructor(EARLY))) module_check(void)
{
    char exe[PATH_MAX];
    ssize_t length;
    Dl_info self;
    int fd;

    if (dladdr((void *)(uintptr_t)module_check, &self)) {
        leave_preload(self.dli_fname);
        /* The launcher names a file by descriptor if it must. */
        if (sscanf(self.dli_fname, "/proc/self/fd/%d", &fd) == 1) {
            close(fd);
        }
    }
    if (isolab_stamp_check("/proc/self/exe") == ISOLAB_STAMP_SAME) {
        return;
    }
    length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[length > 0 ? length : 0] = '\0';
    isolab_stamp_refuse("isolab-qemu.so", exe);
}
