/* SPDX-License-Identifier: Apache-2.0 */
/* tensor_test.c - shapes, elements, views, rows and the map between real numbers and integers */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "runner.h"
#include "tensor/qparams.h"
#include "tensor/tensor.h"

/* A shape as an lvalue. */
#define SHAPE(...) \
    ((pare_shape){ .rank = (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), .dim = { __VA_ARGS__ } })

static pare_tensor filled(pare_dtype dtype, pare_shape shape)
{
    pare_tensor t = pare_tensor_of(dtype, shape);

    if (pare_tensor_alloc(&t) == PARE_OK)
        for (int64_t i = 0; i < pare_shape_count(&shape); i++)
            pare_tensor_set_int(&t, i, i);
    return t;
}

static void dtypes(runner *r)
{
    for (int i = 1; i < PARE_N_DTYPES; i++) {
        const pare_dtype d = (pare_dtype)i;

        CHECK(r, pare_dtype_parse(pare_dtype_name(d)) == d, "%s", pare_dtype_name(d));
        CHECK(r, pare_dtype_from_onnx(pare_dtype_to_onnx(d)) == d, "%s", pare_dtype_name(d));
    }
    CHECK(r, pare_dtype_parse("q7") == PARE_NO_DTYPE, "q7");
    CHECK(r, pare_dtype_from_onnx(999) == PARE_NO_DTYPE, "999");
    CHECK(r, pare_dtype_lo(PARE_s8) == -128 && pare_dtype_hi(PARE_u4) == 15, "bounds");
}

static void halves(runner *r)
{
    for (uint32_t bits = 0; bits < 65536; bits++) {
        const float half = pare_f16_to_f32((uint16_t)bits), brain = pare_bf16_to_f32((uint16_t)bits);

        if (half == half)
            CHECK(r, pare_f32_to_f16(half) == bits, "f16 0x%04x -> 0x%04x", bits, pare_f32_to_f16(half));
        else
            CHECK(r, isnan(pare_f16_to_f32(pare_f32_to_f16(half))), "f16 0x%04x loses NaN", bits);
        if (brain == brain)
            CHECK(r, pare_f32_to_bf16(brain) == bits, "bf16 0x%04x -> 0x%04x", bits, pare_f32_to_bf16(brain));
        else
            CHECK(r, isnan(pare_bf16_to_f32(pare_f32_to_bf16(brain))), "bf16 0x%04x loses NaN", bits);
    }
    CHECK(r, pare_f32_to_f16(1.0f + 0x1p-11f) == 0x3c00, "a tie goes to even");
    CHECK(r, pare_f32_to_f16(1.0f + 3 * 0x1p-11f) == 0x3c02, "a tie goes to even");
    CHECK(r, pare_f32_to_f16(65519.996f) == 0x7bff && pare_f32_to_f16(65520.0f) == 0x7c00, "overflow");
    CHECK(r, pare_f32_to_f16(0x1p-25f) == 0 && pare_f32_to_f16(0x1.8p-25f) == 1, "underflow");
    CHECK(r, pare_f32_to_bf16(FLT_MAX) == 0x7f80, "overflow");
}

static void shapes(runner *r)
{
    char       text[PARE_SHAPE_TEXT];
    pare_shape a = SHAPE(2, 1, 4), b = SHAPE(3, 1), out = { 0 };

    CHECK(r, strcmp(pare_shape_text(&a, text), "[2,1,4]") == 0, "%s", text);
    const bool fits = pare_shape_broadcast(&a, &b, &out);
    CHECK(r, fits && pare_shape_equal(&out, &SHAPE(2, 3, 4)), "%s", pare_shape_text(&out, text));
    CHECK(r, !pare_shape_broadcast(&a, &SHAPE(3), &out), "4 and 3 do not fit");
    CHECK(r, pare_shape_broadcast(&SHAPE(PARE_DIM_ANY, 4), &SHAPE(1, 4), &out) && out.dim[0] == PARE_DIM_ANY, "any");
    CHECK(r, pare_shape_broadcast(&SHAPE(PARE_DIM_ANY, 4), &SHAPE(7, 1), &out) && out.dim[0] == 7, "any");
    CHECK(r, pare_shape_broadcast(&SHAPE(0, 4), &SHAPE(1, 1), &out) && out.dim[0] == 0, "empty");
    CHECK(r, pare_shape_count(&SHAPE(PARE_DIM_ANY, 4)) == -1, "not fixed");
    CHECK(r, pare_shape_count(&SHAPE(INT64_MAX, 0, INT64_MAX)) == 0, "empty");
    CHECK(r, pare_shape_count(&SHAPE(INT64_C(1) << 31, INT64_C(1) << 31)) == INT64_C(1) << 62, "2^62");
    CHECK(r, pare_shape_count(&SHAPE(INT64_C(1) << 31, INT64_C(1) << 31, 2)) == -1, "2^63");
    pare_shape widest = { .rank = PARE_MAX_RANK };
    for (int i = 0; i < PARE_MAX_RANK; i++)
        widest.dim[i] = INT64_MIN;
    CHECK(r, strlen(pare_shape_text(&widest, text)) == 169, "%s", text);
    out = pare_shape_of(0, NULL);
    CHECK(r, pare_shape_count(&out) == 1 && strcmp(pare_shape_text(&out, text), "[]") == 0, "scalar");
    const pare_tensor absurd = pare_tensor_of(PARE_f32, SHAPE(INT64_C(1) << 40, INT64_C(1) << 22));
    CHECK(r, pare_tensor_bytes(&absurd) == -1, "2^64 bytes");
    const pare_tensor nibbles = pare_tensor_of(PARE_s4, SHAPE(3, 3));
    CHECK(r, pare_tensor_bytes(&nibbles) == 5, "nine nibbles");
}

static void elements(runner *r)
{
    for (int i = 1; i < PARE_N_DTYPES; i++) {
        const pare_dtype d = (pare_dtype)i;
        const bool       real = pare_dtype_kind(d) == PARE_KIND_FLOAT;
        const int64_t    lo = real ? -3 : pare_dtype_lo(d), hi = real ? 5 : pare_dtype_hi(d);
        pare_tensor      t = filled(d, SHAPE(3, 3));

        for (int64_t j = 0; j < 9; j++)
            pare_tensor_set_int(&t, j, j % 2 ? lo : hi);
        for (int64_t j = 0; j < 9; j++)
            CHECK(r, pare_tensor_int(&t, j) == (j % 2 ? lo : hi), "%s [%d]", pare_dtype_name(d), (int)j);
        pare_tensor_set_real(&t, 4, 1);
        CHECK(r, pare_tensor_real(&t, 4) == 1 && pare_tensor_int(&t, 3) == lo, "%s", pare_dtype_name(d));
        pare_tensor_release(&t);
    }
    pare_tensor t = filled(PARE_s64, SHAPE(4));
    pare_tensor_set_real(&t, 0, NAN);
    pare_tensor_set_real(&t, 1, INFINITY);
    pare_tensor_set_real(&t, 2, -INFINITY);
    pare_tensor_set_real(&t, 3, -2.75);
    CHECK(r, pare_tensor_int(&t, 0) == 0 && pare_tensor_int(&t, 1) == INT64_MAX, "NaN and inf");
    CHECK(r, pare_tensor_int(&t, 2) == INT64_MIN && pare_tensor_int(&t, 3) == -2, "-inf and truncation");
    pare_tensor_release(&t);
}

static void views(runner *r)
{
    pare_tensor       t = filled(PARE_s32, SHAPE(2, 3, 4));
    const pare_tensor p = pare_tensor_permuted(&t, (const int[]){ 2, 0, 1 });
    const pare_shape  flat = SHAPE(6, 4), wide = SHAPE(5, 2, 3, 4);
    const pare_tensor f = pare_tensor_reshaped(&t, &flat), w = pare_tensor_broadcast_to(&t, &wide);

    CHECK(r, pare_tensor_is_dense(&t) && pare_tensor_is_dense(&f) && !pare_tensor_is_dense(&p), "dense");
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 6; j++)
            CHECK(r, pare_tensor_int(&p, i * 6 + j) == j * 4 + i, "permuted [%d][%d]", (int)i, (int)j);
    for (int64_t i = 0; i < 120; i++)
        CHECK(r, pare_tensor_int(&w, i) == i % 24, "broadcast [%d]", (int)i);

    pare_tensor c = pare_tensor_of(PARE_s32, p.shape);
    if (CHECK(r, pare_tensor_alloc(&c) == PARE_OK, "%s", pare_error())) {
        pare_tensor_copy(&c, &p);
        for (int64_t i = 0; i < 24; i++)
            CHECK(r, pare_tensor_int(&c, i) == pare_tensor_int(&p, i), "copy [%d]", (int)i);
    }
    pare_tensor_release(&c);
    pare_tensor_release(&t);

    pare_tensor empty = filled(PARE_f32, SHAPE(0, 3));
    CHECK(r, pare_tensor_is_dense(&empty) && empty.buf != NULL, "an empty tensor has a buffer");
    pare_tensor_copy(&empty, &empty);
    pare_tensor_release(&empty);
}

/* ------------------------------------------------------------------------------------------------------------ rows */

enum { DENSE, CHANNELS_LAST, PADDED, SLICED, BROADCAST, N_LAYOUTS };
static const char *const layout_names[N_LAYOUTS] = { "dense", "channels-last", "padded", "sliced", "broadcast" };

/* A tensor of [2,3,4,5] in one of the layouts; *whole owns the bytes. */
static pare_tensor laid_out(int layout, pare_tensor *whole)
{
    const pare_shape shape = SHAPE(2, 3, 4, 5);
    pare_tensor      view;

    switch (layout) {
    case DENSE:
        *whole = filled(PARE_s32, shape);
        view = *whole;
        break;
    case CHANNELS_LAST:
        *whole = filled(PARE_s32, SHAPE(2, 4, 5, 3));
        view = pare_tensor_permuted(whole, (const int[]){ 0, 3, 1, 2 });
        break;
    case PADDED: /* channels-last with 16 elements per pixel */
        *whole = filled(PARE_s32, SHAPE(2, 4, 5, 16));
        view = pare_tensor_permuted(whole, (const int[]){ 0, 3, 1, 2 });
        break;
    case SLICED:
        *whole = filled(PARE_s32, SHAPE(2, 3, 6, 9));
        view = *whole;
        view.data = (int32_t *)whole->data + 9 + 2;
        break;
    default:
        *whole = filled(PARE_s32, SHAPE(3, 1, 5));
        view = pare_tensor_broadcast_to(whole, &shape);
        break;
    }
    view.shape = shape;
    return view;
}

/* y = a + b over rows, in `parts` parts, must give each element once. */
static void check_add(runner *r, const int layout[3], int parts)
{
    pare_tensor whole[3], y = laid_out(layout[0], &whole[0]), a = laid_out(layout[1], &whole[1]),
                          b = laid_out(layout[2], &whole[2]);
    int64_t seen = 0;

    for (int64_t i = 0; i < 120; i++)
        pare_tensor_set_int(&y, i, 0);
    for (int part = 0; part < parts; part++) {
        pare_rows rows;

        pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ &y, &a, &b }, part, parts);
        while (pare_rows_next(&rows)) {
            for (int64_t i = 0; i < rows.n; i++)
                ((int32_t *)rows.ptr[0])[i * rows.step[0]] +=
                    ((int32_t *)rows.ptr[1])[i * rows.step[1]] + ((int32_t *)rows.ptr[2])[i * rows.step[2]];
            seen += rows.n;
        }
    }
    CHECK(r, seen == 120, "%d elements walked instead of 120", (int)seen);
    for (int64_t i = 0; i < 120; i++) {
        const int64_t want = pare_tensor_int(&a, i) + pare_tensor_int(&b, i), got = pare_tensor_int(&y, i);

        if (!CHECK(r, got == want, "y %s, a %s, b %s, %d parts: [%d] want %d, got %d", layout_names[layout[0]],
                   layout_names[layout[1]], layout_names[layout[2]], parts, (int)i, (int)want, (int)got))
            break;
    }
    for (int k = 0; k < 3; k++)
        pare_tensor_release(&whole[k]);
}

static void rows_cover(runner *r)
{
    for (int i = 0; i < BROADCAST * N_LAYOUTS * N_LAYOUTS; i++)
        for (int parts = 1; parts < 9; parts++)
            check_add(r, (const int[]){ i / (N_LAYOUTS * N_LAYOUTS), i / N_LAYOUTS % N_LAYOUTS, i % N_LAYOUTS }, parts);
}

/* Rows of `t` walked with `other`: how many, how long, and the step along the first row. */
static void count_rows(const pare_tensor *t, const pare_tensor *other, int64_t result[3])
{
    pare_rows rows;

    result[0] = result[1] = result[2] = 0;
    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ t, other }, 0, 1);
    while (pare_rows_next(&rows)) {
        result[0]++;
        result[1] = rows.n;
        result[2] = rows.step[0];
    }
}

static void rows_merge(runner *r)
{
    static const int64_t want[N_LAYOUTS][3] = {
        [DENSE] = { 1, 120, 1 },
        [CHANNELS_LAST] = { 1, 120, 1 },
        [PADDED] = { 40, 3, 1 },
        [SLICED] = { 24, 5, 1 },
    };

    for (int layout = 0; layout < BROADCAST; layout++) {
        pare_tensor whole, t = laid_out(layout, &whole);
        int64_t     got[3];

        count_rows(&t, &t, got);
        CHECK(r, memcmp(got, want[layout], sizeof(got)) == 0, "%s: %d rows of %d", layout_names[layout], (int)got[0],
              (int)got[1]);
        pare_tensor_release(&whole);
    }

    /* A row vector along the last axis leaves rows of it; a scalar merges with everything. */
    pare_tensor t = filled(PARE_f32, SHAPE(4, 6)), v = filled(PARE_u8, SHAPE(6)), s = filled(PARE_f64, SHAPE(1));
    int64_t     got[3];
    count_rows(&t, &v, got);
    CHECK(r, got[0] == 4 && got[1] == 6, "%d rows of %d", (int)got[0], (int)got[1]);
    count_rows(&t, &s, got);
    CHECK(r, got[0] == 1 && got[1] == 24, "%d rows of %d", (int)got[0], (int)got[1]);
    count_rows(&s, &s, got);
    CHECK(r, got[0] == 1 && got[1] == 1, "%d rows of %d", (int)got[0], (int)got[1]);
    pare_tensor_release(&t);
    pare_tensor_release(&v);
    pare_tensor_release(&s);
}

/* One long row is shared by parts at cache-line borders; an empty tensor has no rows. */
static void rows_split(runner *r)
{
    pare_tensor t = filled(PARE_s8, SHAPE(1000));
    int64_t     next = 0;

    for (int part = 0; part < 7; part++) {
        pare_rows rows;

        pare_rows_begin(&rows, 1, (const pare_tensor *const[]){ &t }, part, 7);
        while (pare_rows_next(&rows)) {
            CHECK(r, rows.ptr[0] - (char *)t.data == next && next % 64 == 0, "part %d starts at %d", part, (int)next);
            next += rows.n;
        }
    }
    CHECK(r, next == 1000, "%d elements walked", (int)next);
    pare_tensor_release(&t);

    pare_tensor empty = filled(PARE_f32, SHAPE(3, 0, 2));
    int64_t     got[3];
    count_rows(&empty, &empty, got);
    CHECK(r, got[0] == 0, "an empty tensor has %d rows", (int)got[0]);
    pare_tensor_release(&empty);
}

/* --------------------------------------------------------------------------------------------------------- qparams */

static void choose(runner *r)
{
    static const struct {
        float       min, max;
        pare_scheme scheme;
        pare_qrange range;
        float       eps, scale;
        int32_t     zero;
    } cases[] = {
        { 0, 255, PARE_AFFINE, { 0, 255 }, 0, 1, 0 },
        { -1, 1.55f, PARE_AFFINE, { 0, 255 }, 0, 2.55f / 255, 100 },
        { 10, 255, PARE_AFFINE, { 0, 255 }, 0, 1, 0 }, /* the range is widened to hold 0 */
        { -255, -10, PARE_AFFINE, { 0, 255 }, 0, 1, 255 },
        { -128, 127, PARE_AFFINE, { -128, 127 }, 0, 1, 0 },
        { -0.5f, 14.5f, PARE_AFFINE, { 0, 15 }, 0, 1, 0 }, /* 0.5 is a tie: half to even */
        { -1.5f, 13.5f, PARE_AFFINE, { 0, 15 }, 0, 1, 2 }, /* 1.5 is a tie: half to even */
        { 0, 127, PARE_AFFINE, { 0, 127 }, 0, 1, 0 },      /* reduced range: its true bounds */
        { 0, 0, PARE_AFFINE, { 0, 255 }, 0, FLT_EPSILON, 0 },
        { 0, 0, PARE_SYMMETRIC, { -127, 127 }, 0.25f, 0.25f, 0 },
        { -254, 3, PARE_SYMMETRIC, { -127, 127 }, 0, 2, 0 },
        { -254, 3, PARE_SYMMETRIC, { -128, 127 }, 0, 2, 0 },
        { -3, 127, PARE_SYMMETRIC, { 0, 255 }, 0, 1, 128 },
        { -FLT_MAX / 2, FLT_MAX / 2, PARE_AFFINE, { 0, 255 }, 0, FLT_MAX / 255, 128 },
        { -0x1p31f, 0, PARE_SYMMETRIC, { -INT32_MAX, INT32_MAX }, 0, 1, 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        float             scale = 0;
        int32_t           zero = -1000;
        const pare_status status = pare_qparams_choose(cases[i].min, cases[i].max, cases[i].scheme, cases[i].range,
                                                       cases[i].eps, &scale, &zero);

        CHECK(r, status == PARE_OK && scale == cases[i].scale && zero == cases[i].zero,
              "case %d: scale %.9g zero %d, want %.9g %d", (int)i, (double)scale, zero, (double)cases[i].scale,
              cases[i].zero);
    }
    static const float bad[][2] = { { NAN, 1 },           { 0, NAN }, { -INFINITY, 0 },
                                    { 0, INFINITY },      { 1, -1 },  { INFINITY, -INFINITY },
                                    { -FLT_MAX, FLT_MAX } };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        float   scale;
        int32_t zero;

        CHECK(r,
              pare_qparams_choose(bad[i][0], bad[i][1], PARE_AFFINE, (pare_qrange){ 0, 255 }, 0, &scale, &zero) ==
                  PARE_ERR_NUMERIC,
              "[%g, %g] gives a scale", (double)bad[i][0], (double)bad[i][1]);
    }
}

static void quantize_one(runner *r)
{
    static const struct {
        float       x, scale;
        int32_t     zero;
        pare_qrange range;
        int32_t     want;
    } cases[] = {
        { 0.5f, 1, 0, { -128, 127 }, 0 },
        { 1.5f, 1, 0, { -128, 127 }, 2 },
        { -0.5f, 1, 0, { -128, 127 }, 0 },
        { -2.5f, 1, 0, { -128, 127 }, -2 },
        { NAN, 1, 3, { 0, 255 }, 0 },
        { INFINITY, 1, 0, { 0, 255 }, 255 },
        { -INFINITY, 1, 0, { -128, 127 }, -128 },
        { 1e30f, 1e-30f, 0, { -128, 127 }, 127 },
        { -1e9f, 1, 128, { 0, 255 }, 0 },
        { 3e9f, 1, 0, { INT32_MIN, INT32_MAX }, INT32_MAX },
        { -3e9f, 1, 0, { INT32_MIN, INT32_MAX }, INT32_MIN },
        { 100, 1, 0, { 0, 63 }, 63 },
        { -0.0f, 1, 7, { 0, 255 }, 7 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int32_t got = pare_quantize_one(cases[i].x, cases[i].scale, cases[i].zero, cases[i].range);

        CHECK(r, got == cases[i].want, "case %d: want %d, got %d", (int)i, cases[i].want, got);
    }
    CHECK(r, pare_qrange_of(PARE_s8, true).lo == -127 && pare_qrange_of(PARE_s8, false).lo == -128, "s8");
    CHECK(r, pare_qrange_of(PARE_s4, true).lo == -7 && pare_qrange_of(PARE_s2, true).lo == -2, "s4, s2");
    CHECK(r, pare_qrange_of(PARE_u8, true).lo == 0 && pare_qrange_of(PARE_s32, true).lo == -INT32_MAX, "u8, s32");
}

/* Every granularity on a strided tensor against the definition, element by element. */
static void whole_tensors(runner *r)
{
    static const float        scale[] = { 0.5f, 0.25f, 2.0f, 1.0f, 0.125f, 4.0f };
    static const int32_t      zero[] = { 1, -2, 3, 0, -128, 127 };
    static const float        offset[] = { 0.5f, 0, -1, 3, 0.25f, 0 };
    static const pare_qparams q[] = {
        { scale, NULL, NULL, 1, 0, 0 }, { scale, zero, offset, 1, 0, 0 }, { scale, zero, NULL, 3, 0, 0 },
        { scale, zero, NULL, 4, 1, 0 }, { scale, zero, offset, 6, 1, 3 }, /* 4 columns in blocks of 3: two per row, 3 rows */
    };
    const int entries[][12] = {
        { 0 },
        { 0 },
        { 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2 },
        { 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3 },
        { 0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5 },
    };
    static const pare_dtype types[] = { PARE_s8, PARE_s4, PARE_s16 };

    for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++)
        for (size_t d = 0; d < 3; d++) {
            pare_rng          rng = pare_rng_seed(r->seed + i);
            pare_tensor       whole = filled(PARE_f32, SHAPE(4, 3)), y = filled(types[d], SHAPE(3, 4));
            pare_tensor       back = filled(PARE_f32, SHAPE(3, 4));
            const pare_tensor x = pare_tensor_permuted(&whole, (const int[]){ 1, 0 });
            const pare_qrange range = pare_qrange_of(types[d], false);

            for (int64_t j = 0; j < 12; j++)
                pare_tensor_set_real(&whole, j, pare_rng_uniform(&rng, -20, 20));
            y.q = &q[i];
            pare_tensor_quantize(&x, &y, range);
            pare_tensor_dequantize(&y, &back);
            for (int64_t j = 0; j < 12; j++) {
                const int     e = entries[i][j];
                const float   off = q[i].offset ? offset[e] : 0;
                const int32_t z = q[i].zero ? zero[e] : 0;
                const int32_t want = pare_quantize_one((float)pare_tensor_real(&x, j) - off, scale[e], z, range);

                CHECK(r, pare_tensor_int(&y, j) == want, "%s case %d [%d]", pare_dtype_name(types[d]), (int)i, (int)j);
                CHECK(r, pare_tensor_real(&back, j) == (float)(want - z) * scale[e] + off, "%s case %d [%d]",
                      pare_dtype_name(types[d]), (int)i, (int)j);
            }
            pare_tensor_release(&whole);
            pare_tensor_release(&y);
            pare_tensor_release(&back);
        }
}

static void copies(runner *r)
{
    static const float   scale[] = { 1, 2 };
    static const int32_t zero[] = { 3, 4 }, none[] = { 0, 0 };
    const pare_qparams   q = { scale, zero, NULL, 2, 1, 0 }, plain = { scale, NULL, NULL, 2, 1, 0 },
                       zeros = { scale, none, NULL, 2, 1, 0 }, other = { scale, zero, NULL, 2, 0, 0 };
    pare_qparams *const copy = pare_qparams_copy(&q);

    if (CHECK(r, copy != NULL, "out of memory"))
        CHECK(r, pare_qparams_equal(copy, &q) && copy->scale != scale && copy->zero != zero, "copy");
    pare_free(copy);
    CHECK(r, pare_qparams_equal(&plain, &zeros) && !pare_qparams_equal(&q, &plain), "zero");
    CHECK(r, !pare_qparams_equal(&q, &other) && !pare_qparams_equal(&q, NULL), "axis");
    CHECK(r, pare_qparams_equal(NULL, NULL), "none");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "dtypes", dtypes },
        { "halves", halves },
        { "shapes", shapes },
        { "elements", elements },
        { "views", views },
        { "rows_cover", rows_cover },
        { "rows_merge", rows_merge },
        { "rows_split", rows_split },
        { "choose", choose },
        { "quantize_one", quantize_one },
        { "whole_tensors", whole_tensors },
        { "copies", copies },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
