#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""torch_train - milliseconds of one training step of ResNet-20 (CIFAR, 32 x 32) in PyTorch: the peer of bench_train.

Forward, loss, backward and SGD with momentum. Usage: torch_train.py [threads] [batch] [steps] [channels_last]
"""
import sys, time
import torch
from torch import nn

threads, batch, steps = (int(sys.argv[i]) if len(sys.argv) > i else d for i, d in ((1, 1), (2, 128), (3, 10)))
memory = torch.channels_last if len(sys.argv) > 4 else torch.contiguous_format
torch.set_num_threads(threads)
torch.manual_seed(1)


def conv_bn(c, oc, kernel, stride):
    return nn.Sequential(nn.Conv2d(c, oc, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(oc))


class Block(nn.Module):
    def __init__(self, c, oc, stride):
        super().__init__()
        self.first, self.second = conv_bn(c, oc, 3, stride), conv_bn(oc, oc, 3, 1)
        self.shortcut = conv_bn(c, oc, 1, stride) if c != oc else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))) + self.shortcut(x))


layers, c = [conv_bn(3, 16, 3, 1), nn.ReLU(inplace=True)], 16
for stage in range(3):
    for i in range(3):
        layers.append(Block(c, 16 << stage, 2 if stage and not i else 1))
        c = 16 << stage
net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)).to(memory_format=memory)
x = torch.rand(batch, 3, 32, 32).mul(2).sub(1).to(memory_format=memory)
t = torch.randint(10, (batch,))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
loss_of = nn.CrossEntropyLoss()
seconds = []
for _ in range(steps + 2):
    start, cpu = time.perf_counter(), time.process_time()
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(net(x), t)
    loss.backward()
    optimizer.step()
    seconds.append((time.perf_counter() - start, time.process_time() - cpu))
wall, cpu = (sorted(s[k] for s in seconds[2:]) for k in (0, 1))
print("PyTorch %s, ResNet-20, batch %d, %d threads: %.1f ms per step (fastest %.1f), processor %.1f ms (fastest %.1f), "
      "%.1f s per epoch of 50000 images" % (torch.__version__, batch, threads, wall[steps // 2] * 1e3, wall[0] * 1e3,
                                            cpu[steps // 2] * 1e3, cpu[0] * 1e3, wall[steps // 2] * 50000 / batch))
