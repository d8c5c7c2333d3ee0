/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "histogram.h"

#include <math.h>

static int64_t sample(const GArray *samples, unsigned i)
{
    return g_array_index(samples, int64_t, i);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The nearest rank: the smallest sample that `of_1000` of a thousand do not
 * exceed. */
static int64_t percentile(const GArray *sorted, unsigned of_1000)
{
    uint64_t rank = ((uint64_t)sorted->len * of_1000 + 999) / 1000;

    return sample(sorted, (unsigned)(rank ? rank - 1 : 0));
}

histogram_summary histogram_summarise(GArray *samples)
{
    histogram_summary s = { .samples = samples->len };
    double sum = 0, squares = 0;

    if (!samples->len) {
        return s;
    }
    g_array_sort(samples, compare);
    for (unsigned i = 0; i < samples->len; i++) {
        sum += (double)sample(samples, i);
    }
    s.mean = sum / samples->len;
    for (unsigned i = 0; i < samples->len; i++) {
        double off = (double)sample(samples, i) - s.mean;

        squares += off * off;
    }
    s.deviation = sqrt(squares / samples->len);
    s.least = sample(samples, 0);
    s.most = sample(samples, samples->len - 1);
    s.p50 = percentile(samples, 500);
    s.p90 = percentile(samples, 900);
    s.p99 = percentile(samples, 990);
    s.p999 = percentile(samples, 999);
    return s;
}

int64_t histogram_width(int64_t least)
{
    int64_t ten = 1;

    while (ten < INT64_MAX / 100) {
        if (least <= ten) {
            return ten;
        }
        if (least <= 2 * ten) {
            return 2 * ten;
        }
        if (least <= 5 * ten) {
            return 5 * ten;
        }
        ten *= 10;
    }
    return INT64_MAX / 2;
}

static int64_t round_down(int64_t value, int64_t width)
{
    int64_t rest = value % width;

    return value - (rest < 0 ? rest + width : rest);
}

histogram *histogram_new(const GArray *sorted, unsigned most, int64_t finest,
                         unsigned tail)
{
    histogram *h;
    int64_t low, high;

    if (!sorted->len || most < 2) {
        return NULL;
    }
    h = g_new0(histogram, 1);
    low = percentile(sorted, tail);
    high = percentile(sorted, 1000 - tail);
    /* rounding down may need one bin more */
    h->width = histogram_width(MAX((high - low) / (most - 1) + 1, finest));
    h->first = round_down(low, h->width);
    h->bins = (unsigned)((high - h->first) / h->width) + 1;
    h->count = g_new0(uint64_t, h->bins);
    for (unsigned i = 0; i < sorted->len; i++) {
        int64_t v = sample(sorted, i);
        int64_t bin = v < h->first ? -1 : (v - h->first) / h->width;

        if (bin < 0) {
            h->below++;
        } else if (bin >= h->bins) {
            h->above++;
        } else {
            h->count[bin]++;
        }
    }
    return h;
}

void histogram_free(histogram *h)
{
    if (h) {
        g_free(h->count);
        g_free(h);
    }
}
