/*
 * inflint's checks: the driver's INF is good, and each way to spoil it is seen
 * by the complaint that is about it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <string.h>

#include "../package/lint.h"

#define DEVICE "USB\\VID_46F4&PID_150A"

typedef struct Spoiled {
    const char *name;
    const char *find; /* in the good INF, its first place */
    const char *replace;
    const char *complaint;
} Spoiled;

static const Spoiled rows[] = {
    { "line-ends", "\r\n", "\n", "1: the line does not end with CR and LF" },
    { "ascii", "; Installs", "; In\xc3\xa4talls", "1: byte C3h is not ASCII" },
    { "last-line", "streaming driver\"\r\n", "streaming driver\"",
      "the last line has no end" },
    { "signature", "$WINDOWS NT$", "$CHICAGO$",
      "Signature is not \"$WINDOWS NT$\"" },
    { "class", "Class       = USBDevice", "Class = ", "Class names no class" },
    { "class-guid", "A4FF138216D6}", "A4FF138216D}",
      "ClassGuid is no GUID in braces" },
    { "provider", "Provider    = %Provider%\r\n", "", "there is no Provider" },
    { "catalog", "CatalogFile = isoav.cat\r\n", "",
      "without a CatalogFile the package counts as unsigned" },
    { "catalog-name", "isoav.cat", "cat\\isoav.cat",
      "without a CatalogFile the package counts as unsigned" },
    { "lockdown", "PnpLockdown = 1", "PnpLockdown = 0",
      "PnpLockdown is not 1" },
    { "date-form", "01/01/2026,", "2026-01-01,",
      "DriverVer has no date mm/dd/yyyy" },
    { "date", "01/01/2026,", "02/30/2026,",
      "DriverVer has no date mm/dd/yyyy" },
    { "version", ",0.1.0.0", ",0.1.0", "DriverVer has no version w.x.y.z" },
    { "version-part", ",0.1.0.0", ",0.1.0.65536",
      "DriverVer's 65536 is over 65535" },
    { "version-section", "[Version]", "[Versions]",
      "there is no section [Version]" },
    { "undecorated", "= Models,NTamd64", "= Models",
      "the models are not for NTamd64" },
    { "models", "[Models.NTamd64]", "[Models.NTx86]",
      "there is no section [Models.NTamd64]" },
    { "hardware-id", "PID_150A", "PID_150B", "the device is " DEVICE },
    { "hardware-id-form", "VID_46F4", "VID_046f4",
      "USB\\VID_046f4&PID_150A is no hardware ID of USB" },
    { "install", "[IsoAv.NT]", "[IsoAvv.NT]",
      "there is no section [IsoAv.NT] or [IsoAv]" },
    { "files", "[IsoAv.Files]", "[IsoAv.File]",
      "there is no section [IsoAv.Files]" },
    { "destination", "DefaultDestDir = 12", "DefaultDestDir = 11",
      "the destination of [IsoAv.Files] is not 12 or 13" },
    { "source", "isoav.sys = 1", "isoav.dll = 1",
      "isoav.sys is not in [SourceDisksFiles]" },
    { "disk", "1 = %Disk%", "2 = %Disk%",
      "disk 1 is not in [SourceDisksNames]" },
    { "no-service", "[IsoAv.NT.Services]", "[IsoAv.NT.Service]",
      "[IsoAv.NT] has no AddService in its .Services" },
    { "service-flags", "isoav,0x00000002", "isoav,0x00000000",
      "AddService's flags do not have 2, so that the device gets no driver" },
    { "service-section", "[IsoAv.Service]", "[IsoAv.Svc]",
      "there is no section [IsoAv.Service]" },
    { "service-type", "ServiceType   = 1", "ServiceType = 2",
      "ServiceType is not 1 (a kernel driver)" },
    { "start-type", "StartType     = 3", "StartType = 0",
      "StartType is not 3 (started on demand)" },
    { "error-control", "ErrorControl  = 1\r\n", "",
      "ErrorControl is not 1 (an error is logged, and the start goes on)" },
    { "service-binary", "%12%\\isoav.sys", "%11%\\isoav.sys",
      "ServiceBinary is no file that is copied" },
    { "characteristics", "0x10001,0x0100", "0x10001,0x0001",
      "DeviceCharacteristics is not 0x10001,0x100 (FILE_DEVICE_SECURE_OPEN)" },
    { "no-security", "[IsoAv.NT.HW]", "[IsoAv.HW]",
      "[IsoAv.NT] sets no Security in its .HW" },
    { "security-rights", "GRGW;;;BU", "GRGV;;;BU",
      "Security is no SDDL: the rights of an entry are none" },
    { "security-who", "GRGW;;;BU", "GRGW;;;XX",
      "Security is no SDDL: an entry is for nobody that is known" },
    { "security-open", "(A;;GRGW;;;BU)", "(A;;GRGW;;;BU",
      "Security is no SDDL: an entry is not closed" },
    { "security-parts", "(A;;GA;;;BA)", "(A;;GA;;BA)",
      "Security is no SDDL: an entry has six parts" },
    { "security-list", "D:P(", "O:SYP(",
      "Security is no SDDL: the owner or group is nobody that is known" },
    { "string", "Device   = \"", "Devise   = \"",
      "there is no string %device%" },
    { "string-unused", "[Strings]\r\n", "[Strings]\r\nSpare = \"x\"\r\n",
      "nothing uses the string %Spare%" },
    { "section-unused", "[Strings]", "[Spare]\r\n[Strings]",
      "nothing names the section [Spare]" },
    { "section-twice", "[Strings]", "[Version]\r\n[Strings]",
      "the section [Version] is there twice" },
    { "section-form", "[DestinationDirs]", "[DestinationDirs",
      "a section is [Name] and nothing else" },
    { "quote", "\"IsoLab\"", "\"IsoLab", "a quote is not closed" },
    { "no-section", "[Version]", "stray\r\n[Version]",
      "this line is in no section" },
};

/* The source, with the line ends that the build gives it. */
static char *load(void)
{
    g_autofree char *name =
        g_test_build_filename(G_TEST_DIST, "../package/isoav.inf", NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) lines = NULL;

    g_file_get_contents(name, &bytes, NULL, &error);
    g_assert_no_error(error);
    lines = g_strsplit(bytes, "\n", -1);
    return g_strjoinv("\r\n", lines);
}

static char *complaints(const char *bytes, const char *folder)
{
    Lint lint = { .bytes = bytes,
                  .length = strlen(bytes),
                  .folder = folder,
                  .hardware_id = DEVICE };
    char *text;

    lint_run(&lint);
    g_ptr_array_add(lint.inf.complaints, NULL);
    text = g_strjoinv("\n", (char **)lint.inf.complaints->pdata);
    inf_clear(&lint.inf);
    return text;
}

static void test_good(void)
{
    g_autofree char *bytes = load();
    g_autofree char *said = complaints(bytes, NULL);

    g_assert_cmpstr(said, ==, "");
}

static void test_spoiled(const void *opaque)
{
    const Spoiled *row = opaque;
    g_autofree char *bytes = load();
    const char *at = strstr(bytes, row->find);
    g_autoptr(GString) bad = g_string_new(NULL);
    g_autofree char *said = NULL;

    g_assert_nonnull(at);
    g_string_append_len(bad, bytes, at - bytes);
    g_string_append(bad, row->replace);
    g_string_append(bad, at + strlen(row->find));
    said = complaints(bad->str, NULL);
    g_test_message("%s", said);
    g_assert_nonnull(strstr(said, row->complaint));
}

static void test_folder(void)
{
    g_autofree char *bytes = load();
    g_autofree char *said = complaints(bytes, "/nonexistent");

    g_assert_nonnull(strstr(said, ": the package has no file isoav.sys"));
}

/* Whatever is cut off: nothing but complaints. */
static void test_cut(void)
{
    g_autofree char *bytes = load();

    for (size_t length = strlen(bytes) - 2; length > 0; length -= 7) {
        g_autofree char *said = NULL;

        bytes[length] = 0;
        said = complaints(bytes, NULL);
        g_assert_cmpstr(said, !=, "");
        if (length < 7) {
            break;
        }
    }
}

/* Wine's and other people's forms: continued lines, quotes in quotes. */
static void test_parse(void)
{
    static const char text[] = "[A]\r\n"
                               "key = one, \\\r\n"
                               "  \"two, \"\"three\"\"; four\" ; remark\r\n"
                               "%Name%\r\n"
                               "[Strings]\r\n"
                               "name = \"the name\"\r\n";
    const InfLine *line;
    g_autofree char *name = NULL;
    Inf inf;

    inf_parse(&inf, text, strlen(text));
    line = inf_line(inf_section(&inf, "a"), "KEY");
    g_assert_cmpuint(inf.complaints->len, ==, 0);
    g_assert_cmpuint(line->fields->len, ==, 2);
    g_assert_cmpuint(line->number, ==, 2);
    g_assert_cmpstr(inf_field(line, 0), ==, "one");
    g_assert_cmpstr(inf_field(line, 1), ==, "two, \"three\"; four");
    g_assert_cmpstr(inf_field(line, 2), ==, "");
    line = inf_section(&inf, "A")->lines->pdata[1];
    g_assert_null(line->key);
    name = inf_text(&inf, inf_field(line, 0));
    g_assert_cmpstr(name, ==, "the name");
    inf_clear(&inf);
}

static void test_sddl(void)
{
    static const char *const good[] = {
        "D:P(A;;GA;;;SY)", "D:(A;OICI;0x1201bf;;;S-1-5-32-545)",
        "O:BAG:SYD:PAI(A;;GRGX;;;WD)S:(AU;SAFA;GA;;;WD)"
    };
    static const char *const bad[] = { "",
                                       "(A;;GA;;;SY)",
                                       "D:Q(A;;GA;;;SY)",
                                       "D:P(A;;;;;SY)",
                                       "O:BA",
                                       "D:P(Z;;GA;;;SY)",
                                       "D:P(A;;GA;;;S-1-x)",
                                       "D:P(A;;G;;;SY)",
                                       "D:P(A;Z;GA;;;SY)",
                                       "D:P(A;;GA;guid;;SY)" };

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_cmpstr(sddl_check(good[i]), ==, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_nonnull(sddl_check(bad[i]));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inf/parse", test_parse);
    g_test_add_func("/inf/sddl", test_sddl);
    g_test_add_func("/inf/good", test_good);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/inf/bad/", rows[i].name, NULL);

        g_test_add_data_func(path, &rows[i], test_spoiled);
    }
    g_test_add_func("/inf/bad/folder", test_folder);
    g_test_add_func("/inf/bad/cut", test_cut);
    return g_test_run();
}
