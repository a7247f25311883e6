/** Scenes to ground names and phrases in, and the phrasings that evaluations keep to themselves. */
export type { Phrase } from './phrases.ts';
export { HELD_OUT, PARAPHRASES, type Phrasing } from './phrasings.ts';
export {
  type GroundedObject,
  type GroundingScene,
  openSceneSampler,
  type SceneSampler,
  type Sighting,
} from './sampler.ts';
