/*
 * Filters: what sits before the seams of core.h and comes from other folders.
 *
 * The core knows that there are filters and nothing of what they do. One makes
 * itself known in a constructor, before QEMU's main; the class, each controller
 * and the migration stream then hear of it in the order in which it came.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"

static const ixhci_filter *filters[IXHCI_FILTERS_MAX];
static unsigned filter_count;

void ixhci_filter_register(ixhci_filter *filter)
{
    g_assert(filter_count < IXHCI_FILTERS_MAX);
    filter->slot = filter_count;
    filters[filter_count++] = filter;
}

void ixhci_filter_class_init(ObjectClass *klass)
{
    for (unsigned i = 0; i < filter_count; i++) {
        filters[i]->class_init(klass);
        if (filters[i]->state) {
            ixhci_vmstate_add(filters[i]->state);
        }
    }
}

bool ixhci_filter_realize(IxhciState *x, Error **errp)
{
    for (unsigned i = 0; i < filter_count; i++) {
        if (!filters[i]->realize(x, errp)) {
            return false;
        }
    }
    return true;
}

void ixhci_filter_unrealize(IxhciState *x)
{
    for (unsigned i = filter_count; i-- > 0;) {
        filters[i]->unrealize(x);
    }
}

void ixhci_filter_finalize(IxhciState *x)
{
    for (unsigned i = 0; i < filter_count; i++) {
        filters[i]->finalize(x);
    }
}
