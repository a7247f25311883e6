/**
 * A density whose entropy is known, and maximum-likelihood training on it.
 */

import { cpu } from '../../src/engine/index.ts';
import { logProb, sample } from '../../src/flows/index.ts';
import { fold, type Key, key, normals, rng } from '../../src/random.ts';
import { byPath, feeds, gradOf, input, mean, neg, pack, symbols, unpack } from '../../src/tensor/index.ts';
import { fill, initialState, openOptimizer, optimizerMemory } from '../../src/train/optimizer.ts';
import { evaluate } from './evaluate.ts';
import { C, type Specimen } from './registry.ts';

const WIDTH = 0.3;

/**
 * A banana that the condition moves: x1 ~ N(0, 1), x2 | x1, c ~ N(x1^2 / 2 + c1, WIDTH^2), c ~ N(0, I).
 * Its entropy given the condition is that of its two normals.
 */
export function banana(k: Key, rows: number): { x: Float32Array; cond: Float32Array } {
  const r = rng(k);
  const cond = Float32Array.from({ length: rows * C }, () => r.normal());
  const x = new Float32Array(rows * 2);
  for (let i = 0; i < rows; i++) {
    const x1 = r.normal();
    x[2 * i] = x1;
    x[2 * i + 1] = x1 ** 2 / 2 + cond[i * C] + WIDTH * r.normal();
  }
  return { x, cond };
}
export const bananaEntropy = Math.log(2 * Math.PI * Math.E) + Math.log(WIDTH);

const STEPS = 1500;
const BATCH = 128;
const HELD_OUT = 8192;
const LEARNING_RATE = 8e-3;

export interface Trained {
  readonly specimen: Specimen;
  /** Mean -log p of fresh data: its standard error is about 0.01. */
  readonly nll: number;
  /** Rows (x1, x2, c) of the flow, and of the density itself. */
  readonly samples: Float32Array;
  readonly truth: Float32Array;
}

/** Fits a two-dimensional specimen to the banana; everything is a function of `k`. */
export async function trainOnBanana(specimen: Specimen, k: Key = key(30)): Promise<Trained> {
  const { layout, flat } = pack(specimen.params);
  const gradient = new Float32Array(layout.size);
  const p = symbols(specimen.params);
  const [x, cond] = [input('x', [BATCH, 2]), input('cond', [BATCH, C])];
  const loss = neg(mean(logProb(specimen.bind(p, cond), x)));
  const memory = await optimizerMemory(layout.size, 1);
  fill(memory, initialState(flat));
  const { state, gradients: sums, update } = await openOptimizer(memory);
  const groups = [{ start: 0, end: layout.size, decay: false, frozen: false, rate: 1 }];
  {
    using program = await cpu.compile({ loss, ...byPath(gradOf(loss, p), 'grad.') });
    const into = feeds(layout, gradient, 'grad.');
    const parameters = feeds(layout, flat);
    for (let step = 0; step < STEPS; step++) {
      await program.run({ ...parameters, ...banana(fold(k, step), BATCH) }, into);
      const learningRate = LEARNING_RATE * 0.5 * (1 + Math.cos((Math.PI * step) / STEPS));
      sums[0].set(gradient);
      update(0, step, groups, { learningRate, beta1: 0.9, beta2: 0.99, weightDecay: 0, emaDecay: 0 });
      flat.set(state.params);
    }
  }
  const trained = { ...specimen, params: unpack(specimen.params, flat) };
  const heldOut = banana(fold(k, 'held out'), HELD_OUT);
  const { nll } = await evaluate(trained, heldOut, (flow, inputs) => ({ nll: mean(neg(logProb(flow, inputs.x))) }));
  const truth = banana(fold(k, 'truth'), 300);
  const noise = { x: normals(fold(k, 'noise'), 600), cond: truth.cond };
  const { drawn } = await evaluate(trained, noise, (flow, inputs) => ({ drawn: sample(flow, inputs.x) }));
  return { specimen: trained, nll: nll[0], samples: joined(drawn, truth.cond), truth: joined(truth.x, truth.cond) };
}

const joined = (x: Float32Array, cond: Float32Array) =>
  Float32Array.from({ length: (x.length / 2) * 3 }, (_, at) => {
    const [row, column] = [Math.floor(at / 3), at % 3];
    return column < 2 ? x[2 * row + column] : cond[row * C];
  });
