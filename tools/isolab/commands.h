/*
 * The rows of the table, each from the file of its name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_COMMANDS_H
#define ISOLAB_COMMANDS_H

#include "command.h"

extern const isolab_command isolab_campaign;
extern const isolab_command isolab_report;
extern const isolab_command isolab_run;
extern const isolab_command isolab_fault;
extern const isolab_command isolab_watch;
extern const isolab_command isolab_capture;
extern const isolab_command isolab_ps;
extern const isolab_command isolab_windows;
extern const isolab_command isolab_completion;

#endif
