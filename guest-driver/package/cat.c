/*
 * See cat.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cat.h"

#include <string.h>

#include "der.h"

#define OID_SIGNED_DATA "1.2.840.113549.1.7.2"
#define OID_SHA256 "2.16.840.1.101.3.4.2.1"
#define OID_TRUST_LIST "1.3.6.1.4.1.311.10.1"
#define OID_CATALOG_LIST "1.3.6.1.4.1.311.12.1.1"
#define OID_MEMBER_SHA256 "1.3.6.1.4.1.311.12.1.3"
#define OID_NAME_VALUE "1.3.6.1.4.1.311.12.2.1"
#define OID_MEMBER_INFO "1.3.6.1.4.1.311.12.2.3"
#define OID_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"
#define OID_PE_IMAGE "1.3.6.1.4.1.311.2.1.15"
#define OID_FLAT_FILE "1.3.6.1.4.1.311.2.1.25"

/* Windows 7, 8, 8.1 and 10; 11 calls itself 10. */
#define OS_ATTRIBUTE "2:6.1,2:6.2,2:6.3,2:10.0"
#define OS_LIST "7X64,8X64,_v100_X64"

/* A value that is text and is to be authenticated. */
#define NAME_VALUE_FLAGS 0x10010001

static void free_member(void *pointer)
{
    CatMember *member = pointer;

    g_free(member->name);
    g_free(member);
}

void cat_init(Catalog *cat)
{
    *cat = (Catalog){ 0 };
    cat->members = g_ptr_array_new_with_free_func(free_member);
    cat->hardware_ids = g_ptr_array_new_with_free_func(g_free);
    memcpy(cat->since, "700101000000Z", sizeof(cat->since));
}

void cat_clear(Catalog *cat)
{
    g_ptr_array_unref(cat->members);
    g_ptr_array_unref(cat->hardware_ids);
}

const char *cat_add(Catalog *cat, const char *name, const uint8_t *bytes,
                    size_t length)
{
    CatMember *member = g_new0(CatMember, 1);
    const char *wrong = NULL;

    member->name = g_path_get_basename(name);
    member->is_pe = pe_is_image(bytes, length);
    if (member->is_pe) {
        wrong = pe_hash(bytes, length, member->hash);
    } else {
        flat_hash(bytes, length, member->hash);
    }
    g_ptr_array_add(cat->members, member);
    return wrong;
}

/* --- writing ---------------------------------------------------------------
 */

/* An object identifier and NULL parameters. */
static void put_algorithm(GByteArray *out, const char *oid)
{
    size_t sequence = der_begin(out, DER_SEQUENCE);

    der_oid(out, oid);
    der_null(out);
    der_end(out, sequence);
}

/* Name and value; the value is UTF-16LE with its end. */
static void put_name_value(GByteArray *out, const char *name, const char *value)
{
    size_t sequence = der_begin(out, DER_SEQUENCE);
    size_t octets;
    size_t length = strlen(value) + 1;

    der_bmp_string(out, name);
    der_integer(out, NAME_VALUE_FLAGS);
    octets = der_begin(out, DER_OCTET_STRING);
    for (size_t i = 0; i < length; i++) {
        uint8_t unit[2] = { (uint8_t)value[i], 0 };

        g_byte_array_append(out, unit, sizeof(unit));
    }
    der_end(out, octets);
    der_end(out, sequence);
}

/* An attribute is a name and a set, here of one value, that the caller puts. */
static size_t begin_attribute(GByteArray *out, const char *oid, size_t *set)
{
    size_t sequence = der_begin(out, DER_SEQUENCE);

    der_oid(out, oid);
    *set = der_begin(out, DER_SET);
    return sequence;
}

static void end_attribute(GByteArray *out, size_t sequence, size_t set)
{
    der_end_set(out, set);
    der_end(out, sequence);
}

static void put_kind(GByteArray *out, const CatMember *member)
{
    size_t set;
    size_t attribute = begin_attribute(out, OID_MEMBER_INFO, &set);

    der_primitive(out, DER_CONTEXT_PRIMITIVE(member->is_pe ? 0 : 2), NULL, 0);
    end_attribute(out, attribute, set);
}

/* The link to a file, [2] of the choice, whose name [0] is empty. */
static void put_no_link(GByteArray *out)
{
    size_t link = der_begin(out, DER_CONTEXT(2));

    der_primitive(out, DER_CONTEXT_PRIMITIVE(0), NULL, 0);
    der_end(out, link);
}

static void put_data_type(GByteArray *out, bool is_pe)
{
    size_t type = der_begin(out, DER_SEQUENCE);

    der_oid(out, is_pe ? OID_PE_IMAGE : OID_FLAT_FILE);
    if (is_pe) {
        size_t image = der_begin(out, DER_SEQUENCE);
        size_t file;

        der_primitive(out, DER_BIT_STRING, "", 1); /* no flags */
        file = der_begin(out, DER_CONTEXT(0));
        put_no_link(out);
        der_end(out, file);
        der_end(out, image);
    } else {
        put_no_link(out);
    }
    der_end(out, type);
}

static void put_indirect_data(GByteArray *out, const CatMember *member)
{
    size_t set;
    size_t attribute = begin_attribute(out, OID_INDIRECT_DATA, &set);
    size_t data = der_begin(out, DER_SEQUENCE);
    size_t digest;

    put_data_type(out, member->is_pe);
    digest = der_begin(out, DER_SEQUENCE);
    put_algorithm(out, OID_SHA256);
    der_primitive(out, DER_OCTET_STRING, member->hash, SHA256_BYTES);
    der_end(out, digest);
    der_end(out, data);
    end_attribute(out, attribute, set);
}

static void put_named(GByteArray *out, const char *name, const char *value)
{
    size_t set;
    size_t attribute = begin_attribute(out, OID_NAME_VALUE, &set);

    put_name_value(out, name, value);
    end_attribute(out, attribute, set);
}

static void put_member(GByteArray *out, const CatMember *member)
{
    size_t sequence = der_begin(out, DER_SEQUENCE);
    size_t set;

    der_primitive(out, DER_OCTET_STRING, member->hash, SHA256_BYTES);
    set = der_begin(out, DER_SET);
    put_kind(out, member);
    put_indirect_data(out, member);
    put_named(out, "File", member->name);
    put_named(out, "OSAttr", OS_ATTRIBUTE);
    der_end_set(out, set);
    der_end(out, sequence);
}

static int compare_members(const void *left, const void *right)
{
    const CatMember *const *a = left;
    const CatMember *const *b = right;

    return memcmp((*a)->hash, (*b)->hash, SHA256_BYTES);
}

static void put_extension(GByteArray *out, const char *name, const char *value)
{
    size_t sequence = der_begin(out, DER_SEQUENCE);
    size_t octets;

    der_oid(out, OID_NAME_VALUE);
    octets = der_begin(out, DER_OCTET_STRING);
    put_name_value(out, name, value);
    der_end(out, octets);
    der_end(out, sequence);
}

static void put_extensions(GByteArray *out, const Catalog *cat)
{
    size_t context = der_begin(out, DER_CONTEXT(0));
    size_t sequence = der_begin(out, DER_SEQUENCE);

    put_extension(out, "OS", OS_LIST);
    for (guint i = 0; i < cat->hardware_ids->len; i++) {
        g_autofree char *name = g_strdup_printf("HWID%u", i + 1);
        g_autofree char *id = g_ascii_strdown(cat->hardware_ids->pdata[i], -1);

        put_extension(out, name, id);
    }
    der_end(out, sequence);
    der_end(out, context);
}

/* The identifier is to differ between lists and not between builds. */
static void put_identifier(GByteArray *out, GPtrArray *sorted)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    uint8_t digest[SHA256_BYTES];
    gsize size = sizeof(digest);

    for (guint i = 0; i < sorted->len; i++) {
        const CatMember *member = sorted->pdata[i];

        g_checksum_update(sum, member->hash, SHA256_BYTES);
    }
    g_checksum_get_digest(sum, digest, &size);
    der_primitive(out, DER_OCTET_STRING, digest, 16);
}

static void put_trust_list(GByteArray *out, const Catalog *cat)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(cat->members, NULL, NULL);
    size_t list = der_begin(out, DER_SEQUENCE);
    size_t inner = der_begin(out, DER_SEQUENCE);

    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, compare_members);
    der_oid(out, OID_CATALOG_LIST);
    der_end(out, inner);
    put_identifier(out, sorted);
    der_primitive(out, DER_UTC_TIME, cat->since, strlen(cat->since));
    put_algorithm(out, OID_MEMBER_SHA256);
    inner = der_begin(out, DER_SEQUENCE);
    for (guint i = 0; i < sorted->len; i++) {
        put_member(out, sorted->pdata[i]);
    }
    der_end(out, inner);
    put_extensions(out, cat);
    der_end(out, list);
}

GByteArray *cat_build(const Catalog *cat)
{
    GByteArray *out = g_byte_array_new();
    size_t info = der_begin(out, DER_SEQUENCE);
    size_t context;
    size_t data;
    size_t content;
    size_t inner;

    der_oid(out, OID_SIGNED_DATA);
    context = der_begin(out, DER_CONTEXT(0));
    data = der_begin(out, DER_SEQUENCE);
    der_integer(out, 1);
    der_primitive(out, DER_SET, NULL, 0); /* digest algorithms */
    content = der_begin(out, DER_SEQUENCE);
    der_oid(out, OID_TRUST_LIST);
    inner = der_begin(out, DER_CONTEXT(0));
    put_trust_list(out, cat);
    der_end(out, inner);
    der_end(out, content);
    der_primitive(out, DER_SET, NULL, 0); /* signatures */
    der_end(out, data);
    der_end(out, context);
    der_end(out, info);
    return out;
}

/* --- reading ---------------------------------------------------------------
 */

/* SignedData down to the trust list. */
static bool find_trust_list(const uint8_t *bytes, size_t length, DerItem *list)
{
    DerCursor cursor = der_cursor(bytes, length);
    DerItem item;

    if (!der_expect(&cursor, DER_SEQUENCE, &item) || cursor.left) {
        return false;
    }
    cursor = der_inside(&item);
    if (!der_next(&cursor, &item) || !der_is_oid(&item, OID_SIGNED_DATA) ||
        !der_expect(&cursor, DER_CONTEXT(0), &item)) {
        return false;
    }
    cursor = der_inside(&item);
    if (!der_expect(&cursor, DER_SEQUENCE, &item)) {
        return false;
    }
    cursor = der_inside(&item);
    if (!der_expect(&cursor, DER_INTEGER, &item) ||
        !der_expect(&cursor, DER_SET, &item) ||
        !der_expect(&cursor, DER_SEQUENCE, &item)) {
        return false;
    }
    cursor = der_inside(&item);
    if (!der_next(&cursor, &item) || !der_is_oid(&item, OID_TRUST_LIST) ||
        !der_expect(&cursor, DER_CONTEXT(0), &item)) {
        return false;
    }
    cursor = der_inside(&item);
    return der_expect(&cursor, DER_SEQUENCE, list);
}

/* A name and value of ours, as ASCII; NULL if it is none, or another name. */
static char *parse_name_value(DerCursor cursor, const char *name)
{
    g_autoptr(GByteArray) expected = g_byte_array_new();
    g_autoptr(GString) value = g_string_new(NULL);
    DerItem item;

    der_bmp_string(expected, name);
    if (!der_expect(&cursor, DER_SEQUENCE, &item)) {
        return NULL;
    }
    cursor = der_inside(&item);
    if (!der_expect(&cursor, DER_BMP_STRING, &item) ||
        item.size != expected->len ||
        memcmp(item.start, expected->data, item.size) != 0 ||
        !der_expect(&cursor, DER_INTEGER, &item) ||
        !der_expect(&cursor, DER_OCTET_STRING, &item)) {
        return NULL;
    }
    for (size_t i = 0; i + 2 < item.length; i += 2) {
        if (item.value[i + 1] || !g_ascii_isprint((char)item.value[i])) {
            return NULL;
        }
        g_string_append_c(value, (char)item.value[i]);
    }
    return g_string_free(g_steal_pointer(&value), FALSE);
}

/* The name that a member's attributes give it, or NULL. */
static char *parse_name(DerCursor set)
{
    DerItem attribute;
    DerItem oid;
    DerItem values;

    while (der_expect(&set, DER_SEQUENCE, &attribute)) {
        DerCursor inside = der_inside(&attribute);
        char *name = NULL;

        if (der_next(&inside, &oid) && der_is_oid(&oid, OID_NAME_VALUE) &&
            der_expect(&inside, DER_SET, &values)) {
            name = parse_name_value(der_inside(&values), "File");
        }
        if (name) {
            return name;
        }
    }
    return NULL;
}

static bool is_written(const DerItem *item, const CatMember *member)
{
    g_autoptr(GByteArray) written = g_byte_array_new();

    put_member(written, member);
    return item->size == written->len &&
           memcmp(item->start, written->data, written->len) == 0;
}

/*
 * Tag and name decide all else about a member, but for its kind: it is good
 * if it is, to the byte, what put_member() writes for one of the two.
 */
static bool parse_member(const DerItem *item, CatMember *member)
{
    DerCursor inside = der_inside(item);
    DerItem tag;
    DerItem set;

    if (!der_expect(&inside, DER_OCTET_STRING, &tag) ||
        tag.length != SHA256_BYTES || !der_expect(&inside, DER_SET, &set)) {
        return false;
    }
    memcpy(member->hash, tag.value, SHA256_BYTES);
    member->name = parse_name(der_inside(&set));
    if (!member->name) {
        return false;
    }
    member->is_pe = true;
    if (is_written(item, member)) {
        return true;
    }
    member->is_pe = false;
    return is_written(item, member);
}

static bool parse_members(Catalog *cat, DerCursor cursor)
{
    DerItem item;

    while (der_expect(&cursor, DER_SEQUENCE, &item)) {
        CatMember *member = g_new0(CatMember, 1);
        guint count = cat->members->len;

        g_ptr_array_add(cat->members, member);
        if (!parse_member(&item, member) ||
            (count && compare_members(&cat->members->pdata[count - 1],
                                      &cat->members->pdata[count]) >= 0)) {
            return false;
        }
    }
    return cursor.left == 0;
}

/* What is ours of the extensions must be there; others may be, too. */
static bool parse_extensions(Catalog *cat, DerCursor cursor)
{
    DerItem item;
    DerItem oid;
    bool has_systems = false;

    while (der_expect(&cursor, DER_SEQUENCE, &item)) {
        DerCursor inside = der_inside(&item);
        g_autofree char *name =
            g_strdup_printf("HWID%u", cat->hardware_ids->len + 1);
        g_autofree char *systems = NULL;
        char *id;

        if (!der_next(&inside, &oid) ||
            !der_expect(&inside, DER_OCTET_STRING, &item)) {
            return false;
        }
        if (!der_is_oid(&oid, OID_NAME_VALUE)) {
            continue;
        }
        systems = parse_name_value(der_inside(&item), "OS");
        has_systems |= systems && strcmp(systems, OS_LIST) == 0;
        id = parse_name_value(der_inside(&item), name);
        if (id) {
            g_ptr_array_add(cat->hardware_ids, id);
        }
    }
    return has_systems && cursor.left == 0;
}

bool cat_parse(Catalog *cat, const uint8_t *bytes, size_t length)
{
    DerItem item;
    DerItem members;
    DerItem oid;
    DerCursor list;
    DerCursor inside;

    if (!find_trust_list(bytes, length, &item)) {
        return false;
    }
    list = der_inside(&item);
    if (!der_expect(&list, DER_SEQUENCE, &item)) {
        return false;
    }
    inside = der_inside(&item);
    if (!der_next(&inside, &oid) || !der_is_oid(&oid, OID_CATALOG_LIST) ||
        !der_expect(&list, DER_OCTET_STRING, &item) ||
        !der_expect(&list, DER_UTC_TIME, &item) ||
        item.length != sizeof(cat->since) - 1) {
        return false;
    }
    memcpy(cat->since, item.value, item.length);
    if (!der_expect(&list, DER_SEQUENCE, &item)) {
        return false;
    }
    inside = der_inside(&item);
    if (!der_next(&inside, &oid) || !der_is_oid(&oid, OID_MEMBER_SHA256) ||
        !der_expect(&list, DER_SEQUENCE, &members) ||
        !der_expect(&list, DER_CONTEXT(0), &item)) {
        return false;
    }
    inside = der_inside(&item);
    return der_expect(&inside, DER_SEQUENCE, &item) &&
           parse_members(cat, der_inside(&members)) &&
           parse_extensions(cat, der_inside(&item));
}

const char *cat_check(const Catalog *cat, const CatMember *file)
{
    for (guint i = 0; i < cat->members->len; i++) {
        const CatMember *member = cat->members->pdata[i];

        if (g_ascii_strcasecmp(member->name, file->name) != 0) {
            continue;
        }
        return member->is_pe == file->is_pe &&
                       memcmp(member->hash, file->hash, SHA256_BYTES) == 0
                   ? NULL
                   : "is not the file that the catalog was made for";
    }
    return "is not in the catalog";
}
