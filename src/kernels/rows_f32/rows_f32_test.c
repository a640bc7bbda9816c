/* SPDX-License-Identifier: Apache-2.0 */
/* rows_f32_test.c - every version of every row function gives the bits of the reference; and the reference is right */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/rng.h"
#include "kernels/rows_f32/rows_f32.h"
#include "runner.h"

enum { MAX_N = 1100, N_IN = 6, N_OUT = 2 };

/* What fills the inputs. */
enum { ORDINARY, WIDE, SPECIAL, EXTREME, N_FILLS };

/* Six guarded rows of n going in (the first has room for four), two coming out. */
typedef struct rows {
    long   n;
    float *in[N_IN];
    float *out[N_OUT];
} rows;

static size_t bytes(long n)
{
    return (size_t)n * sizeof(float);
}

static float value(int fill, pare_rng *rng)
{
    static const float special[12] = {
        0.0f, -0.0f, 1.0f, -1.0f, 0x1p-149f, -0x1p-126f, INFINITY, -INFINITY, NAN, -NAN, 88.0f, 3e38f,
    };
    static const float extreme[8] = {
        0x1.fffffep+127f, -0x1.fffffep+127f, 0x1p-149f, 0.0f, -0.0f, 1.0f, 0x1p+64f, -0x1p-70f,
    };

    switch (fill) {
    case ORDINARY:
        return pare_rng_normal(rng);
    case WIDE:
        return pare_rng_normal(rng) * pare_f32_of_bits((60 + pare_rng_below(rng, 100)) << 23);
    case EXTREME:
        return extreme[pare_rng_below(rng, 8)];
    default:
        return pare_rng_below(rng, 40) ? pare_rng_normal(rng) : special[pare_rng_below(rng, 12)];
    }
}

static rows rows_create(long n, int fill, pare_rng *rng)
{
    rows s = { .n = n };

    for (int i = 0; i < N_IN; i++) {
        const long size = i < 2 ? 4 * n : n;
        s.in[i] = runner_guarded(bytes(size), sizeof(float));
        for (long j = 0; j < size; j++)
            s.in[i][j] = value(fill, rng);
    }
    for (int i = 0; i < N_OUT; i++)
        s.out[i] = runner_guarded(bytes(n), sizeof(float));
    return s;
}

static void rows_free(rows *s)
{
    for (int i = 0; i < N_IN; i++)
        runner_guarded_free(s->in[i], bytes(i < 2 ? 4 * s->n : s->n), sizeof(float));
    for (int i = 0; i < N_OUT; i++)
        runner_guarded_free(s->out[i], bytes(s->n), sizeof(float));
}

/* One function of the table on the rows; what it returns, if anything, goes to *result. */
typedef struct subject {
    const char *name;
    void (*run)(const pare_rows_f32_kernel *k, const rows *s, float *result);
} subject;

#define SUBJECT(name, call)                                                             \
    static void run_##name(const pare_rows_f32_kernel *k, const rows *s, float *result) \
    {                                                                                   \
        (void)result;                                                                   \
        call;                                                                           \
    }
SUBJECT(sum, *result = k->sum(s->n, s->in[2]))
SUBJECT(sum_squares, *result = k->sum_squares(s->n, s->in[2]))
SUBJECT(max, *result = k->max(s->n, s->in[2]))
SUBJECT(max_abs, *result = k->max_abs(s->n, s->in[2]))
SUBJECT(softmax, k->softmax(s->n, s->in[2], s->out[0]))
SUBJECT(log_softmax, k->log_softmax(s->n, s->in[2], s->out[0]))
SUBJECT(layer_norm, if (s->n) k->layer_norm(s->n, s->in[2], s->in[3], s->in[4], 1e-5f, s->out[0]))
SUBJECT(layer_norm_plain, if (s->n) k->layer_norm(s->n, s->in[2], NULL, NULL, 0.0f, s->out[0]))
SUBJECT(rms_norm, if (s->n) k->rms_norm(s->n, s->in[2], s->in[3], 1e-5f, s->out[0]))
SUBJECT(lstm_cell, k->lstm_cell(s->n, s->in[0], s->in[2], s->out[0], s->out[1]))
SUBJECT(gru_cell, k->gru_cell(s->n, s->in[0], s->in[1], s->in[2], s->out[0]))
SUBJECT(gru_reset, k->gru_reset(s->n, s->in[0], s->in[1], s->in[2], s->out[0], s->out[1]))
SUBJECT(gru_update, k->gru_update(s->n, s->in[2], s->in[3], s->in[4], s->out[0]))

static const subject subjects[] = {
    { "sum", run_sum },
    { "sum_squares", run_sum_squares },
    { "max", run_max },
    { "max_abs", run_max_abs },
    { "softmax", run_softmax },
    { "log_softmax", run_log_softmax },
    { "layer_norm", run_layer_norm },
    { "layer_norm_plain", run_layer_norm_plain },
    { "rms_norm", run_rms_norm },
    { "lstm_cell", run_lstm_cell },
    { "gru_cell", run_gru_cell },
    { "gru_reset", run_gru_reset },
    { "gru_update", run_gru_update },
};
enum { N_SUBJECTS = sizeof(subjects) / sizeof(subjects[0]) };

/* Runs reference and kernel on the same inputs and compares result and outputs, all bits. */
static void compare(runner *r, const pare_rows_f32_kernel *k, const subject *f, const rows *s, int fill)
{
    static float want[N_OUT][MAX_N];
    float        results[2] = { 0, 0 };

    for (int i = 0; i < N_OUT; i++)
        memset(s->out[i], 0, bytes(s->n));
    f->run(&pare_rows_f32_ref, s, results);
    for (int i = 0; i < N_OUT; i++) {
        memcpy(want[i], s->out[i], bytes(s->n));
        memset(s->out[i], 0, bytes(s->n));
    }
    f->run(k, s, results + 1);

    CHECK(r, memcmp(results, results + 1, sizeof(float)) == 0, "%s %s n=%ld fill=%d: want %a, got %a", k->name, f->name,
          s->n, fill, results[0], results[1]);
    for (int i = 0; i < N_OUT; i++) {
        long j = 0;
        while (j < s->n && memcmp(want[i] + j, s->out[i] + j, sizeof(float)) == 0)
            j++;
        CHECK(r, j == s->n, "%s %s n=%ld fill=%d: output %d[%ld]: want %a, got %a", k->name, f->name, s->n, fill, i, j,
              j < s->n ? want[i][j] : 0, j < s->n ? s->out[i][j] : 0);
    }
}

static void binary_equal(runner *r, const pare_rows_f32_kernel *k, const rows *s, int fill)
{
    static float want[MAX_N];

    for (int f = 0; f < PARE_BINARY_F32_COUNT; f++)
        for (int o = PARE_ROW_BOTH; o <= PARE_ROW_SCALAR_B; o++) {
            pare_rows_f32_ref.binary[f](s->n, s->in[2], s->in[3], want, (pare_row_operands)o);
            k->binary[f](s->n, s->in[2], s->in[3], s->out[0], (pare_row_operands)o);
            CHECK(r, memcmp(want, s->out[0], bytes(s->n)) == 0, "%s %s n=%ld fill=%d operands=%d differs", k->name,
                  pare_binary_f32_name((pare_binary_f32)f), s->n, fill, o);
            if (o != PARE_ROW_BOTH)
                continue;
            memcpy(s->out[0], s->in[2], bytes(s->n));
            k->binary[f](s->n, s->out[0], s->in[3], s->out[0], PARE_ROW_BOTH);
            CHECK(r, memcmp(want, s->out[0], bytes(s->n)) == 0, "%s %s n=%ld fill=%d over its input differs", k->name,
                  pare_binary_f32_name((pare_binary_f32)f), s->n, fill);
        }
}

static void versions_equal(runner *r)
{
    const pare_rows_f32_kernel *kernels[8];
    const int                   n_kernels = pare_rows_f32_candidates(pare_cpu_features(), kernels, 8);
    pare_rng                    rng = pare_rng_seed(r->seed);

    CHECK(r, n_kernels > 0 && kernels[n_kernels - 1]->isa == 0, "no version that needs nothing");
    for (long n = 0; n <= MAX_N; n += n < 70 ? 1 : 331)
        for (int fill = 0; fill < N_FILLS; fill++) {
            rows s = rows_create(n, fill, &rng);
            for (int k = 0; k < n_kernels; k++) {
                for (int f = 0; f < N_SUBJECTS; f++)
                    compare(r, kernels[k], subjects + f, &s, fill);
                binary_equal(r, kernels[k], &s, fill);
            }
            rows_free(&s);
        }
}

/* Outputs over inputs, which the header allows. */
static void in_place(runner *r)
{
    const pare_rows_f32_kernel *kernels[8];
    const int                   n_kernels = pare_rows_f32_candidates(pare_cpu_features(), kernels, 8);
    pare_rng                    rng = pare_rng_seed(r->seed + 1);
    float                       want[61], got[61];
    rows                        s = rows_create(61, ORDINARY, &rng);

    for (int k = 0; k < n_kernels; k++) {
        pare_rows_f32_ref.softmax(61, s.in[2], want);
        memcpy(got, s.in[2], sizeof(got));
        kernels[k]->softmax(61, got, got);
        CHECK(r, memcmp(want, got, sizeof(got)) == 0, "%s softmax over its input", kernels[k]->name);
        pare_rows_f32_ref.layer_norm(61, s.in[2], s.in[3], s.in[4], 1e-5f, want);
        memcpy(got, s.in[2], sizeof(got));
        kernels[k]->layer_norm(61, got, s.in[3], s.in[4], 1e-5f, got);
        CHECK(r, memcmp(want, got, sizeof(got)) == 0, "%s layer_norm over its input", kernels[k]->name);
        pare_rows_f32_ref.lstm_cell(61, s.in[0], s.in[2], want, s.out[0]);
        memcpy(got, s.in[2], sizeof(got));
        kernels[k]->lstm_cell(61, s.in[0], got, got, s.out[1]);
        CHECK(r, memcmp(want, got, sizeof(got)) == 0 && memcmp(s.out[0], s.out[1], sizeof(got)) == 0,
              "%s lstm_cell over its input", kernels[k]->name);
        pare_rows_f32_ref.gru_cell(61, s.in[0], s.in[1], s.in[2], want);
        memcpy(got, s.in[2], sizeof(got));
        kernels[k]->gru_cell(61, s.in[0], s.in[1], got, got);
        CHECK(r, memcmp(want, got, sizeof(got)) == 0, "%s gru_cell over its input", kernels[k]->name);
    }
    rows_free(&s);
}

/* The reference against plain double arithmetic, and against sums whose lanes can be followed by hand. */
static void reference_is_right(runner *r)
{
    const pare_rows_f32_kernel *const k = &pare_rows_f32_ref;
    float                             x[40], y[40], lanes[17] = { 0 };
    double                            sum = 0, total = 0, var = 0;

    for (int i = 0; i < 40; i++) {
        x[i] = (float)((i * 7) % 40) * 0.25f - 3;
        sum += (double)x[i];
        total += exp((double)x[i]);
    }
    for (int i = 0; i < 40; i++)
        var += ((double)x[i] - sum / 40) * ((double)x[i] - sum / 40) / 40;
    CHECK(r, k->sum(40, x) == (float)sum && k->max(40, x) == 6.75f && k->max_abs(40, x) == 6.75f, "sum, max");
    k->softmax(40, x, y);
    for (int i = 0; i < 40; i++)
        CHECK(r, fabs((double)y[i] * total / exp((double)x[i]) - 1) < 1e-6, "softmax[%d] = %a", i, y[i]);
    k->log_softmax(40, x, y);
    for (int i = 0; i < 40; i++)
        CHECK(r, fabs((double)y[i] - ((double)x[i] - log(total))) < 1e-5, "log_softmax[%d] = %a", i, y[i]);
    k->layer_norm(40, x, NULL, NULL, 0, y);
    for (int i = 0; i < 40; i++)
        CHECK(r, fabs((double)y[i] - ((double)x[i] - sum / 40) / sqrt(var)) < 1e-6, "layer_norm[%d] = %a", i, y[i]);

    /* 1 is lost beside 2^24: in its lane, but not where lane 8 has taken the 2^24 away first. */
    lanes[0] = 0x1p24f, lanes[16] = 1, lanes[8] = -0x1p24f;
    CHECK(r, k->sum(17, lanes) == 0, "an element joins its lane before the lanes are added");
    lanes[16] = 0, lanes[1] = 1;
    CHECK(r, k->sum(17, lanes) == 1, "lanes 8 apart are added first");
    lanes[8] = NAN;
    CHECK(r, pare_bits_of_f32(k->sum(17, lanes)) == PARE_NAN_BITS, "the sum with a NaN");
    CHECK(r, pare_bits_of_f32(k->max(17, lanes)) == PARE_NAN_BITS, "the maximum with a NaN");
    CHECK(r, k->sum(0, x) == 0 && k->max(0, x) == -INFINITY && k->max_abs(0, x) == 0, "empty rows");
}

/* One step of each cell, by its equations in double. */
static void cells_are_right(runner *r)
{
    const pare_rows_f32_kernel *const k = &pare_rows_f32_ref;
    const float                       z[4] = { 0.5f, -0.25f, 1.5f, 0.75f };
    const float                       s[3] = { 0.125f, 0.5f, -1.0f }, c = 0.3f;
    float                             cell, h, y, gate, rh;

    k->lstm_cell(1, z, &c, &cell, &h);
    const double want_c = (double)c / (1 + exp(-1.5)) + tanh(0.75) / (1 + exp(-0.5));
    CHECK(r, fabs((double)cell - want_c) < 1e-6, "lstm_cell: c = %a", cell);
    CHECK(r, fabs((double)h - tanh(want_c) / (1 + exp(0.25))) < 1e-6, "lstm_cell: h = %a", h);

    k->gru_cell(1, z, s, &c, &y);
    const double u = 1 / (1 + exp(-0.625)), reset = 1 / (1 + exp(-0.25));
    CHECK(r, fabs((double)y - ((1 - u) * tanh(1.5 - reset) + u * (double)c)) < 1e-6, "gru_cell");

    k->gru_reset(1, z, s, &c, &gate, &rh);
    k->gru_update(1, &gate, z + 3, &c, &y);
    CHECK(r, fabs((double)gate - u) < 1e-6 && fabs((double)rh - reset * (double)c) < 1e-6, "gru_reset");
    CHECK(r, fabs((double)y - ((1 - u) * tanh(0.75) + u * (double)c)) < 1e-6, "gru_update");
}

/* All bits of all functions on fixed inputs (FNV-1a), the same on x86-64 and AArch64, from gcc and clang. */
static void same_on_every_machine(runner *r)
{
    const pare_rows_f32_kernel *const k = pare_rows_f32_best(pare_cpu_features());
    const uint64_t                    want = 0xfe031182c8a099c9u;
    pare_rng                          rng = pare_rng_seed(1);
    uint64_t                          hash = 0xcbf29ce484222325u;

    for (int fill = 0; fill < N_FILLS; fill++) {
        rows s = rows_create(197, fill, &rng);
        for (int f = 0; f < N_SUBJECTS + PARE_BINARY_F32_COUNT; f++) {
            float result = 0;
            for (int i = 0; i < N_OUT; i++)
                memset(s.out[i], 0, bytes(s.n));
            if (f < N_SUBJECTS)
                subjects[f].run(k, &s, &result);
            else
                k->binary[f - N_SUBJECTS](s.n, s.in[2], s.in[3], s.out[0], PARE_ROW_BOTH);
            hash = (hash ^ pare_bits_of_f32(result)) * 0x100000001b3u;
            for (int i = 0; i < N_OUT * s.n; i++)
                hash = (hash ^ pare_bits_of_f32(s.out[i % N_OUT][i / N_OUT])) * 0x100000001b3u;
        }
        rows_free(&s);
    }
    CHECK(r, hash == want, "hash of all results: want 0x%016llx, got 0x%016llx", (unsigned long long)want,
          (unsigned long long)hash);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "versions_equal", versions_equal },
        { "in_place", in_place },
        { "reference_is_right", reference_is_right },
        { "cells_are_right", cells_are_right },
        { "same_on_every_machine", same_on_every_machine },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
