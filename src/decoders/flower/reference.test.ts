import { expect, test } from 'vitest';
import { key } from '../../random.ts';
import type { StoredTensor } from '../../safetensors-format.ts';
import { leaves, materialise, type NDArray } from '../../tensor/index.ts';
import { blueprint, flowerSchema, importReference } from './index.ts';

const config = flowerSchema.parse({
  dit_dim: 4,
  n_heads: 2,
  n_layers: 1,
  chunk_length: 2,
  action_dim: 2,
});
const E = 3;
const params = materialise(blueprint(key(1), config, E));
const state = (): Record<string, StoredTensor> => Object.fromEntries(leaves<NDArray>(params));
const tensor = (...shape: number[]): StoredTensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

test('a state dict under the reference names is the parameters', () => {
  expect(importReference(config, E, state())).toEqual({ params, unused: [] });
});

test('what the reference builds and never uses is named and left', () => {
  const unused = [
    'action_encoders.joint_single.fc1.weight',
    'action_decoders.bimanual_nav.bias',
    'adaln.joint_single.modCX.1.weight',
    'action_space_embedder.mlp.0.weight',
  ];
  const extra = Object.fromEntries(unused.map((name) => [name, tensor(2, 2)]));
  expect(importReference(config, E, { ...extra, ...state() })).toEqual({ params, unused });
});

test('all that does not fit is named at once', () => {
  const { 'cond_norm.weight': _, ...rest } = state();
  const wrong = {
    ...rest,
    'dit.1.norm1.weight': tensor(4),
    'dit.0.norm2.weight': tensor(5),
    'dit.0.norm3.weight': { shape: [4], data: new BigInt64Array(4) },
  };
  expect(() => importReference(config, E, wrong)).toThrow(
    [
      'The weights do not fit a FLOWER decoder of 1 layers, width 4, 2 heads, for tokens of 3 and actions of 2. Check the configuration.',
      'missing: cond_norm.weight',
      'unexpected: dit.1.norm1.weight',
      'shape: dit.0.norm2.weight is [5], wanted [4]',
      'type: dit.0.norm3.weight holds integers, wanted floats',
    ].join('\n'),
  );
});

test('heads whose width is odd are refused when the configuration is read', () => {
  const read = flowerSchema.safeParse({ dit_dim: 24, n_heads: 8 });
  expect(read.error?.issues.map(({ message }) => message)).toEqual([
    'The Transformer splits its width into heads, and the rotary embedding each head into two halves: dit_dim must be divisible by 2 x n_heads; got dit_dim 24 and n_heads 8.',
  ]);
  expect(flowerSchema.safeParse({ sampling_type: 'cosine', layers: 3 }).error?.issues).toHaveLength(2);
});
