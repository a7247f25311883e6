/** Checkpoints: what is saved acts the same when loaded, and whatever does not match is told, never used. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NinaError } from '../src/errors.ts';
import { loadPolicy, readCheckpoint, writeCheckpoint } from '../src/policy/index.ts';
import { fold, key, normals } from '../src/random.ts';
import { checkActions, describeActions, PANDA } from '../src/robot/index.ts';
import { resolveSettings } from '../src/rollout/settings.ts';
import { readSafetensors, writeSafetensors } from '../src/safetensors.ts';
import { observation, saveRandomPolicy } from './support/policy.ts';

let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'policy-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const save = (name: string, decoder: object = {}) => saveRandomPolicy(at(name), decoder);

/** Changes a file of a checkpoint and makes its manifest agree, as someone tampering (or a converter) would. */
function edit(checkpoint: string, file: string, change: (target: string) => void): void {
  const target = path.join(checkpoint, file);
  change(target);
  const manifestFile = path.join(checkpoint, 'manifest.json');
  const manifest = JSON.parse(fs.readFileSync(manifestFile, 'utf8'));
  manifest.files[file] = createHash('sha256').update(fs.readFileSync(target)).digest('hex');
  fs.writeFileSync(manifestFile, JSON.stringify(manifest));
}

const editJson = (checkpoint: string, file: string, change: (value: Record<string, unknown>) => void) =>
  edit(checkpoint, file, (target) => {
    const value = JSON.parse(fs.readFileSync(target, 'utf8'));
    change(value);
    fs.writeFileSync(target, JSON.stringify(value));
  });

async function failure(checkpoint: string): Promise<string> {
  try {
    (await loadPolicy(checkpoint))[Symbol.dispose]();
  } catch (error) {
    expect(error).toBeInstanceOf(NinaError);
    return (error as NinaError).message.replaceAll(dir, '');
  }
  throw new Error(`${checkpoint} loaded`);
}

describe.each([
  { backbone: 'mlp', use_plu: true },
  { backbone: 'mlp', use_plu: false },
  { backbone: 'trans', use_plu: true },
])('a policy with %o', (decoder) => {
  test('answers by observation, key and temperature alone', async () => {
    const name = `ok-${Object.values(decoder).join('-')}`;
    using policy = await loadPolicy(await save(name, decoder));
    expect(policy).toMatchObject({ chunkLength: 10, multistep: 10 });
    const infer = async (seed: number, temperature: number) =>
      (await policy.infer(observation, { key: key(seed), temperature })).actions;
    const first = await infer(1, 1);
    expect(first).toHaveLength(70);
    expect(first.every((a) => a >= -1 && a <= 1)).toBe(true);
    expect(await infer(2, 1)).not.toEqual(first);
    expect(await infer(1, 1)).toEqual(first);
    const mode = async (seed: number) => (await infer(seed, 0)).map((a) => a + 0); // -0 + 0 is 0
    expect(await mode(2)).toEqual(await mode(1));
    using again = await loadPolicy(at(name));
    expect((await again.infer(observation, { key: key(1), temperature: 1 })).actions).toEqual(first);
    expect((await again.infer(observation, { key: key(1), temperature: 1 })).latencyMs).toBeGreaterThan(0);
  });
});

test('questions asked at once are answered each for itself', async () => {
  using policy = await loadPolicy(await save('concurrent'));
  const { categories, poses } = observation.entities;
  const moved = { ...observation, entities: { categories, poses: poses.map((x) => x + 0.3) } };
  const options = { key: key(1), temperature: 1 };
  const alone = [await policy.infer(observation, options), await policy.infer(moved, options)];
  const together = await Promise.all([policy.infer(observation, options), policy.infer(moved, options)]);
  expect(together.map(({ actions }) => actions)).toEqual(alone.map(({ actions }) => actions));
  expect(together[0].actions).not.toEqual(together[1].actions);
});

test('observations of another size, and unknown words, are refused', async () => {
  using policy = await loadPolicy(await save('sizes'));
  const infer = (change: object) => policy.infer({ ...observation, ...change }, { key: key(1), temperature: 1 });
  await expect(infer({ entities: { ...observation.entities, poses: [1, 2, 3] } })).rejects.toThrow(
    '8 for each of its 2 entities (16); got 11 and 3',
  );
  await expect(infer({ instruction: 'put the mug' })).rejects.toThrow('never saw the word "mug"');
});

test('a training run stands for its newest checkpoint', async () => {
  await save('run/checkpoints/900');
  await save('run/checkpoints/1000');
  using policy = await loadPolicy(at('run'));
  expect(policy.directory).toBe(at('run/checkpoints/1000'));
  expect(await failure(at('nowhere'))).toMatch(/^\/nowhere is no checkpoint/);
});

describe('what does not match is told', () => {
  test('a missing, cut or changed file', async () => {
    const checkpoint = await save('files');
    fs.truncateSync(at('files', 'model.safetensors'), 1000);
    expect(await failure(checkpoint)).toMatch(/model.safetensors is not the file .* sha256 is/);
    fs.rmSync(at('files', 'stats.json'));
    expect(await failure(checkpoint)).toBe('/files has no stats.json: the checkpoint is incomplete.');
  });

  test('a file that the encoder needs is stored with its hash, and missed when it is gone', async () => {
    const { manifest, directory: _, ...parts } = readCheckpoint(await save('assets'));
    const { files, parameters, format, format_version, ...origin } = manifest;
    writeCheckpoint(at('assets'), { ...parts, assets: { 'tokenizer.json': '{"model": {}}' } }, origin);
    const found = readCheckpoint(at('assets'));
    expect(found.assets).toEqual({ 'tokenizer.json': '{"model": {}}' });
    expect(Object.keys(found.manifest.files)).toContain('tokenizer.json');
    fs.writeFileSync(at('assets', 'tokenizer.json'), '{}');
    expect(await failure(at('assets'))).toMatch(/tokenizer.json is not the file .* sha256 is/);
    fs.rmSync(at('assets', 'tokenizer.json'));
    expect(await failure(at('assets'))).toBe('/assets has no tokenizer.json: the checkpoint is incomplete.');
    editJson(at('assets'), 'manifest.json', ({ files: stored }) => {
      (stored as Record<string, string>)['../tokenizer.json'] = '0'.repeat(64);
    });
    expect(await failure(at('assets'))).toMatch(/files: "..\/tokenizer.json" is no name of a file/);
  });

  test('corrupted weights fail the self-test', async () => {
    const checkpoint = await save('corrupt');
    edit(checkpoint, 'model.safetensors', (file) => {
      const { tensors, metadata } = readSafetensors(file);
      const { data } = tensors['decoder.pool.weight'] as { data: Float32Array };
      data.set(normals(fold(key(1), 'corruption'), 12));
      writeSafetensors(file, tensors, metadata);
    });
    expect(await failure(checkpoint)).toMatch(/failed its self-test: .* differ by \d/);
  });

  test('weights that are not numbers fail it too', async () => {
    const checkpoint = await save('nan');
    edit(checkpoint, 'model.safetensors', (file) => {
      const { tensors, metadata } = readSafetensors(file);
      (tensors['decoder.pool.bias'] as { data: Float32Array }).data.fill(Number.NaN);
      writeSafetensors(file, tensors, metadata);
    });
    expect(await failure(checkpoint)).toBe(
      '/nan/model.safetensors: "decoder.pool.bias" is not finite: it holds NaN at 0. The weights are damaged: copy the checkpoint again, or save it again from the training run.',
    );
  });

  test('changed statistics fail the self-test, a missing one is named', async () => {
    const checkpoint = await save('stats');
    editJson(checkpoint, 'stats.json', (value) =>
      Object.assign(value.encoder as object, { position: { mean: [1, 1, 1], std: [1, 1, 1] } }),
    );
    expect(await failure(checkpoint)).toMatch(/failed its self-test/);
    editJson(checkpoint, 'stats.json', (value) => delete (value.encoder as Record<string, unknown>).position);
    expect(await failure(checkpoint)).toMatch(/keys: encoder\)[\s\S]*encoder\.position: expected object, found none/);
  });

  test('another architecture: what is missing, what is too much, what has another shape', async () => {
    const checkpoint = await save('other');
    editJson(checkpoint, 'config.json', (value) => Object.assign(value.decoder as object, { backbone: 'trans' }));
    const message = await failure(checkpoint);
    expect(message).toMatch(/\d+ missing:\n {4}decoder.flow.trans/);
    expect(message).toMatch(/\d+ unexpected:\n {4}decoder.flow.mlp/);
    expect(message).toMatch(/buffers.permutation.0 wants int64 \[10\], got int64 \[70\]/);
    expect(message.split('\n').length).toBeLessThan(25);
  });

  test('another robot: the policy loads, and is refused where it would meet the simulator', async () => {
    const checkpoint = await save('action');
    const settings = { suite: 'tabletop-object', seed: 0 };
    await resolveSettings(settings, readCheckpoint(checkpoint));
    editJson(checkpoint, 'config.json', (value) => {
      Object.assign((value.robot as { action: object }).action, { controlHz: 10 });
    });
    using policy = await loadPolicy(checkpoint);
    expect(policy.config.robot.action.controlHz).toBe(10);
    await expect(resolveSettings(settings, readCheckpoint(checkpoint))).rejects.toThrow(
      `${checkpoint} is of the robot panda and this simulator of panda, which differ in action.controlHz: 10 and 20.`,
    );
  });

  test('another format', async () => {
    const checkpoint = await save('format');
    const file = path.join(checkpoint, 'manifest.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"format_version": 2', '"format_version": 3'));
    expect(await failure(checkpoint)).toMatch(/manifest.json does not describe a policy[\s\S]*format_version/);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"format_version": 3', '"format_version": 1'));
    expect(await failure(checkpoint)).toBe(
      '/format is a checkpoint of format 1, and this version of nina-vla reads format 2: train the policy again with this version.',
    );
    fs.writeFileSync(file, '{');
    expect(await failure(checkpoint)).toMatch(/manifest.json is not JSON/);
  });
});

test('actions are checked against their specification', () => {
  const good = new Float32Array(14).fill(1);
  checkActions(PANDA.action, good, 'demo');
  const check = (change: (a: Float32Array) => void) => () => {
    const actions = good.slice();
    change(actions);
    checkActions(PANDA.action, actions, 'demo');
  };
  expect(check((a) => a.fill(-1.5, 13))).toThrow('demo: step 1, dimension 6 (gripper) is -1.5, outside [-1, 1].');
  expect(check((a) => a.fill(Number.NaN, 2, 3))).toThrow('dimension 2 (position z) is NaN');
  expect(() => checkActions(PANDA.action, good.subarray(1), 'demo')).toThrow('13 numbers are no rows of 7');
  expect(describeActions(PANDA.action)).toMatch(/every 50 ms:\n0 +position x +\[-1, 1\] +\+1 = 0.05 m/);
});
