/* SPDX-License-Identifier: Apache-2.0 */
/* qconv.c - choosing a version, and sharing out the work */
#include "kernels/qconv/qconv.h"

#include "base/pool.h"
#include "cpu/cpu.h"
#include "kernels/qconv/qconv_amx.h"
#include "kernels/qconv/qconv_plan.h"

static bool fits_all(const pare_qconv_desc *d)
{
    return d->in_c > 0;
}

#if PARE_X86
/* The tables hold 32-bit offsets. */
static bool fits_tiles(const pare_qconv_desc *d)
{
    const pare_qconv_strides s[] = { d->x, d->y, d->residual };
    bool                     fits = d->in_c > 0;

    for (int i = 0; i < 3; i++) {
        const ptrdiff_t most = INT32_MAX / 4;
        const int64_t   lines = (int64_t)d->out_h * (d->stride_h ? d->stride_h : 1);

        fits = fits && s[i].pixel >= 0 && s[i].row >= 0 && s[i].image >= 0 && s[i].pixel < most / 1024;
        fits = fits && s[i].image < most / 512 && (d->out_h * d->out_w == 1 || s[i].row < most / lines);
    }
    return fits;
}

#endif

/*
 * Slabs of k-steps are for several blocks of 32 pixels that do not fit L1 together with their panel of 32 columns. Where
 * there are several taps pixels stay there, as each is read several times, and L2 is fast enough for panels alone.
 */
static bool wants_slabs(const pare_qconv_desc *d)
{
    const bool one_tap = d->kernel_h <= 1 && d->kernel_w <= 1 && d->groups <= 1;
    const long pixels = (long)d->out_h * d->out_w * (d->batch ? d->batch : 1);

    return one_tap && d->in_c >= 10 * PARE_QCONV_ROW && pixels > 32;
}

static const pare_qconv_kernel kernels[] = {
#define PARE_QCONV_FROM(x_zero, tile, isa_name, isa, panel_tiles, k_round)                                      \
    { #tile "_" #isa_name,   isa, panel_tiles, k_round, x_zero, fits_all, pare_qconv_##tile##_##isa_name, NULL, \
      PARE_QCONV_OVER_PIXELS },
#define PARE_QCONV(...)        PARE_QCONV_FROM(0, __VA_ARGS__)
#define PARE_QCONV_SIGNED(...) PARE_QCONV_FROM(128, __VA_ARGS__)
#define PARE_QCONV_TILES(name, tile, isa_name, isa, panel_tiles, loop)                                  \
    { #name "_" #isa_name,   isa, panel_tiles, 64, 0, fits_tiles, NULL, pare_qconv_##tile##_##isa_name, \
      PARE_QCONV_OVER_##loop },
#include "kernels/qconv/qconv.def"
#undef PARE_QCONV
};

int pare_qconv_candidates(const pare_qconv_desc *d, unsigned cpu, const pare_qconv_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu) && kernels[i].fits(d) &&
            (kernels[i].loop != PARE_QCONV_OVER_SLABS || wants_slabs(d)))
            out[n++] = &kernels[i];
    pare_qconv_order(d, out, n);
    return n;
}

const char *pare_qconv_kernel_name(const pare_qconv_kernel *kernel)
{
    return kernel->name;
}

/*
 * Pixels at a time. All panels pass over one block before the next begins, so the block's input should stay in
 * L2 beside the weights; but no fewer than 96 pixels, which reuse each weight 16 times or more.
 */
static long block_pixels(const pare_qconv_plan *p)
{
    const ptrdiff_t pixel = p->out_h * p->out_w == 1 ? p->x.image : p->out_h == 1 ? p->x_step : p->x_line / p->out_w;
    const ptrdiff_t n = (128 << 10) / (pixel > 0 ? pixel : 64);

    return n < 96 ? 96 : n > (1 << 20) ? 1 << 20 : (long)(n / 24 * 24);
}

/*
 * The part that does most does this many of `units`, which are not divided. Rows are units of 8 pixels here, about a
 * tile's, so that a share of both directions tells how well they divide.
 */
static long most_of(long units, int parts)
{
    return (units + parts - 1) / parts;
}

bool pare_qconv_share(const pare_qconv_plan *plan, int batch, int part, int parts, long *first, long *last)
{
    /* Rows are shared out where each part gets enough of them to reuse the weights; else columns are, and every
     * weight is read by one part only: unless they divide worse than rows by more than a twentieth. */
    enum { FEW = 48, TILE = 8 };
    const long pixels = (long)batch * plan->out_h * plan->out_w, tiles = (pixels + TILE - 1) / TILE;
    const bool even = 20 * most_of(plan->n_panels, parts) * tiles <= 21 * most_of(tiles, parts) * plan->n_panels;

#if PARE_X86
    if (plan->kernel->run_tiles)
        return pare_qconv_share_tiles(plan, batch, part, parts, first, last);
#endif
    *first = 0;
    *last = pixels;
    if (pixels < (long)FEW * parts && even)
        return false;
    /* Whole lines where these divide, as other kinds of steps share them; else whole tiles of 6 rows, as far as shares
     * remain about equal. */
    const bool lines = (long)batch * plan->out_h % parts == 0;

    pare_pool_split(pixels, lines ? plan->out_w : pixels >= 6L * 8 * parts ? 6 : 1, part, parts, first, last);
    return true;
}

size_t pare_qconv_scratch(const pare_qconv_plan *plan)
{
    const pare_qconv_tiles *t = &plan->tiles;

    return t->gather ? (size_t)t->n * (size_t)t->n_steps * 16 * PARE_QCONV_ROW : 0;
}

void pare_qconv_run(const pare_qconv_plan *plan, const pare_qconv_args *args, int part, int parts)
{
    const long block = block_pixels(plan);
    long       first, last, panel0 = 0, panel1 = plan->n_panels;

#if PARE_X86
    if (plan->kernel->run_tiles) {
        pare_qconv_run_tiles(plan, args, part, parts);
        return;
    }
#endif
    if (!pare_qconv_share(plan, args->batch, part, parts, &first, &last))
        pare_pool_split(plan->n_panels, 1, part, parts, &panel0, &panel1);
    if (panel0 == panel1)
        return;
    for (long at = first; at < last; at += block)
        plan->kernel->run(&(pare_qconv_range){
            .plan = plan,
            .args = args,
            .first = at,
            .last = last - at < block ? last : at + block,
            .panel0 = (int)panel0,
            .panel1 = (int)panel1,
        });
}
