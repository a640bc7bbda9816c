/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_avx2.c - 6 pixels x 16 columns, exact
 *
 * vpmaddubsw would saturate at int16, so bytes are widened: of each dword with four k, the even two and the odd two
 * become pairs of words, and vpmaddwd multiplies and adds each pair in int32. The codes of six pixels are widened once
 * for a group of panels, in the order k0 k2 k1 k3, so that a pair is one broadcast; the weights in registers, once for
 * six pixels. That leaves two vector instructions for 16 products and six for 64 weights.
 *
 * The widened codes of a chunk of k stay in the first-level cache; deeper sums wait in memory between chunks. The
 * packed weights are those of every version.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qconv_avx2.h"

#define ISA __attribute__((target("avx2,fma")))

enum {
    ROWS = PARE_QCONV256_ROWS,
    CHUNK = 256,           /* fours of k */
    WIDE = CHUNK * 8 + 64, /* bytes of the widened codes of a pixel, and what the last store adds */
};

/* Accumulators: rN are the columns of pixel N. */
typedef struct block {
    pare_q256x2 r0, r1, r2, r3, r4, r5;
} block;

/* The codes of up to six pixels as words. */
typedef struct codes {
    uint8_t row[ROWS][WIDE] __attribute__((aligned(32)));
} codes;

/* Widens n fours. Reads and writes a few bytes more. */
PARE_AVX2_INLINE void widen(const uint8_t *x, int n, uint8_t *wide)
{
    const __m256i order =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15));

    for (int i = 0; i < n; i += 4, x += 16, wide += 32) {
        const __m256i words = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)x));
        _mm256_storeu_si256((__m256i *)wide, _mm256_shuffle_epi8(words, order));
    }
}

/* Fours first..first + n - 1 of the k-steps of `rows` pixels. */
ISA static void widen_chunk(const pare_qconv_plan *p, const pare_qconv_tile *t, ptrdiff_t x_offset, int rows, int first,
                            int n, codes *to)
{
    int at = 0;

    for (int s = 0; s < p->n_steps && at < n; s++) {
        const int fours = p->steps[s].fours;
        if (first >= fours) {
            first -= fours;
            continue;
        }
        const int       count = fours - first < n - at ? fours - first : n - at;
        const ptrdiff_t from = p->steps[s].offset + x_offset + 4 * first;
        for (int r = 0; r < rows; r++)
            widen(t->x[r] + from, count, to->row[r] + 8 * at);
        at += count;
        first = 0;
    }
}

/*
 * Two k of one pixel. As instructions, because compilers begin the broadcasts and products of other pixels before, and
 * run out of registers: twelve sums, two weights and these two are all there are.
 */
PARE_AVX2_INLINE void row_two_k(const uint8_t *wide, __m256i b0, __m256i b1, pare_q256x2 *acc)
{
    __m256i a, product;

    __asm__("vpbroadcastd %4, %2\n\tvpmaddwd %5, %2, %3\n\tvpmaddwd %6, %2, %2\n\t"
            "vpaddd %3, %0, %0\n\tvpaddd %2, %1, %1"
            : "+x"(acc->v0), "+x"(acc->v1), "=&x"(a), "=&x"(product)
            : "m"(*(const int32_t(*)[1])wide), "x"(b0), "x"(b1));
}

PARE_AVX2_INLINE void two_k(const uint8_t *wide, int rows, __m256i b0, __m256i b1, block *acc)
{
    row_two_k(wide, b0, b1, &acc->r0);
    if (rows > 1)
        row_two_k(wide + WIDE, b0, b1, &acc->r1);
    if (rows > 2) {
        row_two_k(wide + 2 * WIDE, b0, b1, &acc->r2);
        row_two_k(wide + 3 * WIDE, b0, b1, &acc->r3);
    }
    if (rows > 4) {
        row_two_k(wide + 4 * WIDE, b0, b1, &acc->r4);
        row_two_k(wide + 5 * WIDE, b0, b1, &acc->r5);
    }
}

/* 32 weights; a load of its own each time, because registers are scarce. */
PARE_AVX2_INLINE __m256i load_weights(const int8_t *w)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)w);

    __asm__ volatile("" : "+x"(v));
    return v;
}

PARE_AVX2_INLINE __m256i even(const int8_t *w)
{
    return _mm256_srai_epi16(_mm256_slli_epi16(load_weights(w), 8), 8);
}

PARE_AVX2_INLINE __m256i odd(const int8_t *w)
{
    return _mm256_srai_epi16(load_weights(w), 8);
}

/* Adds to the sums of `rows` pixels; row i comes from `from` + i * step. In a function of its own, so that all sums
 * stay in registers. */
PARE_AVX2_INLINE void products(const uint8_t *wide, int rows, int fours, const int8_t *w, const int32_t *from, int step,
                               int32_t *sums)
{
    block acc = { pare_qconv256_load(from),
                  pare_qconv256_load(from + step),
                  pare_qconv256_load(from + 2 * step),
                  pare_qconv256_load(from + 3 * step),
                  pare_qconv256_load(from + 4 * step),
                  pare_qconv256_load(from + 5 * step) };

    do {
        two_k(wide, rows, even(w), even(w + 32), &acc);
        two_k(wide + 4, rows, odd(w), odd(w + 32), &acc);
        wide += 8;
        w += PARE_QCONV_ROW;
    } while (--fours);
    pare_qconv256_store(sums, acc.r0);
    if (rows > 1)
        pare_qconv256_store(sums + 16, acc.r1);
    if (rows > 2) {
        pare_qconv256_store(sums + 32, acc.r2);
        pare_qconv256_store(sums + 48, acc.r3);
    }
    if (rows > 4) {
        pare_qconv256_store(sums + 64, acc.r4);
        pare_qconv256_store(sums + 80, acc.r5);
    }
}

#define TILE(rows)                                                                                         \
    ISA __attribute__((noinline)) static void tile_##rows(const uint8_t *wide, int fours, const int8_t *w, \
                                                          const int32_t *from, int step, int32_t *sums)    \
    {                                                                                                      \
        products(wide, rows, fours, w, from, step, sums);                                                  \
    }
TILE(1)
TILE(2)
TILE(4)
TILE(6)

ISA static void finish_plain(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                             const int32_t *sums)
{
    pare_qconv256_finish_plain(p, panel, t, sums);
}

ISA static void finish_other(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                             const int32_t *sums)
{
    pare_qconv256_finish_other(p, panel, t, sums);
}

/* One tile of pixels and `n` panels of the same codes. */
static void run_tile(const pare_qconv_plan *p, const pare_qconv_tile *t, const pare_qconv_panel *panels, int n)
{
    static void (*const tiles[ROWS + 1])(const uint8_t *, int, const int8_t *, const int32_t *, int,
                                         int32_t *) = { NULL, tile_1, tile_2, tile_4, tile_4, tile_6, tile_6 };
    static const int rows[ROWS + 1] = { 0, 1, 2, 4, 4, 6, 6 };
    const int        all = (int)(p->tile_bytes / PARE_QCONV_ROW);
    const bool       plain = pare_qconv256_is_plain(p);
    int32_t          sums[PARE_QCONV256_GROUP][ROWS * PARE_QCONV_COLUMNS];
    codes            x;

    for (int first = 0; first < all; first += CHUNK) {
        const int fours = all - first < CHUNK ? all - first : CHUNK;

        widen_chunk(p, t, panels->x_offset, rows[t->n], first, fours, &x);
        for (int i = 0; i < n; i++) {
            const int8_t *w = panels[i].w + (ptrdiff_t)first * PARE_QCONV_ROW;
            if (first)
                tiles[t->n](x.row[0], fours, w, sums[i], PARE_QCONV_COLUMNS, sums[i]);
            else
                tiles[t->n](x.row[0], fours, w, p->bias + panels[i].packed, 0, sums[i]);
            if (first + fours == all)
                (plain ? finish_plain : finish_other)(p, &panels[i], t, sums[i]);
        }
    }
}

void pare_qconv_6x16_avx2(const pare_qconv_range *r)
{
    for (int i = r->panel0, n; i < r->panel1; i += n) {
        pare_qconv_walk walk;

        n = pare_qconv256_group(r, i);
        pare_qconv_walk_start(r, &walk);
        for (long m = r->first; m < r->last; m += ROWS) {
            pare_qconv_tile t;

            pare_qconv_tile_take(r, &walk, r->last - m < ROWS ? (int)(r->last - m) : ROWS, ROWS, &t);
            run_tile(r->plan, &t, &r->plan->panels[i], n);
        }
    }
}
#else
typedef int not_x86;
#endif
