/*
 * The fuzzer: makes inputs, keeps those that reach new code, reports those
 * that kill QEMU.
 *
 *  1. Inputs run one after the other on one machine, which is started anew
 *     after MACHINE_INPUTS of them: starting QEMU costs more than an input.
 *  2. They run in a process of their own. When it dies (QEMU crashed, a
 *     sanitizer spoke, an INIT failed, an answer did not come), the inputs of
 *     that machine are written to the output folder with what was printed,
 *     and the fuzzer goes on with a new process.
 *  3. Which code an input reached is told by the module (coverage.c); counts
 *     are compared by their logarithm. New ones make an input worth keeping.
 *  4. All random numbers come from the seed. The clock of the host decides
 *     only when to end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coverage.h"
#include "target.h"

#define INPUT_BYTES 400
#define MACHINE_INPUTS 100
#define ANSWER_SECONDS 60
#define SAID_SECONDS 10

/* Between the fuzzer and the process that runs the inputs. */
typedef struct {
    guint64 inputs; /* run so far */
    guint64 corpus;
    unsigned count; /* of `history`: since the machine was started */
    struct {
        unsigned bytes;
        uint8_t data[INPUT_BYTES];
    } history[MACHINE_INPUTS];
} Shared;

static struct {
    int seconds;
    int seed;
    char *corpus;
    char *out;
    gboolean replay;
    char **files;
} options = { .seconds = 60, .seed = 1 };

static const GOptionEntry entries[] = {
    { "seconds", 's', 0, G_OPTION_ARG_INT, &options.seconds,
      "how long to fuzz (60)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &options.seed,
      "where the random numbers begin (1)", "N" },
    { "corpus", 'c', 0, G_OPTION_ARG_FILENAME, &options.corpus,
      "inputs to begin with", "FOLDER" },
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &options.out,
      "for inputs that reach new code, and for crashes", "FOLDER" },
    { "replay", 'r', 0, G_OPTION_ARG_NONE, &options.replay,
      "only run the FILEs, on one machine, in this order", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.files,
      NULL, "[FILE...]" },
    { NULL },
};

static Shared *shared;
static uint8_t *coverage;
static uint8_t seen[FUZZ_COVERAGE_BYTES]; /* a bit for each logarithm */
static GPtrArray *corpus;                 /* GBytes */
static GRand *dice;

static unsigned below(unsigned n)
{
    return g_rand_int_range(dice, 0, n);
}

/* Rule 3. */
static bool reached_new_code(void)
{
    bool new = false;

    for (unsigned i = 0; i < FUZZ_COVERAGE_BYTES; i++) {
        uint8_t bit = coverage[i] ? 1 << (g_bit_storage(coverage[i]) - 1) : 0;

        new |= bit & ~seen[i];
        seen[i] |= bit;
    }
    return new;
}

/* Making an input. */

static void change_bytes(GByteArray *input)
{
    for (unsigned n = 1 + below(4); n && input->len; n--) {
        uint8_t *at = &input->data[below(input->len)];

        switch (below(3)) {
        case 0:
            *at ^= 1 << below(8);
            break;
        case 1:
            *at += below(2) ? 1 : -1;
            break;
        default:
            *at = below(256);
            break;
        }
    }
}

static void insert_bytes(GByteArray *input)
{
    unsigned at = below(input->len + 1), n = 1 + below(16);
    g_autoptr(GByteArray) tail = g_byte_array_new();

    g_byte_array_append(tail, input->data + at, input->len - at);
    g_byte_array_set_size(input, at);
    while (n--) {
        uint8_t byte = below(256);

        g_byte_array_append(input, &byte, 1);
    }
    g_byte_array_append(input, tail->data, tail->len);
}

static void remove_bytes(GByteArray *input)
{
    if (input->len > 1) {
        unsigned at = below(input->len), n = 1 + below(16);

        g_byte_array_remove_range(input, at, MIN(n, input->len - at));
    }
}

static void append_other(GByteArray *input)
{
    gsize bytes;
    const uint8_t *data =
        g_bytes_get_data(corpus->pdata[below(corpus->len)], &bytes);

    g_byte_array_set_size(input, below(input->len + 1));
    if (bytes) {
        g_byte_array_append(input, data, bytes);
    }
}

static GByteArray *make_input(void)
{
    static void (*const changes[])(GByteArray *) = {
        change_bytes, change_bytes, insert_bytes, remove_bytes, append_other,
    };
    GByteArray *input = g_byte_array_new();
    gsize bytes;
    const uint8_t *data =
        g_bytes_get_data(corpus->pdata[below(corpus->len)], &bytes);

    if (bytes) {
        g_byte_array_append(input, data, bytes);
    }
    for (unsigned n = 1 + below(5); n; n--) {
        changes[below(G_N_ELEMENTS(changes))](input);
    }
    g_byte_array_set_size(input, MIN(input->len, INPUT_BYTES));
    return input;
}

/* Running one. */

static void run(FuzzTarget *target, const uint8_t *data, gsize bytes)
{
    unsigned i = shared->count;

    shared->history[i].bytes = bytes;
    if (bytes) {
        memcpy(shared->history[i].data, data, bytes);
    }
    shared->count++;
    memset(coverage, 0, FUZZ_COVERAGE_BYTES);
    alarm(ANSWER_SECONDS);
    fuzz_target_run(target, data, bytes);
    alarm(0);
    shared->inputs++;
}

static FuzzTarget *next_machine(FuzzTarget *target)
{
    if (target && shared->count < MACHINE_INPUTS) {
        return target;
    }
    if (target) {
        fuzz_target_stop(target);
    }
    shared->count = 0;
    return fuzz_target_start();
}

static void keep(GBytes *input)
{
    g_autofree char *sum =
        g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, input);
    g_autofree char *name = g_strdup_printf("%.16s.bin", sum);
    g_autofree char *file =
        options.out ? g_build_filename(options.out, name, NULL) : NULL;
    gsize bytes;
    const char *data = g_bytes_get_data(input, &bytes);

    g_ptr_array_add(corpus, g_bytes_ref(input));
    shared->corpus = corpus->len;
    if (file) {
        g_file_set_contents(file, data, bytes, NULL);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_corpus(const char *folder)
{
    GDir *dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".bin")) {
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_ptr_array_sort(names, by_name);
    for (unsigned i = 0; i < names->len; i++) {
        char *data;
        gsize bytes;

        if (g_file_get_contents(names->pdata[i], &data, &bytes, NULL)) {
            g_ptr_array_add(corpus,
                            g_bytes_new_take(data, MIN(bytes, INPUT_BYTES)));
        }
    }
}

/* The process of rule 2; it does not return. */
static void G_NORETURN fuzz(unsigned generation)
{
    FuzzTarget *target = NULL;

    dice = g_rand_new_with_seed(options.seed * 1000003u + generation);
    corpus = g_ptr_array_new();
    load_corpus(options.corpus);
    load_corpus(options.out);
    if (!corpus->len) {
        g_ptr_array_add(corpus, g_bytes_new_static("", 1));
    }
    shared->corpus = corpus->len;
    for (unsigned i = 0; i < corpus->len; i++) {
        gsize bytes;
        const uint8_t *data = g_bytes_get_data(corpus->pdata[i], &bytes);

        target = next_machine(target);
        run(target, data, bytes);
        reached_new_code();
    }
    for (;;) {
        g_autoptr(GByteArray) input = make_input();

        target = next_machine(target);
        run(target, input->data, input->len);
        if (reached_new_code()) {
            g_autoptr(GBytes) bytes = g_bytes_new(input->data, input->len);

            keep(bytes);
        }
    }
}

static void G_NORETURN replay(void)
{
    FuzzTarget *target = fuzz_target_start();

    for (char **file = options.files; file && *file; file++) {
        g_autofree char *data = NULL;
        g_autoptr(GError) error = NULL;
        gsize bytes;

        if (!g_file_get_contents(*file, &data, &bytes, &error)) {
            fprintf(stderr, "fuzz: %s\n", error->message);
            _exit(1);
        }
        shared->count = 0;
        run(target, (const uint8_t *)data, MIN(bytes, INPUT_BYTES));
    }
    fuzz_target_stop(target);
    _exit(0);
}

/* Looking after it. */

static void *share(int fd, size_t bytes)
{
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    if (map == MAP_FAILED) {
        fprintf(stderr, "fuzz: no memory to share: %s\n", g_strerror(errno));
        exit(1);
    }
    return map;
}

static void share_coverage(void)
{
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("isolab-coverage-XXXXXX", &name, NULL);

    if (fd < 0 || ftruncate(fd, FUZZ_COVERAGE_BYTES) < 0) {
        fprintf(stderr, "fuzz: no file for the coverage in %s\n",
                g_get_tmp_dir());
        exit(1);
    }
    coverage = share(fd, FUZZ_COVERAGE_BYTES);
    g_setenv("ISOLAB_COVERAGE", name, true);
    close(fd);
}

static void report_crash(unsigned n, const char *log)
{
    g_autofree char *text = NULL;

    g_file_get_contents(log, &text, NULL, NULL);
    printf("fuzz: crash %u, after %u inputs on this machine:\n%s\n", n,
           shared->count, text ? text : "");
    for (unsigned i = 0; options.out && i < shared->count; i++) {
        g_autofree char *file =
            g_strdup_printf("%s/crash-%03u-%03u.input", options.out, n, i + 1);

        g_file_set_contents(file, (const char *)shared->history[i].data,
                            shared->history[i].bytes, NULL);
    }
    if (options.out) {
        printf("fuzz: to see it again: fuzz --replay %s/crash-%03u-*.input\n",
               options.out, n);
    }
}

static pid_t start(unsigned generation, const char *log)
{
    pid_t pid;
    int fd;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        fd = open(log, O_CREAT | O_TRUNC | O_WRONLY, 0600);
        if (!options.replay && fd >= 0) {
            dup2(fd, 1);
            dup2(fd, 2);
        }
        if (options.replay) {
            replay();
        }
        fuzz(generation);
    }
    return pid;
}

static void stop(pid_t pid)
{
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static unsigned fuzz_for_a_while(const char *log)
{
    gint64 end = g_get_monotonic_time() + options.seconds * G_TIME_SPAN_SECOND;
    gint64 say = 0;
    unsigned crashes = 0, generation = 0;
    pid_t pid = start(generation, log);

    while (g_get_monotonic_time() < end && crashes < 20) {
        if (g_get_monotonic_time() >= say) {
            printf("fuzz: %" G_GUINT64_FORMAT " inputs, %" G_GUINT64_FORMAT
                   " in the corpus, %u crashes\n",
                   shared->inputs, shared->corpus, crashes);
            fflush(stdout);
            say = g_get_monotonic_time() + SAID_SECONDS * G_TIME_SPAN_SECOND;
        }
        g_usleep(100000);
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            kill(-pid, SIGKILL);
            report_crash(++crashes, log);
            pid = start(++generation, log);
        }
    }
    stop(pid);
    printf("fuzz: %" G_GUINT64_FORMAT " inputs, %" G_GUINT64_FORMAT
           " in the corpus, %u crashes\n",
           shared->inputs, shared->corpus, crashes);
    return crashes;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(
        "- throw nonsense at the controller and its devices");
    g_autoptr(GError) error = NULL;
    g_autofree char *log =
        g_strdup_printf("%s/isolab-fuzz-%d.log", g_get_tmp_dir(), getpid());
    unsigned crashes;
    int status;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "fuzz: %s; --help shows the options\n", error->message);
        return 2;
    }
    if (options.out && g_mkdir_with_parents(options.out, 0755) < 0) {
        fprintf(stderr, "fuzz: %s: %s\n", options.out, g_strerror(errno));
        return 1;
    }
    shared = share(-1, sizeof(*shared));
    share_coverage();
    if (options.replay) {
        waitpid(start(0, log), &status, 0);
        crashes = status != 0;
    } else {
        crashes = fuzz_for_a_while(log);
    }
    g_unlink(log);
    g_unlink(g_getenv("ISOLAB_COVERAGE"));
    return crashes ? 1 : 0;
}
