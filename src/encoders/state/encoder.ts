/** The state encoder as a value of the contract: the robot's state, entity poses and an instruction -> one token [B, 1, W]. */
import * as z from 'zod';
import { NinaError } from '../../errors.ts';
import type { Dropout } from '../../nn/index.ts';
import {
  ENTITY_SIZE,
  type Entities,
  momentsOf,
  momentsSchema,
  type Observation,
  type Robot,
  requireFinite,
  stateSize,
} from '../../robot/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import type { DataSummary, Encoder, Measurable, ObservationWriter } from '../encoder.ts';
import { type StateConfig, type StateSettings, stateConfigSchema, stateSettingsSchema } from './config.ts';
import { type StateArrays, type StateStatistics, stateArrays, writeState } from './features.ts';
import { blueprint, encode, type StateInputs, type StateParams, stateInputs, tokenWidth } from './model.ts';
import { knownScene } from './scene.ts';
import { requireWords, tokenise } from './words.ts';

export const stateEncoder = {
  name: 'state',
  settings: stateSettingsSchema,
  schema: stateConfigSchema,
  assets: [],
  configure,
  statistics: ({ state_size }: StateConfig) =>
    z.strictObject({ state: momentsSchema(state_size), position: momentsSchema(3), joint: momentsSchema(1) }),
  measure,
  tokens: (settings: StateSettings) => ({ count: 1, width: tokenWidth(settings) }),
  blueprint,
  inputs: stateInputs,
  arrays: stateArrays,
  views: () => [],
  writer: (config: StateConfig, statistics: StateStatistics): ObservationWriter => ({
    check: (observation) => check(config, observation),
    write(observation, arrays, row) {
      const { state, entities, instruction } = requireMembers(observation);
      const scene = knownScene(config, entities.categories, instruction);
      writeState(config, statistics, scene, state, entities.poses, arrays as StateArrays, row);
    },
  }),
  encode: (config: StateConfig, p: StateParams<Tensor>, inputs: StateInputs, dropout: Dropout) => ({
    tokens: encode(config, p, inputs, dropout),
  }),
  dropoutRate: ({ dropout }: StateConfig) => dropout,
  knows: ({ words }: StateConfig, text: string) => tokenise(text).every((word) => words.includes(word)),
  describe: ({ max_entities, max_words, words }: StateConfig) => [
    ['scene', `at most ${max_entities} entities; instructions of at most ${max_words} words`],
    ['words', words.join(' ')],
  ],
} as const satisfies Encoder<StateSettings, StateConfig, StateStatistics>;

/** The configuration for scenes like these: their vocabulary and the largest sizes found; the robot's state. */
function configure(settings: StateSettings, { episodes, robot }: DataSummary): StateConfig {
  const words = new Set<string>();
  let max_words = 1;
  let max_entities = 1;
  for (const { where, instruction, categories } of episodes) {
    if (categories.length === 0)
      throw new NinaError(
        `${where} has no dataset 'obs/entities', which a state encoder needs (LIBERO's own files hold images only). ` +
          "Record with 'nina demos'.",
      );
    requireWords({ instruction, categories }, where);
    const spoken = tokenise(instruction);
    max_words = Math.max(max_words, spoken.length);
    max_entities = Math.max(max_entities, categories.length);
    for (const word of [...spoken, ...categories.flatMap(tokenise)]) words.add(word);
  }
  const { endEffector } = robot.state;
  return {
    ...{ name: 'state', ...settings, words: [...words].sort(), max_words, max_entities, state_size: stateSize(robot) },
    ...(endEffector !== undefined && { end_effector: endEffector }),
  };
}

function measure(episodes: readonly Measurable[], robot: Robot): StateStatistics {
  const column = (offset: number, width: number) =>
    episodes.map(({ poses }) => {
      const rows = poses.length / ENTITY_SIZE;
      const out = new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        const from = row * ENTITY_SIZE + offset;
        out.set(poses.subarray(from, from + width), row * width);
      }
      return out;
    });
  return {
    state: momentsOf(
      episodes.map(({ state }) => state),
      robot.state.names,
    ),
    position: momentsOf(column(0, 3), ['x', 'y', 'z']),
    joint: momentsOf(column(ENTITY_SIZE - 1, 1), ['joint']),
  };
}

function check(config: StateConfig, observation: Observation): void {
  const { state, entities, instruction } = requireMembers(observation);
  const { categories, poses } = entities;
  const wanted = categories.length * ENTITY_SIZE;
  if (state.length !== config.state_size || poses.length !== wanted)
    throw new NinaError(
      `An observation needs ${config.state_size} numbers of the robot's state and ${ENTITY_SIZE} for each of its ` +
        `${categories.length} entities (${wanted}); got ${state.length} and ${poses.length}.`,
    );
  requireFinite('state', state);
  requireFinite('entities.poses', poses, (i) => {
    const entity = Math.floor(i / ENTITY_SIZE);
    return ` (number ${i % ENTITY_SIZE} of entity ${entity}, ${categories[entity]})`;
  });
  knownScene(config, categories, instruction);
}

function requireMembers({ state, entities, instruction }: Observation): {
  state: ArrayLike<number>;
  entities: Entities;
  instruction: string;
} {
  if (state && entities) return { state, entities, instruction };
  throw new NinaError(
    `An observation has no '${state ? 'entities' : 'state'}', which this policy's encoder needs: it sees the robot's state and the ` +
      'poses of all things in view.',
  );
}
