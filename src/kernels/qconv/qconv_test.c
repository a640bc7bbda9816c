/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_test.c - every version of qconv against its reference, byte for byte */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "cpu/cpu.h"
#include "kernels/qconv/qconv.h"
#include "runner.h"

enum { MAX_KERNELS = 8, GUARD = 64 };

/* One convolution with its memory. Output, residual and gaps start as the same random bytes for every version. */
typedef struct problem {
    pare_qconv_desc d;
    pare_qconv_args args;
    int8_t  *w;
    float   *sw, *bias_f32, *row_scales;
    int32_t *bias;
    uint8_t  table[256];
    uint8_t *x, *residual, *y, *y_start, *y_ref; /* whole blocks */
    size_t   x_size, r_size, y_size;
    bool     in_place;
} problem;

static int between(pare_rng *rng, int lo, int hi)
{
    return lo + (int)pare_rng_below(rng, (uint32_t)(hi - lo + 1));
}

static int pick(pare_rng *rng, const int *values, int n)
{
    return values[pare_rng_below(rng, (uint32_t)n)];
}
#define PICK(rng, ...) pick(rng, (const int[]){ __VA_ARGS__ }, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)))

/* Uniform bytes, or only the ends of the range. */
static void fill_bytes(pare_rng *rng, uint8_t *p, size_t n, bool extremes, uint8_t a, uint8_t b)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = pare_rng_u64(rng);
        p[i]             = extremes ? (r & 1 ? a : b) : (uint8_t)(r >> 8);
    }
}

/* Strides of `h` x `w` pixels of `bytes`: dense, rounded up to 32 or 64, or a slice of something wider. */
static pare_qconv_strides make_strides(pare_rng *rng, int h, int w, int bytes, int align, size_t *image)
{
    const int          kind = between(rng, 0, 3);
    pare_qconv_strides s    = { bytes, 0, 0 };

    if (kind == 1)
        s.pixel = (bytes + 31) / 32 * 32;
    else if (kind == 2)
        s.pixel = (bytes + 63) / 64 * 64;
    else if (kind == 3)
        s.pixel = bytes + between(rng, 0, 70) / align * align;
    s.row   = s.pixel * (w + between(rng, 0, 2));
    s.image = s.row * (h + between(rng, 0, 1));
    *image  = (size_t)((h - 1) * s.row + (w - 1) * s.pixel + bytes);
    return s;
}

static void make_scales(pare_rng *rng, problem *p)
{
    const int    n     = p->d.channels.n_sw;
    const int    kind  = between(rng, 0, 3);
    const double depth = (double)p->d.in_c / (p->d.groups ? p->d.groups : 1) *
                         (p->d.kernel_h ? p->d.kernel_h : 1) * (p->d.kernel_w ? p->d.kernel_w : 1);

    p->d.channels.sx = kind == 0 ? 1.0f : pare_rng_uniform(rng, 0.001f, 0.1f);
    p->d.out.scale   = kind == 0 ? 1.0f : pare_rng_uniform(rng, 0.001f, 0.1f);
    for (int i = 0; i < n; i++) {
        /* Ties; ordinary; everything saturates; |acc| * m up to about 2^31. */
        const float usual = (float)(p->d.out.scale / p->d.channels.sx / (60 * (1 + depth)));
        p->sw[i] = kind == 0   ? (pare_rng_below(rng, 2) ? 0.5f : 0.25f)
                   : kind == 3 ? (float)(2.1e9 / (255.0 * 127 * depth + 70000) * p->d.out.scale / p->d.channels.sx)
                               : usual * pare_rng_uniform(rng, 0.5f, kind == 1 ? 2.0f : 100.0f);
    }
}

static void make_output(pare_rng *rng, problem *p)
{
    pare_qoutput *out = &p->d.out;

    out->kind = (pare_qkind)PICK(rng, PARE_QKIND_U8, PARE_QKIND_U8, PARE_QKIND_U8, PARE_QKIND_F32, PARE_QKIND_F32_ROWS);
    if (out->kind != PARE_QKIND_U8) {
        out->bias_f32 = pare_rng_below(rng, 2) ? p->bias_f32 : NULL;
        return;
    }
    out->zero = PICK(rng, 0, 0, 3, 128, 255);
    if (pare_rng_below(rng, 3) == 0) {
        out->lo = between(rng, 0, 100);
        out->hi = between(rng, 101, 255);
    }
    if (pare_rng_below(rng, 4) == 0)
        out->table = p->table;
    if (pare_rng_below(rng, 3) == 0)
        out->add = (pare_qfused_add){
            .on             = true,
            .conv_is_second = pare_rng_below(rng, 2),
            .scale_r        = out->scale * pare_rng_uniform(rng, 0.2f, 3.0f),
            .zero_r         = between(rng, 0, 255),
            .scale          = out->scale * (pare_rng_below(rng, 3) ? pare_rng_uniform(rng, 0.5f, 3.0f) : 2.0f),
            .zero           = between(rng, 0, 255),
            .lo             = between(rng, 0, 60),
            .hi             = PICK(rng, 0, 200),
        };
}

static void make_shape(pare_rng *rng, pare_qconv_desc *d, int *batch)
{
    const int kind = between(rng, 0, 9);
    const int wide[] = { 1,  2,  3,  4,  5,  8,  12, 15, 16,  17,  24,  31,
                         32, 33, 48, 63, 64, 65, 96, 100, 128, 144, 193, 300 };
    const int n_wide = (int)(sizeof(wide) / sizeof(wide[0]));

    d->in_c  = pick(rng, wide, n_wide);
    d->out_c = pick(rng, wide, n_wide);
    *batch   = between(rng, 1, 2);
    d->out_h = d->out_w = 1;
    if (kind == 0) { /* Linear */
        *batch = PICK(rng, 1, 2, 3, 5, 6, 7, 13, 50);
        return;
    }
    if (kind <= 2) {
        d->groups = PICK(rng, 2, 3, 4, 8, 20, 32);
        d->in_c   = d->groups * PICK(rng, 1, 2, 4, 5, 8, 16);
        d->out_c  = d->groups * PICK(rng, 1, 2, 4, 7, 8, 16, 20);
    }
    d->kernel_h   = PICK(rng, 0, 1, 1, 3, 3, 3, 5, 7);
    d->kernel_w   = PICK(rng, d->kernel_h, d->kernel_h, 7, 1);
    d->stride_h   = PICK(rng, 0, 1, 2, 3);
    d->stride_w   = PICK(rng, d->stride_h, 2);
    d->dilation_h = PICK(rng, 0, 1, 1, 2);
    d->dilation_w = PICK(rng, 1, 1, 3);
    d->pad_top    = between(rng, 0, d->kernel_h);
    d->pad_left   = between(rng, 0, d->kernel_w);
    d->out_h      = between(rng, 1, 7);
    d->out_w      = PICK(rng, 1, 2, 5, 6, 7, 8, 9, 13, 14);
}

static size_t weights_of(const pare_qconv_desc *d)
{
    return (size_t)d->out_c * (size_t)(d->in_c / (d->groups ? d->groups : 1)) *
           (size_t)(d->kernel_h ? d->kernel_h : 1) * (size_t)(d->kernel_w ? d->kernel_w : 1);
}

/* Memory that ends (with its guard bytes) at a page nobody may touch. */
static void make_memory(pare_rng *rng, problem *p)
{
    pare_qconv_desc *d = &p->d;
    const int sh = d->stride_h ? d->stride_h : 1, sw = d->stride_w ? d->stride_w : 1;
    const int kh = d->kernel_h ? d->kernel_h : 1, kw = d->kernel_w ? d->kernel_w : 1;
    const int dh = d->dilation_h ? d->dilation_h : 1, dw = d->dilation_w ? d->dilation_w : 1;
    const int in_h = (d->out_h - 1) * sh + (kh - 1) * dh + 1, in_w = (d->out_w - 1) * sw + (kw - 1) * dw + 1;
    const int item = d->out.kind == PARE_QKIND_U8 ? 1 : 4;
    size_t    image;

    d->x      = make_strides(rng, in_h, in_w, d->in_c, 1, &image);
    p->x_size = (size_t)((p->args.batch - 1) * d->x.image) + image + GUARD;
    p->x      = runner_guarded(p->x_size, 1);
    fill_bytes(rng, p->x, p->x_size, pare_rng_below(rng, 3) == 0, 0, 255);
    p->args.x = p->x + d->pad_top * d->x.row + d->pad_left * d->x.pixel;

    d->y       = make_strides(rng, d->out_h, d->out_w, d->out_c * item, item, &image);
    p->y_size  = (size_t)((p->args.batch - 1) * d->y.image) + image;
    p->y       = runner_guarded(p->y_size, (size_t)item);
    p->y_ref   = runner_guarded(p->y_size, (size_t)item);
    p->y_start = malloc(p->y_size);
    fill_bytes(rng, p->y_start, p->y_size, false, 0, 0);
    if (!d->out.add.on)
        return;
    p->in_place = pare_rng_below(rng, 2);
    d->residual = p->in_place ? d->y : make_strides(rng, d->out_h, d->out_w, d->out_c, 1, &image);
    if (!p->in_place) {
        p->r_size        = (size_t)((p->args.batch - 1) * d->residual.image) + image;
        p->residual      = runner_guarded(p->r_size, 1);
        p->args.residual = p->residual;
        fill_bytes(rng, p->residual, p->r_size, pare_rng_below(rng, 3) == 0, 0, 255);
    }
}

static void make_constants(pare_rng *rng, problem *p)
{
    pare_qconv_desc *d = &p->d;
    const size_t     n = weights_of(d);

    p->w          = malloc(n);
    p->sw         = malloc((size_t)d->out_c * sizeof(float));
    p->bias_f32   = malloc((size_t)d->out_c * sizeof(float));
    p->bias       = malloc((size_t)d->out_c * sizeof(int32_t));
    p->row_scales = malloc((size_t)p->args.batch * sizeof(float));
    fill_bytes(rng, (uint8_t *)p->w, n, pare_rng_below(rng, 3) == 0, 0x80, 0x7f);
    fill_bytes(rng, p->table, sizeof(p->table), false, 0, 0);
    for (int i = 0; i < d->out_c; i++) {
        p->bias_f32[i] = pare_rng_normal(rng);
        p->bias[i]     = between(rng, -70000, 70000);
    }
    for (int i = 0; i < p->args.batch; i++)
        p->row_scales[i] = pare_rng_below(rng, 5) ? pare_rng_uniform(rng, 0.0f, 0.3f) : 0;
    d->w             = p->w;
    d->channels.sw   = p->sw;
    d->channels.n_sw = pare_rng_below(rng, 4) ? d->out_c : 1;
    d->channels.zx   = PICK(rng, 0, 1, 128, 255);
    d->channels.bias = pare_rng_below(rng, 4) ? p->bias : NULL;
    make_scales(rng, p);
    make_output(rng, p);
    if (d->out.kind == PARE_QKIND_F32_ROWS) {
        d->channels.zx     = 128;
        p->args.row_scales = p->row_scales;
    }
}

static void problem_free(problem *p)
{
    const size_t item = p->d.out.kind == PARE_QKIND_U8 ? 1 : 4;

    free(p->w);
    free(p->sw);
    free(p->bias_f32);
    free(p->bias);
    free(p->row_scales);
    free(p->y_start);
    runner_guarded_free(p->x, p->x_size, 1);
    runner_guarded_free(p->y, p->y_size, item);
    runner_guarded_free(p->y_ref, p->y_size, item);
    if (p->residual)
        runner_guarded_free(p->residual, p->r_size, 1);
}

/* Runs into `y` in `parts` shares; `plan` NULL is the reference. */
static void run_into(problem *p, const pare_qconv_plan *plan, uint8_t *y, int parts)
{
    pare_qconv_args args = p->args;

    memcpy(y, p->y_start, p->y_size);
    args.y = y;
    if (p->in_place)
        args.residual = y;
    if (!plan)
        pare_qconv_ref(&p->d, &args);
    for (int i = 0; plan && i < parts; i++)
        pare_qconv_run(plan, &args, i, parts);
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t i = 0;

    while (i < n && a[i] == b[i])
        i++;
    return i;
}

/* Every version against the reference; false when the planner refused, which it must do for all alike. */
static bool compare_all(runner *r, problem *p, int parts)
{
    const pare_qconv_desc   *d = &p->d;
    const pare_qconv_kernel *kernels[MAX_KERNELS];
    const int                n = pare_qconv_candidates(d, pare_cpu_features(), kernels, MAX_KERNELS);
    int                      refused = 0;

    for (int i = 0; i < n; i++) {
        pare_qconv_plan  *plan;
        const pare_status status = pare_qconv_create(d, kernels[i], &plan);

        if (status == PARE_ERR_UNSUPPORTED) {
            refused++;
            continue;
        }
        if (!CHECK(r, status == PARE_OK, "create: %s", pare_error()))
            continue;
        if (i == 0)
            run_into(p, NULL, p->y_ref, 1);
        run_into(p, plan, p->y, parts);
        const size_t at = first_difference(p->y, p->y_ref, p->y_size), shown = at < p->y_size ? at : 0;
        CHECK(r, at == p->y_size,
              "%s c=%d oc=%d groups=%d out=%dx%d batch=%d k=%dx%d s=%dx%d parts=%d kind=%d table=%d add=%d byte %zu: "
              "want %d, got %d",
              pare_qconv_kernel_name(kernels[i]), d->in_c, d->out_c, d->groups, d->out_h, d->out_w, p->args.batch,
              d->kernel_h, d->kernel_w, d->stride_h, d->stride_w, parts, d->out.kind, d->out.table != NULL,
              d->out.add.on, at, p->y_ref[shown], p->y[shown]);
        pare_qconv_destroy(plan);
    }
    CHECK(r, refused == 0 || refused == n, "%d of %d versions refused", refused, n);
    return refused == 0;
}

static void random_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);
    int      ran = 0;

    for (int i = 0; i < 600; i++) {
        problem p = { .in_place = false };

        make_shape(&rng, &p.d, &p.args.batch);
        make_constants(&rng, &p);
        make_memory(&rng, &p);
        ran += compare_all(r, &p, PICK(&rng, 1, 1, 2, 3, 7));
        problem_free(&p);
    }
    CHECK(r, ran > 500, "only %d of 600 convolutions ran", ran);
}

/* Accumulators are handed in as biases, so each version requantizes chosen values: dense near 0, and ties. */
static void requantize_dense(runner *r)
{
    enum { N = 4096 };
    const float scales[] = { 0.5f, 0.25f, 1.5f, 0.0078125f, 0.1f, 0.0009765f, 3.7e-5f, 0.99999994f, 1e-7f };

    for (size_t s = 0; s < sizeof(scales) / sizeof(scales[0]); s++)
        for (int spread = 1; spread <= 1 << 18; spread *= 64) {
            problem p = { .d = { .in_c = 1, .out_c = N, .out_h = 1, .out_w = 1 }, .args = { .batch = 1 } };

            p.w             = calloc(N, 1);
            p.sw            = malloc(sizeof(float));
            p.bias          = malloc(N * sizeof(int32_t));
            p.sw[0]         = scales[s];
            p.d.w           = p.w;
            p.d.channels    = (pare_qchannels){ .sw = p.sw, .n_sw = 1, .bias = p.bias, .sx = 1, .zx = 7 };
            p.d.out         = (pare_qoutput){ .scale = 1, .zero = 100 };
            pare_rng rng    = pare_rng_seed(r->seed + s);
            for (int i = 0; i < N; i++)
                p.bias[i] = (i - N / 2) * spread + (spread > 1 ? between(&rng, 0, spread - 1) : 0);
            make_memory(&rng, &p);
            CHECK(r, compare_all(r, &p, 1), "scale %g was refused", (double)scales[s]);
            problem_free(&p);
        }
}

/* What cannot be exact must be refused with a sentence; what just fits must not. */
static void refuses_overflow(runner *r)
{
    const float     sw   = 1;
    int32_t         bias = INT32_MAX;
    int8_t          w    = 1;
    pare_qconv_plan *plan;
    pare_qconv_desc d    = { .in_c = 1, .out_c = 1, .out_h = 1, .out_w = 1, .w = &w, .x = { 64, 64, 64 },
                             .y = { 64, 64, 64 }, .channels = { .sw = &sw, .n_sw = 1, .bias = &bias, .sx = 1 },
                             .out = { .scale = 1 } };

    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_ERR_UNSUPPORTED, "accepted a sum of 2^31 + 254");
    CHECK(r, strstr(pare_error(), "channel 0") != NULL, "the sentence is '%s'", pare_error());
    bias = INT32_MAX - 255;
    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_ERR_UNSUPPORTED, "accepted a product that rounds to 2^31");
    d.out.scale = 1.01f;
    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_OK, "refused 2^31 / 1.01: %s", pare_error());
    pare_qconv_destroy(plan);
    d.groups = 2;
    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_ERR_SHAPE, "accepted one channel in two groups");
}

/* Each allocation of create fails in turn: a status, no crash and nothing left behind. */
static void survives_no_memory(runner *r)
{
    pare_rng   rng  = pare_rng_seed(r->seed);
    const long live = pare_alloc_live();
    problem    p    = { .d = { .in_c = 5, .out_c = 20, .out_h = 3, .out_w = 3, .kernel_h = 3, .kernel_w = 3 } };

    p.args.batch = 1;
    make_constants(&rng, &p);
    make_memory(&rng, &p);
    p.d.out.table = p.d.out.kind == PARE_QKIND_U8 ? p.table : NULL;
    for (long n = 1; n < 20; n++) {
        pare_qconv_plan *plan;
        pare_alloc_fail_after(n);
        const pare_status status = pare_qconv_create(&p.d, NULL, &plan);
        pare_alloc_fail_after(0);
        CHECK(r, status == PARE_ERR_MEMORY || (n > 5 && status == PARE_OK), "allocation %ld: status %d", n, status);
        pare_qconv_destroy(plan);
        CHECK(r, pare_alloc_live() == live, "allocation %ld: %ld blocks leaked", n, pare_alloc_live() - live);
    }
    problem_free(&p);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },
        { "requantize_dense", requantize_dense },
        { "refuses_overflow", refuses_overflow },
        { "survives_no_memory", survives_no_memory },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
