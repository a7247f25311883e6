/**
 * Pictures of demonstrations, one step at a time and in any order, as training draws them. Files stay open, what is asked of
 * a dataset before it is read is asked once, and no more of it is undone than the chunks that hold the step: of files that
 * `nina demos` writes, one picture.
 */
import { NinaError } from '../errors.ts';
import { Lifetime } from '../lifetime.ts';
import { flipped, type Picture } from '../robot/index.ts';
import { type EpisodeHeader, requireSteps } from './episode.ts';
import { find, type Place } from './hdf5/links.ts';
import { type NumberSet, openNumbers, type Rows, readBytes, readNumbers } from './hdf5/numbers.ts';
import type { OpenFile } from './hdf5/open-file.ts';
import { openHdf5Files } from './hdf5/open-files.ts';
import { text } from './hdf5/texts.ts';
import { dataGroup, findDemo } from './header.ts';

/** Of an episode, what finds its pictures: plain data that a worker thread can be sent. */
export type PicturedEpisode = Pick<EpisodeHeader, 'file' | 'demo' | 'length' | 'views'>;

export interface PictureReader extends Disposable {
  /**
   * What the policy saw from this view before the action of this step, row 0 at the top.
   * @throws NinaError for steps and views that the episode does not have, and for pictures that are damaged or not there.
   */
  read(episode: PicturedEpisode, view: string, step: number): Picture;
  /** Files that are open. */
  readonly open: number;
}

/**
 * HDF5 keeps of an open file what it read of its structure: 20 KB for each view of a demonstration, so that files are best
 * not all open; and opening one again costs less than training on its picture.
 */
const OPEN_FILES = 32;

/**
 * @param limit most files that are open at once
 * @example
 * ```ts
 * import { openDemonstrations, openPictures } from 'nina-vla/data';
 *
 * const { headers } = await openDemonstrations('demos/object');
 * using pictures = await openPictures();
 * for (const episode of headers)
 *   for (const view of Object.keys(episode.views)) {
 *     const { width, height, data } = pictures.read(episode, view, 0);
 *     console.log(view, data.length === width * height * 3);
 *   }
 * ```
 */
export async function openPictures(limit: number = OPEN_FILES): Promise<PictureReader> {
  const files = await openHdf5Files(limit);
  const life = new Lifetime('The reader of pictures', 'open it again', () => files[Symbol.dispose]());
  /** By demonstration and view. Of a file that is closed nothing is left. */
  const found = new WeakMap<OpenFile, Map<string, PictureSet>>();
  return {
    read(episode, view, step) {
      life.check();
      return files.read(episode.file, (root) => {
        requireSteps(episode, step, step + 1);
        const sets = found.get(root.file) ?? new Map<string, PictureSet>();
        found.set(root.file, sets);
        const name = `${episode.demo} ${view}`;
        const set = sets.get(name) ?? openPictureSet(findDemo(dataGroup(root), episode.demo), episode, view);
        sets.set(name, set);
        return readPictures(set, [step, step + 1])[0];
      });
    },
    get open() {
      return files.open;
    },
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}

/** The pictures of one view of a demonstration, which are known to be there. */
interface PictureSet {
  readonly numbers: NumberSet;
  readonly width: number;
  readonly height: number;
  /** Whether the file has row 0 at the bottom. */
  readonly upsideDown: boolean;
}

/** Views are the datasets obs/<view>_rgb [T, H, W, 3]. */
export const PICTURES = '_rgb';

/** @throws NinaError for a view that the demonstration does not have, and for pictures that are not there. */
export function openPictureSet(
  group: Place,
  { length, views }: Pick<EpisodeHeader, 'length' | 'views'>,
  view: string,
): PictureSet {
  const { width, height } = views[view] ?? {};
  if (!width || !height)
    throw new NinaError(
      `${group.title} has no pictures of the view '${view}'. It has: ${Object.keys(views).join(', ') || 'none'}.`,
    );
  const numbers = openNumbers(group, `obs/${view}${PICTURES}`, [length, height, width, 3]);
  return { numbers, width, height, upsideDown: isUpsideDown(group) };
}

/** LIBERO's pictures follow OpenGL, row 0 at the bottom, unless /data says otherwise. */
function isUpsideDown({ file }: Place): boolean {
  const data = find({ file, path: '/', title: file.name }, 'data');
  return (data && text(data, 'macros_image_convention')) !== 'opencv';
}

/** @throws NinaError for numbers that are no bytes, and for pictures that are damaged. */
export function readPictures({ numbers, width, height, upsideDown }: PictureSet, rows: Rows): Picture[] {
  const bytes = bytesOf(numbers, rows);
  const size = height * width * 3;
  return Array.from({ length: rows[1] - rows[0] }, (_, t) => {
    const picture = { width, height, data: bytes.slice(t * size, (t + 1) * size) };
    return upsideDown ? flipped(picture) : picture;
  });
}

/** Whatever type of number they have in the file. */
function bytesOf(set: NumberSet, rows: Rows): Uint8Array {
  const { kind, size, signed } = set.type;
  if (kind === 'integer' && size === 1 && !signed) return readBytes(set, rows);
  const data = readNumbers(set, rows);
  const bad = data.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= 255));
  if (bad >= 0) throw new NinaError(`${set.place.title} holds ${data[bad]}; a picture's numbers are 0 to 255.`);
  return Uint8Array.from(data);
}
