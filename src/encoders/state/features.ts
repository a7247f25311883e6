/**
 * From one observation to the numbers of the encoder's inputs.
 *
 * Grasping needs millimetres while a scene spans a metre, so each entity's offset r from the end effector is given at three
 * scales: r over the reach, and tanh(|r| / s) r / |r| for s of 5 cm and 1.5 cm, which is linear near it and the
 * direction farther away - commands saturate alike, so they are nearly linear in these numbers. Rotations are given as the first
 * two columns of their matrices (Zhou et al. 2019, arXiv 1812.07035), in the world and relative to the end effector. Of a robot whose state
 * has no such pose all this is relative to the origin.
 */
import { hypot, tanh } from '../../math.ts';
import { ENTITY_SIZE, type Moments, normalise, POSE_SIZE } from '../../robot/index.ts';
import type { StateConfig } from './config.ts';
import type { Scene } from './scene.ts';

/** Per entity: position 3, offset at three scales 3 + 3 + 3, rotation 6, rotation seen from the end effector 6, joint 1. */
export const FEATURE_SIZE = 25;

/** Scales (m) of the entity's offset from the end effector. */
const REACH_M = 0.2;
const NEAR_M = 0.05;
const GRASP_M = 0.015;
/** Normalisation statistics: of the robot's state [P], of entity positions [3], of joints [1]. */
export interface StateStatistics {
  readonly state: Moments;
  readonly position: Moments;
  readonly joint: Moments;
}

/** The numbers of B observations, one flat array per graph input; see `stateInputs` for the shapes. */
export type StateArrays = {
  readonly 'state.proprio': Float32Array;
  readonly 'state.features': Float32Array;
  readonly 'state.categories': Float32Array;
  readonly 'state.present': Float32Array;
  readonly 'state.words': BigInt64Array;
  readonly 'state.spoken': Float32Array;
};

export function stateArrays(
  { max_entities: N, max_words: L, words, state_size: P }: StateConfig,
  batch: number,
): StateArrays {
  return {
    'state.proprio': new Float32Array(batch * P),
    'state.features': new Float32Array(batch * N * FEATURE_SIZE),
    'state.categories': new Float32Array(batch * N * words.length),
    'state.present': new Float32Array(batch * (1 + N)),
    'state.words': new BigInt64Array(batch * L),
    'state.spoken': new Float32Array(batch * L),
  };
}

/** Writes row `row` of the batch: the scene, and the numbers of one moment. */
export function writeState(
  { state_size: P, max_entities: N, end_effector }: StateConfig,
  statistics: StateStatistics,
  scene: Scene,
  state: ArrayLike<number>,
  poses: ArrayLike<number>,
  out: StateArrays,
  row: number,
): void {
  out['state.categories'].set(scene.categories, row * scene.categories.length);
  out['state.present'].set(scene.present, row * scene.present.length);
  out['state.words'].set(scene.words, row * scene.words.length);
  out['state.spoken'].set(scene.spoken, row * scene.spoken.length);
  for (let i = 0; i < P; i++) out['state.proprio'][row * P + i] = normalise(state[i], statistics.state, i);
  const features = out['state.features'];
  const start = row * N * FEATURE_SIZE;
  features.fill(0, start, start + N * FEATURE_SIZE);
  const frame = end_effector === undefined ? ORIGIN : frameOf(state, end_effector);
  for (let n = 0; n * ENTITY_SIZE < poses.length; n++)
    writeFeatures(statistics, frame, poses, n * ENTITY_SIZE, features, start + n * FEATURE_SIZE);
}

/** What offsets and rotations are relative to: a place (m) and the three columns of its rotation. */
interface Frame {
  readonly position: readonly number[];
  readonly columns: readonly (readonly number[])[];
}

const ORIGIN: Frame = {
  position: [0, 0, 0],
  columns: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
};

/** The end effector's; the third column is the cross product of the two in the state. */
function frameOf(state: ArrayLike<number>, at: number): Frame {
  const [x, y, z, a, b, c, d, e, f] = Array.from({ length: POSE_SIZE }, (_, i) => state[at + i]);
  return {
    position: [x, y, z],
    columns: [
      [a, b, c],
      [d, e, f],
      [b * f - c * e, c * d - a * f, a * e - b * d],
    ],
  };
}

function writeFeatures(
  statistics: StateStatistics,
  { position, columns }: Frame,
  poses: ArrayLike<number>,
  from: number,
  out: Float32Array,
  to: number,
): void {
  const [x, y, z] = position.map((p, i) => poses[from + i] - p);
  const distanceM = Math.max(hypot(x, y, z), 1e-9);
  for (const [i, offsetM] of [x, y, z].entries()) {
    out[to + i] = normalise(poses[from + i], statistics.position, i);
    out[to + 3 + i] = offsetM / REACH_M;
    out[to + 6 + i] = tanh(distanceM / NEAR_M) * (offsetM / distanceM);
    out[to + 9 + i] = tanh(distanceM / GRASP_M) * (offsetM / distanceM);
  }
  const rotation = rotationColumns(poses, from + 3);
  for (let c = 0; c < 2; c++)
    for (let i = 0; i < 3; i++) {
      out[to + 12 + 3 * c + i] = rotation[c][i];
      out[to + 18 + 3 * c + i] = dot(columns[i], rotation[c]);
    }
  out[to + 24] = normalise(poses[from + ENTITY_SIZE - 1], statistics.joint, 0);
}

const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** First two columns of the matrix of the unit quaternion w x y z at `at`. */
function rotationColumns(q: ArrayLike<number>, at: number): readonly (readonly number[])[] {
  const [w, x, y, z] = [q[at], q[at + 1], q[at + 2], q[at + 3]];
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
    [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
  ];
}
