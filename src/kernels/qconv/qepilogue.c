/* SPDX-License-Identifier: Apache-2.0 */
/* qepilogue.c - epilogue constants from scales, and the proof that 32 bits suffice */
#include "kernels/qconv/qepilogue.h"

#include <string.h>

#include "base/alloc.h"

/* Rounded values at or above this do not convert to int32. */
static const float limit = 2147483648.0f;

static bool is_scale(float scale)
{
    return scale > 0 && isfinite(scale);
}

static bool is_bounds(int zero, int lo, int hi)
{
    return zero >= 0 && zero <= 255 && lo >= 0 && lo <= hi && hi <= 255;
}

static float weight_scale(const pare_qchannels *channels, int c)
{
    return channels->sw[channels->n_sw == 1 ? 0 : c];
}

static pare_status init_add(pare_qepilogue *e, const pare_qoutput *out, const char *name)
{
    const pare_qfused_add *s = &out->add;

    if (!is_scale(s->scale) || !is_scale(s->scale_r) || s->zero_r < 0 || s->zero_r > 255)
        return pare_fail(PARE_ERR_ARG, "%s: the fused add has scale %g, residual scale %g and zero point %d", name,
                         (double)s->scale, (double)s->scale_r, s->zero_r);
    e->add = true;
    e->conv_is_second = s->conv_is_second;
    e->rate_conv = out->scale / s->scale;
    e->rate_r = s->scale_r / s->scale;
    e->add_lo = s->lo;
    e->add_hi = s->hi ? s->hi : 255;
    if (!is_bounds(s->zero, e->add_lo, e->add_hi))
        return pare_fail(PARE_ERR_ARG, "%s: the fused add has zero point %d and bounds %d..%d, not u8", name, s->zero,
                         e->add_lo, e->add_hi);

    const float zc = (float)out->zero, zr = (float)s->zero_r;
    e->constant = (float)s->zero -
                  (s->conv_is_second ? fmaf(e->rate_r, zr, e->rate_conv * zc) : fmaf(e->rate_conv, zc, e->rate_r * zr));
    /* Each fmaf grows with its code, so the extremes are at 0, 0 and, in either order of the operands, at 255, 255. */
    const float most = s->conv_is_second ? fmaf(255, e->rate_r, fmaf(255, e->rate_conv, e->constant))
                                         : fmaf(255, e->rate_conv, fmaf(255, e->rate_r, e->constant));
    if (!(fabsf(e->constant) < limit && fabsf(most) < limit))
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: the scale %g of the fused add is too small beside %g and %g", name,
                         (double)s->scale, (double)out->scale, (double)s->scale_r);
    return PARE_OK;
}

static pare_status init_u8(pare_qepilogue *e, const pare_qoutput *out, const char *name)
{
    e->zero = out->zero;
    e->lo = out->lo;
    e->hi = out->hi ? out->hi : 255;
    if (!is_scale(out->scale) || !is_bounds(e->zero, e->lo, e->hi))
        return pare_fail(PARE_ERR_ARG, "%s: output scale %g, zero point %d, bounds %d..%d are not those of u8", name,
                         (double)out->scale, e->zero, e->lo, e->hi);
    if (out->table) {
        e->table = pare_store_take(e->store, 256);
        if (!e->table)
            return pare_fail_memory(256, name);
        if (!pare_store_is_filled(e->store))
            memcpy(e->table, out->table, 256);
    }
    return out->add.on ? init_add(e, out, name) : PARE_OK;
}

static float scale_of(const pare_qchannels *channels, const pare_qoutput *out, int c)
{
    const float sw = weight_scale(channels, c);

    if (out->kind == PARE_QKIND_F32_ROWS)
        return sw;
    return out->kind == PARE_QKIND_F32 ? channels->sx * sw : (channels->sx * sw) / out->scale;
}

pare_status pare_qepilogue_init(pare_qepilogue *e, const pare_qchannels *channels, const pare_qoutput *out,
                                const int *channel_of, int columns, const char *name)
{
    const bool f32 = out->kind != PARE_QKIND_U8;

    *e = (pare_qepilogue){ .store = e->store,
                           .kind = out->kind,
                           .clamp_lo = out->clamped ? out->clamp_lo : -INFINITY,
                           .clamp_hi = out->clamped ? out->clamp_hi : INFINITY };
    if (out->kind != PARE_QKIND_F32_ROWS && !is_scale(channels->sx))
        return pare_fail(PARE_ERR_ARG, "%s: the activation scale is %g", name, (double)channels->sx);
    if (channels->zx < 0 || channels->zx > 255)
        return pare_fail(PARE_ERR_ARG, "%s: the activation zero point is %d, not 0..255", name, channels->zx);
    if (f32 && (out->table || out->add.on))
        return pare_fail(PARE_ERR_ARG, "%s: a table or an add cannot follow a float output", name);
    if (!f32 && (out->bias_f32 || out->clamped))
        return pare_fail(PARE_ERR_ARG, "%s: a float bias or clamp needs a float output", name);

    const size_t bytes = (size_t)columns * sizeof(float);
    e->scale = pare_store_take(e->store, bytes);
    if (f32 && out->bias_f32)
        e->bias_f32 = pare_store_take(e->store, bytes);
    if (!e->scale || (f32 && out->bias_f32 && !e->bias_f32))
        return pare_fail_memory(bytes, name);
    for (int i = 0; i < columns && !pare_store_is_filled(e->store); i++) {
        const int c = channel_of[i];
        if (c < 0)
            continue; /* zeroed: padding computes to 0 and is not stored */
        e->scale[i] = scale_of(channels, out, c);
        if (!isfinite(e->scale[i]))
            return pare_fail(PARE_ERR_NUMERIC, "%s: channel %d has the scale %g", name, c, (double)e->scale[i]);
        if (e->bias_f32)
            e->bias_f32[i] = out->bias_f32[c];
    }
    return f32 ? PARE_OK : init_u8(e, out, name);
}

void pare_qepilogue_clear(pare_qepilogue *e)
{
    pare_store_drop(e->store, e->scale);
    pare_store_drop(e->store, e->bias_f32);
    pare_store_drop(e->store, e->table);
    *e = (pare_qepilogue){ .scale = NULL };
}

/*
 * x runs over 0..255 independently for each weight, so the extremes of the sum are reached with x = 0 or 255
 * by the sign of the weight. Every partial sum is such a sum too (the missing x at zx or at 0).
 */
pare_status pare_qchannel_fold(const pare_qchannels *channels, const pare_qoutput *out, int c, const int8_t *w, long k,
                               int32_t *folded)
{
    const int64_t bias = channels->bias ? channels->bias[c] : 0;
    int64_t       most = bias, least = bias, sum = 0;

    for (long i = 0; i < k; i++) {
        const int at_0 = -channels->zx * w[i], at_255 = (255 - channels->zx) * w[i];
        most += at_0 > at_255 ? at_0 : at_255;
        least += at_0 < at_255 ? at_0 : at_255;
        sum += w[i];
    }
    if (most > INT32_MAX || least < INT32_MIN)
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "channel %d: a sum can reach %lld, more than 32 bits; its weight scale must be larger", c,
                         (long long)(most > -least ? most : least));
    if (out->kind == PARE_QKIND_U8) {
        const float m = scale_of(channels, out, c);
        if (!(fabsf((float)most * m) < limit && fabsf((float)least * m) < limit))
            return pare_fail(PARE_ERR_UNSUPPORTED,
                             "channel %d: the output can reach %lld * %g, more than 32 bits; its weight scale must be "
                             "larger",
                             c, (long long)(most > -least ? most : least), (double)m);
    }
    *folded = (int32_t)(bias - channels->zx * sum);
    return PARE_OK;
}
