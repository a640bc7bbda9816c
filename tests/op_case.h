/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_case.h - planned ops against their own reference: every instruction set, any number of parts, planned memory
 *
 * A case is run by op->forward and by prepare + run on tensors that lie as the planner lays them (channels-last with
 * padded pixels, halo and guard, or dense), over memory that was filled with a pattern: every byte must come out equal,
 * those between the pixels included; only pixels of four bytes belong to their value whole, however many channels it
 * has. Ops whose samples say it all are tested by test_ops.c.
 */
#ifndef PARE_TESTS_OP_CASE_H
#define PARE_TESTS_OP_CASE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static uint64_t seed; /* of the content of inputs; each test sets it */

static inline uint32_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static inline void *attr_at(test_case *c, const char *name)
{
    const pare_attr *a = pare_attr_find(c->op, name);

    assert_non_null(a);
    return c->attrs + a->offset;
}

static inline void set_i(test_case *c, const char *name, int64_t value)
{
    *(int64_t *)attr_at(c, name) = value;
}

static inline void set_f(test_case *c, const char *name, float value)
{
    *(float *)attr_at(c, name) = value;
}

static inline void set_ints(test_case *c, const char *name, int n, const int64_t *values)
{
    pare_ints *const list = attr_at(c, name);

    list->n = n;
    memcpy(list->v, values, sizeof(*values) * (size_t)n);
}

static inline test_case *begin(const char *name)
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
static inline void place(slot *s)
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
static inline void fill(slot *s)
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

static inline void qparams(slot *s, int n, int axis, float scale, int zero)
{
    for (int i = 0; i < n; i++) {
        s->scale[i] = scale * (1 + 0.37f * (float)(i % 5));
        s->zero[i] = zero;
    }
    s->q = (pare_qparams){ .scale = s->scale, .zero = zero ? s->zero : NULL, .n = n, .axis = axis };
    s->t.q = &s->q;
}

static inline slot *input(test_case *c, int i, pare_dtype dtype, int rank, const int64_t *dims)
{
    slot *const s = &c->in[i];

    c->given[i] = true;
    c->n_in = i + 1 > c->n_in ? i + 1 : c->n_in;
    s->t = pare_tensor_of(dtype, pare_shape_of(rank, dims));
    return s;
}

static inline void channels_last(slot *s, int halo)
{
    s->v.format = PARE_CHANNELS_LAST;
    for (int i = 0; i < 4; i++)
        s->v.halo[i / 2][i % 2] = s->t.shape.rank > 3 || i / 2 ? halo : 0;
}

/* Input `i`, u8 with scale and zero, channels-last with a halo of `halo` pixels; -1: dense. */
static inline slot *codes(test_case *c, int i, int rank, const int64_t *dims, float scale, int zero, int halo)
{
    slot *const s = input(c, i, PARE_u8, rank, dims);

    qparams(s, 1, 0, scale, zero);
    if (halo >= 0)
        channels_last(s, halo);
    place(s);
    fill(s);
    return s;
}

static inline slot *constant(test_case *c, int i, pare_dtype dtype, int rank, const int64_t *dims)
{
    slot *const s = input(c, i, dtype, rank, dims);

    s->is_const = true;
    place(s);
    fill(s);
    return s;
}

static inline slot *numbers(test_case *c, int i, int rank, const int64_t *dims, int halo)
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

static inline void bind(test_case *c, bool plan, bound *b)
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

static inline void finish(test_case *c)
{
    for (int i = 0; i < MAX_IN; i++)
        pare_free_aligned(c->in[i].memory);
    for (int i = 0; i < 2; i++)
        pare_free_aligned(c->out[i].memory);
    free(c);
}

static inline void run_parts(const pare_step *step, const pare_call *call, int parts)
{
    for (int part = parts - 1; part >= 0; part--) {
        void *const scratch = pare_malloc_aligned(step->scratch + 64);

        step->run(step, call, part, parts, scratch);
        pare_free_aligned(scratch);
    }
}

/* The bytes of four-byte pixels that are no channel may hold anything: they become 0. */
static inline void clear_spare_channels(slot *s)
{
    const pare_tensor *t = &s->t;
    const int          last = t->shape.rank - 1;

    if (s->v.format != PARE_CHANNELS_LAST || last < 2 || t->stride[1] != 1 || t->stride[last] != 4 ||
        pare_dtype_size(t->dtype) != 1)
        return;
    for (int64_t n = 0; n < t->shape.dim[0]; n++)
        for (int64_t y = 0; y < (last == 3 ? t->shape.dim[2] : 1); y++)
            for (int64_t x = 0; x < t->shape.dim[last]; x++)
                for (int64_t c = t->shape.dim[1]; c < 4; c++)
                    ((char *)t->data)[n * t->stride[0] + y * t->stride[2] * (last == 3) + x * 4 + c] = 0;
}

static inline void check_level(test_case *c, unsigned cpu, char *const expected[2])
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
        for (int i = 0; i < c->n_out; i++) {
            clear_spare_channels(&c->out[i]);
            if (memcmp(c->out[i].memory, expected[i], c->out[i].bytes) != 0)
                fail_msg("%s: %s in %d parts differs from the reference in output %d", c->op->name, step.kernel,
                         counts[p], i);
        }
    }
    if (step.release)
        step.release(step.state);
}

/*
 * infer, forward, then every level and split against it. `format` and `halo` are those of the outputs. Leaves the
 * result in c->out.
 */
static inline void check(test_case *c, pare_format format, int halo)
{
    char *expected[2] = { NULL };
    bound b;

    bind(c, true, &b);
    if (pare_op_infer(&b.call) != PARE_OK)
        fail_msg("%s", pare_error());
    for (int i = 0; i < c->n_out; i++) {
        slot *const s = &c->out[i];

        assert_ptr_equal(b.t_out[i].q, s->t.q); /* what the pass has set stays */
        s->t = pare_tensor_of(b.t_out[i].dtype, b.t_out[i].shape);
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
        clear_spare_channels(&c->out[i]);
        memcpy(expected[i], c->out[i].memory, c->out[i].bytes);
    }
    static const unsigned levels[] = { 0, PARE_ISA_AVX2, (unsigned)-1 };

    for (int i = 0; i < 3; i++)
        check_level(c, pare_cpu_features() & levels[i], expected);
    for (int i = 0; i < c->n_out; i++)
        free(expected[i]);
}

static inline void output(test_case *c, float scale, int zero)
{
    qparams(&c->out[0], 1, 0, scale, zero);
}

#define DIMS(...)                                                                        \
    (int)(sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (const int64_t[]) \
    {                                                                                    \
        __VA_ARGS__                                                                      \
    }
#define LIST DIMS

/* A constant input with these integers. */
static inline slot *given(test_case *c, int i, pare_dtype dtype, int rank, const int64_t *dims, const int *values)
{
    slot *const s = constant(c, i, dtype, rank, dims);

    for (int64_t j = 0; j < pare_shape_count(&s->t.shape); j++)
        dtype == PARE_f32 ? pare_tensor_set_real(&s->t, j, values[j]) : pare_tensor_set_int(&s->t, j, values[j]);
    return s;
}

static inline void odd_numbers(slot *s)
{
    static const float odd[] = { NAN, INFINITY, -INFINITY, -0.0f };

    for (int64_t i = 0; i < pare_shape_count(&s->t.shape); i += 13)
        pare_tensor_set_real(&s->t, i, odd[i / 13 % 4]);
}

/* |q - exact| <= 1 code, by real numbers: the reference means what it says. */
static inline void check_real(const test_case *c, double real, int code)
{
    double q = real / c->out[0].scale[0] + c->out[0].zero[0];

    q = q < 0 ? 0 : q > 255 ? 255 : q;
    if (fabs(q - code) > 1)
        fail_msg("%s: %d is not near %g", c->op->name, code, q);
}

static inline double real_of(const slot *s, int64_t i)
{
    return s->scale[0] * (double)(pare_tensor_int(&s->t, i) - (s->q.zero ? s->zero[0] : 0));
}

#define INTS(...)   \
    (const int[])   \
    {               \
        __VA_ARGS__ \
    }

#endif
