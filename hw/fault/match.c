/*
 * Matching. The rules are in match.h and plan.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "match.h"
#include "check.h"

void fault_site_set(fault_site *site, fault_key key, uint64_t value)
{
    site->has |= 1u << key;
    site->value[key] = value;
}

/* FNV-1a, 64 bits: a name as a number. */
static uint64_t hash(uint64_t seed, const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (unsigned i = 0; i < 8; i++) {
        h = (h ^ (seed >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
    }
    for (; *name; name++) {
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* SplitMix64: any state is a good one, and it travels as one number. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void fault_match_seed(fault_plan *plan)
{
    for (unsigned i = 0; i < plan->rule_count; i++) {
        plan->rules[i].random = hash(plan->seed, plan->rules[i].name);
    }
}

static bool is_key_right(const fault_rule *rule, const fault_site *site,
                         fault_key key)
{
    uint64_t value = site->value[key];

    if (!FAULT_HAS(site->has, key)) {
        /* of the clock, it says what the action is for */
        return site->seam == FAULT_CLOCK && key == FAULT_PORT_ID;
    }
    if (key == FAULT_TRB) {
        return FAULT_HAS(value, rule->where[key].first);
    }
    return value >= rule->where[key].first && value <= rule->where[key].last;
}

static bool is_here(const fault_rule *rule, const fault_site *site)
{
    if (rule->seam != site->seam ||
        (site->allowed && !FAULT_HAS(site->allowed, rule->action))) {
        return false;
    }
    for (unsigned key = 0; key < FAULT_KEYS; key++) {
        if (FAULT_HAS(rule->given, key) && !is_key_right(rule, site, key)) {
            return false;
        }
    }
    return !FAULT_HAS(site->has, FAULT_TYPE) ||
           fault_check_is_legal(rule, site->value[FAULT_TYPE],
                                site->value[FAULT_DIRECTION]);
}

static bool is_its_state(const fault_plan *plan, const fault_rule *rule)
{
    return (!rule->states || FAULT_HAS(rule->states, plan->state)) &&
           (rule->after < 0 || plan->rules[rule->after].hits);
}

/* By counting: nth alone is one occurrence, every alone begins with itself. */
static bool is_its_turn(const fault_rule *rule)
{
    uint64_t first = rule->nth ? rule->nth : rule->every ? rule->every : 1;
    uint64_t apart = rule->every ? rule->every : 1;

    if (rule->eligible < first) {
        return false;
    }
    if (rule->nth && !rule->every) {
        return rule->eligible == first;
    }
    return (rule->eligible - first) % apart == 0;
}

bool fault_match_is_spent(const fault_rule *rule)
{
    return (rule->count && rule->hits >= rule->count) ||
           (rule->nth && !rule->every && rule->eligible >= rule->nth);
}

static bool fires(fault_plan *plan, fault_rule *rule)
{
    rule->seen++;
    if (!is_its_state(plan, rule)) {
        return false;
    }
    rule->eligible++;
    if (!is_its_turn(rule) || (rule->count && rule->hits >= rule->count)) {
        return false;
    }
    return !rule->by_chance ||
           (double)(draw(&rule->random) >> 11) * 0x1p-53 < rule->probability;
}

fault_rule *fault_match(fault_plan *plan, const fault_site *site)
{
    for (unsigned i = 0; i < plan->rule_count; i++) {
        fault_rule *rule = &plan->rules[i];

        if (is_here(rule, site) && fires(plan, rule)) {
            rule->hits++;
            if (rule->then >= 0) {
                plan->state = rule->then;
            }
            return rule;
        }
    }
    return NULL;
}
