// SPDX-License-Identifier: Apache-2.0
// onnx.js - just enough of ONNX's wire format to list the nodes of a model and to give it more outputs
'use strict';
const fs = require('fs');

// The fields of one message: {number, bytes} or {number, value}. Lengths stay below 2^31 here.
function fields(b) {
    const out = [];
    let at = 0;

    const varint = () => {
        let v = 0, scale = 1, byte;

        do {
            byte = b[at++];
            v += (byte & 127) * scale;
            scale *= 128;
        } while (byte & 128);
        return v;
    };
    while (at < b.length) {
        const tag = varint(), number = Math.floor(tag / 8), type = tag & 7;

        if (type === 0) {
            out.push({ number, value: varint() });
        } else if (type === 2) {
            const n = varint();

            out.push({ number, bytes: b.subarray(at, at + n) });
            at += n;
        } else {
            at += type === 1 ? 8 : 4;
        }
    }
    return out;
}

const texts = (fs_, number) => fs_.filter((f) => f.number === number).map((f) => f.bytes.toString());

// {nodes: [{op, name, in, out}], constants: Set of names, outputs: [names]}
function read(path) {
    const graphs = fields(fs.readFileSync(path)).filter((f) => f.number === 7);
    const all    = graphs.flatMap((g) => fields(g.bytes));
    const nodes  = all.filter((f) => f.number === 1).map((f) => {
        const n = fields(f.bytes);

        return { op: texts(n, 4)[0], name: texts(n, 3)[0] || '', in: texts(n, 1), out: texts(n, 2) };
    });

    return {
        nodes,
        constants: new Set(all.filter((f) => f.number === 5).map((f) => texts(fields(f.bytes), 8)[0])),
        outputs: all.filter((f) => f.number === 12).map((f) => texts(fields(f.bytes), 1)[0]),
    };
}

function lengthed(number, bytes) {
    const head = [(number << 3) | 2];

    for (let n = bytes.length; ; n = Math.floor(n / 128)) {
        head.push(n >= 128 ? (n % 128) | 128 : n);
        if (n < 128)
            break;
    }
    return Buffer.concat([Buffer.from(head), bytes]);
}

// A copy of a model whose tensors, {name, dtype}, are outputs too. Repeated fields of a message that comes twice are
// joined, so a second graph behind the first, with nothing but outputs, does it.
function withOutputs(from, to, tensors) {
    const type    = (t) => lengthed(2, lengthed(1, Buffer.from([1 << 3, t.dtype === 'u8' ? 2 : 1])));
    const outputs = tensors.map((t) => lengthed(12, Buffer.concat([lengthed(1, Buffer.from(t.name)), type(t)])));

    fs.writeFileSync(to, Buffer.concat([fs.readFileSync(from), lengthed(7, Buffer.concat(outputs))]));
}

// What ONNX Runtime left in float: a stretch from a dequantize back to a quantize, dequantized weights, and layers that
// multiply floats by them. A dequantize from which no quantize can be reached is the float end of the model, and no
// island; nor is a product of two activations.
function islands(model) {
    const users = new Map(), makers = new Map();

    for (const n of model.nodes) {
        n.in.forEach((v) => users.set(v, (users.get(v) || []).concat(n)));
        n.out.forEach((v) => makers.set(v, n));
    }
    const is      = (n, op) => n.op === op;
    const integer = (n) => /^(QLinear|QGemm|QuantizeLinear|DynamicQuantize|MatMulInteger|ConvInteger)/.test(n.op);
    const after   = (n, found) => {
        for (const v of n.out)
            for (const u of users.get(v) || [])
                if (!found.has(u)) {
                    found.add(u);
                    if (!integer(u))
                        after(u, found);
                }
        return found;
    };
    const out = [];

    for (const n of model.nodes.filter((x) => is(x, 'DequantizeLinear'))) {
        const found = [...after(n, new Set())];

        if (model.constants.has(n.in[0]))
            out.push(`weights ${n.in[0]} are dequantized for ${found.filter((u) => !integer(u)).map((u) => u.op)[0]}`);
        else if (found.some((u) => is(u, 'QuantizeLinear')))
            out.push(`${n.in[0]} -> DequantizeLinear -> ${found.map((u) => u.op).join(' ')}`);
    }
    const layer = (n) => /^(Conv|FusedConv|NhwcFusedConv|Gemm|FusedGemm|MatMul|FusedMatMul|MatMulNBits)$/.test(n.op);
    const fixed = (v) => model.constants.has(v) || (makers.get(v) && makers.get(v).op === 'DequantizeLinear');

    for (const n of model.nodes.filter((x) => layer(x) && fixed(x.in[1])))
        out.push(`float ${n.op} ${n.name || n.out[0]}`);
    return out;
}

function countOps(model) {
    const count = {};

    for (const n of model.nodes)
        count[n.op] = (count[n.op] || 0) + 1;
    return count;
}

module.exports = { read, withOutputs, islands, countOps };
