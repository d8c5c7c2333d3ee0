/*
 * The kernel's messages, and those of programs that use USB: a line is an
 * observation if a row of the table knows it. Where a line has a number in
 * it, that is the status (a negative errno, or libusb's own).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driverlog.h"

#include <stdlib.h>
#include <string.h>

#include "effect.h"

typedef enum { FIXED, ERRNO, LIBUSB } number_kind;

typedef struct {
    const char *pattern;
    number_kind kind; /* of what the first group of the pattern holds */
    uint32_t effects; /* FIXED: always; otherwise also */
} message;

#define IS(e) EFFECT_BIT(EFFECT_##e)

/* The first that fits is taken. */
static const message table[] = {
    /* usbcore, hub */
    { "usb \\S+: USB disconnect, device number", FIXED, IS(GONE) },
    { "usb \\S+: reset \\S+ USB device", FIXED, IS(RESET) },
    { "over-current (change|condition)", FIXED, IS(GONE) },
    { "device descriptor read/\\S+, error (-?\\d+)", ERRNO, 0 },
    { "device not accepting address \\d+, error (-?\\d+)", ERRNO, 0 },
    { "unable to enumerate USB device", FIXED, IS(REFUSED) | IS(GONE) },
    { "Cannot enable\\. Maybe the USB cable is bad", FIXED, IS(RESET) },
    { "cannot reset \\(err = (-?\\d+)\\)", ERRNO, IS(RESET) },
    { "Not enough bandwidth", FIXED, IS(REFUSED) },
    { "Not enough host controller resources", FIXED, IS(REFUSED) },
    { "can't set config #\\d+, error (-?\\d+)", ERRNO, IS(REFUSED) },
    /* xhci_hcd */
    { "xHCI host controller not responding, assume dead", FIXED, IS(GONE) },
    { "HC died; cleaning up", FIXED, IS(GONE) },
    { "xHCI host not responding to stop endpoint", FIXED, IS(GONE) },
    { "Host System Error", FIXED, IS(GONE) | IS(OTHER) },
    { "TRB DMA ptr not part of current TD", FIXED, IS(LOST) },
    { "Timeout while waiting for .* command", FIXED, IS(REFUSED) | IS(OTHER) },
    { "Command timeout", FIXED, IS(REFUSED) | IS(OTHER) },
    { "Abort failed to stop command ring", FIXED, IS(GONE) | IS(OTHER) },
    { "ERROR Unknown event condition", FIXED, IS(LOST) | IS(OTHER) },
    { "bandwidth overrun event", FIXED, IS(BANDWIDTH) },
    { "buffer overrun event", FIXED, IS(OVERRUN) },
    { "xhci_hcd \\S+: (?:WARN|ERROR)", FIXED, IS(OTHER) },
    /* uvcvideo, snd-usb-audio, usbtest, usbfs */
    { "Non-zero status \\((-?\\d+)\\) in video completion", ERRNO, 0 },
    { "USB isochronous frame lost \\((-?\\d+)\\)", ERRNO, 0 },
    { "Failed to (?:resubmit|submit) \\S+ URB \\((-?\\d+)\\)", ERRNO, 0 },
    { "frame \\d+ active: (-?\\d+)", ERRNO, 0 },
    { "[Cc]annot submit \\S*\\s*urb.*?(-\\d+)", ERRNO, 0 },
    { "timeout: still \\d+ active urbs on EP", FIXED, IS(OTHER) },
    { "usbtest \\S+: .*\\btotal [1-9]\\d* errors", FIXED, IS(OTHER) },
    { "usbtest \\S+: .*(?:failed|error|status)\\D*(-\\d+)", ERRNO, 0 },
    { "usbfs: .*(?:failed|error)\\D*(-\\d+)", ERRNO, 0 },
    /* programs on libusb */
    { "transfer ended with status ([1-9]\\d*)", LIBUSB, 0 },
};

/* enum libusb_transfer_status, from 1 */
static uint32_t effect_of_libusb(int status)
{
    static const uint32_t effects[] = {
        0, IS(OTHER), IS(XACT), IS(CANCELLED), IS(STALL), IS(GONE), IS(OVERRUN)
    };

    return status > 0 && status < (int)G_N_ELEMENTS(effects) ? effects[status]
                                                             : IS(OTHER);
}

static bool is_known(GRegex *const *known, const char *line, uint32_t *effects)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GMatchInfo) match = NULL;
        g_autofree char *group = NULL;
        int number;

        if (!g_regex_match(known[i], line, 0, &match)) {
            continue;
        }
        group = g_match_info_fetch(match, 1);
        number = group ? atoi(group) : 0;
        *effects = table[i].effects;
        if (table[i].kind == ERRNO) {
            *effects |= effect_of_errno(number);
        } else if (table[i].kind == LIBUSB) {
            *effects |= effect_of_libusb(number);
        }
        return *effects != 0;
    }
    return false;
}

static GRegex **compile(void)
{
    GRegex **known = g_new(GRegex *, G_N_ELEMENTS(table));

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        known[i] = g_regex_new(table[i].pattern, G_REGEX_OPTIMIZE | G_REGEX_RAW,
                               0, NULL);
        g_assert(known[i]);
    }
    return known;
}

/* "[   12.345678] " is when; two lines that say the same are the same. */
static const char *without_time(const char *line)
{
    const char *end = *line == '[' ? strchr(line, ']') : NULL;

    if (!end || strspn(line + 1, " .0123456789") != (size_t)(end - line - 1)) {
        return line;
    }
    return end + 1 + strspn(end + 1, " ");
}

witness *messages_parse(const char *text, gsize bytes, const char *name)
{
    witness *w = witness_new(name, false);
    GRegex **known = compile();
    const char *end = text + bytes;
    uint32_t number = 1;

    for (const char *line = text; line < end; number++) {
        const char *stop = memchr(line, '\n', end - line);
        size_t length = MIN((stop ? stop : end) - line, 4096);
        g_autofree char *copy = g_strndup(line, length);
        observation row = { .uf = -1, .length = -1, .line = number };

        if (is_known(known, g_strchomp(copy), &row.effects)) {
            g_autofree char *valid = g_utf8_make_valid(without_time(copy), -1);

            row.text = g_intern_string(valid);
            g_array_append_val(w->rows, row);
        }
        line = (stop ? stop : end) + 1;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_regex_unref(known[i]);
    }
    g_free(known);
    return w;
}
