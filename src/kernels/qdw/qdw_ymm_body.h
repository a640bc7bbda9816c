/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_ymm_body.h - qdw on 256-bit vectors, any filter and stride: completed by qdw_avx2.c and qdw_avxvnni.c
 *
 * A stretch of the line is interleaved into a buffer on the stack, every input column once: VECTORS vectors, whose
 * dwords hold ROWS rows of a channel. Then, two vectors at a time, two neighbouring outputs of one or two lines use
 * each weight and each column that was loaded. Filters too large for the buffer keep nothing between outputs.
 *
 * The including file has included qdw_plan.h and qepilogue_avx2.h and defines ISA, INLINE, VECTORS, ROWS, and
 *   interleave(x, rows, to)  pixels at ROWS offsets from x: VECTORS vectors
 *   multiply_add(acc, x, w)  one vector
 *   save(...)                stores the codes of two outputs, `next` bytes apart, from words
 *   finish(...)              requantizes and stores the output whose VECTORS vectors lie in `from`; `columns` of them
 *                            exist, `first` is their index in the epilogue; y and residual begin at the block
 */

enum {
    BLOCK = 8 * VECTORS,
    STEP = 32 * VECTORS,     /* bytes of packed weights, and of interleaved codes, per filter column and row group */
    SMALL_GROUPS = 4 / ROWS, /* of three rows, and of four where two lines share them */
    BUFFER = 12 << 10,       /* bytes: with the weights less than half of the smallest first-level cache */
};

/* What stays the same along a line. */
typedef struct job {
    const pare_qdw_line *line;
    const pare_qdw_plan *p;
    const int8_t        *w[2];    /* packed weights of both lines        */
    int                  first;   /* column and channel of the block     */
    int                  columns; /* channels that exist                 */
    int                  skip;    /* bytes from an output pixel to its block */
    ptrdiff_t            group;   /* bytes between row groups, in buffer */
} job;

/* What the compiler knows: each set of values is a loop of its own. */
typedef struct form {
    int  lines;
    bool small; /* three wide and SMALL_GROUPS high */
} form;

/* Interleaves n columns of row group i; `x` is the first pixel of row 0. */
ISA static void fill(const job *g, int i, const uint8_t *x, int n, uint8_t *columns)
{
    ptrdiff_t rows[ROWS];

    for (int r = 0; r < ROWS; r++)
        rows[r] = pare_qdw_row(g->line, ROWS * i + r);
    for (int j = 0; j < n; j++, x += g->p->tap_x, columns += STEP)
        interleave(x, rows, columns);
}

/* One vector of two outputs of two lines. */
typedef struct four {
    __m256i upper0, upper1, lower0, lower1;
} four;

/* One filter column; that of output 1 lies b bytes behind that of output 0. */
INLINE void apply(int lines, const uint8_t *x, ptrdiff_t b, const int8_t *w0, const int8_t *w1, four *acc)
{
    const __m256i x0 = _mm256_loadu_si256((const __m256i *)x), x1 = _mm256_loadu_si256((const __m256i *)(x + b));
    const __m256i u = _mm256_loadu_si256((const __m256i *)w0);

    multiply_add(&acc->upper0, x0, u);
    multiply_add(&acc->upper1, x1, u);
    if (lines == 2) {
        const __m256i l = _mm256_loadu_si256((const __m256i *)w1);
        multiply_add(&acc->lower0, x0, l);
        multiply_add(&acc->lower1, x1, l);
    }
}

/* Vectors v and v + 1 of the outputs whose first column is `x`, to a[0] and a[1]; output 1 lies b bytes behind. */
INLINE void products(const job *g, form f, const uint8_t *x, ptrdiff_t b, int v, four a[2])
{
    const __m256i *bias = (const __m256i *)(g->p->bias + g->first) + v;
    const __m256i  b0 = _mm256_loadu_si256(bias), b1 = _mm256_loadu_si256(bias + 1);
    const int      width = f.small ? 3 : g->p->kernel_w, steps = f.small ? 3 * SMALL_GROUPS : g->p->groups * width;
    const int8_t  *w0 = g->w[0] + 32 * v, *w1 = g->w[1] + 32 * v;
    int            kx = 0;

    a[0] = (four){ b0, b0, b0, b0 };
    a[1] = (four){ b1, b1, b1, b1 };
    x += 32 * v;
#pragma GCC unroll 6
    for (int i = 0; i < steps; i++) { /* one loop: of two nested ones compilers spill the sums */
        apply(f.lines, x, b, w0, w1, &a[0]);
        apply(f.lines, x + 32, b, w0 + 32, w1 + 32, &a[1]);
        x += ++kx == width ? g->group - (width - 1) * STEP : STEP;
        kx = kx == width ? 0 : kx;
        w0 += STEP;
        w1 += STEP;
    }
}

INLINE __m256i rounded(__m256i acc, __m256 scale)
{
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale));
}

/* Vectors v and v + 1 of two outputs of two lines, requantized: words, to which zero is not yet added. */
INLINE four words(const job *g, form f, const uint8_t *x, ptrdiff_t b, int v)
{
    const float *s = g->p->epilogue.scale + g->first + 8 * v;
    const __m256 s0 = _mm256_loadu_ps(s), s1 = _mm256_loadu_ps(s + 8);
    four         a[2];

    products(g, f, x, b, v, a);
    return (four){
        _mm256_packs_epi32(rounded(a[0].upper0, s0), rounded(a[1].upper0, s1)),
        _mm256_packs_epi32(rounded(a[0].upper1, s0), rounded(a[1].upper1, s1)),
        f.lines == 2 ? _mm256_packs_epi32(rounded(a[0].lower0, s0), rounded(a[1].lower0, s1)) : _mm256_setzero_si256(),
        f.lines == 2 ? _mm256_packs_epi32(rounded(a[0].lower1, s0), rounded(a[1].lower1, s1)) : _mm256_setzero_si256(),
    };
}

/* Codes with neither table nor add of output ox and, where b is not 0, of the next. */
INLINE void plain(const job *g, form f, const uint8_t *x, ptrdiff_t b, int ox)
{
    const pare_qdw_plan *const p = g->p;
    uint8_t *const             y = g->line->y + ox * p->y.pixel + g->skip;
    const ptrdiff_t            next = b ? p->y.pixel : 0; /* if not, output 1 is output 0 again */
    const four                 low = words(g, f, x, b, 0), high = VECTORS > 2 ? words(g, f, x, b, 2) : low;

    save(&p->epilogue, g->columns, y, next, low.upper0, high.upper0, low.upper1, high.upper1);
    if (f.lines == 2)
        save(&p->epilogue, g->columns, y + p->y.row, next, low.lower0, high.lower0, low.lower1, high.lower1);
}

/* Requantizes and stores output ox of line i. */
ISA static void finish_output(const job *g, int i, int ox, const int32_t *from)
{
    const pare_qdw_line *l = g->line;
    const pare_qdw_plan *p = g->p;
    const uint8_t *const r = l->residual ? l->residual + ox * p->residual.pixel + i * p->residual.row + g->first : NULL;
    uint8_t *const       y = l->y + ox * p->y.pixel + i * p->y.row + g->skip;

    finish(&p->epilogue, g->first, from, g->columns, y, r, l->row_scale);
}

/* The same with table or add, or to floats. */
INLINE void other(const job *g, form f, const uint8_t *x, ptrdiff_t b, int ox)
{
    __m256i sums[4][VECTORS];

    for (int v = 0; v < VECTORS; v += 2) {
        four a[2];
        products(g, f, x, b, v, a);
        for (int i = 0; i < 2; i++) {
            sums[0][v + i] = a[i].upper0;
            sums[1][v + i] = a[i].upper1;
            sums[2][v + i] = a[i].lower0;
            sums[3][v + i] = a[i].lower1;
        }
    }
    for (int i = 0; i < f.lines; i++) {
        finish_output(g, i, ox, (const int32_t *)sums[2 * i]);
        if (b)
            finish_output(g, i, ox + 1, (const int32_t *)sums[2 * i + 1]);
    }
}

/* Functions of their own, so that each has all registers. */
#define FORM(name, what, lines, small)                                                                  \
    ISA __attribute__((noinline)) static void name(const job *g, const uint8_t *x, ptrdiff_t b, int ox) \
    {                                                                                                   \
        what(g, (form){ lines, small }, x, b, ox);                                                      \
    }
FORM(plain_1, plain, 1, false)
FORM(plain_2, plain, 2, false)
FORM(small_1, plain, 1, true)
FORM(small_2, plain, 2, true)
FORM(other_1, other, 1, false)
FORM(other_2, other, 2, false)

typedef void outputs_fn(const job *g, const uint8_t *x, ptrdiff_t b, int ox);

static outputs_fn *find_form(const job *g)
{
    const pare_qepilogue *e = &g->p->epilogue;
    const bool            two = g->line->n == 2;

    if (e->kind != PARE_QKIND_U8 || e->add || e->table)
        return two ? other_2 : other_1;
    if (g->p->kernel_w == 3 && g->p->groups == SMALL_GROUPS)
        return two ? small_2 : small_1;
    return two ? plain_2 : plain_1;
}

/* The outputs of the line, `stretch` at a time from the buffer. */
ISA static void buffered(job *g, int stretch)
{
    const pare_qdw_plan *const p = g->p;
    const ptrdiff_t            step = p->x_step / p->tap_x;
    outputs_fn *const          outputs = find_form(g);
    uint8_t                    columns[BUFFER] __attribute__((aligned(32)));

    for (int ox = 0; ox < p->out_w; ox += stretch) {
        const int n = p->out_w - ox < stretch ? p->out_w - ox : stretch, width = (n - 1) * (int)step + p->kernel_w;

        g->group = width * STEP;
        for (int i = 0; i < p->groups; i++)
            fill(g, i, g->line->x + ox * p->x_step, width, columns + i * g->group);
        for (int j = 0; j < n; j += 2)
            outputs(g, columns + j * step * STEP, j + 1 < n ? step * STEP : 0, ox + j);
    }
}

/* One output of line i, one filter column after the other. */
ISA static void one_output(const job *g, int i, int ox)
{
    const pare_qdw_plan *const p = g->p;
    const int8_t              *w = g->w[i];
    __m256i                    column[VECTORS], acc[VECTORS];

    memcpy(acc, p->bias + g->first, sizeof(acc));
    for (int group = 0; group < p->groups; group++)
        for (int kx = 0; kx < p->kernel_w; kx++, w += STEP) {
            fill(g, group, g->line->x + ox * p->x_step + kx * p->tap_x, 1, (uint8_t *)column);
            for (int v = 0; v < VECTORS; v++)
                multiply_add(&acc[v], column[v], _mm256_loadu_si256((const __m256i *)w + v));
        }
    finish_output(g, i, ox, (const int32_t *)acc);
}

ISA static void run_line(const pare_qdw_line *line)
{
    const pare_qdw_plan *const p = line->plan;
    const int8_t *const        w = p->w + (size_t)(line->block * p->lines) * p->line_bytes;
    const int                  step = (int)(p->x_step / p->tap_x);
    const int                  stretch = step ? (BUFFER / STEP / p->groups - p->kernel_w) / step + 1 : 0;
    job                        g = { .line = line,
                                     .p = p,
                                     .w = { w, w + p->line_bytes },
                                     .first = line->block * BLOCK,
                                     .columns = p->channels - line->block * BLOCK,
                                     .skip = line->block * BLOCK * (p->epilogue.kind == PARE_QKIND_U8 ? 1 : 4) };

    if (p->x_step % p->tap_x == 0 && step <= p->kernel_w && stretch >= 2) {
        buffered(&g, stretch / 2 * 2);
        return;
    }
    for (int i = 0; i < line->n; i++)
        for (int ox = 0; ox < p->out_w; ox++)
            one_output(&g, i, ox);
}
