// SPDX-License-Identifier: Apache-2.0
// engines.js - both engines as the scripts use them: Pare through pare_peer, ONNX Runtime through its node package
'use strict';
const { execFileSync } = require('child_process');
const fs   = require('fs');
const path = require('path');

const root = path.join(__dirname, '..', '..');
const own  = path.join(process.env.BUILD, 'peers');
const work = path.join(own, 'work');
const ort  = require(path.join(own, 'node_modules', 'onnxruntime-node'));
const peer = path.join(own, 'pare_peer');
const library = path.join(process.env.BUILD, 'libpare.so');

fs.mkdirSync(work, { recursive: true });

const workFile   = (name) => path.join(work, name);
const floatModel = (m) =>
    (m.file.includes('/') ? path.join(root, m.file) : path.join(process.env.PARE_DATA, 'models', m.file));
const dataSet    = ([name, ...options]) =>
    [name.startsWith('demo:') ? name : path.join(process.env.PARE_DATA, 'sets', name), ...options];

const output = { encoding: 'utf8', maxBuffer: 1 << 28 };
const pare   = (...args) => execFileSync(peer, args, output);

// The command `pare`, whose options are written --key value.
function command(...args) {
    return execFileSync(path.join(process.env.BUILD, 'pare'), args.flatMap((a) => {
        const [key, value] = a.split('=');

        return value === undefined ? [a] : [`--${key}`, value];
    }), output);
}

// The int8 twin of a model, made once for all scripts, and remade when the library is newer. The targets differ in how
// dynamic layers are written.
function quantized(m, target) {
    if (m.quantized)
        return m.quantized(target || 'onnxruntime');
    const out = workFile(`${m.name}.${target || 'onnxruntime'}.int8.onnx`);

    if (!fs.existsSync(out) || fs.statSync(out).mtimeMs < fs.statSync(library).mtimeMs)
        command('quantize', floatModel(m), `output=${out}`, '--calib', ...dataSet(m.calibrate), `mode=${m.mode}`,
                'samples=500', `target=${target || 'onnxruntime'}`);
    return out;
}

// {path, dtype, dims, count, labels}: the samples as both engines get them.
function samples(m) {
    if (m.samples)
        return m.samples();
    const file = workFile(`${m.name}.samples`);

    return { path: file, ...JSON.parse(pare('samples', ...dataSet(m.evaluate).slice(0, 1), file,
                                            ...m.evaluate.slice(1))) };
}

function session(model, optimized) {
    return ort.InferenceSession.create(model, {
        graphOptimizationLevel: 'all', executionMode: 'sequential', intraOpNumThreads: 1, interOpNumThreads: 1,
        logSeverityLevel: 4, ...(optimized ? { optimizedModelFilePath: optimized } : {}),
    });
}

// Sample `i` as the only input.
function feeds(s, set, i) {
    const count = set.dims.reduce((a, b) => a * b, 1), size = count * (set.dtype === 's64' ? 8 : 4);
    const bytes = Buffer.alloc(size), file = fs.openSync(set.path, 'r');

    fs.readSync(file, bytes, 0, size, i * size);
    fs.closeSync(file);
    const data = set.dtype === 's64' ? new BigInt64Array(bytes.buffer, bytes.byteOffset, count)
                                     : new Float32Array(bytes.buffer, bytes.byteOffset, count);

    return { [s.inputNames[0]]: new ort.Tensor(set.dtype === 's64' ? 'int64' : 'float32', data, set.dims) };
}

module.exports = { pare, command, quantized, samples, session, feeds, floatModel, workFile, library, peer };
