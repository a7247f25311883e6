import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { settingsByPath, trainConfig } from './config.ts';
import { decoderConfig, widthOfTokens } from './parts.ts';
import { assignments, flagSettings } from './recipe.ts';
import { settingsIn } from './settings.ts';

function message(...settings: string[]): string {
  try {
    trainConfig(assignments(settings));
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('nothing was thrown');
}

test('a decoder brings its own settings, and no others', () => {
  expect(trainConfig(assignments([])).decoder).toMatchObject({ name: 'nina', backbone: 'mlp', n_layers: 28 });
  expect(trainConfig(assignments(['decoder=flower'])).decoder).toMatchObject({
    name: 'flower',
    dit_dim: 1024,
    n_layers: 18,
  });
  expect(trainConfig(assignments(['decoder.name=regression'])).decoder).toEqual({
    ...{ name: 'regression', hidden_dim: 512, n_layers: 3, cond_dim: 256, chunk_length: 10 },
  });
  expect(message('decoder=flower', 'backbone=mlp')).toMatch(
    /^--set backbone: unknown key 'decoder.backbone'\. Allowed: name, dit_dim, /,
  );
  expect(message('decoder=flow', 'decoder.x=3', 'batch_size=0').split('\n')).toEqual([
    '--set decoder: decoder.name: expected one of "nina"|"flower"|"regression"; got "flow"',
    '--set batch_size: training.batch_size: Too small: expected number to be >=1; got 0',
  ]);
});

test('what must hold between settings is told with their values, every mistake at once, each once', () => {
  expect(message('decoder=flower', 'dit_dim=40', 'n_heads=3')).toMatch(
    /^--set n_heads: decoder.n_heads: The Transformer splits .* got dit_dim 40 and n_heads 3\.$/,
  );
  const recipe = settingsIn({ decoder: { name: 'flower', dit_dim: 40 } }, 'a.yaml:4');
  expect(() => trainConfig(new Map([['decoder', { value: {}, where: 'a.yaml:3' }], ...recipe]))).toThrow(
    /^a\.yaml:3: decoder\.n_heads: .* got dit_dim 40 and n_heads 16\.$/,
  );
  expect(
    message(
      ...['decoder=regression', 'hidden_dim=0', 'encoder.heads=3', 'multistep=11', 'warmup_fraction=1'],
      'hold_fraction=0.5',
    ).split('\n'),
  ).toEqual([
    '--set hidden_dim: decoder.hidden_dim: Too small: expected number to be >=1; got 0',
    '--set encoder.heads: encoder.heads: heads must divide dim; got 3 heads for a width of 64',
    '--set multistep: acting.multistep: multistep must be at most chunk_length; got 11 of chunks of 10',
    '--set hold_fraction: training.hold_fraction: warmup_fraction + hold_fraction must be at most 1; got 1 + 0.5',
  ]);
});

test('what is frozen has weights to begin with, and a part that can be', () => {
  expect(message('freeze=encoder').split('\n')).toEqual([
    "--set freeze: training.freeze: what is frozen stays as it begins, so it needs weights to begin with: init; got 'encoder' with init not given, init_weights true",
  ]);
  expect(message('freeze=trunk')).toContain(
    "the encoder state has no part that sees pictures alone, so wanted 'none' or 'encoder'; got 'trunk'",
  );
  expect(message('encoder=florence2-nano', 'views=agentview')).toBe(
    '--set views: encoder.views: expected array, received string; got "agentview"; a list is written [a, b]',
  );
  expect(message('encoder=florence2-base')).toBe(
    'recipe: init: the encoder florence2-base needs tokenizer.json, which comes with weights: name the folder of an imported ' +
      'encoder or of a checkpoint (with init_weights false its weights are not taken)',
  );
});

test("the paper's flags name settings without their sections", () => {
  const flags = { backbone: 'trans', n_layers: '18', decoder: 'nina', batch_size: '40', seed: '3', multistep: '5' };
  expect(trainConfig(flagSettings(flags))).toMatchObject({
    seed: 3,
    decoder: { name: 'nina', backbone: 'trans', n_layers: 18 },
    training: { batch_size: 40 },
    acting: { multistep: 5 },
  });
});

test('of two settings of one name the plain name is the decoder’s, also where that has none', () => {
  const { encoder, decoder } = trainConfig(assignments(['dropout=0.3', 'encoder.dropout=0.2']));
  expect([encoder.dropout, decoder.dropout]).toEqual([0.2, 0.3]);
  expect(message('decoder=regression', 'dropout=0.3')).toMatch(
    /^--set dropout: unknown key 'decoder.dropout'\. Allowed/,
  );
});

test('what encoder and robot determine is no setting, and filled in', () => {
  const config = trainConfig(assignments(['decoder=flower', 'dit_dim=32', 'n_heads=2', 'encoder.dim=16']));
  expect(decoderConfig(config.decoder)).toMatchObject({ name: 'flower', dit_dim: 32, action_dim: 7 });
  expect(widthOfTokens(config.encoder)).toBe(64);
  expect(message('decoder=flower', 'decoder.embed_dim=3')).toContain("unknown key 'decoder.embed_dim'");
  expect(message('decoder.action_dim=7')).toContain("unknown key 'decoder.action_dim'");
});

test('a complete recipe is the same by path and back', () => {
  const config = trainConfig(assignments(['decoder=regression', 'multistep=5', 'data=demos']));
  const paths = settingsByPath(config);
  expect(paths).toMatchObject({ data: 'demos', 'decoder.name': 'regression', 'acting.multistep': 5 });
  expect(paths['training.schedule_steps']).toBeNull();
  expect(trainConfig(settingsIn(JSON.parse(JSON.stringify(config)), 'file'))).toEqual(config);
});
