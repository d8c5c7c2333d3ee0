/*
 * What cppcheck needs to know of GLib's and QEMU's macros that are no plain C
 * where they are used. For `scripts/lint cppcheck` alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define g_auto(type) type
#define g_autofree
#define g_autoptr(type) type *
#define G_GNUC_PRINTF(format, first)
#define G_DEFINE_AUTOPTR_CLEANUP_FUNC(type, function)

#define g_assert_cmpstr(a, op, b) (void)g_strcmp0(a, b)
#define g_assert_cmpint(a, op, b) (void)((a)op(b))
#define g_assert_cmpuint(a, op, b) (void)((a)op(b))
#define g_assert_cmphex(a, op, b) (void)((a)op(b))
#define g_assert_cmpfloat(a, op, b) (void)((a)op(b))

#define QTAILQ_HEAD(name, type) \
    struct name {               \
        struct type *first;     \
    }
#define QTAILQ_ENTRY(type) struct type *
#define QTAILQ_FOREACH(var, head, field) \
    for ((var) = (head)->first; (var); (var) = (var)->field)
#define QTAILQ_FOREACH_SAFE(var, head, field, next)                  \
    for ((var) = (head)->first; (var) && ((next) = (var)->field, 1); \
         (var) = (next))

#define OBJECT_DECLARE_SIMPLE_TYPE(type, name)
#define OBJECT_DECLARE_TYPE(type, class, name)
#define DECLARE_INSTANCE_CHECKER(type, name, typename)
#define DECLARE_CLASS_CHECKERS(class, name, typename)
#define DECLARE_OBJ_CHECKERS(type, class, name, typename)
#define OBJECT_DEFINE_TYPE(type, module, name, parent)
#define DEFINE_TYPES(array)
#define type_init(function)
