/*
 * Where the module's code went, for the fuzzer.
 *
 * With -Dfuzz=true the module is compiled with -fsanitize-coverage=trace-pc,
 * so that each basic block calls the function below. It counts pairs of blocks
 * in a table that the fuzzer shares: a file named by ISOLAB_COVERAGE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "coverage.h"

static uint8_t nobody[FUZZ_COVERAGE_BYTES];
static uint8_t *table = nobody;

static void __attribute__((constructor)) share_table(void)
{
    const char *name = getenv("ISOLAB_COVERAGE");
    int fd = name ? open(name, O_RDWR) : -1;
    void *map;

    if (fd < 0) {
        return;
    }
    map = mmap(NULL, FUZZ_COVERAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
               fd, 0);
    close(fd);
    if (map != MAP_FAILED) {
        table = map;
    }
}

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
    static __thread uintptr_t before;
    /* the module is loaded at another address each time */
    uintptr_t here = (uintptr_t)__builtin_return_address(0) -
                     (uintptr_t)&__sanitizer_cov_trace_pc;

    here = (here ^ here >> 16) * 0x9e3779b1u;
    table[(here ^ before) % FUZZ_COVERAGE_BYTES]++;
    before = here >> 1;
}
