// SPDX-License-Identifier: Apache-2.0
// peer.js - an engine as a process that runs when asked: pare_peer.c, ort_peer.js or torch_peer.py
//
// Between its turns a process is stopped, because the threads of some engines spin for a while when a run has ended
// and would take the cores of the next one.
'use strict';
const { spawn } = require('child_process');
const readline  = require('readline');

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// A stopped process does not notice that nobody reads it any more.
const running = new Set();

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
['SIGINT', 'SIGTERM'].forEach((signal) => process.on(signal, () => process.exit(1)));

// {form, times, close}: `form` says what runs, where the engine has a choice; times(n) gives the milliseconds of n
// runs. Fails with the engine's own reason.
async function start(command, args, env) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    let   noise = '', broken = null;

    running.add(child);
    child.on('exit', () => running.delete(child));
    child.on('error', (e) => (broken = e.message));
    child.stderr.on('data', (text) => (noise = (noise + text).slice(-2000)));
    child.stdin.on('error', () => {});

    // The next line that answers; libraries print lines of their own.
    const answer = async (is) => {
        for (;;) {
            const { value, done } = await lines.next();

            if (done)
                throw new Error(broken || noise.trim().split('\n').pop() || 'ended without a word');
            if (value.startsWith('cannot'))
                throw new Error(value.slice(7));
            if (is.test(value))
                return value;
        }
    };
    const ready = await answer(/^ready/);

    child.kill('SIGSTOP');
    return {
        form: ready.slice(6),
        times: async (n) => {
            child.kill('SIGCONT');
            child.stdin.write(`${n}\n`);
            const times = (await answer(/^[\d. ]+$/)).split(' ').map(Number);

            child.kill('SIGSTOP');
            return times;
        },
        close: () => {
            child.kill('SIGCONT');
            child.stdin.end();
        },
    };
}

module.exports = { start, median };
