/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_f32.c - choosing a version, packing B, and walking the tiles of a product */
#include "kernels/gemm_f32/gemm_f32.h"

#include <string.h>

#include "base/pool.h"
#include "kernels/gemm_f32/gemm_f32_turn.h"

#define GEMM_F32(mr, nr, lane, name, isa)                        \
    void pare_gemm_f32_tile_##name(const pare_gemm_f32_tile *t); \
    void pare_gemm_f32_row_##name(const pare_gemm_f32_tile *t);
#include "kernels/gemm_f32/gemm_f32.def"
#undef GEMM_F32

static const pare_gemm_f32_kernel kernels[] = {
#define GEMM_F32(mr, nr, lane, name, isa) \
    { "gemm_f32_" #mr "x" #nr "_" #name, isa, mr, nr, lane, pare_gemm_f32_tile_##name, pare_gemm_f32_row_##name },
#include "kernels/gemm_f32/gemm_f32.def"
#undef GEMM_F32
};

/* A's rows that are visited before the next panel of B: they should still be in the second-level cache then. */
enum { STRIP_FLOATS = 32 * 1024 };

int pare_gemm_f32_candidates(unsigned cpu, const pare_gemm_f32_kernel *out[], int max)
{
    int n = 0;

    for (size_t i = 0; n < max && i < sizeof(kernels) / sizeof(kernels[0]); i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

/*
 * A tile reads one cache line of every row at the same time, and sixteen times the same ones. Lines 4096 bytes apart
 * fall into the same set of a first-level cache (64 sets of 64 bytes), which has 8 ways or more; one is left for B.
 */
int pare_gemm_f32_tile_rows(const pare_gemm_f32_kernel *kernel, ptrdiff_t x_row)
{
    const ptrdiff_t set_period = 4096 / (ptrdiff_t)sizeof(float);
    const int       ways = 7;

    return x_row % set_period == 0 && kernel->mr > ways ? ways : kernel->mr;
}

int pare_gemm_f32_panel_width(const pare_gemm_f32_kernel *kernel, int n, int column)
{
    const int left = n - column;

    return left >= kernel->nr ? kernel->nr : (left + kernel->lane - 1) / kernel->lane * kernel->lane;
}

size_t pare_gemm_f32_packed_size(const pare_gemm_f32_kernel *kernel, int n, int k)
{
    const int full = n / kernel->nr * kernel->nr;

    return ((size_t)full + (size_t)pare_gemm_f32_panel_width(kernel, n, full)) * (size_t)k;
}

/* Columns first .. n of `count` k: src[j * n_stride + i * k_stride] to dst[i * width + j]. */
static void scatter(const pare_gemm_f32_b *b, const float *src, int first, int n, int count, int width, float *dst)
{
    for (int j = first; j < n; j++)
        for (int i = 0; i < count; i++)
            dst[(size_t)i * width + j] = src[i * b->k_stride + j * b->n_stride];
}

/*
 * One panel: dst[k][width] from n columns, in blocks of sixteen k, so that of a transposed B whole cache lines are used
 * while the block that they are scattered into stays in the first-level cache.
 */
static void pack_panel(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_b *b, const float *src, int n, int width,
                       float *dst)
{
    const int              block = 16;
    pare_gemm_f32_turn_fn *turn = b->k_stride == 1 ? pare_gemm_f32_turn(kernel) : NULL;

    if (n < width)
        memset(dst, 0, sizeof(float) * (size_t)width * (size_t)b->k);
    if (b->n_stride == 1) {
        for (int p = 0; p < b->k; p++)
            memcpy(dst + (size_t)p * width, src + p * b->k_stride, sizeof(float) * (size_t)n);
        return;
    }
    for (int p = 0; p < b->k; p += block) {
        const int    count = b->k - p < block ? b->k - p : block;
        const float *from = src + p * b->k_stride;
        float       *to = dst + (size_t)p * width;
        int          j = 0;

        for (; turn && count == block && j + block <= n; j += block)
            turn(from + j * b->n_stride, b->n_stride, to + j, width);
        scatter(b, from, j, n, count, width, to);
    }
}

void pare_gemm_f32_pack(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_b *b, float *packed, int part,
                        int parts)
{
    long begin, end;

    pare_pool_split(b->n, kernel->nr, part, parts, &begin, &end);
    for (int column = (int)begin; column < end; column += kernel->nr) {
        const int width = pare_gemm_f32_panel_width(kernel, b->n, column);
        const int n = b->n - column < width ? b->n - column : width;

        pack_panel(kernel, b, b->data + column * b->n_stride, n, width, packed + (size_t)column * (size_t)b->k);
    }
}

/* One strip of rows [r0, r1) times the columns [c0, c1), cut into tiles of nearly equal height. */
static void run_strip(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_args *g, const float *packed,
                      const long rows[2], const long columns[2])
{
    static const ptrdiff_t no_offset = 0;
    const long             n_rows = rows[1] - rows[0];
    const long             most = pare_gemm_f32_tile_rows(kernel, g->a_row);
    const long             tiles = (n_rows + most - 1) / most;

    for (long column = columns[0]; column < columns[1]; column += kernel->nr)
        for (long i = 0; i < tiles; i++) {
            const long row = rows[0] + n_rows * i / tiles;
            const long last = rows[0] + n_rows * (i + 1) / tiles;

            kernel->tile(&(pare_gemm_f32_tile){
                .x = g->a + row * g->a_row,
                .x_row = g->a_row,
                .taps = &no_offset,
                .n_taps = 1,
                .k = g->k,
                .w = packed + (size_t)column * (size_t)g->k,
                .init = g->init ? g->init + row * g->init_row + column : NULL,
                .init_row = g->init_row,
                .add = g->add ? g->add + row * g->add_row + column : NULL,
                .add_row = g->add_row,
                .y = g->y + row * g->y_row + column,
                .y_row = g->y_row,
                .lo = g->lo,
                .hi = g->hi,
                .m = (int)(last - row),
                .n = (int)(columns[1] - column < kernel->nr ? columns[1] - column : kernel->nr),
            });
        }
}

/* One row: no tiles, the version's matrix-times-vector code walks the panels. */
static void run_row(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_args *g, const float *packed,
                    const long columns[2])
{
    static const ptrdiff_t no_offset = 0;

    if (columns[0] < columns[1])
        kernel->row(&(pare_gemm_f32_tile){
            .x = g->a,
            .taps = &no_offset,
            .n_taps = 1,
            .k = g->k,
            .w = packed + (size_t)columns[0] * (size_t)g->k,
            .init = g->init ? g->init + columns[0] : NULL,
            .add = g->add ? g->add + columns[0] : NULL,
            .y = g->y + columns[0],
            .lo = g->lo,
            .hi = g->hi,
            .m = 1,
            .n = (int)(columns[1] - columns[0]),
        });
}

bool pare_gemm_f32_share(const pare_gemm_f32_kernel *kernel, const long size[2], int part, int parts, long rows[2])
{
    const long m = size[0], n = size[1];
    const long row_tiles = (m + kernel->mr - 1) / kernel->mr, panels = (n + kernel->nr - 1) / kernel->nr;
    const bool by_rows = row_tiles >= parts && (m >= n || m >= (long)PARE_GEMM_F32_FEW_ROWS * parts || panels < parts);

    rows[0] = 0;
    rows[1] = m;
    if (by_rows)
        pare_pool_split(m, 1, part, parts, &rows[0], &rows[1]);
    return by_rows;
}

void pare_gemm_f32_run(const pare_gemm_f32_kernel *kernel, const pare_gemm_f32_args *g, const float *packed, int part,
                       int parts)
{
    const long strip = g->k < STRIP_FLOATS / kernel->mr ? STRIP_FLOATS / (g->k + 1) : kernel->mr;
    long       rows[2], columns[2] = { 0, g->n };

    if (!pare_gemm_f32_share(kernel, (long[2]){ g->m, g->n }, part, parts, rows))
        pare_pool_split(g->n, kernel->nr, part, parts, &columns[0], &columns[1]);
    if (g->m == 1 && rows[0] < rows[1]) {
        run_row(kernel, g, packed, columns);
        return;
    }
    for (long row = rows[0]; row < rows[1]; row += strip) {
        const long end = row + strip < rows[1] ? row + strip : rows[1];

        run_strip(kernel, g, packed, (long[2]){ row, end }, columns);
    }
}
