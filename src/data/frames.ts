/** Steps of one demonstration out of an HDF5 file: numbers always, pictures of the views that are asked for. */
import { NinaError } from '../errors.ts';
import { ENTITY_SIZE, PANDA, type Picture, sameRobot, stateSize, writeProprio } from '../robot/index.ts';
import { readActions } from './actions.ts';
import { quaternionFromAxisAngle } from './axis-angle.ts';
import type { EpisodeHeader, Frames, Rounded } from './episode.ts';
import { readFinite } from './finite.ts';
import { find, kindOf, namesIn, type Place } from './hdf5/links.ts';
import { shapeOf } from './hdf5/metadata.ts';
import { type Rows, readNumbers } from './hdf5/numbers.ts';
import { text } from './hdf5/texts.ts';

/** How names of pictures' datasets end. */
export const PICTURES = '_rgb';

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
      images: Object.fromEntries(views.map((view) => [view, readPictures(group, header, view, rows)])),
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

function readPictures(group: Place, { length, views }: EpisodeHeader, view: string, rows: Rows): Picture[] {
  const name = `obs/${view}${PICTURES}`;
  const { width, height } = views[view] ?? {};
  if (!width || !height)
    throw new NinaError(
      `${group.title} has no pictures of the view '${view}'. It has: ${Object.keys(views).join(', ') || 'none'}.`,
    );
  const { data } = readNumbers(group, name, [length, height, width, 3], rows);
  const bad = data.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= 255));
  if (bad >= 0) throw new NinaError(`${group.title}/${name} holds ${data[bad]}; a picture's numbers are 0 to 255.`);
  const size = height * width * 3;
  const upsideDown = isUpsideDown(group);
  return Array.from({ length: rows[1] - rows[0] }, (_, t) => {
    const pixels = Uint8Array.from(data.subarray(t * size, (t + 1) * size));
    return { width, height, data: upsideDown ? flipped(pixels, height) : pixels };
  });
}

/** LIBERO's pictures follow OpenGL, row 0 at the bottom, unless /data says otherwise. */
export function isUpsideDown({ file }: Place): boolean {
  const data = find({ file, path: '/', title: file.name }, 'data');
  return (data && text(data, 'macros_image_convention')) !== 'opencv';
}

/** The rows of one picture from the last to the first. */
export function flipped(pixels: Uint8Array, height: number): Uint8Array {
  const row = pixels.length / height;
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) out.set(pixels.subarray(y * row, (y + 1) * row), (height - 1 - y) * row);
  return out;
}
