/*
 * The commands, in the order in which the help lists them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "commands.h"

/* clang-format off */
const isolab_command *const isolab_commands[] = {
    &isolab_run,
    &isolab_fault,
    &isolab_watch,
    &isolab_capture,
    &isolab_ps,
    &isolab_report,
    &isolab_campaign,
    &isolab_windows,
    &isolab_completion,
    NULL,
};
