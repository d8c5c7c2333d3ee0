/*
 * WIM, the file in which a medium has its images: a header of 208 bytes, and
 * somewhere in the file an XML text in UTF-16LE that tells of each image its
 * name, its architecture and its build. An ESD has the same two.
 *
 * All of it comes from somebody else's file: bounded, and what does not fit is
 * left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows-media.h"

#include <string.h>

/* Offsets in the header. A resource is 7 bytes of size, a byte of flags, its
 * offset and its size uncompressed. */
#define WIM_XML 72
#define RESOURCE_COMPRESSED 4

static guint64 load64(const guint8 *at)
{
    guint64 value;

    memcpy(&value, at, sizeof(value));
    return GUINT64_FROM_LE(value);
}

bool windows_wim_parse(const guint8 *header, guint64 *offset, guint64 *bytes)
{
    guint64 size = load64(header + WIM_XML);

    if (memcmp(header, "MSWIM\0\0", 8) != 0) {
        return false;
    }
    *bytes = size & ((G_GUINT64_CONSTANT(1) << 56) - 1);
    *offset = load64(header + WIM_XML + 8);
    return !(size >> 56 & RESOURCE_COMPRESSED) && *bytes &&
           *bytes <= WINDOWS_XML_MAX && *offset <= G_MAXINT64;
}

static void free_edition(gpointer opaque)
{
    windows_edition *e = opaque;

    g_free(e->name);
    g_free(e);
}

GPtrArray *windows_wim_new_editions(void)
{
    return g_ptr_array_new_with_free_func(free_edition);
}

/* Where the parser is: IMAGE > [NAME | WINDOWS > [ARCH | VERSION > BUILD]] */
typedef struct {
    GPtrArray *editions;
    windows_edition *now; /* in an IMAGE */
} reading;

static void begin(GMarkupParseContext *context, const char *element,
                  const char **names, const char **values, gpointer opaque,
                  GError **error)
{
    reading *r = opaque;

    if (!g_str_equal(element, "IMAGE") ||
        r->editions->len >= WINDOWS_EDITIONS_MAX) {
        return;
    }
    r->now = g_new0(windows_edition, 1);
    r->now->arch = -1;
    for (; *names; names++, values++) {
        if (g_str_equal(*names, "INDEX")) {
            r->now->index = g_ascii_strtoull(*values, NULL, 10);
        }
    }
    g_ptr_array_add(r->editions, r->now);
}

static void end(GMarkupParseContext *context, const char *element,
                gpointer opaque, GError **error)
{
    reading *r = opaque;

    if (g_str_equal(element, "IMAGE")) {
        r->now = NULL;
    }
}

/* Is the parser in these elements, the innermost first? */
static bool is_in(GMarkupParseContext *context, const char *path)
{
    const GSList *at = g_markup_parse_context_get_element_stack(context);
    g_auto(GStrv) names = g_strsplit(path, "<", -1);

    for (char **name = names; *name; name++, at = at->next) {
        if (!at || !g_str_equal(at->data, *name)) {
            return false;
        }
    }
    return true;
}

static void text(GMarkupParseContext *context, const char *value, gsize bytes,
                 gpointer opaque, GError **error)
{
    reading *r = opaque;
    g_autofree char *copy = g_strndup(value, MIN(bytes, 256));

    if (!r->now) {
        return;
    }
    g_strstrip(copy);
    if (is_in(context, "NAME<IMAGE") && !r->now->name) {
        r->now->name = g_utf8_make_valid(copy, -1);
    } else if (is_in(context, "ARCH<WINDOWS<IMAGE")) {
        r->now->arch = g_ascii_strtoull(copy, NULL, 10) & 0xffff;
    } else if (is_in(context, "BUILD<VERSION<WINDOWS<IMAGE")) {
        r->now->build = g_ascii_strtoull(copy, NULL, 10);
    }
}

void windows_wim_editions(const guint8 *xml, gsize bytes, GPtrArray *editions)
{
    static const GMarkupParser parser = {
        .start_element = begin,
        .end_element = end,
        .text = text,
    };
    g_autofree char *utf8 = NULL;
    g_autoptr(GMarkupParseContext) context = NULL;
    reading r = { .editions = editions };
    gsize length;
    const char *at;

    utf8 = g_convert((const char *)xml, bytes & ~(gsize)1, "UTF-8", "UTF-16LE",
                     NULL, &length, NULL);
    if (!utf8) {
        return;
    }
    at = g_str_has_prefix(utf8, "\357\273\277") ? utf8 + 3 : utf8;
    context = g_markup_parse_context_new(
        &parser, G_MARKUP_PREFIX_ERROR_POSITION, &r, NULL);
    g_markup_parse_context_parse(context, at, length - (at - utf8), NULL);
}
