/*
 * Revisions of the specification. The rules are in caps.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "caps.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    const char *name;
    ixhci_caps caps;
} revision;

#define HCC1_OF_1_0 (HCC1_AC64 | HCC1_PAE)
#define HCC1_OF_1_1 (HCC1_OF_1_0 | HCC1_BNC | HCC1_SEC | HCC1_CFC)
#define HCC2_OF_1_1 (HCC2_U3C | HCC2_FSC | HCC2_CTC | HCC2_CIC)
#define HCC2_OF_1_2 (HCC2_OF_1_1 | HCC2_CMC | HCC2_LEC | HCC2_ETC)

/* xHCI 1.2 §5.3.2, §5.3.6, §5.3.9, App. H.1; §7.2 for the ports. BESL came
 * after 1.0, which says HIRD. */
static const revision revisions[] = {
    { "1.0", { 0x0100, 0x00, HCC1_OF_1_0, 0, XECP_HLC } },
    { "1.1", { 0x0110, 0x10, HCC1_OF_1_1, HCC2_OF_1_1, XECP_HLC | XECP_BLC } },
    { "1.2", { 0x0120, 0x20, HCC1_OF_1_1, HCC2_OF_1_2, XECP_HLC | XECP_BLC } },
};

bool ixhci_caps_of_revision(ixhci_caps *caps, const char *name)
{
    for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++) {
        if (strcmp(revisions[i].name, name) == 0) {
            *caps = revisions[i].caps;
            return true;
        }
    }
    return false;
}
