/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_test.c - every version of quantize against its reference, and the reference against examples */
#include "kernels/quantize/quantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "runner.h"

enum { MAX_KERNELS = 8, LONGEST = 150 };

/* Ordinary values, ties, integers far away, and everything that is not a number one likes to meet. */
static float value(pare_rng *rng, float scale)
{
    static const float odd[] = { 0.0f,   -0.0f,   INFINITY, -INFINITY, NAN,     3e38f,      -3e38f,      1e-42f,
                                 2.5e9f, -2.5e9f, 1.7e7f,   -1.7e7f,   8388609, 8388608.5f, 16777217.0f, 1e-30f };

    switch (pare_rng_below(rng, 8)) {
    case 0:
        return odd[pare_rng_below(rng, sizeof(odd) / sizeof(odd[0]))] * (pare_rng_below(rng, 2) ? 1 : scale);
    case 1:
        return ((float)pare_rng_below(rng, 600) - 300 + 0.5f) * scale;
    default:
        return pare_rng_uniform(rng, -300, 300) * scale;
    }
}

static pare_quantize_params make(pare_rng *rng)
{
    const bool           s8 = pare_rng_below(rng, 2);
    pare_quantize_params p = { pare_rng_below(rng, 2) ? 0.5f : pare_rng_uniform(rng, 1e-4f, 2.0f),
                               (int)pare_rng_below(rng, 256) - (s8 ? 128 : 0), s8 ? -128 : 0, s8 ? 127 : 255 };

    if (pare_rng_below(rng, 4) == 0)
        p.lo += 20, p.hi -= 30;
    return p;
}

static void rows(runner *r)
{
    const pare_quantize_kernel *kernels[MAX_KERNELS];
    const int                   n = pare_quantize_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                    rng = pare_rng_seed(r->seed);

    for (int t = 0; t < 3000; t++) {
        const pare_quantize_params p = make(&rng);
        const size_t               length = pare_rng_below(&rng, LONGEST + 1), bytes = length * sizeof(float);
        float *const x = runner_guarded(bytes, sizeof(float)), *const back = runner_guarded(bytes, sizeof(float));
        uint8_t *const q = runner_guarded(length, 1);
        uint8_t        want[LONGEST];
        float          want_back[LONGEST];

        for (size_t i = 0; i < length; i++)
            x[i] = value(&rng, p.scale);
        pare_quantize_ref(&p, x, want, (long)length);
        pare_dequantize_ref(&p, want, want_back, (long)length);
        for (int k = 0; k < n; k++) {
            kernels[k]->quantize(&p, x, q, (long)length);
            CHECK(r, !memcmp(q, want, length), "%s quantizes n=%zu scale=%g", kernels[k]->name, length,
                  (double)p.scale);
            kernels[k]->dequantize(&p, want, back, (long)length);
            CHECK(r, !memcmp(back, want_back, bytes), "%s dequantizes n=%zu", kernels[k]->name, length);
        }
        runner_guarded_free(x, bytes, sizeof(float));
        runner_guarded_free(back, bytes, sizeof(float));
        runner_guarded_free(q, length, 1);
    }
}

/* What pixels of the dynamic scheme must become, bytes between the channels and the stride included. */
static float want_pixels(const pare_quantize_pixels *p, bool planar, uint8_t *want)
{
    float a = 0;

    for (long i = 0; i < p->n * p->channels; i++) {
        const long  c = i % p->channels, at = i / p->channels;
        const float v = fabsf(p->x[planar ? c * p->x_step + at : at * p->x_step + c]);
        a = v > a ? v : a;
    }
    for (long i = 0; i < p->n * p->channels; i++) {
        const long  c = i % p->channels, at = i / p->channels;
        const float v = rintf(p->x[planar ? c * p->x_step + at : at * p->x_step + c] * (127 / a));

        want[at * p->y_step + c] = (uint8_t)(128 + (!(a > 0) ? 0 : !(v > -127) ? -127 : v > 127 ? 127 : (int)v));
    }
    return a;
}

/* Pixels and planes of the dynamic scheme in memory that ends at a page nobody may touch. */
static void dynamic_pixels(runner *r)
{
    const pare_quantize_kernel *kernels[MAX_KERNELS];
    const int                   n = pare_quantize_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                    rng = pare_rng_seed(r->seed);

    for (int t = 0; t < 3000; t++) {
        const bool     planar = pare_rng_below(&rng, 3) == 0;
        const int      kind = (int)pare_rng_below(&rng, 4);
        const long     channels = (long)pare_rng_below(&rng, planar ? 5 : LONGEST);
        const long     gap = (long)pare_rng_below(&rng, 3) * 7;
        const long     pixels = (long)pare_rng_below(&rng, planar ? 600 : 9);
        const long     x_step = (planar ? pixels : channels) + gap, y_step = channels + (long)pare_rng_below(&rng, 20);
        const long     outer = planar ? channels : pixels;
        const size_t   floats = pixels && channels ? (size_t)(outer * x_step - gap) : 0, bytes = floats * sizeof(float);
        const size_t   codes = pixels && channels ? (size_t)((pixels - 1) * y_step + channels) : 0;
        float *const   x = runner_guarded(bytes, sizeof(float));
        uint8_t *const q = runner_guarded(codes, 1), *const want = runner_guarded(codes, 1);
        const pare_quantize_pixels p = { x, q, x_step, y_step, channels, pixels };

        for (size_t i = 0; i < floats; i++)
            x[i] = kind == 0 ? (pare_rng_below(&rng, 9) ? 0 : NAN) : kind == 1 ? value(&rng, 1) : pare_rng_normal(&rng);
        memset(want, 0x5a, codes);
        const float a = want_pixels(&p, planar, want);
        for (int k = 0; k < n; k++) {
            const float got = planar ? a : kernels[k]->largest(&p);
            memset(q, 0x5a, codes);
            if (planar)
                pare_quantize_planar_codes(kernels[k], &p, a);
            else
                kernels[k]->codes(&p, a);
            CHECK(r, !memcmp(&got, &a, sizeof(a)), "%s channels=%ld n=%ld: largest %g, got %g", kernels[k]->name,
                  channels, pixels, (double)a, (double)got);
            CHECK(r, !memcmp(q, want, codes), "%s channels=%ld n=%ld steps=%ld,%ld planar=%d kind=%d", kernels[k]->name,
                  channels, pixels, x_step, y_step, planar, kind);
        }
        runner_guarded_free(x, bytes, sizeof(float));
        runner_guarded_free(q, codes, 1);
        runner_guarded_free(want, codes, 1);
    }
}

static void examples(runner *r)
{
    const pare_quantize_params p = { .scale = 0.5f, .zero = 10, .lo = 0, .hi = 255 };
    const float                x[] = { 0, 0.25f, 0.75f, -0.25f, INFINITY, -INFINITY, NAN, 1e30f };
    const uint8_t              q[] = { 10, 10, 12, 10, 255, 0, 0, 255 };
    const float                d[] = { -2, 1, 0.5f, 0 };
    const uint8_t              dq[] = { 1, 192, 160, 128 };
    uint8_t                    got[8];

    pare_quantize_ref(&p, x, got, 8);
    for (int i = 0; i < 8; i++)
        CHECK(r, got[i] == q[i], "%g gives %d, want %d", (double)x[i], got[i], q[i]);
    const pare_quantize_kernel *kernels[MAX_KERNELS];
    const int                   n = pare_quantize_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    for (int k = 0; k < n; k++) {
        CHECK(r, pare_quantize_dynamic(kernels[k], d, got, 4) == 2.0f / 127, "scale of max 2");
        for (int i = 0; i < 4; i++)
            CHECK(r, got[i] == dq[i], "%g gives %d, want %d", (double)d[i], got[i], dq[i]);
        CHECK(r, pare_quantize_dynamic(kernels[k], x + 6, got, 1) == 0 && got[0] == 128, "NaN alone is 0");
        CHECK(r, pare_quantize_dynamic(kernels[k], x, got, 0) == 0, "nothing is 0");
    }
}

/* The floats next to every tie, at ordinary scales and at those that no reciprocal serves. */
static void ties(runner *r)
{
    enum { TIES = 520, NEAR = 9, N = TIES * NEAR };
    static const float odd[] = { 1e-40f, 0x1p-126f, 1e-31f, 1e31f, 1e37f, 1.0f, 0x1.fffffep-5f, 0x1.000002p-5f };
    const pare_quantize_kernel *kernels[MAX_KERNELS];
    const int                   n = pare_quantize_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                    rng = pare_rng_seed(r->seed);
    float *const                x = malloc(N * sizeof(float));
    uint8_t *const want = malloc(N), *const got = malloc(N);

    for (int t = 0; t < 300; t++) {
        pare_quantize_params p = make(&rng);

        p.scale = t < 8 ? odd[t] : pare_rng_uniform(&rng, 1e-4f, 2.0f);
        for (int i = 0; i < TIES; i++) {
            float v = ((float)i - TIES / 2 + 0.5f) * p.scale;

            for (int k = 0; k < NEAR / 2; k++)
                v = nextafterf(v, -INFINITY);
            for (int k = 0; k < NEAR; k++, v = nextafterf(v, INFINITY))
                x[i * NEAR + k] = v;
        }
        pare_quantize_ref(&p, x, want, N);
        for (int k = 0; k < n; k++) {
            kernels[k]->quantize(&p, x, got, N);
            CHECK(r, !memcmp(got, want, N), "%s: ties at scale %a", kernels[k]->name, p.scale);
        }
    }
    free(x);
    free(want);
    free(got);
}

/* Planes of n pixels to every pixel stride; bytes between the channels and the stride stay, but those of 4-byte pixels. */
static void planar(runner *r)
{
    const pare_quantize_kernel *kernels[MAX_KERNELS];
    const int                   n = pare_quantize_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                    rng = pare_rng_seed(r->seed);

    for (int t = 0; t < 60; t++) {
        const int      channels = 1 + (int)pare_rng_below(&rng, 4), pixels = (int)pare_rng_below(&rng, 700);
        const int      stride = t % 3 ? channels + (int)pare_rng_below(&rng, 30) : 4, plane = pixels + 3;
        float *const   x = malloc((size_t)(channels * plane) * sizeof(float));
        uint8_t *const y = malloc((size_t)(stride * pixels) + 1);
        const pare_quantize_planar_desc d = { make(&rng), plane, stride, channels };

        for (int i = 0; i < channels * plane; i++)
            x[i] = value(&rng, d.params.scale);
        for (int k = 0; k < n; k++) {
            int wrong = 0;
            memset(y, 0x5a, (size_t)(stride * pixels) + 1);
            pare_quantize_planar(kernels[k], &d, x, y, pixels);
            for (int i = 0; i < stride * pixels; i++) {
                uint8_t want = stride == 4 ? 0 : 0x5a;
                if (i % stride < channels)
                    pare_quantize_ref(&d.params, &x[i % stride * plane + i / stride], &want, 1);
                wrong += y[i] != want;
            }
            CHECK(r, wrong == 0 && y[stride * pixels] == 0x5a, "%s: %d wrong bytes", kernels[k]->name, wrong);
        }
        free(x);
        free(y);
    }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "rows", rows },     { "dynamic_pixels", dynamic_pixels }, { "examples", examples }, { "ties", ties },
        { "planar", planar },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
