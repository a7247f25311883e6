/** A policy as sessions ask it: with the observation of `src/robot/`. */
import type { StateObservation } from '../encoders/state/index.ts';
import { type Observation, PANDA } from '../robot/index.ts';
import type { Policy } from './policy.ts';
import type { Actor } from './session.ts';

export function actorOf({ chunkLength, multistep, infer, surprise }: Policy): Actor {
  return {
    ...{ robot: PANDA, chunkLength, multistep },
    infer: (observation, options) => infer(stateObservation(observation), options),
    ...(surprise && { surprise: (observation, chunk) => surprise(stateObservation(observation), chunk) }),
  };
}

const stateObservation = ({ state, entities, instruction }: Observation): StateObservation => ({
  ...{ proprio: state!, entities: entities!.poses, categories: entities!.categories, instruction },
});
