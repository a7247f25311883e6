import { describe, expect, test } from 'vitest';
import { ninaSchema } from './config.ts';

const messages = (config: object) =>
  ninaSchema.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('NinA configuration', () => {
  test("defaults are the paper's best MLP", () => {
    expect(ninaSchema.parse({})).toEqual({
      backbone: 'mlp',
      n_layers: 28,
      affine_dim: 64,
      block_depth: 3,
      n_heads: 8,
      use_plu: true,
      action_noise_mult: 0.03,
      clamp_noise: true,
      dropout: 0.1,
      cond_dim: 256,
      chunk_length: 10,
      action_dim: 7,
    });
  });

  test('an odd T with trans is refused with both values', () => {
    expect(messages({ backbone: 'trans', chunk_length: 5, affine_dim: 256 })).toEqual([
      'chunk_length: The trans backbone splits a chunk into two halves of time steps: chunk_length must be even; got chunk_length 5 with backbone trans. Use 6, or backbone mlp.',
    ]);
  });

  test('an odd T*A with mlp is refused with both values; an odd T alone is not', () => {
    expect(messages({ chunk_length: 5 })).toEqual([
      'chunk_length: The mlp backbone splits a chunk into two halves of scalars: chunk_length x action_dim must be even; got chunk_length 5 x action_dim 7. Use chunk_length 6.',
    ]);
    expect(messages({ chunk_length: 5, action_dim: 6 })).toBeUndefined();
  });

  test('a width that the heads do not divide is refused for trans only', () => {
    expect(messages({ backbone: 'trans', affine_dim: 36 })).toEqual([
      'n_heads: The trans backbone splits its width into heads: affine_dim must be divisible by n_heads; got affine_dim 36 and n_heads 8.',
    ]);
    expect(messages({ affine_dim: 36 })).toBeUndefined();
  });

  test('unknown keys and wrong types are refused', () => {
    expect(messages({ layers: 3, dropout: 1, n_layers: 1.5 })).toHaveLength(3);
  });
});
