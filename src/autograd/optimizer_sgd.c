/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer_sgd.c - stochastic gradient descent with momentum, as torch.optim.SGD */
#include "autograd/optimizer.h"

#include <math.h>

/* d = g + decay * w; m = momentum * m + (1 - dampening) * d, at first d; w = w - lr * (m, or d + momentum * m) */
static void update(const pare_update *u, int64_t n, float *w, const float *grad, float *const slot[PARE_MAX_SLOTS])
{
    const float  momentum = (float)u->o->momentum, decay = (float)u->weight_decay, scale = u->scale;
    const float  keep = u->step == 1 ? 0.0f : momentum;
    const float  take = u->step == 1 ? 1.0f : (float)(1.0 - u->o->dampening);
    const float  rate = (float)-u->lr;
    const bool   ahead = u->o->nesterov;
    float *const m = slot[0];

    for (int64_t i = 0; i < n; i++) {
        const float g = grad[i] * scale;
        const float d = decay != 0.0f ? fmaf(w[i], decay, g) : g;

        m[i] = fmaf(d, take, m[i] * keep);
        w[i] = fmaf(momentum == 0.0f ? d : ahead ? fmaf(m[i], momentum, d) : m[i], rate, w[i]);
    }
}

const pare_optimizer pare_optimizer_sgd = {
    .name = "sgd",
    .about = "stochastic gradient descent; momentum, Nesterov, weight decay",
    .lr = 0.1,
    .n_slots = 1,
    .update = update,
};
