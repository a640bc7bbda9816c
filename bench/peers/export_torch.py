#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# export_torch.py - networks as PyTorch writes them into ONNX files, with random weights, to see what Pare makes of them
#
#   export_torch.py [--full] FOLDER [NAME ...]
#
# --full: the networks in the size that people run, for bench.js. They also get NAME.pt, the weights for torch_peer.py.
# Writes for each network NAME.onnx (symbolic batch, batch normalization with the statistics of its own activations),
# NAME.in0.npy, NAME.in1.npy ... (inputs of batch 2), NAME.out0.npy ... (what PyTorch makes of them) and NAME.calib.npy
# (16 samples of the first input; 4 of full size). It needs torch, torchvision and onnx and is no part of any build.
import inspect
import math
import os
import sys
import warnings

import numpy
import torch
import torchvision
from torch import nn

CALIBRATION = 16
ENCODER, TOKENS = 128, 30522  # of BERT-base as it is timed: words in a sentence, and in its dictionary


def pictures(n, size):
    """Smooth random pictures [n, 3, size, size], in about -3 .. 3."""
    coarse = torch.randn(n, 3, max(size // 16, 2), max(size // 16, 2))
    return nn.functional.interpolate(coarse, size=(size, size), mode="bicubic") + 0.3 * torch.randn(n, 3, size, size)


def settle(model, data):
    """Gives every batch normalization the mean and variance of what it sees, random scales and shifts."""
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for m in norms:
        m.momentum = None
        m.reset_running_stats()
        nn.init.uniform_(m.weight, 0.5, 1.5)
        nn.init.normal_(m.bias, 0, 0.2)
        m.train()
    for m in model.modules():
        if isinstance(m, nn.Linear) and not m.weight.any():
            nn.init.normal_(m.weight, 0, 0.02)  # some networks start from zero
    if norms:
        with torch.no_grad():
            model(*data)
    model.eval()


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def split(self, x):
        return x.view(x.shape[0], -1, self.heads, self.size).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        scores = torch.matmul(self.split(self.query(x)), self.split(self.key(x)).transpose(-1, -2))
        scores = scores / math.sqrt(self.size) + mask
        mixed = torch.matmul(nn.functional.softmax(scores, dim=-1), self.split(self.value(x)))
        return mixed.permute(0, 2, 1, 3).reshape(x.shape[0], -1, self.heads * self.size)


class BertLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention, self.output = Attention(width, heads), nn.Linear(width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        x = self.norm1(x + self.output(self.attention(x, mask)))
        return self.norm2(x + self.narrow(nn.functional.gelu(self.wide(x))))


class Bert(nn.Module):
    """The encoder of BERT: tokens [n, length] and a mask of ones where a token counts."""

    def __init__(self, width=768, heads=12, layers=2, tokens=3000, length=64):
        super().__init__()
        self.token, self.place = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.kind, self.norm = nn.Embedding(2, width), nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(BertLayer(width, heads) for _ in range(layers))
        self.pool, self.classify = nn.Linear(width, width), nn.Linear(width, 5)
        self.register_buffer("places", torch.arange(length).unsqueeze(0))

    def forward(self, tokens, mask):
        places = self.places[:, :tokens.shape[1]]
        x = self.token(tokens) + self.place(places) + self.kind(torch.zeros_like(tokens))
        add = (1.0 - mask[:, None, None, :].to(x.dtype)) * torch.finfo(torch.float32).min
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, add)
        return x, self.classify(torch.tanh(self.pool(x[:, 0])))


class Recurrent(nn.Module):
    """Tokens -> embedding -> LSTM, GRU or RNN -> scores of the last step."""

    def __init__(self, kind, **options):
        super().__init__()
        self.embed = nn.Embedding(500, 48)
        self.cell  = kind(48, 64, batch_first=True, **options)
        self.score = nn.Linear(64 * (2 if options.get("bidirectional") else 1), 7)

    def forward(self, tokens):
        y, _ = self.cell(self.embed(tokens))
        return self.score(y[:, -1])


class LongLstm(nn.Module):
    """One LSTM of 512 states over vectors of 512 [n, time, 512]."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(512, 512, batch_first=True)

    def forward(self, x):
        return self.cell(x)[0]


class SpeechGru(nn.Module):
    """Frames [n, time, 40] -> 1-D convolutions -> GRU -> a score per frame; the state goes in and out."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(40, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(),
                                  nn.Conv1d(64, 64, 3, padding=1, groups=4), nn.LeakyReLU(0.1))
        self.gru, self.score = nn.GRU(64, 48, num_layers=2, batch_first=True), nn.Linear(48, 9)

    def forward(self, x, state):
        y, state = self.gru(self.conv(x.transpose(1, 2)).transpose(1, 2), state.transpose(0, 1).contiguous())
        return nn.functional.log_softmax(self.score(y), dim=-1), state.transpose(0, 1)


def block(n_in, n_out):
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(True),
                         nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(True))


class UNet(nn.Module):
    def __init__(self, bilinear):
        super().__init__()
        self.one, self.two, self.three = block(3, 16), block(16, 32), block(32, 64)
        self.pool = nn.MaxPool2d(2)
        self.up2 = self.up(64, 32, bilinear)
        self.back2 = block(64, 32)
        self.up1 = self.up(32, 16, bilinear)
        self.back1, self.out = block(32, 16), nn.Conv2d(16, 4, 1)

    @staticmethod
    def up(n_in, n_out, bilinear):
        if not bilinear:
            return nn.ConvTranspose2d(n_in, n_out, 2, stride=2)
        return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=bilinear == "corners"),
                             nn.Conv2d(n_in, n_out, 1))

    def forward(self, x):
        a = self.one(x)
        b = self.two(self.pool(a))
        c = self.three(self.pool(b))
        b = self.back2(torch.cat([b, self.up2(c)], dim=1))
        return self.out(self.back1(torch.cat([a, self.up1(b)], dim=1)))


class AutoEncoder(nn.Module):
    """Strided convolutions down, transposed ones up: groups, output padding, PReLU, InstanceNorm, Tanh."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 4, stride=2, padding=1), nn.PReLU(16), nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.InstanceNorm2d(32, affine=True), nn.ELU(), nn.ConvTranspose2d(32, 32, 3, stride=1, padding=1, groups=4),
            nn.BatchNorm2d(32), nn.Hardswish(), nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
            nn.GroupNorm(4, 16), nn.SiLU(), nn.ConvTranspose2d(16, 3, 4, stride=2, padding=1, bias=False), nn.Tanh())

    def forward(self, x):
        return self.net(x)


class Mixer(nn.Module):
    """Small things that exports contain: einsum, pixel shuffle, norm, topk, where, cumsum, split, pad, expand."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1, padding_mode="reflect")
        self.more = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.line = nn.Linear(8, 16)

    def forward(self, x):
        y = nn.functional.pixel_shuffle(self.conv(x), 2)
        y = self.more(nn.functional.pad(y, (1, 2, 0, 1), value=0.5))
        a, b = y.chunk(2, dim=1)
        y = torch.cat([torch.where(a > 0.1, a, b * 0.5), b.clamp(min=-0.2), ], dim=1)
        y = nn.functional.adaptive_avg_pool2d(y, 1).flatten(1)
        y = nn.functional.normalize(self.line(y), dim=1)
        z = torch.matmul(y.unsqueeze(1), y.unsqueeze(2)).squeeze(2)
        top, _ = y.topk(4, dim=1)
        return torch.cat([y, z, top, y.cumsum(1), y.amax(1, keepdim=True), y.abs().sqrt().expand(-1, 16)], dim=1)


def vision(name, size, **options):
    def make():
        f = getattr(torchvision.models, name)
        arguments = {"weights": None, **options}
        if name in ("googlenet", "inception_v3"):
            arguments.update(aux_logits=False, init_weights=False)
        return f(**arguments), (lambda n: (pictures(n, size),))
    return make


def vgg11():
    """For pictures of 64 x 64: without the average pool to 7 x 7, which ONNX cannot say of 2 x 2."""
    model = torchvision.models.vgg11(weights=None)
    model.avgpool, model.classifier[0] = nn.Identity(), nn.Linear(512 * 2 * 2, 4096)
    return model


def tokens_of(n, top=500, length=20):
    return torch.randint(0, top, (n, length))


def bert_inputs(n):
    mask = torch.ones(n, 32, dtype=torch.int64)
    for i in range(n):
        mask[i, 32 - 5 * (i % 4):] = 0
    return tokens_of(n, 3000, 32), mask


def sentences(n):
    return tokens_of(n, TOKENS, ENCODER), torch.ones(n, ENCODER, dtype=torch.int64)


def picture_net(make, size):
    return lambda: (make(), lambda n: (pictures(n, size),))


# name: (what makes the network and its inputs, opset)
NETWORKS = {
    "resnet18":           (vision("resnet18", 96), 13),
    "resnet18_op11":      (vision("resnet18", 96), 11),
    "resnet50":           (vision("resnet50", 96), 13),
    "resnext50_32x4d":    (vision("resnext50_32x4d", 96), 13),
    "mobilenet_v2":       (vision("mobilenet_v2", 128), 13),
    "mobilenet_v2_op9":   (vision("mobilenet_v2", 128), 9),
    "mobilenet_v3_small": (vision("mobilenet_v3_small", 128), 13),
    "mobilenet_v3_large": (vision("mobilenet_v3_large", 128), 14),
    "shufflenet_v2_x1_0": (vision("shufflenet_v2_x1_0", 128), 13),
    "googlenet":          (vision("googlenet", 96), 13),
    "inception_v3":       (vision("inception_v3", 139), 13),
    "squeezenet1_1":      (vision("squeezenet1_1", 96), 13),
    "densenet121":        (vision("densenet121", 96), 13),
    "efficientnet_b0":    (vision("efficientnet_b0", 96), 13),
    "efficientnet_op16":  (vision("efficientnet_v2_s", 96), 16),
    "regnet_y_400mf":     (vision("regnet_y_400mf", 96), 13),
    "regnet_x_400mf":     (vision("regnet_x_400mf", 96), 17),
    "mnasnet0_5":         (vision("mnasnet0_5", 96), 13),
    "vgg11":              (picture_net(vgg11, 64), 13),
    "alexnet_op7":        (vision("alexnet", 224), 7),
    "convnext_tiny":      (vision("convnext_tiny", 64), 13),
    "convnext_tiny_op17": (vision("convnext_tiny", 64), 17),
    "vit_b_16":           (vision("vit_b_16", 64, image_size=64), 14),
    "swin_t":             (vision("swin_t", 96), 13),
    "maxvit_t":           (vision("maxvit_t", 224), 14),
    "bert":               (lambda: (Bert(), bert_inputs), 13),
    "bert_op11":          (lambda: (Bert(128, 4), bert_inputs), 11),
    "bert_op17":          (lambda: (Bert(128, 4), bert_inputs), 17),
    "lstm":               (lambda: (Recurrent(nn.LSTM), lambda n: (tokens_of(n),)), 13),
    "lstm_two_ways":      (lambda: (Recurrent(nn.LSTM, num_layers=2, bidirectional=True),
                                    lambda n: (tokens_of(n),)), 14),
    "gru":                (lambda: (Recurrent(nn.GRU, bidirectional=True), lambda n: (tokens_of(n),)), 13),
    "rnn":                (lambda: (Recurrent(nn.RNN, nonlinearity="relu"), lambda n: (tokens_of(n),)), 11),
    "speech_gru":         (lambda: (SpeechGru(), lambda n: (torch.randn(n, 50, 40), torch.randn(n, 2, 48))), 13),
    "unet":               (picture_net(lambda: UNet(None), 64), 13),
    "unet_bilinear":      (picture_net(lambda: UNet("pixels"), 64), 13),
    "unet_corners":       (picture_net(lambda: UNet("corners"), 64), 11),
    "autoencoder":        (picture_net(AutoEncoder, 64), 13),
    "mixer":              (picture_net(Mixer, 32), 16),
}

# Networks of the size that people run: what bench.js times.
FULL_SIZE = {
    **{name: (vision(name, 224), 13) for name in (
        "resnet18", "resnet50", "resnext101_32x8d", "mobilenet_v2", "mobilenet_v3_large", "googlenet",
        "shufflenet_v2_x1_0")},
    "inception_v3": (vision("inception_v3", 299), 13),
    "bert_base":    (lambda: (Bert(layers=12, tokens=TOKENS, length=ENCODER), sentences), 13),
    "lstm512":      (lambda: (LongLstm(), lambda n: (torch.randn(n, 64, 512),)), 13),
}


def export(folder, name, full=False):
    torch.manual_seed(7)
    make, opset = (FULL_SIZE if full else NETWORKS)[name]
    calibration = 4 if full else CALIBRATION
    model, inputs = make()
    settle(model, inputs(calibration))
    data = inputs(2)
    outputs = model(*data)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    path = os.path.join(folder, name)
    names_in = ["in%d" % i for i in range(len(data))]
    names_out = ["out%d" % i for i in range(len(outputs))]
    torch.onnx.export(model, data, path + ".onnx", opset_version=opset, input_names=names_in, output_names=names_out,
                      dynamic_axes={n: {0: "batch"} for n in names_in + names_out})
    for names, values in ((names_in, data), (names_out, outputs)):
        for n, v in zip(names, values):
            numpy.save("%s.%s.npy" % (path, n), v.detach().contiguous().numpy())
    numpy.save(path + ".calib.npy", inputs(calibration)[0].numpy())
    if full:
        torch.save(model.state_dict(), path + ".pt")


def main():
    warnings.filterwarnings("ignore")
    full = sys.argv[1:2] == ["--full"]
    networks, arguments = (FULL_SIZE, sys.argv[2:]) if full else (NETWORKS, sys.argv[1:])
    if not arguments:
        sys.exit(inspect.cleandoc("""usage: export_torch.py [--full] FOLDER [NAME ...]
            names: """ + " ".join(networks)))
    folder, names = arguments[0], arguments[1:] or list(networks)
    os.makedirs(folder, exist_ok=True)
    for name in names:
        try:
            export(folder, name, full)
            print(name)
        except Exception as e:  # the exporter cannot write every network at every opset
            print("%s: not exported: %s" % (name, str(e).splitlines()[0] if str(e) else type(e).__name__))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
