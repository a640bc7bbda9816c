#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""state_make.py - makes state/: small files of weights as PyTorch and NumPy write them, for tests/test_state.c

usage: state_make.py FOLDER CORPUS    (needs PyTorch and NumPy; made with PyTorch 1.13, NumPy 1.24)

CORPUS is tests/fuzz/corpus: some of the files, and the pickles inside of them, are what fuzzing starts from.
"""
import os
import shutil
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import torch


def numbers(*shape, dtype=torch.float32):
    """The formula of number() in tests/test_state.c: quarters for floats, whole numbers for integers."""
    count = int(np.prod(shape)) if shape else 1
    k = torch.arange(count) * 37 % 101
    if dtype == torch.bool:
        return (k % 2 == 1).reshape(shape)
    if not dtype.is_floating_point:
        return (k if dtype == torch.uint8 else k - 50).to(dtype).reshape(shape)
    return ((k - 50).double() / 4).to(dtype).reshape(shape)


def every_kind():
    base, tied = numbers(3, 4), numbers(2, 2)
    state = OrderedDict()
    for dtype in ("float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool"):
        state[dtype] = numbers(2, 3, dtype=getattr(torch, dtype))
    state["scalar"] = numbers(dtype=torch.int64)
    state["empty"] = torch.zeros(0, 3)
    state["view.transposed"] = base.t()
    state["view.sliced"] = base[1:, 1::2]
    state["view.expanded"] = numbers(3).expand(2, 3)
    state["view.channels_last"] = numbers(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    state["tied.a"] = tied
    state["tied.b"] = tied
    state["parameter"] = torch.nn.Parameter(numbers(2))
    state._metadata = OrderedDict([("", {"version": 1})])
    return state


def checkpoint():
    model = OrderedDict(("module." + name, numbers(2)) for name in ("conv.weight", "conv.bias"))
    return {"epoch": 3, "best": 0.5, "lr": None, "name": "net", "state_dict": model,
            "optimizer": {"state": {0: {"momentum": numbers(2, 2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}}


def nested():
    return {"a": {"b": [numbers(1), {"c": numbers(2)}], "size": torch.Size([1, 2])}, "t": (numbers(3),), 5: numbers(1),
            "model": 7}


def seeds(corpus):
    os.makedirs(corpus + "/zip", exist_ok=True)
    os.makedirs(corpus + "/pickle", exist_ok=True)
    for name in ("checkpoint.pth", "nested.pth", "nested_legacy.pth", "protocol5.pth", "arrays.npz", "packed.npz"):
        shutil.copy(name, corpus + "/zip")
    for name in ("kinds", "checkpoint", "nested"):
        with zipfile.ZipFile(name + ".pth") as archive, open(f"{corpus}/pickle/{name}", "wb") as out:
            out.write(archive.read(name + "/data.pkl"))


def main(folder, corpus):
    os.makedirs(folder, exist_ok=True)
    corpus = os.path.abspath(corpus)
    os.chdir(folder)
    for name, value in (("kinds", every_kind()), ("checkpoint", checkpoint()), ("nested", nested())):
        torch.save(value, name + ".pth")
        torch.save(value, name + "_legacy.pth", _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        torch.save(numbers(2, 3), f"protocol{protocol}.pth", pickle_protocol=protocol)
    arrays = {"w": numbers(2, 3).numpy(), "layer.b": numbers(4, dtype=torch.int64).numpy(),
              "half": numbers(3, dtype=torch.float16).numpy(), "one": np.float64(-12.5), "none": np.zeros((0, 2), "u1"),
              "columns": np.asfortranarray(numbers(2, 3, 2).numpy())}
    np.savez("arrays.npz", **arrays)
    np.savez_compressed("packed.npz", **arrays)
    seeds(corpus)


if __name__ == "__main__":
    main(*sys.argv[1:])
