/*
 * A downstream port of a hub (USB 2.0 §11.5.1). Pure: events come in, a state
 * and change bits come out; what the device behind the port notices of it is
 * somebody else's job.
 *
 *  1. The states are those of Figure 11-10 as far as software can tell them
 *     apart. A row of the table is a state and an event; what has no row is
 *     ignored, as the requests of §11.24.2 want it.
 *  2. What takes time (power, reset, resume) ends with the event TIME at
 *     due_ns, on the clock that the caller goes by.
 *  3. wPortStatus is never stored: it follows from the state and from the
 *     speed of what is connected (§11.24.2.7.1).
 *  4. A change bit is set by what happens to the port, not by what a request
 *     did at once: a reset that is over, a resume that is over, a connection
 *     that came or went (§11.24.2.7.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_HUB_PORTS_H
#define ISOLAB_HUB_PORTS_H

#include <stdbool.h>
#include <stdint.h>

/* A port's number has four bits in a Route String (USB 3.2 §8.9). */
#define ISOHUB_PORTS_MAX 15
#define ISOHUB_NEVER UINT64_MAX

typedef enum {
    ISOHUB_OFF,      /* Powered-off, or the hub is not configured */
    ISOHUB_POWERING, /* power is on, and not yet good */
    ISOHUB_DISCONNECTED,
    ISOHUB_DISABLED,
    ISOHUB_RESETTING,
    ISOHUB_ENABLED,
    ISOHUB_SUSPENDED,
    ISOHUB_RESUMING,
    ISOHUB_STATES,
} isohub_state;

typedef enum {
    ISOHUB_POWER_ON,
    ISOHUB_POWER_OFF,
    ISOHUB_ATTACH,
    ISOHUB_DETACH,
    ISOHUB_RESET,
    ISOHUB_DISABLE,
    ISOHUB_SUSPEND,
    ISOHUB_RESUME, /* by the host, or by the device */
    ISOHUB_TIME,   /* due_ns has come */
} isohub_event;

/* Speed of the device that is connected. */
typedef enum {
    ISOHUB_LOW,
    ISOHUB_FULL,
    ISOHUB_HIGH,
} isohub_speed;

/* USB 2.0 Table 11-21. */
#define ISOHUB_PORT_CONNECTION (1u << 0)
#define ISOHUB_PORT_ENABLE (1u << 1)
#define ISOHUB_PORT_SUSPEND (1u << 2)
#define ISOHUB_PORT_RESET (1u << 4)
#define ISOHUB_PORT_POWER (1u << 8)
#define ISOHUB_PORT_LOW_SPEED (1u << 9)
#define ISOHUB_PORT_HIGH_SPEED (1u << 10)
#define ISOHUB_PORT_INDICATOR (1u << 12)

/* USB 2.0 Table 11-22. */
#define ISOHUB_C_CONNECTION (1u << 0)
#define ISOHUB_C_ENABLE (1u << 1)
#define ISOHUB_C_SUSPEND (1u << 2)
#define ISOHUB_C_OVER_CURRENT (1u << 3)
#define ISOHUB_C_RESET (1u << 4)

typedef struct {
    uint8_t state;     /* isohub_state */
    uint8_t speed;     /* isohub_speed, while something is connected */
    uint8_t indicator; /* 0: the hub's own; 1 amber, 2 green, 3 off */
    uint16_t change;   /* ISOHUB_C_* */
    uint64_t due_ns;   /* rule 2 */
} isohub_port;

void isohub_port_init(isohub_port *port);

/* True: the port was in a state in which the event means something. */
bool isohub_port_event(isohub_port *port, isohub_event event, uint64_t now_ns);

uint16_t isohub_port_status(const isohub_port *port);

/* Do packets pass? */
static inline bool isohub_port_carries(const isohub_port *port)
{
    return port->state == ISOHUB_ENABLED;
}

/* Has a migrated port a state that there is? */
bool isohub_port_is_sane(const isohub_port *port);

#endif
