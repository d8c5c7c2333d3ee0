/*
 * Hub ports. The rules are in ports.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/hub/ports.h"

#include <stddef.h>

#define MS UINT64_C(1000000) /* in ns */

/* What lasts: bPwrOn2PwrGood is 1 (2 ms); USB 2.0 §7.1.7.5 TDRST, 10 to
 * 20 ms; §7.1.7.7 TDRSMDN, 20 ms. */
#define POWER_NS (2 * MS)
#define RESET_NS (10 * MS)
#define RESUME_NS (20 * MS)

typedef struct {
    uint8_t from;
    uint8_t event;
    uint8_t to;
    uint8_t change; /* ISOHUB_C_* */
} row;

/* Rule 1. */
static const row rows[] = {
    { ISOHUB_OFF, ISOHUB_POWER_ON, ISOHUB_POWERING, 0 },
    { ISOHUB_POWERING, ISOHUB_TIME, ISOHUB_DISCONNECTED, 0 },
    { ISOHUB_POWERING, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },

    { ISOHUB_DISCONNECTED, ISOHUB_ATTACH, ISOHUB_DISABLED,
      ISOHUB_C_CONNECTION },
    { ISOHUB_DISCONNECTED, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },

    { ISOHUB_DISABLED, ISOHUB_RESET, ISOHUB_RESETTING, 0 },
    { ISOHUB_DISABLED, ISOHUB_DETACH, ISOHUB_DISCONNECTED,
      ISOHUB_C_CONNECTION },
    { ISOHUB_DISABLED, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },

    { ISOHUB_RESETTING, ISOHUB_TIME, ISOHUB_ENABLED, ISOHUB_C_RESET },
    { ISOHUB_RESETTING, ISOHUB_DISABLE, ISOHUB_DISABLED, 0 },
    { ISOHUB_RESETTING, ISOHUB_DETACH, ISOHUB_DISCONNECTED,
      ISOHUB_C_CONNECTION },
    { ISOHUB_RESETTING, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },

    { ISOHUB_ENABLED, ISOHUB_RESET, ISOHUB_RESETTING, 0 },
    { ISOHUB_ENABLED, ISOHUB_DISABLE, ISOHUB_DISABLED, 0 },
    { ISOHUB_ENABLED, ISOHUB_SUSPEND, ISOHUB_SUSPENDED, 0 },
    { ISOHUB_ENABLED, ISOHUB_DETACH, ISOHUB_DISCONNECTED, ISOHUB_C_CONNECTION },
    { ISOHUB_ENABLED, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },

    { ISOHUB_SUSPENDED, ISOHUB_RESUME, ISOHUB_RESUMING, 0 },
    { ISOHUB_SUSPENDED, ISOHUB_RESET, ISOHUB_RESETTING, 0 },
    { ISOHUB_SUSPENDED, ISOHUB_DISABLE, ISOHUB_DISABLED, 0 },
    { ISOHUB_SUSPENDED, ISOHUB_DETACH, ISOHUB_DISCONNECTED,
      ISOHUB_C_CONNECTION },
    { ISOHUB_SUSPENDED, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },

    { ISOHUB_RESUMING, ISOHUB_TIME, ISOHUB_ENABLED, ISOHUB_C_SUSPEND },
    { ISOHUB_RESUMING, ISOHUB_RESET, ISOHUB_RESETTING, 0 },
    { ISOHUB_RESUMING, ISOHUB_DISABLE, ISOHUB_DISABLED, 0 },
    { ISOHUB_RESUMING, ISOHUB_DETACH, ISOHUB_DISCONNECTED,
      ISOHUB_C_CONNECTION },
    { ISOHUB_RESUMING, ISOHUB_POWER_OFF, ISOHUB_OFF, 0 },
};

/* Rules 2 and 3: of each state its bits, and how long it lasts. */
typedef struct {
    uint16_t status;
    uint64_t length_ns; /* 0: until something happens */
} state_row;

#define CONNECTED (ISOHUB_PORT_POWER | ISOHUB_PORT_CONNECTION)
#define ENABLED (CONNECTED | ISOHUB_PORT_ENABLE)

static const state_row states[ISOHUB_STATES] = {
    [ISOHUB_OFF] = { 0, 0 },
    [ISOHUB_POWERING] = { ISOHUB_PORT_POWER, POWER_NS },
    [ISOHUB_DISCONNECTED] = { ISOHUB_PORT_POWER, 0 },
    [ISOHUB_DISABLED] = { CONNECTED, 0 },
    [ISOHUB_RESETTING] = { CONNECTED | ISOHUB_PORT_RESET, RESET_NS },
    [ISOHUB_ENABLED] = { ENABLED, 0 },
    [ISOHUB_SUSPENDED] = { ENABLED | ISOHUB_PORT_SUSPEND, 0 },
    [ISOHUB_RESUMING] = { ENABLED | ISOHUB_PORT_SUSPEND, RESUME_NS },
};

void isohub_port_init(isohub_port *port)
{
    *port = (isohub_port){ .state = ISOHUB_OFF, .due_ns = ISOHUB_NEVER };
}

bool isohub_port_event(isohub_port *port, isohub_event event, uint64_t now_ns)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t length_ns = states[rows[i].to].length_ns;

        if (rows[i].from != port->state || rows[i].event != event) {
            continue;
        }
        port->state = rows[i].to;
        port->due_ns = length_ns ? now_ns + length_ns : ISOHUB_NEVER;
        port->change |= rows[i].change;
        if (port->state == ISOHUB_OFF) {
            port->change = 0; /* §11.5.1.2: no power, no news */
        }
        return true;
    }
    return false;
}

/* USB 2.0 §11.24.2.7.1.7, §11.24.2.7.1.8: low speed shows when the device is
 * connected, high speed when a reset has found it out. */
uint16_t isohub_port_status(const isohub_port *port)
{
    uint16_t status = states[port->state].status;

    if ((status & ISOHUB_PORT_CONNECTION) && port->speed == ISOHUB_LOW) {
        status |= ISOHUB_PORT_LOW_SPEED;
    }
    if ((status & ISOHUB_PORT_ENABLE) && port->speed == ISOHUB_HIGH) {
        status |= ISOHUB_PORT_HIGH_SPEED;
    }
    if (port->indicator && (status & ISOHUB_PORT_POWER)) {
        status |= ISOHUB_PORT_INDICATOR;
    }
    return status;
}

bool isohub_port_is_sane(const isohub_port *port)
{
    return port->state < ISOHUB_STATES && port->speed <= ISOHUB_HIGH &&
           port->indicator <= 3 &&
           (port->due_ns != ISOHUB_NEVER) ==
               (states[port->state].length_ns != 0);
}
