/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer_adam.c - Adam, as torch.optim.Adam: weight decay is part of the gradient */
#include "autograd/optimizer.h"

#include <math.h>

#include "autograd/adam.h"

static void update(const pare_update *u, int64_t n, float *w, const float *grad, float *const slot[PARE_MAX_SLOTS])
{
    const pare_adam c = pare_adam_of(u);
    const float     decay = (float)u->weight_decay;

    for (int64_t i = 0; i < n; i++) {
        const float g = grad[i] * u->scale;

        pare_adam_element(&c, decay != 0.0f ? fmaf(w[i], decay, g) : g, &w[i], &slot[0][i], &slot[1][i]);
    }
}

const pare_optimizer pare_optimizer_adam = {
    .name = "adam",
    .about = "Adam; weight decay is added to the gradient",
    .lr = 0.001,
    .n_slots = 2,
    .update = update,
};
