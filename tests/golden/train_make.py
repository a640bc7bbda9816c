#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""train_make.py - makes train.h: steps of training a small network in PyTorch, for test_train.c

usage: train_make.py > train.h    (needs PyTorch; made with 1.13.1)
"""
import torch
import torch.nn.functional as F

STEPS, BATCH, SIDE, WIDE, CLASSES = 6, 8, 6, 5, 4


def numbers(count, salt, scale):
    """The formula of numbers() in test_train.c: multiples of scale / 64 from -scale to scale."""
    return torch.tensor([((i * 37 + salt * 11) % 129 - 64) * (scale / 64) for i in range(count)])


net = torch.nn.Sequential(
    torch.nn.Conv2d(3, WIDE, 3, stride=2, padding=1, bias=False), torch.nn.BatchNorm2d(WIDE), torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(WIDE, CLASSES))
with torch.no_grad():
    net[0].weight.copy_(numbers(WIDE * 27, 1, 0.5).view(WIDE, 3, 3, 3))
    net[1].weight.copy_(1 + numbers(WIDE, 2, 0.25))
    net[1].bias.copy_(numbers(WIDE, 3, 0.25))
    net[5].weight.copy_(numbers(CLASSES * WIDE, 4, 1).view(CLASSES, WIDE))
    net[5].bias.copy_(numbers(CLASSES, 5, 0.5))
decayed = [net[0].weight, net[5].weight]
others = [net[1].weight, net[1].bias, net[5].bias]
optimizer = torch.optim.SGD([{'params': decayed, 'weight_decay': 0.01}, {'params': others}], lr=0.1, momentum=0.9)
losses, norms = [], []
for step in range(STEPS):
    x = numbers(BATCH * 3 * SIDE * SIDE, 7 + step, 2).view(BATCH, 3, SIDE, SIDE)
    label = torch.tensor([(i * 3 + step) % CLASSES for i in range(BATCH)])
    loss = F.cross_entropy(net(x), label, label_smoothing=0.1)
    optimizer.zero_grad()
    loss.backward()
    norms.append(sum(p.grad.double().pow(2).sum() for p in net.parameters()).sqrt().item())
    optimizer.step()
    losses.append(loss.item())

print('/* SPDX-License-Identifier: Apache-2.0 */')
print('/* train.h - made by train_make.py with PyTorch ' + torch.__version__.split('+')[0] + ' */')
print(f'enum {{ STEPS = {STEPS}, BATCH = {BATCH}, SIDE = {SIDE}, WIDE = {WIDE}, CLASSES = {CLASSES} }};\n')


def array(name, values):
    print(f'static const double golden_{name}[] = {{ ' + ', '.join(f'{v:.9g}' for v in values) + ' };')


array('losses', losses)
array('norms', norms)
array('mean', net[1].running_mean.tolist())
array('variance', net[1].running_var.tolist())
array('bias', net[5].bias.tolist())
array('weight', net[0].weight.flatten().tolist()[:20])
