/*
 * The layout of isoav_ioctl.h, which is compiled for programs of 32 and of 64
 * bits: a 32-bit program under WOW64 talks to the 64-bit driver, and nobody
 * converts. The compiler is the test; with -m32, 64-bit fields are aligned to
 * 4 bytes only, so that any padding would show.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>

#include "isoav_ioctl.h"

#define SIZE(type, bytes) \
    _Static_assert(sizeof(type) == (bytes), #type " has another size")
#define AT(type, field, offset)                       \
    _Static_assert(offsetof(type, field) == (offset), \
                   #type "." #field " is somewhere else")

SIZE(isoav_alternate, 16);
SIZE(isoav_info, 48 + 24 * 16);
AT(isoav_info, microframe, 32);
AT(isoav_info, alternate, 48);
SIZE(isoav_format, 8);
SIZE(isoav_interface, 4);
SIZE(isoav_counters, 64);
SIZE(isoav_mode, 4);
SIZE(isoav_start, 16);
SIZE(isoav_started, 32);
AT(isoav_started, write_bytes, 24);
AT(isoav_started, alternate, 28);
SIZE(isoav_record, 32);
AT(isoav_record, packet_number, 24);
SIZE(isoav_status_count, 16);
SIZE(isoav_stats, 344);
AT(isoav_stats, urbs, 8);
AT(isoav_stats, status, 96);
AT(isoav_stats, packets_other, 336);
SIZE(isoav_log_entry, 48);
AT(isoav_log_entry, ordinal, 8);
AT(isoav_log_entry, selection, 16);
AT(isoav_log_entry, start_frame, 24);
AT(isoav_log_entry, length, 40);
SIZE(isoav_log_from, 8);
SIZE(isoav_log_part, 32);
AT(isoav_log_part, entries, 24);
SIZE(isoav_log_size, 8);
