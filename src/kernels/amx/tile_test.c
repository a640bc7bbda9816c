/* SPDX-License-Identifier: Apache-2.0 */
/* tile_test.c - tile instructions, or their emulation, against loops over numbers */
#include "kernels/amx/tile.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "runner.h"

#if PARE_X86
#define ISA __attribute__((target(PARE_TILE_TARGET)))

static const pare_tile_config narrow = {
    .palette = 1,
    .colsb = { 48, 48, 64, 64, 20, 48, 48, 64 },
    .rows = { 3, 3, 16, 16, 3, 5, 5, 16 },
};

/* Random bytes, or only those at both ends of u8 and s8. */
static void fill(pare_rng *rng, uint8_t *p, size_t n)
{
    const uint8_t ends[] = { 0, 255, 127, 128 };
    const bool    extremes = pare_rng_below(rng, 2);

    for (size_t i = 0; i < n; i++)
        p[i] = extremes ? ends[pare_rng_below(rng, 4)] : (uint8_t)pare_rng_u64(rng);
}

typedef struct problem {
    uint8_t a[16][64], b[16][64];
    int32_t start[16][16], usd[16][16], ssd[16][16];
} problem;

/* sum[m][n] += a[m][k] * b[k / 4][n][k % 4], wrapping; what is not configured becomes zero. */
static void reference(problem *p, const pare_tile_config *c)
{
    memset(p->usd, 0, sizeof(p->usd));
    memset(p->ssd, 0, sizeof(p->ssd));
    for (int m = 0; m < c->rows[4]; m++)
        for (int n = 0; n < c->colsb[5] / 4; n++) {
            uint32_t usd = (uint32_t)p->start[m][n], ssd = usd;

            for (int k = 0; k < c->colsb[4]; k++) {
                const int8_t w = (int8_t)p->b[k / 4][n * 4 + k % 4];
                usd += (uint32_t)(p->a[m][k] * w);
                ssd += (uint32_t)((int8_t)p->a[m][k] * w);
            }
            p->usd[m][n] = (int32_t)usd;
            p->ssd[m][n] = (int32_t)ssd;
        }
}

ISA static void products(runner *r, const pare_tile_config *config)
{
    pare_rng      rng = pare_rng_seed(r->seed);
    int32_t       usd[16][16], ssd[16][16];
    const int32_t bias[16] = { 1, -1, INT32_MAX, INT32_MIN };

    for (int i = 0; i < 100; i++) {
        problem p;
        fill(&rng, &p.a[0][0], sizeof(p.a));
        fill(&rng, &p.b[0][0], sizeof(p.b));
        for (int m = 0; m < 16; m++)
            memcpy(p.start[m], bias, sizeof(bias));
        reference(&p, config);
        memset(usd, 0, sizeof(usd));
        memset(ssd, 0, sizeof(ssd));
        PARE_TILE_FENCE();
        pare_tile_use(config);
        PARE_TILE_LOAD(4, p.a, 64);
        PARE_TILE_LOAD(5, p.b, 64);
        PARE_TILE_LOAD(0, bias, 0);
        PARE_TILE_DPBUSD(0, 4, 5);
        PARE_TILE_STORE(0, usd, 64);
        PARE_TILE_ZERO(1);
        PARE_TILE_LOAD(1, bias, 0);
        PARE_TILE_DPBSSD(1, 4, 5);
        PARE_TILE_STORE(1, ssd, 64);
        CHECK(r, !memcmp(usd, p.usd, sizeof(usd)), "u8 x s8, round %d", i);
        CHECK(r, !memcmp(ssd, p.ssd, sizeof(ssd)), "s8 x s8, round %d", i);
    }
    pare_tile_end();
}

static void full_tiles(runner *r)
{
    products(r, &pare_tile_full);
}

static void narrow_tiles(runner *r)
{
    products(r, &narrow);
}

/* A load reads rows * colsb bytes and not one more: the last row ends at a page nobody may touch. */
ISA static void loads_stay_inside(runner *r)
{
    int32_t back[16][16];

    for (int stride = 20; stride <= 100; stride += 40) {
        const size_t   size = (size_t)stride * 2 + 20;
        uint8_t *const at = runner_guarded(size, 1);

        fill(&(pare_rng){ 0 }, at, size);
        pare_tile_use(&narrow);
        PARE_TILE_LOAD(4, at, stride);
        memset(back, 0x55, sizeof(back));
        PARE_TILE_FENCE();
        PARE_TILE_STORE(4, back, 64);
        for (int row = 0; row < 3; row++)
            CHECK(r, !memcmp(back[row], at + row * stride, 20) && back[row][5] == 0x55555555, "row %d", row);
        CHECK(r, back[3][0] == 0x55555555, "stored a fourth row");
        runner_guarded_free(at, size, 1);
    }
    pare_tile_end();
    pare_tile_end(); /* of no tiles: nothing happens */
}

static const runner_case with_tiles[] = {
    { "full_tiles", full_tiles },
    { "narrow_tiles", narrow_tiles },
    { "loads_stay_inside", loads_stay_inside },
};
#else
static const runner_case with_tiles[1];
#endif

static void tiles_are_not_claimed(runner *r)
{
    CHECK(r, !PARE_EMULATE || !(pare_cpu_features() & PARE_ISA_AVX512VNNI),
          "AVX-512 emulates tiles, but there are none");
}

int main(int argc, char **argv)
{
    static const runner_case without[] = { { "tiles_are_not_claimed", tiles_are_not_claimed } };

    if (pare_cpu_features() & PARE_ISA_AMX_INT8)
        return runner_main(argc, argv, with_tiles, (int)(sizeof(with_tiles) / sizeof(with_tiles[0])));
    return runner_main(argc, argv, without, 1);
}
