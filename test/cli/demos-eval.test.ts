/** From demonstrations to evaluation through the command line: the same whatever the workers, on every re-run. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import h5wasm from 'h5wasm/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { observationAt, readDemonstrations } from '../../src/data/index.ts';
import { observationToJson } from '../../src/robot/index.ts';
import { nina, ninaJson, ninaReading, startNina } from './nina.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-cli-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

const SUITE = 'tabletop-object';
const RECORD = ['--suite', SUITE, '--episodes', 1, '--seed', 5] as const;
const EVALUATE = ['--suite', SUITE, '--task', 1, '--episodes', 2, '--seed', 3] as const;

beforeAll(() => {
  ninaJson('demos', ...RECORD, '--out', at('one'), '--workers', 1);
  ninaJson('demos', ...RECORD, '--out', at('two'), '--workers', 2);
  const tiny = ['--n_layers', 2, '--affine_dim', 16, '--max_steps', 3, '--seed', 1];
  ninaJson('train', '--data', at('one'), '--out', at('run'), ...tiny);
});

const files = (name: string) => fs.readdirSync(at(name)).filter((file) => file.endsWith('.hdf5'));

test('demonstrations do not depend on the workers or the time: equal files', async () => {
  expect((await readDemonstrations(at('one'))).length).toBeGreaterThan(8);
  expect(files('two')).toEqual(files('one'));
  for (const file of files('one'))
    expect(fs.readFileSync(path.join(at('two'), file)).equals(fs.readFileSync(path.join(at('one'), file)))).toBe(true);
});

test('a finished recording is kept; other settings are refused; nothing half-written stays', () => {
  const before = files('one').map((file) => fs.statSync(path.join(at('one'), file)).mtimeMs);
  const again = ninaJson('demos', ...RECORD, '--out', at('one'));
  expect(again).toMatchObject({ suite: SUITE, tasks: { length: 10 } });
  expect(again.tasks[0]).toMatchObject({ episodes: 1, instruction: expect.stringContaining('basket') });
  expect(files('one').map((file) => fs.statSync(path.join(at('one'), file)).mtimeMs)).toEqual(before);
  const other = nina('demos', '--suite', SUITE, '--episodes', 1, '--seed', 6, '--out', at('one'));
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(/recorded with other settings \(seed 5 there, 6 now\)/);
  expect(fs.readdirSync(at('one')).every((name) => name.endsWith('.hdf5'))).toBe(true);
});

test('a training ends by saying what it measured, one number a line in one column', () => {
  const { code, stdout } = nina('train', '--resume', at('run'));
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, -1).map((line) => [line.slice(0, 19).trim(), /^-?[\d.e+-]+/.test(line.slice(19))])).toEqual([
    ['training loss', true],
    ['held-out loss', true],
    ['', true],
    ['nearest of 8, MSE', true],
    ['z = 0, MSE', true],
  ]);
  expect(lines.at(-1)).toMatch(/^Checkpoint: .*checkpoints\/3$/);
});

/** Starts a recording and stops it once its first file is there. */
async function stopRecording(out: string, signal: NodeJS.Signals): Promise<number | null> {
  const child = startNina('demos', ...RECORD, '--out', out, '--workers', 2);
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  while (child.exitCode === null && !fs.existsSync(path.join(out, files('one')[0])))
    await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill(signal);
  return exit;
}

test('Ctrl-C leaves finished files and nothing else', async () => {
  expect(await stopRecording(at('interrupted'), 'SIGINT')).toBe(1);
  const left = fs.readdirSync(at('interrupted'));
  expect(left.length).toBeLessThan(10);
  expect(left).toEqual(files('interrupted'));
});

test('a recording that was killed continues to the same result', async () => {
  expect(await stopRecording(at('killed'), 'SIGKILL')).toBe(null);
  expect(files('killed').length).toBeLessThan(10);
  ninaJson('demos', ...RECORD, '--out', at('killed'));
  for (const file of files('one'))
    expect(fs.readFileSync(path.join(at('killed'), file)).equals(fs.readFileSync(path.join(at('one'), file)))).toBe(
      true,
    );
  expect(fs.readdirSync(at('killed'))).toEqual(files('killed'));
});

test('every demonstration replays to its goal through the very same states', () => {
  for (const file of files('one').slice(0, 3)) {
    const replayed = ninaJson('replay', path.join(at('one'), file), '--demo', 0);
    expect(replayed).toMatchObject({ success: true, max_abs_difference: 0, first_difference: null });
  }
});

test('a replay tells changed actions', () => {
  const file = at('changed.hdf5');
  fs.copyFileSync(path.join(at('one'), files('one')[0]), file);
  const root = new h5wasm.File(file, 'a');
  const actions = root.get('data/demo_0/actions') as InstanceType<typeof h5wasm.Dataset>;
  actions.write_slice(
    [],
    Float64Array.from(actions.value as Float64Array, (a, i) => (i % 7 === 2 ? -a : a)),
  );
  root.close();
  const outcome = nina('replay', file, '--demo', 0);
  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toMatch(/goal NOT reached after \d+ steps; states differ from step 1 on/);
});

test('states that are not finite are no replay, in words or JSON', () => {
  const file = at('lost.hdf5');
  fs.copyFileSync(path.join(at('one'), files('one')[0]), file);
  const root = new h5wasm.File(file, 'a');
  const states = root.get('data/demo_0/states') as InstanceType<typeof h5wasm.Dataset>;
  const [, size] = states.shape as [number, number];
  states.write_slice([[1, 3]], new Float64Array(2 * size).fill(Number.NaN));
  root.close();
  for (const flags of [[], ['--json']]) {
    const outcome = nina('replay', file, '--demo', 0, ...flags);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toContain('/data/demo_0/states is NaN at step 1, entry 0');
  }
});

test('images are recorded for both cameras', () => {
  ninaJson('demos', '--suite', SUITE, '--task', 2, '--episodes', 1, '--seed', 5, '--images', '--out', at('images'));
  const root = new h5wasm.File(path.join(at('images'), files('images')[0]), 'r');
  for (const name of ['agentview_rgb', 'eye_in_hand_rgb']) {
    const dataset = root.get(`data/demo_0/obs/${name}`) as InstanceType<typeof h5wasm.Dataset>;
    expect(dataset.shape!.slice(1)).toEqual([128, 128, 3]);
    expect(new Set(dataset.slice([[0, 1]]) as Uint8Array).size).toBeGreaterThan(20);
  }
  root.close();
});

/** Episode lines without what may differ: the time decisions took. */
function episodes(name: string) {
  const lines = fs
    .readFileSync(path.join(at(name), 'episodes.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => ({ ...JSON.parse(line), latency_ms: undefined }));
}

test('evaluation: one or two workers, again, and resumed: the same episodes', () => {
  const run = (out: string, workers: number) =>
    ninaJson('eval', at('run'), ...EVALUATE, '--out', at(out), '--workers', workers);
  const one = run('eval-1', 1);
  expect(one).toMatchObject({ suite: SUITE, n: 2, tasks: [{ n: 2 }], seed: 3, temperature: 1 });
  expect(one.interval[1]).toBeGreaterThan(one.success_rate);
  expect(one.latency_ms.p95).toBeGreaterThanOrEqual(one.latency_ms.p50);
  run('eval-2', 2);
  run('eval-3', 1);
  expect(episodes('eval-1')).toHaveLength(2);
  expect(episodes('eval-2')).toEqual(episodes('eval-1'));
  expect(episodes('eval-3')).toEqual(episodes('eval-1'));
  expect(episodes('eval-1')[0]).toMatchObject({ engine: expect.stringMatching(/^3\./), scene: expect.any(String) });
  expect(episodes('eval-1')[0].final_state).not.toBe(episodes('eval-1')[1].final_state);

  // A kill in the middle of the second line.
  const file = path.join(at('eval-3'), 'episodes.jsonl');
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, text.slice(0, text.indexOf('\n') + 30));
  run('eval-3', 1);
  expect(episodes('eval-3')).toEqual(episodes('eval-1'));
  expect(fs.readFileSync(file, 'utf8').split('\n')[0]).toBe(text.split('\n')[0]);
});

test('other settings are other episodes; videos are made; the report holds them', () => {
  const settings = ['--multistep', 5, '--temperature', 0, '--video', '--out', at('eval-1')] as const;
  const result = ninaJson('eval', at('run'), '--suite', SUITE, '--task', 1, '--episodes', 1, '--seed', 3, ...settings);
  expect(result).toMatchObject({ n: 1, multistep: 5, temperature: 0 });
  const last = episodes('eval-1').at(-1);
  expect(episodes('eval-1')).toHaveLength(3);
  expect(
    fs
      .readFileSync(path.join(at('eval-1'), last.video))
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');
  const html = fs.readFileSync(result.report, 'utf8');
  for (const part of ['data:image/', 'Sampled action chunks', 'Training', result.run]) expect(html).toContain(part);
});

test('choosing by likelihood, and what a decision surprises, are in the lines', () => {
  const half = ['--multistep', 5, '--temperature', 1, '--out', at('eval-2')] as const;
  const plain = ninaJson('eval', at('run'), ...EVALUATE, ...half);
  const chosen = ninaJson('eval', at('run'), ...EVALUATE, ...half, '--best-of', 4, '--consistent', '--backend', 'onnx');
  expect(chosen).toMatchObject({ best_of: 4, consistent: true, backend: 'onnx', temperature: 1 });
  expect(plain).toMatchObject({ backend: 'wasm', ood: { n: expect.any(Number), unusual: expect.any(Number) } });
  expect(plain).not.toHaveProperty('best_of');
  expect(chosen).not.toHaveProperty('ood');
  const lines = episodes('eval-2');
  const [one] = lines.filter((line) => line.run === plain.run);
  const [best] = lines.filter((line) => line.run === chosen.run);
  for (const line of [one, best]) {
    const chunks = Math.ceil(line.steps / 5);
    expect([line.surprise.length, line.log_prob.length, line.seam_jump_m.length]).toEqual([chunks, chunks, chunks - 1]);
  }
  expect(one.ood[0]).toBeNull();
  for (const rank of one.ood.slice(1)) expect(rank >= 0 && rank <= 1).toBe(true);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(best.log_prob)).toBeGreaterThan(mean(one.log_prob));
});

test('a disturbed evaluation says when it set in, and its lines are found again', () => {
  const disturbed = ['--perturb', 'distractor', '--out', at('eval-3')] as const;
  const result = ninaJson('eval', at('run'), ...EVALUATE, ...disturbed);
  expect(result).toMatchObject({ perturbation: 'distractor', n: 2 });
  const before = episodes('eval-3');
  expect(before.filter((line) => line.run === result.run).map((line) => line.perturbed_at)).toEqual([0, 0]);
  expect(ninaJson('eval', at('run'), ...EVALUATE, ...disturbed)).toEqual(result);
  expect(episodes('eval-3')).toEqual(before);
});

test('an evaluation that asks for another object says in each line what was asked', () => {
  const asking = ['--instruct', 'other', '--out', at('eval-4')] as const;
  const result = ninaJson('eval', at('run'), ...EVALUATE, ...asking);
  expect(result).toMatchObject({ instruct: 'other', n: 2 });
  const before = episodes('eval-4');
  const asked = before.map((line) => line.instruction);
  expect(new Set(asked).size).toBe(2);
  for (const one of asked) {
    expect(one).toMatch(/^pick up the .* and place it in the basket$/);
    expect(one).not.toBe(result.tasks[0].instruction);
  }
  expect(ninaJson('eval', at('run'), ...EVALUATE, ...asking)).toEqual(result);
  expect(episodes('eval-4')).toEqual(before);
  const unheard = nina('eval', at('run'), ...EVALUATE, '--instruct', 'paraphrase', '--out', at('eval-4'));
  expect(unheard.code).toBe(2);
  expect(unheard.stderr).toBe(
    "Of no task of tabletop-object can 'paraphrase' be asked: the policy does not know the words.\n",
  );
  const both = nina('eval', at('run'), ...EVALUATE, ...asking, '--perturb', 'offset');
  expect(both.code).toBe(2);
  expect(both.stderr).toContain('--instruct other and --perturb offset are questions of their own');
});

// Fourteen conditions, each with workers of its own.
test('the study of likelihood answers its three questions, and again from its lines', { timeout: 600_000 }, () => {
  const study = [
    'study',
    'likelihood',
    at('run'),
    '--suite',
    SUITE,
    '--task',
    1,
    '--episodes',
    1,
    '--seed',
    3,
  ] as const;
  const found = ninaJson(...study);
  expect(found.choice.map((one: { name: string }) => one.name)).toEqual([
    'z = 0',
    '1 sample',
    'best of 4',
    'best of 16',
  ]);
  expect(found.seams.at(-1)).toMatchObject({ name: 'consistent of 16', multistep: 5, n: 1 });
  expect(found.detection.map((one: { perturbation: string }) => one.perturbation)).toContain('offset');
  expect(found.detection[2].scores.surprise.first).toMatchObject({ n: 1 });
  const text = nina(...study);
  expect(text.stderr).not.toMatch(/left/);
  expect(text.stdout).toMatch(/\| consistent of 16 \| 5 \|/);
});

test('samples of an observation: from a demonstration or stdin, the most likely first', async () => {
  const file = path.join(at('one'), files('one')[0]);
  const drawn = ninaJson('sample', at('run'), file, '--demo', 0, '--step', 7, '--count', 5);
  expect(drawn).toMatchObject({ temperature: 1, seed: 0, demonstrated: { actions: { length: 10 } } });
  const logProbs = drawn.samples.map((sample: { log_prob: number }) => sample.log_prob);
  expect(logProbs).toHaveLength(5);
  expect(logProbs).toEqual(logProbs.toSorted((a: number, b: number) => b - a));
  expect(drawn.samples[0].actions).toHaveLength(10);
  const [episode] = await readDemonstrations(file);
  const observation = observationToJson(observationAt(episode, episode, 7));
  const piped = ninaReading(JSON.stringify(observation), 'sample', at('run'), '--count', 5);
  expect(JSON.parse(piped.stdout).samples).toEqual(drawn.samples);
  const bad = ninaReading('{"state": 1}', 'sample', at('run'));
  expect([bad.code, bad.stdout]).toEqual([1, '']);
  expect(bad.stderr).toMatch(/state: expected array, received number[\s\S]*instruction: expected string, found none/);
  const lost = ninaReading(
    JSON.stringify(observation).replace(/(?<="poses":\[[^,]*,)[^,]*/, 'NaN'),
    'sample',
    at('run'),
  );
  expect([lost.code, lost.stdout]).toEqual([1, '']);
  expect(lost.stderr).toContain('What came on stdin holds NaN at entities.poses.1; every number must be finite.');
});

test('wrong usage is told with exit code 2, a bad checkpoint with 1', () => {
  for (const [args, told] of [
    [['eval', at('run'), '--suite', 'nowhere', '--episodes', 1, '--seed', 0], /suites are tabletop-spatial/],
    [['eval', at('run'), ...EVALUATE, '--multistep', 11], /--multistep 11 is more than the 10 actions/],
    [['eval', at('run'), '--suite', SUITE, '--task', 99, '--episodes', 1, '--seed', 0], /tasks 0 to 9; got --task 99/],
    [['eval', at('run'), '--suite', SUITE, '--seed', 0], /--episodes/],
    [['demos', ...RECORD, '--out', at('x'), '--workers', 0], /integer from 1 to 256; got '0'/],
    [['eval', at('run'), ...EVALUATE, '--best-of', 4, '--temperature', 0], /all the same at temperature 0/],
    [['eval', at('run'), ...EVALUATE, '--consistent'], /say of how many with --best-of/],
    [['eval', at('run'), ...EVALUATE, '--best-of', 4, '--consistent'], /a --multistep below the 10 actions/],
    [
      ['eval', at('run'), ...EVALUATE, '--backend', 'abacus'],
      /Allowed choices are wasm, wasm-int8, onnx, onnx-int8, graph, auto\./,
    ],
    [['sample', at('run'), at('one')], /Say which demonstration of .* with --demo/],
    [['nonsense'], /unknown command 'nonsense'/],
  ] as const) {
    const outcome = nina(...args);
    expect(outcome.stderr).toMatch(told);
    expect(outcome.code).toBe(2);
    expect(outcome.stdout).toBe('');
  }
  const outcome = nina('eval', at('one'), ...EVALUATE);
  expect(outcome.stderr).toMatch(/is no checkpoint/);
  expect(outcome.code).toBe(1);
});
