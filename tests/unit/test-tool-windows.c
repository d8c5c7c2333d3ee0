/*
 * isolab windows, its pure parts: what comes on COM1 (windows-report.c), the
 * verdict on it (windows-verdict.c), what an image file tells (windows-wim.c),
 * the answers for Windows' setup (windows-disk.c), and QEMU's command line
 * (windows-machine.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json.h"
#include "windows-verdict.h"
#include "windows.h"

#include <string.h>

static char *sum_of(const char *base64)
{
    gsize bytes;
    g_autofree guchar *data = g_base64_decode(base64, &bytes);

    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, bytes);
}

/* A file as report.cmd sends it, with certutil's frame and line ends. */
static char *block(const char *name, const char *content)
{
    g_autofree char *base64 =
        g_base64_encode((const guchar *)content, strlen(content));
    g_autofree char *sum = sum_of(base64);

    return g_strdup_printf("ISOLAB FILE %s %zu %s\r\n"
                           "-----BEGIN CERTIFICATE-----\r\n%s\r\n"
                           "-----END CERTIFICATE-----\r\nISOLAB EOF %s\r\n",
                           name, strlen(content), sum, base64, name);
}

#define GOOD_TAP "ok 1 - a\r\nok 2 - b # SKIP no\r\n1..2\r\n"
#define GOOD_CAPTURE "{ \"perfect\": true, \"frames\": 300 }"

/* A report: what selftest and capture sent, their codes, files in all. */
static char *report_text(const char *tap, int code, const char *capture,
                         unsigned files)
{
    g_autofree char *a = tap ? block("selftest.tap", tap) : g_strdup("");
    g_autofree char *b =
        capture ? block("capture.json", capture) : g_strdup("");

    return g_strdup_printf(
        "ISOLAB REPORT 1\r\nISOLAB BEGIN install\r\nISOLAB END install 0\r\n"
        "ISOLAB BEGIN selftest\r\n%sISOLAB END selftest %d\r\n"
        "ISOLAB BEGIN capture\r\n%sISOLAB END capture 0\r\n"
        "ISOLAB DONE %d %u\r\n",
        a, code, b, code, files);
}

/* Of a step that has ended. */
static int code_of(const windows_report *r, const char *step)
{
    int code = 0;

    g_assert_true(windows_report_ended(r, step, &code));
    return code;
}

static windows_report *read_text(const char *text)
{
    windows_report *r = windows_report_new();

    windows_report_feed(r, text, strlen(text), NULL, NULL);
    return r;
}

/* The verdict on a text, and whether a reason has `because` in it. */
static void assert_verdict(const char *text, const char *verdict,
                           const char *because)
{
    windows_report *r = read_text(text);
    g_autoptr(JsonObject) v = windows_verdict(r);
    g_autofree char *all = isolab_json_line(v);

    g_assert_cmpstr(isolab_json_text(v, "verdict"), ==, verdict);
    if (!because || !strstr(all, because)) {
        g_assert_cmpstr(because ? all : NULL, ==, because);
    }
    windows_report_free(r);
}

static unsigned marks;

static void count_mark(const windows_report *r, void *opaque)
{
    marks += r->last != WINDOWS_SAID_NOTHING;
}

static void split_at_every_byte(void)
{
    g_autofree char *text = report_text(GOOD_TAP, 0, GOOD_CAPTURE, 2);
    size_t bytes = strlen(text);

    for (size_t at = 0; at <= bytes; at++) {
        windows_report *r = windows_report_new();
        GBytes *file;

        marks = 0;
        windows_report_feed(r, text, at, count_mark, NULL);
        g_assert_cmpint(r->done, ==, at == bytes);
        windows_report_feed(r, text + at, bytes - at, count_mark, NULL);
        g_assert_true(r->done);
        g_assert_cmpuint(marks, ==, 8);
        g_assert_cmpint(code_of(r, "selftest"), ==, 0);
        file = windows_report_file(r, "selftest.tap");
        g_assert_nonnull(file);
        g_assert_cmpmem(g_bytes_get_data(file, NULL), g_bytes_get_size(file),
                        GOOD_TAP, strlen(GOOD_TAP));
        g_assert_cmpuint(r->trouble->len, ==, 0);
        windows_report_free(r);
    }
}

static void cut_at_every_byte(void)
{
    g_autofree char *text = report_text(GOOD_TAP, 0, GOOD_CAPTURE, 2);

    for (size_t at = 0; at + 2 <= strlen(text); at++) {
        g_autofree char *part = g_strndup(text, at);
        windows_report *r = read_text(part);
        g_autoptr(JsonObject) v = windows_verdict(r);

        /* without the last line there is no good verdict to be had */
        g_assert_false(r->done);
        windows_report_free(r);
    }
}

static void verdicts(void)
{
    static const struct {
        const char *tap, *capture;
        int code;
        unsigned files;
        const char *verdict, *because;
    } rows[] = {
        { GOOD_TAP, GOOD_CAPTURE, 0, 2, "passed", "\"skipped\":1" },
        { "ok 1 - a\nnot ok 2 - b\n1..2\n", GOOD_CAPTURE, 1, 2, "failed",
          "not ok 2 - b" },
        { "ok 1 - a\n1..2\n", GOOD_CAPTURE, 0, 2, "failed", "ended early" },
        { "not ok 1 - \x1b]0;\xc3\xa4\x07.\n1..1\n", GOOD_CAPTURE, 0, 2,
          "failed", "not ok 1 - ?]0;???." },
        { "", GOOD_CAPTURE, 0, 2, "failed", "0 of 0" },
        { "ok 1 - a\nBail out! no device\n1..2\n", GOOD_CAPTURE, 1, 2, "failed",
          "Bail out" },
        { GOOD_TAP, GOOD_CAPTURE, 2, 2, "failed", "ended with 2" },
        { GOOD_TAP, "{ \"perfect\": false }", 0, 2, "failed", "not perfect" },
        { GOOD_TAP, "{ \"perfect\": 1 }", 0, 2, "failed", "not perfect" },
        { GOOD_TAP, "isoav: no device", 0, 2, "failed", "no result" },
        { NULL, GOOD_CAPTURE, 0, 1, "incomplete", "selftest.tap did not" },
        { GOOD_TAP, NULL, 0, 1, "incomplete", "capture.json did not" },
        { GOOD_TAP, GOOD_CAPTURE, 0, 3, "incomplete", "2 of 3 files" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = report_text(rows[i].tap, rows[i].code,
                                            rows[i].capture, rows[i].files);

        assert_verdict(text, rows[i].verdict, rows[i].because);
    }
}

static void an_installation_that_failed(void)
{
    assert_verdict("ISOLAB REPORT 1\nISOLAB BEGIN install\n"
                   "ISOLAB END install 5\nISOLAB DONE 5 0\n",
                   "failed", "install.cmd failed with 5");
    assert_verdict("ISOLAB REPORT 1\nISOLAB BEGIN install\n"
                   "ISOLAB END install 3010\nISOLAB DONE 3010 0\n",
                   "failed", "test signing is not on");
    /* it crashed */
    assert_verdict("ISOLAB REPORT 1\nISOLAB BEGIN install\n"
                   "ISOLAB END install -1073741819\n"
                   "ISOLAB DONE -1073741819 0\n",
                   "failed", "install.cmd failed with -1073741819");
    assert_verdict("ISOLAB REPORT 1\nISOLAB BEGIN install\n"
                   "ISOLAB END install -1\nISOLAB DONE -1 0\n",
                   "failed", "install.cmd failed with -1");
    assert_verdict("ISOLAB REPORT 1\nISOLAB DONE 0 0\n", "failed",
                   "did not end");
}

/* pnputil has such codes. Without an end the host would wait for one. */
static void a_negative_code_is_an_end(void)
{
    windows_report *r = read_text("ISOLAB REPORT 1\nISOLAB BEGIN install\n"
                                  "ISOLAB END install -536870353\n"
                                  "ISOLAB DONE -536870353 0\n");

    g_assert_true(r->done);
    g_assert_cmpint(r->code, ==, -536870353);
    g_assert_cmpuint(r->trouble->len, ==, 0);
    windows_report_free(r);
}

/* What does not count as a file, and why. */
static void assert_refused(const char *text, const char *because)
{
    g_autofree char *whole = g_strconcat("ISOLAB REPORT 1\n", text, NULL);
    windows_report *r = read_text(whole);

    g_assert_cmpuint(g_hash_table_size(r->files), ==, 0);
    g_assert_cmpuint(r->trouble->len, >, 0);
    if (!strstr(r->trouble->pdata[0], because)) {
        g_assert_cmpstr(r->trouble->pdata[0], ==, because);
    }
    windows_report_free(r);
}

static void files_that_are_refused(void)
{
    static const char *const names[] = {
        "../x", "/etc/x", "a/b", "..", ".x", "a\\b", "C:x", "-x", "a b", "",
    };
    g_autofree char *good = block("x.txt", "content");
    g_autofree char *long_name = g_strnfill(WINDOWS_NAME_MAX + 1, 'a');
    g_autofree char *longer = block(long_name, "content");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = block(names[i], "content");

        g_assert_false(windows_report_is_name(names[i]));
        assert_refused(text, "was left out");
    }
    assert_refused(longer, "was left out");
    assert_refused("ISOLAB FILE x 3 00\nYWJj\nISOLAB EOF x\n", "damaged");
    assert_refused("ISOLAB FILE x 4 00\nYWJj\nISOLAB EOF x\n", "3 of 4 bytes");
    assert_refused("ISOLAB FILE x 2 00\nYWJj\nISOLAB EOF x\n", "3 of 2 bytes");
    assert_refused("ISOLAB FILE x -1 00\n", "was left out");
    assert_refused("ISOLAB FILE x 99999999999999999999 00\n", "was left out");
    assert_refused("ISOLAB FILE x 33554433 00\n", "too large");
    assert_refused("ISOLAB FILE x 3\n", "was left out");
    assert_refused("ISOLAB FILE x 3 00\nYWJj\nISOLAB DONE 0 0\n",
                   "its end did not come");
    assert_refused("ISOLAB FILE x 3 00\nYWJj\nISOLAB FILE y 0 0\n",
                   "its end did not come");
}

static void more_than_is_taken(void)
{
    g_autoptr(GString) text = g_string_new("ISOLAB REPORT 1\n");
    g_autofree char *empty_sum = sum_of("");
    windows_report *r;

    for (unsigned i = 0; i < 2 * WINDOWS_FILES_MAX; i++) {
        g_string_append_printf(text, "ISOLAB FILE f%u 0 %s\nISOLAB EOF f%u\n",
                               i, empty_sum, i);
        g_string_append(text, "ISOLAB BEGIN s\nISOLAB END s 0\n");
    }
    r = read_text(text->str);
    g_assert_cmpuint(g_hash_table_size(r->files), ==, WINDOWS_FILES_MAX);
    g_assert_cmpuint(r->ended->len, <=, WINDOWS_FILES_MAX);
    g_assert_cmpuint(r->trouble->len, <=, WINDOWS_TROUBLE_MAX);
    windows_report_free(r);
}

/* A file that was announced small, and never ends. */
static void base64_without_an_end(void)
{
    g_autofree char *line = g_strnfill(1000, 'A');
    windows_report *r = read_text("ISOLAB REPORT 1\nISOLAB FILE x 5 00\n");

    line[999] = '\n';
    for (unsigned i = 0; i < 60000; i++) {
        windows_report_feed(r, line, 1000, NULL, NULL);
    }
    g_assert_cmpuint(r->base64->len, <, 50u << 20);
    g_assert_cmpuint(r->trouble->len, ==, 1);
    windows_report_free(r);
}

static void garbage(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    g_autofree char *text = report_text(GOOD_TAP, 0, GOOD_CAPTURE, 2);
    size_t bytes = strlen(text);

    for (unsigned i = 0; i < 3000; i++) {
        g_autofree char *changed = g_memdup2(text, bytes);
        windows_report *r = windows_report_new();
        g_autoptr(JsonObject) v = NULL;

        for (unsigned j = 0; j < 1 + i % 8; j++) {
            changed[g_rand_int_range(random, 0, bytes)] =
                g_rand_int_range(random, 0, 256);
        }
        windows_report_feed(r, changed, bytes, NULL, NULL);
        v = windows_verdict(r);
        g_assert_nonnull(isolab_json_text(v, "verdict"));
        windows_report_free(r);
    }
}

static void other_lines_are_no_mistake(void)
{
    g_autofree char *report = report_text(GOOD_TAP, 0, GOOD_CAPTURE, 2);
    g_autofree char *text = g_strconcat(
        "SeaBIOS\033[2J\n\xff\xfe\nISOLABX\nISOLAB \nISOLAB HELLO 3\n", report,
        NULL);
    windows_report *r;

    assert_verdict(text, "passed", "passed");
    r = read_text("SeaBIOS\033[2J\xff\r\n\r\n");
    g_assert_cmpstr(r->line, ==, "SeaBIOS?[2J?"); /* fit for a terminal */
    windows_report_free(r);
}

static void a_report_that_begins_anew(void)
{
    g_autofree char *report = report_text(GOOD_TAP, 0, GOOD_CAPTURE, 2);
    g_autofree char *text = g_strconcat(
        "ISOLAB BEGIN prepare\nISOLAB END prepare 0\nISOLAB REPORT 1\n"
        "ISOLAB BEGIN install\nISOLAB END install 3010\nISOLAB RESTART\n",
        report, NULL);

    assert_verdict(text, "passed", "passed");
    assert_verdict("ISOLAB REPORT 2\nISOLAB BEGIN install\n"
                   "ISOLAB END install 0\nISOLAB DONE 0 0\n",
                   "incomplete", "another IsoLab");
}

/* UTF-16LE with its mark. */
static guint8 *utf16(const char *text, gsize *bytes)
{
    g_autofree char *marked = g_strconcat("\357\273\277", text, NULL);

    return (guint8 *)g_convert(marked, -1, "UTF-16LE", "UTF-8", NULL, bytes,
                               NULL);
}

#define XML                                                                    \
    "<WIM><TOTALBYTES>1</TOTALBYTES><IMAGE INDEX=\"1\"><WINDOWS><ARCH>9"       \
    "</ARCH><VERSION><MAJOR>10</MAJOR><BUILD>22631</BUILD></VERSION></"        \
    "WINDOWS>"                                                                 \
    "<NAME>Windows 11 Home</NAME></IMAGE><IMAGE INDEX=\"6\"><NAME>Windows 11 " \
    "Pro</NAME><WINDOWS><ARCH>9</ARCH></WINDOWS></IMAGE></WIM>"

static void editions_of_a_medium(void)
{
    gsize bytes;
    g_autofree guint8 *xml = utf16(XML, &bytes);
    windows_media m = { .editions = windows_wim_new_editions() };
    const windows_edition *e;
    g_autoptr(GError) error = NULL;
    unsigned index;

    windows_wim_editions(xml, bytes, m.editions);
    g_assert_cmpuint(m.editions->len, ==, 2);
    e = m.editions->pdata[0];
    g_assert_cmpstr(e->name, ==, "Windows 11 Home");
    g_assert_cmpint(e->arch, ==, 9);
    g_assert_cmpuint(e->build, ==, 22631);
    g_assert_true(windows_media_is_11(&m));
    g_assert_true(windows_media_choose(&m, NULL, &index, &error));
    g_assert_cmpuint(index, ==, 1);
    g_assert_true(windows_media_choose(&m, "windows 11 PRO", &index, &error));
    g_assert_cmpuint(index, ==, 6);
    g_assert_true(windows_media_choose(&m, "6", &index, &error));
    g_assert_cmpuint(index, ==, 6);
    g_assert_false(windows_media_choose(&m, "2", &index, &error));
    g_assert_nonnull(strstr(error->message, "6 (Windows 11 Pro)"));
    /* every length of it, and one that has too many images */
    for (gsize n = 0; n < bytes; n++) {
        g_autoptr(GPtrArray) some = windows_wim_new_editions();

        windows_wim_editions(xml, n, some);
        g_assert_cmpuint(some->len, <=, 2);
    }
    g_ptr_array_unref(m.editions);
}

static void an_image_file_that_is_none(void)
{
    guint8 header[WINDOWS_WIM_HEADER_BYTES] = "MSWIM";
    guint64 offset, bytes;

    g_assert_false(windows_wim_parse(header, &offset, &bytes)); /* no XML */
    header[72] = 100;
    header[80] = 208;
    g_assert_true(windows_wim_parse(header, &offset, &bytes));
    g_assert_cmpuint(bytes, ==, 100);
    g_assert_cmpuint(offset, ==, 208);
    header[79] = 4; /* compressed */
    g_assert_false(windows_wim_parse(header, &offset, &bytes));
    header[79] = 2;
    header[78] = 1; /* 2^48 bytes */
    g_assert_false(windows_wim_parse(header, &offset, &bytes));
    header[78] = 0;
    header[0] = 'm';
    g_assert_false(windows_wim_parse(header, &offset, &bytes));
}

#define ANSWERS "<a><AcceptEula>true</AcceptEula><Value>1</Value></a>"

static void answers(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pro = windows_answers(ANSWERS, 6, NULL, &error);
    g_autofree char *key = windows_answers(ANSWERS, 1, "K", &error);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(pro, "<Value>6</Value>"));
    g_assert_null(strstr(pro, "ProductKey"));
    g_assert_nonnull(strstr(key, "<ProductKey><Key>K</Key>"));
    g_assert_null(windows_answers("<Value>1</Value>", 2, NULL, &error));
    g_clear_error(&error);
    g_assert_null(windows_answers(ANSWERS ANSWERS, 2, NULL, &error));
    g_assert_true(windows_is_key("ABCDE-12345-abcde-12345-XYZ00"));
    g_assert_false(windows_is_key("ABCDE-12345-abcde-12345-XYZ00\n"));
    g_assert_false(windows_is_key("<BCDE-12345-abcde-12345-XYZ00"));
    g_assert_false(windows_is_key("ABCDE-12345-abcde-12345"));
}

static bool has(char *const *words, const char *word)
{
    return g_strv_contains((const char *const *)words, word);
}

static void command_lines(void)
{
    windows_machine m = { .disc = (char *)"d,isc", .cpus = 2 };
    windows_bench b = { .folder = (char *)"out", .medium = (char *)"w.iso" };
    char *rest[] = { (char *)"-vnc", (char *)":1", NULL };
    g_auto(GStrv) setup = windows_machine_arguments(&m, &b, true, false, rest);
    g_auto(GStrv) desktop = NULL;
    g_auto(GStrv) saved = NULL;

    g_assert_true(has(setup, "tcg"));
    g_assert_true(has(setup, "none")); /* -display */
    g_assert_true(has(setup, ":1"));
    g_assert_true(has(setup, "ixhci,id=xhci,capture-snaplen=128"));
    g_assert_true(has(setup, "media=cdrom,readonly=on,format=raw,file=w.iso"));
    g_assert_true(has(setup, "media=cdrom,readonly=on,format=raw,file=d,,isc"));
    g_assert_false(has(setup, "-loadvm"));
    m.kvm = true;
    desktop = windows_machine_arguments(&m, &b, false, true, NULL);
    g_assert_true(has(desktop, "kvm"));
    g_assert_false(has(desktop, "-display"));
    g_assert_false(
        has(desktop, "media=cdrom,readonly=on,format=raw,file=w.iso"));
    b.saved = true;
    saved = windows_machine_arguments(&m, &b, true, true, NULL);
    g_assert_true(has(saved, "-loadvm"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/windows/split-at-every-byte", split_at_every_byte);
    g_test_add_func("/windows/cut-at-every-byte", cut_at_every_byte);
    g_test_add_func("/windows/verdicts", verdicts);
    g_test_add_func("/windows/an-installation-that-failed",
                    an_installation_that_failed);
    g_test_add_func("/windows/a-negative-code-is-an-end",
                    a_negative_code_is_an_end);
    g_test_add_func("/windows/files-that-are-refused", files_that_are_refused);
    g_test_add_func("/windows/more-than-is-taken", more_than_is_taken);
    g_test_add_func("/windows/base64-without-an-end", base64_without_an_end);
    g_test_add_func("/windows/garbage", garbage);
    g_test_add_func("/windows/other-lines-are-no-mistake",
                    other_lines_are_no_mistake);
    g_test_add_func("/windows/a-report-that-begins-anew",
                    a_report_that_begins_anew);
    g_test_add_func("/windows/editions-of-a-medium", editions_of_a_medium);
    g_test_add_func("/windows/an-image-file-that-is-none",
                    an_image_file_that_is_none);
    g_test_add_func("/windows/answers", answers);
    g_test_add_func("/windows/command-lines", command_lines);
    return g_test_run();
}
