/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32.h - float matrix product, and the micro-kernels that float convolution runs on too
 *
 *     y[i][j] = clamp(chain(init[i][j]; a[i][0] * b[0][j], a[i][1] * b[1][j], ...) + add[i][j])
 *
 * Each output is ONE chain of fmaf, k ascending, that starts from init (docs/NUMERICS.md 9). Every version therefore
 * gives the bits of pare_gemm_f32_ref, for any split into parts; only the sign and payload of a NaN are left open
 * (a NaN is still a NaN everywhere). Rows and columns are vectorised, k never is.
 *
 *   - add is one rounded addition after the chain: the bits of an unfused add.
 *   - clamp: v = v < lo ? lo : v; v = v > hi ? hi : v; so NaN stays NaN. -INFINITY and INFINITY clamp nothing.
 *   - Exactly m x k elements of a and m x n of init and add are read, m x n of y are written: no padding is touched.
 *   - y may be the same memory as init or add (same row stride); it must not overlap a or the packed b.
 */
#ifndef PARE_KERNELS_GEMM_F32_H
#define PARE_KERNELS_GEMM_F32_H

#include <stdbool.h>
#include <stddef.h>

#include "cpu/cpu.h"

/*
 * The work of one micro-kernel call: m rows by n columns. Row i of the left operand is read in `n_taps` runs of `k`
 * floats, at x + i * x_row + taps[t]: a plain product has one tap (offset 0), a convolution one per weight position.
 * Strides and offsets count floats.
 */
typedef struct pare_gemm_f32_tile {
    const float     *x;     /* row 0                                                         */
    ptrdiff_t        x_row; /* from row to row                                               */
    const ptrdiff_t *taps;  /* [n_taps]                                                      */
    int              n_taps;
    int              k;        /* floats per tap                                                */
    const float     *w;        /* packed panel, [n_taps * k][width]                             */
    const float     *init;     /* [m][n] by init_row, or NULL: +0                               */
    ptrdiff_t        init_row; /* 0: one row for all, a bias                                    */
    const float     *add;      /* [m][n] by add_row, or NULL                                    */
    ptrdiff_t        add_row;
    float           *y; /* [m][n] by y_row                                               */
    ptrdiff_t        y_row;
    float            lo;
    float            hi;
    int              m; /* rows, 1..mr                                                   */
    int              n; /* columns, 1..nr (`row`: any number)                            */
} pare_gemm_f32_tile;

/*
 * One version. B is packed into panels of nr columns, [panel][k][nr]; the last panel is only as wide as its columns
 * need, rounded up to a multiple of `lane`, with zeros in the columns that do not exist.
 */
typedef struct pare_gemm_f32_kernel {
    const char *name;
    unsigned    isa;
    int         mr;
    int         nr;
    int         lane;
    void (*tile)(const pare_gemm_f32_tile *t); /* one panel, m <= mr, n <= nr                             */
    void (*row)(const pare_gemm_f32_tile *t);  /* m == 1, all the panels of n columns: matrix times vector */
} pare_gemm_f32_kernel;

/* The versions this CPU runs, best first, at most `max`; returns how many. Each fits every shape. */
int pare_gemm_f32_candidates(unsigned cpu, const pare_gemm_f32_kernel *out[], int max);

/* Most rows a tile should have when they lie x_row floats apart: mr, or fewer where they collide in the cache. */
int pare_gemm_f32_tile_rows(const pare_gemm_f32_kernel *kernel, ptrdiff_t x_row);

/* Width of the panel that starts at column `column` of `n`, and floats of all panels together. */
int    pare_gemm_f32_panel_width(const pare_gemm_f32_kernel *kernel, int n, int column);
size_t pare_gemm_f32_packed_size(const pare_gemm_f32_kernel *kernel, int n, int k);

/* B as the caller has it: b[p][j] is data[p * k_stride + j * n_stride], so a transposed B is a pair of strides. */
typedef struct pare_gemm_f32_b {
    const float *data;
    ptrdiff_t    k_stride;
    ptrdiff_t    n_stride;
    int          k;
    int          n;
} pare_gemm_f32_b;

/* Packs part `part` of `parts` of B (whole panels) into packed[pare_gemm_f32_packed_size]. Cannot fail. */
void pare_gemm_f32_pack(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_b *b, float *packed, int part,
                        int parts);

typedef struct pare_gemm_f32_args {
    int          m;
    int          n;
    int          k;
    const float *a; /* [m][k] by a_row                    */
    ptrdiff_t    a_row;
    const float *init;     /* [m][n] by init_row, or NULL: +0    */
    ptrdiff_t    init_row; /* 0: one row for all, a bias         */
    const float *add;      /* [m][n] by add_row, or NULL         */
    ptrdiff_t    add_row;
    float       *y; /* [m][n] by y_row                    */
    ptrdiff_t    y_row;
    float        lo; /* -INFINITY and INFINITY: no clamp   */
    float        hi;
} pare_gemm_f32_args;

/* Rows of a part that are enough to use each element of B again: more parts than that share columns. */
enum { PARE_GEMM_F32_FEW_ROWS = 48 };

/* Which rows of m x n part `part` writes: first .. last-1. False: it writes some columns of all rows. */
bool pare_gemm_f32_share(const pare_gemm_f32_kernel *kernel, const long size[2], int part, int parts, long rows[2]);

/*
 * Part `part` of `parts` of the product with a B packed for `kernel`. Cannot fail, allocate or lock. Rows are split
 * over the parts where there are enough, panels otherwise; the result does not depend on it.
 */
void pare_gemm_f32_run(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_args *g, const float *packed, int part,
                       int parts);

/* The definition. */
void pare_gemm_f32_ref(const pare_gemm_f32_args *g, const pare_gemm_f32_b *b);

#endif
