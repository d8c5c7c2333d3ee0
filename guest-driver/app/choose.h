/*
 * Which alternate setting carries a video format.
 *
 * Each alternate promises an amount of data every service interval, and the
 * host keeps that much of the bus free as long as it is selected. So the
 * right one is the smallest that is enough: a frame, cut into packets, must
 * have left the device before the next one is due.
 *
 * Pure: no Windows types, no I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_CHOOSE_H
#define ISOAV_APP_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "isoav_ioctl.h"

/* Microframes that a frame of this size takes; 0: it cannot be carried. */
uint32_t choose_frame_uf(const isoav_alternate *alternate,
                         uint32_t frame_bytes);

/* True if the alternate keeps up with the format. */
bool choose_is_enough(const isoav_alternate *alternate, uint32_t frame_bytes,
                      uint32_t interval_100ns);

/*
 * The smallest video alternate that is enough and larger than `after`
 * (packet_bytes / period; NULL: any); NULL when there is none.
 */
const isoav_alternate *choose_alternate(const isoav_info *info,
                                        uint32_t frame_bytes,
                                        uint32_t interval_100ns,
                                        const isoav_alternate *after);

/* The video alternate with this number, or NULL. */
const isoav_alternate *choose_number(const isoav_info *info, uint32_t number);

#endif
