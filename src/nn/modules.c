/* SPDX-License-Identifier: Apache-2.0 */
/* modules.c - the list of kinds of modules */
#include <string.h>

#include "nn/module.h"

/* Those that are one operation differ by a row only. */
#define PARE_ACTIVATION(name_, settings_, about_)                            \
    static const pare_module_kind kind_##name_ = {                           \
        .name = #name_, .about = about_, .settings = settings_, .op = #name_ \
    };
#include "nn/activations.def"
#undef PARE_ACTIVATION

static const pare_module_kind *const kinds[] = {
#define PARE_MODULE_KIND(name_) &pare_module_kind_##name_,
#include "nn/modules.def"
#undef PARE_MODULE_KIND
#define PARE_ACTIVATION(name_, settings_, about_) &kind_##name_,
#include "nn/activations.def"
#undef PARE_ACTIVATION
};

const pare_module_kind *pare_module_kind_at(int index)
{
    return index >= 0 && index < (int)(sizeof(kinds) / sizeof(kinds[0])) ? kinds[index] : NULL;
}

const pare_module_kind *pare_module_kind_find(const char *name)
{
    for (int i = 0; pare_module_kind_at(i); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}
