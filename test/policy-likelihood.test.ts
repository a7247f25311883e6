/** What a policy does with its density, and that every backend does it alike. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoderOf } from '../src/decoders/index.ts';
import { cpu } from '../src/engine/index.ts';
import {
  buildPolicy,
  contextShape,
  decoderModel,
  type LoadedPolicy,
  loadPolicy,
  readCheckpoint,
} from '../src/policy/index.ts';
import { key } from '../src/random.ts';
import { observation, saveRandomPolicy } from './support/policy.ts';

/** Of actions in [-1, 1]: what another order of float32 sums may cost. */
const ACTIONS = 2e-4;
/** Of actions, with weights of 8 bits. */
const INT8_ACTIONS = 4e-2;
/** Nats: a sum over 70 numbers and all layers. */
const NATS = 1e-3;
const K = 20;
const options = { key: key(7), temperature: 1 };

let dir: string;
let policy: LoadedPolicy;
/** Of weights so small that its central chunk is inside the action box. */
let tame: LoadedPolicy;
const at = (name: string) => path.join(dir, name);
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'likelihood-'));
  policy = await loadPolicy(await saveRandomPolicy(at('nina')));
  tame = await loadPolicy(await saveRandomPolicy(at('tame'), { use_plu: false }, { scale: 0.3 }));
});
afterAll(() => {
  policy[Symbol.dispose]();
  tame[Symbol.dispose]();
  fs.rmSync(dir, { recursive: true });
});

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), a.length === b.length ? 0 : Number.NaN);

describe('the most likely of K samples', () => {
  test('is the one of the largest log-probability among those very samples, also beyond one batch', async () => {
    const { actions, logProb } = await policy.sample(observation, { ...options, count: K });
    const best = logProb!.indexOf(Math.max(...logProb!));
    const answer = await policy.infer(observation, { ...options, bestOf: K });
    expect(answer.actions).toEqual(actions[best]);
    expect(answer.logProb).toBe(logProb![best]);
    expect(new Set(logProb).size).toBe(K);
  });

  test('one sample is the first of many', async () => {
    const many = await policy.sample(observation, { ...options, count: 3 });
    const one = await policy.infer(observation, options);
    expect(worst(one.actions, many.actions[0])).toBeLessThan(ACTIONS);
  });

  test('among samples that continue a plan, nearer ones are chosen', async () => {
    const plan = (await policy.infer(observation, { key: key(1), temperature: 1 })).actions;
    const continuing = plan.subarray(5 * 7);
    const distance = (chunk: Float32Array) => Math.hypot(...continuing.map((x, i) => chunk[i] - x));
    const free = await policy.infer(observation, { ...options, bestOf: 16 });
    const continued = await policy.infer(observation, { ...options, bestOf: 16, continuing });
    const samples = (await policy.sample(observation, { ...options, count: 16 })).actions.map(distance);
    expect(samples.filter((d) => d < distance(continued.actions)).length).toBeLessThan(4);
    expect(distance(continued.actions)).toBeLessThanOrEqual(distance(free.actions));
  });

  test('what cannot be served is refused', async () => {
    const infer = (change: object) => policy.infer(observation, { ...options, ...change });
    await expect(infer({ bestOf: 4, temperature: 0 })).rejects.toThrow('At temperature 0 all 4 samples are the same');
    await expect(infer({ bestOf: 0 })).rejects.toThrow('bestOf must be an integer from 1; got 0');
    await expect(infer({ bestOf: 4, continuing: new Float32Array(70) })).rejects.toThrow('1 to 9 actions of 7 numbers');
    await expect(infer({ bestOf: 4, continuing: new Float32Array(6) })).rejects.toThrow('got 6 numbers');
  });
});

test('the log-probability of an answer is that of the sample before it is clamped', async () => {
  const { config, model } = readCheckpoint(at('nina'));
  const { folding } = decoderOf(config.decoder);
  // Where nothing was clamped, the policy's own density of its answer must be the same number.
  const { actions, logProb } = await tame.sample(observation, { key: key(2), temperature: 0.1, count: 8 });
  const inside = actions.flatMap((chunk, k) => (chunk.every((a) => Math.abs(a) < 1) ? [k] : []));
  expect(inside.length).toBeGreaterThan(0);
  for (const k of inside)
    expect(Math.abs((await tame.logProb!(observation, actions[k]))[0] - logProb![k])).toBeLessThan(NATS);
  // And where something was, it is the density of what the flow gave.
  using compiled = await folding!.compile(config.decoder, decoderModel(model), { engine: cpu, backend: 'onnx' });
  const condition = new Float32Array(contextShape(config, 1)[1]);
  const wide = await compiled.sample(new Float32Array(70).fill(1.5), condition, 1);
  expect(wide.actions.some((a) => Math.abs(a) > 1)).toBe(true);
  const [drawn, unclamped] = [wide.logProb[0], wide.actions.slice()];
  expect(Math.abs((await compiled.logProb(unclamped, condition, 1))[0] - drawn)).toBeLessThan(NATS);
});

test('surprise is 0 for the central chunk and grows with the distance from it', async () => {
  const central = (await tame.infer(observation, { key: key(1), temperature: 0 })).actions;
  expect(Math.abs(await tame.surprise!(observation, central))).toBeLessThan(NATS);
  const at = (shift: number) =>
    tame.surprise!(
      observation,
      central.map((a, i) => a + (i % 2 === 0 ? shift : -shift)),
    );
  expect(await at(0.1)).toBeGreaterThan(0);
  expect(await at(0.4)).toBeGreaterThan(await at(0.1));
});

test('a rank needs the held-out statistic', async () => {
  expect(() => policy.rankSurprise(3)).toThrow("stats.json has no 'surprise'");
  const surprise = { horizon: 5, n: 30, scales: [{ temperature: 1, quantiles: [0, 10, 20] }] };
  using judged = await loadPolicy(await saveRandomPolicy(at('judged'), {}, { surprise }));
  expect(judged.rankSurprise(15)).toBe(0.75);
  expect(() => judged.rankSurprise(15, 0.5)).toThrow('held-out surprises at temperature 1, none at 0.5');
});

describe.each([{ backbone: 'mlp' }, { backbone: 'trans' }, { use_plu: false }])('backends of %o agree', (decoder) => {
  test.each(['onnx', 'wasm', 'wasm-int8', 'onnx-int8'] as const)('%s', async (backend) => {
    const location = await saveRandomPolicy(at(`${Object.values(decoder)}-${backend}`), decoder);
    using graph = await loadPolicy(location, { backend: 'graph' });
    using other = await loadPolicy(location, { backend });
    expect([graph.backend, other.backend]).toEqual(['graph', backend]);
    const wanted = await graph.sample(observation, { ...options, count: K });
    const got = await other.sample(observation, { ...options, count: K });
    const int8 = backend.endsWith('int8');
    for (let k = 0; k < K; k++)
      expect(worst(got.actions[k], wanted.actions[k])).toBeLessThan(int8 ? INT8_ACTIONS : ACTIONS);
    if (int8) return;
    expect(worst(got.logProb!, wanted.logProb!)).toBeLessThan(NATS);
    const scored = await other.logProb!(observation, wanted.actions[0]);
    expect(worst(scored, await graph.logProb!(observation, wanted.actions[0]))).toBeLessThan(NATS);
  });
});

test('auto is an exact one', async () => {
  using auto = await loadPolicy(at('nina'), { backend: 'auto' });
  expect(['onnx', 'wasm', 'graph']).toContain(auto.backend);
});

test('a decoder without density acts, and says what it has not', async () => {
  const regression = { name: 'regression', hidden_dim: 8, n_layers: 1, cond_dim: 12 };
  const location = await saveRandomPolicy(at('regression'), regression);
  using plain = await loadPolicy(location);
  expect(plain.backend).toBe('wasm');
  expect(await plain.infer(observation, options)).not.toHaveProperty('logProb');
  expect(plain).not.toHaveProperty('logProb');
  expect(plain).not.toHaveProperty('surprise');
  await expect(plain.infer(observation, { ...options, bestOf: 2 })).rejects.toThrow(
    'A regression decoder has no log-probabilities to choose by; a flow has.',
  );
  await expect(loadPolicy(location, { backend: 'onnx' })).rejects.toThrow(
    "--backend onnx: this policy's regression decoder has only 'wasm', 'onnx-int8', 'graph'.",
  );
});

test.each([
  { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 1 },
  { name: 'regression', hidden_dim: 8, n_layers: 1, cond_dim: 12 },
])('a policy of $name acts alike without an engine', async (decoder) => {
  const location = await saveRandomPolicy(at(`${decoder.name}-wasm`), decoder);
  const { config, statistics, model } = readCheckpoint(location);
  using pure = await buildPolicy({ config, statistics, model, assets: {} });
  using graph = await loadPolicy(location, { backend: 'graph' });
  expect([pure.backend, graph.backend]).toEqual(['wasm', 'graph']);
  const [got, wanted] = [
    await pure.sample(observation, { ...options, count: K }),
    await graph.sample(observation, { ...options, count: K }),
  ];
  for (let k = 0; k < K; k++) expect(worst(got.actions[k], wanted.actions[k])).toBeLessThan(ACTIONS);
  await expect(buildPolicy({ config, statistics, model, assets: {} }, { backend: 'graph' })).rejects.toThrow(
    "The backend 'graph' runs on an engine, and none was given. Pass one, or choose 'wasm'.",
  );
});
