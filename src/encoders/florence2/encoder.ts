/** Florence-2 as a value of the contract: pictures of one or more cameras and an instruction to tokens [B, S, d]. */
import * as z from 'zod';
import { NinaError } from '../../errors.ts';
import type { Dropout } from '../../nn/index.ts';
import type { Key } from '../../random.ts';
import { momentsOf, momentsSchema, stateSize } from '../../robot/index.ts';
import { input, type Tensor } from '../../tensor/index.ts';
import type { Arrays, Assets, DataSummary, Encoder } from '../encoder.ts';
import {
  type Florence2Choices,
  type Florence2Config,
  type Florence2Sizes,
  type Preset,
  schemas,
  tokensOf,
  tokensPerView,
} from './config.ts';
import { encodeSequence, imageFeatures } from './model.ts';
import { blueprint, type Params } from './params.ts';
import { florence2Reference } from './reference.ts';
import { openTokenizer, promptIds } from './words.ts';
import { type Florence2Statistics, florence2Writer, TOKENIZER } from './writer.ts';

type Settings = Florence2Choices & Partial<Florence2Sizes>;
type Inputs = Readonly<Record<string, Tensor>>;

/** The member of the registry that a preset is. */
export function florence2(preset: Preset): Encoder<Settings, Florence2Config, Florence2Statistics> {
  const { settings, schema } = schemas(preset);
  const complete = (chosen: Settings) => ({ ...preset.sizes, ...chosen }) as Florence2Sizes & Florence2Choices;
  return {
    name: preset.name,
    settings,
    schema,
    assets: [TOKENIZER],
    ...(preset.pretrained !== undefined && { pretrained: preset.pretrained }),
    configure(chosen, { episodes, robot, assets }) {
      const state = chosen.proprio ? { state_size: stateSize(robot) } : {};
      const config = { name: preset.name, ...complete(chosen), ...state };
      for (const episode of episodes) requireEpisode(config, episode, assets);
      return config;
    },
    statistics: ({ state_size }) =>
      state_size === undefined ? z.strictObject({}) : z.strictObject({ state: momentsSchema(state_size) }),
    measure: (episodes, robot, { proprio }) =>
      proprio
        ? {
            state: momentsOf(
              episodes.map(({ state }) => state),
              robot.state.names,
            ),
          }
        : {},
    tokens: (chosen) => {
      const sizes = complete(chosen);
      return { count: tokensOf(sizes), width: sizes.width, masked: true };
    },
    views: ({ views }) => views,
    blueprint: (key: Key, config) => blueprint(key, config),
    inputs: ({ views, image_size: P, max_text: L, state_size }, B) => ({
      'florence2.pixels': input('florence2.pixels', [B, views.length, 3, P, P]),
      'florence2.ids': input('florence2.ids', [B, L], 'int64'),
      // 1 for tokens of the text, 0 for padding.
      'florence2.real': input('florence2.real', [B, L]),
      ...(state_size !== undefined && { 'florence2.state': input('florence2.state', [B, state_size]) }),
    }),
    arrays: ({ views, image_size: P, max_text: L, state_size }, B): Arrays => ({
      'florence2.pixels': new Float32Array(B * views.length * 3 * P * P),
      'florence2.ids': new BigInt64Array(B * L),
      'florence2.real': new Float32Array(B * L),
      ...(state_size !== undefined && { 'florence2.state': new Float32Array(B * state_size) }),
    }),
    writer: florence2Writer,
    reference: florence2Reference,
    trunk: {
      paths: ['vision_tower', 'multi_modal_projector'],
      inputs: ['florence2.pixels'],
      features: (config, p, inputs, dropout) =>
        imageFeatures(config, p as Params<Tensor>, inputs['florence2.pixels'], dropout),
      featuresShape: (config, B) => [B, config.views.length, tokensPerView(config), config.width],
    },
    encode(config, p, inputs: Inputs, dropout: Dropout, features) {
      const params = p as Params<Tensor>;
      const { 'florence2.ids': ids, 'florence2.real': real, 'florence2.state': state } = inputs;
      const seen = features ?? imageFeatures(config, params, inputs['florence2.pixels'], dropout);
      return encodeSequence(config, params, seen, { ids, real, state }, dropout);
    },
    dropoutRate: ({ dropout }) => dropout,
    describe: ({ views, image_size, upside_down, max_text, prompt, proprio }) => [
      ['pictures', `${views.join(', ')}, ${image_size} x ${image_size} pixels${upside_down ? ', upside down' : ''}`],
      ['text', `at most ${max_text} tokens of '${prompt}'`],
      ['state', proprio ? 'a token' : 'not seen'],
    ],
  };
}

/** @throws NinaError for an episode without pictures of a view, or whose instruction is too long. */
function requireEpisode(
  config: Florence2Config,
  { where, instruction, views = {} }: DataSummary['episodes'][number],
  { [TOKENIZER]: tokenizer }: Assets,
): void {
  const missing = config.views.filter((view) => !Object.hasOwn(views, view));
  if (missing.length > 0)
    throw new NinaError(
      `${where} has no pictures of ${missing.join(', ')}, which the encoder ${config.name} reads; it has ` +
        `${Object.keys(views).join(', ') || 'none'}. Record with 'nina demos --images', or choose other views.`,
    );
  if (tokenizer !== undefined) promptIds(openTokenizer(tokenizer), config, instruction);
}
