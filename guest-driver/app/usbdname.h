/*
 * Names for what the USB stack answers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_USBDNAME_H
#define ISOAV_APP_USBDNAME_H

#include <stdint.h>

/* "XACT_ERROR" for USBD_STATUS_XACT_ERROR; NULL for an unknown one. */
const char *usbd_status_name(uint32_t status);

/* What it means, in a few words; "" for success. */
const char *usbd_status_meaning(uint32_t status);

/* The name, or eight hexadecimal digits for an unknown one. */
void usbd_status_text(char text[32], uint32_t status);

#endif
