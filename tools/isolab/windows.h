/*
 * isolab windows, in parts: what is asked for (windows.c), the medium
 * (windows-media.c), the folder that remembers (windows-state.c), the disk and
 * the disc (windows-disk.c), QEMU's command line (windows-machine.c), the
 * course of it (windows-course.c), what COM1 says (windows-report.c) and what
 * that comes to (windows-verdict.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_WINDOWS_H
#define ISOLAB_WINDOWS_H

#include "command.h"
#include "windows-media.h"

#include <json-glib/json-glib.h>

typedef struct {
    char *iso;
    char *disk;
    char *out;
    int64_t size; /* GiB */
    char *edition;
    char *key;
    char *accel;
    bool again;
    double timeout;
    double host_timeout;
    char *build;
} windows_options;

/* How far a bench has come. */
typedef enum {
    WINDOWS_NEW,     /* the disk is empty, or not there */
    WINDOWS_SETUP,   /* Windows' setup has begun; what it left is of no use */
    WINDOWS_DESKTOP, /* the disk starts to a desktop, which reports */
    WINDOWS_DONE,    /* there is a verdict */
} windows_phase;

/* windows-state.c: the folder --out, and state.json in it. */
typedef struct {
    char *folder;
    int lock;
    char *medium; /* an absolute path */
    windows_phase phase;
    bool from_disk;      /* --disk */
    bool saved;          /* the disk has the machine as it was at Ctrl-C */
    bool medium_in;      /* its drive, in the machine that ran last */
    JsonObject *verdict; /* WINDOWS_DONE */
} windows_bench;

#define WINDOWS_OUT "isolab-windows"
bool windows_bench_is_there(const windows_options *o);
/* Makes the folder, or finds what is there. Nothing of anybody else's is
 * touched, nor a bench of another medium. */
windows_bench *windows_bench_open(const windows_options *o, GError **error);
bool windows_bench_write(const windows_bench *b, GError **error);
char *windows_bench_path(const windows_bench *b, const char *name);
void windows_bench_close(windows_bench *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(windows_bench, windows_bench_close)

/* windows-disk.c. qemu-img and xorriso do the work. */
#define WINDOWS_DISK "win.qcow2"
#define WINDOWS_DISK_NODE "isolab-disk" /* its name in QEMU */
#define WINDOWS_DISC "disc.iso"
/* Decimal, as Microsoft counts them. */
#define WINDOWS_10_BYTES G_GINT64_CONSTANT(20000000000)
#define WINDOWS_11_BYTES G_GINT64_CONSTANT(64000000000)
/* A disk of a person's own: false with an error if it cannot be used. */
bool windows_disk_check(const char *path, char **format, GError **error);
/* An empty one; or one over `backing`, which stays as it is. Replaces. */
bool windows_disk_make(const char *path, int64_t gib, const char *backing,
                       const char *format, GError **error);
/* Less room in the folder than Windows takes? A sentence, or NULL. */
char *windows_disk_room(const char *folder, bool from_disk);
bool windows_is_key(const char *key);
/* The answer file with another edition and a key (NULL: none). NULL with an
 * error. The caller frees. Pure. */
char *windows_answers(const char *text, unsigned edition, const char *key,
                      GError **error);
/* A copy of the disc `from`, with such an answer file. */
bool windows_disc_make(const char *from, const char *to, unsigned edition,
                       const char *key, GError **error);

/* windows-machine.c */
typedef struct {
    char *qemu; /* the launcher */
    char *disc; /* isoav.iso, or the bench's own */
    bool kvm;
    unsigned cpus;
} windows_machine;

bool windows_machine_init(windows_machine *m, const windows_options *o,
                          GError **error);
void windows_machine_clear(windows_machine *m);
/* QEMU's command line. has_iso: the medium is in a drive. Pure. */
char **windows_machine_arguments(const windows_machine *m,
                                 const windows_bench *b, bool has_iso,
                                 bool has_display, char *const *rest);

/* windows-course.c: from the start of QEMU to its end. The exit status. */
int windows_course(const isolab_call *call, windows_bench *b,
                   const windows_machine *m, GError **error);

#endif
