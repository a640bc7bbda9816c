/* SPDX-License-Identifier: Apache-2.0 */
/* parameters.c - the tensors of modules, and what they start as */
#include <string.h>

#include "base/rng.h"
#include "base/status.h"
#include "nn/module.h"

pare_slot *pare_module_slot(const pare_module *m, const char *name)
{
    for (pare_slot *s = m->slots; s; s = s->next)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

static pare_status add(pare_module *m, const char *name, const pare_tensor *like, pare_init init, bool trained)
{
    pare_slot *const s = pare_arena_alloc(m->arena, sizeof(*s));

    if (!s || !(s->name = pare_arena_strdup(m->arena, name)))
        return pare_fail_memory(sizeof(*s), "a parameter");
    if (pare_module_slot(m, name) || strchr(name, '.') || !*name)
        return pare_fail(PARE_ERR_ARG, "'%s' is no name of a parameter: it is empty, has a dot or is taken", name);
    for (int i = 0; i < like->shape.rank; i++)
        if (like->shape.dim[i] < 0)
            return pare_fail(PARE_ERR_ARG, "parameter '%s' has a negative size; check the settings", name);
    s->init = init;
    s->trained = trained;
    s->t = *like;
    if (m->last_slot)
        m->last_slot->next = s;
    else
        m->slots = s;
    m->last_slot = s;
    return pare_tensor_alloc(&s->t);
}

void pare_module_param(pare_module *m, const char *name, const pare_shape *shape, pare_init init)
{
    const pare_tensor like = pare_tensor_of(PARE_f32, *shape);
    const pare_status status = pare_module_root(m)->status == PARE_OK ? add(m, name, &like, init, true) : PARE_OK;

    if (status != PARE_OK)
        pare_module_fail(m, status);
}

/* The constants of buffers are written at once: a model whose weights are loaded by name need not be initialised. */
static void fill_constant(pare_tensor *t, float value)
{
    const int64_t n = pare_shape_count(&t->shape);

    for (int64_t i = 0; value != 0 && i < n; i++)
        pare_tensor_set_real(t, i, (double)value);
}

void pare_module_buffer(pare_module *m, const char *name, pare_dtype dtype, const pare_shape *shape, float value)
{
    const pare_tensor like = pare_tensor_of(dtype, *shape);
    const pare_init   init = { PARE_INIT_CONSTANT, value };
    const pare_status status = pare_module_root(m)->status == PARE_OK ? add(m, name, &like, init, false) : PARE_OK;

    if (status != PARE_OK)
        pare_module_fail(m, status);
    else if (pare_module_root(m)->status == PARE_OK)
        fill_constant(&m->last_slot->t, value);
}

void pare_module_set_init(pare_module *m, const char *name, pare_init init)
{
    pare_slot *const s = m ? pare_module_slot(m, name) : NULL;

    if (s)
        s->init = init;
}

/* ------------------------------------------------------------------------------------------------- walking the tree */

static pare_status each_slot(const pare_module *m, const pare_module                    *top,
                             pare_status (*fn)(void *, const char *, pare_slot *), void *user)
{
    char path[PARE_PATH];

    for (pare_slot *s = m->slots; s; s = s->next) {
        pare_module_path(m, top, path);
        const size_t n = strlen(path);

        if (n + strlen(s->name) + 2 > PARE_PATH)
            return pare_fail(PARE_ERR_ARG, "the name of a parameter is longer than %d letters", PARE_PATH - 1);
        if (n)
            path[n] = '.';
        strcpy(path + n + (n > 0), s->name);
        PARE_TRY(fn(user, path, s));
    }
    for (const pare_module *c = m->first; c; c = c->next)
        PARE_TRY(each_slot(c, top, fn, user));
    return PARE_OK;
}

pare_status pare_module_each_slot(const pare_module *m, pare_status (*fn)(void *, const char *, pare_slot *),
                                  void              *user)
{
    return each_slot(m, m, fn, user);
}

static pare_status count(void *user, const char *path, pare_slot *s)
{
    (void)path;
    *(int64_t *)user += s->trained ? pare_shape_count(&s->t.shape) : 0;
    return PARE_OK;
}

int64_t pare_module_parameters(const pare_module *m)
{
    int64_t n = 0;

    pare_module_each_slot(m, count, &n);
    return n;
}

/* ----------------------------------------------------------------------------------------------------- first values */

/* The seed of one parameter: that of the model and every letter of its name, so the order of modules does not
 * matter. */
static pare_rng rng_of(uint64_t seed, const char *path)
{
    pare_rng rng = pare_rng_seed(seed);

    for (; *path; path++)
        rng = pare_rng_seed(pare_rng_u64(&rng) ^ (uint8_t)*path);
    return rng;
}

static pare_status init(void *user, const char *path, pare_slot *s)
{
    pare_rng      rng = rng_of(*(const uint64_t *)user, path);
    pare_tensor   t = pare_tensor_of(s->t.dtype, s->t.shape);
    const int64_t n = pare_shape_count(&t.shape);

    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t i = 0; s->init.kind != PARE_INIT_CONSTANT && i < n; i++)
        ((float *)t.data)[i] = s->init.kind == PARE_INIT_UNIFORM ? pare_rng_uniform(&rng, -s->init.value, s->init.value)
                                                                 : s->init.value * pare_rng_normal(&rng);
    if (s->init.kind == PARE_INIT_CONSTANT)
        fill_constant(&t, s->init.value);
    pare_tensor_release(&s->t);
    s->t = t;
    return PARE_OK;
}

pare_status pare_module_init(pare_module *m, uint64_t seed)
{
    PARE_TRY(pare_module_status(m));
    return pare_module_each_slot(m, init, &seed);
}
