/* SPDX-License-Identifier: Apache-2.0 */
/* golden_models.h - tests/golden/models.txt, and the formula that its weights come from (models.py has the same) */
#ifndef PARE_TESTS_GOLDEN_MODELS_H
#define PARE_TESTS_GOLDEN_MODELS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/status.h"
#include "nn/module.h"

enum { GOLDEN_VALUES = 16, GOLDEN_INPUTS = 3 };

typedef struct golden {
    char       what[16]; /* "model" or "module"               */
    char       name[64]; /* of the network or the kind        */
    char       settings[128];
    pare_shape shape[GOLDEN_INPUTS];
    int        n_inputs;
    int        n_state; /* entries of the state dict         */
    uint64_t   state;   /* fingerprint of names and shapes   */
    double     y[GOLDEN_VALUES + 1];
    int        n_y;
} golden;

static uint64_t golden_hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return h;
}

static void golden_numbers(const char *name, double lo, double hi, int64_t n, float *out)
{
    pare_rng rng = pare_rng_seed(golden_hash(name));

    for (int64_t i = 0; i < n; i++)
        out[i] = (float)(lo + (hi - lo) * ((double)(pare_rng_u64(&rng) >> 40) * 0x1p-24));
}

static int golden_ends(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

static pare_status golden_fill_one(void *user, const char *path, pare_slot *slot)
{
    const pare_shape *const s = &slot->t.shape;
    double                  fan = 1, lo = -0.1, hi = 0.1;

    (void)user;
    if (slot->t.dtype != PARE_f32)
        return PARE_OK;
    for (int i = 1; i < s->rank; i++)
        fan *= (double)s->dim[i];
    if (s->rank >= 2) {
        hi = sqrt(6.0 / fan);
        lo = -hi;
    } else if (golden_ends(path, "running_var") || golden_ends(path, "weight")) {
        lo = 0.5;
        hi = 1.5;
    }
    golden_numbers(path, lo, hi, pare_shape_count(s), slot->t.data);
    return PARE_OK;
}

/* Fills all weights of a module that nobody shares yet. */
static pare_status golden_fill(pare_module *m)
{
    return pare_module_each_slot(m, golden_fill_one, NULL);
}

/* ids > 0: numbers of 0 .. ids-1. Release the tensor. */
static pare_tensor golden_input(int index, const pare_shape *shape, int64_t ids)
{
    const int64_t n = pare_shape_count(shape);
    float *const  x = malloc((size_t)n * sizeof(*x));
    pare_tensor   t = pare_tensor_of(ids ? PARE_s64 : PARE_f32, *shape);
    char          name[24];

    snprintf(name, sizeof(name), "input%d", index);
    if (!x || pare_tensor_alloc(&t) != PARE_OK)
        abort();
    golden_numbers(name, -1, 1, n, x);
    for (int64_t i = 0; i < n; i++)
        if (ids)
            ((int64_t *)t.data)[i] = (int64_t)(((double)x[i] + 1) / 2 * (double)ids);
        else
            ((float *)t.data)[i] = x[i];
    free(x);
    return t;
}

static int golden_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The fingerprint of the names and shapes of a state dict. */
static uint64_t golden_state(const pare_state *state)
{
    const int n = pare_state_count(state);
    char    **lines = calloc((size_t)n + 1, sizeof(*lines)), *all = calloc((size_t)n + 1, 256);
    uint64_t  hash;

    for (int i = 0; i < n; i++) {
        char shape[PARE_SHAPE_TEXT];

        lines[i] = malloc(256);
        snprintf(lines[i], 256, "%s:%s", pare_state_name(state, i),
                 pare_shape_text(&pare_state_tensor(state, i)->shape, shape));
    }
    qsort(lines, (size_t)n, sizeof(*lines), golden_compare);
    for (int i = 0, at = 0; i < n; i++) {
        at += sprintf(all + at, "%s%s", i ? "\n" : "", lines[i]);
        free(lines[i]);
    }
    hash = golden_hash(all);
    free(all);
    free(lines);
    return hash;
}

/* How far t is from what the line says, relative to its largest value; the sum of sizes counts too. */
static double golden_error(const golden *g, const pare_tensor *t)
{
    const int64_t n = pare_shape_count(&t->shape);
    double        largest = 1e-6, worst = 0, sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const double v = pare_tensor_real(t, i);

        if (i < g->n_y - 1) {
            largest = fabs(g->y[i]) > largest ? fabs(g->y[i]) : largest;
            worst = fabs(v - g->y[i]) > worst || v != v ? fabs(v - g->y[i]) : worst;
        }
        sum += fabs(v);
    }
    if (g->n_y - 1 != (n < GOLDEN_VALUES ? n : GOLDEN_VALUES))
        return INFINITY;
    const double in_sum = fabs(sum - g->y[g->n_y - 1]) / (g->y[g->n_y - 1] > 1e-6 ? g->y[g->n_y - 1] : 1e-6);
    return worst / largest > in_sum ? worst / largest : in_sum;
}

/* "[1,3,64,64]" */
static char *golden_shape(char *p, pare_shape *shape)
{
    shape->rank = 0;
    while (*p && *p != ']')
        shape->dim[shape->rank++] = strtoll(p + 1, &p, 10);
    return p + (*p == ']');
}

static int golden_parse(char *line, golden *g)
{
    char *state = strstr(line, " state "), *y = strstr(line, " y "), *shapes = strrchr(line, '|');

    memset(g, 0, sizeof(*g));
    if (!state || !y || sscanf(line, "%15s %63[^ |]", g->what, g->name) != 2)
        return 0;
    if (shapes)
        sscanf(strchr(line, '|') + 1, "%127[^|]", g->settings);
    else
        shapes = strchr(line, '[') - 1;
    *state = '\0';
    for (char *p = shapes + 1; *p == '[' && g->n_inputs < GOLDEN_INPUTS; p += *p == ' ')
        p = golden_shape(p, &g->shape[g->n_inputs++]);
    g->n_state = (int)strtol(state + 7, &state, 10);
    g->state = strtoull(state, NULL, 16);
    for (char *p = y + 3, *end; g->n_y <= GOLDEN_VALUES; p = end) {
        const double v = strtod(p, &end);

        if (end == p)
            break;
        g->y[g->n_y++] = v;
    }
    return g->n_inputs > 0 && g->n_y > 0;
}

/* Calls fn for each line of `what`; how many there were. */
static int golden_each(const char *what, void (*fn)(const golden *g))
{
    FILE *const file = fopen(PARE_TEST_DIR "/golden/models.txt", "r");
    char        line[1024];
    int         n = 0;

    while (file && fgets(line, sizeof(line), file)) {
        golden g;

        if (golden_parse(line, &g) && strcmp(g.what, what) == 0) {
            fn(&g);
            n++;
        }
    }
    if (file)
        fclose(file);
    return n;
}

#endif
