// SPDX-License-Identifier: Apache-2.0
// bench.js - the same networks in Pare, ONNX Runtime and PyTorch, float and int8, in one run
//
//   bench.js [--batch=1,32] [--threads=1,2] [--rounds=15] [--cpu] [--public] [NAME ...]
//
// The engines take turns in many short rounds, so that whatever else the machine does hits all of them; of each the
// median of the rounds' medians counts. --batch replaces the batches of networks.js. --cpu measures processor time with
// one thread, which is the same on a machine that is busy with other things. --public: the models of models.js instead.
'use strict';
const fs   = require('fs');
const os   = require('os');
const path = require('path');
const { networks, publicModels, exportNetworks } = require('./networks');
const peer = require('./peer');

const ROUND_MS  = 30;    // of each engine
const ENOUGH_MS = 6000;  // of one engine: slow ones sit out the later rounds
const LEAST     = 5;     // rounds of every engine
const ENGINES   = ['pare float', 'ort float', 'torch float', 'pare int8', 'ort int8', 'torch onednn', 'torch qnnpack'];
const FLOAT_PEERS = ['ort float', 'torch float'];

const option = (name, otherwise) => {
    const found = process.argv.find((a) => a.startsWith(`--${name}=`));

    return found ? found.split('=')[1] : otherwise;
};
const numbers = (text) => text.split(',').map(Number);
const settings = {
    batches: option('batch') && numbers(option('batch')),
    threads: numbers(option('threads', '1,2')),
    rounds:  Number(option('rounds', '15')),
    cpu:     process.argv.includes('--cpu'),
    public:  process.argv.includes('--public'),
    names:   process.argv.slice(2).filter((a) => !a.startsWith('--')),
};

// One contender, started and measured once to know how many runs make a round; `reason` where it cannot run.
async function enter(contender) {
    const c = { ...contender, rounds: [], spent: 0 };

    try {
        c.process = await peer.start(c.command, c.args, c.env);
        c.form    = c.process.form || c.form;
        await c.process.times(2);
        c.runs = Math.max(1, Math.min(500, Math.round(ROUND_MS / peer.median(await c.process.times(3)))));
    } catch (e) {
        c.reason = e.message;
    }
    return c;
}

async function round(c, number) {
    if (c.reason || (number >= LEAST && c.spent > ENOUGH_MS))
        return;
    const start = Date.now();

    c.rounds.push(peer.median(await c.process.times(c.runs)));
    c.spent += Date.now() - start;
}

const least = (list, key) => list.reduce((best, x) => (best === undefined || key(x) < key(best) ? x : best), undefined);

// Medians by engine, of its fastest contender.
function collect(contenders) {
    const r = { ms: {}, forms: {}, cannot: {}, rounds: {} };

    for (const engine of ENGINES) {
        const mine = contenders.filter((c) => c.engine === engine);
        const best = least(mine.filter((c) => !c.reason), (c) => peer.median(c.rounds));

        for (const c of mine.filter((x) => x.reason))
            r.cannot[engine] = c.reason;
        if (best) {
            r.ms[engine]     = peer.median(best.rounds);
            r.rounds[engine] = best.rounds;
            r.forms[engine]  = best.form;
        }
    }
    return r;
}

// How many times as long as Pare the fastest peer takes: for int8 the fastest of all, for float that of the floats.
function ratios(ms) {
    const fastest = (names) => least(names.filter((n) => ms[n] !== undefined), (n) => ms[n]);
    const peers   = ENGINES.filter((n) => !n.startsWith('pare'));
    const any = fastest(peers), float = fastest(FLOAT_PEERS);

    return {
        best_peer: any, int8_ratio: ms[any] / ms['pare int8'],
        best_float_peer: float, float_ratio: ms[float] / ms['pare float'],
    };
}

async function bench(n, threads, batch) {
    const clock = settings.cpu && threads === 1 ? 'cpu' : 'wall', contenders = [];

    for (const c of n.contenders(threads, batch, clock))
        contenders.push(await enter(c));
    for (let i = 0; i < settings.rounds; i++)
        for (const c of contenders)
            await round(c, i);
    contenders.filter((c) => c.process).forEach((c) => c.process.close());
    const r = collect(contenders);

    return { model: n.name, mode: n.mode, batch, threads, clock, ...ratios(r.ms), ...r };
}

const cell = (x) => (x === undefined || Number.isNaN(x) ? '-' : x < 10 ? x.toFixed(3) : x.toFixed(1)).padStart(9);

function show(r) {
    const times = ENGINES.map((e) => cell(r.ms[e])).join('');

    console.log(`${r.model.padEnd(20)}${String(r.batch).padStart(5)}${String(r.threads).padStart(4)}${times}` +
                `${cell(r.float_ratio)}${cell(r.int8_ratio)}  ${r.best_peer}`);
    for (const [engine, reason] of Object.entries(r.cannot))
        console.log(`    ${engine} cannot: ${reason}`);
}

(async () => {
    const all    = settings.public ? publicModels : networks;
    const wanted = all.filter((n) => settings.names.length === 0 || settings.names.includes(n.name)), results = [];
    const file   = path.join(process.env.BUILD, 'peers', 'bench.json');

    if (!settings.public)
        exportNetworks(wanted.map((n) => n.name));
    console.log('milliseconds of one inference; ratios: how many times as long as Pare the fastest peer takes');
    console.log(`${''.padEnd(29)}${ENGINES.map((e) => e.split(' ')[0].padStart(9)).join('')}${'ratio'.padStart(9)}` +
                'ratio'.padStart(9));
    console.log(`${'network'.padEnd(20)}batch thr${ENGINES.map((e) => e.split(' ')[1].padStart(9)).join('')}` +
                `${'float'.padStart(9)}${'int8'.padStart(9)}  fastest peer`);
    for (const n of wanted)
        for (const batch of settings.batches || n.batches)
            for (const threads of settings.threads) {
                const r = await bench(n, threads, batch);

                show(r);
                results.push(r);
                fs.writeFileSync(file, JSON.stringify({ cpu: os.cpus()[0].model, cores: os.cpus().length,
                                                        date: new Date().toISOString(), results }, null, 1));
            }
    process.exit(0);
})();
