/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer.c - the list of rules, and what they share */
#include "autograd/optimizer.h"

#include <string.h>

#include "base/map.h"
#include "base/status.h"

#define PARE_OPTIMIZER(name) extern const pare_optimizer pare_optimizer_##name;
#include "autograd/optimizers.def"
#undef PARE_OPTIMIZER

static const pare_optimizer *const rules[] = {
#define PARE_OPTIMIZER(name) &pare_optimizer_##name,
#include "autograd/optimizers.def"
#undef PARE_OPTIMIZER
};

enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

const pare_optimizer *pare_optimizer_at(int index)
{
    return index >= 0 && index < N_RULES ? rules[index] : NULL;
}

pare_status pare_optimizer_find(const char *name, const pare_optimizer **out)
{
    const char *names[N_RULES];

    for (int i = 0; i < N_RULES; i++) {
        names[i] = rules[i]->name;
        if (!name || strcmp(name, names[i]) == 0) {
            *out = rules[i];
            return PARE_OK;
        }
    }
    const char *const near = pare_nearest_name(name, names, N_RULES);

    return pare_fail(PARE_ERR_ARG, "unknown optimizer '%s'%s%s%s", name, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

double pare_bias_correction(double beta, int64_t step)
{
    double power = 1, square = beta;

    for (int64_t left = step; left; left >>= 1) {
        if (left & 1)
            power *= square;
        square *= square;
    }
    return 1 - power;
}
