import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { trainConfig } from './config.ts';
import { leastBytes, requireMemory } from './memory.ts';
import { assignments } from './recipe.ts';

test('the estimate counts what the parameters take nine times, without drawing them', () => {
  const bytes = (...changes: string[]) => leastBytes(trainConfig(assignments(changes)));
  // A layer of the perceptrons, H x H, in two nets of each of 28 layers; other sizes grow with H alone.
  const [small, large] = [bytes('affine_dim=1000000'), bytes('affine_dim=2000000')];
  const squares = (H: number) => 9 * 4 * 28 * 2 * H ** 2;
  expect((large - small) / (squares(2e6) - squares(1e6))).toBeCloseTo(1, 2);
});

test('settings that fit pass; others are refused with the one that asks for most, whatever else was changed', () => {
  const config = trainConfig(assignments(['affine_dim=512', 'batch_size=400', 'n_layers=30']));
  const bytes = leastBytes(config);
  requireMemory(config, bytes);
  expect(() => requireMemory(config, bytes - 1)).toThrow(UsageError);
  expect(() => requireMemory(config, bytes - 1)).toThrow(
    /Most of it is for decoder\.affine_dim 512 \(default: 64\); lower it/,
  );
});

test('where training the decoder alone would fit, that is the advice', () => {
  const config = { ...trainConfig(assignments(['encoder.dim=1024', 'n_layers=1'])), init: 'a checkpoint' };
  const frozen = leastBytes({ ...config, training: { ...config.training, freeze: 'encoder' as const } });
  expect(frozen).toBeLessThan(leastBytes(config));
  expect(() => requireMemory(config, frozen)).toThrow(/leave it as it begins: --freeze encoder\.$/);
  expect(() => requireMemory(config, frozen - 1)).toThrow(/Most of it is for encoder\.dim 1024/);
});

test('the setting is found where its default would not go with the others', () => {
  // 1024 is no multiple of 2 x 6.
  const config = trainConfig(assignments(['decoder=flower', 'dit_dim=120000', 'n_heads=6']));
  expect(() => requireMemory(config, 2 ** 30)).toThrow(/for decoder\.dit_dim 120000 \(default: 1024\); lower it/);
});
