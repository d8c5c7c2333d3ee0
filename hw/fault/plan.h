/*
 * A fault plan: what goes wrong, where and when. Pure data; docs/fault-plans.md
 * is the reference for people.
 *
 *  1. A seam is a place that the controller's work passes; each time something
 *     passes is an occurrence. A rule is tried at one seam.
 *  2. An occurrence has properties, its keys (slot, endpoint, code, ...). A
 *     rule matches it when each key of its `where` is there and is equal.
 *  3. `when` chooses among the occurrences that match: by the state, by whether
 *     another rule has fired, then by counting, then by chance.
 *  4. The first rule, in the order of the plan, that is to fire does so, and
 *     the rules behind it do not see the occurrence.
 *  5. Each rule has a generator of its own, seeded from the plan's seed and the
 *     rule's name, so that rules do not disturb each other.
 *  6. A plan is good as a whole or refused as a whole.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FAULT_PLAN_H
#define FAULT_PLAN_H

#include "json.h"

#define FAULT_RULES_MAX 256
#define FAULT_STATES_MAX 64
#define FAULT_NAME_MAX 64 /* bytes */
#define FAULT_PARAMS_MAX 4

typedef enum {
    FAULT_PACKET,
    FAULT_SCHEDULE,
    FAULT_EVENT,
    FAULT_INTERRUPT,
    FAULT_DMA,
    FAULT_COMMAND,
    FAULT_PORT,
    FAULT_REGISTER,
    FAULT_CLOCK,
    FAULT_SEAMS,
} fault_seam;

/* Keys of `where`, and what an occurrence may have. */
typedef enum {
    FAULT_SLOT,
    FAULT_PORT_ID,
    FAULT_ENDPOINT, /* its number, 0 to 15 */
    FAULT_DIRECTION,
    FAULT_TYPE,
    FAULT_STREAM,
    FAULT_TRB,        /* a bit for each type of TRB in the TD */
    FAULT_COMMAND_ID, /* CMD_* */
    FAULT_EVENT_ID,   /* EVT_* */
    FAULT_CODE,       /* CC_* */
    FAULT_INTERRUPTER,
    FAULT_REGISTER_ID, /* fault_registers[] */
    FAULT_ACCESS,
    FAULT_MEMORY,
    FAULT_REQUEST,         /* of `request`: fault_request_words */
    FAULT_BM_REQUEST_TYPE, /* and the fields of SETUP, as USB 2.0 §9.3 */
    FAULT_B_REQUEST,
    FAULT_W_VALUE,    /* a range in a rule */
    FAULT_W_INDEX,    /* a range in a rule */
    FAULT_W_LENGTH,   /* a range in a rule */
    FAULT_TD,         /* a range in a rule */
    FAULT_MICROFRAME, /* a range in a rule */
    FAULT_KEYS,
} fault_key;

enum { FAULT_OUT, FAULT_IN, FAULT_DIRECTIONS };
enum {
    FAULT_CONTROL,
    FAULT_ISOCH,
    FAULT_BULK,
    FAULT_INTERRUPT_EP,
    FAULT_TYPES,
};
enum { FAULT_READ, FAULT_WRITE, FAULT_ACCESSES };
enum {
    FAULT_COMMAND_RING,
    FAULT_TRANSFER_RING,
    FAULT_EVENT_RING,
    FAULT_CONTEXT,
    FAULT_DATA,
    FAULT_MEMORIES,
};

#define FAULT_HAS(mask, key) ((mask) >> (key)&1)
#define FAULT_BIT(n) (UINT64_C(1) << (n))

typedef enum {
    FAULT_COMPLETE,
    FAULT_SHORT,
    FAULT_CORRUPT,
    FAULT_BABBLE,
    FAULT_STALL,
    FAULT_SILENCE,
    FAULT_NAK,
    FAULT_DELAY,
    FAULT_MISS,
    FAULT_DROP_EVENT,
    FAULT_DELAY_EVENT,
    FAULT_DUPLICATE_EVENT,
    FAULT_REORDER_EVENT,
    FAULT_EVENT_CODE,
    FAULT_EVENT_RING_FULL,
    FAULT_EVENT_LOST,
    FAULT_LOSE_INTERRUPT,
    FAULT_DELAY_INTERRUPT,
    FAULT_DOUBLE_INTERRUPT,
    FAULT_DMA_READ_ERROR,
    FAULT_DMA_WRITE_ERROR,
    FAULT_TORN_TRB,
    FAULT_COMMAND_CODE,
    FAULT_COMMAND_HANG,
    FAULT_COMMAND_DELAY,
    FAULT_UNPLUG,
    FAULT_OVER_CURRENT,
    FAULT_LINK_INACTIVE,
    FAULT_LINK_COMPLIANCE,
    FAULT_CONFIG_ERROR,
    FAULT_PORT_ERROR,
    FAULT_RESET_FAILS,
    FAULT_RESET_HANGS,
    FAULT_HSE,
    FAULT_HCE,
    FAULT_SRE,
    FAULT_NOT_READY,
    FAULT_HCRST_HANGS,
    FAULT_HALT_HANGS,
    FAULT_ALL_ONES,
    FAULT_MFINDEX_JUMP,
    FAULT_REGISTER_VALUE,
    FAULT_ACTIONS,
} fault_action_id;

/* What a parameter is. */
typedef enum {
    FAULT_P_NUMBER,
    FAULT_P_CODE, /* a completion code, by name or number */
} fault_param_kind;

typedef struct {
    const char *name;
    fault_param_kind kind;
    bool required;
    uint64_t min, max;
    uint64_t value; /* when it is not given */
    const char *text;
} fault_param;

typedef struct {
    const char *name;
    uint32_t seams;   /* bits: where it may be tried; 0: by the code */
    uint8_t types;    /* bits: endpoint types, 0: it is about none */
    int8_t direction; /* FAULT_IN, or -1 for both */
    bool on_side;     /* what passes the seam only sets it off */
    bool once;        /* `count` is 1 unless the plan says otherwise */
    fault_param params[FAULT_PARAMS_MAX];
    const char *text;
} fault_action;

extern const fault_action fault_actions[FAULT_ACTIONS];

/* A completion code, and what it may be put on. */
typedef struct {
    uint8_t code;
    const char *name; /* in plans */
    const char *text; /* as in Table 6-90 */
    uint8_t types;    /* bits: complete may give it to a TD of that type */
    int8_t direction; /* of it; -1: both */
    bool of_command;  /* command-code may give it */
    bool has_data;    /* the bytes that moved count */
} fault_code;

extern const fault_code fault_codes[];
extern const unsigned fault_code_count;
const fault_code *fault_code_find(unsigned code); /* NULL: it has no name */

/* A name and its number: seams, types, commands, ... */
typedef struct {
    const char *name;
    uint32_t value;
} fault_word;

typedef struct {
    const fault_word *words;
    unsigned count;
} fault_words;

extern const fault_words fault_seam_words, fault_direction_words,
    fault_type_words, fault_trb_words, fault_command_words, fault_event_words,
    fault_access_words, fault_memory_words, fault_request_words;
const char *fault_word_name(const fault_words *words, uint32_t value);

/* A standard request as one number: bRequest, and the direction of its data
 * stage (bit 7 of bmRequestType) in bit 15. USB 2.0 Table 9-3 has one for each,
 * so that what is asked for with the wrong one is not that request. */
#define FAULT_REQUEST_ID(type, request) \
    ((uint32_t)((type)&0x80) << 8 | (uint8_t)(request))
#define FAULT_REQUEST_KEY "request"

/* Is it standard? Bits 6:5 of bmRequestType are 0. */
#define FAULT_IS_STANDARD(type) (((type)&0x60) == 0)

/* A register: where it is in its window, and what the window repeats by. */
typedef enum {
    FAULT_REG_CAP,
    FAULT_REG_OP,
    FAULT_REG_PORT,
    FAULT_REG_RUNTIME,
    FAULT_REG_INTERRUPTER,
    FAULT_REG_DOORBELL,
} fault_window;

typedef struct {
    const char *name;
    fault_window window;
    uint16_t offset;
} fault_register;

extern const fault_register fault_registers[];
extern const unsigned fault_register_count;

/* A key of `where`. */
typedef struct {
    const char *name;
    const fault_words *words; /* NULL: a number, or as the key says */
    bool is_range;
    uint64_t min, max;
    uint32_t seams; /* bits: where occurrences have it */
    const char *text;
    bool of_request; /* a key of `request`, which is one of `where` */
} fault_key_row;

extern const fault_key_row fault_keys[FAULT_KEYS];

/* Keys of `when`, for the schema. */
typedef struct {
    const char *name;
    uint64_t min, max; /* of numbers */
    const char *text;
} fault_when_row;

enum {
    FAULT_W_NTH,
    FAULT_W_EVERY,
    FAULT_W_COUNT,
    FAULT_W_PROBABILITY,
    FAULT_W_STATE,
    FAULT_W_AFTER,
    FAULT_WHENS,
};
extern const fault_when_row fault_whens[FAULT_WHENS];

typedef struct {
    uint64_t first, last;
} fault_range;

typedef struct {
    char *name;
    fault_seam seam;
    uint32_t given; /* bits: keys of `where` */
    fault_range where[FAULT_KEYS];
    uint64_t nth, every, count; /* 0: not given */
    bool by_chance;
    double probability;
    uint64_t states; /* bits; 0: any */
    int after;       /* index of a rule, or -1 */
    fault_action_id action;
    uint32_t params_given;
    uint64_t params[FAULT_PARAMS_MAX];
    int then; /* a state, or -1 */
    /* what has happened */
    uint64_t seen;     /* `where` matched */
    uint64_t eligible; /* and the state, and `after` */
    uint64_t hits;
    uint64_t random;
} fault_rule;

typedef struct {
    json_node *text; /* as it was written */
    char *name;
    uint64_t seed;
    unsigned state_count;
    char *states[FAULT_STATES_MAX];
    unsigned state;
    unsigned rule_count;
    fault_rule *rules;
} fault_plan;

/* NULL: *error says where and why. */
fault_plan *fault_plan_parse(const char *text, size_t bytes, json_error *error);
void fault_plan_free(fault_plan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(fault_plan, fault_plan_free)

/* Has it a rule at that seam? */
bool fault_plan_has(const fault_plan *plan, fault_seam seam);

/* Compact JSON: the plan, with "seen" and "hits" in each rule, and "state",
 * "microframe" and "dropped". */
char *fault_plan_print(const fault_plan *plan, uint64_t microframe,
                       uint64_t dropped);

/* The published schema, made from the tables above (schema.c). */
char *fault_schema_print(void);

#endif
