/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_clip.c - the producer clamps to constant bounds when nobody else reads its output */
#include "passes/clamp.h"
#include "passes/pass.h"

extern const pare_op pare_op_clip;

/* Input `input` as a bound; `none` when it is left out. */
static bool bound_of(const pare_node *n, int input, float none, float *bound)
{
    const pare_value *const v = input < n->n_in ? n->in[input] : NULL;

    *bound = none;
    if (!v)
        return true;
    if (!pare_value_is_const(v) || v->t.dtype != PARE_f32 || pare_shape_count(&v->t.shape) != 1)
        return false;
    *bound = (float)pare_tensor_real(&v->t, 0);
    return !isnan(*bound);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    float lo, hi;

    (void)g;
    if (n->op == &pare_op_clip && bound_of(n, 1, -INFINITY, &lo) && bound_of(n, 2, INFINITY, &hi))
        *changed = pare_clamp_producer(n, lo, hi);
    return PARE_OK;
}

const pare_pass pare_pass_fuse_clip = {
    .name = "fuse_clip",
    .doc = "the op before a clip clamps to its bounds",
    .rewrite = rewrite,
};
