/** `nina reproduce`, killed with the processes of its trainings. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'vitest';
import { crash, PATIENCE_MS, withoutNumbers } from './battery.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-crash-reproduce-'));

/** One task, policies too small to do anything: two trainings, three cells. */
const STUDY = {
  suites: ['tabletop-object'],
  seeds: [0],
  baseline: 'regression',
  demonstrations: { episodes: 3, seed: 0, task: 1 },
  evaluation: { episodes: 1, seed: 10, task: 1 },
  training: {
    ...{ max_steps: 20, batch_size: 8, learning_rate: 0.001 },
    ...{ checkpoint_every: 5, log_every: 5, validation_fraction: 0.4 },
  },
  encoder: { dim: 16, heads: 2 },
  variants: {
    mlp: { label: 'MLP', decoder: { n_layers: 2, affine_dim: 16 } },
    cold: { label: 'MLP, z = 0', decoder: { n_layers: 2, affine_dim: 16 }, evaluation: { temperature: 0 } },
    regression: { label: 'Regression', decoder: { name: 'regression', hidden_dim: 16 } },
  },
};

/** Seconds and milliseconds, wherever they are noted. */
function without(name: string, content: Buffer): Buffer | string {
  if (name.endsWith('.hdf5') || name.endsWith('.safetensors')) return content;
  if (name === 'report.html') return withoutColumns(content.toString());
  if (name.endsWith('metrics.csv')) {
    const rows = content
      .toString()
      .split('\n')
      .map((line) => line.split(','));
    return rows.map((row) => row.filter((_, i) => i !== rows[0].indexOf('steps_per_s')).join(',')).join('\n');
  }
  return withoutNumbers(content, 'steps_per_s', 'latency_ms', 'training_s', 'evaluation_s');
}

const TIMES = ['training, min', 'decoding, ms', 'seconds of training'];

/** Tables of a page without the columns that hold times. */
function withoutColumns(html: string): string {
  return html.replace(/<table>.*?<\/table>/gs, (table) => {
    const cells = (row: string) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, text]) => text);
    const rows = table.split('</tr>').map(cells);
    return JSON.stringify(rows.map((row) => row.filter((_, i) => !TIMES.includes(rows[0][i]))));
  });
}

test('reproduce', { timeout: PATIENCE_MS }, async () => {
  const recipe = path.join(folder, 'study.yaml');
  fs.writeFileSync(recipe, JSON.stringify(STUDY));
  await crash(
    {
      name: 'reproduce',
      command: (out) => ['reproduce', 'main', '--recipe', recipe, '--jobs', '2', '--out', out],
      without,
    },
    folder,
  );
  // Only then: what a failure left is kept, its message names it.
  fs.rmSync(folder, { recursive: true });
});
