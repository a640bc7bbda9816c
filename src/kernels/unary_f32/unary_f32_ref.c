/* SPDX-License-Identifier: Apache-2.0 */
/* unary_f32_ref.c - the definition of unary_f32: y[i] = f(x[i]) */
#include <assert.h>
#include <stddef.h>

#include "base/math_gates.h"
#include "base/math_pow.h"
#include "base/math_trig.h"
#include "kernels/unary_f32/unary_f32.h"

/* One function per line of the list; a and b are its parameters. */
#define PARE_UNARY_F32(name, n_param, formula)        \
    static float name##_of(float x, float a, float b) \
    {                                                 \
        (void)a, (void)b;                             \
        return pare_quietf(formula);                  \
    }
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near) PARE_UNARY_F32(name, n_param, formula)
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR

static float (*const functions[])(float x, float a, float b) = {
#define PARE_UNARY_F32(name, n_param, formula)                   name##_of,
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near) name##_of,
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR
};

void pare_unary_f32_ref(pare_unary_f32 f, long n, const float *x, float *y, const float *param)
{
    const int n_param = pare_unary_f32_params(f);

    assert(f < PARE_UNARY_F32_COUNT && (param || n_param == 0));
    for (long i = 0; i < n; i++)
        y[i] = functions[f](x[i], n_param > 0 ? param[0] : 0.0f, n_param > 1 ? param[1] : 0.0f);
}
