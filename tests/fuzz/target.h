/*
 * What an input of the fuzzer does to a machine.
 *
 * An input is a program: an operation, its operands, the next operation, each
 * of a byte or more; bytes beyond the end read as 0. It runs on a controller
 * that a well-behaved driver has just brought up, with a configured usb-isoav,
 * usb-kbd, usb-storage, usb-uas (with streams) and usb-isoav with camera and
 * headset, and with a Debug Capability, so that the interesting states are
 * near. One of the operations arms a fault plan.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

typedef struct FuzzTarget FuzzTarget;

/* A machine; fuzz_target_run may be called again and again. */
FuzzTarget *fuzz_target_start(void);
void fuzz_target_run(FuzzTarget *target, const uint8_t *input, size_t bytes);
void fuzz_target_stop(FuzzTarget *target);

#endif
