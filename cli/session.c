/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one model with inputs, ready to run */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pare/io.h>
#include <pare/tensor_io.h>

#include "say.h"

/* The file for input `index`; NULL: none. */
static const char *file_for(const pare_texts *files, const char *name, int index)
{
    const size_t n = strlen(name);

    for (int i = 0; files && i < files->n; i++) {
        const char *const text = files->items[i];

        if (strncmp(text, name, n) == 0 && text[n] == '=')
            return text + n + 1;
        if (index == 0 && !strchr(text, '='))
            return text;
    }
    return NULL;
}

static int check_files(const pare_session *s, const pare_texts *files)
{
    for (int i = 0; files && i < files->n; i++) {
        const size_t n = strcspn(files->items[i], "=");
        bool         known = !files->items[i][n] && s->n_inputs > 0;

        for (int j = 0; j < s->n_inputs; j++) {
            const char *const name = pare_graph_input(s->graph, j, &(pare_dtype){ 0 }, &(pare_shape){ 0 });

            known |= strlen(name) == n && strncmp(name, files->items[i], n) == 0;
        }
        if (!known)
            return pare_say_usage("the model has no input '%.*s'; `pare info` names its inputs", (int)n,
                                  files->items[i]);
    }
    return 0;
}

/* splitmix64: the same numbers on every machine. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Whole numbers stay 0: they are indexes, whose range only the model knows. */
static void fill_random(pare_tensor *t, uint64_t seed)
{
    const int64_t n = pare_shape_count(&t->shape);
    float *const  x = t->data;

    for (int64_t i = 0; t->dtype == PARE_f32 && i < n; i++)
        x[i] = (float)(int32_t)(next_random(&seed) >> 40) * (1.0f / 8388608) - 1;
}

static int load_files(pare_session *s, const pare_session_options *o, int64_t *batch)
{
    for (int i = 0; i < s->n_inputs; i++) {
        pare_dtype        dtype;
        pare_shape        shape;
        const char *const name = pare_graph_input(s->graph, i, &dtype, &shape), *path = file_for(o->files, name, i);

        s->inputs[i] = pare_tensor_of(dtype, shape);
        s->pointers[i] = &s->inputs[i];
        if (!path)
            continue;
        const pare_status status = pare_tensor_load(path, &s->inputs[i]);

        if (status != PARE_OK)
            return pare_say_status(status);
        if (shape.rank > 0 && shape.dim[0] == PARE_DIM_ANY && *batch == 0)
            *batch = s->inputs[i].shape.dim[0];
    }
    return 0;
}

static int fill_others(pare_session *s, const pare_session_options *o, int64_t batch)
{
    bool open = false;

    for (int i = 0; i < s->n_inputs; i++) {
        pare_tensor *const t = &s->inputs[i];

        open |= t->shape.rank > 0 && (t->data || t->shape.dim[0] == PARE_DIM_ANY);
        if (t->data)
            continue;
        for (int d = 0; d < t->shape.rank; d++)
            if (t->shape.dim[d] == PARE_DIM_ANY)
                t->shape.dim[d] = d == 0 && batch ? batch : 1;
        *t = pare_tensor_of(t->dtype, t->shape);

        const pare_status status = pare_tensor_alloc(t);
        if (status != PARE_OK)
            return pare_say_status(status);
        if (!o->zeros)
            fill_random(t, o->seed + (uint64_t)i);
    }
    if (o->batch > 1 && !open)
        return pare_say_failed("the model fixes its batch, so that --batch %lld is not possible", (long long)o->batch);
    return 0;
}

/* Said even when all is well: the next start is faster, or the file was for something else. */
static void say_written(const pare_session *s, const char *plan_file)
{
    if (plan_file && pare_plan_misfit(s->plan))
        fprintf(stderr, "pare: %s: written; %s\n", plan_file, pare_plan_misfit(s->plan));
}

static pare_status plan(pare_session *s, const pare_session_options *o)
{
    pare_shape *const shapes = calloc((size_t)s->n_inputs + 1, sizeof(*shapes));
    pare_status       status = PARE_ERR_MEMORY;

    for (int i = 0; shapes && i < s->n_inputs; i++)
        shapes[i] = s->inputs[i].shape;
    if (shapes)
        status = pare_compile(
            s->graph,
            &(pare_compile_options){ .shapes = shapes, .tune = o->tune, .bf16 = o->bf16, .plan_file = o->plan_file },
            &s->plan);
    free(shapes);
    if (status == PARE_OK) {
        say_written(s, o->plan_file);
        return pare_context_create(s->plan, &s->ctx);
    }
    return status == PARE_ERR_DYNAMIC ? PARE_OK : status;
}

int pare_session_open(pare_session *s, const char *model, const pare_session_options *o)
{
    int64_t batch = o->batch;
    int     code;

    *s = (pare_session){ 0 };
    if ((code = pare_say_status(pare_graph_load(model, &s->graph))))
        return code;
    s->n_inputs = pare_graph_n_inputs(s->graph);
    s->n_outputs = pare_graph_n_outputs(s->graph);
    s->inputs = calloc((size_t)s->n_inputs + 1, sizeof(*s->inputs));
    s->pointers = calloc((size_t)s->n_inputs + 1, sizeof(*s->pointers));
    s->outputs = calloc((size_t)s->n_outputs + 1, sizeof(*s->outputs));
    if (!s->inputs || !s->pointers || !s->outputs)
        return pare_say_failed("out of memory");
    if ((code = check_files(s, o->files)) || (code = load_files(s, o, &batch)) || (code = fill_others(s, o, batch)))
        return code;
    return pare_say_status(plan(s, o));
}

static void drop_outputs(pare_session *s)
{
    for (int i = 0; s->outputs && i < s->n_outputs; i++)
        pare_tensor_release(&s->outputs[i]);
}

void pare_session_close(pare_session *s)
{
    drop_outputs(s);
    for (int i = 0; s->inputs && i < s->n_inputs; i++)
        pare_tensor_release(&s->inputs[i]);
    free(s->inputs);
    free(s->pointers);
    free(s->outputs);
    pare_context_destroy(s->ctx);
    pare_plan_destroy(s->plan);
    pare_graph_destroy(s->graph);
    *s = (pare_session){ 0 };
}

pare_status pare_session_run(pare_session *s, pare_pool *pool)
{
    if (s->ctx)
        return pare_context_run(s->ctx, pool, s->pointers, NULL, 0);
    drop_outputs(s);
    return pare_graph_run(s->graph, s->pointers, s->outputs);
}

const pare_tensor *pare_session_output(const pare_session *s, int index, const char **name)
{
    *name = pare_graph_output(s->graph, index, &(pare_dtype){ 0 }, &(pare_shape){ 0 });
    return s->ctx ? pare_context_output(s->ctx, index) : &s->outputs[index];
}
