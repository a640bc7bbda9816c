/* SPDX-License-Identifier: Apache-2.0 */
/* qdw.c - depthwise convolution: choosing a version, packing, and sharing out the work */
#include "kernels/qdw/qdw.h"

#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/qdw/qdw_plan.h"

static const pare_qdw_kernel kernels[] = {
#define PARE_QDW_FROM(x_zero, block, isa_name, isa, lanes, rows, lines) \
    { #block "_" #isa_name, isa, block, lanes, rows, lines, x_zero, pare_qdw_##block##_##isa_name },
#define PARE_QDW(...)        PARE_QDW_FROM(0, __VA_ARGS__)
#define PARE_QDW_SIGNED(...) PARE_QDW_FROM(128, __VA_ARGS__)
#include "kernels/qdw/qdw.def"
#undef PARE_QDW
};

int pare_qdw_candidates(const pare_qconv_desc *d, unsigned cpu, const pare_qdw_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    if (d->in_c != d->out_c || (d->groups ? d->groups : 1) != d->in_c)
        return 0;
    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

const char *pare_qdw_kernel_name(const pare_qdw_kernel *kernel)
{
    return kernel->name;
}

static int or1(int value)
{
    return value ? value : 1;
}

/* The filter of one channel into its column, for one line. */
static void pack_channel(const pare_qdw_plan *p, const int8_t *w, int8_t *block, int column, int line)
{
    const pare_qdw_kernel *k = p->kernel;

    for (int ky = 0; ky < p->kernel_h; ky++)
        for (int kx = 0; kx < p->kernel_w; kx++) {
            const int    row = ky + line;
            const size_t step = (size_t)(row / k->rows * p->kernel_w + kx);
            const size_t at = (step * (size_t)k->block + (size_t)column) * (size_t)k->rows + (size_t)(row % k->rows);
            const int8_t tap = w[ky * p->kernel_w + kx];

            if (k->rows == 2)
                ((int16_t *)(void *)block)[at] = tap;
            else
                block[at] = tap;
        }
}

static pare_status pack(const pare_qconv_desc *d, pare_qdw_plan *p)
{
    const pare_qdw_kernel *k = p->kernel;
    const int              columns = p->blocks * k->block, taps = p->kernel_h * p->kernel_w;
    int *const             channel_of = pare_malloc((size_t)columns * sizeof(int));
    pare_status            status = PARE_OK;

    if (!channel_of)
        return pare_fail_memory((size_t)columns * sizeof(int), "qdw columns");
    for (int i = 0; i < columns; i++) {
        const int     block = i / k->block, column = i % k->block;
        const int     width = block == p->blocks - 1 ? k->block / p->parts : k->block; /* copies of the same channels */
        const int     c = block * k->block + pare_qdw_channel(k->block, k->lanes, column) % width;
        const int     real = c % d->in_c; /* folded pixels repeat the channels */
        const int8_t *w = d->w + (ptrdiff_t)real * taps;

        channel_of[i] = c < p->channels ? real : -1;
        if (c >= p->channels || pare_store_is_filled(d->store))
            continue;
        PARE_GOTO(pare_qchannel_fold(&d->channels, &d->out, real, w, taps, &p->bias[i]));
        for (int t = 0; t < taps; t++) /* the accumulator for codes of x_zero: it fits as every accumulator does */
            p->bias[i] += k->x_zero * w[t];
        for (int line = 0; line < p->lines; line++)
            pack_channel(p, w, p->w + (size_t)(block * p->lines + line) * p->line_bytes, column, line);
    }
    p->epilogue.store = d->store;
    PARE_GOTO(pare_qepilogue_init(&p->epilogue, &d->channels, &d->out, channel_of, columns, "qdw"));
out:
    pare_free(channel_of);
    return status;
}

/*
 * Few channels, packed tightly: neighbouring outputs of a line are neighbouring channels too, and so are their taps.
 * How many pixels one block then holds; 1 where the memory or the filter does not allow it.
 */
static int foldable(const pare_qconv_desc *d, const pare_qdw_kernel *k)
{
    const int  fold = k->block % d->in_c ? 1 : k->block / d->in_c;
    const int  item = d->out.kind == PARE_QKIND_U8 ? 1 : (int)sizeof(float);
    const bool tight =
        d->x.pixel == d->in_c && d->y.pixel == d->in_c * item && (!d->out.add.on || d->residual.pixel == d->in_c);

    if (k->lanes == 4 && fold == 4 && d->out.kind == PARE_QKIND_U8)
        return 1; /* parts of the line do better, see line_parts: their taps overlap */
    return tight && or1(d->stride_w) == 1 && d->out_w % fold == 0 ? fold : 1;
}

/* Into how many parts the output line of the last block is cut. */
static int line_parts(const pare_qconv_desc *d, const pare_qdw_plan *p)
{
    const int left = p->channels - (p->blocks - 1) * p->kernel->block;

    if (p->kernel->lanes != 4 || d->out.kind != PARE_QKIND_U8)
        return 1;
    return left <= 16 && p->out_w % 4 == 0 ? 4 : left <= 32 && p->out_w % 2 == 0 ? 2 : 1;
}

static pare_status fill(const pare_qconv_desc *d, pare_qdw_plan *p)
{
    const pare_qdw_kernel *k = p->kernel;
    const int              fold = foldable(d, k);

    p->x = d->x;
    p->y = d->y;
    p->residual = d->residual;
    p->out_h = d->out_h;
    p->fold = fold;
    p->out_w = d->out_w / fold;
    p->kernel_h = or1(d->kernel_h);
    p->kernel_w = or1(d->kernel_w);
    p->channels = d->in_c * fold;
    p->tap_x = or1(d->dilation_w) * d->x.pixel;
    p->tap_y = or1(d->dilation_h) * d->x.row;
    p->x_step = or1(d->stride_w) * d->x.pixel * fold;
    p->x_line = or1(d->stride_h) * d->x.row;
    p->origin = -d->pad_top * d->x.row - d->pad_left * d->x.pixel;
    p->blocks = (p->channels + k->block - 1) / k->block;
    p->parts = line_parts(d, p);
    p->y.pixel *= fold;
    p->residual.pixel *= fold;
    /* Neighbouring lines share their rows only where the taps lie as far apart as the lines. */
    p->lines = k->lines == 2 && d->out_h > 1 && p->x_line == p->tap_y ? 2 : 1;
    p->groups = (p->kernel_h + p->lines - 1 + k->rows - 1) / k->rows;
    p->line_bytes = (size_t)(p->groups * p->kernel_w) * (size_t)(k->block * k->rows) * (k->rows == 2 ? 2 : 1);
    p->store = d->store;
    p->w = pare_store_take(d->store, pare_qdw_packed_bytes(p));
    p->bias = pare_store_take(d->store, (size_t)(p->blocks * k->block) * sizeof(*p->bias));
    if (!p->w || !p->bias)
        return pare_fail_memory(pare_qdw_packed_bytes(p), "the packed weights of qdw");
    return pack(d, p);
}

static pare_status check(const pare_qconv_desc *d)
{
    if (d->in_c < 1 || d->in_c != d->out_c || or1(d->groups) != d->in_c)
        return pare_fail(PARE_ERR_SHAPE, "qdw: %d input and %d output channels in %d groups are not depthwise", d->in_c,
                         d->out_c, or1(d->groups));
    if (d->out_h < 1 || d->out_w < 1 || d->kernel_h < 0 || d->kernel_w < 0 || d->stride_h < 0 || d->stride_w < 0 ||
        d->dilation_h < 0 || d->dilation_w < 0)
        return pare_fail(PARE_ERR_SHAPE, "qdw: output %dx%d, kernel %dx%d, stride %dx%d, dilation %dx%d", d->out_h,
                         d->out_w, d->kernel_h, d->kernel_w, d->stride_h, d->stride_w, d->dilation_h, d->dilation_w);
    if (d->out.kind == PARE_QKIND_F32_ROWS && d->channels.zx != 128)
        return pare_fail(PARE_ERR_ARG, "qdw: dynamic rows are stored as q + 128, but the zero point is %d",
                         d->channels.zx);
    return PARE_OK;
}

pare_status pare_qdw_create(const pare_qconv_desc *d, const pare_qdw_kernel *kernel, pare_qdw_plan **out)
{
    *out = NULL;
    PARE_TRY(check(d));
    if (!kernel)
        pare_qdw_candidates(d, pare_cpu_features(), &kernel, 1);

    pare_qdw_plan *p = pare_calloc(1, sizeof(*p));
    if (!p)
        return pare_fail_memory(sizeof(*p), "a plan of qdw");
    p->kernel = kernel;
    const pare_status status = fill(d, p);
    if (status != PARE_OK) {
        pare_qdw_destroy(p);
        return status;
    }
    *out = p;
    return PARE_OK;
}

void pare_qdw_destroy(pare_qdw_plan *plan)
{
    if (!plan)
        return;
    pare_store_drop(plan->store, plan->w);
    pare_store_drop(plan->store, plan->bias);
    pare_qepilogue_clear(&plan->epilogue);
    pare_free(plan);
}

size_t pare_qdw_packed_bytes(const pare_qdw_plan *plan)
{
    return (size_t)(plan->blocks * plan->lines) * plan->line_bytes;
}

/* Lines of output, `lines` of them at a time, and blocks of their channels. */
static void units_of(const pare_qdw_plan *p, int batch, int part, int parts, long *first, long *last)
{
    const long per_image = (p->out_h + p->lines - 1) / p->lines;

    pare_pool_split(batch * per_image * p->blocks, 1, part, parts, first, last);
}

void pare_qdw_share(const pare_qdw_plan *p, int batch, int part, int parts, long *first, long *last)
{
    const long per_image = (p->out_h + p->lines - 1) / p->lines;
    long       begin, end;

    units_of(p, batch, part, parts, &begin, &end);
    *first = *last = 0;
    if (begin == end)
        return;
    const long top = begin / p->blocks, low = (end - 1) / p->blocks, out_w = (long)p->out_w * p->fold;
    const long below = (low % per_image + 1) * p->lines;

    *first = (top / per_image * p->out_h + top % per_image * p->lines) * out_w;
    *last = (low / per_image * p->out_h + (below < p->out_h ? below : p->out_h)) * out_w;
}

void pare_qdw_run(const pare_qdw_plan *p, const pare_qconv_args *args, int part, int parts)
{
    const int per_image = (p->out_h + p->lines - 1) / p->lines;
    long      first, last;

    units_of(p, args->batch, part, parts, &first, &last);
    for (long i = first; i < last; i++) {
        const int     block = (int)(i % p->blocks), image = (int)(i / p->blocks / per_image);
        const int     oy = (int)(i / p->blocks % per_image) * p->lines;
        const int     n = p->out_h - oy < p->lines ? 1 : p->lines;
        pare_qdw_line line = {
            .plan = p,
            .x = args->x + image * p->x.image + oy * p->x_line + p->origin + block * p->kernel->block,
            .y = (uint8_t *)args->y + image * p->y.image + oy * p->y.row,
            .block = block,
            .n = n,
            .rows = p->kernel_h + n - 1,
            .row_scale = args->row_scales ? args->row_scales[image] : 1,
        };

        if (args->residual)
            line.residual = args->residual + image * p->residual.image + oy * p->residual.row;
        p->kernel->run(&line);
    }
}
