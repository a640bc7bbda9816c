/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_exhaustive_test.c - requantization of every int32 accumulator by every version, against the definition
 *
 * A Linear layer of one input, weight 1, 65,536 columns and the 256 codes as rows has the accumulators bias[c] + row:
 * with bias[c] = base + 256 c these are 2^24 numbers in a row, and 256 such bases are all numbers of 32 bits.
 * The ordinary run takes every 16th row of the ends and the middle, --only=exhaustive everything, in minutes.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "kernels/qconv/qconv.h"
#include "runner.h"

enum { COLUMNS = 1 << 16, ROWS = 256, MAX_VERSIONS = 16 };

/* Ties; ordinary; every code but few accumulators each; never a code but the ends. */
static const float scales[] = { 0.5f, 3.7e-5f, 1.0e-7f, 0.99f };
enum { N_SCALES = sizeof(scales) / sizeof(scales[0]) };

typedef struct memory {
    int8_t  *w;        /* [COLUMNS], ones         */
    int32_t *bias;     /* [COLUMNS]               */
    uint8_t *x;        /* [ROWS][64]              */
    uint8_t *y, *want; /* [ROWS][COLUMNS]         */
    uint8_t  residual[COLUMNS];
} memory;

static pare_qconv_desc describe(const memory *m, const float *scale, bool add)
{
    pare_qconv_desc d = {
        .in_c = 1,
        .out_c = COLUMNS,
        .out_h = 1,
        .out_w = 1,
        .x = { 64, 64, 64 },
        .y = { COLUMNS, COLUMNS, COLUMNS },
        .w = m->w,
        .channels = { .sw = scale, .n_sw = 1, .bias = m->bias, .sx = 1 },
        .out = { .scale = 1, .zero = 100 },
    };

    if (add) {
        d.residual = (pare_qconv_strides){ 0, 0, 0 }; /* the same codes for every row */
        d.out.add = (pare_qfused_add){ .on = true, .scale_r = 0.71f, .zero_r = 13, .scale = 1.3f, .zero = 120 };
    }
    return d;
}

static void fill_memory(memory *m, int base)
{
    for (int c = 0; c < COLUMNS; c++)
        m->bias[c] = (int32_t)((int64_t)INT32_MIN + ((int64_t)base << 24) + 256 * c);
}

/* All versions over the accumulators of one base, the first `rows` of each 256. */
static void check_base(runner *r, memory *m, const float *scale, bool add, int base, int rows)
{
    fill_memory(m, base);
    const pare_qconv_desc    d = describe(m, scale, add);
    const pare_qconv_args    args = { .x = m->x, .y = m->y, .residual = add ? m->residual : NULL, .batch = rows };
    const pare_qconv_args    want = { .x = m->x, .y = m->want, .residual = args.residual, .batch = rows };
    const pare_qconv_kernel *versions[MAX_VERSIONS];
    const int                n = pare_qconv_candidates(&d, pare_cpu_features(), versions, MAX_VERSIONS);

    pare_qconv_ref(&d, &want);
    for (int i = 0; i < n; i++) {
        pare_qconv_plan *plan;

        if (!CHECK(r, pare_qconv_create(&d, versions[i], &plan) == PARE_OK, "%s: base %d: %s",
                   pare_qconv_kernel_name(versions[i]), base, pare_error()))
            continue;
        memset(m->y, 0xEE, (size_t)rows * COLUMNS);
        pare_qconv_run(plan, &args, 0, 1);
        pare_qconv_destroy(plan);
        CHECK(r, memcmp(m->y, m->want, (size_t)rows * COLUMNS) == 0, "%s: scale %g, add %d, accumulators from %lld",
              pare_qconv_kernel_name(versions[i]), (double)*scale, add, (long long)m->bias[0]);
    }
}

static memory *make_memory(void)
{
    memory *const m = malloc(sizeof(*m));

    m->w = malloc(COLUMNS);
    m->bias = malloc(COLUMNS * sizeof(int32_t));
    m->x = calloc(ROWS + 1, 64);
    m->y = malloc((size_t)ROWS * COLUMNS);
    m->want = malloc((size_t)ROWS * COLUMNS);
    memset(m->w, 1, COLUMNS);
    for (int i = 0; i < ROWS; i++)
        m->x[64 * i] = (uint8_t)i;
    for (int i = 0; i < COLUMNS; i++)
        m->residual[i] = (uint8_t)(i * 37 + i / 256);
    return m;
}

static void free_memory(memory *m)
{
    free(m->w);
    free(m->bias);
    free(m->x);
    free(m->y);
    free(m->want);
    free(m);
}

static void some_accumulators(runner *r)
{
    static const int bases[] = { 0, 127, 128, 255 };
    memory *const    m = make_memory();

    for (int s = 0; s < N_SCALES; s++)
        for (int i = 0; i < 4; i++)
            check_base(r, m, &scales[s], (s + i) % 2 == 0, bases[i], ROWS / 16);
    free_memory(m);
}

static void exhaustive_accumulators(runner *r)
{
    memory *const m = make_memory();

    for (int s = 0; s < N_SCALES; s++)
        for (int base = 0; base < 256; base++) {
            check_base(r, m, &scales[s], false, base, ROWS);
            check_base(r, m, &scales[s], true, base, ROWS);
        }
    free_memory(m);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "some_accumulators", some_accumulators },
        { "exhaustive_accumulators", exhaustive_accumulators },
    };
    const int slow = argc > 1 && strncmp(argv[1], "--only=exhaustive", 17) == 0;

    return runner_main(argc, argv, cases, slow ? 2 : 1);
}
