#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ort_dynamic.py - a float model quantized dynamically in ONNX Runtime's own form, as its quantize_dynamic writes it
#
#   ort_dynamic.py MODEL OUT
#
# A MatMul with constant weights becomes DynamicQuantizeLinear, MatMulInteger and the scales behind it; an LSTM becomes
# DynamicQuantizeLSTM. Weights are signed, with one scale per column. It needs onnx and is no part of any build.
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def columns(weights, axis):
    """(codes s8, scales) of weights; all along `axis`, the sum of a product, share one scale."""
    largest = numpy.abs(weights).max(axis=axis, keepdims=True)
    scale = (numpy.maximum(largest, 1e-12) / 127).astype(numpy.float32)
    codes = numpy.clip(numpy.rint(weights / scale), -127, 127).astype(numpy.int8)
    return codes, scale.squeeze(axis)


class Rewriter:
    def __init__(self, graph):
        self.constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.nodes, self.added, self.quantized = [], [], {}

    def constant(self, name, array):
        self.added.append(numpy_helper.from_array(array, name))
        return name

    def codes_of(self, x):
        """Names of codes, scale and zero point of a value; made once."""
        if x not in self.quantized:
            self.quantized[x] = [x + "_codes", x + "_scale", x + "_zero"]
            self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], self.quantized[x]))
        return self.quantized[x]

    def matmul(self, node):
        x, weights = node.input
        y = node.output[0]
        codes, scale = columns(self.constants[weights], 0)
        q, x_scale, x_zero = self.codes_of(x)
        w = [self.constant(y + "_w", codes), self.constant(y + "_ws", scale),
             self.constant(y + "_wz", numpy.zeros(scale.shape, numpy.int8))]
        self.nodes += [
            helper.make_node("MatMulInteger", [q, w[0], x_zero, w[2]], [y + "_sum"]),
            helper.make_node("Cast", [y + "_sum"], [y + "_real"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [x_scale, w[1]], [y + "_scales"]),
            helper.make_node("Mul", [y + "_real", y + "_scales"], [y]),
        ]

    def lstm(self, node):
        inputs = list(node.input) + [""] * (8 - len(node.input))
        extra = []
        for i in (1, 2):  # W and R, [directions, 4 * hidden, input]: the peer wants them transposed
            codes, scale = columns(self.constants[inputs[i]].transpose(0, 2, 1), 1)
            inputs[i] = self.constant("%s_%d" % (node.output[0], i), codes)
            extra += [self.constant(inputs[i] + "_s", scale),
                      self.constant(inputs[i] + "_z", numpy.zeros(scale.shape, numpy.int8))]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        self.nodes.append(helper.make_node("DynamicQuantizeLSTM", inputs + extra, node.output, domain="com.microsoft",
                                           **attributes))


def main(path, out):
    model = onnx.load(path)
    graph = model.graph
    r = Rewriter(graph)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in r.constants and r.constants[node.input[1]].ndim == 2:
            r.matmul(node)
        elif node.op_type == "LSTM" and node.input[1] in r.constants:
            r.lstm(node)
        else:
            r.nodes.append(node)
    used = {i for n in r.nodes for i in n.input}
    kept = [i for i in graph.initializer if i.name in used] + r.added
    del graph.node[:], graph.initializer[:]
    graph.node.extend(r.nodes)
    graph.initializer.extend(kept)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, out)


main(*sys.argv[1:3])
