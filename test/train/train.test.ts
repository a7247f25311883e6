/** Training in this process: it learns, it says what is wrong with its data, and it stops when it diverges. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DemonstrationWriter } from '../../src/data/index.ts';
import { NinaError, UsageError } from '../../src/errors.ts';
import { lockDirectory } from '../../src/lock.ts';
import { loadPolicy } from '../../src/policy/index.ts';
import { type Progress, SILENT } from '../../src/progress.ts';
import { key } from '../../src/random.ts';
import { readSafetensors, writeSafetensors } from '../../src/safetensors.ts';
import {
  assignments,
  type Metrics,
  readMetrics,
  readRun,
  requireNewRun,
  train,
  trainConfig,
} from '../../src/train/index.ts';
import { demonstration, header } from '../data/synthetic.ts';
import { writeDemonstrations } from '../support/demonstrations.ts';

/** Small enough for seconds, large enough to learn something. */
const SMALL = [
  'n_layers=4',
  'affine_dim=32',
  'encoder.dim=32',
  'batch_size=32',
  'learning_rate=0.002',
  'max_steps=120',
  'validate_every=60',
  'checkpoint_every=50',
  'log_every=20',
];

let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);
const never = new AbortController().signal;

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'train-'));
  await writeDemonstrations(at('demos'), 20);
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function start(run: string, ...settings: string[]) {
  const config = trainConfig(assignments([`data=${at('demos')}`, ...SMALL, ...settings]));
  requireNewRun(at(run));
  return config;
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (error: unknown) => {
      expect(error).toBeInstanceOf(NinaError);
      return (error as NinaError).message.replaceAll(`${dir}/`, '');
    },
  );

test('the likelihood of held-out actions rises, and everything is recorded', async () => {
  const config = start('learns');
  const seen: Progress[] = [];
  const result = await train(at('learns'), config, {
    signal: never,
    report: { ...SILENT, progress: (now) => seen.push(now) },
  });
  const lines = readMetrics(at('learns'));
  expect(seen.map(({ done }) => done)).toEqual(Array.from({ length: 121 }, (_, i) => i));
  expect(seen[0]).toMatchObject({
    stage: 'Training',
    total: 120,
    note: expect.stringMatching(/M parameters on \d+ episodes/),
  });
  expect(lines.map((line) => line.step)).toEqual([20, 40, 60, 80, 100, 120]);
  expect(lines.at(-1)!.loss).toBeLessThan(lines[0].loss - 20);
  const [middle, last] = lines.filter((line) => line.val_loss !== undefined) as [Metrics, Metrics];
  expect([middle.step, last.step]).toEqual([60, 120]);
  expect(last.val_loss).toBeLessThan(middle.val_loss! - 5);
  expect(last.val_bits_per_dim).toBeCloseTo(last.val_loss! / (70 * Math.LN2), 12);
  expect(last.val_best_of_8_mse).toBeLessThan(middle.val_best_of_8_mse!);
  expect(last.val_z0_mse).toBeLessThan(middle.val_z0_mse!);

  const csv = fs.readFileSync(at('learns', 'metrics.csv'), 'utf8').trim().split('\n');
  expect(csv).toHaveLength(7);
  expect(csv[0]).toBe('step,loss,grad_norm,lr,steps_per_s,val_loss,val_bits_per_dim,val_best_of_8_mse,val_z0_mse');
  expect(csv[1]).toMatch(/^20,.*,,,,$/);

  expect(fs.readdirSync(at('learns')).sort()).toEqual([
    'checkpoints',
    'metrics.csv',
    'metrics.jsonl',
    'recipe.yaml',
    'state.safetensors',
  ]);
  expect(fs.readdirSync(at('learns', 'checkpoints')).sort()).toEqual(['100', '120']);
  expect(result).toMatchObject({ steps: 120, checkpoint: at('learns', 'checkpoints', '120') });
  using policy = await loadPolicy(at('learns'));
  expect(policy.manifest).toMatchObject({ step: 120, seed: 0 });
  expect(readRun(at('learns'))).toEqual(config);
});

test.each([
  ['flower', 'dit_dim=32', 'n_heads=2', 'n_layers=2', 'dropout=0'],
  ['regression', 'hidden_dim=64', 'n_layers=2'],
])('%s trains with the same loop and acts', async (decoder, ...settings) => {
  const own = SMALL.filter((setting) => !/^(n_layers|affine_dim)=/.test(setting));
  const config = trainConfig(assignments([`data=${at('demos')}`, ...own, `decoder=${decoder}`, ...settings]));
  await train(at(decoder), config, { signal: never, report: SILENT });
  const [middle, last] = readMetrics(at(decoder)).filter((line) => line.val_loss !== undefined) as [Metrics, Metrics];
  expect(last.val_loss).toBeLessThan(middle.val_loss!);
  expect(last.val_z0_mse).toBeLessThan(middle.val_z0_mse!);
  expect(last.val_bits_per_dim).toBeUndefined();
  using policy = await loadPolicy(at(decoder));
  expect(policy.config.decoder.name).toBe(decoder);
  expect(readRun(at(decoder))).toEqual(config);
});

test('another seed is another run, the same seed the same one', async () => {
  const final = async (name: string, seed: number) => {
    const config = start(name, `seed=${seed}`, 'max_steps=3');
    await train(at(name), config, { signal: never, report: SILENT });
    return fs.readFileSync(at(name, 'state.safetensors'));
  };
  const first = await final('seed-a', 1);
  expect(first.equals(await final('seed-b', 1))).toBe(true);
  expect(first.equals(await final('seed-c', 2))).toBe(false);
});

test('a finished run resumed is done at once; with more steps it goes on', async () => {
  const config = start('done', 'max_steps=4');
  await train(at('done'), config, { signal: never, report: SILENT });
  expect(await train(at('done'), config, { signal: never, report: SILENT })).toMatchObject({ steps: 4 });
  const longer = readRun(at('done'), assignments(['max_steps=6']));
  const notices: string[] = [];
  const report = { ...SILENT, notice: (text: string) => notices.push(text) };
  expect(await train(at('done'), longer, { signal: never, report })).toMatchObject({ steps: 6 });
  expect(notices).toEqual([
    `max_steps is now 6 instead of 4, as ${at('done', 'recipe.yaml')} notes. ` +
      'The schedule of the learning rate still stretches over 4 steps.',
  ]);
  // The next resume needs no flag, and the schedule stays when it is extended once more.
  expect(readRun(at('done'))).toEqual({
    ...config,
    training: { ...config.training, max_steps: 6, schedule_steps: 4 },
  });
  expect(readRun(at('done'), assignments(['max_steps=9']))).toMatchObject({
    training: { max_steps: 9, schedule_steps: 4 },
  });
  const shorter = readRun(at('done'), assignments(['max_steps=5']));
  await expect(train(at('done'), shorter, { signal: never, report })).rejects.toThrow(UsageError);
  expect(await failure(train(at('done'), shorter, { signal: never, report }))).toBe(
    'done has done 6 steps; max_steps must be at least that to go on with it, got 5.',
  );
  expect(readRun(at('done')).training.max_steps).toBe(6);
});

test('a run remembers where its data is, whatever folder it was started in', async () => {
  const relative = path.relative(process.cwd(), at('demos'));
  const config = start('elsewhere', `data=${relative}`, 'max_steps=1');
  await train(at('elsewhere'), config, { signal: never, report: SILENT });
  expect(readRun(at('elsewhere')).data).toBe(at('demos'));
});

describe('what a run is trained with stays', () => {
  test('an edited recipe is refused on resume, with what was edited; put back, it goes on', async () => {
    const config = start('edited', 'max_steps=2');
    await train(at('edited'), config, { signal: never, report: SILENT });
    const file = at('edited', 'recipe.yaml');
    const recipe = fs.readFileSync(file, 'utf8');
    const edit = (from: string, to: string) => fs.writeFileSync(file, recipe.replace(from, to));
    const resumed = () => train(at('edited'), readRun(at('edited')), { signal: never, report: SILENT });
    edit('learning_rate: 0.002', 'learning_rate: 0.1');
    expect(await failure(resumed())).toBe(
      'edited/recipe.yaml is not what edited was trained with so far: training.learning_rate is 0.1 and ' +
        'was 0.002. Put it back (another number of steps is given with --max_steps), or start a new run with the edited ' +
        'recipe in another folder.',
    );
    edit('max_steps: 2', 'max_steps: 9');
    expect(await failure(resumed())).toMatch(/: training\.schedule_steps is 9 and was 2\. /);
    edit('acting:\n', 'acting:\n  multistep: 3\n');
    expect(await failure(resumed())).toMatch(/: acting\.multistep is 3 and was not given\. /);
    edit('affine_dim: 32', 'affine_dim: 16');
    expect(await failure(resumed())).toMatch(/: decoder\.affine_dim is 16 and was 32\. /);
    fs.writeFileSync(file, recipe);
    expect(await resumed()).toMatchObject({ steps: 2 });
  });

  test('moved demonstrations are asked for, and other ones refused', async () => {
    fs.cpSync(at('demos'), at('old'), { recursive: true });
    const config = start('moved', `data=${at('old')}`, 'max_steps=2');
    await train(at('moved'), config, { signal: never, report: SILENT });
    fs.renameSync(at('old'), at('new'));
    const resumed = (...settings: string[]) =>
      train(at('moved'), readRun(at('moved'), assignments(settings)), { signal: never, report });
    const notices: string[] = [];
    const report = { ...SILENT, notice: (text: string) => notices.push(text) };
    expect(await failure(resumed())).toBe(
      'The demonstrations of moved are no longer in old. Say where they are now: nina train --resume moved --data FOLDER',
    );
    expect(await failure(resumed(`data=${at('demos', 'pick_can.hdf5')}`))).toMatch(
      /are not those that moved was trained/,
    );
    expect(await resumed(`data=${at('new')}`, 'max_steps=3')).toMatchObject({ steps: 3 });
    expect(notices[0]).toMatch(/^The demonstrations are now in .*new instead of .*old, as .*recipe.yaml notes\.$/);
    expect(readRun(at('moved'))).toMatchObject({
      data: at('new'),
      training: { max_steps: 3, schedule_steps: 2 },
    });
    expect(await resumed('max_steps=4')).toMatchObject({ steps: 4 });
  });
});

describe('settings beyond memory', () => {
  test.each([
    [
      'batch_size=1000000000',
      /at least [\d,]+ GiB of memory, and there are .* GiB.*for training\.batch_size 1000000000/,
    ],
    ['affine_dim=100000000', /for decoder\.affine_dim 100000000 \(default: 64\); lower it/],
    ['cond_dim=1000000000', /for decoder\.cond_dim 1000000000/],
    ['dit_dim=32000000', /for decoder\.dit_dim 32000000/],
    ['chunk_length=100000000', /for decoder\.chunk_length 100000000/],
  ])('%s is refused with its name, and leaves no run', async (setting, told) => {
    const decoder = setting.startsWith('dit_dim') ? ['decoder=flower'] : [];
    const config = trainConfig(assignments([`data=${at('demos')}`, ...decoder, setting]));
    expect(await failure(train(at('huge'), config, { signal: never, report: SILENT }))).toMatch(told);
    expect(fs.existsSync(at('huge'))).toBe(false);
  });
});

test('divergence: the step, the episodes, the last good checkpoint, which stays', async () => {
  // The first update is a careful one, the second is not.
  const wild = ['learning_rate=1e9', 'initial_lr_scale=1e-12', 'max_steps=50', 'checkpoint_every=1'];
  const config = start('diverges', ...wild);
  const message = await failure(train(at('diverges'), config, { signal: never, report: SILENT }));
  expect(message).toMatch(
    /^Training diverged at step 2: loss NaN, gradient norm NaN \(a loss above 7000 counts as an explosion\)\. The batch came from: demos\/pick_/,
  );
  for (const file of ['pick_can', 'pick_bowl'])
    expect(message).toMatch(new RegExp(`demos/${file}\\.hdf5#demo_\\d+[,.]`));
  expect(message).toMatch(
    /\. The last good checkpoint is diverges\/checkpoints\/1\. Look at those episodes, or train again with a lower --learning_rate\.$/,
  );
  const { tensors, metadata } = readSafetensors(at('diverges', 'state.safetensors'));
  expect(metadata.step).toBe('1');
  expect(tensors.params.data.every((x) => Number.isFinite(Number(x)))).toBe(true);
  using policy = await loadPolicy(at('diverges'));
  expect(policy.manifest.step).toBe(1);
});

test('an abort saves a checkpoint after the step', async () => {
  const config = start('aborted');
  const controller = new AbortController();
  const report = { ...SILENT, progress: ({ done }: Progress) => done === 7 && controller.abort() };
  expect(await failure(train(at('aborted'), config, { signal: controller.signal, report }))).toMatch(
    /^Stopped after step 7 of 120; saved aborted\/checkpoints\/7. Go on with: nina train --resume /,
  );
  using policy = await loadPolicy(at('aborted'));
  expect(policy.manifest.step).toBe(7);
});

test('a folder has one run, and one process at a time', async () => {
  const config = start('taken', 'max_steps=1');
  await train(at('taken'), config, { signal: never, report: SILENT });
  expect(() => start('taken')).toThrow(/already holds a training run. Continue it with 'nina train --resume/);
  fs.renameSync(at('taken', 'recipe.yaml'), at('recipe.aside'));
  expect(() => start('taken')).toThrow(/whose recipe.yaml is missing. Restore that file, or choose another --out/);
  fs.renameSync(at('recipe.aside'), at('taken', 'recipe.yaml'));
  using _ = await lockDirectory(at('taken'));
  expect(await failure(train(at('taken'), config, { signal: never, report: SILENT }))).toBe(
    `taken is in use by process ${process.pid} on ${os.hostname()}. Wait for it, stop it, or choose another folder.`,
  );
});

test('bad demonstrations are named, and no folder is made', async () => {
  fs.mkdirSync(at('bad'));
  fs.copyFileSync(at('demos', 'pick_can.hdf5'), at('bad', 'cut.hdf5'));
  fs.truncateSync(at('bad', 'cut.hdf5'), 5000);
  const bad = start('unborn', `data=${at('bad')}`);
  expect(await failure(train(at('unborn'), bad, { signal: never, report: SILENT }))).toMatch(
    /bad\/cut.hdf5 is truncated/,
  );
  const none = start('unborn', `data=${at('nowhere')}`);
  expect(await failure(train(at('unborn'), none, { signal: never, report: SILENT }))).toMatch(/nowhere does not exist/);
  expect(fs.existsSync(at('unborn'))).toBe(false);
});

test('changed data are told as that, whatever else they change', async () => {
  fs.cpSync(at('demos'), at('growing'), { recursive: true });
  const config = start('changed', `data=${at('growing')}`, 'max_steps=2');
  await train(at('changed'), config, { signal: never, report: SILENT });
  const resumed = (...settings: string[]) =>
    train(at('changed'), readRun(at('changed'), assignments(['max_steps=3', ...settings])), {
      signal: never,
      report: SILENT,
    });
  // New words: another vocabulary, and so a model of another size.
  {
    const task = { ...header, task: 'put_can', instruction: 'put the can onto a plate' };
    using writer = await DemonstrationWriter.open(at('growing', 'put_can.hdf5'), task);
    const demo = demonstration(key(1), 12);
    for (let e = 0; e < demo.entities.length; e += 8) demo.entities.set([1, 0, 0, 0], e + 3);
    writer.append(demo);
    writer.commit({ seed: 7, attempts: 5 });
  }
  const told =
    'The demonstrations in growing are not those that changed was trained on so far. Restore them, say with --data ' +
    'where those are now, or start a new run.';
  expect(await failure(resumed())).toBe(told);
  expect(await failure(resumed('affine_dim=16'))).toBe(told);
});

test('a state of another size than its settings and data make is told as damage', async () => {
  const config = start('resized', 'max_steps=1');
  await train(at('resized'), config, { signal: never, report: SILENT });
  const file = at('resized', 'state.safetensors');
  const { tensors, metadata } = readSafetensors(file);
  const cut = { shape: [3], data: (tensors.m.data as Float32Array).slice(0, 3) };
  writeSafetensors(file, { ...tensors, m: cut }, metadata);
  expect(await failure(train(at('resized'), config, { signal: never, report: SILENT }))).toMatch(
    /^resized\/state\.safetensors: 'm' holds 3 numbers, and the model has \d+\. It is damaged/,
  );
});

test('a run of the former flat form is refused in one sentence', async () => {
  fs.mkdirSync(at('former'));
  fs.writeFileSync(at('former', 'recipe.yaml'), 'decoder: nina\nn_layers: 4\nmax_steps: 9\n');
  expect(() => readRun(at('former'))).toThrow(NinaError);
  expect(() => readRun(at('former'))).toThrow(
    /recipe\.yaml is in the form of nina-vla 0\.1, without sections: go on with .* in that version, or train anew\.$/,
  );
});
