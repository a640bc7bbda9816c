#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weights.py - state dicts that PyTorch and NumPy write, read by libpare and written again: equal names, equal bytes?

Networks of torchvision in PyTorch's zip format, in the one before 1.6, as half and bfloat16, channels-last, wrapped as
a checkpoint of DataParallel; NumPy's .npz, packed and not. What libpare writes (.npz, .safetensors, in one file and in
several) is read by NumPy, and by the few lines here that follow the description of safetensors.

usage: BUILD=build weights.py    (by test.sh --weights)
"""
import ctypes
import json
import os
import struct
import sys
import tempfile
import time

import numpy
import torch
import torchvision

NUMPY = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "<u2", "U8": "|u1", "I8": "|i1", "I16": "<i2", "I32": "<i4",
         "I64": "<i8", "BOOL": "|b1"}
pare = ctypes.CDLL(os.path.join(os.environ["BUILD"], "libpare.so"))
pare.pare_error.restype = ctypes.c_char_p


def through_pare(source, target, shard_bytes=0):
    """Reads one file and writes another; the milliseconds of reading."""
    state = ctypes.c_void_p()
    start = time.perf_counter()
    if pare.pare_state_load(source.encode(), ctypes.byref(state)):
        sys.exit(f"weights: {pare.pare_error().decode()}")
    took = (time.perf_counter() - start) * 1e3
    options = ctypes.c_int64(shard_bytes)
    if pare.pare_state_save(state, target.encode(), ctypes.byref(options)):
        sys.exit(f"weights: {pare.pare_error().decode()}")
    pare.pare_state_destroy(state)
    return took


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        raw = numpy.frombuffer(data[8 + length + begin : 8 + length + end], NUMPY[t["dtype"]])
        tensors[name] = raw.reshape(t["shape"])
    return tensors


def read_index(path):
    with open(path, encoding="utf-8") as file:
        shards = json.load(file)["weight_map"]
    files = {shard: read_safetensors(os.path.join(os.path.dirname(path), shard)) for shard in set(shards.values())}
    return {name: files[shard][name] for name, shard in shards.items()}


def plain(tensor):
    """As NumPy's; bfloat16 as its bits."""
    tensor = tensor.detach().contiguous()
    return tensor.view(torch.int16).numpy().view("<u2") if tensor.dtype == torch.bfloat16 else tensor.numpy()


def compare(what, want, got, ms):
    differ = [n for n in want if n not in got or want[n].dtype != got[n].dtype or want[n].shape != got[n].shape or
              want[n].tobytes() != got[n].tobytes()]
    if list(want) != list(got) or differ:
        sys.exit(f"weights: {what}: {len(differ)} of {len(want)} tensors differ, or their order: {differ[:5]}")
    print(f"{what:46} {len(want):4} tensors equal, read in {ms:6.1f} ms")


def networks(folder):
    for name in ("resnet18", "mobilenet_v2"):
        torch.manual_seed(0)
        model = getattr(torchvision.models, name)()
        state = model.state_dict()
        forms = {"zip": state, "legacy": state, "half": model.half().state_dict(), "bfloat16": None, "channels-last": None}
        torch.manual_seed(0)
        model = getattr(torchvision.models, name)()
        forms["channels-last"] = model.to(memory_format=torch.channels_last).state_dict()
        forms["bfloat16"] = model.bfloat16().state_dict()
        for form, tensors in forms.items():
            want = {n: plain(t) for n, t in tensors.items()}
            path = f"{folder}/{name}.pth"
            torch.save(tensors, path, _use_new_zipfile_serialization=form != "legacy")
            ms = through_pare(path, f"{folder}/out.safetensors")
            compare(f"{name}, {form} -> safetensors", want, read_safetensors(f"{folder}/out.safetensors"), ms)
            ms = through_pare(f"{folder}/out.safetensors", f"{folder}/all.safetensors", 4 << 20)
            compare(f"{name}, {form} -> several", want, read_index(f"{folder}/all.safetensors.index.json"), ms)
            if form != "bfloat16":
                ms = through_pare(f"{folder}/all.safetensors.index.json", f"{folder}/out.npz")
                compare(f"{name}, {form} -> npz", want, dict(numpy.load(f"{folder}/out.npz")), ms)
        parallel = torch.nn.DataParallel(getattr(torchvision.models, name)())
        optimizer = torch.optim.SGD(parallel.parameters(), 0.1, momentum=0.9)
        torch.save({"epoch": 3, "state_dict": parallel.state_dict(), "optimizer": optimizer.state_dict()}, path)
        ms = through_pare(path, f"{folder}/out.npz")
        want = {n[7:]: plain(t) for n, t in parallel.state_dict().items()}
        compare(f"{name}, checkpoint of DataParallel -> npz", want, dict(numpy.load(f"{folder}/out.npz")), ms)


def arrays(folder):
    want = {"a.b": numpy.arange(7, dtype="i4"), "scalar": numpy.array(2.5), "c": numpy.ones((2, 3, 4), "f2"),
            "columns": numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4)), "empty": numpy.zeros((0, 3), "u8"),
             "flags": numpy.array([True, False])}
    for write in (numpy.savez, numpy.savez_compressed):
        write(f"{folder}/in.npz", **want)
        ms = through_pare(f"{folder}/in.npz", f"{folder}/out.npz")
        compare(f"{write.__name__} -> npz", want, dict(numpy.load(f"{folder}/out.npz")), ms)


with tempfile.TemporaryDirectory() as scratch:
    networks(scratch)
    arrays(scratch)
