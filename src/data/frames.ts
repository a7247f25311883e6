/** Steps of one demonstration out of an HDF5 file: numbers always, pictures of the views that are asked for. */
import { NinaError } from '../errors.ts';
import { ENTITY_SIZE, PANDA, sameRobot, stateSize, writeProprio } from '../robot/index.ts';
import { readActions } from './actions.ts';
import { quaternionFromAxisAngle } from './axis-angle.ts';
import type { EpisodeHeader, Frames, Rounded } from './episode.ts';
import { readFinite } from './finite.ts';
import { find, kindOf, namesIn, type Place } from './hdf5/links.ts';
import { shapeOf } from './hdf5/metadata.ts';
import type { Rows } from './hdf5/numbers.ts';
import { openPictureSet, PICTURES, readPictures } from './pictures.ts';

/** Views are the datasets obs/<view>_rgb [T, H, W, 3]. */
export function readViews(group: Place): EpisodeHeader['views'] {
  const obs = find(group, 'obs');
  const names = obs && kindOf(obs) === 'group' ? namesIn(obs).filter((name) => name.endsWith(PICTURES)) : [];
  return Object.fromEntries(
    names.map((name) => {
      const shape = shapeOf(group, `obs/${name}`)!;
      if (shape.length !== 4 || shape[3] !== 3)
        throw new NinaError(`${group.title}/obs/${name} has shape [${shape}]; pictures are [steps, height, width, 3].`);
      return [name.slice(0, -PICTURES.length), { height: shape[1], width: shape[2] }];
    }),
  );
}

export function readFrames(group: Place, header: EpisodeHeader, rows: Rows, views: readonly string[]): Frames {
  const { robot, length, categories } = header;
  const rounded: Rounded[] = [];
  const actions = Float32Array.from(readActions(group, robot.action, rounded, rows));
  const N = categories.length;
  const poses = N === 0 ? [] : readFinite(group, 'obs/entities', [length, N, ENTITY_SIZE], rows);
  return {
    actions,
    state: readState(group, header, rows),
    poses: Float32Array.from(poses),
    ...(views.length > 0 && {
      images: Object.fromEntries(views.map((view) => [view, readPictures(openPictureSet(group, header, view), rows)])),
    }),
    ...(rounded.length > 0 && { rounded }),
  };
}

/** LIBERO's files hold the parts of its robot's state; those of other robots hold `obs/state`. */
function readState(group: Place, { robot, length }: EpisodeHeader, rows: Rows): Float32Array {
  const P = stateSize(robot);
  if (!sameRobot(robot, PANDA)) return Float32Array.from(readFinite(group, 'obs/state', [length, P], rows));
  const position = readFinite(group, 'obs/ee_pos', [length, 3], rows);
  const orientation = readFinite(group, 'obs/ee_ori', [length, 3], rows);
  const gripper = readFinite(group, 'obs/gripper_states', [length, 2], rows);
  const steps = rows[1] - rows[0];
  const out = new Float32Array(steps * P);
  for (let t = 0; t < steps; t++)
    writeProprio(
      position.subarray(t * 3),
      quaternionFromAxisAngle(orientation.subarray(t * 3)),
      gripper.subarray(t * 2),
      out,
      t * P,
    );
  return out;
}
