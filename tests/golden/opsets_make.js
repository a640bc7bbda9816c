// SPDX-License-Identifier: Apache-2.0
// opsets_make.js - makes opsets.h from opsets.def: what ONNX Runtime computes
//
//   test_opsets --write FOLDER && node opsets_make.js FOLDER > opsets.h
//
// Needs the node package onnxruntime-node (made with 1.30.0), on NODE_PATH. A case that it refuses gets NULL and a line
// on stderr. Inputs are the ramps of tests/onnx_make.h.
'use strict';
const fs   = require('fs');
const path = require('path');
const ort  = require('onnxruntime-node');

const kinds = {
    float32: ['f32', Float32Array], int64: ['s64', BigInt64Array], int32: ['s32', Int32Array],
    int16: ['s16', Int16Array], uint16: ['u16', Uint16Array], int8: ['s8', Int8Array], uint8: ['u8', Uint8Array],
    bool: ['bool', Uint8Array],
};

function ramp(type, dims) {
    const n = dims.reduce((a, b) => a * b, 1), data = new kinds[type][1](n);

    for (let i = 0; i < n; i++) {
        const v = type === 'float32' ? ((i * 7) % 23 - 11) / 8 : i % 5;
        data[i] = type === 'int64' ? BigInt(v) : type === 'bool' ? Number(v !== 0) : v;
    }
    return new ort.Tensor(type, data, dims);
}

// 9 digits are every float32.
function number(v) {
    return typeof v === 'number' && !Number.isInteger(v) ? String(Number(v.toPrecision(9))).replace('Infinity', 'inf') :
           Object.is(v, -0) ? '-0' : String(v).replace('Infinity', 'inf');
}

function text(t) {
    const kind = Object.entries(kinds).find(([type]) => type === t.type);

    const numbers = Array.from(t.data, (v) => number(typeof v === 'boolean' ? Number(v) : v));

    return `${kind[1][0]}[${t.dims.join(',')}]{${numbers.join(',')}}`;
}

async function run(file) {
    const s = await ort.InferenceSession.create(file, { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 });
    const feeds = {};

    for (const i of s.inputMetadata)
        feeds[i.name] = ramp(i.type, i.shape);
    const out = await s.run(feeds);
    return s.outputNames.map((n) => text(out[n]));
}

(async () => {
    const folder = process.argv[2], files = fs.readdirSync(folder).filter((f) => f.endsWith('.onnx')).sort();

    console.log('/* SPDX-License-Identifier: Apache-2.0 */');
    console.log('/* opsets.h - made by opsets_make.js: what ONNX Runtime 1.30.0 makes of each case of opsets.def */');
    console.log('/* clang-format off */');
    console.log('static const char *const golden_outputs[] = {');
    for (const f of files) {
        try {
            const lines = (await run(path.join(folder, f))).map((t) => `    "${t}"`);
            console.log(lines.join(' ";"\n') + ',');
        } catch (e) {
            console.error(`${f}: ${String(e).slice(0, 240)}`);
            console.log('    NULL,');
        }
    }
    console.log('};');
})();
