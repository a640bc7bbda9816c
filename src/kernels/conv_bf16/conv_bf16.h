/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_bf16.h - float convolution and matrix product whose operands are rounded to bf16: opt-in, outside the promise of
 * equal bits
 *
 * x and weights are rounded to bfloat16 (nearest, ties to even); their products are exact in f32, and are added up in
 * f32, two neighbouring k at a time, in the order k + 1, k, from the bias on. Versions may flush numbers below 2^-126 to
 * zero. So two versions differ by rounding of the sums only: by at most (k + 2) * 2^-23 times the sum of the absolute
 * products. k runs over taps, then channels, as in conv_f32.h, whose description, memory and clamp these are; there are no
 * groups and no residual.
 */
#ifndef PARE_KERNELS_CONV_BF16_H
#define PARE_KERNELS_CONV_BF16_H

#include <stdint.h>

#include "kernels/conv_f32/conv_f32.h"

/* Up to mr rows of rounded x times a panel of up to nr columns. */
typedef struct pare_bf16_tile {
    const uint16_t *x; /* [m][2 * pairs] by x_row                  */
    ptrdiff_t       x_row;
    const uint16_t *w;    /* [pairs][nr][2]                           */
    const float    *init; /* [n], or NULL: 0                          */
    float *const   *y;    /* [m] rows, of which n floats from `column` on are written */
    int             column;
    float           lo, hi;
    int             pairs, m, n;
} pare_bf16_tile;

typedef struct pare_bf16_kernel {
    const char *name;
    bool        native; /* needs an instruction set with products of bf16 */
    int         mr, nr;
    void (*tile)(const pare_bf16_tile *t);
    void (*round)(long n, const float *x, uint16_t *y); /* y[n] */
} pare_bf16_kernel;

/* Best first; portable C, which is slow, is the last. `cpu`: the feature word. */
int pare_bf16_candidates(unsigned cpu, const pare_bf16_kernel *out[], int max);

/* Weight [column][tap][channel] as the caller has it, in floats from `data`. */
typedef struct pare_bf16_weights {
    const float *data;
    ptrdiff_t    column, tap, channel;
} pare_bf16_weights;

typedef struct pare_conv_bf16_plan pare_conv_bf16_plan;

/* Packs the weights; nothing is kept. d->group must be 1. Fails only when memory is short. */
pare_status pare_conv_bf16_create(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *bias,
                                  const pare_bf16_kernel *kernel, pare_conv_bf16_plan **out);
void        pare_conv_bf16_destroy(pare_conv_bf16_plan *plan); /* NULL is fine */

/* Bytes that a part needs, 64-byte aligned. */
size_t pare_conv_bf16_scratch(const pare_conv_bf16_plan *plan);

/* As pare_conv_f32_share. */
bool pare_conv_bf16_share(const pare_conv_bf16_plan *plan, int part, int parts, long *first, long *last);
void pare_conv_bf16_run(const pare_conv_bf16_plan *plan, const float *x, float *y, const int share[2], void *scratch);

/* The definition. */
void pare_conv_bf16_ref(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *bias, const float *x,
                        float *y);

#endif
