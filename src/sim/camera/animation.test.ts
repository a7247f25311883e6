import { crc32, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAnimation } from './animation.ts';
import { PNG_SIGNATURE } from './png.ts';

interface Chunk {
  type: string;
  data: Buffer;
}

/** The chunks of a PNG, checksums verified. */
function chunksOf(file: Uint8Array): Chunk[] {
  const bytes = Buffer.from(file);
  expect([...bytes.subarray(0, 8)]).toEqual([...PNG_SIGNATURE]);
  const out: Chunk[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(bytes.subarray(at + 4, at + 8 + length)));
    out.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return out;
}

/** The samples of unfiltered rows. */
function unpack(compressed: Uint8Array, rowBytes: number, height: number): Buffer {
  const rows = inflateSync(compressed);
  expect(rows.length).toBe(height * (rowBytes + 1));
  return Buffer.concat(
    Array.from({ length: height }, (_, y) => {
      expect(rows[y * (rowBytes + 1)]).toBe(0);
      return rows.subarray(y * (rowBytes + 1) + 1, (y + 1) * (rowBytes + 1));
    }),
  );
}

/** What a browser shows: one image per tick, and how many ticks a second. */
function play(file: Uint8Array): { images: Buffer[]; framesPerSecond: number; stored: number } {
  const chunks = chunksOf(file);
  expect(chunks.map(({ type }) => type).slice(0, 2)).toEqual(['IHDR', 'acTL']);
  expect(chunks.at(-1)?.type).toBe('IEND');
  const width = chunks[0].data.readUInt32BE(0);
  const height = chunks[0].data.readUInt32BE(4);
  expect([...chunks[0].data.subarray(8)]).toEqual([8, 6, 0, 0, 0]);
  const stored = chunks[1].data.readUInt32BE(0);
  expect(chunks[1].data.readUInt32BE(4), 'plays: 0 is for ever').toBe(0);
  const canvas = Buffer.alloc(width * height * 3);
  const images: Buffer[] = [];
  let framesPerSecond = 0;
  let sequence = 0;
  const frames = chunks.slice(2, -1);
  expect(frames.length).toBe(2 * stored);
  for (let i = 0; i < frames.length; i += 2) {
    const control = frames[i];
    const content = frames[i + 1];
    expect([control.type, content.type]).toEqual(['fcTL', i === 0 ? 'IDAT' : 'fdAT']);
    const [number, w, h, x, y] = [0, 4, 8, 12, 16].map((at) => control.data.readUInt32BE(at));
    expect(number).toBe(sequence++);
    if (i > 0) expect(content.data.readUInt32BE(0)).toBe(sequence++);
    const pixels = unpack(content.data.subarray(i === 0 ? 0 : 4), 4 * w, h);
    for (let row = 0; row < h; row++)
      for (let column = 0; column < w; column++) {
        const pixel = 4 * (row * w + column);
        const opaque = pixels[pixel + 3] === 255;
        if (i === 0) expect(opaque).toBe(true);
        if (opaque) pixels.copy(canvas, 3 * ((y + row) * width + x + column), pixel, pixel + 3);
      }
    framesPerSecond = control.data.readUInt16BE(22);
    expect([...control.data.subarray(24)], 'leave it there, lay over what was').toEqual([0, 1]);
    for (let tick = 0; tick < control.data.readUInt16BE(20); tick++) images.push(Buffer.from(canvas));
  }
  return { images, framesPerSecond, stored };
}

/** What 0, 2, 100, 103 and 255 become; 2 looks like black, 100 like 103. */
const ROUNDED = new Map([
  [0, 0],
  [2, 0],
  [100, 101],
  [103, 101],
  [255, 255],
]);

describe('createAnimation', () => {
  it('plays what was added, with colours rounded to 6 bits', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const movie = fc.tuple(size, size).chain(([width, height]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        // Few values, so that frames often agree in part or wholly.
        frames: fc.array(
          fc
            .array(fc.constantFrom(0, 2, 100, 103, 255), {
              minLength: width * height * 3,
              maxLength: width * height * 3,
            })
            .map((bytes) => Uint8Array.from(bytes)),
          { minLength: 1, maxLength: 6 },
        ),
        repeats: fc.integer({ min: 1, max: 3 }),
      }),
    );
    fc.assert(
      fc.property(movie, ({ width, height, frames, repeats }) => {
        const animation = createAnimation(width, height, 20);
        const added = frames.flatMap((frame) => new Array<Uint8Array>(repeats).fill(frame));
        const scratch = new Uint8Array(width * height * 3);
        for (const frame of added) {
          scratch.set(frame);
          animation.add(scratch);
        }
        const { images, framesPerSecond, stored } = play(animation.finish());
        expect(framesPerSecond).toBe(20);
        expect(images.map((image) => [...image])).toEqual(
          added.map((frame) => [...frame].map((level) => ROUNDED.get(level))),
        );
        expect(stored).toBeLessThanOrEqual(frames.length);
      }),
    );
  });

  it('stores only what changed', () => {
    const size = 128;
    const frame = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 2654435761) >>> 24);
    const animation = createAnimation(size, size, 20);
    animation.add(frame);
    const one = animation.finish().length;
    frame[3 * (64 * size + 64)] ^= 128;
    animation.add(frame);
    animation.add(frame);
    const two = animation.finish();
    // Two chunks of one pixel: 26 + 12 bytes of control, 4 + 12 of frame, under 16 of compressed data.
    expect(two.length - one).toBeLessThan(70);
    expect(play(two).images.length).toBe(3);
  });

  it('refuses frames of another size, and to be empty', () => {
    const animation = createAnimation(2, 1, 10);
    expect(() => animation.add(new Uint8Array(5))).toThrow('Expected a frame of 2 x 1 RGB pixels; got 5 bytes.');
    expect(() => animation.finish()).toThrow('An animation needs at least one frame; none was added.');
  });
});
