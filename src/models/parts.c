/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c - what most families are made of, and first weights */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "models/model.h"

enum { SETTINGS = 256 };

/* Of a convolution in front of a normalization; the parts' names are names[3]. */
static pare_module *add_norm(pare_module *parent, const char *name, const char *const names[3], const char *act,
                             double eps, const char *conv)
{
    pare_module *const m = pare_module_add(parent, name, "sequential", NULL);
    pare_module *const c = pare_module_add(m, names[0], "conv2d", "%s bias=0", conv);

    if (!c)
        return NULL;
    pare_module_add(m, names[1], "batch_norm", "features=%d eps=%g", (int)pare_module_int(c, "out"), eps);
    if (act)
        pare_module_add(m, names[2], act, NULL);
    return m;
}

pare_module *pare_add_conv_norm(pare_module *parent, const char *name, const char *act, double eps,
                                const char *settings, ...)
{
    static const char *const names[3] = { "0", "1", "2" };
    char                     conv[SETTINGS];
    va_list                  args;

    va_start(args, settings);
    vsnprintf(conv, sizeof(conv), settings, args);
    va_end(args);
    return add_norm(parent, name, names, act, eps, conv);
}

pare_module *pare_add_basic_conv(pare_module *parent, const char *name, const char *settings, ...)
{
    static const char *const names[3] = { "conv", "bn", "relu" };
    char                     conv[SETTINGS];
    va_list                  args;

    va_start(args, settings);
    vsnprintf(conv, sizeof(conv), settings, args);
    va_end(args);
    return add_norm(parent, name, names, "relu", 0.001, conv);
}

int pare_make_divisible(double channels)
{
    const int rounded = (int)(channels + 4) / 8 * 8, least = rounded < 8 ? 8 : rounded;

    return least < 0.9 * channels ? least + 8 : least;
}

/* ---------------------------------------------------------------------------------------------------- first weights */

static double taps(const pare_shape *weight)
{
    double n = 1;

    for (int i = 2; i < weight->rank; i++)
        n *= (double)weight->dim[i];
    return n;
}

pare_init pare_init_fan_out(const pare_module *m, const pare_shape *weight)
{
    (void)m;
    return (pare_init){ PARE_INIT_NORMAL, (float)sqrt(2 / (taps(weight) * (double)weight->dim[0])) };
}

pare_init pare_init_fan_in(const pare_module *m, const pare_shape *weight)
{
    (void)m;
    return (pare_init){ PARE_INIT_UNIFORM, (float)sqrt(6 / (taps(weight) * (double)weight->dim[1])) };
}

pare_init pare_init_normal_001(const pare_module *m, const pare_shape *weight)
{
    (void)m, (void)weight;
    return (pare_init){ PARE_INIT_NORMAL, 0.01f };
}

void pare_init_weights(pare_module *m, pare_init_rule *conv, pare_init_rule *linear)
{
    const char *const        kind = pare_module_kind_of(m)->name;
    pare_init_rule *const    rule = strcmp(kind, "conv2d") == 0                                     ? conv
                                    : strcmp(kind, "linear") == 0 || strcmp(kind, "embedding") == 0 ? linear
                                                                                                    : NULL;
    const pare_tensor *const weight = pare_module_tensor(m, "weight");

    if (rule && weight) {
        pare_module_set_init(m, "weight", rule(m, &weight->shape));
        pare_module_set_init(m, "bias", (pare_init){ PARE_INIT_CONSTANT, 0 });
    }
    for (int i = 0; pare_module_child(m, i); i++)
        pare_init_weights(pare_module_child(m, i), conv, linear);
}
