/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_test.c - every version of qmul against its reference: all pairs of codes, all short lengths, in place */
#include "cpu/cpu.h"
#include "kernels/qadd/qbinary_cases.h"
#include "kernels/qmul/qmul.h"

static pare_qmul_params        params;
static const pare_qmul_kernel *kernels[MAX_KERNELS];

static pare_status init(const binary_desc *d)
{
    const pare_qmul_desc desc = { d->sa, d->sb, d->sy, d->za, d->zb, d->zy, d->lo, d->hi };

    return pare_qmul_init(&desc, &params);
}

static int versions(void)
{
    return pare_qmul_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
}

static const char *name(int version)
{
    return kernels[version]->name;
}

static void row(int version, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    (version == REFERENCE ? pare_qmul_ref : kernels[version]->row)(&params, a, b, b_step, y, n);
}

/* Gates: every version against rows of the reference, whose gaps stay. */
static void gated(runner *r)
{
    enum { MAX_CHANNELS = 200, MAX_PIXELS = 5 };
    const int n = versions();
    pare_rng  rng = pare_rng_seed(r->seed);

    for (int t = 0; t < 2000; t++) {
        const binary_desc d = random_desc(&rng);
        const long channels = 1 + pare_rng_below(&rng, MAX_CHANNELS), pixels = pare_rng_below(&rng, MAX_PIXELS + 1);
        pare_qmul_gated g = { .a_pixel = channels + (ptrdiff_t)pare_rng_below(&rng, 70),
                              .y_pixel = channels + (ptrdiff_t)pare_rng_below(&rng, 70),
                              .pixels = pixels,
                              .channels = channels };
        const size_t    na = pixels ? (size_t)((pixels - 1) * g.a_pixel + channels) : 0;
        const size_t    ny = pixels ? (size_t)((pixels - 1) * g.y_pixel + channels) : 0;
        uint8_t *const a = runner_guarded(na, 1), *const b = runner_guarded((size_t)channels, 1);
        uint8_t *const y = runner_guarded(ny, 1), *const want = runner_guarded(ny, 1);

        CHECK(r, init(&d) == PARE_OK, "%s", pare_error());
        for (size_t i = 0; i < na; i++)
            a[i] = t % 5 ? (uint8_t)pare_rng_u64(&rng) : (uint8_t)(pare_rng_below(&rng, 2) * 255);
        for (long i = 0; i < channels; i++)
            b[i] = t % 7 ? (uint8_t)pare_rng_u64(&rng) : (uint8_t)(pare_rng_below(&rng, 2) * 255);
        memset(want, 0x5a, ny);
        for (long i = 0; i < pixels; i++)
            pare_qmul_ref(&params, a + i * g.a_pixel, b, 1, want + i * g.y_pixel, channels);
        g.a = a;
        g.b = b;
        g.y = y;
        for (int k = 0; k < n; k++) {
            memset(y, 0x5a, ny);
            kernels[k]->gate(&params, &g);
            CHECK(r, !memcmp(y, want, ny), "%s: gate, channels=%ld pixels=%ld", kernels[k]->name, channels, pixels);
        }
        runner_guarded_free(a, na, 1);
        runner_guarded_free(b, (size_t)channels, 1);
        runner_guarded_free(y, ny, 1);
        runner_guarded_free(want, ny, 1);
    }
}

int main(int argc, char **argv)
{
    static const binary_rule qmul = {
        .init = init,
        .versions = versions,
        .name = name,
        .row = row,
        .tie_sy = 64,
        .near = { 1, 1, 3.1e-5f },
        .too_small = 1e-6f,
        .own = gated,
    };
    return binary_main(argc, argv, &qmul);
}
