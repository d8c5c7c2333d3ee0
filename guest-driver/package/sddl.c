/*
 * Security descriptors as text (SDDL), the form of them that Windows accepts
 * for a device: "O:", "G:", "D:" and "S:" parts, the last two with flags and
 * entries (type;flags;rights;object;inherited object;who).
 *
 * SPDX-License-Identifier: MIT
 */
#include "lint.h"

#include <string.h>

/* Words of two letters each, one after the other. */
static const char ace_flags[] = "CIOINPIOIDSAFA";
static const char rights[] = "GAGRGWGXRCSDWDWORPWPCCDCLCSWLODTCRFAFRFWFXKAKRKW"
                             "KX";
static const char sids[] = "AAACANAOASAUBABGBOBUCACDCGCODADCDDDGDUEAEDERHIHOIS"
                           "IULALGLSLWMEMPMUNONSNUOWPAPOPSPURCRDRERORSRUSASISO"
                           "SSSUSYUDWDWR";

static gboolean has_word(const char *words, const char *word)
{
    for (; *words; words += 2) {
        if (strncmp(words, word, 2) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_words(const char *words, const char *text)
{
    if (strlen(text) % 2) {
        return FALSE;
    }
    for (; *text; text += 2) {
        if (!has_word(words, text)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean is_sid(const char *text)
{
    return (strlen(text) == 2 && has_word(sids, text)) ||
           g_regex_match_simple("^S-1-\\d+(-\\d+){1,15}$", text, 0, 0);
}

static const char *check_ace(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);

    if (g_strv_length(parts) != 6) {
        return "an entry has six parts";
    }
    if (!g_regex_match_simple("^(A|D|AU|OA|OD|OU)$", parts[0], 0, 0)) {
        return "the type of an entry is none";
    }
    if (!is_words(ace_flags, parts[1])) {
        return "the flags of an entry are none";
    }
    if (!*parts[2] ||
        (!is_words(rights, parts[2]) &&
         !g_regex_match_simple("^0x[0-9a-fA-F]{1,8}$", parts[2], 0, 0))) {
        return "the rights of an entry are none";
    }
    if (*parts[3] || *parts[4]) {
        return "an entry for a device names no object";
    }
    return is_sid(parts[5]) ? NULL : "an entry is for nobody that is known";
}

/* Flags and entries, after "D:" or "S:"; *text is moved behind them. */
static const char *check_acl(const char **text)
{
    const char *wrong = NULL;

    while (!wrong && **text && **text != '(') {
        if (strncmp(*text, "AI", 2) == 0 || strncmp(*text, "AR", 2) == 0) {
            *text += 2;
        } else if (**text == 'P') {
            *text += 1;
        } else if (g_ascii_isalpha(**text) && (*text)[1] == ':') {
            return NULL;
        } else {
            wrong = "the flags of the list are none";
        }
    }
    while (!wrong && **text == '(') {
        const char *end = strchr(*text, ')');
        g_autofree char *ace = NULL;

        if (!end) {
            return "an entry is not closed";
        }
        ace = g_strndup(*text + 1, (gsize)(end - *text - 1));
        wrong = check_ace(ace);
        *text = end + 1;
    }
    return wrong;
}

static const char *check_owner(const char **text)
{
    const char *end = strchr(*text, ':');
    gsize length = end ? (gsize)(end - *text - 1) : strlen(*text);
    g_autofree char *sid = g_strndup(*text, length);

    *text += length;
    return is_sid(sid) ? NULL : "the owner or group is nobody that is known";
}

const char *sddl_check(const char *text)
{
    const char *wrong = NULL;
    gboolean has_list = FALSE;

    while (!wrong && *text) {
        char part = *text;

        if (!strchr("OGDS", part) || text[1] != ':') {
            return "a part begins with O:, G:, D: or S:";
        }
        text += 2;
        wrong =
            part == 'D' || part == 'S' ? check_acl(&text) : check_owner(&text);
        has_list |= part == 'D';
    }
    return wrong || has_list ? wrong : "nothing says who may do what (D:)";
}
