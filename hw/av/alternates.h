/*
 * The bandwidth of each alternate setting (isolab/isoav.h has the table in
 * words), once: the descriptors and the streams are both made from it.
 *
 * X(alternate, transactions a microframe, bytes a transaction, bInterval)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_ALTERNATES_H
#define ISOLAB_AV_ALTERNATES_H

#define ISOAV_VIDEO_ALTERNATES(X) \
    X(1, 1, 192, 1)               \
    X(2, 1, 512, 1)               \
    X(3, 1, 1024, 1)              \
    X(4, 2, 1024, 1)              \
    X(5, 3, 1024, 1)

#define ISOAV_TEST_ALTERNATES(X) \
    X(1, 1, 192, 1)              \
    X(2, 1, 1024, 1)             \
    X(3, 3, 1024, 1)             \
    X(4, 1, 1024, 4)             \
    X(5, 2, 1024, 1)

/* At full speed: at most 1023 bytes, bInterval 1, a frame (USB 2.0 §5.6.3). */
#define ISOAV_VIDEO_ALTERNATES_FULL(X) \
    X(1, 1, 192, 1)                    \
    X(2, 1, 384, 1)                    \
    X(3, 1, 512, 1)                    \
    X(4, 1, 768, 1)                    \
    X(5, 1, 1023, 1)

#define ISOAV_TEST_ALTERNATES_FULL(X) \
    X(1, 1, 96, 1)                    \
    X(2, 1, 192, 1)                   \
    X(3, 1, 1023, 1)                  \
    X(4, 1, 512, 1)                   \
    X(5, 1, 384, 1)

/* What a SuperSpeed device has besides: one endpoint, IN. */
#define ISOAV_TEST_ALTERNATES_SUPER(X) X(6, 48, 1024, 1)

/* USB 2.0 §9.6.6: bits 12:11 count the additional transactions. */
#define ISOAV_W_MAX_PACKET_SIZE(transactions, bytes) \
    (((transactions)-1) << 11 | (bytes))

/* USB 3.2 §9.6.7: packets of a burst less one, bursts of an interval less one.
 */
#define ISOAV_MAX_BURST(transactions) \
    (((transactions) > 16 ? 16 : (transactions)) - 1)
#define ISOAV_MULT(transactions) (((transactions)-1) / 16)

#endif
