/** An observation as JSON, with sentences that name the entry that is wrong. */
import { checkJson, parseJson } from '../json.ts';
import { type Observation, observationFromJson, observationSchema, requireFinite } from '../robot/index.ts';

/**
 * @param what how messages call the text
 * @throws NinaError for what is not JSON or no observation, naming its entries, and for numbers that are not finite.
 */
export function parseObservation(json: string, what: string): Observation {
  const wanted =
    'Wanted an observation: {images: {VIEW: {width, height, rgb: base64}}, state: [P numbers], ' +
    'entities: {categories: [N texts], poses: [8 numbers for each]}, instruction}.';
  const observation = checkJson(observationSchema, parseJson(json, what), what, wanted);
  requireFinite('state', observation.state ?? []);
  requireFinite('entities.poses', observation.entities?.poses ?? []);
  return observationFromJson(observation);
}
