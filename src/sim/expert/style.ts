/** How this demonstrator moves: the human-like variety of an episode, drawn once from its key. */

import type { Key } from '../../random.ts';
import { type Rng, rng } from '../../random.ts';

export interface Style {
  random: Rng;
  /** Largest position command, as a fraction of the action range. */
  speed: number;
  /** Height above the grasp from which the hand comes down, metres. */
  hoverM: number;
  /** Height of the hand while it carries something over the table, metres. */
  carryM: number;
  /** How far to one side the path to a target bends, metres; the sign is the side. */
  bendM: number;
  /** Standard deviation of the noise on position commands, in action units. */
  noise: number;
  /** Chance of a short pause before a movement. */
  pauseChance: number;
}

export function drawStyle(key: Key): Style {
  const random = rng(key);
  return {
    random,
    speed: random.uniform(0.88, 1),
    hoverM: random.uniform(0.07, 0.09),
    carryM: random.uniform(0.15, 0.17),
    bendM: random.pick([-1, 1]) * random.uniform(0.01, 0.03),
    noise: random.uniform(0.02, 0.04),
    pauseChance: 0.04,
  };
}
