/**
 * The numbers of a batch under the names of the graph's inputs. What the encoder reads has its own names
 * (`florence2.pixels`, a picture per view; `florence2.ids` and `florence2.real`, Q phrases per scene); the rest is what it is asked and
 * what would be right. Letters as in heads.ts, L tokens of a phrase, M of a name.
 */

import { type Florence2Config, tokensPerView } from '../encoders/florence2/config.ts';
import type { Arrays } from '../encoders/index.ts';
import { input, type Shape, type Tensor } from '../tensor/index.ts';
import { POINTED, READOUT_SIZE } from './readout.ts';

/** What the shapes of a batch follow from. */
export interface GroundingShape {
  readonly encoder: Florence2Config;
  /** K, names asked for in a scene: of what is there, and of what is not. */
  readonly names: number;
  /** Q, phrases read in a scene. */
  readonly phrases: number;
}

/** M: the longest name is 'wooden cabinet bottom drawer'. */
export const NAME_TOKENS = 12;

const INT64 = ['florence2.ids', 'name.ids'];

/** Shapes by name for B scenes. */
export function batchShapes({ encoder, names: K, phrases: Q }: GroundingShape, B: number): Record<string, Shape> {
  const V = encoder.views.length;
  const C = tokensPerView(encoder);
  const R = POINTED.length;
  const { image_size: P, max_text: L } = encoder;
  return {
    'florence2.pixels': [B, V, 3, P, P],
    'florence2.ids': [B * Q, L],
    'florence2.real': [B * Q, L],
    'name.ids': [B, K, NAME_TOKENS],
    'name.share': [B, K, NAME_TOKENS],
    'name.cells': [B, K, V, C],
    'name.offsets': [B, K, 2, V, C],
    'role.cells': [B * Q, R, V, C],
    'role.offsets': [B * Q, R, 2, V, C],
    'readout.wanted': [B * Q, READOUT_SIZE],
    'readout.known': [B * Q, READOUT_SIZE],
  };
}

/** Graph inputs for B scenes, and the weight of what sets in late. */
export function inputsOf(shape: GroundingShape, B: number): Record<string, Tensor> {
  const of = Object.entries(batchShapes(shape, B)).map(([name, sizes]) => [
    name,
    input(name, sizes, INT64.includes(name) ? 'int64' : 'float32'),
  ]);
  return { ...Object.fromEntries(of), 'late.weight': input('late.weight', []) };
}

/** Zeros for B scenes. */
export function arraysOf(shape: GroundingShape, B: number): Arrays {
  return Object.fromEntries(
    Object.entries(batchShapes(shape, B)).map(([name, sizes]) => {
      const count = sizes.reduce((a, b) => a * b, 1);
      return [name, INT64.includes(name) ? new BigInt64Array(count) : new Float32Array(count)];
    }),
  );
}
