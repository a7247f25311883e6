/**
 * Aims as people do: often a little beside the target first, sometimes closing the fingers on nothing, then correcting.
 * A demonstrator that never errs shows only the states along its own path; one that errs and corrects shows what to do
 * beside it, which is where an imitator finds itself (compare DART, Laskey et al. 2017, arXiv 1703.09327).
 */
import { cos, sin } from '../../math.ts';
import type { SceneObject } from '../scene.ts';
import type { WorldObservation } from '../types.ts';
import type { World } from '../world.ts';
import { handFits, obstacles } from './clearance.ts';
import type { GraspPose } from './grasps.ts';
import { grip, moveTo, rise } from './motions.ts';
import type { Style } from './style.ts';
import type { HandPose, Waypoint } from './waypoint.ts';

/** How many wrong aims a reach has: one of these, equally likely. */
const WRONG_AIMS = [0, 1, 1, 2] as const;
/** How far beside the target, metres, and turned by at most this, rad. */
const AIM_ERROR_M = [0.01, 0.045] as const;
const AIM_ERROR_RAD = 0.25;
/** Lowest height of a wrong aim above the grasp, metres: the fingertips stay above the object. */
const LOWEST_M = 0.03;
/** Share of the wrong aims that close the fingers, and how far the hand then rises, metres. */
const MISSED_SHARE = 0.12;
const MISSED_RISE_M = [0.02, 0.08] as const;

/** Wrong aims between arriving above a grasp and descending on it; those without room for the hand are left out. */
export function* misjudge(
  world: World,
  object: SceneObject,
  grasp: GraspPose,
  style: Style,
  look: () => WorldObservation,
): Generator<Waypoint> {
  const { random } = style;
  for (let aims = random.pick(WRONG_AIMS); aims > 0; aims--) {
    const wrong = beside(grasp, random.uniform(LOWEST_M, style.hoverM), AIM_ERROR_M, style);
    if (!handFits(wrong(look()), obstacles(world.scene, look(), object.name))) continue;
    yield moveTo(wrong, -1, 0.012, 25);
    if (random.uniform() >= MISSED_SHARE) continue;
    const { yaw } = grasp(look());
    yield grip(look(), yaw, 1);
    yield rise(look(), yaw, look().eefPosition[2] + random.uniform(...MISSED_RISE_M), 1);
  }
}

/** A pose beside another, drawn once: `heightM` above it, and off to any side by a distance within `errorM`. */
export function beside(
  pose: (o: WorldObservation) => HandPose,
  heightM: number,
  errorM: readonly [number, number],
  { random }: Style,
): (o: WorldObservation) => HandPose {
  const angle = random.uniform(0, 2 * Math.PI);
  const distance = random.uniform(...errorM);
  const turn = random.uniform(-AIM_ERROR_RAD, AIM_ERROR_RAD);
  return (o) => {
    const { position, yaw } = pose(o);
    const [x, y, z] = position;
    return {
      position: [x + distance * cos(angle), y + distance * sin(angle), z + heightM],
      yaw: yaw + turn,
    };
  };
}
