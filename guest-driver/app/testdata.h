/*
 * The packets of the test streams (isolab/isoav.h, rule 6), and the records
 * in which they go to the driver.
 *
 * Pure: no Windows types, no I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_TESTDATA_H
#define ISOAV_APP_TESTDATA_H

#include <stdbool.h>
#include <stdint.h>

#include "isoav_ioctl.h"
#include "isolab/isoav.h"

/*
 * Appends, at byte `at` of buffer, the record of a packet of 02h with this
 * sequence number and `bytes` of payload: the pattern, or what is at payload.
 * Returns where it ends.
 */
uint32_t testdata_put(uint8_t *buffer, uint32_t at, uint32_t sequence,
                      const uint8_t *payload, uint32_t bytes);

/* The CRC of a packet whose header has been loaded is right. */
bool testdata_has_crc(const uint8_t *wire, const isoav_packet *packet);

/* Header, CRC and pattern of a packet are right. */
bool testdata_is_right(const uint8_t *wire, uint32_t bytes,
                       isoav_packet *packet);

#endif
