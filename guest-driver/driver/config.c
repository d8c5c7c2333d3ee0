/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* USB 2.0 §9.6.3, §9.6.5, §9.6.6; USB 3.2 §9.6.7: bDescriptorType, bLength */
enum {
    TYPE_CONFIGURATION = 2,
    BYTES_CONFIGURATION = 9,
    TYPE_INTERFACE = 4,
    BYTES_INTERFACE = 9,
    TYPE_ENDPOINT = 5,
    BYTES_ENDPOINT = 7,
    TYPE_COMPANION = 0x30,
    BYTES_COMPANION = 6,
};

#define ATTRIBUTES_TYPE 0x03
#define ATTRIBUTES_ISOCHRONOUS 0x01
#define ADDRESS_IN 0x80

static uint16_t load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

/* The state of a walk along the chain. */
typedef struct {
    CONFIG_ALTERNATE *Alternate; /* the current one, NULL before the first */
    uint8_t EndpointsSeen;       /* of the current one */
    CONFIG_ENDPOINT *Endpoint;   /* the last descriptor, if isochronous */
    uint8_t FirstAlternates;     /* alternates 0 seen */
} WALK;

static CONFIG_RESULT parse_interface(ISOAV_CONFIG *Config, WALK *Walk,
                                     const uint8_t *d, uint32_t Offset)
{
    CONFIG_ALTERNATE *entry = &Config->Alternate[Config->Alternates];

    if (Walk->Alternate && Walk->EndpointsSeen != Walk->Alternate->Endpoints) {
        return CONFIG_FEW_ENDPOINTS;
    }
    if (ConfigFindAlternate(Config, d[2], d[3])) {
        return CONFIG_DUPLICATE;
    }
    if (Config->Alternates == CONFIG_MAX_ALTERNATES) {
        return CONFIG_TOO_MANY;
    }
    entry->Interface = d[2];
    entry->Alternate = d[3];
    entry->Endpoints = d[4];
    entry->Offset = (uint16_t)Offset;
    Config->Alternates++;
    Walk->Alternate = entry;
    Walk->EndpointsSeen = 0;
    Walk->FirstAlternates += d[3] == 0;
    return CONFIG_OK;
}

static CONFIG_RESULT parse_endpoint(ISOAV_CONFIG *Config, WALK *Walk,
                                    const uint8_t *d)
{
    CONFIG_ENDPOINT *endpoint = &Config->Endpoint[Config->Endpoints];

    if (!Walk->Alternate || Walk->EndpointsSeen == Walk->Alternate->Endpoints) {
        return CONFIG_STRAY_ENDPOINT;
    }
    Walk->EndpointsSeen++;
    if ((d[3] & ATTRIBUTES_TYPE) != ATTRIBUTES_ISOCHRONOUS) {
        return CONFIG_OK;
    }
    if (Config->Endpoints == ISOAV_MAX_ALTERNATES) {
        return CONFIG_TOO_MANY;
    }
    endpoint->Interface = Walk->Alternate->Interface;
    endpoint->Alternate = Walk->Alternate->Alternate;
    endpoint->Address = d[2];
    endpoint->MaxPacketSize = load16(d + 4);
    endpoint->Interval = d[6];
    endpoint->BytesPerInterval = 0;
    Config->Endpoints++;
    Walk->Endpoint = endpoint;
    return CONFIG_OK;
}

/* One descriptor; d[0] bytes of it are there. */
static CONFIG_RESULT parse_one(ISOAV_CONFIG *Config, WALK *Walk,
                               const uint8_t *d, uint32_t Offset)
{
    CONFIG_ENDPOINT *last = Walk->Endpoint;

    Walk->Endpoint = NULL;
    switch (d[1]) {
    case TYPE_INTERFACE:
        return d[0] < BYTES_INTERFACE
                   ? CONFIG_BAD_LENGTH
                   : parse_interface(Config, Walk, d, Offset);
    case TYPE_ENDPOINT:
        return d[0] < BYTES_ENDPOINT ? CONFIG_BAD_LENGTH
                                     : parse_endpoint(Config, Walk, d);
    case TYPE_COMPANION:
        if (d[0] < BYTES_COMPANION) {
            return CONFIG_BAD_LENGTH;
        }
        Config->Companions = 1;
        if (last) {
            last->BytesPerInterval = load16(d + 4);
        }
        return CONFIG_OK;
    default:
        return CONFIG_OK;
    }
}

CONFIG_RESULT ConfigParse(ISOAV_CONFIG *Config, const uint8_t *Bytes,
                          uint32_t Length)
{
    CONFIG_RESULT result;
    uint32_t offset;
    WALK walk = { 0 };

    memset(Config, 0, sizeof(*Config));
    if (Length < BYTES_CONFIGURATION) {
        return CONFIG_TOO_SHORT;
    }
    if (Bytes[0] < BYTES_CONFIGURATION || Bytes[1] != TYPE_CONFIGURATION) {
        return CONFIG_BAD_HEADER;
    }
    Config->TotalBytes = load16(Bytes + 2);
    Config->Interfaces = Bytes[4];
    Config->Value = Bytes[5];
    Config->MaxPower = Bytes[8];
    if (Config->TotalBytes > Length || Config->TotalBytes < Bytes[0]) {
        return CONFIG_TOO_SHORT;
    }
    if (Config->Interfaces > CONFIG_MAX_INTERFACES) {
        return CONFIG_TOO_MANY;
    }
    for (offset = Bytes[0]; offset < Config->TotalBytes;
         offset += Bytes[offset]) {
        uint32_t left = Config->TotalBytes - offset;

        if (left < 2 || Bytes[offset] < 2 || Bytes[offset] > left) {
            return CONFIG_BAD_LENGTH;
        }
        result = parse_one(Config, &walk, Bytes + offset, offset);
        if (result != CONFIG_OK) {
            return result;
        }
    }
    if (walk.Alternate && walk.EndpointsSeen != walk.Alternate->Endpoints) {
        return CONFIG_FEW_ENDPOINTS;
    }
    if (Config->Interfaces == 0 || walk.FirstAlternates != Config->Interfaces) {
        return CONFIG_INTERFACES;
    }
    return CONFIG_OK;
}

const CONFIG_ALTERNATE *ConfigFindAlternate(const ISOAV_CONFIG *Config,
                                            uint8_t Interface,
                                            uint8_t Alternate)
{
    uint32_t i;

    for (i = 0; i < Config->Alternates; i++) {
        if (Config->Alternate[i].Interface == Interface &&
            Config->Alternate[i].Alternate == Alternate) {
            return &Config->Alternate[i];
        }
    }
    return NULL;
}

const CONFIG_ENDPOINT *ConfigFindEndpoint(const ISOAV_CONFIG *Config,
                                          uint8_t Interface, uint8_t Alternate,
                                          uint8_t Address)
{
    uint32_t i;

    for (i = 0; i < Config->Endpoints; i++) {
        const CONFIG_ENDPOINT *e = &Config->Endpoint[i];
        bool wanted =
            Address ? e->Address == Address : (e->Address & ADDRESS_IN) != 0;

        if (e->Interface == Interface && e->Alternate == Alternate && wanted) {
            return e;
        }
    }
    return NULL;
}

uint32_t ConfigPacketBytes(const CONFIG_ENDPOINT *Endpoint, uint32_t Speed)
{
    uint32_t bytes = Endpoint->MaxPacketSize & 0x7ff;

    switch (Speed) {
    case ISOAV_SPEED_SUPER:
        return Endpoint->BytesPerInterval;
    case ISOAV_SPEED_HIGH:
        /* USB 2.0 §9.6.6: additional transactions a microframe */
        return bytes * (1 + (Endpoint->MaxPacketSize >> 11 & 3));
    default:
        return bytes;
    }
}

uint32_t ConfigPeriod(const CONFIG_ENDPOINT *Endpoint, uint32_t Speed)
{
    if (Speed == ISOAV_SPEED_FULL) {
        return 8; /* Windows polls every frame, whatever bInterval says */
    }
    if (Endpoint->Interval < 1 || Endpoint->Interval > 4) {
        return 0;
    }
    return 1u << (Endpoint->Interval - 1);
}

/* Bytes in eight microframes. */
static uint32_t bandwidth(const CONFIG_ENDPOINT *Endpoint, uint32_t Speed)
{
    uint32_t period = ConfigPeriod(Endpoint, Speed);

    return period ? ConfigPacketBytes(Endpoint, Speed) * (8 / period) : 0;
}

const CONFIG_ENDPOINT *ConfigNextSmaller(const ISOAV_CONFIG *Config,
                                         uint8_t Interface, uint8_t Address,
                                         uint32_t Speed,
                                         const CONFIG_ENDPOINT *Than)
{
    uint32_t below = Than ? bandwidth(Than, Speed) : UINT32_MAX;
    const CONFIG_ENDPOINT *best = NULL;
    uint32_t i;

    for (i = 0; i < Config->Endpoints; i++) {
        const CONFIG_ENDPOINT *e = &Config->Endpoint[i];
        uint32_t bytes = bandwidth(e, Speed);

        if (e->Interface == Interface && e->Alternate != 0 &&
            (Address ? e->Address == Address : e->Address & ADDRESS_IN) &&
            bytes != 0 && bytes < below &&
            (!best || bytes > bandwidth(best, Speed))) {
            best = e;
        }
    }
    return best;
}

uint32_t ConfigGuessSpeed(const ISOAV_CONFIG *Config)
{
    uint32_t i;

    if (Config->Companions) {
        return ISOAV_SPEED_SUPER;
    }
    for (i = 0; i < Config->Endpoints; i++) {
        /* USB 2.0 §5.6.3: full speed ends at 1023 bytes */
        if (Config->Endpoint[i].MaxPacketSize > 1023) {
            return ISOAV_SPEED_HIGH;
        }
    }
    return ISOAV_SPEED_FULL;
}
