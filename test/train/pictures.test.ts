/** Training from pictures, as compiled: batches by a thread, frozen parts, weights to begin with. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DemonstrationWriter } from '../../src/data/index.ts';
import { loadPolicy, readCheckpoint } from '../../src/policy/index.ts';
import type { Reporter } from '../../src/progress.ts';
import { fold, key } from '../../src/random.ts';
import { observationFromJson } from '../../src/robot/index.ts';
import { leaves, type NDArray } from '../../src/tensor/index.ts';
import type * as Train from '../../src/train/index.ts';
import { demonstration, header } from '../data/synthetic.ts';
import { smallFlorence2, writeSmallFlorence2 } from '../support/florence2.ts';

const compiled = path.join(import.meta.dirname, '../../dist/train/index.js');

let dir: string;
let nina: typeof Train;
const at = (...names: string[]) => path.join(dir, ...names);
const begun = smallFlorence2(1);

beforeAll(async () => {
  nina = await import(compiled);
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'train-pictures-'));
  using writer = await DemonstrationWriter.open(at('demos', 'pick.hdf5'), header);
  for (let i = 0; i < 4; i++) writer.append(demonstration(fold(key(1), i), 12, { images: true }));
  writer.commit({});
  await writeSmallFlorence2(at('encoder'), begun);
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const SMALL = [
  ...['n_layers=2', 'affine_dim=8', 'cond_dim=8', 'batch_size=6', 'learning_rate=0.001', 'validation_fraction=0.25'],
  ...['max_steps=4', 'validate_every=4', 'checkpoint_every=2', 'log_every=1'],
];

async function trained(run: string, settings: readonly string[] = [], { workers = 1, init = at('encoder') } = {}) {
  const notices: string[] = [];
  const config = nina.trainConfig(nina.assignments([`data=${at('demos')}`, `init=${init}`, ...SMALL, ...settings]));
  // The poses of made-up demonstrations are implausible.
  const notice = (text: string) => {
    if (!/^4 of 4 demonstrations/.test(text)) notices.push(text.replaceAll(dir, ''));
  };
  const report: Reporter = { notice, progress() {} };
  const { checkpoint } = await nina.train(at(run), config, { workers, report });
  const { model, manifest } = readCheckpoint(checkpoint);
  const weights = new Map(leaves<NDArray>(model.params).map(([name, { data }]) => [name, data]));
  return { notices, manifest, weights, losses: nina.readMetrics(at(run)).map(({ loss }) => loss) };
}

/** Weights that differ, by the beginnings of their names. */
const changed = (a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>, depth: number) => [
  ...new Set(
    [...a].flatMap(([name, data]) =>
      Buffer.compare(Buffer.from(data.buffer, data.byteOffset, data.byteLength), bytesOf(b.get(name)!)) === 0
        ? []
        : [name.split('.').slice(0, depth).join('.')],
    ),
  ),
];
const bytesOf = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const beginning = new Map(leaves<NDArray>(begun.params, 'encoder').map(([name, { data }]) => [name, data]));
const encoderOnly = (weights: ReadonlyMap<string, Float32Array>) =>
  new Map([...weights].filter(([name]) => beginning.has(name)));

const RANDOM = ['encoder.dropout=0.1', 'encoder.token_dropout=0.1', 'encoder.drop_path=0.1', 'encoder.shifts=[2, 1]'];

describe('a policy of pictures', () => {
  test('trains the same bits with any number of threads, and when it was stopped between', async () => {
    const whole = await trained('whole', RANDOM);
    expect(whole.notices).toEqual(["/encoder holds no decoder. The decoder's weights are drawn."]);
    expect((await trained('two', RANDOM, { workers: 2 })).weights).toEqual(whole.weights);
    await trained('parts', [...RANDOM, 'max_steps=2', 'schedule_steps=4']);
    const config = nina.readRun(at('parts'), nina.assignments(['max_steps=4']));
    // What it began with is not asked for any more.
    fs.renameSync(at('encoder'), at('elsewhere'));
    await nina.train(at('parts'), config);
    fs.renameSync(at('elsewhere'), at('encoder'));
    const file = ['checkpoints', '4', 'model.safetensors'];
    expect(fs.readFileSync(at('parts', ...file)).equals(fs.readFileSync(at('whole', ...file)))).toBe(true);
    expect(changed(encoderOnly(whole.weights), beginning, 2)).toEqual([
      'encoder.vision_tower',
      'encoder.multi_modal_projector',
      'encoder.language_model',
      'encoder.flow_token',
    ]);
    const calm = await trained('calm');
    expect(calm.losses).not.toEqual(whole.losses);
  });

  test('keeps its tokenizer and a self-test with pictures, and acts', async () => {
    await trained('acts');
    using policy = await loadPolicy(at('acts'));
    const { observation } = policy.manifest.self_test;
    expect(Object.keys(observation.images!)).toEqual(['agentview', 'eye_in_hand']);
    expect(Object.keys(policy.manifest.files)).toContain('tokenizer.json');
    const ask = (instruction: string) =>
      policy.infer({ ...observationFromJson(observation), instruction }, { key: key(1), temperature: 0 });
    expect((await ask('pick the can')).actions).not.toEqual((await ask('open the drawer')).actions);
    await expect(policy.infer({ instruction: 'pick' }, { key: key(1) })).rejects.toThrow(
      /has no picture of 'agentview'/,
    );
  });

  test('may see the state, too', async () => {
    const { notices, weights } = await trained('proprio', ['proprio=true']);
    expect(notices[0]).toMatch(/^\/encoder does not hold encoder.proprio.weight; encoder.proprio.bias: drawn\.$/);
    expect(weights.has('encoder.proprio.weight')).toBe(true);
  });
});

/** Of a loss of some 70 nats, where what is kept is rounded to 11 bits. */
const HALVES = 0.05;

describe('what is frozen', () => {
  test.each([
    ['trunk', ['encoder.language_model', 'encoder.flow_token', 'decoder.pool', 'decoder.flow'], []],
    ['encoder', ['decoder.pool', 'decoder.flow'], []],
    ['encoder', ['decoder.cond_norm'], ['decoder=flower', 'dit_dim=8', 'n_heads=2', 'decoder.dropout=0']],
  ])('%s: stays, and the rest learns from what was kept as from pictures', async (freeze, learned, settings) => {
    const own = settings.length > 0 ? settings : [];
    const base = own.length > 0 ? SMALL.filter((one) => !/^(affine_dim|cond_dim)=/.test(one)) : SMALL;
    const run = (name: string, more: string[]) => {
      const config = nina.trainConfig(
        nina.assignments([`data=${at('demos')}`, `init=${at('encoder')}`, ...base, ...own, ...more]),
      );
      return nina.train(at(name), config, { workers: 2 });
    };
    const name = `${freeze}-${own.length}`;
    const { checkpoint } = await run(`frozen-${name}`, [`freeze=${freeze}`]);
    await run(`free-${name}`, ['max_steps=1']);
    const first = (of: string) => nina.readMetrics(at(of))[0].loss;
    expect(Math.abs(first(`frozen-${name}`) - first(`free-${name}`))).toBeLessThan(HALVES);
    const weights = new Map(leaves<NDArray>(readCheckpoint(checkpoint).model.params).map(([n, { data }]) => [n, data]));
    const moved = changed(encoderOnly(weights), beginning, 2);
    expect(moved).toEqual(learned.filter((one) => one.startsWith('encoder.')));
    using policy = await loadPolicy(checkpoint);
    expect(policy.config.encoder.name).toBe('florence2');
  });

  test('is computed once: a run goes on with what is kept, also with a part of it', async () => {
    await trained('keeps', ['freeze=trunk']);
    const [file] = fs.readdirSync(at('keeps')).filter((name) => name.startsWith('kept-'));
    const kept = fs.readFileSync(at('keeps', file));
    // 48 frames of 2 views, 2 x 2 cells and their mean, 12 numbers of two bytes.
    expect(kept.length).toBe(48 * 2 * 5 * 12 * 2);
    const part = Buffer.from(kept.subarray(0, 16 * 240 + 7));
    part[100] ^= 1;
    fs.mkdirSync(at('resumes'));
    fs.writeFileSync(at('resumes', `${file}.part`), part);
    fs.writeFileSync(at('resumes', 'kept-of-other-weights.f16'), 'x');
    fs.writeFileSync(at('resumes', 'kept-notes.txt'), 'of its owner');
    await trained('resumes', ['freeze=trunk']);
    const again = fs.readFileSync(at('resumes', file));
    expect(again[100] ^ kept[100]).toBe(1);
    again[100] ^= 1;
    expect(again.equals(kept)).toBe(true);
    expect(fs.readdirSync(at('resumes')).filter((name) => name.startsWith('kept-'))).toEqual([file, 'kept-notes.txt']);
    fs.utimesSync(at('demos', 'pick.hdf5'), 1, 1);
    await trained('resumes', ['freeze=trunk']);
    // Pictures that were written again are seen again.
    expect(fs.existsSync(at('resumes', file))).toBe(false);
  });

  test('has weights for all that is frozen', async () => {
    await expect(trained('random', ['freeze=encoder', 'proprio=true'])).rejects.toThrow(
      'does not hold encoder.proprio.weight; encoder.proprio.bias, and what is frozen stays as it begins. Freeze less',
    );
  });

  test('resumes with the same bits', async () => {
    const whole = await trained('frozen-whole', ['freeze=encoder']);
    await trained('frozen-parts', ['freeze=encoder', 'max_steps=2', 'schedule_steps=4']);
    await nina.train(at('frozen-parts'), nina.readRun(at('frozen-parts'), nina.assignments(['max_steps=4'])));
    const { model } = readCheckpoint(at('frozen-parts'));
    expect(new Map(leaves<NDArray>(model.params).map(([name, { data }]) => [name, data]))).toEqual(whole.weights);
  });

  test('a rate of 0 leaves the encoder as it was', async () => {
    const { weights } = await trained('still', ['encoder_rate=0']);
    expect(changed(encoderOnly(weights), beginning, 1)).toEqual([]);
  });
});

describe('weights to begin with', () => {
  test('of a policy: encoder and decoder', async () => {
    const { weights } = await trained('source');
    const again = await trained('again', ['learning_rate=1e-30'], { init: at('source') });
    expect(again.notices).toEqual([]);
    expect(changed(again.weights, weights, 1)).toEqual([]);
    const other = await trained('other', ['n_layers=1', 'max_steps=1'], { init: at('source') });
    expect(other.notices).toEqual([
      "/source/checkpoints/4 holds another decoder: n_layers is 1 and there 2. The decoder's weights are drawn.",
    ]);
  });

  test('or its configuration and words alone', async () => {
    const { weights, notices } = await trained('drawn', ['init_weights=false', 'learning_rate=1e-30']);
    expect(notices).toEqual([]);
    expect(changed(encoderOnly(weights), beginning, 1)).toEqual(['encoder']);
  });

  test('of other sizes are refused by name, and so is what is none', async () => {
    await expect(trained('sizes', ['encoder.ffn=20'])).rejects.toThrow(
      /encoder\.language_model\.encoder\.layers\.0\.fc1\.weight is \[16,12\] there and \[20,12\] here/,
    );
    await expect(trained('nowhere', [], { init: 'nowhere' })).rejects.toThrow(
      /^init: there is no folder nowhere, and no weights of that name in this package/,
    );
    await expect(trained('state', ['encoder.name=state'])).rejects.toThrow(
      /the encoder is state, and init .* holds florence2/,
    );
  });
});
