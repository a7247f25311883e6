/** The examples of docs/extending.md keep the contracts: together they are a policy that learns. */
import { expect, test } from 'vitest';
import { GANTRY } from '../examples/gantry.ts';
import { gaussian } from '../examples/gaussian-decoder.ts';
import { proprioception } from '../examples/proprioception-encoder.ts';
import { drawModel } from '../src/decoders/index.ts';
import { cpu } from '../src/engine/index.ts';
import { noDropout } from '../src/nn/index.ts';
import { key, normals } from '../src/random.ts';
import { actionSize, checkActions, padActions, robotSchema, stateSize } from '../src/robot/index.ts';
import { byPath, feeds, freeze, gradOf, input, pack, symbols } from '../src/tensor/index.ts';

const [B, T, A, P] = [16, 6, actionSize(GANTRY), stateSize(GANTRY)];
const encoder = proprioception.configure({ dim: 24 }, { episodes: [], robot: GANTRY, assets: {} });
const decoder = gaussian.schema.parse({ name: 'gaussian', chunk_length: T, action_dim: A });
const { width } = proprioception.tokens(encoder);
const { params, buffers } = drawModel({
  params: {
    encoder: proprioception.blueprint(key(1), encoder),
    decoder: gaussian.blueprint(key(2), decoder, width).params,
  },
  buffers: {},
});
const states = normals(key(3), B * P);
/** What a demonstrator does whose every action follows from where it is. */
const actions = Float32Array.from({ length: B * T * A }, (_, i) => Math.tanh(states[Math.floor(i / (T * A)) * P]));

/** The observations as the encoder writes them. */
function observed(): Record<string, Float32Array> {
  const moments = proprioception.measure([{ state: states, poses: new Float32Array() }], GANTRY);
  const arrays = proprioception.arrays(encoder, B);
  const { check, write } = proprioception.writer(encoder, moments, {});
  for (let row = 0; row < B; row++) {
    const observation = { state: states.subarray(row * P, (row + 1) * P), instruction: '' };
    check(observation);
    write(observation, arrays, row);
  }
  return arrays as Record<string, Float32Array>;
}

test('an encoder and a decoder of one’s own are fitted by likelihood', async () => {
  const p = symbols(params, 'p.') as { encoder: never; decoder: never };
  const { tokens } = proprioception.encode(encoder, p.encoder, proprioception.inputs(encoder, B), noDropout);
  const bound = gaussian.bind(decoder, buffers, p.decoder);
  const loss = bound.loss(input('actions', [B, T, A]), bound.context(tokens), {});
  using program = await cpu.compile({ loss, ...byPath(gradOf(loss, p), 'g.') });
  const { layout, flat } = pack(params);
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    const found = await program.run({ ...feeds(layout, flat, 'p.'), ...observed(), actions });
    losses.push(found.loss[0]);
    for (const { path, offset } of layout.entries)
      found[`g.${path}`].forEach((g, i) => {
        flat[offset + i] -= 0.003 * g;
      });
  }
  expect(losses.at(-1)).toBeLessThan(losses[0] - 3);
});

test('a density of one’s own is that of its samples', async () => {
  const bound = gaussian.bind(decoder, buffers, freeze(params.decoder));
  const seen = input('seen', [B, width]);
  const [sampled, claimed] = bound.density!.sampleAndLogProb(input('z', [B, T, A]), seen);
  using draw = await cpu.compile({ sampled, claimed });
  using judge = await cpu.compile({ logProb: bound.density!.logProb(input('actions', [B, T, A]), seen) });
  const [z, given] = [normals(key(4), B * T * A), normals(key(5), B * width)];
  const found = await draw.run({ z, seen: given });
  const { logProb } = await judge.run({ actions: found.sampled, seen: given });
  // Standard deviations of e^-1: each adds 1 to the logarithm of the density of its noise.
  const D = T * A;
  for (let row = 0; row < B; row++) {
    const squares = z.subarray(row * D, (row + 1) * D).reduce((sum, x) => sum + x * x, 0);
    const exact = -0.5 * squares + D - (D / 2) * Math.log(2 * Math.PI);
    expect(Math.abs(found.claimed[row] - exact)).toBeLessThan(ROUNDING);
    expect(Math.abs(logProb[row] - exact)).toBeLessThan(ROUNDING);
  }
});

/** Nats, of sums of two dozen numbers of order 10 in single precision. */
const ROUNDING = 1e-3;

test('what is asked of them wrongly is told in a sentence', () => {
  const moments = proprioception.measure([{ state: states, poses: new Float32Array() }], GANTRY);
  expect(() => proprioception.writer(encoder, moments, {}).check({ instruction: 'lift' })).toThrow(
    "An observation needs 4 numbers of the robot's state; got none.",
  );
  expect(() => checkActions(GANTRY.action, [0, 0, 2, 0], 'a plan')).toThrow(
    'a plan: step 0, dimension 2 (velocity z) is 2, outside [-1, 1].',
  );
});

test('a robot of one’s own is stored as it is, and rests where it was', () => {
  expect(robotSchema.parse(JSON.parse(JSON.stringify(GANTRY)))).toEqual(GANTRY);
  const chunk = Float32Array.of(0.5, 0, 0, 1, 0, 0, 0, 0);
  padActions(GANTRY.action, chunk, 1, chunk.slice(0, 4));
  expect([...chunk]).toEqual([0.5, 0, 0, 1, 0, 0, 0, 1]);
});
