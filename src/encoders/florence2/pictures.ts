/**
 * A picture as the image tower reads it, to the bit of the reference: resized to bytes, in training shifted by whole pixels
 * (what leaves the picture repeats its border), normalised as CLIP was, channels first.
 */
import { type Key, rng } from '../../random.ts';
import { flipped, type Picture } from '../../robot/index.ts';
import { resize } from './resize.ts';

/** Where the picture is cut out of itself, padded by `pad` pixels of its border: at column dx and row dy, each in [0, 2 pad]. */
export interface Shift {
  readonly pad: number;
  readonly dx: number;
  readonly dy: number;
}

export interface Preprocessing {
  /** P: pixels of a side, whatever the picture's are. */
  readonly size: number;
  /** Whether the tower was trained on pictures whose row 0 is at the bottom, as LIBERO stores them. */
  readonly upsideDown: boolean;
  readonly shift?: Shift;
}

/** A shift by up to `pad` pixels each way, all equally likely. */
export function drawShift(key: Key, pad: number): Shift {
  const { int } = rng(key);
  return { pad, dx: int(2 * pad + 1), dy: int(2 * pad + 1) };
}

const MEAN = [0.48145466, 0.4578275, 0.40821073];
const STD = [0.26862954, 0.26130258, 0.27577711];
/** [3, 256]: what each byte of each channel becomes. */
const NORMALISED = Float32Array.from({ length: 3 * 256 }, (_, i) => {
  const channel = i >> 8;
  return ((i & 255) / 255 - MEAN[channel]) / STD[channel];
});

/**
 * @param picture as `requirePicture` wants it
 * @param out written from `offset` on: [3, P, P]
 */
export function preprocess(
  picture: Picture,
  { size, upsideDown, shift }: Preprocessing,
  out: Float32Array,
  offset: number,
): void {
  const bytes = sized(upsideDown ? flipped(picture) : picture, size);
  const { pad, dx, dy } = shift ?? { pad: 0, dx: 0, dy: 0 };
  const within = (i: number) => Math.min(Math.max(i, 0), size - 1);
  const columns = new Int32Array(size);
  for (let x = 0; x < size; x++) columns[x] = within(x + dx - pad) * 3;
  const area = size * size;
  for (let y = 0, to = offset; y < size; y++) {
    const row = within(y + dy - pad) * size * 3;
    for (let x = 0; x < size; x++, to++) {
      const from = row + columns[x];
      out[to] = NORMALISED[bytes[from]];
      out[to + area] = NORMALISED[256 + bytes[from + 1]];
      out[to + 2 * area] = NORMALISED[512 + bytes[from + 2]];
    }
  }
}

function sized({ width, height, data }: Picture, size: number): Uint8Array {
  return width === size && height === size ? data : resize(data, width, height, size);
}
