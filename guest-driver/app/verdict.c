/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include "report.h"

void verdict_test(verdict *v, const char *name, const char *why)
{
    v->tests++;
    v->failed += why != NULL;
    if (v->json) {
        fprintf(v->to, "%s\n  {\"number\": %u, \"name\": ",
                v->tests == 1 ? "{\"tests\": [" : ",", v->tests);
        report_json_string(v->to, name);
        fprintf(v->to, ", \"ok\": %s", why ? "false" : "true");
        if (why) {
            fprintf(v->to, ", \"why\": ");
            report_json_string(v->to, why);
        }
        fputc('}', v->to);
    } else {
        fprintf(v->to, "%sok %u - %s\n", why ? "not " : "", v->tests, name);
        if (why) {
            fprintf(v->to, "# %s\n", why);
        }
    }
    fflush(v->to);
}

void verdict_end(verdict *v, const char *why)
{
    if (!v->json) {
        if (why) {
            fprintf(v->to, "Bail out! %s\n", why);
        } else {
            fprintf(v->to, "1..%u\n", v->tests);
        }
        return;
    }
    fprintf(v->to, "%s\n], \"passed\": %u, \"failed\": %u",
            v->tests ? "" : "{\"tests\": [", v->tests - v->failed, v->failed);
    if (why) {
        fprintf(v->to, ", \"stopped\": ");
        report_json_string(v->to, why);
    }
    fprintf(v->to, "}\n");
}
