/**
 * Pictures, and their form in JSON: size, and the bytes as base64. Each pixel is three bytes and so four characters, whatever
 * the size, and nothing is ever padded. Written out here because Node 20 and browsers share no base64 of bytes.
 */
import * as z from 'zod';
import { NinaError } from '../errors.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] RGB, row 0 at the top. */
  readonly data: Uint8Array;
}

/** @throws NinaError for sides that are not whole numbers of pixels, and for bytes of another size. */
export function requirePicture(view: string, { width, height, data }: Picture): void {
  const whole = (side: number) => Number.isSafeInteger(side) && side > 0;
  if (whole(width) && whole(height) && data.length === width * height * 3) return;
  throw new NinaError(
    `The picture of the view '${view}' is ${width} x ${height} pixels and holds ${data.length} bytes: wanted sides of at least ` +
      'one pixel and three bytes (red, green, blue) for each.',
  );
}

/** The rows of a picture from the last to the first. */
export function flipped({ width, height, data }: Picture): Picture {
  const row = width * 3;
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) out.set(data.subarray(y * row, (y + 1) * row), (height - 1 - y) * row);
  return { width, height, data: out };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By the code of a character: the number of its letter. */
const VALUES = new Uint8Array(128);
for (let i = 0; i < LETTERS.length; i++) VALUES[LETTERS.charCodeAt(i)] = i;

const side = z.int().min(1).describe('pixels');

export const pictureSchema = z
  .strictObject({
    width: side,
    height: side,
    rgb: z.string().describe('[height, width, 3] bytes from the top row on, red, green, blue, as base64'),
  })
  .superRefine(({ width, height, rgb }, context) => {
    const wrong = (message: string) => context.addIssue({ code: 'custom', path: ['rgb'], message });
    const wanted = width * height * 4;
    if (rgb.length !== wanted)
      wrong(`${width} x ${height} pixels are ${wanted} characters of base64; got ${rgb.length}`);
    else if (/[^A-Za-z0-9+/]/.test(rgb)) wrong('wanted base64: letters, digits, + and /');
  });
export type StoredPicture = z.output<typeof pictureSchema>;

/** As `pictureSchema` reads it. @throws NinaError as `requirePicture`. */
export function pictureToJson(view: string, picture: Picture): StoredPicture {
  requirePicture(view, picture);
  const { width, height, data } = picture;
  const parts: string[] = [];
  for (let i = 0; i < data.length; i += 3) {
    const bits = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    parts.push(LETTERS[bits >> 18], LETTERS[(bits >> 12) & 63], LETTERS[(bits >> 6) & 63], LETTERS[bits & 63]);
  }
  return { width, height, rgb: parts.join('') };
}

/** @param stored what `pictureSchema` let pass */
export function pictureFromJson({ width, height, rgb }: StoredPicture): Picture {
  const data = new Uint8Array(width * height * 3);
  const value = (i: number) => VALUES[rgb.charCodeAt(i)];
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    const bits = (value(from) << 18) | (value(from + 1) << 12) | (value(from + 2) << 6) | value(from + 3);
    data[to] = bits >> 16;
    data[to + 1] = bits >> 8;
    data[to + 2] = bits;
  }
  return { width, height, data };
}
