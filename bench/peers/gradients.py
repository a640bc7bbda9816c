#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gradients.py - gradients of whole networks, beside PyTorch's: one step of plain SGD on the same batch

The step is so long that the weights behind it are, to float precision, the gradient: (before - after) / step. Networks are
torchvision's, with its names; weights are those of a seed, batch normalization takes the batch's statistics, or (--frozen)
the running ones. Printed per network: the largest of |difference| / |gradient| over its parameters, from PyTorch in double;
and that of PyTorch in float: a ReLU whose input is near 0 opens in one and not in the other, so where few pixels make the
statistics no float is near. Asked is 1e-3 (1e-4 with running statistics); what is more is said, and ends with status 1.

usage: BUILD=build gradients.py [--frozen] [NETWORK...]    (by test.sh --gradients)
"""
import copy
import os
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnx.numpy_helper
import torch
import torchvision

SIDE = {"inception_v3": 96, "resnet20": 32, "resnet8": 32}
CLASSES, BATCH, STEP = 10, 8, 1e4
NETWORKS = ["resnet18", "resnet50", "resnext101_32x8d", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
            "googlenet", "inception_v3", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "squeezenet1_0"]


def network(name):
    more = {"aux_logits": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(num_classes=CLASSES, **more)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 1.5)
            module.running_mean.uniform_(-0.2, 0.2)
    return net


def torch_gradients(net, x, y, frozen):
    net.train()
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout) or (frozen and isinstance(module, torch.nn.BatchNorm2d)):
            module.eval()
    torch.nn.functional.cross_entropy(net(x), y).backward()
    return {n: p.grad.numpy().astype(numpy.float64) for n, p in net.named_parameters() if p.grad is not None}


def pare_weights(folder, name, net, x, y, frozen):
    torch.save(net.state_dict(), f"{folder}/w.pth")
    numpy.save(f"{folder}/x.npy", x.numpy())
    y.numpy().astype("<i4").tofile(f"{folder}/y.labels")
    command = [os.path.join(os.environ["BUILD"], "pare"), "train", "--arch", name, "--weights", f"{folder}/w.pth", "--classes",
               str(CLASSES), "--data", f"{folder}/x.npy", "--labels", f"{folder}/y.labels", "--batch", str(BATCH), "--epochs",
               "1", "--momentum", "0", "--weight-decay", "0", "--schedule", "constant", "--lr", str(STEP), "-o",
               f"{folder}/out.onnx"]
    if name in ("googlenet", "inception_v3"):
        command += ["--settings", "aux=0"]
    done = subprocess.run(command + (["--freeze-statistics"] if frozen else []), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"gradients: {name}: {done.stderr}")
    return {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(f"{folder}/out.onnx").graph.initializer}


def distance(got, want):
    """The largest over parameters. Biases in front of a normalization have gradients of rounding alone: left out."""
    size = {n: numpy.sqrt((g * g).sum()) for n, g in want.items()}
    least = 1e-6 * numpy.sqrt(sum(s * s for s in size.values()))
    return max((numpy.sqrt(((got[n] - want[n]) ** 2).sum()) / size[n], n) for n in got if size[n] > least)


def check(name, frozen):
    net = network(name)
    side = SIDE.get(name, 64)
    rng = torch.Generator().manual_seed(2)
    x = torch.randn(BATCH, 3, side, side, generator=rng)
    y = torch.randint(0, CLASSES, (BATCH,), generator=rng)
    before = {n: p.detach().numpy().astype(numpy.float64).copy() for n, p in net.named_parameters()}
    with tempfile.TemporaryDirectory() as folder:
        after = pare_weights(folder, name, net, x, y, frozen)
    want = torch_gradients(copy.deepcopy(net).double(), x.double(), y, frozen)
    got = {n: (before[n] - after[n].astype(numpy.float64)) / STEP for n in want if n in after}
    missing = len(want) - len(got)
    worst, where = distance(got, want)
    own, _ = distance(torch_gradients(net, x, y, frozen), want)
    good = worst < (1e-4 if frozen else 1e-3) and not missing
    print(f"{name:20s} {len(got):4d} of {len(want)} parameters, worst {worst:.1e} ({where}), PyTorch's float {own:.1e}"
          f"{'' if good else '  MORE THAN ASKED'}", flush=True)
    return good


frozen = "--frozen" in sys.argv
names = [a for a in sys.argv[1:] if not a.startswith("--")] or NETWORKS
sys.exit(not all([check(name, frozen) for name in names]))
