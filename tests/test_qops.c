/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_qops.c - planned ops against their own reference: every instruction set, any number of parts, planned memory
 *
 * Each case is run by op->forward and by prepare + run on tensors that lie as the planner lays them (channels-last with
 * padded pixels, halo and guard, or dense), over memory that was filled with a pattern: every byte must come out equal,
 * those between the pixels included.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "exec/plan.h"
#include "ops/op.h"
#include "tensor/qparams.h"

enum { MAX_IN = 10, ATTRS_BYTES = 2048, PATTERN = 0xa5 };

/* One tensor with its memory; the value carries format and halo. */
typedef struct slot {
    pare_value   v;
    pare_tensor  t;
    char        *memory;
    size_t       bytes, interior;
    bool         is_const;
    pare_qparams q;
    float        scale[64];
    int32_t      zero[64];
} slot;

typedef struct test_case {
    const pare_op *op;
    slot           in[MAX_IN], out[2];
    bool           given[MAX_IN];
    int            n_in, n_out;
    char           attrs[ATTRS_BYTES] __attribute__((aligned(16)));
} test_case;

static uint64_t seed;

static uint32_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static void *attr_at(test_case *c, const char *name)
{
    const pare_attr *a = pare_attr_find(c->op, name);

    assert_non_null(a);
    return c->attrs + a->offset;
}

static void set_i(test_case *c, const char *name, int64_t value)
{
    *(int64_t *)attr_at(c, name) = value;
}

static void set_f(test_case *c, const char *name, float value)
{
    *(float *)attr_at(c, name) = value;
}

static void set_ints(test_case *c, const char *name, int n, const int64_t *values)
{
    pare_ints *const list = attr_at(c, name);

    list->n = n;
    memcpy(list->v, values, sizeof(*values) * (size_t)n);
}

static test_case *begin(const char *name)
{
    test_case *const c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->op = pare_op_find(name);
    assert_non_null(c->op);
    assert_true(c->op->attrs_size <= ATTRS_BYTES);
    pare_attrs_default(c->op, c->attrs);
    c->n_out = 1;
    return c;
}

/* Memory for a slot whose dtype, shape, format and halo are set. */
static void place(slot *s)
{
    s->v.t = s->t;
    pare_layout_of(&s->v, &s->t, &s->bytes, &s->interior);
    s->memory = pare_malloc_aligned(s->bytes);
    assert_non_null(s->memory);
    memset(s->memory, PATTERN, s->bytes);
    s->t.data = s->memory + s->interior;
    pare_halo_fill(&s->v, &s->t, 0, 1);
}

/* Random content with the extremes of the type among it. */
static void fill(slot *s)
{
    const int64_t n = pare_shape_count(&s->t.shape);

    for (int64_t i = 0; i < n; i++) {
        const uint32_t r = draw();

        if (s->t.dtype == PARE_f32)
            pare_tensor_set_real(&s->t, i, ((double)(r % 20001) - 10000) / 3000);
        else if (s->t.dtype == PARE_s32)
            pare_tensor_set_int(&s->t, i, (int64_t)(r % 4001) - 2000);
        else if (s->t.dtype == PARE_s8)
            pare_tensor_set_int(&s->t, i, r % 16 == 0 ? -127 : r % 16 == 1 ? 127 : (int64_t)(r / 16 % 255) - 127);
        else
            pare_tensor_set_int(&s->t, i, r % 16 == 0 ? 0 : r % 16 == 1 ? 255 : r / 16 % 256);
    }
}

static void qparams(slot *s, int n, int axis, float scale, int zero)
{
    for (int i = 0; i < n; i++) {
        s->scale[i] = scale * (1 + 0.37f * (float)(i % 5));
        s->zero[i]  = zero;
    }
    s->q   = (pare_qparams){ .scale = s->scale, .zero = zero ? s->zero : NULL, .n = n, .axis = axis };
    s->t.q = &s->q;
}

static slot *input(test_case *c, int i, pare_dtype dtype, int rank, const int64_t *dims)
{
    slot *const s = &c->in[i];

    c->given[i] = true;
    c->n_in     = i + 1 > c->n_in ? i + 1 : c->n_in;
    s->t        = pare_tensor_of(dtype, pare_shape_of(rank, dims));
    return s;
}

static void channels_last(slot *s, int halo)
{
    s->v.format = PARE_CHANNELS_LAST;
    for (int i = 0; i < 4; i++)
        s->v.halo[i / 2][i % 2] = s->t.shape.rank > 3 || i / 2 ? halo : 0;
}

/* Input `i`, u8 with scale and zero, channels-last with a halo of `halo` pixels; -1: dense. */
static slot *codes(test_case *c, int i, int rank, const int64_t *dims, float scale, int zero, int halo)
{
    slot *const s = input(c, i, PARE_u8, rank, dims);

    qparams(s, 1, 0, scale, zero);
    if (halo >= 0)
        channels_last(s, halo);
    place(s);
    fill(s);
    return s;
}

static slot *constant(test_case *c, int i, pare_dtype dtype, int rank, const int64_t *dims)
{
    slot *const s = input(c, i, dtype, rank, dims);

    s->is_const = true;
    place(s);
    fill(s);
    return s;
}

static slot *numbers(test_case *c, int i, int rank, const int64_t *dims, int halo)
{
    slot *const s = input(c, i, PARE_f32, rank, dims);

    if (halo >= 0)
        channels_last(s, halo);
    place(s);
    fill(s);
    return s;
}

/* The call on the tensors of *c; `plan`: as prepare sees them, without the data of what is no constant. */
typedef struct bound {
    pare_call          call;
    const pare_tensor *in[MAX_IN];
    pare_tensor       *out[2];
    pare_tensor        t_in[MAX_IN], t_out[2];
} bound;

static void bind(test_case *c, bool plan, bound *b)
{
    for (int i = 0; i < c->n_in; i++) {
        b->t_in[i] = c->in[i].t;
        if (plan && !c->in[i].is_const)
            b->t_in[i].data = NULL;
        b->in[i] = c->given[i] ? &b->t_in[i] : NULL;
    }
    for (int i = 0; i < c->n_out; i++) {
        b->t_out[i] = c->out[i].t;
        if (plan)
            b->t_out[i].data = NULL;
        b->out[i] = &b->t_out[i];
    }
    b->call = (pare_call){ c->op, c->attrs, c->n_in, c->n_out, b->in, b->out };
}

static void finish(test_case *c)
{
    for (int i = 0; i < MAX_IN; i++)
        pare_free_aligned(c->in[i].memory);
    for (int i = 0; i < 2; i++)
        pare_free_aligned(c->out[i].memory);
    free(c);
}

static void run_parts(const pare_step *step, const pare_call *call, int parts)
{
    for (int part = parts - 1; part >= 0; part--) {
        void *const scratch = pare_malloc_aligned(step->scratch + 64);

        step->run(step, call, part, parts, scratch);
        pare_free_aligned(scratch);
    }
}

static void check_level(test_case *c, unsigned cpu, char *const expected[2])
{
    pare_step step = { .cpu = cpu };
    bound     plan, b;

    bind(c, true, &plan);
    if (c->op->prepare(&plan.call, &step) != PARE_OK)
        fail_msg("%s: %s", c->op->name, pare_error());
    if (!step.run || !step.kernel)
        fail_msg("%s: no kernel was chosen", c->op->name);
    bind(c, false, &b);
    for (int p = 0; p < 4; p++) {
        static const int counts[] = { 1, 2, 3, 7 };

        for (int i = 0; i < c->n_out; i++) {
            memset(c->out[i].memory, PATTERN, c->out[i].bytes);
            pare_halo_fill(&c->out[i].v, &c->out[i].t, 0, 1);
        }
        run_parts(&step, &b.call, counts[p]);
        for (int i = 0; i < c->n_out; i++)
            if (memcmp(c->out[i].memory, expected[i], c->out[i].bytes) != 0)
                fail_msg("%s: %s in %d parts differs from the reference in output %d", c->op->name, step.kernel,
                         counts[p], i);
    }
    if (step.release)
        step.release(step.state);
}

/*
 * infer, forward, then every level and split against it. `format` and `halo` are those of the outputs. Leaves the
 * result in c->out.
 */
static void check(test_case *c, pare_format format, int halo)
{
    char *expected[2] = { NULL };
    bound b;

    bind(c, true, &b);
    if (pare_op_infer(&b.call) != PARE_OK)
        fail_msg("%s", pare_error());
    for (int i = 0; i < c->n_out; i++) {
        slot *const s = &c->out[i];

        assert_ptr_equal(b.t_out[i].q, s->t.q); /* what the pass has set stays */
        s->t   = pare_tensor_of(b.t_out[i].dtype, b.t_out[i].shape);
        s->t.q = b.t_out[i].q;
        if (format == PARE_CHANNELS_LAST)
            channels_last(s, halo);
        place(s);
    }
    bind(c, false, &b);
    if (c->op->forward(&b.call) != PARE_OK)
        fail_msg("%s: %s", c->op->name, pare_error());
    for (int i = 0; i < c->n_out; i++) {
        expected[i] = malloc(c->out[i].bytes);
        assert_non_null(expected[i]);
        memcpy(expected[i], c->out[i].memory, c->out[i].bytes);
    }
    static const unsigned levels[] = { 0, PARE_ISA_AVX2, (unsigned)-1 };

    for (int i = 0; i < 3; i++)
        check_level(c, pare_cpu_features() & levels[i], expected);
    for (int i = 0; i < c->n_out; i++)
        free(expected[i]);
}

static void output(test_case *c, float scale, int zero)
{
    qparams(&c->out[0], 1, 0, scale, zero);
}

#define DIMS(...) (int)(sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (const int64_t[]){ __VA_ARGS__ }
#define LIST DIMS

/* ------------------------------------------------------------------------------------------------- convolution */

/* x [n,ci,h,w], kernel k, groups, pads 1, into out_halo; flags choose the optional inputs. */
typedef struct conv_case {
    int  n, ci, co, h, w, k, group, stride;
    bool bias, residual, second, rows, to_float;
    float lo, hi;
} conv_case;

static void check_conv(const conv_case *p)
{
    test_case *const c   = begin("qconv");
    const int        pad = p->k / 2;

    codes(c, 0, DIMS(p->n, p->ci, p->h, p->w), 0.021f, p->rows ? 128 : 113, pad + 1);
    slot *const w = constant(c, 1, PARE_s8, DIMS(p->co, p->ci / p->group, p->k, p->k));

    qparams(w, p->co <= 64 ? p->co : 1, 0, 0.004f, 0);
    if (p->bias && !p->to_float)
        constant(c, 2, PARE_s32, DIMS(p->co));
    set_ints(c, "pads", LIST(pad, pad, pad, pad));
    set_ints(c, "strides", LIST(p->stride, p->stride));
    set_i(c, "group", p->group);
    set_f(c, "clamp_lo", p->lo);
    set_f(c, "clamp_hi", p->hi);
    if (p->residual) {
        const int oh = (p->h + 2 * pad - p->k) / p->stride + 1, ow = (p->w + 2 * pad - p->k) / p->stride + 1;

        codes(c, 3, DIMS(p->n, p->co, oh, ow), 0.033f, 7, 0);
        set_f(c, "mid_scale", 0.019f);
        set_i(c, "mid_zero", 101);
        set_i(c, "conv_is_second", p->second);
        set_f(c, "sum_lo", 0);
    }
    if (p->rows) {
        slot *const rows = numbers(c, 4, DIMS(p->n), -1);

        for (int i = 0; i < p->n; i++)
            ((float *)rows->t.data)[i] = i == 1 ? 0 : 0.01f * (float)(i + 1);
    }
    if (p->bias && p->to_float)
        constant(c, 5, PARE_f32, DIMS(p->co));
    if (!p->to_float)
        output(c, 0.05f, 120);
    check(c, PARE_CHANNELS_LAST, 2);
    finish(c);
}

static void qconv_equals_reference(void **state)
{
    static const conv_case cases[] = {
        { 2, 16, 32, 7, 6, 3, 1, 1, true, false, false, false, false, -INFINITY, INFINITY },
        { 1, 3, 20, 9, 8, 3, 1, 2, true, false, false, false, false, 0, 1.5f },
        { 1, 70, 33, 5, 5, 1, 1, 1, false, true, false, false, false, -INFINITY, INFINITY },
        { 2, 32, 16, 6, 5, 3, 1, 1, true, true, true, false, false, 0, INFINITY },
        { 3, 16, 24, 5, 4, 3, 1, 1, true, false, false, true, true, -INFINITY, INFINITY },
        { 1, 16, 24, 5, 4, 3, 1, 1, false, false, false, false, true, -INFINITY, INFINITY },
        { 1, 16, 24, 6, 6, 3, 4, 1, true, false, false, false, false, 0, INFINITY },
        { 1, 24, 12, 6, 6, 3, 3, 2, true, true, false, false, false, -INFINITY, INFINITY },
        { 2, 40, 40, 7, 9, 3, 40, 1, true, false, false, false, false, 0, INFINITY },
        { 1, 64, 64, 8, 8, 5, 64, 2, true, true, false, false, false, -INFINITY, INFINITY },
        { 1, 33, 33, 6, 6, 3, 33, 1, true, false, false, false, true, -INFINITY, INFINITY },
        { 1, 1, 1, 1, 1, 1, 1, 1, true, false, false, false, false, -INFINITY, INFINITY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        seed = i + 1;
        check_conv(&cases[i]);
    }
}

/* A clamp that leaves only code 0: kernels cannot say it, so the reference must run. */
static void qconv_clamped_to_nothing(void **state)
{
    test_case *const c    = begin("qconv");
    pare_step        step = { .cpu = pare_cpu_features() };
    bound            b;

    (void)state;
    codes(c, 0, DIMS(1, 8, 3, 3), 0.02f, 10, 1);
    qparams(constant(c, 1, PARE_s8, DIMS(8, 8, 1, 1)), 1, 0, 0.01f, 0);
    set_f(c, "clamp_hi", -5);
    output(c, 0.05f, 0);
    bind(c, true, &b);
    assert_int_equal(pare_op_infer(&b.call), PARE_OK);
    c->out[0].t   = pare_tensor_of(b.t_out[0].dtype, b.t_out[0].shape);
    c->out[0].t.q = &c->out[0].q;
    channels_last(&c->out[0], 0);
    place(&c->out[0]);
    bind(c, true, &b);
    assert_int_equal(c->op->prepare(&b.call, &step), PARE_OK);
    assert_null(step.run);
    bind(c, false, &b);
    assert_int_equal(c->op->forward(&b.call), PARE_OK);
    for (int i = 0; i < 72; i++)
        assert_int_equal(pare_tensor_int(&c->out[0].t, i), 0);
    finish(c);
}

static void check_gemm(int rank, const int64_t *dims, int n, bool residual, bool rows, bool to_float)
{
    test_case *const c = begin("qgemm");
    const int        k = (int)dims[rank - 1];
    int64_t          y[PARE_MAX_RANK];

    codes(c, 0, rank, dims, 0.021f, rows ? 128 : 3, -1);
    qparams(constant(c, 1, PARE_s8, DIMS(n, k)), n <= 64 ? n : 1, 0, 0.003f, 0);
    if (!to_float)
        constant(c, 2, PARE_s32, DIMS(n));
    memcpy(y, dims, sizeof(*y) * (size_t)rank);
    y[rank - 1] = n;
    if (residual) {
        codes(c, 3, rank, y, 0.03f, 99, -1);
        set_f(c, "mid_scale", 0.04f);
        set_i(c, "mid_zero", 128);
    }
    if (rows)
        numbers(c, 4, rank - 1, dims, -1);
    if (to_float)
        constant(c, 5, PARE_f32, DIMS(n));
    else
        output(c, 0.06f, 77);
    check(c, PARE_DENSE, 0);
    finish(c);
}

static void qgemm_equals_reference(void **state)
{
    (void)state;
    seed = 77;
    check_gemm(DIMS(5, 40), 33, false, false, false);
    check_gemm(DIMS(2, 3, 64), 64, true, false, false);
    check_gemm(DIMS(1, 7), 1, false, false, false);
    check_gemm(DIMS(2, 9, 33), 20, false, true, true);
    check_gemm(DIMS(4, 130), 100, false, false, true);
}

/* --------------------------------------------------------------------------------------------- elementwise */

/* |q - exact| <= 1 code, by real numbers: the reference means what it says. */
static void check_real(const test_case *c, double real, int code)
{
    double q = real / c->out[0].scale[0] + c->out[0].zero[0];

    q = q < 0 ? 0 : q > 255 ? 255 : q;
    if (fabs(q - code) > 1)
        fail_msg("%s: %d is not near %g", c->op->name, code, q);
}

static double real_of(const slot *s, int64_t i)
{
    return s->scale[0] * (double)(pare_tensor_int(&s->t, i) - (s->q.zero ? s->zero[0] : 0));
}

static void check_binary(const char *name, int rank_a, const int64_t *a, int rank_b, const int64_t *b, int halo)
{
    test_case *const c = begin(name);

    codes(c, 0, rank_a, a, 0.021f, 113, rank_a > 2 ? halo : -1);
    codes(c, 1, rank_b, b, 0.017f, 128, rank_b > 2 ? halo : -1);
    output(c, name[1] == 'a' ? 0.037f : 0.026f, 131);
    check(c, halo >= 0 ? PARE_CHANNELS_LAST : PARE_DENSE, halo);
    if (pare_shape_equal(&c->in[0].t.shape, &c->in[1].t.shape))
        for (int64_t i = 0; i < pare_shape_count(&c->out[0].t.shape); i++) {
            const double x = real_of(&c->in[0], i), y = real_of(&c->in[1], i);

            check_real(c, name[1] == 'a' ? x + y : x * y, (int)pare_tensor_int(&c->out[0].t, i));
        }
    finish(c);
}

static void qadd_qmul_equal_reference(void **state)
{
    static const char *const names[] = { "qadd", "qmul" };

    (void)state;
    seed = 5;
    for (int i = 0; i < 2; i++) {
        check_binary(names[i], DIMS(2, 70, 5, 6), DIMS(2, 70, 5, 6), 1);
        check_binary(names[i], DIMS(2, 20, 5, 6), DIMS(2, 20, 1, 1), 1);
        check_binary(names[i], DIMS(2, 20, 1, 1), DIMS(2, 20, 5, 6), 2);
        check_binary(names[i], DIMS(2, 20, 5, 6), DIMS(1), 0);
        check_binary(names[i], DIMS(1), DIMS(3, 129), -1);
        check_binary(names[i], DIMS(3, 129), DIMS(3, 1), -1);
        check_binary(names[i], DIMS(3, 1), DIMS(3, 129), -1);
        check_binary(names[i], DIMS(1, 3, 8, 8), DIMS(1, 3, 8, 8), -1);
        check_binary(names[i], DIMS(1000), DIMS(1000), -1);
        check_binary(names[i], DIMS(1), DIMS(1), -1);
        check_binary(names[i], DIMS(0, 3), DIMS(3), -1);
    }
}

/* NUMERICS.md 6 word for word, with the swap where a repeats along the innermost axis; and the clamp. */
static void qadd_swaps_a_scalar(void **state)
{
    test_case *const c = begin("qadd");

    (void)state;
    seed = 9;
    codes(c, 0, DIMS(1, 30, 1, 1), 0.0213f, 5, 0);
    codes(c, 1, DIMS(1, 30, 9, 9), 0.0171f, 250, 0);
    output(c, 0.0119f, 60);
    set_f(c, "clamp_lo", 0);
    set_f(c, "clamp_hi", 1);
    check(c, PARE_CHANNELS_LAST, 0);
    const float r0 = 0.0213f / 0.0119f, r1 = 0.0171f / 0.0119f;
    const float k = 60.0f - fmaf(r1, 250.0f, r0 * 5.0f);
    int         differs = 0;

    for (int64_t i = 0; i < 30 * 81; i++) {
        const float a = (float)pare_tensor_int(&c->in[0].t, i / 81), b = (float)pare_tensor_int(&c->in[1].t, i);
        const float q = rintf(fmaf(b, r1, fmaf(a, r0, k)));
        const int   hi = (int)rintf(1 / 0.0119f) + 60;

        assert_int_equal(pare_tensor_int(&c->out[0].t, i), q < 60 ? 60 : q > hi ? hi : (int)q);
        differs += q >= 60 && q <= hi;
    }
    assert_true(differs > 100); /* not all clamped */
    finish(c);
}

static void qadd_refuses_what_leaves_32_bits(void **state)
{
    test_case *const c = begin("qadd");
    bound            b;

    (void)state;
    codes(c, 0, DIMS(4), 1e6f, 5, -1);
    codes(c, 1, DIMS(4), 1, 5, -1);
    output(c, 1e-3f, 0);
    bind(c, true, &b);
    assert_int_equal(pare_op_infer(&b.call), PARE_ERR_UNSUPPORTED);
    finish(c);
}

static void check_lut(int rank, const int64_t *dims, int halo)
{
    test_case *const c = begin("lut");

    codes(c, 0, rank, dims, 0.02f, 100, halo);
    constant(c, 1, PARE_u8, DIMS(256));
    output(c, 0.03f, 4);
    check(c, halo >= 0 ? PARE_CHANNELS_LAST : PARE_DENSE, halo);
    for (int64_t i = 0; i < pare_shape_count(&c->in[0].t.shape); i++)
        assert_int_equal(pare_tensor_int(&c->out[0].t, i),
                         pare_tensor_int(&c->in[1].t, pare_tensor_int(&c->in[0].t, i)));
    finish(c);
}

/* a is one number per pixel: not the innermost axis, but the inner one in memory; and a clamp to one code. */
static void qadd_qmul_odd_broadcasts(void **state)
{
    (void)state;
    seed = 6;
    for (int i = 0; i < 2; i++) {
        const char *const name = i ? "qmul" : "qadd";

        check_binary(name, DIMS(2, 1, 5, 6), DIMS(2, 20, 5, 6), 1);
        check_binary(name, DIMS(2, 20, 5, 6), DIMS(2, 1, 5, 6), 1);
        check_binary(name, DIMS(20, 1), DIMS(1, 2000), -1);
        test_case *const c = begin(name);

        codes(c, 0, DIMS(33), 0.02f, 3, -1);
        codes(c, 1, DIMS(33), 0.02f, 3, -1);
        set_f(c, "clamp_hi", -9);
        output(c, 0.02f, 0);
        check(c, PARE_DENSE, 0);
        assert_int_equal(pare_tensor_int(&c->out[0].t, 7), 0);
        finish(c);
    }
}

static void lut_equals_reference(void **state)
{
    (void)state;
    seed = 3;
    check_lut(DIMS(2, 70, 5, 6), 1);
    check_lut(DIMS(1, 3, 5, 6), 0);
    check_lut(DIMS(1111), -1);
    check_lut(DIMS(1), -1);
    check_lut(DIMS(0), -1);
}

/* ------------------------------------------------------------------------------------------------------- pools */

typedef struct pool_case {
    int64_t dims[4];
    int64_t kernel[2], strides[2], pads[4], dilations[2];
    int     ceil_mode, count_include_pad;
} pool_case;

static const pool_case pools[] = {
    { { 2, 70, 7, 8 }, { 3, 3 }, { 2, 2 }, { 1, 1, 1, 1 }, { 1, 1 }, 0, 0 },
    { { 1, 5, 7, 8 }, { 3, 3 }, { 2, 2 }, { 1, 1, 1, 1 }, { 1, 1 }, 0, 1 },
    { { 1, 33, 5, 9 }, { 2, 2 }, { 2, 2 }, { 0, 0, 0, 0 }, { 1, 1 }, 1, 0 },
    { { 1, 33, 6, 9 }, { 3, 2 }, { 2, 3 }, { 1, 0, 1, 1 }, { 1, 1 }, 1, 1 },
    { { 1, 16, 9, 9 }, { 2, 3 }, { 1, 1 }, { 0, 1, 0, 1 }, { 2, 3 }, 0, 0 },
    { { 1, 1, 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, { 1, 1 }, 0, 0 },
};

static void pool_attrs(test_case *c, const pool_case *p)
{
    set_ints(c, "kernel_shape", 2, p->kernel);
    set_ints(c, "strides", 2, p->strides);
    set_ints(c, "pads", 4, p->pads);
    set_ints(c, "dilations", 2, p->dilations);
    set_i(c, "ceil_mode", p->ceil_mode);
    if (pare_attr_find(c->op, "count_include_pad"))
        set_i(c, "count_include_pad", p->count_include_pad);
}

static void odd_numbers(slot *s)
{
    static const float odd[] = { NAN, INFINITY, -INFINITY, -0.0f };

    for (int64_t i = 0; i < pare_shape_count(&s->t.shape); i += 13)
        pare_tensor_set_real(&s->t, i, odd[i / 13 % 4]);
}

static void float_pools_equal_reference(void **state)
{
    (void)state;
    seed = 11;
    for (size_t i = 0; i < sizeof(pools) / sizeof(*pools); i++)
        for (int halo = -1; halo < 2; halo++) {
            test_case *c = begin("max_pool");

            pool_attrs(c, &pools[i]);
            odd_numbers(numbers(c, 0, 4, pools[i].dims, halo));
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);
            c = begin("average_pool");
            pool_attrs(c, &pools[i]);
            numbers(c, 0, 4, pools[i].dims, halo);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
            finish(c);
            for (int j = 0; j < 2; j++) {
                c = begin(j ? "global_max_pool" : "global_average_pool");
                numbers(c, 0, 4, pools[i].dims, halo);
                check(c, j ? PARE_CHANNELS_LAST : PARE_DENSE, 0);
                finish(c);
            }
        }
}

/* Rank 3, and windows that lie in the padding altogether. */
static void float_pools_odd_shapes(void **state)
{
    test_case *c = begin("max_pool");

    (void)state;
    seed = 12;
    set_ints(c, "kernel_shape", LIST(3));
    set_ints(c, "strides", LIST(2));
    set_ints(c, "pads", LIST(1, 1));
    numbers(c, 0, DIMS(2, 20, 11), 1);
    check(c, PARE_CHANNELS_LAST, 1);
    finish(c);

    c = begin("max_pool");
    set_ints(c, "kernel_shape", LIST(2, 2));
    set_ints(c, "pads", LIST(3, 3, 3, 3));
    numbers(c, 0, DIMS(1, 20, 3, 3), 1);
    check(c, PARE_CHANNELS_LAST, 1);
    assert_true(pare_tensor_real(&c->out[0].t, 0) == -INFINITY);
    finish(c);

    c = begin("global_average_pool");
    numbers(c, 0, DIMS(2, 20, 50), 0);
    check(c, PARE_CHANNELS_LAST, 0);
    finish(c);
}

static void integer_pools_equal_reference(void **state)
{
    (void)state;
    seed = 13;
    for (size_t i = 0; i < sizeof(pools) / sizeof(*pools); i++)
        for (int halo = -1; halo < 2; halo++) {
            test_case *c = begin("qaverage_pool");

            pool_attrs(c, &pools[i]);
            codes(c, 0, 4, pools[i].dims, 0.021f, 113, halo);
            output(c, 0.0137f, 90);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);

            c = begin("qglobal_average_pool");
            codes(c, 0, 4, pools[i].dims, 0.021f, 113, halo);
            output(c, 0.0137f, 90);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
            finish(c);

            c = begin("max_pool");
            pool_attrs(c, &pools[i]);
            slot *const x = codes(c, 0, 4, pools[i].dims, 0.021f, 113, halo);

            c->out[0].t.q = &x->q;
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);

            c = begin("max_pool");
            pool_attrs(c, &pools[i]);
            slot *const s = input(c, 0, PARE_s8, 4, pools[i].dims);

            if (halo >= 0)
                channels_last(s, halo);
            place(s);
            fill(s);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);
        }
}

/* The mean by real numbers. */
static void integer_means_are_means(void **state)
{
    test_case *const c = begin("qglobal_average_pool");

    (void)state;
    seed = 14;
    codes(c, 0, DIMS(2, 40, 9, 11), 0.021f, 113, 0);
    output(c, 0.0137f, 90);
    check(c, PARE_DENSE, 0);
    for (int64_t i = 0; i < 80; i++) {
        double sum = 0;

        for (int64_t p = 0; p < 99; p++)
            sum += real_of(&c->in[0], i * 99 + p);
        check_real(c, sum / 99, (int)pare_tensor_int(&c->out[0].t, i));
    }
    finish(c);
}

/* ------------------------------------------------------------------------------------- transposed convolution */

/* A constant input with these integers. */
static slot *given(test_case *c, int i, pare_dtype dtype, int rank, const int64_t *dims, const int *values)
{
    slot *const s = constant(c, i, dtype, rank, dims);

    for (int64_t j = 0; j < pare_shape_count(&s->t.shape); j++)
        dtype == PARE_f32 ? pare_tensor_set_real(&s->t, j, values[j]) : pare_tensor_set_int(&s->t, j, values[j]);
    return s;
}

static void check_transpose(int n, int ci, int co, int h, int w, int k, int group, int stride, int dilation, int pad,
                            int extra, float lo)
{
    test_case *const c = begin("conv_transpose");

    numbers(c, 0, DIMS(n, ci, h, w), 1);
    constant(c, 1, PARE_f32, DIMS(ci, co / group, k, k));
    if (k != 2)
        constant(c, 2, PARE_f32, DIMS(co));
    set_ints(c, "strides", LIST(stride, stride));
    set_ints(c, "dilations", LIST(dilation, dilation));
    set_ints(c, "pads", LIST(pad, pad, pad, 0));
    set_ints(c, "output_padding", LIST(extra, extra));
    set_i(c, "group", group);
    set_f(c, "clamp_lo", lo);
    check(c, n == 2 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
    finish(c);
}

static void conv_transpose_equals_reference(void **state)
{
    (void)state;
    seed = 51;
    check_transpose(1, 16, 24, 4, 5, 3, 1, 2, 1, 1, 1, -INFINITY);
    check_transpose(2, 20, 33, 3, 4, 2, 1, 2, 1, 0, 0, 0);
    check_transpose(1, 20, 33, 3, 4, 2, 1, 2, 1, 0, 0, 0);
    check_transpose(1, 8, 12, 5, 5, 3, 4, 1, 2, 2, 0, -INFINITY);
    check_transpose(1, 12, 12, 4, 3, 4, 12, 3, 1, 1, 2, -0.5f);
    check_transpose(1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, -INFINITY);
    check_transpose(1, 3, 5, 2, 2, 3, 1, 4, 1, 2, 0, -INFINITY); /* outputs that no tap reaches */
}

/* The example of the ONNX specification, and its other ways to give a size. */
static void conv_transpose_examples(void **state)
{
    static const int64_t x[] = { 1, 1, 3, 3 }, w[] = { 1, 2, 3, 3 };
    static const int     row[] = { 0, 1, 3, 3, 2 }, column[] = { 1, 8, 21, 20, 13 };
    static const struct {
        const char *attr, *auto_pad;
        int64_t     values[2];
        int         h, width;
    } cases[] = {
        { NULL, NULL, { 0 }, 9, 7 },
        { "output_shape", NULL, { 10, 8 }, 10, 8 },
        { "output_padding", NULL, { 1, 1 }, 10, 8 },
        { NULL, "SAME_UPPER", { 0 }, 9, 6 },
    };
    test_case *c = begin("conv_transpose");
    int        ones[18], up[9];

    (void)state;
    for (int i = 0; i < 18; i++)
        ones[i] = 1;
    for (int i = 0; i < 9; i++)
        up[i] = i;
    given(c, 0, PARE_f32, 4, x, up);
    given(c, 1, PARE_f32, 4, w, ones);
    check(c, PARE_CHANNELS_LAST, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(pare_tensor_real(&c->out[0].t, i) == row[i]);
        assert_true(pare_tensor_real(&c->out[0].t, 25 + i * 5 + 1) == column[i]); /* of the second channel */
    }
    finish(c);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        c = begin("conv_transpose");
        given(c, 0, PARE_f32, 4, x, up);
        given(c, 1, PARE_f32, 4, w, ones);
        set_ints(c, "strides", LIST(3, 2));
        if (cases[i].attr)
            set_ints(c, cases[i].attr, 2, cases[i].values);
        if (cases[i].auto_pad)
            *(const char **)attr_at(c, "auto_pad") = cases[i].auto_pad;
        check(c, PARE_CHANNELS_LAST, 0);
        assert_int_equal(c->out[0].t.shape.dim[2], cases[i].h);
        assert_int_equal(c->out[0].t.shape.dim[3], cases[i].width);
        finish(c);
    }
}

/* ------------------------------------------------------------------------------------- quantize, dequantize */

static void check_quantize(pare_dtype dtype, int per_channel, int rank, const int64_t *dims, int halo_in, int halo_out)
{
    const int64_t n = per_channel ? dims[1] : 1;
    test_case    *c = begin("quantize_linear");

    odd_numbers(numbers(c, 0, rank, dims, halo_in));
    for (int i = 1; i < 3; i++) {
        slot *const s = constant(c, i, i == 1 ? PARE_f32 : dtype, per_channel, &n);

        for (int64_t j = 0; j < n; j++)
            i == 1 ? pare_tensor_set_real(&s->t, j, 0.021 * (double)(j + 1)) : pare_tensor_set_int(&s->t, j, 3 + j);
    }
    check(c, halo_out < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, halo_out);
    finish(c);

    c = begin("dequantize_linear");
    slot *const x = input(c, 0, dtype, rank, dims);

    if (halo_in >= 0)
        channels_last(x, halo_in);
    place(x);
    fill(x);
    for (int i = 1; i < 3; i++) {
        slot *const s = constant(c, i, i == 1 ? PARE_f32 : dtype, per_channel, &n);

        for (int64_t j = 0; j < n; j++)
            i == 1 ? pare_tensor_set_real(&s->t, j, 0.021 * (double)(j + 1)) : pare_tensor_set_int(&s->t, j, 3 + j);
    }
    check(c, halo_out < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, halo_out);
    finish(c);
}

static void quantize_equals_reference(void **state)
{
    static const pare_dtype dtypes[] = { PARE_u8, PARE_s8, PARE_u16 };

    (void)state;
    seed = 21;
    for (int i = 0; i < 3; i++)
        for (int channels = 0; channels < 2; channels++) {
            check_quantize(dtypes[i], channels, DIMS(2, 3, 9, 33), -1, 3);
            check_quantize(dtypes[i], channels, DIMS(1, 70, 5, 6), -1, 1);
            check_quantize(dtypes[i], channels, DIMS(2, 20, 5, 6), 1, 0);
            check_quantize(dtypes[i], channels, DIMS(2, 20, 5, 6), 1, -1);
            check_quantize(dtypes[i], channels, DIMS(3, 17), -1, -1);
            check_quantize(dtypes[i], channels, DIMS(1, 1, 1, 1), -1, 2);
            check_quantize(dtypes[i], channels, DIMS(1, 2, 0), -1, -1);
            check_quantize(dtypes[i], channels, DIMS(2, 5, 40), -1, 2);
        }
}

static void check_rows(int64_t row_axes, int rank, const int64_t *dims, int halo_in, int halo_out)
{
    test_case *const c = begin("quantize_rows");
    slot *const      x = numbers(c, 0, rank, dims, halo_in);

    if (row_axes == -1 && dims[0] > 1)
        for (int64_t i = 0; i < dims[rank - 1]; i++)
            pare_tensor_set_real(&x->t, i, 0); /* a row of zeros */
    c->n_out = 2;
    set_i(c, "row_axes", row_axes);
    check(c, halo_out < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, halo_out);
    finish(c);
}

static void quantize_rows_equals_reference(void **state)
{
    (void)state;
    seed = 22;
    check_rows(-1, DIMS(5, 70), -1, -1);
    check_rows(-1, DIMS(2, 3, 33), -1, -1);
    check_rows(1, DIMS(3, 20, 4, 5), -1, 1);
    check_rows(1, DIMS(3, 20, 4, 5), 0, 1);
    check_rows(-1, DIMS(1, 1), -1, -1);
    check_rows(-1, DIMS(0, 4), -1, -1);
}

/* --------------------------------------------------------------------------------------- ONNX's own integer ops */

static void given_scale(test_case *c, int i, float scale)
{
    pare_tensor_set_real(&constant(c, i, PARE_f32, 0, NULL)->t, 0, scale);
}

static void expect(test_case *c, int n, const int *values)
{
    assert_int_equal(pare_shape_count(&c->out[0].t.shape), n);
    for (int i = 0; i < n; i++)
        assert_int_equal(pare_tensor_int(&c->out[0].t, i), values[i]);
    finish(c);
}

#define INTS(...) (const int[]){ __VA_ARGS__ }

/* The examples of the ONNX specification. */
static void onnx_examples(void **state)
{
    test_case *c = begin("conv_integer");

    (void)state;
    given(c, 0, PARE_u8, DIMS(1, 1, 3, 3), INTS(2, 3, 4, 5, 6, 7, 8, 9, 10));
    given(c, 1, PARE_u8, DIMS(1, 1, 2, 2), INTS(1, 1, 1, 1));
    given(c, 2, PARE_u8, 0, NULL, INTS(1));
    set_ints(c, "pads", LIST(1, 1, 1, 1));
    check(c, PARE_DENSE, 0);
    expect(c, 16, INTS(1, 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9));

    c = begin("matmul_integer");
    given(c, 0, PARE_u8, DIMS(4, 3), INTS(11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0));
    given(c, 1, PARE_u8, DIMS(3, 2), INTS(1, 4, 2, 5, 3, 6));
    given(c, 2, PARE_u8, DIMS(1), INTS(12));
    given(c, 3, PARE_u8, DIMS(1), INTS(0));
    check(c, PARE_DENSE, 0);
    expect(c, 8, INTS(-38, -83, -44, -98, -50, -113, -56, -128));

    c = begin("qlinear_matmul");
    given(c, 0, PARE_u8, DIMS(2, 4), INTS(208, 236, 0, 238, 3, 214, 255, 29));
    given_scale(c, 1, 0.0066f);
    given(c, 2, PARE_u8, DIMS(1), INTS(113));
    given(c, 3, PARE_u8, DIMS(4, 3), INTS(152, 51, 244, 60, 26, 255, 0, 127, 246, 127, 254, 247));
    given_scale(c, 4, 0.00705f);
    given(c, 5, PARE_u8, DIMS(1), INTS(114));
    given_scale(c, 6, 0.0107f);
    given(c, 7, PARE_u8, DIMS(1), INTS(118));
    check(c, PARE_DENSE, 0);
    expect(c, 6, INTS(168, 115, 255, 1, 66, 151));

    c = begin("qlinear_conv");
    given(c, 0, PARE_u8, DIMS(1, 1, 1, 7), INTS(255, 174, 162, 25, 203, 168, 58));
    given_scale(c, 1, 0.00369204697f);
    given(c, 2, PARE_u8, 0, NULL, INTS(132));
    given(c, 3, PARE_u8, DIMS(1, 1, 1, 1), INTS(0));
    given_scale(c, 4, 0.00172794575f);
    given(c, 5, PARE_u8, DIMS(1), INTS(255));
    given_scale(c, 6, 0.00162681262f);
    given(c, 7, PARE_u8, 0, NULL, INTS(123));
    check(c, PARE_DENSE, 0);
    expect(c, 7, INTS(0, 81, 93, 230, 52, 87, 197));
}

static void onnx_dynamic_quantize_linear(void **state)
{
    static const float   x[]    = { 0, 2, -3, -2.5f, 1.34f, 0.5f }, infinite[] = { 1, INFINITY };
    static const uint8_t want[] = { 153, 255, 0, 26, 221, 179 };
    const pare_op *const op     = pare_op_find("dynamic_quantize_linear");
    pare_tensor          in     = pare_tensor_of(PARE_f32, pare_shape_of(DIMS(6))), out[3];
    const pare_tensor   *ins[1] = { &in };
    pare_tensor         *outs[3] = { &out[0], &out[1], &out[2] };
    const pare_call      call   = { op, NULL, 1, 3, ins, outs };

    (void)state;
    in.data = (void *)(uintptr_t)x;
    assert_int_equal(pare_op_eval(&call), PARE_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(pare_tensor_int(&out[0], i), want[i]);
    assert_true((float)pare_tensor_real(&out[1], 0) == 5.0f / 255);
    assert_int_equal(pare_tensor_int(&out[2], 0), 153);
    for (int i = 0; i < 3; i++)
        pare_tensor_release(&out[i]);

    in      = pare_tensor_of(PARE_f32, pare_shape_of(DIMS(2)));
    in.data = (void *)(uintptr_t)infinite;
    assert_int_equal(pare_op_eval(&call), PARE_ERR_NUMERIC);
}

/* Zero points and scales per channel, both signs, any part split; values against sums in this test. */
static void check_qlinear_conv(pare_dtype x_type, pare_dtype w_type, int group)
{
    const int        x_lo = x_type == PARE_u8 ? 0 : -128, w_lo = w_type == PARE_u8 ? 0 : -128;
    test_case *const c    = begin("qlinear_conv");

    slot *const x = constant(c, 0, PARE_u8, DIMS(2, 4, 5, 6));
    slot *const w = constant(c, 3, PARE_u8, DIMS(6, 4 / group, 3, 3));

    for (int i = 0; i < 240; i++) /* as codes of their type */
        pare_store_int(x_type, x->t.data, i, x_lo + ((uint8_t *)x->t.data)[i]);
    for (int i = 0; i < 6 * 4 / group * 9; i++)
        pare_store_int(w_type, w->t.data, i, w_lo + ((uint8_t *)w->t.data)[i]);
    x->t.dtype = x_type;
    w->t.dtype = w_type;
    given_scale(c, 1, 0.02f);
    given(c, 2, x_type, 0, NULL, INTS(x_lo + 100));
    slot *const sw = constant(c, 4, PARE_f32, DIMS(6));

    for (int i = 0; i < 6; i++)
        pare_tensor_set_real(&sw->t, i, 0.01 * (i + 1));
    slot *const zw = given(c, 5, w_type, DIMS(6), INTS(w_lo, w_lo + 1, w_lo + 127, w_lo + 128, w_lo + 254, w_lo + 255));

    given_scale(c, 6, 2.5f);
    given(c, 7, x_type, 0, NULL, INTS(x_lo + 128));
    slot *const bias = constant(c, 8, PARE_s32, DIMS(6));

    set_i(c, "group", group);
    check(c, PARE_DENSE, 0);
    int inside = 0;
    for (int n = 0; n < 2; n++)
        for (int o = 0; o < 6; o++)
            for (int p = 0; p < 12; p++) {
                int64_t acc = pare_tensor_int(&bias->t, o);

                for (int i = 0; i < 4 / group; i++)
                    for (int k = 0; k < 9; k++) {
                        const int row = (n * 4 + o / (6 / group) * (4 / group) + i) * 5 + p / 4 + k / 3;

                        acc += (pare_tensor_int(&x->t, row * 6 + p % 4 + k % 3) - (x_lo + 100)) *
                               (pare_tensor_int(&w->t, (o * (4 / group) + i) * 9 + k) - pare_tensor_int(&zw->t, o));
                    }
                const float m = 0.02f * (float)(0.01 * (o + 1)) / 2.5f;
                const float v = rintf((float)acc * m) + (float)(x_lo + 128);
                const int   q = v < (float)x_lo ? x_lo : v > (float)(x_lo + 255) ? x_lo + 255 : (int)v;

                assert_int_equal(pare_tensor_int(&c->out[0].t, (n * 6 + o) * 12 + p), q);
                inside += q > x_lo && q < x_lo + 255;
            }
    assert_true(inside > 20);
    finish(c);
}

static void qlinear_conv_all_signs(void **state)
{
    (void)state;
    seed = 41;
    check_qlinear_conv(PARE_u8, PARE_s8, 1);
    check_qlinear_conv(PARE_u8, PARE_u8, 2);
    check_qlinear_conv(PARE_s8, PARE_s8, 2);
    check_qlinear_conv(PARE_s8, PARE_u8, 1);
}

/* ----------------------------------------------------------------------------------------------------- float rows */

static void check_axis(const char *name, int64_t axis, int rank, const int64_t *dims, int halo)
{
    test_case *const c = begin(name);

    numbers(c, 0, rank, dims, halo);
    set_i(c, "axis", axis);
    check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
    finish(c);
}

static void softmax_equals_reference(void **state)
{
    static const char *const names[] = { "softmax", "log_softmax" };

    (void)state;
    seed = 31;
    for (int i = 0; i < 2; i++) {
        check_axis(names[i], -1, DIMS(5, 100), -1);
        check_axis(names[i], 1, DIMS(2, 19, 7), -1);
        check_axis(names[i], 1, DIMS(2, 19, 4, 5), 1);
        check_axis(names[i], 2, DIMS(2, 19, 4, 5), 0);
        check_axis(names[i], 0, DIMS(1), -1);
        check_axis(names[i], 1, DIMS(3, 0), -1);
        check_axis(names[i], -1, 0, NULL, -1);
    }
}

/* Sums of 1, in the right direction. */
static void softmax_sums_to_one(void **state)
{
    test_case *const c = begin("softmax");

    (void)state;
    seed = 32;
    numbers(c, 0, DIMS(2, 19, 7), -1);
    set_i(c, "axis", 1);
    check(c, PARE_DENSE, 0);
    for (int n = 0; n < 2; n++)
        for (int j = 0; j < 7; j++) {
            double sum = 0;

            for (int i = 0; i < 19; i++)
                sum += pare_tensor_real(&c->out[0].t, (n * 19 + i) * 7 + j);
            assert_true(fabs(sum - 1) < 1e-5);
        }
    finish(c);
}

static void check_norm(const char *name, int rank, const int64_t *dims, int rank_scale, const int64_t *scale, bool bias,
                       int halo, const char *attr, int64_t value)
{
    test_case *const c = begin(name);

    numbers(c, 0, rank, dims, halo);
    constant(c, 1, PARE_f32, rank_scale, scale);
    if (bias)
        constant(c, 2, PARE_f32, rank_scale, scale);
    if (attr)
        set_i(c, attr, value);
    check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
    finish(c);
}

static void norms_equal_reference(void **state)
{
    (void)state;
    seed = 33;
    check_norm("layer_normalization", DIMS(2, 5, 37), DIMS(37), true, -1, NULL, 0);
    check_norm("layer_normalization", DIMS(2, 5, 37), DIMS(1), true, -1, NULL, 0);
    check_norm("layer_normalization", DIMS(2, 3, 4, 5), DIMS(4, 5), false, -1, "axis", 2);
    check_norm("layer_normalization", DIMS(2, 3, 4, 5), DIMS(3, 4, 5), true, 1, "axis", 1);
    check_norm("layer_normalization", DIMS(3, 20), DIMS(20), true, -1, "axis", -1);
    check_norm("instance_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, -1, NULL, 0);
    check_norm("instance_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, 1, NULL, 0);
    check_norm("group_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, -1, "num_groups", 5);
    check_norm("group_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, 1, "num_groups", 2);
    for (int p = 1; p < 3; p++) {
        test_case *const c = begin("lp_normalization");

        numbers(c, 0, DIMS(2, 19, 4, 5), p - 1);
        set_i(c, "axis", p);
        set_i(c, "p", p);
        check(c, PARE_CHANNELS_LAST, 0);
        finish(c);
    }
}

/* Against sums in double: groups hold the channels that they should. */
static void group_norm_is_what_it_says(void **state)
{
    test_case *const c = begin("group_normalization");

    (void)state;
    seed = 34;
    slot *const x = numbers(c, 0, DIMS(2, 6, 3, 5), -1), *const scale = constant(c, 1, PARE_f32, DIMS(6));
    slot *const bias = constant(c, 2, PARE_f32, DIMS(6));

    set_i(c, "num_groups", 3);
    check(c, PARE_DENSE, 0);
    for (int g = 0; g < 6; g++) {
        double mean = 0, var = 0;

        for (int i = 0; i < 30; i++)
            mean += pare_tensor_real(&x->t, g * 30 + i) / 30;
        for (int i = 0; i < 30; i++)
            var += pow(pare_tensor_real(&x->t, g * 30 + i) - mean, 2) / 30;
        for (int i = 0; i < 30; i++) {
            const int    ch   = g % 3 * 2 + i / 15;
            const double want = (pare_tensor_real(&x->t, g * 30 + i) - mean) / sqrt(var + 1e-5) *
                                    pare_tensor_real(&scale->t, ch) + pare_tensor_real(&bias->t, ch);

            assert_true(fabs(pare_tensor_real(&c->out[0].t, g * 30 + i) - want) < 1e-4);
        }
    }
    finish(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qconv_equals_reference),
        cmocka_unit_test(qconv_clamped_to_nothing),
        cmocka_unit_test(qgemm_equals_reference),
        cmocka_unit_test(qadd_qmul_equal_reference),
        cmocka_unit_test(qadd_qmul_odd_broadcasts),
        cmocka_unit_test(qadd_swaps_a_scalar),
        cmocka_unit_test(qadd_refuses_what_leaves_32_bits),
        cmocka_unit_test(lut_equals_reference),
        cmocka_unit_test(float_pools_equal_reference),
        cmocka_unit_test(float_pools_odd_shapes),
        cmocka_unit_test(integer_pools_equal_reference),
        cmocka_unit_test(integer_means_are_means),
        cmocka_unit_test(conv_transpose_equals_reference),
        cmocka_unit_test(conv_transpose_examples),
        cmocka_unit_test(quantize_equals_reference),
        cmocka_unit_test(quantize_rows_equals_reference),
        cmocka_unit_test(onnx_examples),
        cmocka_unit_test(onnx_dynamic_quantize_linear),
        cmocka_unit_test(qlinear_conv_all_signs),
        cmocka_unit_test(softmax_equals_reference),
        cmocka_unit_test(softmax_sums_to_one),
        cmocka_unit_test(norms_equal_reference),
        cmocka_unit_test(group_norm_is_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
