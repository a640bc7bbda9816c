// SPDX-License-Identifier: Apache-2.0
// test.js - every quantized model in ONNX Runtime: does it run in integers, and does it give the same bytes as Pare?
//
//   test.js [--networks] [NAME ...]
//
// --networks: the convolutional networks of networks.js in place of the models of models.js
'use strict';
const fs      = require('fs');
const engines = require('./engines');
const onnx    = require('./onnx');
const models  = require('./models');
const { tests, exportNetworks } = require('./networks');

const SEEN       = 150;  // samples whose inner tensors are compared, of large pictures LARGE_SEEN
const LARGE_SEEN = 10;
const ROUNDING   = 1e-6; // of the outputs' size: more is no rounding
const AGREE      = 0.995; // share of equal predictions that is asked for

const seen   = (set) => (set.dims.reduce((a, b) => a * b) > 30000 ? LARGE_SEEN : SEEN);
const argmax = (y) => y.reduce((best, v, i) => (v > y[best] ? i : best), 0);

const floats  = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const numbers = (bytes, dtype) => (dtype === 'f32' ? floats(bytes) : bytes);

// Runs every sample through ONNX Runtime; the outputs one after the other.
async function runAll(s, set, count) {
    const out = [];

    for (let i = 0; i < count; i++) {
        const y = (await s.run(engines.feeds(s, set, i)))[s.outputNames[0]].data;

        out.push(Buffer.from(y.buffer.slice(y.byteOffset, y.byteOffset + y.byteLength)));
    }
    return out;
}

// {values, differing, largest, noise, agree}: of the float outputs; noise is the size of all differences together
// against that of the outputs.
function compareOutputs(ours, theirs) {
    const a = floats(ours), b = theirs.map(floats), n = b[0].length;
    let   differing = 0, largest = 0, agree = 0, wrong = 0, power = 0;

    b.forEach((y, i) => {
        const x = a.subarray(i * n, i * n + n);

        for (let k = 0; k < n; k++) {
            const d = x[k] === y[k] ? 0 : Math.abs(x[k] - y[k]);

            differing += d !== 0;
            largest = Math.max(largest, d);
            wrong += d * d;
            power += y[k] * y[k];
        }
        agree += argmax(x) === argmax(y);
    });
    return { values: a.length, differing, largest, noise: Math.sqrt(wrong / power), agree: agree / b.length };
}

// The integers that both engines make, and the real numbers that integer layers make, in the order of our steps: those
// that differ, and how many there are.
async function compareInside(m, file, set, folder, steps) {
    const graph   = onnx.read(file);
    const made    = new Set(graph.nodes.flatMap((n) => n.out).filter((v) => !graph.outputs.includes(v)));
    const shared  = steps.filter((s) => made.has(s.name));
    const copy    = engines.workFile(`${m.name}.outputs.onnx`), n = Math.min(seen(set), set.count);

    onnx.withOutputs(file, copy, shared);
    const optimized = engines.workFile(`${m.name}.outputs.optimized.onnx`);
    const s         = await engines.session(copy, optimized);
    const wrong     = new Map();
    const ours      = shared.map((t) => numbers(fs.readFileSync(`${folder}/${t.index}.raw`), t.dtype));

    for (let i = 0; i < n; i++) {
        const y = await s.run(engines.feeds(s, set, i));

        shared.forEach((t, k) => {
            const theirs = y[t.name].data, base = i * t.count;
            const d      = wrong.get(t.name) || { ...t, differing: 0, largest: 0, of: 0 };

            for (let j = 0; j < t.count; j++) {
                const step = Math.abs(theirs[j] - ours[k][base + j]);

                d.differing += step > 0;
                d.largest = Math.max(d.largest, step);
            }
            d.of += t.count;
            wrong.set(t.name, d);
        });
    }
    const all = [...wrong.values()];

    return { tensors: all.length, steps: steps.length, values: all.reduce((a, d) => a + d.of, 0),
             differing: all.filter((d) => d.differing > 0) };
}

async function testModel(m) {
    const file = engines.quantized(m), set = engines.samples(m), out = engines.workFile(`${m.name}.out`);
    const folder = engines.workFile(`${m.name}.taps`), optimized = engines.workFile(`${m.name}.optimized.onnx`);

    fs.mkdirSync(folder, { recursive: true });
    const text  = engines.pare('run', file, set.path, out, folder, String(seen(set)));
    const steps = text.split('\n').filter(Boolean).map((line, index) => {
        const [name, dtype, count, op, kernel] = line.split(' ');

        return { index, name, dtype, count: Number(count), op, kernel };
    });
    const s      = await engines.session(file, optimized);
    const graph  = onnx.read(optimized);
    const result = {
        name: m.name, samples: set.count, ops: onnx.countOps(graph),
        islands: onnx.islands(graph).filter((i) => !(m.peerFloat && m.peerFloat.test(i))),
        outputs: compareOutputs(fs.readFileSync(out), await runAll(s, set, set.count)),
    };

    if (m.mode === 'static')
        result.inside = await compareInside(m, file, set, folder, steps);
    return result;
}

// Equal bytes wherever both compute in integers; what comes behind in float (softmax) differs by rounding.
function isFine(m, r) {
    const inside = !r.inside || (r.inside.tensors > 0 && r.inside.differing.length === 0);

    return inside && r.islands.length === 0 && r.outputs.noise <= (m.noise || ROUNDING) &&
           !(m.top1 && r.outputs.agree < AGREE);
}

function show(m, r) {
    const o = r.outputs;

    console.log(`${r.name}`);
    console.log(`  ops of ONNX Runtime: ${Object.entries(r.ops).map(([k, v]) => `${k} ${v}`).join(', ')}`);
    r.islands.forEach((i) => console.log(`  island: ${i}`));
    const equal = m.top1 ? `; predictions equal on ${(100 * o.agree).toFixed(2)} %` : '';

    console.log(`  ${r.samples} samples: ${o.differing} of ${o.values} outputs differ, by ${o.largest.toPrecision(3)} ` +
                `at most, all together by ${o.noise.toExponential(1)} of their size${equal}`);
    if (r.inside) {
        console.log(`  inside: ${r.inside.tensors} tensors, ${r.inside.values} values, in ` +
                    `${r.inside.differing.length} tensors some differ`);
        r.inside.differing.slice(0, 8).forEach((d) =>
            console.log(`    ${d.name} (${d.op}, ${d.kernel}): ${d.differing} of ${d.of}, by ${d.largest} at most`));
    }
    console.log('');
}

(async () => {
    const networks = process.argv.includes('--networks'), results = [];
    const names    = process.argv.slice(2).filter((a) => !a.startsWith('--'));
    const wanted   = (networks ? tests : models).filter((m) => names.length === 0 || names.includes(m.name));
    let   bad = 0;

    if (networks)
        exportNetworks(wanted.map((m) => m.name));
    for (const m of wanted) {
        try {
            const r = await testModel(m);

            show(m, r);
            results.push(r);
            bad += isFine(m, r) ? 0 : 1;
        } catch (e) {
            console.log(`${m.name}\n  FAILED: ${e.message.trim()}\n`);
            results.push({ name: m.name, error: e.message });
            bad++;
        }
    }
    fs.writeFileSync(engines.workFile('test.json'), JSON.stringify(results, null, 1));
    console.log(`${results.length} models, ${bad} with findings`);
    process.exit(bad > 0 ? 1 : 0);
})();
