/** A policy's encoder with its weights inside: one observation to what the decoder sees of it. */
import * as state from '../encoders/state/index.ts';
import { cpu } from '../engine/index.ts';
import { noDropout } from '../nn/index.ts';
import { freeze } from '../tensor/index.ts';
import { checkObservation } from './checks.ts';
import type { PolicyConfig, PolicyStatistics } from './config.ts';
import { context, type PolicyModel } from './model.ts';

export interface Seeing extends Disposable {
  /**
   * The decoder's context of one observation.
   * @throws NinaError for words or entities the policy was not trained on, and for observations of another size.
   */
  see(observation: state.StateObservation): Promise<Float32Array>;
}

export async function compileSeeing(
  config: PolicyConfig,
  statistics: PolicyStatistics,
  { params }: PolicyModel,
  threads: number,
): Promise<Seeing> {
  const seen = context(config, freeze(params), state.stateInputs(config.encoder, 1), noDropout);
  const program = await cpu.compile({ context: seen }, { threads, weights: 'packed' });
  const scenes = sceneCache(config);
  return {
    async see(observation) {
      checkObservation(observation);
      const { categories, instruction, proprio, entities } = observation;
      // Fresh arrays: a second question may be asked before the first is answered.
      const arrays = state.stateArrays(config.encoder, 1);
      state.writeState(statistics, scenes(categories, instruction), proprio, entities, arrays, 0);
      return (await program.run(state.feedsOf(arrays))).context;
    },
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/** Scenes change between episodes, not between steps. */
function sceneCache(config: PolicyConfig) {
  let last: { name: string; scene: state.Scene } | undefined;
  return (categories: readonly string[], instruction: string): state.Scene => {
    const name = JSON.stringify([categories, instruction]);
    if (last?.name !== name) last = { name, scene: state.scene(config.encoder, categories, instruction) };
    return last.scene;
  };
}
