#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""optimizers_make.py - makes optimizers.h: what PyTorch's optimizers and schedules compute, for test_optimizers.c

usage: optimizers_make.py > optimizers.h    (needs PyTorch; made with 1.13.1)
"""
import torch
from torch.optim import lr_scheduler as schedulers

N, STEPS = 13, 6
torch.set_num_threads(1)


def start(i):
    """Weight i, exact in float32; test_optimizers.c has the same formula."""
    return ((i * 37 + 11) % 64 - 32) / 32


def gradient(i, step):
    return ((i * 29 + step * 53 + 7) % 128 - 64) / 128


CASES = [  # name, options of pare_optimizer_options in C, constructor
    ('sgd', '.name = "sgd"', lambda p: torch.optim.SGD(p, lr=0.1)),
    ('momentum', '.name = "sgd", .momentum = 0.9, .weight_decay = 5e-4',
     lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=5e-4)),
    ('dampening', '.name = "sgd", .momentum = 0.9, .dampening = 0.3',
     lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3)),
    ('nesterov', '.name = "sgd", .momentum = 0.9, .nesterov = true, .weight_decay = 0.01',
     lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
    ('adam', '.name = "adam"', lambda p: torch.optim.Adam(p, lr=0.1)),
    ('adam_decay', '.name = "adam", .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-5, .weight_decay = 0.05',
     lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.05)),
    ('adamw', '.name = "adamw", .weight_decay = 0.1', lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1)),
    ('clipped', '.name = "sgd", .momentum = 0.9, .clip = 0.5',
     lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
]

TOTAL = 40
SCHEDULES = [
    ('.name = "cosine", .lr = 0.2, .lowest = 0.01',
     lambda o: schedulers.CosineAnnealingLR(o, TOTAL, eta_min=0.01), 0.2),
    ('.name = "step", .lr = 0.2, .step_every = 7, .step_factor = 0.5', lambda o: schedulers.StepLR(o, 7, 0.5), 0.2),
    ('.name = "one-cycle", .lr = 0.2',
     lambda o: schedulers.OneCycleLR(o, 0.2, total_steps=TOTAL, cycle_momentum=False), 0.2),
    ('.name = "one-cycle", .lr = 0.2, .rise = 0.45, .divisor = 10, .last_divisor = 100',
     lambda o: schedulers.OneCycleLR(o, 0.2, total_steps=TOTAL, pct_start=0.45, div_factor=10, final_div_factor=100,
                                     cycle_momentum=False), 0.2),
    ('.name = "cosine", .lr = 0.2, .warmup = 8, .warmup_from = 0.1',
     lambda o: schedulers.SequentialLR(o, [schedulers.LinearLR(o, 0.1, total_iters=8),
                                           schedulers.CosineAnnealingLR(o, TOTAL - 8)], [8]), 0.2),
]


def bits(values):
    return ', '.join(f'{v.hex()}f' for v in values)


print('/* SPDX-License-Identifier: Apache-2.0 */')
print('/* optimizers.h - made by optimizers_make.py with PyTorch ' + torch.__version__.split('+')[0] + ' */')
print(f'enum {{ N = {N}, STEPS = {STEPS}, TOTAL = {TOTAL} }};\n')
print('static const struct {\n    const char *name;\n    pare_optimizer_options options;\n    float w[STEPS][N];\n'
      '} golden_optimizers[] = {')
for name, options, make in CASES:
    w = torch.tensor([start(i) for i in range(N)], requires_grad=True)
    optimizer = make([w])
    print(f'    {{ "{name}", {{ {options} }}, {{')
    for step in range(STEPS):
        w.grad = torch.tensor([gradient(i, step) for i in range(N)])
        if name == 'clipped':
            torch.nn.utils.clip_grad_norm_([w], 0.5)
        optimizer.step()
        print(f'        {{ {bits(w.tolist())} }},')
    print('    } },')
print('};\n\nstatic const struct {\n    pare_schedule_options options;\n    double lr[TOTAL];\n} golden_schedules[] = {')
for options, make, lr in SCHEDULES:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = make(optimizer)
    print(f'    {{ {{ {options} }}, {{')
    for step in range(TOTAL):
        print(f'        {optimizer.param_groups[0]["lr"]!r},')
        optimizer.step()
        schedule.step()
    print('    } },')
print('};')
