#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""models.py > models.txt - what PyTorch 1.13 and torchvision 0.14 compute for every network and kind of module.

Weights come from a formula of their names (tests/model_fill.h writes the same in C), so nothing but a few outputs is
kept. A line of a network:   model NAME [input shape] state N HASH y VALUES
A line of a module:          module KIND|settings|[input shape] ... y VALUES
Values: the first 16 of the first output (fewer where it is smaller), then the sum of the sizes of all of it. N is the
number of entries of the state dict, HASH is FNV-1a over its sorted "name:[shape]" lines.
"""
import math
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

MASK = (1 << 64) - 1


def fnv(text):
    h = 0xcbf29ce484222325
    for b in text.encode():
        h = ((h ^ b) * 0x100000001b3) & MASK
    return h


def numbers(name, shape, lo, hi):
    """Splitmix64 seeded by the name: the top 24 bits as [0, 1), then lo .. hi, all in double, rounded once."""
    n = int(np.prod(shape, dtype=np.int64))
    with np.errstate(over="ignore"):
        z = np.uint64(fnv(name)) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) * 2.0 ** -24
    return torch.from_numpy((lo + (hi - lo) * u).astype(np.float32).reshape(shape))


def bounds(name, shape):
    if len(shape) >= 2:
        b = math.sqrt(6.0 / np.prod(shape[1:], dtype=np.int64))
        return -b, b
    if name.endswith("running_var") or name.endswith("weight"):
        return 0.5, 1.5
    return -0.1, 0.1


def fill(module):
    state = module.state_dict()
    for name, t in state.items():
        if t.dtype == torch.float32:
            t.copy_(numbers(name, tuple(t.shape), *bounds(name, tuple(t.shape))))
    module.load_state_dict(state)
    return module.eval()


def shape_text(shape):
    return "[" + ",".join(str(d) for d in shape) + "]"


def state_text(module):
    lines = sorted(f"{n}:{shape_text(t.shape)}" for n, t in module.state_dict().items())
    return f"{len(lines)} {fnv(chr(10).join(lines)):016x}"


def make_input(index, shape, ids=0):
    x = numbers(f"input{index}", shape, -1, 1)
    return ((x.double() + 1) / 2 * ids).long().clamp(0, ids - 1) if ids else x


def values(y):
    y = y[0] if isinstance(y, tuple) else y
    flat = y.detach().double().flatten()
    return " ".join(f"{v:.9g}" for v in flat[:16].tolist()) + f" {flat.abs().sum().item():.9g}"


def model(name, net, shape, ids=0):
    fill(net)
    with torch.no_grad():
        y = net(make_input(0, shape, ids))
    print("model", name, shape_text(shape), "state", state_text(net), "y", values(y), flush=True)


def module(kind, settings, net, *shapes, ids=0):
    fill(net)
    with torch.no_grad():
        y = net(*[make_input(i, s, ids) for i, s in enumerate(shapes)])
    print(f"module {kind}|{settings}|" + " ".join(shape_text(s) for s in shapes), "state", state_text(net), "y",
          values(y), flush=True)


# ------------------------------------------------------------ networks torchvision does not have

class CifarBlock(nn.Module):
    def __init__(self, inp, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inp, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.out, self.pads = out, inp != out

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.pads:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.out // 4, self.out // 4))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inp = 16
        for stage in range(3):
            layer = []
            for i in range(blocks):
                layer.append(CifarBlock(inp, 16 << stage, 2 if i == 0 and stage else 1))
                inp = 16 << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def part(**children):
    m = nn.Module()
    for name, child in children.items():
        setattr(m, name, child)
    return m


class Bert(nn.Module):
    """transformers' BertModel without its code: the same names, the same arithmetic."""

    def __init__(self, words, positions, layers, width, heads, inner):
        super().__init__()
        norm = lambda: nn.LayerNorm(width, eps=1e-12)
        self.heads = heads
        self.embeddings = part(word_embeddings=nn.Embedding(words, width),
                               position_embeddings=nn.Embedding(positions, width),
                               token_type_embeddings=nn.Embedding(2, width), LayerNorm=norm())
        linear = lambda i=width, o=width: nn.Linear(i, o)
        self.encoder = part(layer=nn.ModuleList(
            part(attention=part(self=part(query=linear(), key=linear(), value=linear()),
                                output=part(dense=linear(), LayerNorm=norm())),
                 intermediate=part(dense=linear(width, inner)),
                 output=part(dense=linear(inner, width), LayerNorm=norm())) for _ in range(layers)))
        self.pooler = part(dense=linear())

    def layer(self, m, x):
        a = getattr(m.attention, "self")
        split = lambda t: t.view(*t.shape[:2], self.heads, -1).transpose(1, 2)
        q, k, v = split(a.query(x)), split(a.key(x)), split(a.value(x))
        y = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]), -1) @ v
        y = y.transpose(1, 2).reshape(x.shape)
        x = m.attention.output.LayerNorm(m.attention.output.dense(y) + x)
        y = m.output.dense(F.gelu(m.intermediate.dense(x)))
        return m.output.LayerNorm(y + x)

    def forward(self, ids):
        e = self.embeddings
        x = e.word_embeddings(ids) + e.token_type_embeddings.weight[0] + e.position_embeddings.weight[:ids.shape[1]]
        x = e.LayerNorm(x)
        for m in self.encoder.layer:
            x = self.layer(m, x)
        return x, torch.tanh(self.pooler.dense(x[:, 0]))


class BertClassifier(nn.Module):
    def __init__(self, classes, *sizes):
        super().__init__()
        self.bert = Bert(*sizes)
        self.classifier = nn.Linear(sizes[3], classes)

    def forward(self, ids):
        return self.classifier(self.bert(ids)[1])


class LstmClassifier(nn.Module):
    def __init__(self, words=8192, width=128, hidden=256, classes=2):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, ids):
        return self.fc(self.lstm(self.embedding(ids))[0].mean(1))


class LstmModel(nn.Module):
    def __init__(self, words=10000, width=512, hidden=512, layers=2):
        super().__init__()
        self.encoder = nn.Embedding(words, width)
        self.rnn = nn.LSTM(width, hidden, layers, batch_first=True)
        self.decoder = nn.Linear(hidden, words)

    def forward(self, ids):
        return self.decoder(self.rnn(self.encoder(ids))[0])


def networks():
    picture = (1, 3, 64, 64)
    for name in ("resnet18", "resnet34", "resnet50", "resnext101_32x8d", "resnext101_64x4d", "mobilenet_v2",
                 "mobilenet_v3_large", "mobilenet_v3_small", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
                 "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0"):
        model(name, getattr(torchvision.models, name)(), picture)
    model("googlenet", torchvision.models.googlenet(init_weights=False), picture)
    model("inception_v3", torchvision.models.inception_v3(init_weights=False), (1, 3, 75, 75))
    for blocks, name in ((1, "resnet8"), (3, "resnet20"), (5, "resnet32"), (7, "resnet44"), (9, "resnet56")):
        model(name, CifarResNet(blocks), (2, 3, 32, 32))
    model("bert_base", Bert(30522, 512, 12, 768, 12, 3072), (1, 16), 30522)
    model("bert_classifier", BertClassifier(2, 30522, 512, 12, 768, 12, 3072), (1, 16), 30522)
    model("transformer_classifier", BertClassifier(2, 8192, 512, 2, 128, 4, 512), (2, 16), 8192)
    model("lstm_classifier", LstmClassifier(), (2, 12), 8192)
    model("lstm_lm", LstmModel(), (2, 5), 10000)


# ------------------------------------------------------------ modules

class Attention(nn.MultiheadAttention):
    def forward(self, q, k=None, v=None):
        k = q if k is None else k
        return super().forward(q, k, k if v is None else v)[0]


class StateLast(nn.Module):
    """Only for cells and states given apart: forward(x, h, c) where PyTorch takes (x, (h, c))."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def state_dict(self, *a, **k):
        return self.inner.state_dict()

    def load_state_dict(self, s):
        return self.inner.load_state_dict(s)

    def forward(self, x, *state):
        return self.inner(x, state if len(state) > 1 else state[0])


def modules():
    module("conv1d", "in=4 out=6 kernel=3 stride=2 padding=1", nn.Conv1d(4, 6, 3, 2, 1), (2, 4, 9))
    module("conv2d", "in=4 out=6 kernel=[3,5] stride=[1,2] padding=[1,2] dilation=[2,1] groups=2 bias=0",
           nn.Conv2d(4, 6, (3, 5), (1, 2), (1, 2), (2, 1), 2, False), (2, 4, 8, 9))
    module("conv3d", "in=3 out=4 kernel=2", nn.Conv3d(3, 4, 2), (1, 3, 3, 4, 5))
    module("conv_transpose1d", "in=4 out=6 kernel=3 stride=2", nn.ConvTranspose1d(4, 6, 3, 2), (2, 4, 5))
    module("conv_transpose2d", "in=4 out=6 kernel=3 stride=2 padding=1 output_padding=1 groups=2",
           nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2), (1, 4, 5, 6))
    module("conv_transpose3d", "in=2 out=3 kernel=2 bias=0", nn.ConvTranspose3d(2, 3, 2, bias=False), (1, 2, 3, 3, 3))
    module("linear", "in=7 out=5", nn.Linear(7, 5), (3, 7))
    module("linear", "in=7 out=5 bias=0", nn.Linear(7, 5, False), (2, 3, 7))
    module("batch_norm", "features=5 eps=0.001", nn.BatchNorm2d(5, 0.001), (2, 5, 3, 3))
    module("batch_norm", "features=5", nn.BatchNorm1d(5), (4, 5))
    module("layer_norm", "shape=6", nn.LayerNorm(6), (2, 3, 6))
    module("layer_norm", "shape=[3,6] eps=0.01", nn.LayerNorm((3, 6), 0.01), (2, 3, 6))
    module("group_norm", "groups=2 channels=6", nn.GroupNorm(2, 6), (2, 6, 3, 4))
    module("embedding", "rows=11 width=4", nn.Embedding(11, 4), (2, 5), ids=11)
    for mode in ("mean", "sum", "max"):
        module("embedding_bag", f"rows=11 width=4 mode={mode}", nn.EmbeddingBag(11, 4, mode=mode), (3, 5), ids=11)
    module("lstm", "in=5 hidden=7", nn.LSTM(5, 7), (4, 2, 5))
    module("lstm", "in=5 hidden=7 layers=2 bidirectional=1 batch_first=1",
           nn.LSTM(5, 7, 2, bidirectional=True, batch_first=True), (2, 4, 5))
    module("lstm", "in=5 hidden=7 layers=2 bias=0", StateLast(nn.LSTM(5, 7, 2, bias=False)), (4, 2, 5), (2, 2, 7),
           (2, 2, 7))
    module("gru", "in=5 hidden=7 layers=2 bidirectional=1", nn.GRU(5, 7, 2, bidirectional=True), (4, 2, 5))
    module("gru", "in=5 hidden=7", StateLast(nn.GRU(5, 7)), (4, 2, 5), (1, 2, 7))
    module("rnn", "in=5 hidden=7 layers=2", nn.RNN(5, 7, 2), (4, 2, 5))
    module("rnn", "in=5 hidden=7 activation=relu bidirectional=1",
           nn.RNN(5, 7, nonlinearity="relu", bidirectional=True), (4, 2, 5))
    module("lstm_cell", "in=5 hidden=7", StateLast(nn.LSTMCell(5, 7)), (3, 5), (3, 7), (3, 7))
    module("gru_cell", "in=5 hidden=7", StateLast(nn.GRUCell(5, 7)), (3, 5), (3, 7))
    module("rnn_cell", "in=5 hidden=7 bias=0", nn.RNNCell(5, 7, bias=False), (3, 5))
    module("multihead_attention", "width=8 heads=2", Attention(8, 2), (5, 3, 8))
    module("multihead_attention", "width=8 heads=4 bias=0 batch_first=1", Attention(8, 4, bias=False, batch_first=True),
           (2, 5, 8), (2, 3, 8))
    module("max_pool", "kernel=3 stride=2 padding=1", nn.MaxPool2d(3, 2, 1), (1, 2, 7, 8))
    module("max_pool", "kernel=3 stride=2 ceil=1", nn.MaxPool2d(3, 2, ceil_mode=True), (1, 2, 8, 8))
    module("max_pool", "kernel=2 dilation=2 stride=1", nn.MaxPool1d(2, 1, dilation=2), (1, 2, 9))
    module("average_pool", "kernel=3 stride=2 padding=1", nn.AvgPool2d(3, 2, 1), (1, 2, 7, 8))
    module("average_pool", "kernel=[2,3] padding=[0,1] count_padding=0",
           nn.AvgPool2d((2, 3), padding=(0, 1), count_include_pad=False), (1, 2, 6, 7))
    module("adaptive_average_pool", "size=1", nn.AdaptiveAvgPool2d(1), (2, 3, 5, 7))
    module("adaptive_average_pool", "size=[2,7]", nn.AdaptiveAvgPool2d((2, 7)), (2, 3, 6, 7))
    module("adaptive_average_pool", "size=4", nn.AdaptiveAvgPool2d(4), (2, 3, 14, 9))
    module("upsample", "scale=2", nn.Upsample(scale_factor=2), (1, 2, 3, 4))
    module("upsample", "scale=2 mode=linear", nn.Upsample(scale_factor=2, mode="bilinear"), (1, 2, 3, 4))
    x = (3, 7)
    for kind, settings, net in (
            ("relu", "", nn.ReLU()), ("sigmoid", "", nn.Sigmoid()), ("tanh", "", nn.Tanh()),
            ("hard_swish", "", nn.Hardswish()), ("hard_sigmoid", "", nn.Hardsigmoid()), ("gelu", "", nn.GELU()),
            ("gelu", "approximate=tanh", nn.GELU("tanh")), ("elu", "alpha=0.7", nn.ELU(0.7)), ("celu", "", nn.CELU()),
            ("selu", "", nn.SELU()), ("leaky_relu", "alpha=0.2", nn.LeakyReLU(0.2)),
            ("thresholded_relu", "alpha=0.3", nn.Threshold(0.3, 0)), ("softplus", "", nn.Softplus()),
            ("softsign", "", nn.Softsign()), ("mish", "", nn.Mish()), ("softmax", "", nn.Softmax(-1)),
            ("softmax", "axis=0", nn.Softmax(0)), ("log_softmax", "", nn.LogSoftmax(-1)), ("relu6", "", nn.ReLU6()),
            ("hardtanh", "min=-0.5 max=0.3", nn.Hardtanh(-0.5, 0.3)), ("silu", "", nn.SiLU()),
            ("log_sigmoid", "", nn.LogSigmoid()), ("tanhshrink", "", nn.Tanhshrink()),
            ("softshrink", "", nn.Softshrink()), ("hardshrink", "lambda=0.4", nn.Hardshrink(0.4)),
            ("dropout", "p=0.5", nn.Dropout()), ("identity", "", nn.Identity()), ("flatten", "", nn.Flatten())):
        module(kind, settings, net, x)
    module("glu", "axis=1", nn.GLU(1), (2, 6, 3))
    module("prelu", "count=4", nn.PReLU(4), (2, 4, 3, 3))
    module("prelu", "", nn.PReLU(), (2, 4))


if __name__ == "__main__":
    torch.set_num_threads(1)
    modules()
    if "--modules" not in sys.argv:
        networks()
