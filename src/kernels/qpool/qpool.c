/* SPDX-License-Identifier: Apache-2.0 */
/* qpool.c - choosing a version, checking, and the walk over windows */
#include "kernels/qpool/qpool.h"

#include <math.h>

#include "base/pool.h"

static const pare_qpool_kernel kernels[] = {
#define PARE_QPOOL(name, isa)                                                       \
    { #name,                                                                        \
      isa,                                                                          \
      { pare_qpool_max_##name, pare_qpool_average_##name, pare_qpool_mean_##name }, \
      pare_qpool_peak_##name,                                                       \
      pare_qpool_totals_##name },
#include "kernels/qpool/qpool.def"
#undef PARE_QPOOL
};

int pare_qpool_candidates(unsigned cpu, const pare_qpool_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

const char *pare_qpool_kernel_name(const pare_qpool_kernel *kernel)
{
    return kernel->name;
}

static int or1(int value)
{
    return value ? value : 1;
}

/* Taps of one direction of one window: the first inside the picture, how many are, and how many the divisor counts. */
typedef struct span {
    int begin, taps, counted;
} span;

typedef struct direction {
    int size, kernel, stride, dilation, pad_before, pad_after;
    int before, after; /* of the padding: what is in memory */
} direction;

static span cut(const direction *d, int out)
{
    const int start = out * d->stride - d->pad_before;
    span      s = { 0, 0, 0 };

    for (int k = 0; k < d->kernel; k++) {
        const int at = start + k * d->dilation;
        if (at < d->size + d->pad_after)
            s.counted++;
        if (at < -d->before || at >= d->size + d->after)
            continue;
        if (s.taps++ == 0)
            s.begin = at;
    }
    return s;
}

static direction vertical(const pare_qpool_desc *d)
{
    return (direction){ d->in_h,    d->kernel_h,   or1(d->stride_h),         or1(d->dilation_h),
                        d->pad_top, d->pad_bottom, d->halo ? d->pad_top : 0, d->halo ? d->pad_bottom : 0 };
}

static direction horizontal(const pare_qpool_desc *d)
{
    return (direction){ d->in_w,     d->kernel_w,  or1(d->stride_w),          or1(d->dilation_w),
                        d->pad_left, d->pad_right, d->halo ? d->pad_left : 0, d->halo ? d->pad_right : 0 };
}

static pare_status check_direction(const direction *d, int out, const char *name)
{
    if (d->size < 1 || d->kernel < 1 || d->stride < 1 || d->dilation < 1 || d->pad_before < 0 || d->pad_after < 0 ||
        out < 1)
        return pare_fail(PARE_ERR_SHAPE, "qpool: %s: size %d, kernel %d, stride %d, dilation %d, output %d", name,
                         d->size, d->kernel, d->stride, d->dilation, out);
    for (int i = 0; i < out; i++)
        if (cut(d, i).taps == 0)
            return pare_fail(PARE_ERR_SHAPE, "qpool: %s: window %d lies outside the picture", name, i);
    return PARE_OK;
}

static bool is_scale(float scale)
{
    return scale > 0 && isfinite(scale);
}

pare_status pare_qpool_check(const pare_qpool_desc *d)
{
    const direction v = vertical(d), h = horizontal(d);
    const int       hi = d->hi ? d->hi : 255;

    PARE_TRY(check_direction(&v, d->out_h, "rows"));
    PARE_TRY(check_direction(&h, d->out_w, "columns"));
    if (d->channels < 1 || d->lo < 0 || d->lo > hi || hi > 255)
        return pare_fail(PARE_ERR_ARG, "qpool: %d channels, bounds %d..%d", d->channels, d->lo, hi);
    if (d->halo && (d->kind != PARE_QPOOL_AVERAGE || !d->count_padding))
        return pare_fail(PARE_ERR_ARG, "qpool: only averages that count their padding read a halo");
    if (d->kind == PARE_QPOOL_MAX)
        return PARE_OK;
    if (!is_scale(d->sx) || !is_scale(d->sy) || d->zx < 0 || d->zx > 255 || d->zy < 0 || d->zy > 255)
        return pare_fail(PARE_ERR_ARG, "qpool: scales %g and %g, zero points %d and %d are not those of u8",
                         (double)d->sx, (double)d->sy, d->zx, d->zy);
    /* A factor 2 is left for the roundings of the chain. */
    if ((int64_t)d->kernel_h * d->kernel_w > INT32_MAX / 255 || !(2 * (255 * d->sx) / d->sy + 255 < 2147483648.0f) ||
        !(d->sy * (float)d->kernel_h * (float)d->kernel_w < INFINITY))
        return pare_fail(PARE_ERR_UNSUPPORTED, "qpool: scales %g to %g over %d x %d taps need more than 32 bits",
                         (double)d->sx, (double)d->sy, d->kernel_h, d->kernel_w);
    return PARE_OK;
}

/* Into how many pieces of whole 64 channels a line is cut: where there are fewer lines than parts, as many as needed. */
static long pieces_of(const pare_qpool_desc *d, int batch, int parts)
{
    const long most = (d->channels + 63) / 64;

    return (long)batch * d->out_h >= parts ? 1 : most < parts ? most : parts;
}

bool pare_qpool_share(const pare_qpool_desc *d, int batch, int part, int parts, long *first, long *last)
{
    pare_pool_split((long)batch * d->out_h, 1, part, parts, first, last);
    *first *= d->out_w;
    *last *= d->out_w;
    return pieces_of(d, batch, parts) == 1;
}

/* Outputs number lo to hi - 1 of a line have windows that lie in the picture as a whole. */
static void find_whole(const direction *d, int out, int *lo, int *hi)
{
    const int reach = (d->kernel - 1) * d->dilation;
    const int last = d->size + d->after - 1 - reach + d->pad_before;

    *lo = (d->pad_before - d->before + d->stride - 1) / d->stride;
    *hi = last < 0 ? 0 : last / d->stride + 1;
    *lo = *lo < out ? *lo : out;
    *hi = *hi < out ? *hi : out;
    *hi = *hi < *lo ? *lo : *hi;
}

/* A line of the largest of each column, as the stack can hold. */
enum { PEAK_BYTES = 16384 };

typedef struct walker {
    const pare_qpool_kernel *kernel;
    const pare_qpool_desc   *d;
    direction                h;
    pare_qpool_window        w; /* what all windows have in common                                 */
    int                      lo, hi;
    bool                     totals; /* averages of whole windows are told from sums                       */
    bool                     peaks;  /* the largest of each column comes first: neighbouring windows share it */
} walker;

/* `n` outputs from ox on, whose windows have the shape of the first. */
static void run_windows(const walker *k, const uint8_t *x, uint8_t *y, span rows, int ox, int n)
{
    const span        columns = cut(&k->h, ox);
    pare_qpool_window w = k->w;

    w.x = x + columns.begin * k->d->x.pixel;
    w.y = y + ox * k->d->y.pixel;
    w.rows = rows.taps;
    w.columns = columns.taps;
    w.outputs = n;
    w.n = k->d->count_padding ? rows.counted * columns.counted : rows.taps * columns.taps;
    if (k->totals && rows.taps == k->d->kernel_h && columns.taps == k->d->kernel_w)
        k->kernel->totals(&w);
    else
        k->kernel->run[k->d->kind](&w);
}

static void run_line(const walker *k, const uint8_t *x, uint8_t *y, span rows)
{
    uint8_t peaks[PEAK_BYTES];

    if (k->peaks && rows.taps > 1) {
        k->kernel->peak(x, k->w.row, rows.taps, peaks, (k->d->in_w - 1) * k->d->x.pixel + k->d->channels);
        x = peaks;
        rows.taps = 1;
    }
    for (int ox = 0; ox < k->lo; ox++)
        run_windows(k, x, y, rows, ox, 1);
    if (k->hi > k->lo)
        run_windows(k, x, y, rows, k->lo, k->hi - k->lo);
    for (int ox = k->hi; ox < k->d->out_w; ox++)
        run_windows(k, x, y, rows, ox, 1);
}

void pare_qpool_run(const pare_qpool_kernel *kernel, const pare_qpool_desc *d, const pare_qpool_args *args, int part,
                    int parts)
{
    const direction v = vertical(d);
    walker          k = { .kernel = kernel,
                          .d = d,
                          .h = horizontal(d),
                          .w = { .row = or1(d->dilation_h) * d->x.row,
                                 .pixel = or1(d->dilation_w) * d->x.pixel,
                                 .x_step = or1(d->stride_w) * d->x.pixel,
                                 .y_step = d->y.pixel,
                                 .channels = d->channels,
                                 .sx = d->sx,
                                 .sy = d->sy,
                                 .zx = d->zx,
                                 .zy = d->zy,
                                 .lo = d->lo,
                                 .hi = d->hi ? d->hi : 255,
                                 .sums = &d->sums },
                          .totals = d->sums.on && or1(d->dilation_w) == 1 };
    const long      pieces = pieces_of(d, args->batch, parts);
    long            first, last, c = 0, end = d->channels;

    find_whole(&k.h, d->out_w, &k.lo, &k.hi);
    k.peaks = d->kind == PARE_QPOOL_MAX && pieces == 1 && d->kernel_w > or1(d->stride_w) &&
              d->x.pixel < 2 * d->channels + 32 && (d->in_w - 1) * d->x.pixel + d->channels <= PEAK_BYTES;
    pare_pool_split((long)args->batch * d->out_h * pieces, 1, part, parts, &first, &last);
    for (long i = first; i < last; i++) {
        const int  image = (int)(i / pieces / d->out_h), oy = (int)(i / pieces % d->out_h);
        const span rows = cut(&v, oy);

        if (pieces > 1)
            pare_pool_split(d->channels, 64, (int)(i % pieces), (int)pieces, &c, &end);
        k.w.channels = (int)(end - c);
        run_line(&k, args->x + image * d->x.image + rows.begin * d->x.row + c,
                 args->y + image * d->y.image + oy * d->y.row + c, rows);
    }
}
