// Optional: one decode of NinA here and in PyTorch on this machine in one run, alternating, at the paper's sizes, batch 1.
// Usage: npm run build && node bench/compare-pytorch-latency.mjs [PYTHON]
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

const root = path.dirname(import.meta.dirname);
const [python = 'python3'] = process.argv.slice(2);
const ROUNDS = 3;
const SECONDS = 8;
const rows = new Map();

const note = (name, { median_ms, min_ms }) => {
  const row = rows.get(name) ?? { medians: [], min: Infinity };
  row.medians.push(median_ms);
  row.min = Math.min(row.min, min_ms);
  rows.set(name, row);
};
const run = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

let version = '';
for (let round = 1; round <= ROUNDS; round++) {
  process.stderr.write(`round ${round}/${ROUNDS}\n`);
  for (const line of run(python, [path.join(import.meta.dirname, 'latency_pytorch.py'), `${SECONDS}`, '1'])
    .trim()
    .split('\n')) {
    const row = JSON.parse(line);
    version = row.torch;
    note(`${row.name}, PyTorch ${row.mode}`, row);
  }
  const nina = path.join(root, 'dist/cli/nina.js');
  const args = ['bench', 'latency', '--json', '--only', 'NinA', '--seconds', `${SECONDS}`];
  for (const m of JSON.parse(run(process.execPath, [nina, ...args])).models) note(`${m.name}, ${m.backend}`, m);
}
const median = (xs) => xs.sort((a, b) => a - b)[xs.length >> 1];
console.log('| one decode | min ms | median of medians ms |\n|---|---|---|');
for (const [name, { medians, min }] of [...rows].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`| ${name} | ${min.toFixed(2)} | ${median(medians).toFixed(2)} |`);
console.log(`\nBatch 1, one thread, ${ROUNDS} alternating rounds of ${SECONDS} s; PyTorch ${version}.`);
