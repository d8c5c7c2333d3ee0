/*
 * The register of guests that run. The rules are in vm.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "vm.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct isolab_vm {
    char *name;
    char *folder;
    int lock;
};

static const char *const entry_files[] = { "vm.json", "qmp", "lock" };

static char *upper_path(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");

    if (runtime && *runtime) {
        return g_build_filename(runtime, "isolab", NULL);
    }
    return g_strdup_printf("/tmp/isolab-%u", (unsigned)geteuid());
}

/* Rule 1. */
static char *upper_folder(GError **error)
{
    g_autofree char *path = upper_path();
    struct stat st;

    if (g_mkdir_with_parents(path, 0700) < 0 || lstat(path, &st) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "Cannot make the folder %s: %s; set XDG_RUNTIME_DIR to a "
                    "folder of yours.",
                    path, g_strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & (S_IRWXG | S_IRWXO))) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "%s is not a folder that only you can enter (mode 0700); "
                    "remove it, or set XDG_RUNTIME_DIR to another place.",
                    path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* Rule 3. -1: it cannot be locked, and nobody is kept out. */
static int lock_upper(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        flock(fd, LOCK_EX);
    }
    return fd;
}

static void unlock_upper(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void remove_entry(const char *folder)
{
    for (size_t i = 0; i < G_N_ELEMENTS(entry_files); i++) {
        g_autofree char *path = g_build_filename(folder, entry_files[i], NULL);

        g_unlink(path);
    }
    g_rmdir(folder);
}

/* Rule 2: is the isolab that made it gone? */
static bool is_dead(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool dead;

    if (fd < 0) {
        return errno == ENOENT;
    }
    dead = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return dead;
}

static int take_lock(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0) {
        flock(fd, LOCK_EX | LOCK_NB);
    }
    return fd;
}

isolab_vm *isolab_vm_create(const char *kind, GError **error)
{
    g_autofree char *upper = upper_folder(error);
    isolab_vm *vm;
    int upper_lock;

    if (!upper) {
        return NULL;
    }
    vm = g_new0(isolab_vm, 1);
    vm->name = g_strdup_printf("%s-%d", kind, (int)getpid());
    vm->folder = g_build_filename(upper, vm->name, NULL);
    upper_lock = lock_upper(upper);
    remove_entry(vm->folder); /* of one long dead whose number we have */
    vm->lock = g_mkdir(vm->folder, 0700) == 0 ? take_lock(vm->folder) : -1;
    unlock_upper(upper_lock);
    if (vm->lock < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED, "Cannot write in %s.",
                    upper);
        isolab_vm_remove(vm);
        return NULL;
    }
    return vm;
}

const char *isolab_vm_name(const isolab_vm *vm)
{
    return vm->name;
}

static char *socket_path(const char *folder)
{
    return g_build_filename(folder, "qmp", NULL);
}

int isolab_vm_listen(const isolab_vm *vm, GError **error)
{
    g_autofree char *path = socket_path(vm->folder);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "The socket's path %s is longer than %zu bytes; set "
                    "XDG_RUNTIME_DIR to a shorter one.",
                    path, sizeof(address.sun_path) - 1);
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 16) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "Cannot make the socket %s: %s.", path, g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

bool isolab_vm_announce(const isolab_vm *vm, JsonObject *about, GError **error)
{
    g_autofree char *qmp = socket_path(vm->folder);
    g_autofree char *path = g_build_filename(vm->folder, "vm.json", NULL);
    g_autofree char *text = NULL;

    json_object_set_string_member(about, "name", vm->name);
    json_object_set_int_member(about, "pid", getpid());
    json_object_set_string_member(about, "qmp", qmp);
    text = isolab_json_line(about);
    /* by rename: whoever reads it has all of it */
    return g_file_set_contents(path, text, -1, error);
}

void isolab_vm_remove(isolab_vm *vm)
{
    g_autofree char *upper = NULL;
    int upper_lock;

    if (!vm) {
        return;
    }
    upper = g_path_get_dirname(vm->folder);
    upper_lock = lock_upper(upper);
    remove_entry(vm->folder);
    unlock_upper(upper_lock);
    if (vm->lock >= 0) {
        close(vm->lock);
    }
    g_free(vm->name);
    g_free(vm->folder);
    g_free(vm);
}

static JsonObject *read_entry(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "vm.json", NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL; /* about to start */
    }
    return isolab_json_parse(text, NULL);
}

GPtrArray *isolab_vm_list(GError **error)
{
    g_autofree char *upper = upper_folder(error);
    g_autoptr(GDir) dir = upper ? g_dir_open(upper, 0, error) : NULL;
    GPtrArray *all;
    const char *name;
    int upper_lock;

    if (!dir) {
        return NULL;
    }
    all = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    upper_lock = lock_upper(upper);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *folder = g_build_filename(upper, name, NULL);
        JsonObject *entry;

        if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
            continue;
        }
        if (is_dead(folder)) {
            remove_entry(folder);
            continue;
        }
        entry = read_entry(folder);
        if (entry) {
            g_ptr_array_add(all, entry);
        }
    }
    unlock_upper(upper_lock);
    return all;
}

static char *names_of(const GPtrArray *all)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < all->len; i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "",
                               isolab_json_text(all->pdata[i], "name"));
    }
    return g_string_free(names, FALSE);
}

static JsonObject *find_entry(const GPtrArray *all, const char *name)
{
    for (unsigned i = 0; i < all->len; i++) {
        if (g_strcmp0(isolab_json_text(all->pdata[i], "name"), name) == 0) {
            return all->pdata[i];
        }
    }
    return NULL;
}

char *isolab_vm_socket(const isolab_call *call, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autofree char *names = NULL;
    JsonObject *entry;

    if (call->qmp) {
        return g_strdup(call->qmp);
    }
    all = isolab_vm_list(error);
    if (!all) {
        return NULL;
    }
    if (!all->len) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST,
                    "No guest runs; start one with `isolab run`, or name the "
                    "QMP socket of a QEMU with --qmp.");
        return NULL;
    }
    names = names_of(all);
    if (!call->vm && all->len > 1) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Several guests run; say which with --vm: %s.", names);
        return NULL;
    }
    entry = call->vm ? find_entry(all, call->vm) : all->pdata[0];
    if (!entry) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST,
                    "No guest '%s' runs; those that do: %s.", call->vm, names);
        return NULL;
    }
    return g_strdup(isolab_json_text(entry, "qmp"));
}

char *isolab_vm_controller(isolab_qmp *q, GError **error)
{
    static const char *const folders[] = { "/machine/peripheral",
                                           "/machine/peripheral-anon" };

    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        JsonObject *arguments = json_object_new();
        g_autoptr(JsonNode) list = NULL;
        JsonArray *all;

        json_object_set_string_member(arguments, "path", folders[i]);
        list = isolab_qmp_execute(q, "qom-list", arguments, error);
        if (!list) {
            return NULL;
        }
        all = JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
        for (unsigned j = 0; all && j < json_array_get_length(all); j++) {
            JsonObject *row = isolab_json_element(all, j);

            if (g_strcmp0(isolab_json_text(row, "type"), "child<ixhci>") == 0) {
                return g_strdup_printf("%s/%s", folders[i],
                                       isolab_json_text(row, "name"));
            }
        }
    }
    g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST,
                "That QEMU has no ixhci; start it with `-device ixhci`.");
    return NULL;
}

isolab_qmp *isolab_vm_connect(const isolab_call *call, char **controller,
                              GError **error)
{
    g_autofree char *path = isolab_vm_socket(call, error);
    g_autoptr(isolab_qmp) q = path ? isolab_qmp_connect(path, error) : NULL;

    if (!q) {
        return NULL;
    }
    if (controller) {
        *controller = isolab_vm_controller(q, error);
        if (!*controller) {
            return NULL;
        }
    }
    return g_steal_pointer(&q);
}
