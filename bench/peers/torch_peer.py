#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# torch_peer.py - PyTorch's side of the comparisons, driven over its pipes like pare_peer.c
#
#   torch_peer.py FOLDER NAME KIND THREADS BATCH cpu|wall
#
# FOLDER is what export_torch.py --full wrote; KIND is float, onednn or qnnpack (int8 in that engine). Prints
# "ready FORM", the form that was the fastest, or "cannot REASON" and ends. Then it reads a number of runs from each
# line and answers with their milliseconds (cpu: of processor time).
import copy
import os
import sys
import time
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[4]
os.environ["GLOG_minloglevel"] = "2"  # qnnpack would write a line at every layer, which takes time

import numpy
import torch
import torchvision
from torch import nn
from torch.ao.quantization import convert, get_default_qconfig, get_default_qconfig_mapping, prepare, quantize_dynamic
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

import export_torch

CALIBRATION = 4  # samples: ranges matter little for the speed
WARM, TRIES = 2, 3
PATIENCE_MS = 4000  # with one form


def reason_of(failure):
    """The first sentence of what an exception says."""
    return str(failure).split("\n")[0].split(". ")[0] or type(failure).__name__


def load(folder, name, batch):
    """The network with the weights of the ONNX file, its inputs repeated to the batch, samples to calibrate on."""
    model = export_torch.FULL_SIZE[name][0]()[0]
    path = os.path.join(folder, name)
    model.load_state_dict(torch.load(path + ".pt"))
    inputs = []
    while os.path.exists("%s.in%d.npy" % (path, len(inputs))):
        x = torch.from_numpy(numpy.load("%s.in%d.npy" % (path, len(inputs))))
        inputs.append(x[torch.arange(batch) % x.shape[0]].contiguous())
    return model.eval(), tuple(inputs), torch.from_numpy(numpy.load(path + ".calib.npy"))[:CALIBRATION]


def channels_last(inputs):
    return tuple(x.to(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs)


def frozen(model, inputs):
    return torch.jit.freeze(torch.jit.trace(model, inputs, check_trace=False).eval())


def float_forms(model, inputs):
    yield "as it is", lambda: (model, inputs)
    yield "frozen", lambda: (frozen(model, inputs), inputs)
    yield "optimized", lambda: (torch.jit.optimize_for_inference(frozen(model, inputs)), inputs)
    if any(x.dim() == 4 for x in inputs):
        last = channels_last(inputs)
        yield "channels last", lambda: (frozen(copy.deepcopy(model).to(memory_format=torch.channels_last), last), last)


def quantized_traced(model, engine, samples):
    prepared = prepare_fx(model, get_default_qconfig_mapping(engine), (samples,))
    prepared(samples)
    return convert_fx(prepared)


def quantized_by_hand(name, model, engine, samples):
    """The version of a network that torchvision rewrote for quantization."""
    twin = getattr(torchvision.models.quantization, name)(weights=None, quantize=False)
    twin.load_state_dict(model.state_dict())
    twin.eval().fuse_model(is_qat=False)
    twin.qconfig = get_default_qconfig(engine)
    prepare(twin, inplace=True)
    twin(samples)
    return convert(twin)


def quantized_static(name, model, engine, samples):
    """(what was done, the model): as tracing finds it, or where tracing fails by hand."""
    try:
        return "", quantized_traced(copy.deepcopy(model), engine, samples)
    except Exception as failure:
        if not hasattr(torchvision.models.quantization, name):
            raise
        return "by hand (FX: %s), " % reason_of(failure), quantized_by_hand(name, model, engine, samples)


def int8_forms(name, model, inputs, engine, samples):
    torch.backends.quantized.engine = engine
    if inputs[0].dim() != 4:
        dynamic = quantize_dynamic(model, {nn.Linear, nn.LSTM}, dtype=torch.qint8)
        yield "dynamic", lambda: (dynamic, inputs)
        yield "dynamic, frozen", lambda: (frozen(dynamic, inputs), inputs)
        return
    how, model = quantized_static(name, model, engine, samples)
    yield how + "frozen", lambda: (frozen(model, inputs), inputs)
    last = channels_last(inputs)
    yield how + "channels last", lambda: (frozen(model, last), last)


def timed(run, inputs, clock):
    start = clock()
    run(*inputs)
    return (clock() - start) * 1e3


def best(forms):
    """(name, what runs, inputs) of the form that took the least processor time."""
    found, reason = None, "no form of it"
    for name, make in forms:
        try:
            run, inputs = make()
            times = []
            while len(times) < WARM + TRIES and sum(times) < PATIENCE_MS:
                times.append(timed(run, inputs, time.process_time))
        except Exception as e:
            reason = e
            continue
        if found is None or min(times) < found[0]:
            found = (min(times), name, run, inputs)
    if found is None:
        raise RuntimeError(reason)
    return found[1:]


def main():
    warnings.filterwarnings("ignore")
    folder, name, kind, threads, batch, clock = sys.argv[1:7]
    clock = time.process_time if clock == "cpu" else time.perf_counter
    torch.set_num_threads(int(threads))
    try:
        model, inputs, samples = load(folder, name, int(batch))
        forms = float_forms(model, inputs) if kind == "float" else int8_forms(name, model, inputs, kind, samples)
        form, run, inputs = best(forms)
    except Exception as e:
        print("cannot %s" % reason_of(e), flush=True)
        return
    print("ready %s" % form, flush=True)
    for line in sys.stdin:
        print(*("%.6f" % timed(run, inputs, clock) for _ in range(int(line))), flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
