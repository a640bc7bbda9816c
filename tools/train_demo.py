#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""train_demo.py - trains the network of examples/demo.onnx; needed only to make that file again

usage: demo_dump train /tmp/train.u8; demo_dump test /tmp/test.u8   (tools/demo_dump.c)
       train_demo.py /tmp/train.u8 /tmp/test.u8 examples/demo.onnx

Needs PyTorch (made with 1.13 on a CPU, a few minutes) and, for the note inside the file, the onnx package.
The network has what quantization has to cope with: BatchNorm, depthwise layers, ReLU and ReLU6, a residual sum.
"""
import argparse
import time

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

SIDE = 32


def load(path):
    """Pictures as `pare` prepares them under preset "demo" [n, 3, 32, 32], and labels [n]."""
    x = np.fromfile(path, np.uint8).reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
    y = np.fromfile(path + '.labels', '<i4').astype(np.int64)
    return (torch.from_numpy(x.astype(np.float32)) / 255 - 0.5) / 0.25, torch.from_numpy(y)


def conv(n_in, n_out, size, act, stride=1, groups=1):
    layers = [nn.Conv2d(n_in, n_out, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(n_out)]
    return nn.Sequential(*layers, *([act()] if act else []))


def separable(n_in, n_out, stride):
    return nn.Sequential(conv(n_in, n_in, 3, nn.ReLU6, stride, groups=n_in), conv(n_in, n_out, 1, nn.ReLU6))


class Residual(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.body = nn.Sequential(conv(n, n, 3, nn.ReLU), conv(n, n, 3, None))

    def forward(self, x):
        return F.relu(x + self.body(x))


class Demo(nn.Sequential):
    def __init__(self):
        super().__init__(conv(3, 16, 3, nn.ReLU), separable(16, 32, 2), Residual(32), separable(32, 64, 2),
                         separable(64, 64, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def augment(x):
    """Every class looks the same turned by 90 degrees and mirrored; a shift of two pixels changes nothing either."""
    if torch.rand(()) < 0.5:
        x = x.flip(3)
    x = torch.rot90(x, int(torch.randint(4, ())), (2, 3))
    dx, dy = (int(v) for v in torch.randint(0, 5, (2,)))
    return F.pad(x, (2, 2, 2, 2), mode='replicate')[:, :, dy:dy + SIDE, dx:dx + SIDE]


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (torch.cat([net(b) for b in x.split(250)]).argmax(1) == y).float().mean().item()


def train(net, x, y, epochs, batch):
    steps = epochs * (len(x) // batch)
    opt = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(opt, 6e-3, total_steps=steps)
    for epoch in range(epochs):
        net.train()
        order, loss_sum = torch.randperm(len(x)), 0.0
        for part in order[:len(x) // batch * batch].split(batch):
            loss = F.cross_entropy(net(augment(x[part])), y[part], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            rate.step()
            loss_sum += loss.item()
        if epoch % 5 == 4:
            print(f'epoch {epoch + 1} loss {loss_sum / (len(x) // batch):.4f}', flush=True)


def export(net, path, note):
    net.eval()
    torch.onnx.export(net, torch.zeros(2, 3, SIDE, SIDE), path, opset_version=13, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE, input_names=['input'], output_names=['output'],
                      dynamic_axes={'input': {0: 'N'}, 'output': {0: 'N'}})
    model = onnx.load(path)
    onnx.checker.check_model(model)
    model.doc_string = note
    onnx.save(model, path)


def main():
    a = argparse.ArgumentParser()
    a.add_argument('train')
    a.add_argument('test')
    a.add_argument('out')
    a.add_argument('--epochs', type=int, default=30)
    a.add_argument('--seed', type=int, default=1)
    a = a.parse_args()
    torch.manual_seed(a.seed)
    start, net = time.time(), Demo()
    train(net, *load(a.train), a.epochs, 50)
    x, y = load(a.test)
    right = accuracy(net, x, y)
    print(f'test accuracy {100 * right:.2f} %, {sum(p.numel() for p in net.parameters())} parameters, '
          f'{time.time() - start:.0f} s')
    export(net, a.out, f'Ten shapes, 32 x 32 RGB, (byte / 255 - 0.5) / 0.25 (demo:train, demo:test of pare). '
                       f'Trained by tools/train_demo.py, {a.epochs} epochs, seed {a.seed}; '
                       f'float accuracy on demo:test {100 * right:.1f} %.')


main()
