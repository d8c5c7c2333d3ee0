/*
 * Statistics: percentiles and bins hold every sample, and one that is far off
 * does not hide the others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "histogram.h"

static GArray *samples_of(const int64_t *values, unsigned count)
{
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(int64_t));

    g_array_append_vals(samples, values, count);
    return samples;
}

static void test_summary(void)
{
    static const int64_t values[] = { 9, 2, 7, 4, 4, 5, 4, 5 };
    g_autoptr(GArray) samples = samples_of(values, 8);
    histogram_summary s = histogram_summarise(samples);

    g_assert_cmpint(s.samples, ==, 8);
    g_assert_cmpint(s.least, ==, 2);
    g_assert_cmpint(s.most, ==, 9);
    g_assert_cmpfloat(s.mean, ==, 5);
    g_assert_cmpfloat(s.deviation, ==, 2);
    g_assert_cmpint(s.p50, ==, 4);
    g_assert_cmpint(s.p90, ==, 9);
    g_assert_cmpint(s.p999, ==, 9);
    g_array_set_size(samples, 0);
    g_assert_cmpint(histogram_summarise(samples).samples, ==, 0);
    g_assert_null(histogram_new(samples, 10, 1, 1));
}

static void test_width(void)
{
    static const int64_t rows[][2] = { { 1, 1 },     { 2, 2 },     { 3, 5 },
                                       { 6, 10 },    { 11, 20 },   { 21, 50 },
                                       { 125, 200 }, { 501, 1000 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(histogram_width(rows[i][0]), ==, rows[i][1]);
    }
}

static uint64_t total(const histogram *h)
{
    uint64_t sum = h->below + h->above;

    for (unsigned i = 0; i < h->bins; i++) {
        sum += h->count[i];
    }
    return sum;
}

static void test_bins(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 200; round++) {
        g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(int64_t));
        unsigned most = (unsigned)g_rand_int_range(random, 2, 50);
        int32_t spread = g_rand_int_range(random, 1, 1000000);
        g_autoptr(histogram) h = NULL;

        for (unsigned i = 0; i < 500; i++) {
            int64_t v = g_rand_int_range(random, -spread, spread);

            g_array_append_val(samples, v);
        }
        histogram_summarise(samples);
        h = histogram_new(samples, most, 1, 0);
        g_assert_cmpint(h->bins, <=, most);
        g_assert_cmpint(total(h), ==, 500);
        g_assert_cmpint(h->below + h->above, ==, 0);
    }
}

/* 1998 samples of 0..9, one of a million and one of minus a million. */
static void test_outliers(void)
{
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(int64_t));
    g_autoptr(histogram) h = NULL;

    for (int64_t i = 0; i < 1998; i++) {
        int64_t v = i % 10;

        g_array_append_val(samples, v);
    }
    g_array_append_vals(samples, (int64_t[]){ 1000000, -1000000 }, 2);
    histogram_summarise(samples);
    h = histogram_new(samples, 20, 1, 1);
    g_assert_cmpint(h->width, ==, 1);
    g_assert_cmpint(h->bins, ==, 10);
    g_assert_cmpint(h->below, ==, 1);
    g_assert_cmpint(h->above, ==, 1);
    g_assert_cmpint(total(h), ==, 2000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/stats/summary", test_summary);
    g_test_add_func("/report/stats/width", test_width);
    g_test_add_func("/report/stats/bins", test_bins);
    g_test_add_func("/report/stats/outliers", test_outliers);
    return g_test_run();
}
