/** Both cameras in the pool: pictures as built or made strange, where things are in them, and what of it can be seen. */
import { tan } from '../../math.ts';
import type { Rng } from '../../random.ts';
import type { Picture } from '../../robot/index.ts';
import { createCamera, type View } from '../camera/index.ts';
import { cameraPoseOf, geomPosesOf, geomsOf } from '../geometry.ts';
import { CAMERAS, type CameraName, PICTURE_SIZE } from '../pictures.ts';
import type { Vec3 } from '../types.ts';
import { type Knock, knocked, randomLook } from './look.ts';
import type { Pool } from './pool.ts';

/** Where a thing is in a picture. */
export interface Sighting {
  /** Of the projected centre, in [0, 1] of the picture where it is inside, y down; -1 behind the camera. */
  x: number;
  y: number;
  /** Its centre is inside the picture, and so much of it is seen that it can be told. */
  visible: boolean;
}

/** A thing is visible from so many samples on, 4 to a pixel. */
export const VISIBLE_SAMPLES = 24;
/** How far cameras are from where they belong: the one on the wrist may be mounted less exactly. */
const KNOCKS: Readonly<Record<CameraName, Knock>> = {
  agentview: { metres: 0.015, radians: 0.015, degrees: 1 },
  eye_in_hand: { metres: 0.008, radians: 0.03, degrees: 2 },
};

export interface Shot {
  picture: Picture;
  from: View;
  sight(thing: string, centre: Vec3): Sighting;
}

export interface Eye {
  /** @param strange of a scene that does not look as built: what its look follows from */
  shoot(strange: Rng | undefined): Readonly<Record<CameraName, Shot>>;
}

/** The cameras of the pool. */
export function openEye({ physics, scene }: Pool): Eye {
  const geoms = geomsOf(physics);
  const bodies = Int32Array.from(physics.model.geom_bodyid as Int32Array);
  const things = [...scene.objects, ...scene.fixtures, ...scene.parts];
  const groups = new Map(things.map(({ name }, i) => [name, i + 1]));
  const groupOf = new Map([...groups].map(([name, group]) => [physics.id('body', name), group]));
  const camera = createCamera(geoms, {
    ...PICTURE_SIZE,
    groups: Array.from(bodies, (body) => groupOf.get(body) ?? 0),
  });
  const colours = Float64Array.from(geoms.flatMap(({ rgba }) => rgba.slice(0, 3)));
  return {
    shoot(strange) {
      const poses = geomPosesOf(physics);
      const look = strange && randomLook(colours, bodies, (body) => groupOf.has(body), strange);
      const shots = CAMERAS.map((name): [CameraName, Shot] => {
        const own = cameraPoseOf(physics, name);
        const from = strange ? knocked(own, KNOCKS[name], strange) : own;
        const data = camera.render(poses, from, undefined, look);
        const samples = camera.samplesOf();
        const sight = (thing: string, centre: Vec3): Sighting => {
          const { x, y } = project(centre, from);
          const inside = x >= 0 && x < 1 && y >= 0 && y < 1;
          return { x, y, visible: inside && samples[groups.get(thing)!] >= VISIBLE_SAMPLES };
        };
        return [name, { picture: { ...PICTURE_SIZE, data }, from, sight }];
      });
      return Object.fromEntries(shots) as Record<CameraName, Shot>;
    },
  };
}

/** A point of the world in the picture, as shares of its sides from the top left corner. */
export function project(point: Vec3, { position, rotation: r, fovyDeg }: View): { x: number; y: number } {
  const d = [0, 1, 2].map((i) => point[i] - position[i]);
  const [right, up, back] = [0, 1, 2].map((i) => r[i] * d[0] + r[3 + i] * d[1] + r[6 + i] * d[2]);
  if (back >= 0) return { x: -1, y: -1 };
  const reach = -back * tan((fovyDeg * Math.PI) / 360);
  return { x: 0.5 + (0.5 * right) / reach, y: 0.5 - (0.5 * up) / reach };
}
