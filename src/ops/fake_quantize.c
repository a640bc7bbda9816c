/* SPDX-License-Identifier: Apache-2.0 */
/* fake_quantize.c - quantize and dequantize in floats: what training with quantization sees */
#include "ops/fake_quantize.h"

#include <float.h>
#include <string.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

const pare_attr pare_fake_quantize_attr_table[] = {
    PARE_ATTR_ROW_INT(pare_fake_quantize_attrs, lo, 0),
    PARE_ATTR_ROW_INT(pare_fake_quantize_attrs, hi, 255),
    PARE_ATTR_ROW_INT(pare_fake_quantize_attrs, axis, -1),
    PARE_ATTR_ROW_STRING(pare_fake_quantize_attrs, learn, "none"),
    PARE_ATTR_END,
};

static bool learns_known(const char *learn)
{
    static const char *const known[] = { "none", "lsq", "lsq+", "pact" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(learn, known[i]) == 0)
            return true;
    return false;
}

pare_status pare_fake_quantize_check(const pare_call *call, int first)
{
    const pare_fake_quantize_attrs *a = call->attrs;
    const pare_shape               *x = &call->in[first]->shape;

    for (int i = 0; i < call->n_in; i++)
        if (call->in[i])
            PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (a->lo < INT32_MIN || a->hi > INT32_MAX || a->lo >= a->hi)
        return pare_fail(PARE_ERR_ARG, "lo %lld and hi %lld are no bounds of integers up to 32 bits", (long long)a->lo,
                         (long long)a->hi);
    if (!learns_known(a->learn))
        return pare_fail(PARE_ERR_ARG, "learn is \"none\", \"lsq\", \"lsq+\" or \"pact\", not \"%s\"", a->learn);
    if (a->axis < -1 || a->axis > 1 || a->axis >= x->rank)
        return pare_fail(PARE_ERR_SHAPE, "axis %lld of an input of rank %d; there are -1 (none), 0 and 1",
                         (long long)a->axis, x->rank);
    const int64_t want = a->axis < 0 ? 1 : x->dim[a->axis];

    for (int i = first + 1; i < first + 3; i++)
        if (pare_call_has(call, i) && pare_shape_count(&call->in[i]->shape) != want && want >= 0)
            return pare_fail(PARE_ERR_SHAPE, "scale and zero need %lld numbers", (long long)want);
    return PARE_OK;
}

int64_t pare_fake_entries(const pare_call *call, int first)
{
    return pare_shape_count(&call->in[first + 1]->shape);
}

pare_fake pare_fake_entry(const pare_call *call, int first, int64_t e)
{
    const pare_fake_quantize_attrs *a = call->attrs;
    const float                     scale = (float)pare_tensor_real(call->in[first + 1], e);

    return (pare_fake){ .scale = scale > FLT_EPSILON ? scale : FLT_EPSILON, /* a learned one may fall below */
                        .zero = pare_call_has(call, first + 2)
                                    ? pare_fake_round((float)pare_tensor_real(call->in[first + 2], e))
                                    : 0,
                        .lo = (float)a->lo,
                        .hi = (float)a->hi,
                        .inside = strcmp(a->learn, "pact") == 0 ? 0 : 1 };
}

pare_tensor pare_fake_view(const pare_call *call, const pare_tensor *t, int64_t e)
{
    const int64_t axis = ((const pare_fake_quantize_attrs *)call->attrs)->axis;
    pare_tensor   view = *t;

    if (axis >= 0) {
        view.data = (float *)t->data + e * t->stride[axis];
        view.shape.dim[axis] = 1;
    }
    return view;
}

static pare_status infer(const pare_call *call)
{
    PARE_TRY(pare_fake_quantize_check(call, 0));
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

enum { BLOCK = 16 };

/* Blocks of a fixed size, so that the compiler makes vectors of it. */
static void row(const pare_fake *f, int64_t n, const float *x, float *y)
{
    const pare_fake of = *f;
    float           in[BLOCK] = { 0 }, out[BLOCK];

    for (int64_t i = 0; i < n; i += BLOCK) {
        const size_t bytes = sizeof(float) * (size_t)(n - i < BLOCK ? n - i : BLOCK);

        memcpy(in, x + i, bytes);
        for (int l = 0; l < BLOCK; l++)
            out[l] = pare_fake_code(&of, in[l] / of.scale) * of.scale;
        memcpy(y + i, out, bytes);
    }
}

static void do_rows(const pare_call *call, int64_t entry, int part, int parts)
{
    const pare_fake   f = pare_fake_entry(call, 0, entry);
    const pare_tensor y = pare_fake_view(call, call->out[0], entry), x = pare_fake_view(call, call->in[0], entry);
    pare_rows         r;

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ &y, &x }, part, parts);
    while (pare_rows_next(&r)) {
        if (r.step[0] == 1 && r.step[1] == 1) {
            row(&f, r.n, (const float *)r.ptr[1], (float *)r.ptr[0]);
            continue;
        }
        for (int64_t i = 0; i < r.n; i++)
            row(&f, 1, (const float *)r.ptr[1] + i * r.step[1], (float *)r.ptr[0] + i * r.step[0]);
    }
}

/* One entry: its elements are shared out; several: whole entries are. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const int64_t entries = pare_fake_entries(call, 0);

    (void)step, (void)scratch;
    if (((const pare_fake_quantize_attrs *)call->attrs)->axis < 0)
        do_rows(call, 0, part, parts);
    else
        for (int64_t e = part; e < entries; e += parts)
            do_rows(call, e, 0, 1);
}

static pare_status forward(const pare_call *call)
{
    run(NULL, call, 0, 1, NULL);
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    (void)call;
    step->kernel = "c";
    step->run = run;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,5] f32:0.25 f32:128",
    "f32[4,3,2,2] f32{0.1,0.02,0.5,1} ? axis=0 lo=-127 hi=127",
    "f32[2,3,7] f32{0.1,0.02,0.5} f32{0,3,15} axis=1 hi=15",
    "f32[9] f32:0.5 ? lo=-1 hi=1 learn=\"pact\"",
    "f32{3e9,-3e9,4194305,8388609,-6.5} f32:1 ? lo=-1073741824 hi=1073741824",
    NULL,
};

const pare_op pare_op_fake_quantize = {
    .name = "fake_quantize",
    .min_in = 2, /* x, scale, zero (a whole number) */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .attrs = pare_fake_quantize_attr_table,
    .attrs_size = sizeof(pare_fake_quantize_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
