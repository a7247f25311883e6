/**
 * From one observation to the numbers of the encoder's inputs.
 *
 * Grasping needs millimetres while a scene spans a metre, so each entity's offset r from the gripper is given at three
 * scales: r over the reach, and tanh(|r| / s) r / |r| for s of 5 cm and 1.5 cm, which is linear near the gripper and the
 * direction farther away - commands saturate alike, so they are nearly linear in these numbers. Rotations are given as the first
 * two columns of their matrices (Zhou et al. 2019, arXiv 1812.07035), in the world and relative to the gripper.
 */

import { NinaError } from '../../errors.ts';
import { hypot, tanh } from '../../math.ts';
import type { StateConfig } from './config.ts';
import { requireWords, wordIds } from './words.ts';

/** End effector position 3 (m), first two columns of its rotation 6, finger positions 2 (m). */
export const PROPRIO_SIZE = 11;
/** Per entity: position 3 (m), quaternion w x y z 4, joint 1 (m or rad). */
export const ENTITY_SIZE = 8;
/** Per entity: position 3, offset at three scales 3 + 3 + 3, rotation 6, rotation seen from the gripper 6, joint 1. */
export const FEATURE_SIZE = 25;

/** Scales (m) of the entity's offset from the gripper. */
const REACH_M = 0.2;
const NEAR_M = 0.05;
const GRASP_M = 0.015;
/** A dimension that hardly varies in the data must not blow up small deviations at run time. */
const SMALLEST_STD = 0.02;

export interface StateObservation {
  /** [11] */
  readonly proprio: ArrayLike<number>;
  /** [N, 8] */
  readonly entities: ArrayLike<number>;
  /** N categories */
  readonly categories: readonly string[];
  readonly instruction: string;
}

export interface Moments {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Normalisation statistics: of the proprioception [11], of entity positions [3], of joints [1]. */
export interface StateStatistics {
  readonly proprio: Moments;
  readonly position: Moments;
  readonly joint: Moments;
}

/** The numbers of B observations, one flat array per graph input; see `stateInputs` for the shapes. */
export interface StateArrays {
  readonly proprio: Float32Array;
  readonly features: Float32Array;
  readonly categories: Float32Array;
  readonly present: Float32Array;
  readonly words: BigInt64Array;
  readonly spoken: Float32Array;
}

export function stateArrays({ max_entities: N, max_words: L, words }: StateConfig, batch: number): StateArrays {
  return {
    proprio: new Float32Array(batch * PROPRIO_SIZE),
    features: new Float32Array(batch * N * FEATURE_SIZE),
    categories: new Float32Array(batch * N * words.length),
    present: new Float32Array(batch * (1 + N)),
    words: new BigInt64Array(batch * L),
    spoken: new Float32Array(batch * L),
  };
}

/** The part of an observation that is constant over an episode: who is there and what was asked. */
export interface Scene {
  readonly categories: Float32Array;
  readonly present: Float32Array;
  readonly words: BigInt64Array;
  readonly spoken: Float32Array;
}

/** @throws NinaError for an instruction or category without words, for an unknown word, and for more words or entities than the encoder was trained for. */
export function scene(config: StateConfig, categories: readonly string[], instruction: string): Scene {
  const { max_entities: N, max_words: L } = config;
  const V = config.words.length;
  if (categories.length > N)
    throw new NinaError(
      `The scene has ${categories.length} entities, but the policy was trained on at most ${N}. Retrain it with such scenes.`,
    );
  requireWords({ instruction, categories });
  const ids = wordIds(config, instruction);
  if (ids.length > L)
    throw new NinaError(
      `"${instruction}" has ${ids.length} words, but the policy was trained on at most ${L}. Shorten it or retrain.`,
    );
  const out = stateArrays(config, 1);
  categories.forEach((category, n) => {
    const own = wordIds(config, category);
    for (const id of own) out.categories[n * V + id] += 1 / own.length;
  });
  out.present.fill(1, 0, 1 + categories.length);
  out.words.set(ids.map(BigInt));
  out.spoken.fill(1, 0, ids.length);
  return out;
}

/** Writes row `row` of the batch: the scene, and the numbers of one moment. */
export function writeState(
  statistics: StateStatistics,
  { categories, present, words, spoken }: Scene,
  proprio: ArrayLike<number>,
  entities: ArrayLike<number>,
  out: StateArrays,
  row: number,
): void {
  out.categories.set(categories, row * categories.length);
  out.present.set(present, row * present.length);
  out.words.set(words, row * words.length);
  out.spoken.set(spoken, row * spoken.length);
  for (let i = 0; i < PROPRIO_SIZE; i++)
    out.proprio[row * PROPRIO_SIZE + i] = normalise(proprio[i], statistics.proprio, i);
  const start = row * (present.length - 1) * FEATURE_SIZE;
  out.features.fill(0, start, start + (present.length - 1) * FEATURE_SIZE);
  const gripper = columns(proprio);
  for (let n = 0; n * ENTITY_SIZE < entities.length; n++)
    writeFeatures(statistics, proprio, gripper, entities, n * ENTITY_SIZE, out.features, start + n * FEATURE_SIZE);
}

function writeFeatures(
  statistics: StateStatistics,
  proprio: ArrayLike<number>,
  gripper: readonly (readonly number[])[],
  entities: ArrayLike<number>,
  from: number,
  out: Float32Array,
  to: number,
): void {
  const [x, y, z] = [0, 1, 2].map((i) => entities[from + i] - proprio[i]) as [number, number, number];
  const distanceM = Math.max(hypot(x, y, z), 1e-9);
  for (const [i, offsetM] of [x, y, z].entries()) {
    out[to + i] = normalise(entities[from + i], statistics.position, i);
    out[to + 3 + i] = offsetM / REACH_M;
    out[to + 6 + i] = tanh(distanceM / NEAR_M) * (offsetM / distanceM);
    out[to + 9 + i] = tanh(distanceM / GRASP_M) * (offsetM / distanceM);
  }
  const rotation = rotationColumns(entities, from + 3);
  for (let c = 0; c < 2; c++)
    for (let i = 0; i < 3; i++) {
      out[to + 12 + 3 * c + i] = rotation[c][i];
      out[to + 18 + 3 * c + i] = dot(gripper[i], rotation[c]);
    }
  out[to + 24] = normalise(entities[from + 7], statistics.joint, 0);
}

const normalise = (x: number, { mean, std }: Moments, i: number) => (x - mean[i]) / Math.max(std[i], SMALLEST_STD);
const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** The three columns of the gripper's rotation; the third is the cross product of the two given. */
function columns(proprio: ArrayLike<number>): readonly (readonly number[])[] {
  const [a, b, c, d, e, f] = [3, 4, 5, 6, 7, 8].map((i) => proprio[i]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return [
    [a, b, c],
    [d, e, f],
    [b * f - c * e, c * d - a * f, a * e - b * d],
  ];
}

/** First two columns of the matrix of the unit quaternion w x y z at `at`. */
function rotationColumns(q: ArrayLike<number>, at: number): readonly (readonly number[])[] {
  const [w, x, y, z] = [q[at], q[at + 1], q[at + 2], q[at + 3]];
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
    [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
  ];
}
