/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_train.c - milliseconds of one training step of ResNet-20 (CIFAR, 32 x 32), by op
 *
 * Forward, loss, gradients and SGD with momentum, as a graph that is planned once. The median of the steps; with
 * --profile the time of every op, too. bench/peers/torch_train.py trains the same network with PyTorch.
 * Usage: bench_train [--batch=128] [--threads=1] [--steps=10] [--profile] [--plan]
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pare/compile.h>
#include <pare/pool.h>

#include "autograd/autograd.h"
#include "autograd/params.h"
#include "base/rng.h"
#include "base/status.h"
#include "graph/graph.h"

enum { TEXT = 1 << 16, MAX_INPUTS = 256, MAX_KINDS = 64, CLASSES = 10, IMAGES = 50000 };

static void die_unless(pare_status status)
{
    if (status == PARE_OK)
        return;
    fprintf(stderr, "bench_train: %s\n", pare_error());
    exit(1);
}

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------------------------------------------- the network as IR */

/* Constants come before nodes. */
typedef struct writer {
    char constants[TEXT], nodes[TEXT];
    int  n; /* values so far; %vn is the last one */
} writer;

__attribute__((format(printf, 2, 3))) static void put(char text[TEXT], const char *format, ...)
{
    const size_t used = strlen(text);
    va_list      args;

    va_start(args, format);
    vsnprintf(text + used, TEXT - used, format, args);
    va_end(args);
}

/* A convolution of value `from` and its batch normalization; returns the value. */
static int conv_bn(writer *w, int from, int in, int out, int kernel, int stride)
{
    const int n = ++w->n, pad = kernel / 2;

    put(w->constants, "@w%d = const f32[%d,%d,%d,%d] seed=%d\n", n, out, in, kernel, kernel, n);
    for (int i = 0; i < 4; i++)
        put(w->constants, "@%c%d = const f32[%d] seed=%d\n", "gbmr"[i], n, out, 1000 * (i + 1) + n);
    put(w->nodes, "%%c%d = conv(%%v%d, @w%d) strides=[%d,%d] pads=[%d,%d,%d,%d]\n", n, from, n, stride, stride, pad,
        pad, pad, pad);
    put(w->nodes, "%%v%d = batch_normalization(%%c%d, @g%d, @b%d, @m%d, @r%d)\n", n, n, n, n, n, n);
    return n;
}

static int relu(writer *w, int from)
{
    put(w->nodes, "%%v%d = relu(%%v%d)\n", w->n + 1, from);
    return ++w->n;
}

static int block(writer *w, int from, int in, int out, int stride)
{
    const int first = relu(w, conv_bn(w, from, in, out, 3, stride));
    const int second = conv_bn(w, first, out, out, 3, 1);
    const int shortcut = in == out ? from : conv_bn(w, from, in, out, 1, stride);

    put(w->nodes, "%%v%d = add(%%v%d, %%v%d)\n", w->n + 1, second, shortcut);
    ++w->n;
    return relu(w, w->n);
}

static pare_graph *resnet20(int batch)
{
    static writer w;
    static char   text[3 * TEXT];
    pare_graph   *g;
    int           at, in = 16;

    at = relu(&w, conv_bn(&w, 0, 3, 16, 3, 1));
    for (int stage = 0; stage < 3; stage++)
        for (int i = 0; i < 3; i++) {
            at = block(&w, at, in, 16 << stage, stage > 0 && i == 0 ? 2 : 1);
            in = 16 << stage;
        }
    put(w.constants, "@fc = const f32[%d,64] seed=77\n@fb = const f32[%d] seed=78\n", CLASSES, CLASSES);
    snprintf(text, sizeof(text),
             "graph resnet20\n%%v0 = input f32[%d,3,32,32]\n%%t = input s64[%d]\n%s%s"
             "%%p = global_average_pool(%%v%d)\n%%f = flatten(%%p)\n%%y = gemm(%%f, @fc, @fb) transB=1\n"
             "%%l, %%q = softmax_cross_entropy(%%y, %%t)\n%%loss = reduce_mean(%%l) keepdims=0\nreturn %%loss\n",
             batch, batch, w.constants, w.nodes, at);
    die_unless(pare_graph_parse(text, &g));
    die_unless(pare_graph_infer(g, true));
    return g;
}

/* ----------------------------------------------------------------------------------------------------- the training */

typedef struct training {
    pare_graph        *g;
    pare_params        params;
    pare_plan         *plan;
    pare_context      *context;
    pare_tensor        in[MAX_INPUTS];
    const pare_tensor *at[MAX_INPUTS];
    pare_tensor        velocity[MAX_INPUTS];
    int                grad[MAX_INPUTS]; /* output of the gradient of parameter i */
} training;

static void prepare(training *t, int batch)
{
    pare_value *wrt[MAX_INPUTS], *grads[MAX_INPUTS];
    int         which[MAX_INPUTS], n = 0;
    pare_rng    rng = pare_rng_seed(1);

    t->g = resnet20(batch);
    die_unless(pare_params_free(t->g, NULL, &t->params));
    die_unless(pare_graph_infer(t->g, true));
    for (int i = 0; i < t->params.n; i++)
        if (t->params.list[i].trained) {
            wrt[n] = t->params.list[i].value;
            which[n++] = i;
        }
    die_unless(pare_autograd(t->g, t->g->outputs[0], n, wrt, grads));
    for (int i = 0; i < n; i++) {
        t->grad[which[i]] = t->g->n_outputs;
        die_unless(pare_graph_add_output(t->g, grads[i]));
    }
    for (int i = 0; i < t->params.n; i++)
        if (!t->params.list[i].trained)
            die_unless(pare_graph_add_output(t->g, t->params.list[i].batch));
    die_unless(pare_compile(t->g, NULL, &t->plan));
    die_unless(pare_context_create(t->plan, &t->context));
    for (int i = 0; i < t->g->n_inputs; i++) {
        t->in[i] = pare_tensor_of(t->g->inputs[i]->t.dtype, t->g->inputs[i]->t.shape);
        t->velocity[i] = t->in[i];
        die_unless(pare_tensor_alloc(&t->in[i]));
        die_unless(pare_tensor_alloc(&t->velocity[i]));
        t->at[i] = &t->in[i];
    }
    for (int64_t i = 0; i < pare_shape_count(&t->in[0].shape); i++)
        ((float *)t->in[0].data)[i] = pare_rng_uniform(&rng, -1, 1);
    for (int64_t i = 0; i < batch; i++)
        ((int64_t *)t->in[1].data)[i] = pare_rng_below(&rng, CLASSES);
    for (int i = 0; i < t->params.n; i++)
        for (int k = 0; k < t->g->n_inputs; k++)
            if (t->g->inputs[k] == t->params.list[i].value)
                pare_tensor_copy(&t->in[k], &t->params.list[i].initial);
}

/* SGD with momentum 0.9. */
static void update(training *t)
{
    for (int i = 0; i < t->params.n; i++)
        for (int k = 0; k < t->g->n_inputs; k++) {
            if (!t->params.list[i].trained || t->g->inputs[k] != t->params.list[i].value)
                continue;
            const float *grad = pare_context_output(t->context, t->grad[i])->data;
            float *const w = t->in[k].data, *const v = t->velocity[k].data;

            for (int64_t j = 0; j < pare_shape_count(&t->in[k].shape); j++) {
                v[j] = 0.9f * v[j] + grad[j];
                w[j] -= 0.01f * v[j];
            }
        }
}

/* ------------------------------------------------------------------------------------------------------- the report */

typedef struct kind {
    char   name[80];
    double ms;
    int    n;
} kind;

static int by_time(const void *a, const void *b)
{
    const double x = ((const kind *)a)->ms, y = ((const kind *)b)->ms;

    return (x < y) - (x > y);
}

static void report(const training *t, const double *ns, int steps, bool each)
{
    kind kinds[MAX_KINDS] = { { .n = 0 } };
    int  n = 0;

    for (int s = 0; s < pare_plan_n_steps(t->plan); s++) {
        pare_step_info info;
        char           name[80];
        int            k = 0;

        pare_plan_describe(t->plan, s, &info);
        snprintf(name, sizeof(name), "%s (%s)", info.op, info.kernel);
        while (k < n && strcmp(kinds[k].name, name))
            k++;
        if (k == MAX_KINDS)
            continue;
        n = k == n ? n + 1 : n;
        snprintf(kinds[k].name, sizeof(kinds[k].name), "%s", name);
        kinds[k].ms += ns[s] / steps * 1e-6;
        kinds[k].n++;
        if (each)
            printf("%8.3f ms  %-24s %-32s %s [%lld,%lld,%lld,%lld]\n", ns[s] / steps * 1e-6, info.op, info.kernel,
                   info.output, (long long)info.shape.dim[0], (long long)info.shape.dim[1],
                   (long long)info.shape.dim[2], (long long)info.shape.dim[3]);
    }
    qsort(kinds, (size_t)n, sizeof(kind), by_time);
    for (int k = 0; k < n; k++)
        printf("%8.2f ms  %3d  %s\n", kinds[k].ms, kinds[k].n, kinds[k].name);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int option(int argc, char **argv, const char *name, int otherwise)
{
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, strlen(name)) == 0)
            return argv[i][strlen(name)] == '=' ? atoi(argv[i] + strlen(name) + 1) : 1;
    return otherwise;
}

int main(int argc, char **argv)
{
    const int       batch = option(argc, argv, "--batch", 128), steps = option(argc, argv, "--steps", 10);
    const int       threads = option(argc, argv, "--threads", 1);
    double         *wall = calloc((size_t)steps, sizeof(double)), *cpu = calloc((size_t)steps, sizeof(double)), *ns;
    pare_pool      *pool;
    static training t;

    prepare(&t, batch);
    ns = calloc((size_t)pare_plan_n_steps(t.plan), sizeof(double));
    die_unless(pare_pool_create(threads, &pool));
    for (int i = -2; i < steps; i++) {
        const double start = now(CLOCK_MONOTONIC), worked = now(CLOCK_PROCESS_CPUTIME_ID);

        if (i == 0 && option(argc, argv, "--profile", 0))
            pare_context_profile(t.context, ns);
        die_unless(pare_context_run(t.context, pool, t.at, NULL, 0));
        update(&t);
        if (i >= 0) {
            wall[i] = now(CLOCK_MONOTONIC) - start;
            cpu[i] = now(CLOCK_PROCESS_CPUTIME_ID) - worked;
        }
        if (i == -2 || i == steps - 1)
            printf("step %d: loss %g\n", i + 2, (double)*(const float *)pare_context_output(t.context, 0)->data);
    }
    qsort(wall, (size_t)steps, sizeof(double), by_value);
    qsort(cpu, (size_t)steps, sizeof(double), by_value);
    if (option(argc, argv, "--profile", 0))
        report(&t, ns, steps, option(argc, argv, "--plan", 0));
    printf("ResNet-20, batch %d, %d threads: %.1f ms per step (fastest %.1f), processor %.1f ms (fastest %.1f), %.1f s "
           "per "
           "epoch of %d images; %.0f MB\n",
           batch, threads, wall[steps / 2] * 1e3, wall[0] * 1e3, cpu[steps / 2] * 1e3, cpu[0] * 1e3,
           wall[steps / 2] * IMAGES / batch, IMAGES, (double)pare_plan_context_bytes(t.plan) * 1e-6);
    pare_pool_destroy(pool);
    pare_context_destroy(t.context);
    pare_plan_destroy(t.plan);
    pare_params_drop(&t.params);
    pare_graph_destroy(t.g);
    free(wall);
    free(cpu);
    free(ns);
    return 0;
}
