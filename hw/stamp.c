/*
 * The stamp check. What a stamp is, stamp.h says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

isolab_stamp isolab_stamp_check(const char *path)
{
    static const char stamp[] = ISOLAB_QEMU_STAMP;
    isolab_stamp verdict = ISOLAB_STAMP_UNREADABLE;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return verdict;
    }
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        void *map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (map != MAP_FAILED) {
            verdict = memmem(map, st.st_size, stamp, strlen(stamp))
                          ? ISOLAB_STAMP_SAME
                          : ISOLAB_STAMP_OTHER;
            munmap(map, st.st_size);
        }
    }
    close(fd);
    return verdict;
}

/* The child's side: stdout into the pipe, nothing of ours preloaded. */
static _Noreturn void say_version(const char *path, int out)
{
    int null = open("/dev/null", O_RDWR);

    unsetenv("LD_PRELOAD");
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execl(path, path, "--version", (char *)NULL);
    _exit(127);
}

bool isolab_stamp_version(const char *path, char *version, size_t size)
{
    static const char before[] = "QEMU emulator version ";
    char line[256] = "";
    FILE *in;
    pid_t child;
    bool found;
    int ends[2];

    if (pipe(ends) < 0) {
        return false;
    }
    child = fork();
    if (child == 0) {
        say_version(path, ends[1]);
    }
    close(ends[1]);
    in = fdopen(ends[0], "r");
    found = child > 0 && fgets(line, sizeof(line), in) &&
            strncmp(line, before, strlen(before)) == 0;
    fclose(in);
    if (child > 0) {
        waitpid(child, NULL, 0);
    }
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(version, size, "%s", line + strlen(before));
    }
    return found;
}

void isolab_stamp_refuse(const char *who, const char *path)
{
    char version[256];

    if (isolab_stamp_version(path, version, sizeof(version))) {
        fprintf(stderr,
                "%s: built for QEMU %s, but %s is QEMU %s; "
                "build IsoLab again for that one.\n",
                who, ISOLAB_QEMU_VERSION, path, version);
    } else {
        fprintf(stderr, "%s: built for QEMU %s, but %s is no QEMU.\n", who,
                ISOLAB_QEMU_VERSION, path);
    }
    fflush(stderr);
    _exit(1);
}
