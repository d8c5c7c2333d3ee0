/*
 * Stands in for programs of Windows that Wine has not, in the job `windows`:
 * what it does depends on its own name. certutil's base64 and SHA-256 are real;
 * pnputil takes the driver's files from where it is told to, and waits until
 * the job has plugged the device in; the others answer as on a machine where
 * all is well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <windows.h>
#include <bcrypt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUM_BYTES 32
#define FILE_MAX (64u << 20)
#define INF "C:\\windows\\inf\\"
/* The job makes it once the driver has started. */
#define STARTED "C:\\isolab\\started"
#define LOOKS 600
#define LOOK_EVERY_MS 100

/* The whole of a file, NULL if that cannot be had; the caller frees. */
static unsigned char *load(const char *path, DWORD *bytes)
{
    FILE *file = fopen(path, "rb");
    unsigned char *data = file ? malloc(FILE_MAX) : NULL;

    *bytes = data ? fread(data, 1, FILE_MAX, file) : 0;
    if (file) {
        fclose(file);
    }
    return data;
}

static int hash_file(const char *path)
{
    UCHAR sum[SUM_BYTES];
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash;
    DWORD bytes;
    unsigned char *data = load(path, &bytes);

    if (!data ||
        BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL,
                                    0) < 0 ||
        BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0) < 0 ||
        BCryptHashData(hash, data, bytes, 0) < 0 ||
        BCryptFinishHash(hash, sum, sizeof(sum), 0) < 0) {
        return 1;
    }
    printf("SHA256 hash of %s:\n", path);
    for (unsigned i = 0; i < SUM_BYTES; i++) {
        printf("%02x", sum[i]);
    }
    printf("\nCertUtil: -hashfile command completed successfully.\n");
    return 0;
}

/* As certutil writes it: 64 characters a line. Wine's own (crypt32) needs
 * libraries that the guest has not. */
static void write_base64(FILE *to, const unsigned char *data, DWORD bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (DWORD i = 0; i < bytes; i += 3) {
        unsigned left = bytes - i;
        unsigned word = data[i] << 16 | (left > 1 ? data[i + 1] << 8 : 0) |
                        (left > 2 ? data[i + 2] : 0);

        fputc(digits[word >> 18], to);
        fputc(digits[word >> 12 & 63], to);
        fputc(left > 1 ? digits[word >> 6 & 63] : '=', to);
        fputc(left > 2 ? digits[word & 63] : '=', to);
        if (i % 48 == 45 || left <= 3) {
            fputs("\r\n", to);
        }
    }
}

static int encode(const char *from, const char *to)
{
    DWORD bytes;
    unsigned char *data = load(from, &bytes);
    FILE *file = data && bytes ? fopen(to, "wb") : NULL;

    if (!file) {
        return 1;
    }
    fputs("-----BEGIN CERTIFICATE-----\r\n", file);
    write_base64(file, data, bytes);
    fputs("-----END CERTIFICATE-----\r\n", file);
    return fclose(file) != 0;
}

static int certutil(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "-addstore") == 0) {
        return GetFileAttributesA(argv[4]) == INVALID_FILE_ATTRIBUTES;
    }
    if (argc == 4 && strcmp(argv[1], "-hashfile") == 0) {
        return hash_file(argv[2]);
    }
    if (argc == 5 && strcmp(argv[2], "-encode") == 0) {
        return encode(argv[3], argv[4]);
    }
    return 2;
}

static int pnputil(int argc, char **argv)
{
    static const char *const ends[] = { ".sys", ".cat", ".inf" };
    char from[MAX_PATH], to[MAX_PATH];

    if (argc < 3 || strcmp(argv[1], "/add-driver") != 0) {
        return 0;
    }
    for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        snprintf(from, sizeof(from), "%.*s%s", (int)strlen(argv[2]) - 4,
                 argv[2], ends[i]);
        snprintf(to, sizeof(to), INF "isoav%s", ends[i]);
        if (!CopyFileA(from, to, FALSE)) {
            printf("no %s\n", from);
            return 2;
        }
    }
    for (unsigned i = 0; i < LOOKS; i++) {
        if (GetFileAttributesA(STARTED) != INVALID_FILE_ATTRIBUTES) {
            return 0;
        }
        Sleep(LOOK_EVERY_MS);
    }
    return 259;
}

static int reg(int argc, char **argv)
{
    printf("    SystemStartOptions    REG_SZ     TESTSIGNING\n");
    return 0;
}

static int findstr(int argc, char **argv)
{
    char line[1024];

    while (fgets(line, sizeof(line), stdin)) {
        if (strstr(line, argv[argc - 1])) {
            return 0;
        }
    }
    return 1;
}

static int fine(int argc, char **argv)
{
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} programs[] = {
    { "certutil", certutil }, { "pnputil", pnputil }, { "reg", reg },
    { "findstr", findstr },   { "bcdedit", fine },    { "fltmc", fine },
    { "mode", fine },         { "schtasks", fine },   { "powershell", fine },
};

int main(int argc, char **argv)
{
    char self[MAX_PATH] = "";
    const char *name;

    GetModuleFileNameA(NULL, self, sizeof(self) - 1);
    name = strrchr(self, '\\');
    for (unsigned i = 0; name && i < sizeof(programs) / sizeof(*programs);
         i++) {
        if (_strnicmp(name + 1, programs[i].name, strlen(programs[i].name)) ==
            0) {
            return programs[i].run(argc, argv);
        }
    }
    fprintf(stderr, "standin: it stands in for nobody under this name\n");
    return 9009;
}
