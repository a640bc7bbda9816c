/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_amx_count.c - what the convolutions of a model ask of AMX: counted, and put into a model. Nothing is measured
 *
 * For builds that emulate tiles (CMake -DPARE_EMULATE=ON). Every step of the plan runs once to fill the caches of
 * kernels/amx/tile_count.c, then once more while tile instructions and the lines that come from L2 and from beyond are
 * counted, on one thread. Cycles are those counts times what each thing took on a processor with AMX:
 *
 *     block     80 for each k-step of four products with their loads, and 18; or, where that is more, the vector
 *               instructions of its requantization at two per cycle, and 120 for the stores and loads around them
 *     L2        2.2 for each line (29 bytes per cycle, which four products with one operand from there do not notice)
 *     beyond    7.7 for each line (29 GB/s)
 *
 * at 3.5 GHz, whichever of the three is longest, layer by layer. Depthwise layers, pools and what else runs between
 * the convolutions is left out.
 *
 * Usage: bench_amx_count [-l | -f] MODEL...   -l: every layer; -f: every layer with each of its versions
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <pare/compile.h>
#include <pare/graph.h>
#include <pare/io.h>
#include <pare/pare.h>

#include "base/alloc.h"
#include "exec/plan.h"
#include "kernels/qconv/qconv_plan.h"
#include "ops/op.h"

#if PARE_X86 && PARE_EMULATE
static const double step_cycles = 80, block_cycles = 18, around = 120, l2_line = 2.2, far_line = 7.7, ghz = 3.5;

typedef enum detail { TOTALS, LAYERS, VERSIONS } detail;

typedef struct bench {
    pare_graph   *graph;
    pare_plan    *plan;
    pare_context *ctx;
    char         *scratch;
    uint8_t      *zeros; /* in place of constants that the plan does not keep */
    size_t        n_zeros;
    detail        show;
    pare_tensor   in[16];
} bench;

/* What one layer takes. */
typedef struct cost {
    pare_tile_counts n;
    double           macs, weights; /* bytes */
    double           ideal;         /* cycles of the multiply-adds at full rate */
    double           blocks, l2, far, cycles;
} cost;

/* Vector instructions of an item of 64 outputs, as gcc 12 compiles qconv_amx_items.h. */
static double item_vectors(const pare_qconv_plan *p)
{
    const pare_qepilogue *e = &p->epilogue;
    const double          order = p->kernel->panel_tiles == 4 ? 0 : p->kernel->panel_tiles == 2 ? 2 : 4;
    const bool            bounds = e->lo > 0 || e->hi < 255;

    if (e->kind != PARE_QKIND_U8)
        return 4 * 7;
    if (e->table)
        return 17 + 2 + 5 + order + (e->add ? 33 : 0);
    if (e->add)
        return 8 + 16 + 8 + 8 + 4 + 5 + order;
    return 12 + 3 + order + (bounds ? 4 : e->zero ? 2 : 0);
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static void put_into_model(const pare_qconv_plan *p, int batch, cost *c)
{
    const pare_qconv_tiles *t = &p->tiles;
    const double            rows = t->linear && batch < 16 ? batch : t->rows;
    const double            blocks = (double)c->n.products / (4 * t->n_steps);
    const double            vectors = rows * item_vectors(p) / 2 + around;

    c->weights = (double)p->n_panels * p->kernel->panel_tiles * (double)p->tile_bytes;
    c->ideal = c->macs / 1024;
    c->blocks = blocks * most(step_cycles * t->n_steps + block_cycles, vectors);
    c->blocks += (t->slabs - 1) * blocks * 4 * (14.6 + 8.5);
    c->l2 = l2_line * (double)(c->n.from_l2 + c->n.from_l3);
    c->far = far_line * (double)c->n.from_l3;
    c->cycles = most(c->blocks, most(c->l2, c->far));
}

/* The versions of qconv, which qgemm runs as well. */
static bool is_tiled(const pare_plan_step *s, const pare_step *step)
{
    const char *const op = s->node->op->name;

    return (!strcmp(op, "qconv") || !strcmp(op, "qgemm")) && step->kernel && strstr(step->kernel, "_amx");
}

static void touch(const pare_tensor *t)
{
    int64_t last = 0;

    for (int i = 0; t && i < t->shape.rank; i++)
        last += (t->shape.dim[i] - 1) * t->stride[i];
    if (t && t->data && last >= 0)
        pare_tile_count_touch(t->data, (size_t)(last + 1) * pare_dtype_size(t->dtype));
}

/* Runs a step as one thread would; caches see what vector instructions read and write as well. */
static pare_status run_step(bench *b, int i, const pare_step *step, cost *c)
{
    const pare_plan_step *const s = &b->plan->steps[i];
    const pare_call *const      call = pare_context_call(b->ctx, i);
    pare_tile_counts            n = { 0 };

    if (s->view || !step->run)
        return PARE_OK;
    b->scratch = pare_malloc_aligned(step->scratch + 64);
    if (!b->scratch)
        return pare_fail_memory(step->scratch, "scratch");
    pare_tile_count(&n);
    for (int k = is_tiled(s, step) ? 1 : 0; k < call->n_in; k++)
        if (call->in[k] && !s->node->in[k]->t.data)
            touch(call->in[k]);
    step->run(step, call, 0, 1, b->scratch);
    for (int k = 0; k < call->n_out; k++)
        touch(call->out[k]);
    pare_tile_count(NULL);
    pare_free_aligned(b->scratch);
    if (c && is_tiled(s, step)) {
        pare_step_info info;

        pare_plan_describe(b->plan, i, &info);
        *c = (cost){ .n = n, .macs = info.macs };
        put_into_model(step->state, (int)call->in[0]->shape.dim[0], c);
    }
    return PARE_OK;
}

/* Weights are packed and gone; zeros are as good for counting. */
static pare_status prepare(bench *b, int i, int choice, pare_step *step)
{
    const pare_plan_step *const s = &b->plan->steps[i];

    for (int k = 0; k < s->node->n_in; k++) {
        const pare_value *const v = s->node->in[k];
        const size_t            bytes = v ? (size_t)pare_shape_count(&v->t.shape) * pare_dtype_size(v->t.dtype) : 0;

        if (!v || !(s->step.packed >> k & 1))
            continue;
        if (bytes > b->n_zeros) {
            pare_free(b->zeros);
            b->zeros = pare_calloc(bytes, 1);
            b->n_zeros = bytes;
        }
        b->plan->tensors[v->id].data = b->zeros;
    }
    return pare_plan_prepare_step(b->plan, s, choice, NULL, step);
}

static void print_layer(const char *name, const char *kernel, const cost *c)
{
    printf("  %-34.34s %-12s %8.2f %9ld %8ld %7ld %6ld %5.0f %8.0f %8.0f %8.0f\n", name, kernel, c->macs * 1e-6,
           c->n.products, c->n.loads, c->n.stores, c->n.crossings, 100 * c->ideal / (16 * (double)c->n.products),
           c->blocks, c->l2, c->far);
}

/* Every version of a layer. Weights are near by now, which they are not when a model runs: they count as for the first. */
static pare_status compare_versions(bench *b, int i, const cost *first, double *best)
{
    const pare_plan_step *const s = &b->plan->steps[i];

    *best = first->cycles;
    for (int choice = 1; choice < s->step.n_choices; choice++) {
        pare_step   step;
        cost        c = { .cycles = 0 };
        pare_status status = prepare(b, i, choice, &step);

        if (status == PARE_OK && is_tiled(s, &step)) {
            status = run_step(b, i, &step, &c);
            if (b->show == VERSIONS)
                print_layer("", step.kernel, &c);
            *best = most(c.cycles, first->far) < *best ? most(c.cycles, first->far) : *best;
        }
        pare_step_release(&step);
        PARE_TRY(status);
    }
    return PARE_OK;
}

static pare_status count(bench *b, const char *name)
{
    cost   sum = { .macs = 0 };
    double all = 0, best_sum = 0;

    for (int i = 0; i < b->plan->n_steps; i++)
        PARE_TRY(run_step(b, i, &b->plan->steps[i].step, NULL));
    for (int i = 0; i < b->plan->n_steps; i++) {
        const pare_plan_step *const s = &b->plan->steps[i];
        pare_step_info              info;
        cost                        c = { .macs = 0 };
        double                      best = 0;

        pare_plan_describe(b->plan, i, &info);
        all += info.macs > 0 ? info.macs : 0;
        PARE_TRY(run_step(b, i, &s->step, &c));
        if (!is_tiled(s, &s->step))
            continue;
        if (b->show != TOTALS)
            print_layer(info.name, info.kernel, &c);
        if (b->show == VERSIONS)
            PARE_TRY(compare_versions(b, i, &c, &best));
        best_sum += best;
        sum.macs += c.macs;
        sum.weights += c.weights;
        sum.n.products += c.n.products;
        sum.ideal += c.ideal;
        sum.cycles += c.cycles;
    }
    if (sum.n.products == 0) {
        printf("%-20s nothing runs on tiles\n", name);
        return PARE_OK;
    }
    const double issued = 16 * (double)sum.n.products, ms = 1e-6 / ghz;
    printf("%-20s %6.2f %6.2f %9.0f %6.0f %7.2f %7.2f %7.2f %8.1f %7.2f", name, all * 1e-9, sum.macs * 1e-9,
           (double)sum.n.products * 1e-3, 100 * sum.ideal / issued, sum.ideal * ms, issued * ms, sum.cycles * ms,
           sum.weights * 1e-6, sum.weights / 29e6);
    if (b->show == VERSIONS)
        printf("   best versions %.2f", best_sum * ms);
    printf("\n");
    return PARE_OK;
}

/* Binds inputs of zeros, which the context reads where they are. */
static pare_status run_once(bench *b)
{
    const int          n = pare_plan_n_inputs(b->plan), room = (int)(sizeof(b->in) / sizeof(b->in[0]));
    const pare_tensor *at[sizeof(b->in) / sizeof(b->in[0])];

    if (n > room)
        return pare_fail(PARE_ERR_ARG, "more than %d inputs", room);
    for (int i = 0; i < n; i++) {
        const pare_tensor *planned;

        pare_plan_input(b->plan, i, &planned);
        b->in[i] = pare_tensor_of(planned->dtype, planned->shape);
        PARE_TRY(pare_tensor_alloc(&b->in[i]));
        at[i] = &b->in[i];
    }
    return pare_context_run(b->ctx, NULL, at, NULL, 0);
}

static pare_status bench_model(const char *path, detail show)
{
    bench       b = { .show = show };
    const char *name = strrchr(path, '/');
    pare_status status;

    PARE_GOTO(pare_graph_load(path, &b.graph));
    PARE_GOTO(pare_compile(b.graph, &(pare_compile_options){ 0 }, &b.plan));
    PARE_GOTO(pare_context_create(b.plan, &b.ctx));
    PARE_GOTO(run_once(&b));
    PARE_GOTO(count(&b, name ? name + 1 : path));
out:
    for (int i = 0; b.plan && i < pare_plan_n_inputs(b.plan); i++)
        pare_tensor_release(&b.in[i]);
    pare_context_destroy(b.ctx);
    pare_plan_destroy(b.plan);
    pare_graph_destroy(b.graph);
    pare_free(b.zeros);
    return status;
}

int main(int argc, char **argv)
{
    const bool   option = argc > 1 && argv[1][0] == '-';
    const detail show = !option ? TOTALS : argv[1][1] == 'f' ? VERSIONS : LAYERS;

    printf("Counted, not measured.\n%-20s %6s %6s %9s %6s %7s %7s %7s %8s %7s\n", "model", "GMAC", "tiles",
           "products/K", "used %", "ideal", "issued", "model", "W MB", "W ms");
    if (option)
        printf("  %-34s %-12s %8s %9s %8s %7s %6s %5s %8s %8s %8s\n", "layer", "version", "MMAC", "products", "loads",
               "stores", "split", "used%", "blocks", "L2", "beyond");
    for (int i = option ? 2 : 1; i < argc; i++)
        if (bench_model(argv[i], show) != PARE_OK) {
            fprintf(stderr, "bench_amx_count: %s\n", pare_error());
            return 1;
        }
    return 0;
}
#else
int main(void)
{
    fprintf(stderr, "bench_amx_count: needs a build that emulates tiles: cmake -DPARE_EMULATE=ON\n");
    return 1;
}
#endif
