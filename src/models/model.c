/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - the list of networks, and building one by name */
#include "models/model.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/status.h"
#include "graph/text.h"

static const struct {
    const char             *name, *settings, *inputs, *about;
    const pare_module_kind *family;
} models[] = {
#define PARE_MODEL(name_, family_, settings_, inputs_, about_) \
    { #name_, settings_, inputs_, about_, &pare_family_##family_ },
#include "models/models.def"
#undef PARE_MODEL
};

enum { N_MODELS = sizeof(models) / sizeof(models[0]) };

const char *pare_model_name(int index)
{
    return index >= 0 && index < N_MODELS ? models[index].name : NULL;
}

const char *pare_model_about(int index)
{
    return index >= 0 && index < N_MODELS ? models[index].about : NULL;
}

static pare_status find(const char *name, int *out)
{
    const char *names[N_MODELS], *near;

    for (*out = 0; *out < N_MODELS; ++*out) {
        if (strcmp(models[*out].name, name) == 0)
            return PARE_OK;
        names[*out] = models[*out].name;
    }
    near = pare_nearest_name(name, names, N_MODELS);
    return pare_fail(PARE_ERR_ARG, "there is no network '%s'%s%s%s; `pare list archs` names them", name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

pare_status pare_model_build(const char *name, const pare_model_options *options, pare_module **out)
{
    const pare_model_options defaults = { 0 }, *o = options ? options : &defaults;
    char                     classes[32] = "";
    int                      i;

    *out = NULL;
    PARE_TRY(find(name, &i));
    if (o->classes)
        snprintf(classes, sizeof(classes), "classes=%d", o->classes);
    PARE_TRY(pare_module_create_of(models[i].family, out, "%s %s %s", models[i].settings,
                                   o->settings ? o->settings : "", classes));
    const pare_status status = o->zeros ? PARE_OK : pare_module_init(*out, o->seed);
    if (status != PARE_OK) {
        pare_module_destroy(*out);
        *out = NULL;
    }
    return status;
}

pare_status pare_model_inputs(const char *name, pare_trace_input in[4], int *n)
{
    pare_tensor type = { 0 };
    bool        has_shape;
    int         i;

    PARE_TRY(find(name, &i));
    pare_arena *const arena = pare_arena_create();
    if (!arena)
        return pare_fail_memory(64, "a network's inputs");
    pare_text         text = { .at = models[i].inputs, .arena = arena, .line = 1 };
    const pare_status status = pare_text_type(&text, &type, &has_shape, NULL);

    pare_arena_destroy(arena);
    in[0] =
        (pare_trace_input){ .dtype = type.dtype, .shape = { .rank = type.shape.rank + 1, .dim = { PARE_DIM_ANY } } };
    memcpy(in[0].shape.dim + 1, type.shape.dim, (size_t)type.shape.rank * sizeof(type.shape.dim[0]));
    *n = 1;
    return status;
}
