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

/* The most frames of this size that an alternate carries in a second; 0: none.
 */
uint32_t choose_most_fps(const isoav_info *info, uint32_t frame_bytes);

/* The size of a picture where it is 0: one that goes through the bus 30 times
 * a second. */
void choose_size(uint32_t speed, uint32_t *width, uint32_t *height);

/*
 * The alternate of the test interface, with an endpoint OUT, that has this
 * number; 0: the smallest whose packets have room for the sound of their
 * interval, `rate` frames of `frame_bytes` a second. NULL: there is none.
 */
const isoav_alternate *choose_sound(const isoav_info *info, uint32_t number,
                                    uint32_t rate, uint32_t frame_bytes);

/* How many packets take this much of it, and possibly a few less; 0: not even
 * a frame fits into one. */
uint64_t choose_sound_packets(const isoav_alternate *alternate, uint32_t rate,
                              uint32_t frame_bytes, uint32_t bytes);

/*
 * Can an URB have so many packets (0: the driver's default)? It is whole
 * frames of 1 ms, up to 255 packets at full speed and 1024 above. If not, text
 * says what can be; returns NULL or text.
 */
const char *choose_refuse_packets(char text[160], uint32_t speed,
                                  const isoav_alternate *alternate,
                                  uint32_t packets);

#endif
