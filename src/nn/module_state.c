/* SPDX-License-Identifier: Apache-2.0 */
/* module_state.c - state dicts of modules: out, and in with everything that does not fit listed at once */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/status.h"
#include "nn/module.h"
#include "quant/qconfig.h"

enum { LIST = 300 }; /* letters of one list of names in a sentence */

static pare_status put(void *user, const char *path, pare_slot *s)
{
    return pare_state_put(user, path, &s->t);
}

pare_status pare_module_state(const pare_module *m, pare_state *state)
{
    return pare_module_each_slot(m, put, state);
}

/* ------------------------------------------------------------------------------------------------------ one by name */

static pare_slot *find_slot(const pare_module *m, const char *path)
{
    const char *const dot = strrchr(path, '.');
    char              owner[PARE_PATH];

    if (!dot)
        return pare_module_slot(m, path);
    if ((size_t)(dot - path) >= sizeof(owner))
        return NULL;
    snprintf(owner, sizeof(owner), "%.*s", (int)(dot - path), path);
    m = pare_module_find(m, owner);
    return m ? pare_module_slot(m, dot + 1) : NULL;
}

const pare_tensor *pare_module_tensor(const pare_module *m, const char *path)
{
    const pare_slot *const s = find_slot(m, path);

    return s ? &s->t : NULL;
}

static bool fits(const pare_tensor *want, const pare_tensor *t)
{
    return pare_shape_equal(&want->shape, &t->shape) && pare_dtype_kind(want->dtype) == pare_dtype_kind(t->dtype);
}

/* New bytes take the place of the old ones, which graphs may still share. */
static pare_status replace(pare_slot *s, const pare_tensor *t)
{
    pare_tensor   fresh = pare_tensor_of(s->t.dtype, s->t.shape);
    const int64_t n = pare_shape_count(&t->shape);

    PARE_TRY(pare_tensor_alloc(&fresh));
    if (t->dtype == fresh.dtype)
        pare_tensor_copy(&fresh, t);
    else
        for (int64_t i = 0; i < n; i++)
            pare_tensor_set_real(&fresh, i, pare_tensor_real(t, i));
    pare_tensor_release(&s->t);
    s->t = fresh;
    return PARE_OK;
}

pare_status pare_module_set(pare_module *m, const char *path, const pare_tensor *t)
{
    pare_slot *const s = find_slot(m, path);
    char             want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT];

    if (!s)
        return pare_fail(PARE_ERR_ARG, "there is no parameter '%s'", path);
    if (!fits(&s->t, t))
        return pare_fail(PARE_ERR_SHAPE, "parameter '%s' is %s%s, not %s%s", path, pare_dtype_name(s->t.dtype),
                         pare_shape_text(&s->t.shape, want), pare_dtype_name(t->dtype),
                         pare_shape_text(&t->shape, got));
    return replace(s, t);
}

/* ----------------------------------------------------------------------------------------------------- a whole dict */

/* Names that make one complaint, as many as its part of the sentence holds. */
typedef struct complaint {
    char text[LIST];
    int  n, shown;
} complaint;

static void note(complaint *c, const char *what)
{
    const size_t at = strlen(c->text), more = strlen(what);

    c->n++;
    if (at + more + 3 > LIST)
        return;
    snprintf(c->text + at, LIST - at, "%s%s", at ? ", " : "", what);
    c->shown++;
}

typedef struct load {
    const pare_state        *state;
    const pare_load_options *options;
    pare_map                 known; /* names that the module has */
    complaint                missing, unexpected, shapes;
} load;

static bool excepted(const load *l, const char *path)
{
    return l->options && l->options->except && pare_glob_match(l->options->except, path);
}

static pare_status compare(void *user, const char *path, pare_slot *s)
{
    load *const              l = user;
    const pare_tensor *const t = pare_state_find(l->state, path);
    char                     want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT], text[PARE_PATH + 2 * PARE_SHAPE_TEXT + 64];

    if (excepted(l, path))
        return PARE_OK;
    if (!t) {
        note(&l->missing, path);
        return PARE_OK;
    }
    for (int i = 0; i < pare_state_count(l->state); i++)
        if (pare_state_tensor(l->state, i) == t && !pare_map_set(&l->known, pare_state_name(l->state, i), s))
            return pare_fail_memory(64, "a state dict");
    if (fits(&s->t, t))
        return PARE_OK;
    snprintf(text, sizeof(text), "%s (%s%s, the file has %s%s)", path, pare_dtype_name(s->t.dtype),
             pare_shape_text(&s->t.shape, want), pare_dtype_name(t->dtype), pare_shape_text(&t->shape, got));
    note(&l->shapes, text);
    return PARE_OK;
}

static void find_unexpected(load *l)
{
    for (int i = 0; i < pare_state_count(l->state); i++) {
        const char *const name = pare_state_name(l->state, i);

        if (!pare_map_get(&l->known, name) && !excepted(l, name))
            note(&l->unexpected, name);
    }
}

static void say(char text[], size_t size, const char *what, const complaint *c)
{
    const size_t at = strlen(text);

    if (c->n == 0)
        return;
    if (c->n > c->shown)
        snprintf(text + at, size - at, "%s%s: %s%sand %d more", at ? "; " : "", what, c->text, c->shown ? ", " : "",
                 c->n - c->shown);
    else
        snprintf(text + at, size - at, "%s%s: %s", at ? "; " : "", what, c->text);
}

static pare_status complain(const load *l)
{
    char text[PARE_SENTENCE_SIZE] = "";

    say(text, sizeof(text), "missing", &l->missing);
    say(text, sizeof(text), "not expected", &l->unexpected);
    say(text, sizeof(text), "of another shape", &l->shapes);
    return text[0] ? pare_fail(PARE_ERR_SHAPE, "the state dict does not fit: %s", text) : PARE_OK;
}

static pare_status accept(void *user, const char *path, pare_slot *s)
{
    const load *const l = user;

    return excepted(l, path) ? PARE_OK : replace(s, pare_state_find(l->state, path));
}

pare_status pare_module_load(pare_module *m, const pare_state *state, const pare_load_options *options)
{
    load *const l = pare_calloc(1, sizeof(*l));
    pare_status status;

    PARE_TRY(pare_module_status(m));
    if (!l)
        return pare_fail_memory(sizeof(*l), "a state dict");
    l->state = state;
    l->options = options;
    PARE_GOTO(pare_module_each_slot(m, compare, l));
    find_unexpected(l);
    PARE_GOTO(complain(l));
    status = pare_module_each_slot(m, accept, l);
out:
    pare_map_free(&l->known);
    pare_free(l);
    return status;
}

/* ----------------------------------------------------------------------------------------------------- from a graph */

typedef struct source {
    const pare_module *m;
    const pare_graph  *g;
    int                taken;
} source;

/* A traced graph has the names from the root of the tree. Buffers that nothing computes with are not in it. */
static pare_status take(void *user, const char *path, pare_slot *s)
{
    source *const from = user;
    char          full[2 * PARE_PATH];
    size_t        n;

    pare_module_path(from->m, NULL, full);
    n = strlen(full);
    snprintf(full + n, sizeof(full) - n, "%s%s", n ? "." : "", path);
    const pare_value *const v = pare_graph_find(from->g, full);

    if (!v || !v->t.data || !fits(&s->t, &v->t))
        return PARE_OK;
    from->taken++;
    return replace(s, &v->t);
}

pare_status pare_module_take(pare_module *m, const pare_graph *trained)
{
    source s = { .m = m, .g = trained };

    PARE_TRY(pare_module_status(m));
    PARE_TRY(pare_module_each_slot(m, take, &s));
    return s.taken ? PARE_OK
                   : pare_fail(PARE_ERR_ARG, "the graph has no weights of %s: was it traced from it?", m->kind->name);
}
