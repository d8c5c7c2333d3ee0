/*
 * The configuration descriptor, taken apart with distrust.
 *
 * A configuration descriptor is a chain: configuration, interface (one for
 * each alternate setting), its endpoints, and anything in between. Every
 * length in it was chosen by the device, so each is checked against what is
 * really there before it is used. The result is a table of alternate settings
 * and one of isochronous endpoints; nothing else of the driver looks at
 * descriptor bytes.
 *
 * Pure: no Windows types, so that unit tests compile it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_CONFIG_H
#define ISOAV_CONFIG_H

#include <stdint.h>

#include "isoav_ioctl.h"

#define CONFIG_MAX_INTERFACES 8
#define CONFIG_MAX_ALTERNATES 48
#define CONFIG_MAX_BYTES 4096
#define CONFIG_MAX_PIPES 4 /* of an interface that streams */

typedef enum {
    CONFIG_OK,
    CONFIG_TOO_SHORT,      /* less than wTotalLength, or than a header */
    CONFIG_BAD_HEADER,     /* not a configuration descriptor */
    CONFIG_BAD_LENGTH,     /* a bLength under its minimum or past the end */
    CONFIG_STRAY_ENDPOINT, /* before any interface, or more than announced */
    CONFIG_FEW_ENDPOINTS,  /* fewer than bNumEndpoints */
    CONFIG_DUPLICATE,      /* the same alternate setting twice */
    CONFIG_INTERFACES,     /* not bNumInterfaces interfaces with alternate 0 */
    CONFIG_TOO_MANY,       /* more than the tables hold */
} CONFIG_RESULT;

typedef struct {
    uint8_t Interface;
    uint8_t Alternate;
    uint8_t Endpoints;
    uint16_t Offset; /* of the interface descriptor */
} CONFIG_ALTERNATE;

/* An isochronous endpoint, as its descriptors have it. */
typedef struct {
    uint8_t Interface;
    uint8_t Alternate;
    uint8_t Address;
    uint8_t Interval;          /* bInterval */
    uint16_t MaxPacketSize;    /* wMaxPacketSize, raw */
    uint16_t BytesPerInterval; /* of the SuperSpeed companion; 0: none */
} CONFIG_ENDPOINT;

typedef struct {
    uint8_t Interfaces; /* bNumInterfaces */
    uint8_t Value;      /* bConfigurationValue */
    uint8_t MaxPower;
    uint8_t Alternates; /* entries in use */
    uint8_t Endpoints;
    uint8_t Companions; /* SuperSpeed companion descriptors seen */
    uint16_t TotalBytes;
    CONFIG_ALTERNATE Alternate[CONFIG_MAX_ALTERNATES];
    CONFIG_ENDPOINT Endpoint[ISOAV_MAX_ALTERNATES];
} ISOAV_CONFIG;

/* Takes Length bytes apart. What is in Config is valid after CONFIG_OK. */
CONFIG_RESULT ConfigParse(ISOAV_CONFIG *Config, const uint8_t *Bytes,
                          uint32_t Length);

/* The entry of an alternate setting, or NULL. */
const CONFIG_ALTERNATE *ConfigFindAlternate(const ISOAV_CONFIG *Config,
                                            uint8_t Interface,
                                            uint8_t Alternate);

/*
 * An isochronous endpoint of an alternate setting: the one at Address, or the
 * first IN endpoint when Address is 0; NULL when there is none.
 */
const CONFIG_ENDPOINT *ConfigFindEndpoint(const ISOAV_CONFIG *Config,
                                          uint8_t Interface, uint8_t Alternate,
                                          uint8_t Address);

/*
 * The endpoint at Address in the alternate setting of the interface with the
 * most bandwidth that is less than that of Than (NULL: any), at a speed;
 * NULL when there is none. Endpoints that ConfigPeriod gives 0 for are out.
 */
const CONFIG_ENDPOINT *ConfigNextSmaller(const ISOAV_CONFIG *Config,
                                         uint8_t Interface, uint8_t Address,
                                         uint32_t Speed,
                                         const CONFIG_ENDPOINT *Than);

/* Most bytes in one service interval, at a speed (ISOAV_SPEED_*). */
uint32_t ConfigPacketBytes(const CONFIG_ENDPOINT *Endpoint, uint32_t Speed);

/*
 * Service interval in microframes; 0 where Windows supports none (bInterval
 * of more than 4 at high speed and above).
 */
uint32_t ConfigPeriod(const CONFIG_ENDPOINT *Endpoint, uint32_t Speed);

/*
 * The speed as far as descriptors tell, for a bus that does not say: a
 * companion means SuperSpeed, an endpoint that full speed does not allow
 * means high speed.
 */
uint32_t ConfigGuessSpeed(const ISOAV_CONFIG *Config);

#endif
