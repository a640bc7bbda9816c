/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ops.c - every op of the list, by its samples: any memory layout, any split into parts, any CPU level and any
 * failing allocation give the same bits, or a status; and the sentences of the checked calls
 *
 * Options: --only=OP runs the generic tests on that op alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"
#include "cpu/cpu.h"
#include "op_sample.h"
#include "ops/attr.h"

static const char *only;

/* Calls fn with every sample of every op. */
static void each_sample(void (*fn)(const pare_op *op, const char *sample))
{
    for (int i = 0; pare_op_at(i); i++)
        for (const char *const *s = pare_op_at(i)->samples; s && *s; s++)
            if (!only || !strcmp(only, pare_op_at(i)->name))
                fn(pare_op_at(i), *s);
}

/* Reads the sample and runs the reference on dense tensors. An op may refuse infinities, then it gets none. */
static void eval(sample_call *s, const pare_op *op, const char *sample)
{
    pare_status status;

    sample_read(s, op, sample, false);
    status = pare_op_eval(&s->call);
    if (status == PARE_ERR_NUMERIC) {
        sample_release(s);
        sample_read(s, op, sample, true);
        status = pare_op_eval(&s->call);
    }
    if (status != PARE_OK)
        fail_msg("%s(%s): %s", op->name, sample, pare_error());
}

/* The same call on other memory: tensors of `s` laid out anew, inputs filled, outputs of the shapes known. */
typedef struct other_call {
    pare_call          call;
    pare_tensor        in[SAMPLE_INPUTS], out[PARE_MAX_OUTPUTS];
    const pare_tensor *in_ptr[SAMPLE_INPUTS];
    pare_tensor       *out_ptr[PARE_MAX_OUTPUTS];
} other_call;

static void lay_out(other_call *o, const sample_call *s, sample_layout in, sample_layout out)
{
    memset(o, 0, sizeof(*o));
    o->call = s->call;
    o->call.in = o->in_ptr;
    o->call.out = o->out_ptr;
    for (int i = 0; i < s->call.n_in; i++) {
        if (!s->in_ptr[i])
            continue;
        o->in[i] = sample_lay_out(&s->in[i], in);
        o->in_ptr[i] = &o->in[i];
        pare_tensor_copy(&o->in[i], &s->in[i]);
    }
    for (int i = 0; i < s->call.n_out; i++) {
        o->out[i] = sample_lay_out(&s->out[i], out);
        o->out_ptr[i] = &o->out[i];
    }
}

static void release(other_call *o)
{
    for (int i = 0; i < o->call.n_in; i++)
        pare_tensor_release(&o->in[i]);
    for (int i = 0; i < o->call.n_out; i++)
        pare_tensor_release(&o->out[i]);
}

static void expect_equal(const sample_call *want, const other_call *got, const char *sample, const char *how)
{
    for (int i = 0; i < want->call.n_out; i++) {
        const int64_t at = sample_differ(&want->out[i], &got->out[i]);
        if (at >= 0)
            fail_msg("%s(%s) %s: output %d[%lld]: want %.9g, got %.9g", want->call.op->name, sample, how, i,
                     (long long)at, pare_tensor_real(&want->out[i], at), pare_tensor_real(&got->out[i], at));
        if (!sample_guarded(&got->out[i]))
            fail_msg("%s(%s) %s: output %d: bytes between the elements were written", want->call.op->name, sample, how,
                     i);
    }
}

static void check_layouts(const pare_op *op, const char *sample)
{
    sample_call s;

    eval(&s, op, sample);
    for (int in = 0; in < N_LAYOUTS; in++)
        for (int out = 0; out < N_LAYOUTS; out++) {
            other_call o;
            char       how[64];
            snprintf(how, sizeof(how), "%s to %s", sample_layout_names[in], sample_layout_names[out]);
            lay_out(&o, &s, (sample_layout)in, (sample_layout)out);
            if (op->forward(&o.call) != PARE_OK)
                fail_msg("%s(%s) %s: %s", op->name, sample, how, pare_error());
            expect_equal(&s, &o, sample, how);
            release(&o);
        }
    sample_release(&s);
}

/* Prepares with the data of constants only, as the planner does, then runs all parts one after the other. */
static void check_run(const sample_call *s, const char *sample, sample_layout layout, const char *level, bool fixed)
{
    static const int parts[] = { 1, 2, 3, 7 };
    const pare_op   *op = s->call.op;
    pare_step        step = { 0 };
    other_call       o;
    char             how[96];

    lay_out(&o, s, layout, layout);
    if (!pare_cpu_level(level, &step.cpu))
        fail_msg("no CPU level %s", level);
    step.cpu &= pare_cpu_features();
    for (int i = 0; i < o.call.n_in; i++)
        if (!s->constant[i] && !(fixed && i > 0))
            o.in[i].data = NULL;
    if (op->prepare(&o.call, &step) != PARE_OK)
        fail_msg("%s(%s) prepare: %s", op->name, sample, pare_error());
    for (int i = 0; i < o.call.n_in; i++)
        if (o.in_ptr[i] && !o.in[i].data)
            o.in[i].data = pare_buf_bytes(o.in[i].buf) +
                           (layout == LAYOUT_SLICED ? 5 * (int64_t)pare_dtype_size(o.in[i].dtype) : 0);
    for (int k = 0; k < 4 && step.run; k++) {
        void *const scratch = pare_malloc_aligned(step.scratch + 64);
        for (int i = 0; i < o.call.n_out; i++)
            memset(pare_buf_bytes(o.out[i].buf), SAMPLE_GUARD, pare_buf_size(o.out[i].buf));
        for (int part = parts[k] - 1; part >= 0; part--) { /* backwards: parts do not wait for each other */
            memset(scratch, 0xFF, step.scratch + 64);
            step.run(&step, &o.call, part, parts[k], scratch);
        }
        snprintf(how, sizeof(how), "run at %s, %s, %d parts", level, sample_layout_names[layout], parts[k]);
        expect_equal(s, &o, sample, how);
        pare_free_aligned(scratch);
    }
    if (step.release)
        step.release(step.state);
    release(&o);
}

static void check_parts(const pare_op *op, const char *sample)
{
    static const char *const levels[] = { "c", "avx2", "avxvnni", "avx512vnni" };
    sample_call              s;

    if (!op->prepare)
        return;
    eval(&s, op, sample);
    for (int level = 0; level < 4; level++)
        for (int layout = 0; layout < N_LAYOUTS; layout++) {
            if (layout != LAYOUT_DENSE && op->traits & PARE_WANTS_CHANNELS_LAST)
                continue; /* those ask the planner for their format, halos included */
            check_run(&s, sample, (sample_layout)layout, levels[level], false);
            check_run(&s, sample, (sample_layout)layout, levels[level], true);
        }
    sample_release(&s);
}

/* Lets the first, second ... allocation fail until none is left. */
static void check_memory(const pare_op *op, const char *sample)
{
    pare_status status = PARE_ERR_MEMORY;
    sample_call s;
    long        live_before;

    eval(&s, op, sample);
    for (int i = 0; i < s.call.n_out; i++)
        pare_tensor_release(&s.out[i]);
    live_before = pare_alloc_live();
    for (long n = 1; status == PARE_ERR_MEMORY; n++) {
        pare_alloc_fail_after(n);
        status = pare_op_eval(&s.call);
        pare_alloc_fail_after(0);
        for (int i = 0; i < s.call.n_out && status == PARE_OK; i++)
            pare_tensor_release(&s.out[i]);
        if ((status != PARE_OK && status != PARE_ERR_MEMORY) || pare_alloc_live() != live_before)
            fail_msg("%s(%s), allocation %ld fails: status %s, %ld blocks left", op->name, sample, n,
                     pare_status_name(status), pare_alloc_live() - live_before);
    }
    sample_release(&s);
}

static void check_memory_of_prepare(const pare_op *op, const char *sample)
{
    pare_status status = PARE_ERR_MEMORY;
    sample_call s;

    if (!op->prepare)
        return;
    eval(&s, op, sample);
    for (long n = 1; status == PARE_ERR_MEMORY; n++) {
        const long live = pare_alloc_live();
        pare_step  step = { 0 };
        pare_alloc_fail_after(n);
        status = op->prepare(&s.call, &step);
        pare_alloc_fail_after(0);
        if (step.release)
            step.release(step.state);
        if ((status != PARE_OK && status != PARE_ERR_MEMORY) || pare_alloc_live() != live)
            fail_msg("%s(%s) prepare, allocation %ld fails: status %s, %ld blocks left", op->name, sample, n,
                     pare_status_name(status), pare_alloc_live() - live);
    }
    sample_release(&s);
}

/* ----------------------------------------------------------------------------------------------------------- tests */

static void test_list(void **state)
{
    (void)state;
    for (int i = 0; pare_op_at(i); i++) {
        const pare_op *const op = pare_op_at(i);
        assert_ptr_equal(pare_op_find(op->name), op); /* the first of that name: names are unique */
        if (op->onnx)
            assert_ptr_equal(pare_op_find_onnx(op->onnx), op);
        assert_true(op->min_in <= op->max_in || op->max_in == -1);
        assert_true(op->min_out >= 1 && op->min_out <= op->max_out && op->max_out <= PARE_MAX_OUTPUTS);
        assert_true(op->infer || op->traits & PARE_HAS_BODY);
        for (const pare_attr *a = op->attrs; a && a->name; a++) {
            assert_ptr_equal(pare_attr_find(op, a->name), a);
            assert_true(a->offset < op->attrs_size);
        }
        if (op->traits & PARE_CAN_CLAMP)
            assert_true(pare_attr_find(op, "clamp_lo") && pare_attr_find(op, "clamp_hi"));
    }
    assert_null(pare_op_find("no_such_op"));
    assert_null(pare_op_find_onnx("NoSuchOp"));
    assert_null(pare_op_at(-1));
}

static void test_layouts(void **state)
{
    (void)state;
    each_sample(check_layouts);
}

static void test_parts(void **state)
{
    (void)state;
    each_sample(check_parts);
}

static void test_memory(void **state)
{
    (void)state;
    each_sample(check_memory);
    each_sample(check_memory_of_prepare);
}

/* What a failing call says; the sentence starts with the op's name. */
static void expect_failure(const char *op, const char *sample, pare_status status, const char *words)
{
    sample_call s;

    sample_read(&s, pare_op_find(op), sample, false);
    const pare_status got = pare_op_eval(&s.call);
    if (got != status || strncmp(pare_error(), op, strlen(op)) != 0 || !strstr(pare_error(), words))
        fail_msg("%s(%s): want %s with '%s', got %s: %s", op, sample, pare_status_name(status), words,
                 pare_status_name(got), pare_error());
    sample_release(&s);
}

static void test_failures(void **state)
{
    (void)state;
    expect_failure("relu", "f16[2]", PARE_ERR_UNSUPPORTED, "f16");
    expect_failure("add", "f32[2] s64[2]", PARE_ERR_SHAPE, "cast");
    expect_failure("add", "f32[2] f32[3]", PARE_ERR_SHAPE, "broadcast");
    expect_failure("add", "f32[2]", PARE_ERR_SHAPE, "1 inputs");
    expect_failure("add", "u8[2]~0.5,3 u8[2]", PARE_ERR_UNSUPPORTED, "quantized");
    expect_failure("div", "s64{1,2} s64{1,0}", PARE_ERR_NUMERIC, "zero");
    expect_failure("div", "s32{-2147483648} s32:-1", PARE_ERR_NUMERIC, "fit");
    expect_failure("div", "s64{-9223372036854775808} s64:-1", PARE_ERR_NUMERIC, "fit");
    expect_failure("mod", "s32{7} s32:0", PARE_ERR_NUMERIC, "zero");
    expect_failure("mod", "f32{7} f32:2", PARE_ERR_ARG, "fmod");
    expect_failure("pow", "s64{0} s64:-1", PARE_ERR_NUMERIC, "negative");
    expect_failure("reshape", "f32[2,3] s64{4,-1}", PARE_ERR_SHAPE, "[2,3]");
    expect_failure("reshape", "f32[2,3] s64{-1,-1}", PARE_ERR_SHAPE, "-1");
    expect_failure("transpose", "f32[2,3] perm=[0,0]", PARE_ERR_SHAPE, "permutation");
    expect_failure("concat", "f32[2,3] f32[2,2]", PARE_ERR_SHAPE, "axis 0");
    expect_failure("concat", "u8[2]~0.5,3 u8[2]~0.5,4", PARE_ERR_SHAPE, "different scale");
    expect_failure("split", "f32[5] s64{2,2} -> 2", PARE_ERR_SHAPE, "add up");
    expect_failure("gather", "f32[3] s64{3}", PARE_ERR_DATA, "index 3");
    expect_failure("gather_nd", "f32[3] s64[1,1]{-4}", PARE_ERR_DATA, "index -4");
    expect_failure("scatter_elements", "f32[3] s64{5} f32[1]", PARE_ERR_DATA, "index 5");
    expect_failure("slice", "f32[3] s64{0} s64{3} s64{0} s64{0}", PARE_ERR_SHAPE, "step");
    expect_failure("squeeze", "f32[3] s64{0}", PARE_ERR_SHAPE, "only 1");
    expect_failure("top_k", "f32[3] s64{4}", PARE_ERR_SHAPE, "k must");
    expect_failure("cast", "f32[3] to=u4", PARE_ERR_UNSUPPORTED, "u4");
    expect_failure("dropout", "f32[3] f32:0.5 bool:1", PARE_ERR_UNSUPPORTED, "training");
    expect_failure("resize", "f32[2,2] ? f32{2,2} antialias=1", PARE_ERR_UNSUPPORTED, "antialias");
    expect_failure("range", "s64:0 s64:3 s64:0", PARE_ERR_SHAPE, "delta");
    expect_failure("pad", "f32[2] s64{-2,-1}", PARE_ERR_SHAPE, "padded");
    expect_failure("arg_max", "f32[2,0] axis=1", PARE_ERR_SHAPE, "no extreme");
}

/* Shapes that depend on values which are not there, and shapes that come through dimensions which are not fixed. */
static void test_dynamic(void **state)
{
    static const struct {
        const char *op, *sample;
        int         unknown; /* input whose data is taken away */
    } cases[] = {
        { "reshape", "f32[2,3] s64{3,2}", 1 },
        { "expand", "f32[1] s64{3,2}", 1 },
        { "slice", "f32[4] s64{1} s64{2}", 2 },
        { "pad", "f32[4] s64{1,1}", 1 },
        { "tile", "f32[4] s64{2}", 1 },
        { "top_k", "f32[4] s64{2}", 1 },
        { "range", "s64:0 s64:3 s64:1", 1 },
        { "constant_of_shape", "s64{2}", 0 },
        { "one_hot", "s64{1} s64:3 f32{0,1}", 1 },
        { "resize", "f32[2] ? f32{2}", 2 },
        { "reduce_sum", "f32[2,3] s64{1}", 1 },
        { "unsqueeze", "f32[2] s64{0}", 1 },
        { "squeeze", "f32[2,1] s64{1}", 1 },
        { "split", "f32[4] s64{1,3} -> 2", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sample_call s;
        sample_read(&s, pare_op_find(cases[i].op), cases[i].sample, false);
        void *const data = s.in[cases[i].unknown].data;
        s.in[cases[i].unknown].data = NULL;
        if (pare_op_infer(&s.call) != PARE_ERR_DYNAMIC)
            fail_msg("%s must need its input %d", cases[i].op, cases[i].unknown);
        s.in[cases[i].unknown].data = data;
        if (pare_op_infer(&s.call) != PARE_OK)
            fail_msg("%s: %s", cases[i].op, pare_error());
        sample_release(&s);
    }
}

static void expect_shape(const char *op, const char *sample, int open, pare_shape want)
{
    char        text[PARE_SHAPE_TEXT];
    sample_call s;

    sample_read(&s, pare_op_find(op), sample, false);
    s.in[0].shape.dim[open] = PARE_DIM_ANY;
    if (pare_op_infer(&s.call) != PARE_OK)
        fail_msg("%s: %s", op, pare_error());
    if (!pare_shape_equal(&s.out[0].shape, &want))
        fail_msg("%s(%s) gives %s", op, sample, pare_shape_text(&s.out[0].shape, text));
    sample_release(&s);
}

static void test_open_dimensions(void **state)
{
    const int64_t any = PARE_DIM_ANY;

    (void)state;
    expect_shape("relu", "f32[1,3]", 0, (pare_shape){ 2, { any, 3 } });
    expect_shape("add", "f32[1,3] f32[3]", 0, (pare_shape){ 2, { any, 3 } });
    expect_shape("reshape", "f32[1,3,4] s64{0,-1}", 0, (pare_shape){ 2, { any, 12 } });
    expect_shape("reshape", "f32[1,3,4] s64{-1,12}", 0, (pare_shape){ 2, { any, 12 } });
    expect_shape("flatten", "f32[1,3,4]", 0, (pare_shape){ 2, { any, 12 } });
    expect_shape("transpose", "f32[1,3,4]", 0, (pare_shape){ 3, { 4, 3, any } });
    expect_shape("concat", "f32[1,3] f32[2,3]", 0, (pare_shape){ 2, { any, 3 } });
    expect_shape("slice", "f32[1,3] s64{1} s64{2} s64{1}", 0, (pare_shape){ 2, { any, 1 } });
    expect_shape("gather", "f32[1,3] s64{1,1} axis=1", 0, (pare_shape){ 2, { any, 2 } });
    expect_shape("reduce_mean", "f32[1,3,4] s64{2} keepdims=0", 0, (pare_shape){ 2, { any, 3 } });
    expect_shape("resize", "f32[1,3,2,2] ? f32{1,1,2,2}", 0, (pare_shape){ 4, { any, 3, 4, 4 } });
    expect_shape("pad", "f32[1,3] s64{0,1,0,1}", 0, (pare_shape){ 2, { any, 5 } });
    expect_shape("squeeze", "f32[1,1,3] s64{1}", 0, (pare_shape){ 2, { any, 3 } });
    expect_shape("split", "f32[1,4] axis=1 -> 2", 0, (pare_shape){ 2, { any, 2 } });
    expect_shape("shape", "f32[1,4]", 0, (pare_shape){ 1, { 2 } });
}

/* A handful of results computed by hand; ONNX's own vectors cover the rest (the importer's conformance test). */
static void expect_values(const char *op, const char *sample, int n, const double *want)
{
    sample_call s;

    eval(&s, pare_op_find(op), sample);
    assert_int_equal(pare_shape_count(&s.out[0].shape), n);
    for (int i = 0; i < n; i++) {
        const double got = pare_tensor_real(&s.out[0], i);
        if (got != want[i] && (got == got || want[i] == want[i]))
            fail_msg("%s(%s)[%d]: want %g, got %g", op, sample, i, want[i], got);
    }
    sample_release(&s);
}

static void test_values(void **state)
{
    (void)state;
    expect_values("relu", "f32{-1,2,nan}", 3, (double[]){ 0, 2, NAN });
    expect_values("relu", "u8{0,99,255}~0.5,100", 3, (double[]){ 100, 100, 255 });
    expect_values("cast", "f32{-129,300,nan,2.9,-2.9} to=s8", 5, (double[]){ -128, 127, 0, 2, -2 });
    expect_values("cast", "s32{-129,300} to=s8", 2, (double[]){ 127, 44 });
    expect_values("cast", "f32{0,nan,0.5} to=bool", 3, (double[]){ 0, 1, 1 });
    expect_values("clip", "f32{1,nan,5} f32:3 f32:2", 3, (double[]){ 2, NAN, 2 });
    expect_values("mod", "s64{-7,7,-7} s64{3,-3,-3}", 3, (double[]){ 2, -2, -1 });
    expect_values("mod", "s64{-9223372036854775808} s64{-1}", 1, (double[]){ 0 });
    expect_values("max", "f32{1,nan,3} f32{nan,1,2}", 3, (double[]){ NAN, NAN, 3 });
    expect_values("slice", "f32{0,1,2,3,4,5} s64{-2} s64{-100} s64{0} s64{-2}", 3, (double[]){ 4, 2, 0 });
    expect_values("top_k", "f32{1,nan,3,3} s64{3}", 3, (double[]){ NAN, 3, 3 });
    expect_values("reduce_sum", "f32[0,2] s64{0} keepdims=0", 2, (double[]){ 0, 0 });
    expect_values("reduce_max", "f32[0,2] s64{0} keepdims=0", 2, (double[]){ -INFINITY, -INFINITY });
    expect_values("reduce_log_sum_exp", "f32{1000,1000}", 1, (double[]){ 1000.69317626953125 });
    expect_values("pad", "f32{1,2,3} s64{2,3} ? ? mode=reflect", 8, (double[]){ 3, 2, 1, 2, 3, 2, 1, 2 });
    expect_values("pad", "f32{1,2,3,4} s64{-1,2} f32:9", 5, (double[]){ 2, 3, 4, 9, 9 });
    expect_values("pad", "f32{1,2,3,4} s64{2,-3} f32:9", 3, (double[]){ 9, 9, 1 });
    expect_values("pad", "f32{1,2,3} s64{4,2} ? ? mode=wrap", 9, (double[]){ 3, 1, 2, 3, 1, 2, 3, 1, 2 });
    expect_values("pad", "f32{1,2} s64{1,2} ? ? mode=edge", 5, (double[]){ 1, 1, 2, 2, 2 });
    expect_values("pad", "u8{1,2}~0.5,7 s64{1,1}", 4, (double[]){ 7, 1, 2, 7 });
    expect_values("pad", "u8{1,2}~0.5,7 s64{1,0} f32:2", 3, (double[]){ 11, 1, 2 });
    expect_values("trilu", "u8[2,2]{1,2,3,4}~0.5,7", 4, (double[]){ 1, 2, 7, 4 });
    expect_values("reshape", "f32[0,3] s64{3,0} allowzero=1", 0, NULL);
    expect_values("arg_max", "f32{1,nan,5,nan}", 1, (double[]){ 1 });
    expect_values("arg_max", "s8{5,-128,5} select_last_index=1", 1, (double[]){ 2 });
    expect_values("cum_sum", "s32{1,2,3} s64:0 exclusive=1 reverse=1", 3, (double[]){ 5, 3, 0 });
    expect_values("range", "s64:10 s64:-1 s64:-3", 4, (double[]){ 10, 7, 4, 1 });
    expect_values("thresholded_relu", "f32{1,1.5,nan} alpha=1", 3, (double[]){ 0, 1.5, NAN });
    expect_values("add", "f32{1,nan,-5} f32{2,1,1} clamp_lo=0 clamp_hi=2.5", 3, (double[]){ 2.5, NAN, 0 });
    expect_values("scatter_elements", "f32{1,2,3} s64{0,0} f32{5,4} reduction=max", 3, (double[]){ 5, 2, 3 });
    expect_values("scatter_nd", "s64{1,2,3} s64[2,1]{-1,-1} s64{5,4} reduction=add", 3, (double[]){ 1, 2, 12 });
    expect_values("add", "u8{250,3} u8{10,4}", 2, (double[]){ 4, 7 });
    expect_values("pow", "s64{2,-1,3} s64{10,-3,-1}", 3, (double[]){ 1024, -1, 0 });
    expect_values("resize", "f32[1,1,1,2]{1,3} ? f32{1,1,1,2} mode=linear", 4, (double[]){ 1, 1.5, 2.5, 3 });
    expect_values("one_hot", "s64{0,-1,3} s64:3 f32{2,5}", 9, (double[]){ 5, 2, 2, 2, 2, 5, 2, 2, 2 });
}

/* Sums go to lane i mod 16, then 16 -> 8 -> 4 -> 2 -> 1 (NUMERICS.md 9): an order in which these do not cancel. */
static void test_lanes(void **state)
{
    float       lane[16] = { 0 };
    sample_call s;

    (void)state;
    eval(&s, pare_op_find("reduce_sum"), "f32[1,3,7,11]");
    for (int64_t i = 0; i < 231; i++) /* finite values only: the order is what is looked at */
        pare_tensor_set_real(&s.in[0], i, (double)((i * 7919) % 1000) * 1.0e-3 + (i % 13 == 0 ? 1.0e6 : 0));
    pare_tensor_release(&s.out[0]);
    assert_int_equal(pare_op_eval(&s.call), PARE_OK);
    for (int64_t i = 0; i < 231; i++)
        lane[i % 16] += ((const float *)s.in[0].data)[i];
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    assert_true(((const float *)s.out[0].data)[0] == lane[0]);
    sample_release(&s);
}

/* constant and constant_of_shape take a tensor, which samples cannot write. */
static void test_tensor_attributes(void **state)
{
    int64_t          dims[] = { 2, 3 };
    float            data[] = { 1, 2, 3, 4, 5, 6 };
    pare_tensor      value = pare_tensor_of(PARE_f32, pare_shape_of(2, dims)), y;
    pare_tensor     *out[] = { &y };
    pare_value_attrs attrs = { &value };
    pare_call        call = { .op = pare_op_find("constant"), .attrs = &attrs, .n_out = 1, .out = out };

    (void)state;
    value.data = data;
    assert_int_equal(pare_op_eval(&call), PARE_OK);
    assert_memory_equal(y.data, data, sizeof(data));
    pare_tensor_release(&y);

    attrs.value = NULL;
    assert_int_equal(pare_op_eval(&call), PARE_ERR_DATA);

    int64_t            one = 7;
    pare_tensor        fill = pare_tensor_of(PARE_s64, (pare_shape){ 1, { 1 } }), shape = fill;
    const pare_tensor *in[] = { &shape };
    fill.data = &one;
    shape.data = dims;
    shape.shape = (pare_shape){ 1, { 2 } };
    attrs.value = &fill;
    call = (pare_call){
        .op = pare_op_find("constant_of_shape"), .attrs = &attrs, .n_in = 1, .n_out = 1, .in = in, .out = out
    };
    assert_int_equal(pare_op_eval(&call), PARE_OK);
    assert_int_equal(y.shape.dim[1], 3);
    for (int64_t i = 0; i < 6; i++)
        assert_int_equal(pare_tensor_int(&y, i), 7);
    pare_tensor_release(&y);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_dynamic),
        cmocka_unit_test(test_open_dimensions),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_tensor_attributes),
    };

    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], "--only=", 7))
            only = argv[i] + 7;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
