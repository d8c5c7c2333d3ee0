/*
 * The catalog: DER against bytes from its specification, the hash of an image
 * against what it must leave out, and a catalog read back, whole and spoiled.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <string.h>

#include "../package/cat.h"
#include "../package/der.h"

#define ASSERT_BYTES(array, ...)                               \
    do {                                                       \
        static const uint8_t expected[] = { __VA_ARGS__ };     \
        g_assert_cmpmem((array)->data, (array)->len, expected, \
                        sizeof(expected));                     \
        g_byte_array_set_size((array), 0);                     \
    } while (0)

/* X.690 §8.19.5 and RFC 8017's rsadsi; §8.3; §8.8. */
static void test_primitives(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    der_oid(out, "2.999.3");
    ASSERT_BYTES(out, 0x06, 0x03, 0x88, 0x37, 0x03);
    der_oid(out, "1.2.840.113549");
    ASSERT_BYTES(out, 0x06, 0x06, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d);
    der_integer(out, 0);
    ASSERT_BYTES(out, 0x02, 0x01, 0x00);
    der_integer(out, 127);
    ASSERT_BYTES(out, 0x02, 0x01, 0x7f);
    der_integer(out, 128);
    ASSERT_BYTES(out, 0x02, 0x02, 0x00, 0x80);
    der_integer(out, 0x10010001);
    ASSERT_BYTES(out, 0x02, 0x04, 0x10, 0x01, 0x00, 0x01);
    der_integer(out, 0xffffffff);
    ASSERT_BYTES(out, 0x02, 0x05, 0x00, 0xff, 0xff, 0xff, 0xff);
    der_null(out);
    ASSERT_BYTES(out, 0x05, 0x00);
    der_bmp_string(out, "OS");
    ASSERT_BYTES(out, 0x1e, 0x04, 0x00, 'O', 0x00, 'S');
}

/* X.690 §8.1.3: 127 is short, 128 and 256 are long, all as short as they go. */
static void test_lengths(void)
{
    static const struct {
        size_t length;
        uint8_t header[5];
        size_t header_bytes;
    } rows[] = {
        { 127, { 0x04, 0x7f }, 2 },
        { 128, { 0x04, 0x81, 0x80 }, 3 },
        { 255, { 0x04, 0x81, 0xff }, 3 },
        { 256, { 0x04, 0x82, 0x01, 0x00 }, 4 },
        { 65536, { 0x04, 0x83, 0x01, 0x00, 0x00 }, 5 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        g_autofree uint8_t *bytes = g_malloc0(rows[i].length);
        DerCursor cursor;
        DerItem item;

        der_primitive(out, DER_OCTET_STRING, bytes, rows[i].length);
        g_assert_cmpmem(out->data, rows[i].header_bytes, rows[i].header,
                        rows[i].header_bytes);
        cursor = der_cursor(out->data, out->len);
        g_assert_true(der_next(&cursor, &item));
        g_assert_cmpuint(item.length, ==, rows[i].length);
        g_assert_cmpuint(cursor.left, ==, 0);
    }
}

/* X.690 §11.6: the elements of a SET OF ascend. */
static void test_set_order(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    size_t set = der_begin(out, DER_SET);

    der_integer(out, 300);
    der_null(out);
    der_integer(out, 2);
    der_integer(out, 1);
    der_end_set(out, set);
    ASSERT_BYTES(out, 0x31, 0x0c, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02, 0x02,
                 0x02, 0x01, 0x2c, 0x05, 0x00);
}

static void test_hostile_der(void)
{
    uint8_t leading_zero[4 + 128] = { 0x04, 0x82, 0x00, 0x80 };
    DerCursor whole = der_cursor(leading_zero, sizeof(leading_zero));
    DerItem none;
    static const struct {
        uint8_t bytes[7];
        size_t length;
    } rows[] = {
        { { 0x04 }, 1 },                               /* no length */
        { { 0x04, 0x02, 0x00 }, 3 },                   /* too short */
        { { 0x30, 0x80, 0x00, 0x00 }, 4 },             /* indefinite */
        { { 0x04, 0x81, 0x01, 0x00 }, 4 },             /* long for no reason */
        { { 0x04, 0x82, 0x00, 0x80 }, 4 },             /* a leading zero */
        { { 0x04, 0x84, 0xff, 0xff, 0xff, 0xff }, 6 }, /* 4 GiB */
        { { 0x04, 0x85, 1, 0, 0, 0, 0 }, 7 },          /* more */
        { { 0x04, 0x84, 0xff }, 3 },                   /* and that cut */
        { { 0x1f, 0x01, 0x00 }, 3 },                   /* a tag of two bytes */
    };

    g_assert_false(der_next(&whole, &none));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *copy = g_memdup2(rows[i].bytes, rows[i].length);
        DerCursor cursor = der_cursor(copy, rows[i].length);
        DerItem item;

        g_assert_false(der_next(&cursor, &item));
        g_assert_cmpuint(cursor.left, ==, rows[i].length);
    }
}

/* --- images ----------------------------------------------------------------
 */

enum {
    IMAGE_BYTES = 0x205, /* no multiple of eight */
    PE = 0x80,
    OPTIONAL = PE + 24,
    CERTIFICATES = OPTIONAL + 112 + 4 * 8,
};

/* The least image: headers, and bytes after them. */
static void make_image(uint8_t *image)
{
    for (size_t i = 0; i < IMAGE_BYTES; i++) {
        image[i] = (uint8_t)(i * 7);
    }
    memcpy(image, "MZ", 2);
    memcpy(image + 0x3c, "\x80\0\0\0", 4);
    memcpy(image + PE, "PE\0\0", 4);
    memcpy(image + OPTIONAL, "\x0b\x02", 2);
    memcpy(image + OPTIONAL + 108, "\x10\0\0\0", 4);
    memset(image + CERTIFICATES, 0, 8);
}

static void test_image_hash(void)
{
    uint8_t image[0x208 + 16] = { 0 };
    uint8_t before[SHA256_BYTES];
    uint8_t after[SHA256_BYTES];

    make_image(image);
    g_assert_null(pe_hash(image, IMAGE_BYTES, before));
    for (size_t i = 0; i < IMAGE_BYTES; i++) {
        bool left_out = i >= OPTIONAL + 64 && i < OPTIONAL + 68;

        if (i < 2 || (i >= 0x3c && i < 0x40) || (i >= PE && i < PE + 4) ||
            (i >= OPTIONAL && i < OPTIONAL + 2) ||
            (i >= OPTIONAL + 108 && i < OPTIONAL + 112) ||
            (i >= CERTIFICATES && i < CERTIFICATES + 8)) {
            continue;
        }
        image[i] ^= 1;
        g_assert_null(pe_hash(image, IMAGE_BYTES, after));
        g_assert_cmpint(memcmp(before, after, sizeof(after)) == 0, ==,
                        left_out);
        image[i] ^= 1;
    }

    /* Signed: padded, sixteen bytes of certificates at 208h. */
    memset(image + IMAGE_BYTES, 0, 3);
    memset(image + 0x208, 0x55, 16);
    memcpy(image + CERTIFICATES, "\x08\x02\0\0\x10\0\0\0", 8);
    g_assert_null(pe_hash(image, sizeof(image), after));
    g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
}

static void test_hostile_image(void)
{
    uint8_t image[IMAGE_BYTES];
    uint8_t hash[SHA256_BYTES];

    make_image(image);
    for (size_t length = 0; length < CERTIFICATES + 8; length++) {
        g_autofree uint8_t *copy = g_memdup2(image, length);

        g_assert_nonnull(pe_hash(copy, length, hash));
    }
    memcpy(image + 0x3c, "\xff\xff\xff\xff", 4);
    g_assert_nonnull(pe_hash(image, sizeof(image), hash));
    make_image(image);
    memcpy(image + CERTIFICATES, "\x10\0\0\0\xff\xff\xff\xff", 8);
    g_assert_nonnull(pe_hash(image, sizeof(image), hash));
    make_image(image);
    memcpy(image + OPTIONAL + 108, "\x04\0\0\0", 4);
    g_assert_nonnull(pe_hash(image, sizeof(image), hash));
}

/* --- catalogs --------------------------------------------------------------
 */

static GByteArray *make_catalog(Catalog *cat)
{
    uint8_t image[IMAGE_BYTES];

    make_image(image);
    cat_init(cat);
    g_assert_null(cat_add(cat, "in/x.inf", (const uint8_t *)"inf", 3));
    g_assert_null(cat_add(cat, "in/x.sys", image, sizeof(image)));
    g_assert_null(cat_add(cat, "in/y.txt", (const uint8_t *)"y", 1));
    g_ptr_array_add(cat->hardware_ids, g_strdup("USB\\VID_46F4&PID_150A"));
    strcpy(cat->since, "260101000000Z");
    return cat_build(cat);
}

static bool contains(const GByteArray *array, const void *bytes, size_t length)
{
    return memmem(array->data, array->len, bytes, length) != NULL;
}

/* The parts that Windows compares byte by byte, as its own catalogs have them.
 */
static void test_catalog_bytes(void)
{
    static const uint8_t begin[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                     0xf7, 0x0d, 0x01, 0x07, 0x02 };
    static const uint8_t image[] = { 0x30, 0x17, 0x06, 0x0a, 0x2b, 0x06, 0x01,
                                     0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0f,
                                     0x30, 0x09, 0x03, 0x01, 0x00, 0xa0, 0x04,
                                     0xa2, 0x02, 0x80, 0x00 };
    static const uint8_t flat[] = { 0x30, 0x10, 0x06, 0x0a, 0x2b, 0x06,
                                    0x01, 0x04, 0x01, 0x82, 0x37, 0x02,
                                    0x01, 0x19, 0xa2, 0x02, 0x80, 0x00 };
    static const uint8_t kind[] = { 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04,
                                    0x01, 0x82, 0x37, 0x0c, 0x02, 0x03,
                                    0x31, 0x02, 0x82, 0x00 };
    static const char id[] = "u\0s\0b\0\\\0v\0i\0d\0_\0004\0006\0f\0004\0&";
    Catalog cat;
    g_autoptr(GByteArray) bytes = make_catalog(&cat);

    g_assert_cmpmem(bytes->data + 4, sizeof(begin), begin, sizeof(begin));
    g_assert_true(contains(bytes, image, sizeof(image)));
    g_assert_true(contains(bytes, flat, sizeof(flat)));
    g_assert_true(contains(bytes, kind, sizeof(kind)));
    g_assert_true(contains(bytes, id, sizeof(id) - 1));
    cat_clear(&cat);
}

static void test_catalog_round_trip(void)
{
    Catalog cat;
    Catalog read;
    g_autoptr(GByteArray) bytes = make_catalog(&cat);
    g_autoptr(GByteArray) again = NULL;
    CatMember *member = cat.members->pdata[1];

    cat_init(&read);
    g_assert_true(cat_parse(&read, bytes->data, bytes->len));
    g_assert_cmpuint(read.members->len, ==, 3);
    for (guint i = 0; i < cat.members->len; i++) {
        g_assert_null(cat_check(&read, cat.members->pdata[i]));
    }
    g_assert_cmpstr(read.hardware_ids->pdata[0], ==, "usb\\vid_46f4&pid_150a");
    again = cat_build(&read);
    g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);

    member->hash[0] ^= 1;
    g_assert_nonnull(cat_check(&read, member));
    member->hash[0] ^= 1;
    member->is_pe = false;
    g_assert_nonnull(cat_check(&read, member));
    member->is_pe = true;
    member->name[0] = 'z';
    g_assert_nonnull(cat_check(&read, member));
    cat_clear(&read);
    cat_clear(&cat);
}

static void assert_same_hashes(const Catalog *cat, const Catalog *read)
{
    g_assert_cmpuint(read->members->len, ==, cat->members->len);
    for (guint i = 0; i < read->members->len; i++) {
        const CatMember *got = read->members->pdata[i];
        bool found = false;

        for (guint j = 0; j < cat->members->len; j++) {
            const CatMember *had = cat->members->pdata[j];

            found |= got->is_pe == had->is_pe &&
                     memcmp(got->hash, had->hash, SHA256_BYTES) == 0;
        }
        g_assert_true(found);
    }
}

/* A byte changed or cut off is seen, or is one that says nothing of a hash. */
static void test_hostile_catalog(void)
{
    Catalog cat;
    g_autoptr(GByteArray) bytes = make_catalog(&cat);
    guint unseen = 0;

    for (guint i = 0; i < bytes->len; i++) {
        g_autofree uint8_t *copy = g_memdup2(bytes->data, i);
        Catalog read;

        cat_init(&read);
        g_assert_false(cat_parse(&read, copy, i));
        cat_clear(&read);
        bytes->data[i] ^= 0x40;
        cat_init(&read);
        if (cat_parse(&read, bytes->data, bytes->len)) {
            assert_same_hashes(&cat, &read);
            unseen++;
        }
        cat_clear(&read);
        bytes->data[i] ^= 0x40;
    }
    /* Identifier, time, names of files and IDs: the signature covers them. */
    g_test_message("%u of %u", unseen, bytes->len);
    g_assert_cmpuint(unseen, <, 150);
    cat_clear(&cat);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/der/primitives", test_primitives);
    g_test_add_func("/der/lengths", test_lengths);
    g_test_add_func("/der/set-order", test_set_order);
    g_test_add_func("/der/hostile", test_hostile_der);
    g_test_add_func("/image/hash", test_image_hash);
    g_test_add_func("/image/hostile", test_hostile_image);
    g_test_add_func("/catalog/bytes", test_catalog_bytes);
    g_test_add_func("/catalog/round-trip", test_catalog_round_trip);
    g_test_add_func("/catalog/hostile", test_hostile_catalog);
    return g_test_run();
}
