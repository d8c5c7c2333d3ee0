/*
 * isolab run, in parts: which guest (guest.c), QEMU as a process (process.c),
 * what a run leaves (results.c), and the course of a run (run.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_RUN_H
#define ISOLAB_RUN_H

#include "command.h"
#include "qmp.h"

#include <sys/types.h>

/* The options of the command line. */
typedef struct {
    char *disk;
    bool snapshot;
    char *job;
    char **set;
    char *controller;
    char **devices;
    char *fault_plan;
    int64_t seed; /* 0: not given */
    char *capture;
    char *icount;
    char *out;
    double timeout; /* of the guest's time */
    double host_timeout;
    char **qemu;
    char *build;
    char *add;
    bool monitor;
    bool disks;
} isolab_run_options;

/* Where the parts of a guest are. */
typedef struct {
    char *qemu; /* the launcher */
    char *kernel;
    char *initrd;
    char *jobs; /* a folder */
} isolab_guest_files;

/* A guest, with all that is to be known of it before QEMU starts. */
typedef struct {
    const char *kind; /* "linux", "windows-driver" or "disk" */
    bool is_ours;     /* it keeps the protocol of tests/guest/init */
    const isolab_run_options *options;
    isolab_guest_files files;
    char *job;  /* the job's file, if is_ours */
    char *out;  /* the folder of results */
    bool timed; /* there is a stats property that tells the guest's time */
    const char *controller;
    const char *icount; /* NULL: the guest's time is the host's */
    int64_t seed;
} isolab_guest;

/* guest.c. False with an error; the caller clears in any case. */
bool isolab_guest_init(isolab_guest *g, const isolab_call *call,
                       GError **error);
void isolab_guest_clear(isolab_guest *g);
/* Numbers that the files of the guest's sockets have in QEMU. */
#define ISOLAB_FD_OWN 10    /* connected, of run itself */
#define ISOLAB_FD_PUBLIC 11 /* listens, for other commands */
/* QEMU's command line. Pure. */
char **isolab_guest_arguments(const isolab_guest *g, char *const *rest);

/* process.c: QEMU, which ends when this process does, whatever the reason. */
typedef struct isolab_process isolab_process;
/* Takes the two sockets. What it says goes to the file `log`. */
isolab_process *isolab_process_start(const char *program,
                                     char *const *arguments, int own,
                                     int listener, const char *log,
                                     GError **error);
/* Calls back, from the main loop, once it has ended. */
void isolab_process_watch(isolab_process *p, void (*ended)(void *opaque),
                          void *opaque);
int isolab_process_id(const isolab_process *p);
bool isolab_process_has_ended(const isolab_process *p);
/* Ends it: it has `patience_s` to do so by itself. */
void isolab_process_stop(isolab_process *p, unsigned patience_s);
/* How it ended, as words; the caller frees. */
char *isolab_process_end(const isolab_process *p);
void isolab_process_free(isolab_process *p);

/* start.c: QEMU with its sockets. */
struct isolab_vm;
typedef struct {
    const struct isolab_vm *vm; /* whose socket it inherits */
    const char *program;
    char *const *arguments;
    const char *log; /* a file for what it says */
    int patience_ms; /* until it answers over QMP */
    void (*ended)(void *opaque);
    void *opaque;
    isolab_process *process; /* out; the caller frees, also after an error */
    isolab_qmp *qmp;         /* out, the same */
} isolab_start_plan;
/* False with an error, which quotes the QEMU if that said why. */
bool isolab_start(isolab_start_plan *s, GError **error);
/* What QEMU said in the file; NULL: nothing. The caller frees. */
char *isolab_start_said(const char *log);
/* Removes the sources (guint) that are still there from the main loop. */
void isolab_sources_free(GArray *sources);

/* console.c: the guest's console, a file that grows. */
typedef struct isolab_console isolab_console;
/* Prints what the guest says of its progress, from the main loop. */
isolab_console *isolab_console_follow(const char *path);
void isolab_console_free(isolab_console *c);
/* "isolab: end STATUS" of the guest's init: its status, or -1. Pure. */
int isolab_console_end(const char *text);
/* The line that says why a kernel gave up, or NULL. The caller frees. Pure. */
char *isolab_console_panic(const char *text);

/* results.c: the folder --out. */
/* Makes it, and empties it if it is the folder of an earlier run. */
bool isolab_results_prepare(const char *out, GError **error);
char *isolab_results_path(const isolab_guest *g, const char *name);
/* From the controller, while QEMU still answers: into `summary` and files. */
void isolab_results_collect(const isolab_guest *g, isolab_qmp *q,
                            JsonObject *summary);
/* What the guest's job has left (results.tar). */
bool isolab_results_unpack(const isolab_guest *g, GError **error);
bool isolab_results_write(const isolab_guest *g, JsonObject *summary,
                          GError **error);

#endif
