// Optional: a whole decision, pictures to actions, here and in PyTorch on this machine, in turns.
// Usage: npm run build && node bench/compare-pytorch-whole.mjs [PYTHON] [THREADS]
import { execFileSync } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';

const root = path.dirname(import.meta.dirname);
const [python = 'python3', threads = `${os.availableParallelism()}`] = process.argv.slice(2);
const ROUNDS = 2;
const SECONDS = 15;
const rows = new Map();

const note = ({ name, backend, min_ms, median_ms, peak_bytes }) => {
  const row = rows.get(`${name}, ${backend}`) ?? { medians: [], min: Infinity, peak: 0 };
  row.medians.push(median_ms);
  row.min = Math.min(row.min, min_ms);
  row.peak = Math.max(row.peak, peak_bytes);
  rows.set(`${name}, ${backend}`, row);
};
const run = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

let version = '';
for (let round = 1; round <= ROUNDS; round++) {
  process.stderr.write(`round ${round}/${ROUNDS}\n`);
  const lines = run(python, [path.join(import.meta.dirname, 'whole_pytorch.py'), `${SECONDS}`, threads]).trim();
  for (const line of lines.split('\n')) {
    const row = JSON.parse(line);
    version = row.torch;
    note(row);
  }
  const nina = path.join(root, 'dist/cli/nina.js');
  const args = ['bench', 'latency', '--whole', '--json', '--threads', threads, '--seconds', `${SECONDS}`];
  for (const row of JSON.parse(run(process.execPath, [nina, ...args])).models) note(row);
}
const median = (xs) => xs.sort((a, b) => a - b)[xs.length >> 1];
console.log('| one decision | min ms | median of medians ms | peak GB |\n|---|---|---|---|');
for (const [name, { medians, min, peak }] of [...rows].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`| ${name} | ${min.toFixed(1)} | ${median(medians).toFixed(1)} | ${(peak / 1e9).toFixed(2)} |`);
console.log(
  `\nTwo views at 112 px; ${threads} threads, ${ROUNDS} alternating rounds of ${SECONDS} s; PyTorch ${version}. Peak: of the process up to that model.`,
);
