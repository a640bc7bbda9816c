// SPDX-License-Identifier: Apache-2.0
// bench.js - float and int8 in both engines, on one thread, one sample at a time
//
// The engines take turns in many short rounds, so that whatever else the machine does hits all of them; of each the
// median of the rounds' medians counts. A call of ONNX Runtime from node costs about 0.02 ms by itself. On a machine
// that is busy with other things CPU_TIME=1 measures processor time instead, which on one thread is the same.
'use strict';
const fs      = require('fs');
const engines = require('./engines');
const models  = require('./models');

const ROUNDS   = 31;
const ROUND_MS = 25; // of each engine
const CPU = Boolean(process.env.CPU_TIME);

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// An engine gives the milliseconds of n runs.
async function runtime(model, set) {
    const s = await engines.session(model), feed = engines.feeds(s, set, 0);

    return {
        times: async (n) => {
            const out = [], before = process.cpuUsage();

            for (let i = 0; i < n; i++) {
                const start = process.hrtime.bigint();

                await s.run(feed);
                out.push(Number(process.hrtime.bigint() - start) / 1e6);
            }
            const used = process.cpuUsage(before);

            return CPU ? [(used.user + used.system) / 1e3 / n] : out;
        },
        close: () => s.release(),
    };
}

async function benchModel(m) {
    const data = m.evaluate.filter((option) => !/^(slice|without)=/.test(option));
    const set  = engines.samples({ name: `${m.name}.first`, evaluate: [...data, 'slice=0:1:1'] });
    const all = {
        'pare float': engines.server(engines.floatModel(m), set, CPU),
        'ort float':  await runtime(engines.floatModel(m), set),
        'pare int8':  engines.server(engines.quantized(m, 'onnx'), set, CPU),
        'ort int8':   await runtime(engines.quantized(m, 'onnxruntime'), set),
    };
    const rounds = {}, runs = {};

    for (const [name, e] of Object.entries(all)) {
        await e.times(3);
        runs[name]   = Math.max(1, Math.min(500, Math.round(ROUND_MS / median(await e.times(3)))));
        rounds[name] = [];
    }
    for (let r = 0; r < ROUNDS; r++)
        for (const [name, e] of Object.entries(all))
            rounds[name].push(median(await e.times(runs[name])));
    Object.values(all).forEach((e) => e.close());
    const ms = Object.fromEntries(Object.entries(rounds).map(([name, list]) => [name, median(list)]));

    return {
        model: m.name, ms,
        float_to_ort: ms['pare float'] / ms['ort float'], int8_to_ort: ms['pare int8'] / ms['ort int8'],
        gain: ms['pare float'] / ms['pare int8'], ort_gain: ms['ort float'] / ms['ort int8'],
    };
}

(async () => {
    const wanted = process.argv.slice(2), results = [];
    const cell   = (x) => (x < 10 ? x.toFixed(3) : x.toFixed(2)).padStart(10);

    const unit = `milliseconds${CPU ? ' of processor time' : ''}, 1 thread, batch 1`;

    console.log(unit.padEnd(52) + 'ratios below 1: Pare is faster'.padStart(32));
    console.log(['model'.padEnd(16), ...['pare f32', 'ort f32', 'pare int8', 'ort int8', 'f32/ort', 'int8/ort', 'gain',
                                         'ort gain'].map((t) => t.padStart(10))].join(''));
    for (const m of models.filter((x) => wanted.length === 0 || wanted.includes(x.name))) {
        const r = await benchModel(m);

        results.push(r);
        console.log([m.name.padEnd(16), ...[r.ms['pare float'], r.ms['ort float'], r.ms['pare int8'], r.ms['ort int8'],
                     r.float_to_ort, r.int8_to_ort, r.gain, r.ort_gain].map(cell)].join(''));
    }
    fs.writeFileSync(engines.workFile('bench.json'), JSON.stringify(results, null, 1));
    process.exit(0);
})();
