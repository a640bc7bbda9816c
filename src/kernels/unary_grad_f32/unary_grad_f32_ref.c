/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_f32_ref.c - the definition of unary_grad_f32: dx[i] = g(dy[i], of[i]) */
#include "kernels/unary_grad_f32/unary_grad_f32.h"
#include "kernels/unary_grad_f32/unary_grad_slopes.h"

/* One function per line of the list; a and b are its parameters. */
#define PARE_UNARY_GRAD_F32(name, of, formula)                   \
    static float name##_of(float dy, float of, float a, float b) \
    {                                                            \
        (void)a, (void)b;                                        \
        return pare_quietf(formula);                             \
    }
#include "kernels/unary_grad_f32/unary_grad_f32.def"
#undef PARE_UNARY_GRAD_F32

static float (*const functions[])(float dy, float of, float a, float b) = {
#define PARE_UNARY_GRAD_F32(name, of, formula) name##_of,
#include "kernels/unary_grad_f32/unary_grad_f32.def"
#undef PARE_UNARY_GRAD_F32
};

void pare_unary_grad_f32_ref(pare_unary_grad_f32 f, long n, const float *dy, const float *of, float *dx,
                             const float *param)
{
    for (long i = 0; i < n; i++)
        dx[i] = functions[f](dy[i], of[i], param[0], param[1]);
}
