// Optional: nina and PyTorch on this machine in one run, alternating: whole training steps at the paper's sizes, and the
// gradient of an image tower.
// PyTorch gets as many threads as nina has workers: 1, then 2.
// Usage: npm run build && node bench/compare-pytorch.mjs [PYTHON] [ROUNDS]
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

const root = path.dirname(import.meta.dirname);
const [python = 'python3', rounds = '5'] = process.argv.slice(2);
const ROUNDS = Number(rounds);
const THREADS = [1, 2];
const STEPS = 12;
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
  for (const threads of THREADS)
    for (const line of run(python, [path.join(import.meta.dirname, 'reference_pytorch.py'), `${STEPS}`, `${threads}`])
      .trim()
      .split('\n')) {
      const row = JSON.parse(line);
      version = row.torch;
      note(`PyTorch ${row.backbone}, ${(row.parameters / 1e6).toFixed(1)}M, ${threads} thread(s)`, row);
    }
  const nina = path.join(root, 'dist/cli/nina.js');
  const result = JSON.parse(run(process.execPath, [nina, 'bench', 'train', '--json', '--rounds', `${STEPS}`]));
  for (const m of result.models) note(`${m.name}, ${(m.parameters / 1e6).toFixed(1)}M, ${m.workers} worker(s)`, m);
}
const median = (xs) => xs.sort((a, b) => a - b)[xs.length >> 1];
console.log('| | min ms | median of medians ms |\n|---|---|---|');
for (const [name, { medians, min }] of rows)
  console.log(`| ${name} | ${min.toFixed(1)} | ${median(medians).toFixed(1)} |`);
console.log(
  `\nBatch 80, of the tower 32 x 2 pictures; ${ROUNDS} alternating rounds of ${STEPS} steps; PyTorch ${version}.`,
);
