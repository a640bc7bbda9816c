// SPDX-License-Identifier: Apache-2.0
// ort_peer.js - ONNX Runtime as a process that runs when asked, like pare_peer.c
//
//   ort_peer.js MODEL THREADS BATCH cpu|wall FILE ...
//
// One FILE of raw samples per input, repeated as needed. Says "ready", then reads a number of runs from each line of
// stdin and answers with their milliseconds (cpu: the mean of processor time). A call from node costs about 0.02 ms.
'use strict';
const fs       = require('fs');
const path     = require('path');
const readline = require('readline');
const ort      = require(path.join(process.env.BUILD, 'peers', 'node_modules', 'onnxruntime-node'));

const ARRAYS = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, uint8: Uint8Array };

function tensor(about, batch, file) {
    const dims  = about.shape.map((d) => (typeof d === 'number' ? d : batch));
    const Array = ARRAYS[about.type], bytes = fs.readFileSync(file);
    const raw   = Buffer.alloc(dims.reduce((a, b) => a * b, 1) * Array.BYTES_PER_ELEMENT, bytes);

    return new ort.Tensor(about.type, new Array(raw.buffer, raw.byteOffset, raw.length / Array.BYTES_PER_ELEMENT),
                          dims);
}

async function main([model, threads, batch, clock, ...files]) {
    const s = await ort.InferenceSession.create(model, {
        graphOptimizationLevel: 'all', executionMode: 'sequential', intraOpNumThreads: Number(threads),
        interOpNumThreads: 1, logSeverityLevel: 4, freeDimensionOverrides: { batch: Number(batch) },
    });
    const feed = Object.fromEntries(s.inputMetadata.map((about, i) => [about.name, tensor(about, Number(batch),
                                                                                         files[i])]));

    console.log('ready');
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const n = Number(line), times = [], before = process.cpuUsage();

        for (let i = 0; i < n; i++) {
            const start = process.hrtime.bigint();

            await s.run(feed);
            times.push(Number(process.hrtime.bigint() - start) / 1e6);
        }
        const used = process.cpuUsage(before);

        console.log((clock === 'cpu' ? [(used.user + used.system) / 1e3 / n] : times).map((t) => t.toFixed(6))
            .join(' '));
    }
}

main(process.argv.slice(2)).catch((e) => {
    console.log(`cannot ${e.message.split('\n')[0]}`);
    process.exit(0);
});
