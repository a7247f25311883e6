/** A study through the command line: computed once, whatever stops it. */
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nina, ninaJson, startNina } from './nina.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-reproduce-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (...names: string[]) => path.join(folder, ...names);

/** Enough that a training can be stopped in its middle. */
const STEPS = 120;

/** One task, policies too small to do anything: three trainings and four cells. */
const STUDY = {
  suites: ['tabletop-object'],
  seeds: [0],
  baseline: 'regression',
  demonstrations: { episodes: 3, seed: 0, task: 1 },
  evaluation: { episodes: 1, seed: 10, task: 1 },
  training: {
    ...{ max_steps: STEPS, batch_size: 8, learning_rate: 0.001 },
    ...{ checkpoint_every: 10, log_every: 10, validation_fraction: 0.4 },
  },
  variants: {
    mlp: { label: 'MLP', decoder: { n_layers: 2, affine_dim: 16 } },
    cold: { label: 'MLP, z = 0', decoder: { n_layers: 2, affine_dim: 16 }, evaluation: { temperature: 0 } },
    wide: { label: 'MLP, wide', decoder: { n_layers: 2, affine_dim: 32 } },
    regression: { label: 'Regression', decoder: { name: 'regression', hidden_dim: 16 } },
  },
};

const study = (name: string, change: object = {}) => {
  fs.writeFileSync(at(`${name}.yaml`), JSON.stringify({ ...STUDY, ...change }));
  return ['reproduce', 'main', '--recipe', at(`${name}.yaml`)] as const;
};

/** Results without what measures the machine. */
function results(out: string) {
  const lines = fs
    .readFileSync(at(out, 'main.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines.map(({ metrics, ...line }) => ({
    ...{ ...line, latency_ms: 0, training_s: 0, evaluation_s: 0 },
    metrics: { ...metrics, steps_per_s: 0 },
  }));
}

/** Files that a training or an evaluation writes at its end, with the times of their writing. */
function finished(out: string): Record<string, number> {
  const files = fs.readdirSync(at(out, 'trainings'), { recursive: true, encoding: 'utf8' });
  const ends = files.filter((name) => /result\.json|state\.safetensors|episodes\.jsonl/.test(name));
  return Object.fromEntries(ends.map((name) => [name, fs.statSync(at(out, 'trainings', name)).mtimeMs]));
}

let summary: { variants: { variant: string; average: { n: number } }[] };
/** Some twenty processes one after another, on a machine that may be busy. */
const PATIENCE_MS = 600_000;

beforeAll(() => {
  summary = ninaJson(...study('study'), '--out', at('whole'), '--jobs', 2, '--results', at('results'));
}, PATIENCE_MS);

test('every cell has its line; cells that differ in rollouts alone share their training', () => {
  expect(summary.variants.map(({ variant }) => variant)).toEqual(['mlp', 'cold', 'wide', 'regression']);
  for (const { average } of summary.variants) expect(average.n).toBe(1);
  const lines = results('whole');
  expect(lines.map(({ name }) => name)).toEqual(
    ['mlp', 'cold', 'wide', 'regression'].map((variant) => `tabletop-object/${variant}/0`),
  );
  expect(lines[0]).toMatchObject({
    settings: { seed: 0, decoder: { affine_dim: 16 } },
    evaluation: { episodes: 1, seed: 10 },
    n: 1,
  });
  expect(lines[0].metrics).toMatchObject({ step: STEPS, val_bits_per_dim: expect.any(Number) });
  expect(lines[3].settings.decoder).toMatchObject({ name: 'regression', hidden_dim: 16 });
  expect(fs.readdirSync(at('whole', 'trainings'))).toHaveLength(3);
  expect(fs.readdirSync(at('whole', 'demos'))).toHaveLength(1);
  expect(fs.readdirSync(at('results')).sort()).toEqual([
    ...['main-difference.svg', 'main-success.svg', 'main.json', 'main.jsonl', 'report.html'],
  ]);
  expect(fs.readFileSync(at('results', 'report.html'), 'utf8')).toContain('tabletop-object/wide/0');
});

test('what is finished is not computed again, and the report is the same to the byte', () => {
  const before = finished('whole');
  const report = fs.readFileSync(at('whole', 'report.html'), 'utf8');
  expect(ninaJson(...study('study'), '--out', at('whole'))).toEqual(summary);
  expect(finished('whole')).toEqual(before);
  expect(fs.readFileSync(at('whole', 'report.html'), 'utf8')).toBe(report);
});

test('the list says what is there and what is missing', () => {
  const more = study('more', { seeds: [0, 1] });
  const { cells } = ninaJson(...more, '--out', at('whole'), '--dry-run');
  expect(cells.map(({ cached }: { cached: boolean }) => cached)).toEqual([
    ...Array(4).fill(true),
    ...Array(4).fill(false),
  ]);
  // One training's minutes are measured on the other seed; the cell that shares it costs none of its own.
  expect(cells.slice(4).map(({ minutes }: { minutes: number }) => minutes > 0)).toEqual([true, false, true, true]);
  const { stdout, code } = nina(...more, '--out', at('whole'), '--dry-run', '--only', 'cold', '--only', '/0,/1');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/cached .*cold\/0\n.*pending .*cold\/1\n1 of 2 cells cached/),
  ]);
});

test('tables of what is finished so far, without computing', () => {
  const { stdout, code, stderr } = nina(...study('more', { seeds: [0, 1] }), '--out', at('whole'), '--tables');
  expect([code, stdout]).toEqual([0, expect.stringContaining('4 of 8 cells are finished.')]);
  expect(stderr).toBe(`Report: ${at('whole', 'report.html')}\n`);
  expect(fs.readdirSync(at('whole', 'trainings'))).toHaveLength(3);
});

test('a setting that came later, with a default, does not part a result from its cell', () => {
  fs.cpSync(at('whole'), at('older'), { recursive: true });
  for (const training of fs.readdirSync(at('older', 'trainings'))) {
    const file = at('older', 'trainings', training, 'training.json');
    const stored = JSON.parse(fs.readFileSync(file, 'utf8'));
    delete stored.settings.training.weight_decay;
    fs.writeFileSync(file, JSON.stringify(stored));
  }
  const { cells } = ninaJson(...study('study'), '--out', at('older'), '--dry-run');
  expect(cells.every(({ cached }: { cached: boolean }) => cached)).toBe(true);
  const other = study('other', { training: { ...STUDY.training, weight_decay: 0 } });
  for (const cell of ninaJson(...other, '--out', at('older'), '--dry-run').cells) expect(cell.cached).toBe(false);
});

/** Stops the study once `count` trainings have saved a checkpoint or more. */
async function stopped(out: string, count: number, signal: NodeJS.Signals): Promise<number | null> {
  const child = startNina(...study('study'), '--out', at(out), '--jobs', 2);
  const exit = once(child, 'exit');
  const saved = () =>
    fs.existsSync(at(out, 'trainings'))
      ? fs
          .readdirSync(at(out, 'trainings'))
          .filter((name) => fs.existsSync(at(out, 'trainings', name, 'state.safetensors')))
      : [];
  while (child.exitCode === null && saved().length < count) await sleep(5);
  child.kill(signal);
  const [code] = await exit;
  return code;
}

test('killed and interrupted, the same command goes on to the same results', { timeout: PATIENCE_MS }, async () => {
  expect(await stopped('stopped', 1, 'SIGKILL')).toBe(null);
  // The processes of its trainings end with it: their locks would refuse the next command.
  const locks = () =>
    fs
      .readdirSync(at('stopped', 'trainings'))
      .filter((name) => fs.existsSync(at('stopped', 'trainings', name, '.lock')));
  while (locks().length > 0) await sleep(20);
  for (const name of fs.readdirSync(at('stopped', 'trainings')))
    expect(fs.existsSync(at('stopped', 'trainings', name, 'checkpoints', String(STEPS)))).toBe(false);
  expect(await stopped('stopped', 3, 'SIGINT')).toBe(1);
  expect(locks()).toEqual([]);
  expect(Object.keys(finished('stopped')).filter((name) => name.endsWith('result.json')).length).toBeLessThan(4);
  const { code, stderr } = nina(...study('study'), '--out', at('stopped'), '--jobs', 1);
  expect([code, stderr]).toEqual([0, expect.stringContaining('tabletop-object/regression/0: ')]);
  expect(results('stopped')).toEqual(results('whole'));
});

test('a training that fails is told, and stops no other', () => {
  const variants = {
    broken: { label: 'broken', decoder: { n_layers: 2, affine_dim: 16 }, training: { learning_rate: 1e30 } },
    mlp: STUDY.variants.mlp,
  };
  const { code, stderr, stdout } = nina(...study('broken', { variants, baseline: 'mlp' }), '--out', at('whole'));
  expect(code).toBe(1);
  expect(stderr).toMatch(/1 of the trainings failed.*\n.*tabletop-object\/broken\/0: Training diverged at step/);
  expect(stdout).toContain('| broken | – |');
  expect(stdout).toContain('1 of 2 cells are finished.');
});

test('wrong usage is told with exit code 2', () => {
  const nothing = nina(...study('study'), '--only', 'nonsense');
  expect([nothing.code, nothing.stderr]).toEqual([
    2,
    expect.stringMatching(/--only nonsense keeps none of the 4 cells/),
  ]);
  const unknown = nina(...study('wrong', { training: { max_stps: 3 } }), '--dry-run');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringMatching(/wrong\.yaml:1: unknown key 'training\.max_stps'/),
  ]);
  expect(nina('reproduce', 'table').code).toBe(2);
});
