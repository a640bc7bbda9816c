/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer_adamw.c - Adam with decoupled weight decay, as torch.optim.AdamW */
#include "autograd/optimizer.h"

#include "autograd/adam.h"

/* w = w * (1 - lr * decay), then Adam. */
static void update(const pare_update *u, int64_t n, float *w, const float *grad, float *const slot[PARE_MAX_SLOTS])
{
    const pare_adam c = pare_adam_of(u);
    const float     shrink = (float)(1.0 - u->lr * u->weight_decay);

    for (int64_t i = 0; i < n; i++) {
        w[i] = w[i] * shrink;
        pare_adam_element(&c, grad[i] * u->scale, &w[i], &slot[0][i], &slot[1][i]);
    }
}

const pare_optimizer pare_optimizer_adamw = {
    .name = "adamw",
    .about = "Adam with weight decay of its own, apart from the gradient",
    .lr = 0.001,
    .n_slots = 2,
    .update = update,
};
