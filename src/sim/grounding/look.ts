/** How scenes look that are not as the suites' tasks look: other light and colours, cameras that were moved a little. */
import type { Rng } from '../../random.ts';
import { type Look, towards, type View } from '../camera/index.ts';
import { matrixFromAxisAngle, multiply } from '../rotation.ts';
import type { Vec3 } from '../types.ts';

/** Relative brightness of a thing, and what is added to each of its colour's channels. */
const BRIGHTNESS = 0.15;
const TINT = 0.06;
/** Of what is never named, the table, the floor and the arm, colours matter less. */
const PLAIN_TINT = 0.15;

/**
 * @param colours [3n] as the geoms were built
 * @param bodies [n] which body each geom is of: its geoms keep the relation of their colours
 * @param named whether a body is one that phrases name
 */
export function randomLook(
  colours: Float64Array,
  bodies: Int32Array,
  named: (body: number) => boolean,
  random: Rng,
): Look {
  const around = (spread: number) => random.uniform(-spread, spread);
  const direction = (up: number): Vec3 => [around(1), around(1), up];
  const changes = new Map<number, readonly number[]>();
  const out = colours.map((value, i) => {
    const body = bodies[Math.floor(i / 3)];
    if (!changes.has(body)) {
      const tint = named(body) ? TINT : PLAIN_TINT;
      changes.set(body, [1 + around(BRIGHTNESS), around(tint), around(tint), around(tint)]);
    }
    const change = changes.get(body)!;
    return Math.min(1, Math.max(0, value * change[0] + change[1 + (i % 3)]));
  });
  return {
    colours: out,
    light: {
      ambient: random.uniform(0.35, 0.6),
      key: towards(direction(1), random.uniform(0.3, 0.6)),
      fill: towards(direction(0.5), random.uniform(0, 0.25)),
    },
  };
}

/** How far a camera is moved along each axis, turned about it, and its field of view changed. */
export interface Knock {
  metres: number;
  radians: number;
  degrees: number;
}

export function knocked({ position, rotation, fovyDeg }: View, by: Knock, random: Rng): View {
  const draw = (spread: number): Vec3 => [
    random.uniform(-spread, spread),
    random.uniform(-spread, spread),
    random.uniform(-spread, spread),
  ];
  const shift = draw(by.metres);
  const turn = matrixFromAxisAngle(draw(by.radians), new Float64Array(9));
  return {
    position: [position[0] + shift[0], position[1] + shift[1], position[2] + shift[2]],
    rotation: multiply(turn, rotation, new Float64Array(9)),
    fovyDeg: fovyDeg + random.uniform(-by.degrees, by.degrees),
  };
}
