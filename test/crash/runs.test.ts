/** `nina demos`, `nina train`, `nina eval` and `nina pretrain`, killed. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { readCheckpoint, readEncoderFolder } from '../../src/policy/index.ts';
import { nina } from '../cli/nina.ts';
import { crash, PATIENCE_MS, type Work, withoutNumbers } from './battery.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-crash-'));
let finished = 0;
// What a failure left is kept: its message names it.
afterAll(() => finished === 4 && fs.rmSync(folder, { recursive: true }));
const at = (...names: string[]) => path.join(folder, ...names);

const TASK = ['--suite', 'tabletop-object', '--task', '1'];
/** JSON is YAML. */
const RECIPE = {
  decoder: { n_layers: 2, affine_dim: 16 },
  encoder: { dim: 16, heads: 2 },
  training: {
    ...{ batch_size: 8, learning_rate: 0.001, max_steps: 24 },
    ...{ checkpoint_every: 4, validate_every: 12, log_every: 2 },
  },
};

beforeAll(() => {
  fs.writeFileSync(at('tiny.yaml'), JSON.stringify(RECIPE));
  nina('demos', ...TASK, '--episodes', 4, '--seed', 3, '--out', at('demos'));
  nina('train', at('tiny.yaml'), '--data', at('demos'), '--out', at('run'));
}, PATIENCE_MS);

const demos: Work = {
  name: 'demos',
  command: (out) => [
    'demos',
    '--suite',
    'tabletop-object',
    '--task',
    '1',
    '--episodes',
    '3',
    '--seed',
    '3',
    '--out',
    out,
  ],
};

const train: Work = {
  name: 'train',
  command: (out) => ['train', at('tiny.yaml'), '--data', at('demos'), '--out', out],
  // Updates a second, and nothing else.
  without(name, content) {
    if (name === 'metrics.jsonl') return withoutNumbers(content, 'steps_per_s');
    if (name !== 'metrics.csv') return content;
    const rows = content
      .toString()
      .split('\n')
      .map((line) => line.split(','));
    return rows.map((row) => row.filter((_, i) => i !== rows[0].indexOf('steps_per_s')).join(',')).join('\n');
  },
  inspect(run) {
    const checkpoints = path.join(run, 'checkpoints');
    const steps = fs.existsSync(checkpoints) ? fs.readdirSync(checkpoints).filter((name) => /^\d+$/.test(name)) : [];
    // Two are kept, and each is whole whenever it is there.
    const kept = steps
      .map(Number)
      .sort((a, b) => a - b)
      .slice(-2);
    for (const step of kept) readCheckpoint(path.join(checkpoints, String(step)));
    if (fs.existsSync(path.join(run, 'state.safetensors')) && kept.length === 0)
      throw new Error(`${run} lost its checkpoints`);
  },
};

const evaluation: Work = {
  name: 'eval',
  command: (out) => ['eval', at('run'), ...TASK, '--episodes', '3', '--seed', '3', '--video', '--out', out],
  // Milliseconds of each decision; what a report sums up of them.
  without(name, content) {
    if (name === 'episodes.jsonl') return withoutNumbers(content, 'latency_ms');
    return name === 'report.html' ? content.toString('latin1').replace(/[\d.]+ ms/g, '0 ms') : content;
  },
};

const pretraining: Work = {
  name: 'pretrain',
  command: (out) => [
    ...['pretrain', '--steps', '8', '--batch_size', '2', '--save_every', '2', '--evaluate_every', '3'],
    ...['--evaluated_scenes', '10', '--out', out],
  ],
  inspect(run) {
    // The encoder is whole whenever it is there.
    if (fs.existsSync(path.join(run, 'encoder'))) readEncoderFolder(path.join(run, 'encoder'));
  },
};

test.each([demos, train, evaluation, pretraining])('$name', { timeout: PATIENCE_MS }, async (work) => {
  await crash(work, folder);
  finished++;
});
