/*
 * Statistics of samples: a summary and a histogram whose bins a person can
 * read (widths of 1, 2 or 5 times a power of ten).
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_HISTOGRAM_H
#define ISOLAB_HISTOGRAM_H

#include <glib.h>
#include <stdint.h>

typedef struct {
    unsigned samples;
    int64_t least, most;
    double mean, deviation; /* of the population */
    int64_t p50, p90, p99, p999;
} histogram_summary;

typedef struct {
    int64_t first; /* where the first bin begins */
    int64_t width; /* of a bin */
    unsigned bins;
    uint64_t *count;       /* of each bin */
    uint64_t below, above; /* samples outside of all bins */
} histogram;

/* Sorts the samples (GArray of int64_t). */
histogram_summary histogram_summarise(GArray *samples);

/*
 * Of sorted samples, at most `most` bins, none narrower than `finest`. Samples
 * beyond the range of all but `tail` of a thousand at each end go into below
 * and above, so that a single one does not leave everything else in one bin.
 * NULL: no samples.
 */
histogram *histogram_new(const GArray *sorted, unsigned most, int64_t finest,
                         unsigned tail);
void histogram_free(histogram *h);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(histogram, histogram_free)

/* The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
int64_t histogram_width(int64_t least);

#endif
