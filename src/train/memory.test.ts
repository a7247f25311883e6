import { expect, test } from 'vitest';
import { decoderSchema } from '../decoders/index.ts';
import { UsageError } from '../errors.ts';
import { init, leastNumbers } from '../policy/index.ts';
import { key } from '../random.ts';
import { layoutOf } from '../tensor/index.ts';
import { trainConfig } from './config.ts';
import { leastBytes, requireMemory } from './memory.ts';
import { assignments } from './recipe.ts';

/** What is left out (biases, norms) is the smaller part of any model that is not tiny. */
const SMALLEST_SHARE = 0.6;

test.each([
  { decoder: 'nina' },
  { decoder: 'nina', use_plu: false, affine_dim: 128, n_layers: 5 },
  { decoder: 'nina', backbone: 'trans', n_layers: 3, block_depth: 2, cond_dim: 96 },
  { decoder: 'nina', backbone: 'trans', n_layers: 2, chunk_length: 20, affine_dim: 256 },
  { decoder: 'flower', dit_dim: 128, n_heads: 4, n_layers: 2, embed_dim: 256 },
  { decoder: 'regression' },
  { decoder: 'regression', hidden_dim: 64, n_layers: 6, chunk_length: 30 },
])('the least numbers of %j are no more than it holds, and not many fewer', (settings) => {
  const decoder = decoderSchema.parse(settings);
  const encoder = { encoder_dim: 64, encoder_heads: 4, encoder_blocks: 2, encoder_dropout: 0 };
  const config = { encoder: { ...encoder, words: ['a'], max_words: 1, max_entities: 1 }, decoder };
  const { params, buffers } = init(key(0), config);
  const size = layoutOf(params).size + Object.values(buffers).reduce((n, values) => n + values.length, 0);
  expect(leastNumbers(config)).toBeLessThanOrEqual(size);
  expect(leastNumbers(config)).toBeGreaterThan(SMALLEST_SHARE * size);
});

test('settings that fit pass; others are refused with the one that asks for most, whatever else was changed', () => {
  const config = trainConfig(assignments(['affine_dim=512', 'batch_size=400', 'n_layers=30']));
  const bytes = leastBytes(config);
  requireMemory(config, bytes);
  expect(() => requireMemory(config, bytes - 1)).toThrow(UsageError);
  expect(() => requireMemory(config, bytes - 1)).toThrow(/Most of it is for affine_dim 512 \(default: 64\); lower it/);
});
