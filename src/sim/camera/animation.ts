/**
 * Frames -> an animated PNG (APNG, part of the PNG specification since its third edition), for reports and videos.
 *
 * Every current browser shows one in <img>, also from a data URI, losslessly; it needs no encoder but zlib, where GIF
 * has 256 colours and the npm packages that write either format are unmaintained. After the first frame only the
 * rectangle that changed is stored, and a frame equal to the one before lengthens that one.
 */
import { NinaError } from '../../errors.ts';
import { deflateRows, PNG_SIGNATURE, pngChunk, pngHeader } from './png.ts';

export const ANIMATION_MIME_TYPE = 'image/apng';

export interface Animation {
  /** @param rgb [height * width * 3], row 0 on top; read at once and not kept */
  add(rgb: Uint8Array): void;
  /** The whole file. It plays in a loop. @throws NinaError if no frame was added */
  finish(): Uint8Array;
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}
interface Frame extends Rectangle {
  compressed: Uint8Array;
  /** How many of the added frames this one stands for. */
  ticks: number;
}

/** @param width @param height pixels @param framesPerSecond an integer */
export function createAnimation(width: number, height: number, framesPerSecond: number): Animation {
  const frames: Frame[] = [];
  const shown = new Uint8Array(width * height * 3);

  function add(rgb: Uint8Array): void {
    if (rgb.length !== shown.length)
      throw new RangeError(`Expected a frame of ${width} x ${height} RGB pixels; got ${rgb.length} bytes.`);
    const last = frames.at(-1);
    const changed = last ? changedRectangle(shown, rgb, width) : { x: 0, y: 0, width, height };
    if (changed) {
      frames.push({ ...changed, compressed: deflateRows(crop(rgb, width, changed), 3 * changed.width), ticks: 1 });
      shown.set(rgb);
    } else if (last) {
      last.ticks++;
    }
  }

  function finish(): Uint8Array {
    if (frames.length === 0) throw new NinaError('An animation needs at least one frame; none was added.');
    const chunks = [PNG_SIGNATURE, pngHeader(width, height), pngChunk('acTL', bigEndian(frames.length, 0))];
    let sequence = 0;
    for (const { compressed, ticks, ...rectangle } of frames) {
      chunks.push(pngChunk('fcTL', frameControl(sequence++, rectangle, ticks, framesPerSecond)));
      // The first frame is also the picture that programs without APNG show.
      if (sequence === 1) chunks.push(pngChunk('IDAT', compressed));
      else chunks.push(pngChunk('fdAT', Buffer.concat([bigEndian(sequence++), compressed])));
    }
    return Buffer.concat([...chunks, pngChunk('IEND', new Uint8Array())]);
  }
  return { add, finish };
}

/** The smallest rectangle outside which the images agree; undefined if they are equal. */
function changedRectangle(before: Uint8Array, after: Uint8Array, width: number): Rectangle | undefined {
  let left = width;
  let right = -1;
  let top = -1;
  let bottom = -1;
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    const pixel = Math.floor(i / 3);
    const column = pixel % width;
    bottom = (pixel - column) / width;
    if (top < 0) top = bottom;
    left = Math.min(left, column);
    right = Math.max(right, column);
  }
  if (right < 0) return undefined;
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

function crop(rgb: Uint8Array, imageWidth: number, { x, y, width, height }: Rectangle): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = 3 * ((y + row) * imageWidth + x);
    out.set(rgb.subarray(start, start + 3 * width), 3 * row * width);
  }
  return out;
}

/** An fcTL chunk's data: where the frame goes, shown for ticks / framesPerSecond seconds, replacing what was there. */
function frameControl(sequence: number, { x, y, width, height }: Rectangle, ticks: number, framesPerSecond: number) {
  const delay = Buffer.alloc(6);
  delay.writeUInt16BE(ticks, 0);
  delay.writeUInt16BE(framesPerSecond, 2);
  return Buffer.concat([bigEndian(sequence, width, height, x, y), delay]);
}

function bigEndian(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    out.writeUInt32BE(value, 4 * i);
  });
  return out;
}
