// SPDX-License-Identifier: Apache-2.0
// networks.js - what is timed, and how each engine runs it
//
// `networks` are made by export_torch.py --full; `batches` says which are worth timing. `publicModels` are those of
// models.js, from PARE_DATA; PyTorch has no form of them. Both give
//   {name, mode, batches, contenders}
// where contenders(threads, batch, clock) is a list of {engine, command, args, env}. Several may belong to one engine:
// the fastest of them counts.
'use strict';
const { execFileSync } = require('child_process');
const fs      = require('fs');
const path    = require('path');
const engines = require('./engines');
const models  = require('./models');

const PYTHON = process.env.PYTHON || 'python3';
const FOLDER = path.join(process.env.BUILD, 'peers', 'networks');
const script = (name) => path.join(__dirname, name);

const network = (name, batches, mode) => ({ name, batches, mode: mode || 'static' });
const full    = [
    network('resnet18', [1]),
    network('resnet50', [1, 32]),
    network('resnext101_32x8d', [1]),
    network('mobilenet_v2', [1, 32]),
    { ...network('mobilenet_v3_large', [1]), peerFloat: /-> HardSigmoid QuantizeLinear$/ }, // no integer kernel there
    network('googlenet', [1]),
    network('inception_v3', [1]),
    network('shufflenet_v2_x1_0', [1]),
    network('bert_base', [1], 'dynamic'),
    network('lstm512', [1], 'dynamic'),
];

// Debian's PyTorch multiplies floats with whatever BLAS there is; setup.sh puts a fast one aside.
const BLAS  = path.join(process.env.BUILD, 'peers', 'openblas');
const torch = (engine, args) =>
    ({ engine, command: PYTHON, args: [script('torch_peer.py'), FOLDER, ...args],
       env: { LD_LIBRARY_PATH: `${BLAS}:${process.env.LD_LIBRARY_PATH || ''}` } });

const newer = (a, b) => fs.existsSync(a) && fs.statSync(a).mtimeMs > fs.statSync(b).mtimeMs;

// The numbers of an .npy file, without its header.
function rawOf(npy) {
    const out = engines.workFile(path.basename(npy).replace(/npy$/, 'raw'));

    if (!newer(out, npy)) {
        const bytes = fs.readFileSync(npy), two = bytes[6] > 1;

        fs.writeFileSync(out, bytes.subarray(two ? 12 + bytes.readUInt32LE(8) : 10 + bytes.readUInt16LE(8)));
    }
    return out;
}

function inputsOf(base) {
    const out = [];

    for (let i = 0; fs.existsSync(`${base}.in${i}.npy`); i++)
        out.push(rawOf(`${base}.in${i}.npy`));
    return out;
}

function quantized(n, base, target) {
    const out = engines.workFile(`${n.name}.${target}.int8.onnx`);

    if (!newer(out, `${base}.onnx`) || !newer(out, engines.library))
        engines.command('quantize', `${base}.onnx`, `output=${out}`, `mode=${n.mode}`, `target=${target}`,
                        ...(n.mode === 'static' ? [`calib=${base}.calib.npy`] : []));
    return out;
}

function own(n, base) {
    const out = engines.workFile(`${n.name}.own.int8.onnx`);

    if (!newer(out, `${base}.onnx`) || !newer(out, script('ort_dynamic.py')))
        execFileSync(PYTHON, [script('ort_dynamic.py'), `${base}.onnx`, out], { stdio: 'pipe' });
    return out;
}

const pare = (engine, model, how, inputs) =>
    ({ engine, command: engines.peer, args: ['serve', model, ...how, ...inputs] });
const ort = (engine, model, how, inputs) =>
    ({ engine, form: path.basename(model), command: process.execPath,
       args: [script('ort_peer.js'), model, ...how, ...inputs] });

function networkContenders(n, threads, batch, clock) {
    const base = path.join(FOLDER, n.name), how = [threads, batch, clock].map(String), inputs = inputsOf(base);
    const int8 = quantized(n, base, 'onnx');
    const forms = n.mode === 'static' ? [int8] : [int8, quantized(n, base, 'onnxruntime'), own(n, base)];

    return [
        pare('pare float', `${base}.onnx`, how, inputs), pare('pare int8', int8, how, inputs),
        ort('ort float', `${base}.onnx`, how, inputs), ...forms.map((f) => ort('ort int8', f, how, inputs)),
        torch('torch float', [n.name, 'float', ...how]), torch('torch onednn', [n.name, 'onednn', ...how]),
        torch('torch qnnpack', [n.name, 'qnnpack', ...how]),
    ];
}

// Makes what is not there yet.
function exportNetworks(names) {
    const missing = names.filter((n) => !fs.existsSync(path.join(FOLDER, `${n}.pt`)));

    if (missing.length > 0)
        execFileSync(PYTHON, [script('export_torch.py'), '--full', FOLDER, ...missing],
                     { stdio: ['ignore', 'inherit', 'inherit'] });
}

function modelContenders(m, threads, batch, clock) {
    const data = m.evaluate.filter((option) => !/^(slice|without)=/.test(option));
    const set  = engines.samples({ name: `${m.name}.first`, evaluate: [...data, 'slice=0:1:1'] });
    const how  = [threads, batch, clock].map(String), float = engines.floatModel(m);

    return [
        pare('pare float', float, how, [set.path]), pare('pare int8', engines.quantized(m, 'onnx'), how, [set.path]),
        ort('ort float', float, how, [set.path]), ort('ort int8', engines.quantized(m), how, [set.path]),
    ];
}

const withContenders = (of) => (n) => ({ ...n, contenders: (...how) => of(n, ...how) });

// As test.js wants them: pictures are compared byte for byte.
function testable(n) {
    const base = path.join(FOLDER, n.name), side = n.name === 'inception_v3' ? 299 : 224;

    return {
        name: n.name, mode: n.mode, top1: true, peerFloat: n.peerFloat,
        quantized: (target) => quantized(n, base, target),
        samples: () => ({ path: rawOf(`${base}.in0.npy`), dtype: 'f32', dims: [1, 3, side, side], count: 2 }),
    };
}

module.exports = {
    tests: full.filter((n) => n.mode === 'static').map(testable),
    networks: full.map(withContenders(networkContenders)),
    publicModels: models.map((m) => ({ ...m, batches: [1] })).map(withContenders(modelContenders)),
    exportNetworks,
};
