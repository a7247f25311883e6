import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { decoderSettings, trainConfig } from './config.ts';
import { assignments } from './recipe.ts';

test('actions have the size that demonstrations have', () => {
  expect(trainConfig(assignments(['action_dim=7'])).action_dim).toBe(7);
  expect(() => trainConfig(assignments(['action_dim=6']))).toThrow(UsageError);
  expect(() => trainConfig(assignments(['action_dim=6']))).toThrow(
    '--set action_dim: action_dim: action_dim must be the 7 numbers of an action in the demonstrations; got 6. Leave it out.',
  );
});

test('a decoder brings its own settings, and no others', () => {
  expect(trainConfig(assignments([]))).toMatchObject({ decoder: 'nina', backbone: 'mlp', n_layers: 28 });
  expect(trainConfig(assignments(['decoder=flower']))).toMatchObject({
    decoder: 'flower',
    dit_dim: 1024,
    n_layers: 18,
  });
  expect(trainConfig(assignments(['decoder=regression']))).toMatchObject({ hidden_dim: 512, n_layers: 3 });
  const message = (...settings: string[]) => {
    try {
      trainConfig(assignments(settings));
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return (error as UsageError).message;
    }
    throw new Error('nothing was thrown');
  };
  expect(message('decoder=flower', 'backbone=mlp')).toMatch(
    /^--set backbone: unknown key 'backbone'.* Allowed: decoder, dit_dim, /,
  );
  expect(message('decoder=flow')).toBe(
    '--set decoder: decoder: expected one of "nina"|"flower"|"regression"; got "flow"',
  );
  expect(message('decoder=flower', 'dit_dim=40', 'n_heads=3')).toMatch(
    /n_heads: The Transformer splits .* got dit_dim 40 and n_heads 3\.$/,
  );
  // Every mistake at once, each once.
  expect(message('decoder=regression', 'action_dim=6', 'hidden_dim=0').split('\n')).toEqual([
    expect.stringMatching(/^--set hidden_dim: .*>=1/),
    expect.stringMatching(/^--set action_dim: /),
  ]);
});

test('the decoder of a run knows the width of its encoder', () => {
  const config = trainConfig(assignments(['decoder=flower', 'dit_dim=32', 'n_heads=2', 'encoder_dim=16']));
  expect(decoderSettings(config)).toMatchObject({ decoder: 'flower', embed_dim: 64, dit_dim: 32 });
  expect(() => trainConfig(assignments(['decoder=flower', 'embed_dim=3']))).toThrow("unknown key 'embed_dim'");
});
