/*
 * Rows: what was measured, as a table for people and as JSON for programs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"

#include <sys/utsname.h>

BenchRow *bench_row(Bench *b, const char *id, const char *unit,
                    const char *what, ...)
{
    BenchRow *row = g_new0(BenchRow, 1);
    va_list ap;

    va_start(ap, what);
    row->what = g_strdup_vprintf(what, ap);
    va_end(ap);
    row->id = g_strdup(id);
    row->unit = unit;
    g_ptr_array_add(b->rows, row);
    return row;
}

void bench_row_target(BenchRow *row, BenchTarget kind, double target)
{
    row->kind = kind;
    row->target = target;
}

void bench_add(BenchRow *row, unsigned side, double value)
{
    BenchSeries *series = &row->side[side];

    g_assert_cmpuint(series->count, <, BENCH_PAIRS_MAX);
    series->at[series->count++] = value;
}

void bench_say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *at, unsigned count)
{
    qsort(at, count, sizeof(*at), compare);
    return (at[(count - 1) / 2] + at[count / 2]) / 2;
}

static BenchSeries sorted(const BenchSeries *series)
{
    BenchSeries copy = *series;

    qsort(copy.at, copy.count, sizeof(copy.at[0]), compare);
    return copy;
}

static double median(const BenchSeries *series)
{
    BenchSeries copy = *series;

    return bench_median(copy.at, copy.count);
}

/* Rule 1 of bench.h. */
static BenchSeries ratios(const BenchRow *row)
{
    const BenchSeries *a = &row->side[BENCH_IXHCI];
    const BenchSeries *b = &row->side[BENCH_QEMU];
    BenchSeries r = { .count = 0 };

    for (unsigned i = 0; i < MIN(a->count, b->count); i++) {
        if (b->at[i] > 0) {
            r.at[r.count++] = a->at[i] / b->at[i];
        }
    }
    return r;
}

/* False: missed, or nothing to judge by. */
static bool is_met(const BenchRow *row)
{
    BenchSeries r = ratios(row);

    switch (row->kind) {
    case BENCH_RATIO_AT_MOST:
        return r.count && median(&r) <= row->target;
    case BENCH_RATIO_AT_LEAST:
        return r.count && median(&r) >= row->target;
    case BENCH_VALUE_AT_MOST:
        return median(&row->side[BENCH_IXHCI]) <= row->target;
    default:
        return true;
    }
}

bool bench_targets_met(const Bench *b)
{
    bool met = true;

    for (unsigned i = 0; i < b->rows->len; i++) {
        met &= is_met(b->rows->pdata[i]);
    }
    return met;
}

static char *target_text(const BenchRow *row)
{
    switch (row->kind) {
    case BENCH_RATIO_AT_MOST:
        return g_strdup_printf("ratio <= %.3g", row->target);
    case BENCH_RATIO_AT_LEAST:
        return g_strdup_printf("ratio >= %.3g", row->target);
    case BENCH_VALUE_AT_MOST:
        return g_strdup_printf("<= %.3g %s", row->target, row->unit);
    default:
        return g_strdup("");
    }
}

static char *series_text(const BenchSeries *series, const char *format)
{
    g_autofree char *whole = NULL;
    BenchSeries s = sorted(series);
    char low[32], mid[32], high[32];

    if (!s.count) {
        return g_strdup("-");
    }
    g_ascii_formatd(low, sizeof(low), format, s.at[0]);
    g_ascii_formatd(mid, sizeof(mid), format, median(series));
    g_ascii_formatd(high, sizeof(high), format, s.at[s.count - 1]);
    return g_str_equal(low, high)
               ? g_strdup(mid)
               : g_strdup_printf("%s (%s..%s)", mid, low, high);
}

static const char *figure_format(const BenchRow *row)
{
    double value = median(&row->side[BENCH_IXHCI]);

    return value >= 100 || value == (int)value ? "%.0f" : "%.2f";
}

static void print_row(const BenchRow *row)
{
    BenchSeries r = ratios(row);
    g_autofree char *a =
        series_text(&row->side[BENCH_IXHCI], figure_format(row));
    g_autofree char *b =
        series_text(&row->side[BENCH_QEMU], figure_format(row));
    g_autofree char *ratio = series_text(&r, "%.3f");
    g_autofree char *target = target_text(row);

    printf("%s\n", row->what);
    printf("  %-16s %-26s %-26s %-24s %-14s %s\n", row->unit, a, b, ratio,
           target,
           row->kind == BENCH_NO_TARGET ? ""
           : is_met(row)                ? "met"
                                        : "MISSED");
}

void bench_print(const Bench *b)
{
    printf("\n  %-16s %-26s %-26s %-24s %-14s\n", "unit", "ixhci", "qemu-xhci",
           "ratio", "target");
    printf("  median (smallest..largest) of up to %d pairs\n\n", b->pairs);
    for (unsigned i = 0; i < b->rows->len; i++) {
        print_row(b->rows->pdata[i]);
    }
}

static void json_series(FILE *f, const char *name, const BenchSeries *series)
{
    BenchSeries s = sorted(series);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (!s.count) {
        return;
    }
    fprintf(f, ",\n     \"%s\": {\"median\": %s, ", name,
            g_ascii_formatd(number, sizeof(number), "%.6g", median(series)));
    fprintf(f, "\"min\": %s, ",
            g_ascii_formatd(number, sizeof(number), "%.6g", s.at[0]));
    fprintf(f, "\"max\": %s, \"samples\": [",
            g_ascii_formatd(number, sizeof(number), "%.6g", s.at[s.count - 1]));
    for (unsigned i = 0; i < series->count; i++) {
        fprintf(f, "%s%s", i ? ", " : "",
                g_ascii_formatd(number, sizeof(number), "%.6g", series->at[i]));
    }
    fprintf(f, "]}");
}

static void json_row(FILE *f, const BenchRow *row)
{
    BenchSeries r = ratios(row);
    g_autofree char *target = target_text(row);

    fprintf(f, "    {\"id\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\"",
            row->id, row->what, row->unit);
    json_series(f, "ixhci", &row->side[BENCH_IXHCI]);
    json_series(f, row->against ? row->against : "qemu-xhci",
                &row->side[BENCH_QEMU]);
    json_series(f, "ratio", &r);
    if (row->kind != BENCH_NO_TARGET) {
        fprintf(f, ",\n     \"target\": \"%s\", \"met\": %s", target,
                is_met(row) ? "true" : "false");
    }
    fprintf(f, "}");
}

bool bench_write_json(const Bench *b, const char *path)
{
    FILE *f = fopen(path, "w");
    double load[1] = { 0 };
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (!f) {
        return false;
    }
    getloadavg(load, 1);
    fprintf(f, "{\n  \"pairs\": %d,\n  \"load\": %s,\n  \"rows\": [\n",
            b->pairs, g_ascii_formatd(number, sizeof(number), "%.2f", load[0]));
    for (unsigned i = 0; i < b->rows->len; i++) {
        json_row(f, b->rows->pdata[i]);
        fprintf(f, "%s\n", i + 1 < b->rows->len ? "," : "");
    }
    fprintf(f, "  ]\n}\n");
    return fclose(f) == 0;
}
