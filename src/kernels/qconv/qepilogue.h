/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qepilogue.h - what happens to an int32 accumulator: shared by qconv and qdw (docs/NUMERICS.md 5 and 6)
 *
 * The scalar functions here are the definition; the vector forms, qepilogue_avx512.h and qepilogue_avx2.h, give
 * equal bits.
 */
#ifndef PARE_KERNELS_QEPILOGUE_H
#define PARE_KERNELS_QEPILOGUE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/store.h"

typedef enum pare_qkind {
    PARE_QKIND_U8,       /* q = clamp(rint((float)acc * ((sx * sw[c]) / sy)) + zy, lo, hi)                         */
    PARE_QKIND_F32,      /* y = (float)acc * (sx * sw[c]), then + bias_f32[c] if there is one, then the clamp      */
    PARE_QKIND_F32_ROWS, /* y = (float)acc * (sx[row] * sw[c]), then likewise; x is stored as q + 128, zx 128      */
} pare_qkind;

/*
 * A quantized add fused behind the convolution. It rounds a second time, so the bits are those of the
 * unfused pair. The other operand ("residual") has the qparams here; the convolution's are in pare_qoutput.
 */
typedef struct pare_qfused_add {
    bool  on;
    bool  conv_is_second; /* the convolution is operand b of the add; false: operand a */
    float scale_r;        /* of the residual                                           */
    int   zero_r;
    float scale; /* of the sum                                                */
    int   zero;
    int   lo, hi; /* bounds of the sum; hi 0 means 255                         */
} pare_qfused_add;

/* What turns weights and activations into accumulators; borrowed while a plan is created. */
typedef struct pare_qchannels {
    const float   *sw;   /* [n_sw] weight scales                                              */
    int            n_sw; /* 1 or channels                                                     */
    const int32_t *bias; /* [channels] at scale sx * sw[c], or NULL                           */
    float          sx;   /* activation scale; unused by PARE_QKIND_F32_ROWS                   */
    int            zx;   /* activation zero point, 0..255; 128 for PARE_QKIND_F32_ROWS        */
} pare_qchannels;

/* How the accumulators of a convolution become its output; borrowed while a plan is created. */
typedef struct pare_qoutput {
    pare_qkind      kind;
    float           scale;    /* sy; U8 only                                                          */
    int             zero;     /* zy, 0..255; U8 only                                                  */
    int             lo, hi;   /* bounds of q; hi 0 means 255                                          */
    const uint8_t  *table;    /* [256], applied to the requantized q and before the add; NULL: none   */
    const float    *bias_f32; /* [channels], F32 kinds only; NULL: none                               */
    bool            clamped;  /* F32 kinds only: y becomes clamp(y, clamp_lo, clamp_hi), NaN stays    */
    float           clamp_lo, clamp_hi;
    pare_qfused_add add; /* U8 only                                                              */
} pare_qoutput;

/* The same, as kernels want it. Per-channel arrays are in the packed column order of the plan. */
typedef struct pare_qepilogue {
    pare_store *store; /* where the arrays lie; NULL: heap memory                 */
    pare_qkind  kind;
    float      *scale;    /* [columns]: (sx * sw) / sy; sx * sw; or sw               */
    float      *bias_f32; /* [columns] or NULL                                       */
    uint8_t    *table;    /* [256] or NULL                                           */
    int         zero, lo, hi;
    float       clamp_lo, clamp_hi; /* of float outputs; infinities where there is none */
    bool        add;
    bool        conv_is_second;
    float       rate_conv, rate_r, constant; /* of the add: s / sy, and k            */
    int         add_lo, add_hi;
} pare_qepilogue;

/*
 * Checks `channels` and `out` and fills *e; its arrays go into e->store, which the caller has set. Column i belongs to
 * channel channel_of[i]; -1 is padding. `name` begins the sentences of failures. After a failure and after use: pare_qepilogue_clear.
 */
pare_status pare_qepilogue_init(pare_qepilogue *e, const pare_qchannels *channels, const pare_qoutput *out,
                                const int *channel_of, int columns, const char *name);
void        pare_qepilogue_clear(pare_qepilogue *e);

/*
 * *folded = bias[c] - zx * sum(w) of the k weights of channel c, after proving that for every input the
 * accumulator fits an int32 and the value before rounding lies inside +-2^31.
 */
pare_status pare_qchannel_fold(const pare_qchannels *channels, const pare_qoutput *out, int c, const int8_t *w, long k,
                               int32_t *folded);

/* clamp(rint(value) + zero, lo, hi); |value| < 2^31 */
static inline int pare_qround(float value, int zero, int lo, int hi)
{
    const int64_t q = (int64_t)rintf(value) + zero;

    return q < lo ? lo : q > hi ? hi : (int)q;
}

/* The u8 code of one accumulator before any fused add. */
static inline int pare_qepilogue_code(const pare_qepilogue *e, int column, int32_t acc)
{
    const int q = pare_qround((float)acc * e->scale[column], e->zero, e->lo, e->hi);

    return e->table ? e->table[q] : q;
}

/* The fused add on raw codes: operand a is multiplied last. */
static inline int pare_qepilogue_add(const pare_qepilogue *e, int q, int r)
{
    const float inner =
        e->conv_is_second ? fmaf((float)q, e->rate_conv, e->constant) : fmaf((float)r, e->rate_r, e->constant);
    const float sum = e->conv_is_second ? fmaf((float)r, e->rate_r, inner) : fmaf((float)q, e->rate_conv, inner);

    return pare_qround(sum, 0, e->add_lo, e->add_hi);
}

/* One float output; `row_scale` is sx of the row, 1 and unused unless the kind is F32_ROWS. */
static inline float pare_qepilogue_f32(const pare_qepilogue *e, int column, int32_t acc, float row_scale)
{
    const float scale = e->kind == PARE_QKIND_F32_ROWS ? row_scale * e->scale[column] : e->scale[column];
    float       y = (float)acc * scale;

    y = e->bias_f32 ? y + e->bias_f32[column] : y;
    y = y < e->clamp_lo ? e->clamp_lo : y;
    return y > e->clamp_hi ? e->clamp_hi : y;
}

#endif
