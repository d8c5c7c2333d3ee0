/*
 * Configuration descriptors, good and hostile.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <string.h>

#include "config.h"

/* The shape of the real device, shortened: two interfaces, three alternates. */
static const uint8_t good[] = {
    9, 2,    76,   0,    2,    1,    0, 0x80, 50, /* configuration */
    9, 4,    0,    0,    0,    0xff, 0, 0,    0,  /* interface 0 alternate 0 */
    9, 4,    0,    1,    1,    0xff, 0, 0,    0,  /* interface 0 alternate 1 */
    7, 5,    0x81, 0x05, 0x00, 0x0c, 1,          /* 81h isochronous, 2 x 1024 */
    4, 0x24, 1,    2,                            /* somebody's own descriptor */
    9, 4,    1,    0,    0,    0xff, 0, 0,    0, /* interface 1 alternate 0 */
    9, 4,    1,    1,    3,    0xff, 0, 0,    0, /* interface 1 alternate 1 */
    7, 5,    0x82, 0x05, 0x00, 0x04, 4, /* 82h isochronous, bInterval 4 */
    7, 5,    0x02, 0x05, 0xc0, 0x00, 1, /* 02h isochronous */
    7, 5,    0x83, 0x02, 0x00, 0x02, 0, /* 83h bulk */
};

static ISOAV_CONFIG config;

/* Parses a copy in memory of exactly that size. */
static CONFIG_RESULT parse(const uint8_t *bytes, uint32_t length)
{
    uint8_t *copy = g_malloc(length);
    CONFIG_RESULT result;

    if (length) {
        memcpy(copy, bytes, length);
    }
    result = ConfigParse(&config, copy, length);
    g_free(copy);
    return result;
}

static uint8_t *copy_good(void)
{
    uint8_t *bytes = g_memdup2(good, sizeof(good));

    bytes[2] = sizeof(good);
    return bytes;
}

static void test_good(void)
{
    uint8_t *bytes = copy_good();
    const CONFIG_ENDPOINT *e;

    g_assert_cmpint(parse(bytes, sizeof(good)), ==, CONFIG_OK);
    g_assert_cmpuint(config.Interfaces, ==, 2);
    g_assert_cmpuint(config.Value, ==, 1);
    g_assert_cmpuint(config.MaxPower, ==, 50);
    g_assert_cmpuint(config.Alternates, ==, 4);
    g_assert_cmpuint(config.Endpoints, ==, 3);
    g_assert_cmpuint(ConfigFindAlternate(&config, 0, 1)->Offset, ==, 18);
    g_assert_cmpuint(ConfigFindAlternate(&config, 1, 1)->Endpoints, ==, 3);
    g_assert_null(ConfigFindAlternate(&config, 0, 2));
    g_assert_null(ConfigFindAlternate(&config, 2, 0));

    e = ConfigFindEndpoint(&config, 0, 1, 0);
    g_assert_cmphex(e->Address, ==, 0x81);
    g_assert_cmpuint(ConfigPacketBytes(e, ISOAV_SPEED_HIGH), ==, 2048);
    g_assert_cmpuint(ConfigPeriod(e, ISOAV_SPEED_HIGH), ==, 1);
    g_assert_cmpuint(ConfigPeriod(e, ISOAV_SPEED_FULL), ==, 8);
    e = ConfigFindEndpoint(&config, 1, 1, 0);
    g_assert_cmphex(e->Address, ==, 0x82);
    g_assert_cmpuint(ConfigPeriod(e, ISOAV_SPEED_HIGH), ==, 8);
    e = ConfigFindEndpoint(&config, 1, 1, 0x02);
    g_assert_cmpuint(ConfigPacketBytes(e, ISOAV_SPEED_HIGH), ==, 192);
    g_assert_null(ConfigFindEndpoint(&config, 1, 1, 0x83)); /* bulk */
    g_assert_null(ConfigFindEndpoint(&config, 0, 0, 0));
    g_assert_cmpuint(ConfigGuessSpeed(&config), ==, ISOAV_SPEED_HIGH);
    g_free(bytes);
}

static void test_period(void)
{
    static const struct {
        uint8_t interval;
        uint32_t high;
    } rows[] = { { 0, 0 }, { 1, 1 }, { 2, 2 },  { 3, 4 },
                 { 4, 8 }, { 5, 0 }, { 255, 0 } };
    CONFIG_ENDPOINT e = { 0 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        e.Interval = rows[i].interval;
        g_assert_cmpuint(ConfigPeriod(&e, ISOAV_SPEED_HIGH), ==, rows[i].high);
        g_assert_cmpuint(ConfigPeriod(&e, ISOAV_SPEED_SUPER), ==, rows[i].high);
        g_assert_cmpuint(ConfigPeriod(&e, ISOAV_SPEED_FULL), ==, 8);
    }
}

static void test_super_speed(void)
{
    static const uint8_t bytes[] = {
        9,    2,    40,   0,    1,    1, 0, 0x80, 50, 9,    4,    0,    0, 0,
        0xff, 0,    0,    0,    9,    4, 0, 1,    1,  0xff, 0,    0,    0, 7,
        5,    0x81, 0x05, 0x00, 0x04, 1, 6, 0x30, 2,  0,    0x00, 0x0c,
    };

    g_assert_cmpint(parse(bytes, sizeof(bytes)), ==, CONFIG_OK);
    g_assert_cmpuint(ConfigGuessSpeed(&config), ==, ISOAV_SPEED_SUPER);
    g_assert_cmpuint(ConfigPacketBytes(&config.Endpoint[0], ISOAV_SPEED_SUPER),
                     ==, 3072);
}

/* Every length of the buffer, and every byte of it changed to anything. */
static void test_any_damage(void)
{
    uint8_t *bytes = copy_good();
    uint32_t i, value;

    for (i = 0; i < sizeof(good); i++) {
        g_assert_cmpint(parse(bytes, i), !=, CONFIG_OK);
    }
    for (i = 0; i < sizeof(good); i++) {
        uint8_t was = bytes[i];

        for (value = 0; value < 256; value++) {
            bytes[i] = (uint8_t)value;
            if (parse(bytes, sizeof(good)) == CONFIG_OK) {
                g_assert_cmpuint(config.Alternates, <=, CONFIG_MAX_ALTERNATES);
                g_assert_cmpuint(config.Endpoints, <=, ISOAV_MAX_ALTERNATES);
            }
        }
        bytes[i] = was;
    }
    g_free(bytes);
}

/* One byte of the good one changed: offset, value, what must come of it. */
static void test_bad(void)
{
    static const struct {
        uint32_t offset;
        uint8_t value;
        CONFIG_RESULT result;
    } rows[] = {
        { 0, 8, CONFIG_BAD_HEADER },      { 1, 4, CONFIG_BAD_HEADER },
        { 2, 255, CONFIG_TOO_SHORT },     { 2, 8, CONFIG_TOO_SHORT },
        { 3, 1, CONFIG_TOO_SHORT },       { 4, 0, CONFIG_INTERFACES },
        { 4, 1, CONFIG_INTERFACES },      { 4, 3, CONFIG_INTERFACES },
        { 4, 9, CONFIG_TOO_MANY },        { 9, 0, CONFIG_BAD_LENGTH },
        { 9, 1, CONFIG_BAD_LENGTH },      { 9, 8, CONFIG_BAD_LENGTH },
        { 9, 255, CONFIG_BAD_LENGTH },    { 13, 1, CONFIG_FEW_ENDPOINTS },
        { 21, 0, CONFIG_DUPLICATE },      { 22, 0, CONFIG_STRAY_ENDPOINT },
        { 22, 2, CONFIG_FEW_ENDPOINTS },  { 27, 6, CONFIG_BAD_LENGTH },
        { 10, 0x24, CONFIG_INTERFACES },  { 51, 4, CONFIG_FEW_ENDPOINTS },
        { 51, 2, CONFIG_STRAY_ENDPOINT },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t *bytes = copy_good();

        bytes[rows[i].offset] = rows[i].value;
        g_test_message("byte %u = %u", rows[i].offset, rows[i].value);
        g_assert_cmpint(parse(bytes, sizeof(good)), ==, rows[i].result);
        g_free(bytes);
    }
}

static void test_stray_endpoint(void)
{
    static const uint8_t bytes[] = { 9,  2, 16, 0,    1, 1, 0, 0x80,
                                     50, 7, 5,  0x81, 5, 0, 4, 1 };

    g_assert_cmpint(parse(bytes, sizeof(bytes)), ==, CONFIG_STRAY_ENDPOINT);
}

/* The last descriptor is a byte shorter than its type, and so is the whole. */
static void test_short_last(void)
{
    static const uint8_t last[][10] = {
        { 8, 4, 0, 2, 0, 0xff, 0, 0 },
        { 6, 5, 0x84, 5, 0, 4 },
        { 5, 0x30, 0, 0, 0 },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(last); i++) {
        uint8_t bytes[sizeof(good) + 10] = { 0 };
        uint32_t length = sizeof(good) + last[i][0];

        memcpy(bytes, good, sizeof(good));
        memcpy(bytes + sizeof(good), last[i], last[i][0]);
        bytes[2] = (uint8_t)length;
        bytes[51] += last[i][1] == 5; /* one more endpoint is announced */
        g_assert_cmpint(parse(bytes, length), ==, CONFIG_BAD_LENGTH);
    }
}

/* More alternates, and more isochronous endpoints, than the tables hold. */
static void test_too_many(void)
{
    uint8_t *bytes = g_malloc0(CONFIG_MAX_BYTES);
    uint32_t i, at = 9;

    memcpy(bytes, good, 9);
    bytes[4] = 1;
    for (i = 0; i <= CONFIG_MAX_ALTERNATES; i++, at += 9) {
        const uint8_t d[9] = { 9, 4, 0, (uint8_t)i, 0, 0xff };

        memcpy(bytes + at, d, 9);
    }
    bytes[2] = (uint8_t)at;
    bytes[3] = (uint8_t)(at >> 8);
    g_assert_cmpint(parse(bytes, at), ==, CONFIG_TOO_MANY);

    bytes[9 + 4] = ISOAV_MAX_ALTERNATES + 1;
    for (i = 0, at = 18; i <= ISOAV_MAX_ALTERNATES; i++, at += 7) {
        const uint8_t d[7] = { 7, 5, 0x81, 5, 0, 4, 1 };

        memcpy(bytes + at, d, 7);
    }
    bytes[2] = (uint8_t)at;
    bytes[3] = (uint8_t)(at >> 8);
    g_assert_cmpint(parse(bytes, at), ==, CONFIG_TOO_MANY);
    g_free(bytes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/good", test_good);
    g_test_add_func("/config/period", test_period);
    g_test_add_func("/config/super-speed", test_super_speed);
    g_test_add_func("/config/any-damage", test_any_damage);
    g_test_add_func("/config/bad", test_bad);
    g_test_add_func("/config/stray-endpoint", test_stray_endpoint);
    g_test_add_func("/config/short-last", test_short_last);
    g_test_add_func("/config/too-many", test_too_many);
    return g_test_run();
}
