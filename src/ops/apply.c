/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.c - the float row kernels, applied to tensors of any strides
 *
 * Rows are handed over in pieces: short enough that a clamp behind the kernel finds them in the cache, and strided ones
 * pass through buffers on the stack.
 */
#include "ops/apply.h"

#include <string.h>

enum { PIECE = 1024 };

static void pull(float *dst, const float *src, int64_t step, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = src[i * step];
}

static void push(float *dst, int64_t step, const float *src, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        dst[i * step] = src[i];
}

static void unary_row(pare_unary_f32 f, pare_unary_f32_fn *fast, int64_t n, const float *x, float *y,
                      const float *param)
{
    if (fast)
        fast((long)n, x, y, param);
    else
        pare_unary_f32_ref(f, (long)n, x, y, param);
}

void pare_apply_unary(const pare_tensor *y, const pare_tensor *x, pare_unary_f32 f, const float *param,
                      pare_share share)
{
    pare_unary_f32_fn *const fast = share.step ? pare_unary_f32_row(f, share.step->cpu) : NULL;
    pare_rows                r;
    float                    piece[PIECE];

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ y, x }, share.part, share.parts);
    while (pare_rows_next(&r)) {
        float *const       to = (float *)r.ptr[0];
        const float *const from = (const float *)r.ptr[1];
        if (r.step[0] == 1 && r.step[1] == 1) {
            unary_row(f, fast, r.n, from, to, param);
            continue;
        }
        for (int64_t i = 0; i < r.n; i += PIECE) {
            const int64_t n = r.n - i < PIECE ? r.n - i : PIECE;
            pull(piece, from + i * r.step[1], r.step[1], n);
            unary_row(f, fast, n, piece, piece, param);
            push(to + i * r.step[0], r.step[0], piece, n);
        }
    }
}

/* One piece of a row: n <= PIECE elements from index i on. */
static void binary_piece(const pare_rows *r, int64_t i, int64_t n, pare_binary_f32_fn *f, float *result)
{
    const float *a = (const float *)r->ptr[1] + i * r->step[1];
    const float *b = (const float *)r->ptr[2] + i * r->step[2];
    float        a_piece[PIECE], b_piece[PIECE];

    if (r->step[1] != 1 && (r->step[1] != 0 || r->step[2] == 0)) {
        pull(a_piece, a, r->step[1], n);
        a = a_piece;
    }
    if (r->step[2] > 1 || r->step[2] < 0) {
        pull(b_piece, b, r->step[2], n);
        b = b_piece;
    }
    f((long)n, a, b, result, r->step[2] == 0 ? PARE_ROW_SCALAR_B : r->step[1] == 0 ? PARE_ROW_SCALAR_A : PARE_ROW_BOTH);
}

void pare_apply_binary(const pare_tensor *y, const pare_tensor *a, const pare_tensor *b, pare_binary_f32 f,
                       const float *clamp, pare_share share)
{
    const pare_rows_f32_kernel *const kernel = share.step ? pare_rows_f32_best(share.step->cpu) : &pare_rows_f32_ref;
    pare_unary_f32_fn *const clip = share.step ? pare_unary_f32_row(PARE_UNARY_F32_clip, share.step->cpu) : NULL;
    pare_rows                r;
    float                    buffer[PIECE];

    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ y, a, b }, share.part, share.parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i += PIECE) {
            const int64_t n = r.n - i < PIECE ? r.n - i : PIECE;
            float *const  to = (float *)r.ptr[0] + i * r.step[0];
            float *const  result = r.step[0] == 1 ? to : buffer;
            binary_piece(&r, i, n, kernel->binary[f], result);
            if (clamp)
                unary_row(PARE_UNARY_F32_clip, clip, n, result, result, clamp);
            if (result != to)
                push(to, r.step[0], result, n);
        }
}

const char *pare_apply_kernel_name(const pare_step *step)
{
    return pare_rows_f32_best(step->cpu)->name;
}
