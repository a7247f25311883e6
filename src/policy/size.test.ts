import { expect, test } from 'vitest';
import { decoderSchema } from '../decoders/index.ts';
import { stateSchema } from '../encoders/state/index.ts';
import { key } from '../random.ts';
import { layoutOf } from '../tensor/index.ts';
import { init } from './model.ts';
import { leastSize } from './size.ts';

/** What is left out (biases, norms, embeddings) is the smaller part of any model that is not tiny. */
const SMALLEST_SHARE = 0.6;

test.each([
  { decoder: 'nina' },
  { decoder: 'nina', use_plu: false, affine_dim: 128, n_layers: 5 },
  { decoder: 'nina', backbone: 'trans', n_layers: 3, block_depth: 2, cond_dim: 96 },
  { decoder: 'nina', backbone: 'trans', n_layers: 2, chunk_length: 20, affine_dim: 256 },
  { decoder: 'flower', dit_dim: 128, n_heads: 4, n_layers: 2, embed_dim: 256 },
  { decoder: 'regression' },
  { decoder: 'regression', hidden_dim: 64, n_layers: 6, chunk_length: 30 },
])('the least size of %j is below its size, and near it', (settings) => {
  const decoder = decoderSchema.parse(settings);
  const encoder = stateSchema.parse({ encoder_dim: 64, encoder_blocks: 2 });
  const config = { ...encoder, words: ['a'], max_words: 1, max_entities: 1 };
  const { size } = layoutOf(init(key(0), { encoder: config, decoder }).params);
  const { parameters } = leastSize(encoder, decoder);
  expect(parameters).toBeLessThanOrEqual(size);
  expect(parameters).toBeGreaterThan(SMALLEST_SHARE * size);
});
