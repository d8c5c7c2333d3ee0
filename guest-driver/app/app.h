/*
 * isoav.exe: the commands. Each returns the exit status.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_H
#define ISOAV_APP_H

#include "args.h"

int app_list(const args_options *options);
int app_info(const args_options *options);
int app_capture(const args_options *options);
/* capture --wav */
int app_record(const args_options *options);
int app_log(const args_options *options);
int app_stats(const args_options *options);
int app_loopback(const args_options *options);
int app_play(const args_options *options);
int app_selftest(const args_options *options);

#endif
