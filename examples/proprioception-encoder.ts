/**
 * An encoder of one's own: the robot's state alone, as one token. It sees neither scene nor words, which is what a policy of
 * one fixed task may need. Copied to src/encoders/proprioception/encoder.ts and added to ENCODERS in
 * src/encoders/index.ts, it is chosen by `encoder: { name: proprioception }` (docs/extending.md).
 */
import * as z from 'zod';
import type { Encoder } from '../src/encoders/encoder.ts';
import { NinaError } from '../src/errors.ts';
import { initLinear, type Linear, linear } from '../src/nn/index.ts';
import { type Moments, momentsOf, momentsSchema, normalise, requireFinite, stateSize } from '../src/robot/index.ts';
import { gelu, input, reshape, type Spec, type Tensor } from '../src/tensor/index.ts';

/** What a recipe chooses: the only home of the defaults. */
const settings = z.strictObject({ dim: z.int().min(1).default(64).describe('width W of the token') });
/** What a checkpoint stores: beside it, what the robot says. */
const schema = z.strictObject({ name: z.literal('proprioception'), ...settings.shape, state_size: z.int().min(1) });

type Config = z.output<typeof schema>;

/** The graph's one input, and the array that fills it. */
const INPUT = 'proprioception.state';

export const proprioception: Encoder<z.output<typeof settings>, Config, Moments> = {
  name: 'proprioception',
  settings,
  schema,
  assets: [],
  configure: (chosen, { robot }) => ({ name: 'proprioception', ...chosen, state_size: stateSize(robot) }),
  statistics: ({ state_size }) => momentsSchema(state_size),
  measure(episodes, robot) {
    const states = episodes.map(({ state }) => state);
    return momentsOf(states, robot.state.names);
  },
  tokens: ({ dim }) => ({ count: 1, width: dim }),
  blueprint: (key, { dim, state_size }): Linear<Spec> => initLinear(key, state_size, dim),
  inputs: ({ state_size }, B) => ({ [INPUT]: input(INPUT, [B, state_size]) }),
  arrays: ({ state_size }, B) => ({ [INPUT]: new Float32Array(B * state_size) }),
  views: () => [],
  writer: ({ state_size: P }, moments) => ({
    check({ state }) {
      if (state?.length !== P)
        throw new NinaError(`An observation needs ${P} numbers of the robot's state; got ${state?.length ?? 'none'}.`);
      requireFinite('state', state);
    },
    write({ state = [] }, arrays, row) {
      for (let i = 0; i < P; i++) arrays[INPUT][row * P + i] = normalise(state[i], moments, i);
    },
  }),
  encode({ dim }, parameters, inputs) {
    const seen = inputs[INPUT]; // [B, P]
    return { tokens: reshape(gelu(linear(parameters as Linear<Tensor>, seen)), [seen.shape[0], 1, dim]) };
  },
  dropoutRate: () => 0,
  describe: ({ state_size }) => [['state', `${state_size} numbers`]],
};
