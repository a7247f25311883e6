/** A policy's encoder with its weights inside: one observation to what the decoder sees of it. */
import * as state from '../encoders/state/index.ts';
import type { Engine } from '../engine/engine.ts';
import { noDropout } from '../nn/index.ts';
import { freeze } from '../tensor/index.ts';
import { checkObservation } from './checks.ts';
import type { PolicyConfig, PolicyStatistics } from './config.ts';
import { bind, type PolicyModel } from './model.ts';

export interface CompiledEncoder extends Disposable {
  /**
   * The decoder's context of one observation.
   * @throws NinaError for words or entities the policy was not trained on, and for observations of another size.
   */
  context(observation: state.StateObservation): Promise<Float32Array>;
}

export async function compileEncoder(
  config: PolicyConfig,
  statistics: PolicyStatistics,
  model: PolicyModel,
  engine: Engine,
  threads: number,
): Promise<CompiledEncoder> {
  const policy = bind(config, model, freeze(model.params));
  const seen = policy.context(state.stateInputs(config.encoder, 1), noDropout);
  const program = await engine.compile({ context: seen }, { threads, weights: 'packed' });
  const write = observationWriter(config, statistics);
  return {
    context: async (observation) => (await program.run(write(observation))).context,
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/** Observations to the numbers of the encoder's inputs, by their names, in arrays of their own. */
export function observationWriter(
  config: PolicyConfig,
  statistics: PolicyStatistics,
): (observation: state.StateObservation) => ReturnType<typeof state.feedsOf> {
  // Scenes change between episodes, not between steps.
  let last: { name: string; scene: state.Scene } | undefined;
  return (observation) => {
    checkObservation(observation);
    const { categories, instruction, proprio, entities } = observation;
    const name = JSON.stringify([categories, instruction]);
    if (last?.name !== name) last = { name, scene: state.scene(config.encoder, categories, instruction) };
    const arrays = state.stateArrays(config.encoder, 1);
    state.writeState(statistics, last.scene, proprio, entities, arrays, 0);
    return state.feedsOf(arrays);
  };
}
