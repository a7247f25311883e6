import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { trainConfig } from './config.ts';
import { assignments } from './recipe.ts';

test('actions have the size that demonstrations have', () => {
  expect(trainConfig(assignments(['action_dim=7'])).action_dim).toBe(7);
  expect(() => trainConfig(assignments(['action_dim=6']))).toThrow(UsageError);
  expect(() => trainConfig(assignments(['action_dim=6']))).toThrow(
    '--set action_dim: action_dim: action_dim must be the 7 numbers of an action in the demonstrations; got 6. Leave it out.',
  );
});
