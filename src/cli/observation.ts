/** An observation as JSON, with sentences that name the entry that is wrong. */
import type { StateObservation } from '../encoders/state/index.ts';
import { checkJson, parseJson } from '../json.ts';
import { checkObservation, observationSchema } from '../policy/index.ts';

/**
 * @param what how messages call the text
 * @throws NinaError for what is not JSON or no observation, naming its entries, and for numbers that are not finite.
 */
export function parseObservation(json: string, what: string): StateObservation {
  const wanted =
    'Wanted an observation: {proprio: [11 numbers], entities: [8 for each entity], categories, instruction}.';
  const observation = checkJson(observationSchema, parseJson(json, what), what, wanted);
  checkObservation(observation);
  return observation;
}
